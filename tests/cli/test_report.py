"""`marginspec report`: what it takes and refuses, what a trace becomes, how it ends."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from command import Command

from marginspec.base.errors import BadInput
from marginspec.cli.report import not_modelled
from marginspec.lockstep.comparison import Divergence
from marginspec.lockstep.trace import Trace, document, trace_of
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call, Machine
from marginspec.model.reference import Reference
from marginspec.results.rule_index import rules_document
from marginspec.results.run_files import read_run
from marginspec.results.timeline import LONGEST, story
from marginspec.systems.registry import NAMES, shipped

SCRIPT = "<script>alert(1)</script>"
DIVERGENCE = Divergence("borrow", "outcome", "accepted", f"rejected: {SCRIPT}")


@functools.cache
def rules_of(name: str) -> dict[str, Any]:
    """The rules of a system; once for all tests, because to trace them takes a second."""
    return rules_document(shipped(name))


@pytest.fixture
def report(here: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `report`."""
    monkeypatch.setattr("marginspec.cli.report.rules_document", lambda chosen: rules_of(chosen.name))
    return functools.partial(here, "report")


# --- Traces and documents to report on ----------------------------------------------------------------------------


def borrowing() -> list[Call]:
    """A borrower takes exactly what half of the collateral's value allows, on market B."""
    names = {"market": "B", "on_behalf": "borrower"}
    return [
        Call("supply_collateral", {"caller": "borrower", "assets": 300_000, **names}),
        Call("supply", {"caller": "supplier", "market": "B", "assets": 500_000, "shares": 0, "on_behalf": "supplier"}),
        Call("borrow", {"caller": "borrower", "assets": 150_000, "shares": 0, "receiver": "borrower", **names}),
    ]


