"""The audit report: what a reader finds, and that nothing in it can do anything to the reader."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from marginspec.report import coverage, matrix, story
from marginspec.report.html import grouped, markdown, render, usd
from marginspec.report.plots import plot

HOSTILE = '"><script>alert(1)</script><img src="http://example.invalid/x" onerror=alert(2)>'

VOID = {"meta", "br", "img", "link", "input", "hr"}
LOADING = {"img", "link", "iframe", "object", "embed", "audio", "video", "source", "base", "form", "input", "image"}


class Page(HTMLParser):
    """Elements with their attributes, the text of each element by its path, and whether everything is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else, in line {self.getpos()[0]}"

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self) -> str:
        """All that is shown."""
        return " ".join(" ".join(data) for tag, data in self.texts.items() if tag not in ("script", "style"))


# --- It can be trusted ------------------------------------------------------------------------------------------


def test_what_a_contract_says_stays_text(page: str) -> None:
    read = Page(page)
    assert read.open == []
    (script,) = read.texts["script"]
    assert "alert" not in script
    assert len(read.all("script")) == 1
    assert not [name for _, attributes in read.elements for name in attributes if name.startswith("on")]
    assert not [
        value for _, attributes in read.elements for value in attributes.values() if value.startswith("javascript:")
    ]
    assert 'rejected: "><script>alert(1)</script>' in read.text()


def test_what_a_proof_of_the_bytecode_says_stays_text(documents: dict[str, Any], about: dict[str, Any]) -> None:
    """Each action is proved of the deployed code, different, open or sampled, in words; and no other is said proved."""
    known = {
        "cases": 1,
        "done": 1,
        "paths": 7,
        "open_paths": 2,
        "open": [],
        "assumes": [],
        "differs": "",
        "trace": None,
    }
    rows = [
        {**known, "action": "supply", "verdict": "proved", "assumes": [f"assumed, not proved: {HOSTILE}"]},
        {**known, "action": "repay", "verdict": "refuted", "differs": HOSTILE, "trace": HOSTILE},
        {**known, "action": "borrow", "verdict": "open", "open": [HOSTILE], "assumes": ["of an open one"]},
        {**known, "action": "advance_time", "verdict": "skipped"},
    ]
    page = Page(render("broken", {**documents, "equivalence": {"actions": rows}}, [], [], [], about))
    assert page.open == []
    assert len(page.all("script")) == 1
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert page.text().count(f"assumed, not proved: {HOSTILE}") == 1
    assert "open: 2 of 7 paths" in page.text()
    assert "of an open one" not in page.text()


def test_nothing_is_loaded_from_anywhere(page: str) -> None:
    read = Page(page)
    assert {tag for tag, _ in read.elements} & LOADING == set()
    for _, attributes in read.elements:
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")
        for value in attributes.values():
            assert not re.search(r"url\((?!#)", value)
    (style,) = read.texts["style"]
    assert "url(" not in style
    assert "@import" not in style


def test_the_browser_is_told_to_run_our_script_alone(page: str) -> None:
    read = Page(page)
    (policy,) = [meta["content"] for meta in read.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(read.texts["script"][0].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "![x](http://e.invalid/p.png)", "[x](http://e.invalid)", "<http://e.invalid>"]
)
def test_a_text_of_the_specification_loads_and_links_nothing(text: str) -> None:
    assert [tag for tag, _ in Page(markdown(text)).elements] == ["p"]


# --- It can be read by everybody ----------------------------------------------------------------------------------


def test_every_link_has_a_target_and_every_name_is_unique(page: str) -> None:
    read = Page(page)
    names = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(names) == len(set(names))
    links = {anchor["href"] for anchor in read.all("a")} | {use["href"] for use in read.all("use")}
    assert links - {f"#{name}" for name in names} == set()
    assert links


def test_headings_say_what_they_head_and_sort_by_the_keyboard(page: str) -> None:
    read = Page(page)
    headings = read.all("th")
    assert all(heading.get("scope") in ("col", "row") for heading in headings)
    assert all(button.get("type") == "button" for button in read.all("button"))
    assert len(read.all("button")) > 20
    assert len(read.all("h1")) == 1
    assert all(region.get("aria-label") for _, region in read.elements if region.get("role") in ("img", "region"))


