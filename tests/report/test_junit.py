"""JUnit XML and the Markdown summary of a check have everything that is wrong, and nothing untrusted is markup."""

from typing import Any
from xml.etree import ElementTree

import pytest
from junitparser import JUnitXml
from markdown_it import MarkdownIt

from marginspec.report.junit import junit
from marginspec.report.summary import summary

PLACE = {"what": "specification", "base": "marginspec", "file": "spec/vault.md", "line": 3}


def law(id: str, **changed: Any) -> dict[str, Any]:
    """A row of a prove document."""
    good = {"id": id, "law": "Nothing is lost.", "verdict": "proved", "confirmed": True, "seconds": 0.25}
    return {**good, **changed}


def finding(id: str, kind: str, text: str = "says why", **more: Any) -> dict[str, Any]:
    return {"id": id, "kind": kind, "level": "error", "text": text, "rules": [], "places": [PLACE], **more}


def row(check: str, verdict: str, threshold: bool) -> dict[str, Any]:
    return {"check": check, "demanded": "none", "found": "1", "verdict": verdict, "threshold": threshold}


def check(laws: list[dict[str, Any]], findings: list[dict[str, Any]], **fuzz: Any) -> dict[str, Any]:
    """A check document with these laws and findings."""
    found = {
        "target": "embedded",
        "seed": "1",
        "steps": 100,
        "steps_per_second": 50.0,
        "comparisons": 1000,
        "accepted": 60,
        "rejected": 40,
        "divergences": [],
        "declared": [],
        "rules": {"VLT-1": 3},
        "regimes": {"empty": 0},
        "unreached": ["empty"],
        **fuzz,
    }
    rows = [row("divergences", "broken", False), row("number of laws", "incomplete", True)]
    return {
        "prove": {"system": "vault", "properties": laws},
        "fuzz": found,
        "gate": {"file": "marginspec.toml", "checks": rows},
        "findings": findings,
        "verdict": "broken",
    }


LAWS = [law("A-1"), law("A-2", verdict="refuted"), law("A-3", verdict="unknown"), law("A-4", confirmed=False)]
WRONG = [finding("A-2", "refuted"), finding("A-3", "unknown"), finding("A-4", "unconfirmed")]
DIVERGED = finding(
    "VLT-1",
    "divergence",
    "withdraw differs",
    trace="out/traces/x.json",
    repeat="marginspec replay out/traces/x.json --artifact Vault=v.json",
    calls=[{"text": "deposit(assets=1)", "places": []}],
)


def cases(text: str, suite: str) -> dict[str, Any]:
    """The cases of a suite by the first word of their names."""
    (found,) = [each for each in JUnitXml.fromstring(text.encode()) if each.name == suite]
    return {case.name.split()[0]: case for case in found}


def test_every_law_is_a_case_refuted_ones_fail_and_unknown_ones_are_errors() -> None:
    found = cases(junit(check(LAWS, WRONG)), "laws")
    kinds = {name: [type(result).__name__ for result in case.result] for name, case in found.items()}
    assert kinds == {"A-1": [], "A-2": ["Failure"], "A-3": ["Error"], "A-4": ["Error"]}
    assert found["A-2"].result[0].type == "refuted"
    assert found["A-1"].time == 0.25


def test_a_divergence_fails_the_lock_step_run_and_shows_its_calls_trace_and_places() -> None:
    (case,) = cases(junit(check([law("A-1")], [DIVERGED])), "lock-step").values()
    (failure,) = case.result
    assert failure.message == "withdraw differs"
    for shown in ("deposit(assets=1)", "trace: out/traces/x.json", "specification: marginspec/spec/vault.md:3"):
        assert shown in failure.text


def test_a_threshold_that_is_missed_fails_and_the_totals_count_all() -> None:
    text = junit(check(LAWS, [*WRONG, DIVERGED]))
    (case,) = cases(text, "gate").values()
    assert [result.type for result in case.result] == ["threshold"]
    root = ElementTree.fromstring(text)
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("6", "3", "2")


def test_a_declared_difference_fails_nothing_and_is_in_the_report() -> None:
    declared = [{"id": "SDK-1", "reason": "by design", "count": 7}]
    text = junit(check([law("A-1")], [finding("SDK-1", "declared")], declared=declared))
    (case,) = cases(text, "lock-step").values()
    assert case.result == []
    properties = {p.get("name"): p.get("value") for p in ElementTree.fromstring(text).iter("property")}
    assert properties["declared SDK-1"] == "7 times: by design"


HOSTILE = ["</failure><x/>", "]]>", "\x00\x1b[31m", "\ud800", "\u202eabc", "\ufffe"]


@pytest.mark.parametrize("hostile", HOSTILE, ids=repr)
def test_an_untrusted_text_stays_text_in_xml(hostile: str) -> None:
    text = junit(check([law("A-2", law=hostile)], [finding("A-2", "refuted", hostile), {**DIVERGED, "text": hostile}]))
    (case,) = cases(text, "laws").values()
    assert len(case.result) == 1
    assert {node.tag for node in ElementTree.fromstring(text).iter()} <= {
        *("testsuites", "testsuite", "testcase", "failure", "properties", "property")
    }


def rendered(text: str) -> str:
    """The page that a reader of the summary sees, as HTML; HTML inside Markdown is let through, as GitHub does."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_the_summary_has_the_verdict_every_check_and_every_finding() -> None:
    page = rendered(summary(check(LAWS, [*WRONG, DIVERGED])))
    for shown in ("marginspec vault: broken", "number of laws", "withdraw differs", "<code>deposit(assets=1)</code>"):
        assert shown in page
    assert "marginspec replay out/traces/x.json --artifact Vault=v.json" in page
    assert "Not reached: empty." in page


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "<b>x", "![x](y)", "[x](y)", "`</code>`", "**x**", "a | b", "# x", "&lt;", "<!-- x"],
)
def test_an_untrusted_text_is_no_markup_in_the_summary(hostile: str) -> None:
    call = [{"text": hostile, "places": []}]
    plain = rendered(summary(check([law("A-1")], [{**DIVERGED, "text": "x", "calls": [{"text": "x", "places": []}]}])))
    page = rendered(summary(check([law("A-1")], [{**DIVERGED, "text": hostile, "calls": call}])))
    assert tags(page) == tags(plain)
    assert hostile in text_of(page)


def tags(page: str) -> list[str]:
    return [node.tag for node in ElementTree.fromstring(f"<page>{page}</page>").iter()]


def text_of(page: str) -> str:
    return "".join(ElementTree.fromstring(f"<page>{page}</page>").itertext())