def foreclosed() -> list[Call]:
    """The same, and then the price falls by three quarters and a liquidator takes all collateral."""
    taken = {
        "caller": "liquidator",
        "market": "B",
        "borrower": "borrower",
        "seized_assets": 300_000,
        "repaid_shares": 0,
    }
    return [*borrowing(), Call("set_price", {"market": "B", "price": 10**36 // 4}), Call("liquidate", taken)]


def bankrupt() -> list[Call]:
    """ETH falls by a quarter in steps within the band: the trader is liquidated a little, then pays with all others."""
    calls = []
    for price in (1850 * 10**6, 1720 * 10**6, 1600 * 10**6):
        calls += [
            Call("post", {"asset": "ETH", "source": source, "price": price, "confidence": 0})
            for source in Reference.universe[_kind("SourceId")]
        ]
        calls.append(Call("update_price", {"caller": "keeper", "asset": "ETH"}))
        if price == 1850 * 10**6:
            names = {"liquidator": "liquidator", "account": "trader", "market": "ETH-PERP"}
            calls.append(Call("liquidate", {**names, "most": 10**6}))
    calls.append(Call("cover", {"caller": "keeper", "account": "trader"}))
    names = {"caller": "keeper", "account": "trader", "market": "ETH-PERP"}
    return [*calls, Call("deleverage", {**names, "counterparty": "maker"})]


def _kind(name: str) -> Any:
    return next(kind for kind in Reference.universe if kind.__name__ == name)


def traced(model: type[Machine], calls: list[Call], found: Divergence | None = DIVERGENCE) -> Trace:
    return trace_of(model, "embedded", 1, calls, found)


def told(model: type[Machine], calls: list[Call], found: Divergence | None = None) -> dict[str, Any]:
    return story(shipped(model.system), Path("trace.json"), traced(model, calls, found))


def written(file: Path, content: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return file


def trace_file(file: Path, model: type[Machine] = MorphoBlue, calls: list[Call] | None = None) -> Path:
    return written(file, document(model, traced(model, calls or borrowing())))


def prove_document(system: str = "morpho-blue", **summary: int) -> dict[str, Any]:
    law = {
        "id": "MB-INV-1",
        "law": "Nothing borrowed that was not supplied.",
        "verdict": "proved",
        "reason": "",
        "solvers": {"z3": {"verdict": "unsat", "seconds": 0.1}},
        "confirmed": True,
        "paths": 4,
        "obligations": 1,
        "witnessed": True,
        "bounds": "",
        "counterexample": None,
        "seconds": 0.5,
    }
    counts = {"proved": 1, "refuted": 0, "unknown": 0, "confirmed": 1, "seconds": 1.0} | summary
    return {"schema": "marginspec/prove/1", "system": system, "properties": [law], "summary": counts}


def fuzz_document(*traces: str) -> dict[str, Any]:
    found = {"rule": "borrow", "field": "outcome", "model": "accepted", "target": f"rejected: {SCRIPT}", "steps": 3}
    return {
        "schema": "marginspec/fuzz/1",
        "system": "morpho-blue",
        "target": "embedded",
        "seed": "1",
        "sequences": 1,
        "steps": 100,
        "accepted": 60,
        "rejected": 40,
        "comparisons": 12_000,
        "not_compared": 0,
        "divergences": [{**found, "trace": trace} for trace in traces],
        "declared": [],
        "rules": {"HLT-5": 1},
        "regimes": {"liquidatable": 0},
        "never": {"TOK-5": "MB-INV-12"},
        "unreached": ["liquidatable"],
        "steps_per_second": 1000.0,
    }


def check_document(*traces: str) -> dict[str, Any]:
    parts = {"prove": prove_document(), "fuzz": fuzz_document(*traces)}
    return {"schema": "marginspec/check/1", **parts, "verdict": "broken" if traces else "holds"}


def mutate_document(survived: int) -> dict[str, Any]:
    counts = {"killed": 3, "survived": survived, "equivalent": 0, "total": 3 + survived}
    return {"schema": "marginspec/mutate/1", "system": "morpho-blue", "mutants": [], "summary": counts}


# --- What a trace becomes -----------------------------------------------------------------------------------------


def test_a_loan_at_its_limit_is_told_as_exactly_that() -> None:
    (standing,) = told(MorphoBlue, borrowing())["steps"][-1]["standings"]
    assert (standing["who"], standing["word"], standing["spare"]) == ("borrower in market B", "healthy", "0")
    assert standing["figures"] == {"collateral value": "300,000", "limit": "150,000", "debt": "150,000"}


def test_debt_that_no_collateral_backs_is_told_as_the_loss_of_the_suppliers() -> None:
    found = told(MorphoBlue, foreclosed())
    price, debt, losses = found["charts"]
    assert price["series"][0]["values"] == [1, 1, 1, 1, 0.25, 0.25]
    assert [series["values"][4] for series in debt["series"]] == [75_000, 37_500, 150_000]
    (bar,) = losses["bars"]
    assert bar["label"] == "5 liquidate"
    parts = {part["label"]: part["value"] for part in bar["parts"]}
    assert parts["suppliers lose"] > 0
    assert sum(parts.values()) == 150_000


def test_a_bankruptcy_is_told_down_the_waterfall() -> None:
    found = told(Reference, bankrupt())
    assert [step["rule"] for step in found["steps"]] == [None] * len(found["steps"])
    price, trader, maker, losses = found["charts"]
    assert price["series"][0]["values"][-1] == 1600
    assert trader["title"] == "Equity against margin: trader"
    assert maker["title"] == "Equity against margin: maker"
    equity = trader["series"][0]["values"]
    assert min(equity) < 0
    words = [s["word"] for step in found["steps"] for s in step["standings"] if s["who"] == "trader" and s["changed"]]
    assert words[-1] == "bankrupt"
    assert [bar["label"].split()[1] for bar in losses["bars"]] == ["liquidate", "cover", "deleverage"]
    cover = {part["label"]: part["value"] for part in losses["bars"][1]["parts"]}
    assert sum(cover.values()) == pytest.approx(-min(equity))
    paid = losses["bars"][2]["parts"][0]
    assert paid["label"] == "profit of the counterparty"
    assert paid["value"] == pytest.approx(cover["deficit still open"])


def test_the_plots_are_the_models_own_figures() -> None:
    calls, found = bankrupt(), told(Reference, bankrupt())
    venue = Reference.genesis()
    for number, call in enumerate(calls, 1):
        assert venue.apply(call).accepted
        now = venue.clone()
        now._settle("trader")  # type: ignore[arg-type]
        shown = [series["values"][number] for series in found["charts"][1]["series"]]
        own = (now.equity("trader"), now.initial_margin("trader"), now.maintenance_margin("trader"))  # type: ignore[arg-type]
        assert shown == [figure / 10**12 for figure in own]


def test_a_refused_end_is_told_as_the_model_saw_it_when_it_refused() -> None:
    (*others, last) = borrowing()
    calls = [*others, Call("borrow", {**last.arguments, "assets": 150_001})]
    end = told(MorphoBlue, calls)["steps"][-1]
    assert end["rule"] == "HLT-5"
    assert end["changes"] == []
    (standing,) = end["standings"]
    assert (standing["word"], standing["spare"]) == ("liquidatable", "-1")


def test_a_price_that_is_too_old_leaves_a_gap_in_the_plot() -> None:
    call = Call("liquidate", {"liquidator": "liquidator", "account": "trader", "market": "ETH-PERP", "most": 1})
    charts = told(Reference, [Call("advance_time", {"seconds": 3601}), call])["charts"]
    margin = next(chart for chart in charts if chart["title"].endswith("trader"))
    assert [value is None for value in margin["series"][0]["values"]] == [False, True, True]


def test_amounts_have_units_and_changes_are_those_recorded() -> None:
    step = told(Reference, bankrupt())["steps"][0]
    price = next(argument for argument in step["arguments"] if argument["name"] == "price")
    assert (price["value"], price["unit"], price["human"]) == ("1850000000", "quote per size unit", "1,850 USD")
    (change,) = [change for change in step["changes"] if change["name"] == "sources[ETH][first].price"]
    assert (change["before"], change["after"]) == ("2000000000", "1850000000")
    assert change["human"] == "2,000 USD → 1,850 USD"


def test_a_long_trace_is_told_from_near_its_end() -> None:
    calls = [Call("advance_time", {"seconds": 1})] * (LONGEST + 5)
    found = told(MorphoBlue, calls)
    assert (found["first"], found["length"], len(found["steps"])) == (6, LONGEST + 5, LONGEST)
    assert found["steps"][0]["changes"][0]["human"] == ""


def test_a_record_that_the_model_no_longer_agrees_with_is_marked() -> None:
    trace = traced(MorphoBlue, borrowing())
    changed = trace.steps[1].__class__(trace.steps[1].call, "ACT-2", trace.steps[1].observations)
    steps = (trace.steps[0], changed, trace.steps[2])
    stale = Trace(trace.system, trace.target, trace.seed, trace.digest, steps, None)
    assert story(shipped("morpho-blue"), Path("t"), stale)["stale"] == "step 2"
    assert told(MorphoBlue, borrowing())["stale"] is None


# --- The verb -----------------------------------------------------------------------------------------------------


def test_a_check_that_holds_is_reported_as_that(report: Command, tmp_path: Path) -> None:
    done = report(written(tmp_path / "check.json", check_document()), "--json")
    said = json.loads(done.stdout)
    assert (done.returncode, said["schema"], said["verdict"], said["stories"]) == (0, "marginspec/report/1", "holds", 0)
    page = (tmp_path / said["file"]).read_text()
    assert '<p class="word">Holds</p>' in page
    assert "HLT-5" in page
    assert "Signatures" in page


def test_a_divergence_is_told_and_what_the_contract_said_is_escaped(report: Command, tmp_path: Path) -> None:
    trace_file(tmp_path / "run" / "out" / "one.json")
    run = written(tmp_path / "run" / "check.json", check_document("out/one.json"))
    done = report(run, "--out", tmp_path / "new" / "audit.html")
    assert done.returncode == 1
    assert "1 told as a story" in done.stdout
    page = (tmp_path / "new" / "audit.html").read_text()
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "Debt against its limit: borrower in market B" in page
    assert page.count("<svg") == 2


def test_a_trace_that_is_gone_is_said_to_be(report: Command, tmp_path: Path) -> None:
    done = report(written(tmp_path / "check.json", check_document("out/gone.json")))
    assert done.returncode == 1
    assert "no story: trace out/gone.json: No such file" in done.stdout
    assert "out/gone.json: No such file" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(("survived", "code"), [(0, 0), (2, 3)])
def test_mutants_that_survive_make_a_run_incomplete_not_broken(
    report: Command, tmp_path: Path, survived: int, code: int
) -> None:
    check = written(tmp_path / "check.json", check_document())
    done = report(check, written(tmp_path / "mutate.json", mutate_document(survived)))
    assert done.returncode == code


def test_thresholds_of_a_gate_are_judged_by_the_check(report: Command, tmp_path: Path) -> None:
    row = {"check": "mutation score", "demanded": "at least 50 %", "found": "60 %", "threshold": True}
    check = check_document() | {"mutate": mutate_document(2)}
    check |= {"gate": {"checks": [{**row, "verdict": "holds"}]}}
    assert report(written(tmp_path / "check.json", check)).returncode == 0
    check |= {"gate": {"checks": [{**row, "verdict": "incomplete"}]}, "verdict": "incomplete"}
    assert report(written(tmp_path / "check.json", check)).returncode == 3
    page = (tmp_path / "out" / "report.html").read_text()
    assert "demanded of mutation score: at least 50 %; found: 60 %" in page


def test_a_trace_alone_is_its_own_verdict(report: Command, tmp_path: Path) -> None:
    assert report(trace_file(tmp_path / "one.json")).returncode == 1
    agreeing = written(tmp_path / "two.json", document(MorphoBlue, traced(MorphoBlue, borrowing(), None)))
    assert report(agreeing).returncode == 3
    with_check = report(written(tmp_path / "check.json", check_document()), tmp_path / "one.json")
    assert with_check.returncode == 0


def test_a_folder_is_read_and_what_is_no_part_of_a_run_left_out(report: Command, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    written(folder / "check.json", check_document())
    trace_file(folder / "one.json")
    written(folder / "package.json", {"name": "x"})
    written(folder / "bench.json", {"schema": "marginspec/bench/1"})
    said = json.loads(report(folder, "--json").stdout)
    assert [Path(each["file"]).name for each in said["documents"]] == ["check.json", "one.json"]
    assert [Path(each).name for each in said["left_out"]] == ["bench.json", "package.json"]
    assert all(len(each["digest"]) == 64 for each in said["documents"])


def test_the_same_run_gives_the_same_page(report: Command, tmp_path: Path) -> None:
    trace_file(tmp_path / "out" / "one.json")
    run = written(tmp_path / "check.json", check_document("out/one.json"))
    for name in ("a.html", "b.html"):
        report(run, "--out", tmp_path / name)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


# --- Mistakes -----------------------------------------------------------------------------------------------------


def test_nothing_to_report_on_is_a_mistake(report: Command, tmp_path: Path) -> None:
    for given, said in (
        (tmp_path / "gone.json", "gone.json: No such file"),
        (tmp_path, "no document of marginspec"),
        (written(tmp_path / "bench.json", {"schema": "marginspec/bench/1"}), "schema 'marginspec/bench/1'"),
    ):
        done = report(given)
        (line,) = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (2, "")
        assert said in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not JSON"),
        ("[1, 2", "was it cut off?"),
        ("[]", "schema 'None'"),
        ("{}", "schema 'None'"),
        ("NaN", "numbers that JSON does not have"),
        ("[" * 100_000, "nested too deeply"),
        ("\xff", "not UTF-8"),
        (json.dumps(prove_document() | {"properties": 1}), "$.properties: 1 is not of type 'array'"),
        (json.dumps({**fuzz_document(), "steps": "many"}), "$.steps: 'many' is not of type 'integer'"),
        (json.dumps({**fuzz_document(), "seed": "x" * 9}), "$.seed: 'xxxxxxxxx' does not match"),
        (json.dumps({"schema": "marginspec/rules/2"}), "schema 'marginspec/rules/2'"),
        (json.dumps({**check_document(), "fuzz": fuzz_document() | {"unreached": None}}), "$.fuzz.unreached"),
    ],
)
def test_a_file_that_is_no_document_is_refused_with_its_place(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(BadInput) as refused:
        read_run([file])
    assert str(refused.value).startswith(str(file))
    assert said in str(refused.value)


def test_two_documents_of_a_kind_are_refused(tmp_path: Path) -> None:
    files = [written(tmp_path / "check.json", check_document()), written(tmp_path / "prove.json", prove_document())]
    with pytest.raises(BadInput, match=r"a second prove document beside .*check\.json"):
        read_run(files)


def test_documents_of_two_systems_are_refused(tmp_path: Path) -> None:
    other = written(tmp_path / "prove.json", prove_document("reference"))
    with pytest.raises(BadInput, match=r"is about 'reference', .* about 'morpho-blue'"):
        read_run([written(tmp_path / "fuzz.json", fuzz_document()), other])


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    file = written(tmp_path / "check.json", check_document())
    assert len(read_run([file, tmp_path, file]).sources) == 1


def test_characters_that_turn_text_around_do_not_pass(tmp_path: Path) -> None:
    turned = check_document() | {"note": "a\u202eb\x1b[31m"}
    turned["fuzz"]["target"] = "a\u202eb\x1b[31m"
    run = read_run([written(tmp_path / "check.json", turned)])
    assert run.documents["fuzz"]["target"] == "a\\u202eb\\u001b[31m"


def test_a_report_does_not_overwrite_its_run(report: Command, tmp_path: Path) -> None:
    file = written(tmp_path / "check.json", check_document())
    done = report(file, "--out", file)
    assert done.returncode == 2
    assert "that is a file of the run" in done.stderr
    assert json.loads(file.read_text())["schema"] == "marginspec/check/1"


def test_a_place_that_cannot_be_written_is_a_mistake(report: Command, tmp_path: Path) -> None:
    file = written(tmp_path / "check.json", check_document())
    done = report(file, "--out", file / "report.html")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_document_does_not_choose_which_code_is_run(report: Command, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    outside = prove_document(str(tmp_path.parent))
    done = report(written(tmp_path / "here" / "prove.json", outside))
    assert done.returncode == 2
    assert "if it is one of your own, whose code may run: --system FOLDER" in done.stderr
    unknown = report(written(tmp_path / "here" / "prove.json", prove_document("no-such-system")))
    assert "system 'no-such-system' is none of " in unknown.stderr


def test_a_trace_of_another_genesis_is_refused(report: Command, tmp_path: Path) -> None:
    content = document(MorphoBlue, traced(MorphoBlue, borrowing()))
    content["genesis"]["digest"] = "0" * 64
    done = report(written(tmp_path / "one.json", content))
    assert (done.returncode, done.stdout) == (2, "")
    assert "another genesis" in done.stderr


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_specification_says_what_is_not_modelled(name: str) -> None:
    entries = not_modelled(shipped(name).text())
    assert entries
    assert all(entry.startswith("**") and "\n" not in entry for entry in entries)