def test_the_verdict_and_the_scope_stand_before_everything_else(page: str) -> None:
    first = Page(page[: page.index('<section class="part"')]).text()
    assert "Broken" in first
    for said in (
        "1 law is refuted, by concrete integers",
        "model and implementation diverge at borrow, outcome",
        "1 law is unknown: neither proved nor refuted",
        "1 law proved by one solver only",
        "12,345 (12,000 accepted, 345 refused)",
        "9,876,543 values",
        "2 of 3, and 1 of 2 regimes",
        "not recorded in the run's document",
        "Rules not reached",
        "Unknown laws",
        "Declared differences",
        "Not modelled",
        "Not readable",
    ):
        assert said in first


@pytest.mark.parametrize(("verdict", "word"), [("holds", "Holds"), ("broken", "Broken"), ("incomplete", "Incomplete")])
def test_a_verdict_is_a_word_and_not_a_colour_alone(
    verdict: str, word: str, documents: dict[str, Any], about: dict[str, Any]
) -> None:
    text = render(verdict, {"rules": documents["rules"]}, [], [], [], about)
    assert f'<div class="verdict {verdict}"' in text
    assert f'<p class="word">{word}</p>' in text
    assert f"<title>morpho-blue: {word.lower()}" in text


def test_a_report_on_nothing_says_so(documents: dict[str, Any], about: dict[str, Any]) -> None:
    text = Page(render("incomplete", {"rules": documents["rules"]}, [], [], [], about)).text()
    assert "Nothing here is a verdict" in text
    assert "No proofs" in text
    assert "No comparison with an implementation" in text


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        ((), set()),
        (("prove",), {"counterexamples", "rules", "theorems", "texts"}),
        (("fuzz",), {"counterexamples", "rules", "lock-step", "texts"}),
        (("mutate",), {"rules", "kill-matrix", "texts"}),
    ],
)
def test_what_nothing_was_run_of_has_no_section(
    kinds: tuple[str, ...], shown: set[str], documents: dict[str, Any], about: dict[str, Any]
) -> None:
    text = render("incomplete", {kind: documents[kind] for kind in ("rules", *kinds)}, [], [], [], about)
    read = Page(text)
    assert {a["id"] for _, a in read.elements if a.get("class") == "part"} == {*shown, "not-covered", "evidence"}
    names = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    assert {a["href"][1:] for a in read.all("a") if a["href"].startswith("#")} - names == set()


def test_a_divergence_without_its_trace_is_shown(documents: dict[str, Any], about: dict[str, Any]) -> None:
    text = Page(render("broken", documents, [], [], [], about)).text()
    assert "rejected: " in text
    assert "did not diverge" not in text


def test_an_upgrade_shows_the_account_before_and_after(page: str) -> None:
    upgrade = page[page.index("<h2>Upgrade</h2>") : page.index("<h2>Texts of the rules</h2>")]
    text = upgrade
    assert "can borrow" in text
    assert "cannot borrow" in text
    assert "15,000 loan base units" in text
    assert "not declared" in text


def test_the_artifact_is_named_when_the_run_names_it(documents: dict[str, Any], about: dict[str, Any]) -> None:
    documents["fuzz"]["artifacts"] = {"Morpho": {"file": "out/Morpho.json", "sha256": "cd" * 32}}
    text = Page(render("broken", documents, [], [], [], about)).text()
    assert "out/Morpho.json" in text
    assert "cd" * 32 in text


# --- Rules and mutants --------------------------------------------------------------------------------------------


def test_a_rule_has_all_that_stands_behind_it(documents: dict[str, Any]) -> None:
    rows = {row.id: row for row in matrix.rule_rows(documents)}
    first = rows["AAA-1"]
    assert (dict(first.laws_by_verdict), first.reach, first.mutants) == ({"proved": 1, "unknown": 1}, 1000, (2, 3))
    assert rows["AAA-3"].gap is False
    assert all(rows[name].gap for name in ("AAA-1", "AAA-2", "AAA-10"))


def test_without_a_run_nothing_is_claimed_of_reach_and_mutants(documents: dict[str, Any]) -> None:
    (row, *_) = matrix.rule_rows({"rules": documents["rules"]})
    assert (row.reach, row.mutants, dict(row.laws_by_verdict)) == (None, None, {"stated": 2})


def test_the_kill_matrix_counts_what_each_noticed(documents: dict[str, Any]) -> None:
    kills = matrix.kill_matrix(documents["mutate"])
    assert kills.operators == ["order", "rounding"]
    assert list(kills.rows) == ["AAA-1", "AAA-2"]
    assert kills.rows["AAA-1"] == [(1, 1), (1, 2)]
    assert (kills.by_run["AAA-1"], kills.by_law["AAA-1"], kills.by_run["AAA-2"]) == (1, 2, 1)


# --- What is not covered ------------------------------------------------------------------------------------------


def test_every_shortcoming_is_listed_with_what_it_is_about(documents: dict[str, Any]) -> None:
    gaps = {gap.title: gap for gap in coverage.gaps(documents, ["Signatures."], ["trace x: gone"])}
    expected = {
        "Unknown laws": ["L-3"],
        "Laws without a second opinion": ["L-5"],
        "Rules without a law": ["AAA-2"],
        "Rules without code": ["AAA-2"],
        "Rules not reached": ["AAA-2"],
        "Regimes not reached": ["bankrupt"],
        "11 steps not compared": [],
        "Not reached by the upgrade's run": ["AAA-10"],
        "Declared differences": ["SDK-1"],
        "Rules out of reach": ["AAA-3"],
        "Surviving mutants": ["m:3"],
        "Equivalent mutants": ["m:4"],
        "Planted bugs not noticed": ["bug-None"],
        "Open paths": ["borrow"],
        "Impossible paths": ["supply"],
        "Not evaluated in the live book": ["market 0x56"],
        "Not readable": ["trace x: gone"],
        "Not modelled": ["Signatures."],
    }
    assert {title: [name for name, _ in gap.items] for title, gap in gaps.items()} == expected
    assert [gap.known for gap in gaps.values()] == sorted(gap.known for gap in gaps.values())


def test_vectors_and_a_live_book_that_hold_are_good_lines_and_need_no_other_run(documents: dict[str, Any]) -> None:
    vectors = documents["vectors"] | {"failures": [], "paths": {"covered": 99, "infeasible": 1, "open": 0}, "open": []}
    sound = [row for row in documents["audit"]["invariants"] if not row["broken"]]
    audit = documents["audit"] | {"different": 0, "differences": [], "not_evaluated": [], "invariants": sound}
    found = {"vectors": vectors, "audit": audit}
    assert [(line.status, line.text) for line in coverage.lines(found, [])] == [
        ("good", "1,234 conformance vectors passed"),
        ("good", "model and contract agree and every invariant holds, on 5,001 accounts at block 18883124"),
    ]
    assert "No comparison with an implementation" not in [gap.title for gap in coverage.gaps(found, [], [])]


def test_what_vectors_and_a_live_book_break_is_said(documents: dict[str, Any]) -> None:
    found = {kind: documents[kind] for kind in ("vectors", "audit")}
    assert [(line.status, line.text) for line in coverage.lines(found, [])] == [
        ("bad", "the implementation fails 1 of 1,234 conformance vectors"),
        ("bad", "model and contract differ 1 time, on 5,001 accounts at block 18883124"),
        ("bad", "the live book breaks L-2"),
        ("open", "1 path that no vector takes and no proof excludes"),
        ("open", "something of the live book could not be evaluated"),
    ]


def test_a_clean_run_has_only_good_lines(documents: dict[str, Any]) -> None:
    prove, fuzz = documents["prove"], documents["fuzz"]
    prove["properties"] = prove["properties"][:2]
    prove["summary"] |= {"proved": 2, "refuted": 0, "unknown": 0, "confirmed": 2}
    fuzz["divergences"], fuzz["declared"] = [], []
    lines = coverage.lines({"prove": prove, "fuzz": fuzz}, [])
    assert [line.status for line in lines] == ["good", "good"]


def test_a_bug_that_only_a_law_noticed_is_noticed(documents: dict[str, Any]) -> None:
    documents["planted"]["bugs"][1] |= {"killed_by": ["L-1"], "laws": ["L-1"], "laws_after": 9}
    assert "Planted bugs not noticed" not in [gap.title for gap in coverage.gaps(documents, [], [])]


def test_a_run_by_laws_alone_claims_no_comparison(
    documents: dict[str, Any], stories: list[dict[str, Any]], about: dict[str, Any]
) -> None:
    broken = {"rule": "borrow", "field": "L-1", "model": "The law.", "target": "a case"}
    documents["fuzz"] |= {"laws": {"L-1": 7, "L-2": 0}, "divergences": [{**broken, "trace": "t.json", "steps": 1}]}
    stories[0]["divergence"] = {**broken, "unit": ""}
    text = Page(render("broken", documents, stories, [], [], about)).text()
    assert "the implementation breaks L-1, at borrow" in text
    assert "borrow: L-1 is broken" in text
    assert "No comparison with the model" in text
    assert "values compared" not in text.replace("values compared, model, base and head", "")
    documents["fuzz"]["divergences"] = []
    lines = coverage.lines({"fuzz": documents["fuzz"]}, [])
    assert lines[0].text == "the implementation breaks none of 2 laws: 9,876,543 cases in 12,345 steps"


# --- Stories, numbers, plots --------------------------------------------------------------------------------------


def test_a_story_says_who_stands_exactly_at_the_limit(stories: list[dict[str, Any]]) -> None:
    said = story.lead(stories[0], {}, ())
    assert said.startswith("At the first call, model and implementation part at borrow already.")
    assert "borrower is liquidatable, exactly at the limit: equity 10.5, maintenance margin 10.5 USD." in said
    assert story.title(stories[0], ()) == "borrow: accepted by one side only"


def test_a_refusal_names_its_rule(stories: list[dict[str, Any]]) -> None:
    stories[0]["steps"][0]["rule"] = "HLT-5"
    assert "The model refuses by HLT-5 (Unhealthy)." in story.lead(stories[0], {"HLT-5": "Unhealthy"}, ())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234567", "1,234,567"),
        ("-1000", "-1,000"),
        (str(2**256 - 1), "2^256 - 1"),
        (str(2**256 - 5000), "2^256 - 5,000"),
        (str(2**128 - 7), "2^128 - 7"),
        ("borrower", "borrower"),
        (HUGE := "9" * 60, f"{int(HUGE):,}"),
        ("2", "2"),
    ],
)
def test_integers_are_grouped_and_exact(value: str, shown: str) -> None:
    assert grouped(value) == shown


def test_quote_is_shown_as_usd_exactly() -> None:
    assert usd("-1500000000001") == "-1.500000000001 USD"
    assert usd("2000000000000000") == "2,000 USD"


def test_a_plot_is_text_in_the_colours_of_the_page(stories: list[dict[str, Any]]) -> None:
    for number, chart in enumerate(stories[0]["charts"]):
        drawn = plot(chart, f"p{number}", 0, 1)
        assert drawn == plot(chart, f"p{number}", 0, 1)
        assert drawn.startswith("<svg ")
        assert "http" not in drawn
        assert "<style" not in drawn
        assert not re.search(r"#[0-9a-f]{6}", drawn)
        assert "var(--plot-ink)" in drawn
        assert "<text" in drawn
        assert all(name.startswith(f"p{number}-") for name in re.findall(r'\bid="([^"]*)"', drawn))


def test_a_price_over_many_magnitudes_has_a_logarithmic_axis(stories: list[dict[str, Any]]) -> None:
    price, margins, _ = stories[0]["charts"]
    assert "logarithmic" in plot(price, "p")
    assert "logarithmic" not in plot(margins, "p")
    assert "liquidation open" not in plot(margins, "p", 0)
    margins["series"][1]["values"] = [2.0, 2.0]
    assert "liquidation open" in plot(margins, "p", 0)


@pytest.mark.parametrize("values", [[None, None], [0.0, 0.0], [3.0, 3.0], [1e76, 1e77], [-1e-9, 1e-9]])
def test_any_values_can_be_plotted(values: list[float | None]) -> None:
    chart = {"title": "t", "unit": "u", "note": "", "series": [{"label": "l", "role": "equity", "values": values}]}
    assert "<svg" in plot(chart, "p")


def test_every_colour_of_a_plot_is_one_of_the_page() -> None:
    from marginspec.report import html, plots

    style = (Path(html.__file__).parent / "templates" / "report.css").read_text()
    for role in plots.ROLES:
        assert len(re.findall(rf"--plot-{role}: #", style)) == 2, f"--plot-{role}: light and dark"
