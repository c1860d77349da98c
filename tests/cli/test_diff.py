"""`diff`: verdicts, exit codes, the document, declared changes, deployments, and books under two parameter files."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command import Command, refused, repeats
from rich.console import Console

from marginspec.base.errors import BadInput
from marginspec.base.package import ROOT
from marginspec.lockstep.trace import read
from marginspec.model.reference import Reference
from marginspec.model.reference.presets import venue_with
from marginspec.mutation import planted
from marginspec.report.upgrade import show_diff
from marginspec.results.differences import _status
from marginspec.runs.traces import TRACES
from marginspec.systems.morpho_blue.adapter import MorphoBlueAdapter
from marginspec.systems.reference.adapter import ReferenceAdapter
from marginspec.systems.reference.presets import load_preset
from marginspec.systems.registry import NAMES, shipped
from marginspec.targets.evm.deployed import deployed
from marginspec.targets.evm.rpc import Node, start_anvil
from marginspec.targets.protocol import Answer
from marginspec.upgrade.intended import read_intended
from marginspec.upgrade.parameters import _prices, health_of, read_book, venue_of

PRESETS = ROOT / "spec" / "presets"
BALANCED, CONSERVATIVE = PRESETS / "balanced.toml", PRESETS / "conservative.toml"
BOOK = Path(__file__).parents[2] / "examples" / "book.csv"
PRICES = ("--price", "ETH=2000", "--price", "BTC=40000")
FIELDS = {"rule", "direction", "minimal_account", "trace", "declared"}


@pytest.fixture
def here(here: Command, tmp_path: Path) -> Command:
    """Runs the command where the packages of Morpho Blue are."""
    (tmp_path / "node_modules").symlink_to(Path(__file__).parents[2] / "node_modules")
    return here


@pytest.fixture(scope="session")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A build of Morpho Blue from which anybody withdraws; costs one compilation when the cache is empty."""
    (bug,) = (bug for bug in planted.load("morpho-blue") if bug.id == "withdraw-for-anybody")
    built = planted.build(bug)["Morpho"]
    file = tmp_path_factory.mktemp("candidate") / "Morpho.json"
    file.write_text(json.dumps({"abi": built.abi, "bytecode": "0x" + built.bytecode.hex()}))
    return f"Morpho={file}"


OPEN, STRICT = "more permissive for the user", "stricter for the user"


def intended(folder: Path, *effects: tuple[str, ...]) -> Path:
    """A file that declares rules, each with an effect, and with a change where one is given."""
    file = folder / "intended.toml"
    names = ("rule", "effect", "change")
    tables = [
        "\n".join(f"{name} = {json.dumps(text)}" for name, text in zip(names, each, strict=False)) for each in effects
    ]
    file.write_text("\n".join(f'[[intended]]\nreason = "as agreed"\n{table}' for table in tables))
    return file


def build(folder: Path, *bugs: str) -> str:
    """A build of Morpho Blue with some planted bugs in it; costs one compilation when the cache is empty."""
    known = {bug.id: bug for bug in planted.load("morpho-blue")}
    sources = shipped("morpho-blue").sources.read()
    for bug in (known[id] for id in bugs):
        assert sources[bug.file].count(bug.find) == 1
        sources[bug.file] = sources[bug.file].replace(bug.find, bug.replace)
    built = planted.artifact("Morpho", shipped("morpho-blue").sources.compile(sources)["Morpho"], "a candidate")
    file = folder / f"{'-'.join(bugs)}.json"
    file.write_text(json.dumps({"abi": built.abi, "bytecode": "0x" + built.bytecode.hex()}))
    return f"Morpho={file}"


# --- Implementations --------------------------------------------------------------------------------------------------


def test_a_build_against_itself_has_no_difference_and_says_how_much_was_compared(here: Command) -> None:
    done = here("diff", "morpho-blue", "shipped", "shipped", "--steps", 300)
    assert done.returncode == 0
    assert "300 steps" in done.stdout
    assert "diff: no difference" in done.stdout
    document = json.loads(here("diff", "morpho-blue", "shipped", "shipped", "--steps", 300, "--json").stdout)
    assert (document["schema"], document["steps"], document["differences"]) == ("marginspec/diff/1", 300, [])
    assert document["vectors"] > 300
    assert document["comparisons"] > 2 * (300 + document["vectors"])
    assert document["rules_reached"] > 0


def test_a_difference_is_code_1_with_rule_direction_account_and_trace(
    here: Command, candidate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = here("diff", "morpho-blue", "shipped", candidate, "--steps", 600, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    (row,) = document["differences"]
    assert row.keys() >= FIELDS
    assert (row["rule"], row["declared"], row["departs"]) == ("AUT-2", False, "head")
    assert row["direction"] == "more permissive for the user"
    account = row["minimal_account"]
    assert account["before"]["decision"] == "refused"
    assert account["before"]["reason"] == "unauthorized"
    assert (account["after"]["decision"], account["after"]["status"]) == ("accepted", "can withdraw")
    assert len(account["steps"]) == row["steps"] <= 6
    trace = read(Path(row["trace"]), shipped("morpho-blue").model, NAMES)
    assert Path(row["trace"]).is_relative_to(TRACES)
    assert len(trace) == row["steps"]
    repeats(here, row, monkeypatch)


def test_what_people_read_names_the_rule_the_sides_and_the_trace(here: Command, candidate: str) -> None:
    done = here("diff", "morpho-blue", "shipped", candidate, "--steps", 600)
    assert done.returncode == 1
    for part in ("AUT-2 more permissive for the user (not declared)", "before: cannot withdraw: unauthorized"):
        assert part in done.stdout
    assert "after: can withdraw" in done.stdout
    assert "out/traces/morpho-blue-diff-head-AUT-2.json" in done.stdout
    assert f"--artifact {candidate}" in done.stdout
    assert "diff: 1 difference not declared" in done.stdout


def test_a_document_is_of_the_form_that_reports_read(here: Command, candidate: str) -> None:
    known = json.loads((ROOT / "report" / "documents.schema.json").read_text())
    form = {**known["$defs"]["diff"], "$defs": known["$defs"]}
    implementations = here("diff", "morpho-blue", "shipped", candidate, "--steps", 300, "--json")
    parameters = here("diff", "reference", BALANCED, CONSERVATIVE, "--book", BOOK, *PRICES, "--json")
    for done in (implementations, parameters):
        document = json.loads(done.stdout)
        assert document["differences"]
        jsonschema.validate(document, form)


def test_declared_changes_pass_and_what_is_declared_in_vain_does_not(
    here: Command, candidate: str, tmp_path: Path
) -> None:
    run = ("diff", "morpho-blue", "shipped", candidate, "--steps", 300, "--intended")
    done = here(*run, intended(tmp_path, ("AUT-2", OPEN)))
    assert done.returncode == 0
    assert "intended: as agreed" in done.stdout
    assert "no difference but intended ones" in done.stdout
    done = here(*run, intended(tmp_path, ("AUT-2", OPEN), ("LIQ-3", OPEN)), "--json")
    assert done.returncode == 2
    assert f"LIQ-3, {OPEN}, is declared and did not change" in done.stderr
    assert json.loads(done.stdout)["stale"] == [f"LIQ-3, {OPEN},"]
    assert here(*run, intended(tmp_path, ("LIQ-3", OPEN))).returncode == 1
    assert here(*run, intended(tmp_path, ("AUT-2", STRICT))).returncode == 1


@pytest.mark.long
def test_two_bugs_in_one_rule_are_two_rows_and_declaring_one_does_not_hide_the_other(
    here: Command, tmp_path: Path
) -> None:
    both = build(tmp_path, "withdraw-for-anybody", "withdraw-collateral-for-anybody")
    run = ("diff", "morpho-blue", "shipped", both, "--steps", 2_000, "--json")
    rows = json.loads(here(*run).stdout)["differences"]
    assert [(row["rule"], row["direction"]) for row in rows] == [("AUT-2", OPEN)] * 2
    assert len({row["like"] for row in rows}) == len({row["trace"] for row in rows}) == 2
    for declared, code in (
        ([("AUT-2", OPEN)], 1),
        ([("AUT-2", OPEN, rows[0]["like"])], 1),
        ([("AUT-2", OPEN, row["like"]) for row in rows], 0),
    ):
        done = here(*run, "--intended", intended(tmp_path, *declared))
        assert done.returncode == code
    alone = build(tmp_path, "withdraw-for-anybody")
    file = intended(tmp_path, ("AUT-2", OPEN))
    assert here("diff", "morpho-blue", "shipped", alone, "--steps", 2_000, "--intended", file).returncode == 0


def test_no_declaration_covers_an_account_that_becomes_insolvent(here: Command, tmp_path: Path) -> None:
    head = build(tmp_path, "withdraw-collateral-without-health")
    run = ("diff", "morpho-blue", "shipped", head, "--steps", 600, "--json")
    rows = json.loads(here(*run).stdout)["differences"]
    harmed = [row for row in rows if row["harm"]]
    assert harmed
    assert all(row["harm"].endswith("becomes insolvent") for row in harmed)
    everything = {(row["rule"], row["direction"], row["like"]) for row in rows if row["like"]}
    done = here(*run, "--intended", intended(tmp_path, *everything))
    assert done.returncode == 1
    assert [row["declared"] for row in json.loads(done.stdout)["differences"]] == [not row["harm"] for row in rows]


def test_who_is_refused_for_another_reason_is_not_called_healthy() -> None:
    healthy = dict.fromkeys(("liquidate", "seize_collateral"), ("healthy", "fine"))
    for side, reason, status in (
        (0, "healthy", "not liquidatable"),
        (1, "fine", "not liquidatable"),
        (0, "transferFrom reverted", "liquidation is refused"),
        (1, "healthy", "liquidation is refused"),
    ):
        answer = Answer(False, reason=reason)
        assert _status(shipped("morpho-blue"), "liquidate", answer, side, healthy) == status
    assert (
        _status(shipped("reference"), "seize_collateral", Answer(False, reason="LIQ-14"), 0, healthy)
        == "seizure is refused"
    )
    assert _status(shipped("reference"), "liquidate", Answer(True), 1, healthy) == "liquidatable"
    assert _status(shipped("reference"), "withdraw", Answer(False, reason="healthy"), 1, healthy) == "cannot withdraw"


def test_text_of_a_contract_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    side = {"status": "cannot borrow", "reason": "[bold]no[/] <b>", "returns": [], "standing": None}
    row: dict[str, Any] = {
        "rule": "BRW-1",
        "rules": ["BRW-1"],
        "departs": "head",
        "direction": "stricter",
        "like": None,
    }
    row |= {
        "exact": False,
        "ways": [],
        "steps": 1,
        "trace": "t.json",
        "repeat": "replay [red]t.json",
        "exports": {},
        "declared": False,
        "reason": None,
    }
    row["minimal_account"] = {"account": "[red]x", "standing": None, "before": side, "after": side, "gains": []}
    document = {
        "system": "s",
        "base": "[a]",
        "head": "b",
        "seed": "1",
        "steps": 1,
        "vectors": 1,
        "comparisons": 1,
        "left_out": 0,
    }
    document |= {"rules_reached": 1, "rules": 1, "unreached": [], "alike": [], "stale": [], "differences": [row]}
    show_diff(document, Console(width=200))
    shown = capsys.readouterr().out
    assert "[bold]no[/] <b>" in shown
    assert "[red]x" in shown
    assert "[a]" in shown
    assert "repeat it: replay [red]t.json" in shown


# --- Deployments ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A development node."""
    started = start_anvil()
    yield started
    started.close()


def test_a_deployed_contract_is_what_it_was_created_with(node: Node, here: Command) -> None:
    lending, venue = MorphoBlueAdapter({}), ReferenceAdapter({})
    lending.deploy(node)
    venue.deploy(node)
    for address, build in (
        (lending._morpho, shipped("morpho-blue").contracts()["Morpho"]),
        (venue.venue, shipped("reference").contracts()["venue"]),
    ):
        assert deployed(node.url, address, build) == build
    done = here("diff", "morpho-blue", "shipped", f"Morpho={lending._morpho}@{node.url}", "--steps", 200)
    assert done.returncode == 0
    assert "diff: no difference" in done.stdout
    token = next(iter(lending._token.values()))
    with pytest.raises(BadInput, match="cannot be told"):
        deployed(node.url, token, shipped("reference").contracts()["token"])


def test_an_address_without_a_contract_is_one_line_and_code_2(node: Node, here: Command) -> None:
    nobody = "0x" + "11" * 20
    refused(here("diff", "morpho-blue", "shipped", f"Morpho={nobody}@{node.url}"), "there is no contract at")


# --- What cannot be meant ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["no-such-system", "shipped", "shipped"], "unknown system 'no-such-system'", 2),
        (["morpho-blue", "shipped"], "'HEAD'", 2),
        (["morpho-blue", "shipped", "elsewhere"], "'elsewhere': expected shipped, NAME=FILE", 2),
        (["morpho-blue", "shipped", "Morpho=none.json"], "none.json: No such file", 2),
        (["morpho-blue", "shipped", "Other=none.json"], "none.json: No such file", 2),
        (["morpho-blue", "shipped", f"Other=0x{'11' * 20}@http://127.0.0.1:1"], "morpho-blue has Morpho", 2),
        (["morpho-blue", "shipped", f"Morpho=0x{'11' * 20}@http://127.0.0.1:1"], "127.0.0.1:1", 4),
        (["morpho-blue", "shipped", "http://example.com:8545"], "example.com is not this machine", 2),
        (["morpho-blue", "shipped", "http://127.0.0.1:1"], "no Ethereum node answers", 4),
        (["morpho-blue", "shipped", "shipped", "--steps", "0"], "a run that compares nothing is no pass", 2),
        (["morpho-blue", "shipped", "shipped", "--seed", "many"], "'--seed'", 2),
        (["morpho-blue", "shipped", "shipped", "--intended", "none.toml"], "none.toml: No such file", 2),
        (["morpho-blue", "shipped", "shipped", "--book", "book.csv"], "go with two parameter files", 2),
        (["morpho-blue", "a.toml", "b.toml", "--book", "book.csv"], "parameter files are those of reference", 2),
        (["reference", "a.toml", "b.toml"], "add --book FILE", 2),
        (["reference", "a.toml", "b.toml", "--book", "none.csv"], "none.csv: No such file", 2),
        (["reference", "a.toml", "b.toml", "--book", str(BOOK)], "a.toml: No such file", 2),
        (["reference", str(BALANCED), str(BALANCED), "--book", str(BOOK)], "needs a price of", 2),
        (["reference", str(BALANCED), str(BALANCED), "--book", str(BOOK), "--price", "ETH"], "expected ASSET=USD", 2),
        (["reference", str(BALANCED), str(BALANCED), "--book", str(BOOK), "--price", "X=1"], "unknown asset 'X'", 2),
        (["reference", str(BALANCED), str(BALANCED), "--book", str(BOOK), "--price", "ETH=0"], "is none", 2),
    ],
    ids=str,
)
def test_an_argument_that_cannot_be_meant_is_one_line(
    arguments: list[str], said: str, code: int, here: Command
) -> None:
    refused(here("diff", *arguments), said, code)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected [[intended]] tables"),
        ("[[intended", "not TOML"),
        ("intended = []", "expected [[intended]] tables"),
        ("x = 1\n[[intended]]", "expected [[intended]] tables"),
        ('[[intended]]\nrule = "LIQ-3"', "intended 1: expected rule, effect, reason"),
        ('[[intended]]\nrule = "LIQ-3"\nreason = "x"', "say in effect what the change of LIQ-3 does"),
        ('[[intended]]\nrule = "LIQ-3"\nreason = "x"\neffect = ""', "say in effect what the change of LIQ-3 does"),
        ('[[intended]]\nrule = "LIQ-99"\nreason = "x"', "intended 1: morpho-blue has no rule 'LIQ-99'"),
        ('[[intended]]\nrule = 3\nreason = "x"', "has no rule '3'"),
        ('[[intended]]\nrule = "LIQ-3"\nreason = " "', "say in reason why LIQ-3 changes"),
        ('[[intended]]\nrule = "LIQ-3"\neffect = "e"\nreason = "x"\n' * 2, "intended 2: LIQ-3, e, is declared twice"),
    ],
)
def test_a_malformed_declaration_says_what_is_wrong_and_where(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "intended.toml"
    file.write_text(text)
    with pytest.raises(BadInput) as raised:
        read_intended(file, shipped("morpho-blue"))
    assert says in str(raised.value)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_every_rule_of_the_text_can_be_declared(tmp_path: Path) -> None:
    # SHR-1 is stated by a function, POS-9 by another: neither refuses nor is counted.
    for rule, system in (("SHR-1", "morpho-blue"), ("POS-9", "reference")):
        assert read_intended(intended(tmp_path, (rule, OPEN)), shipped(system)) == {(rule, OPEN, ""): "as agreed"}


# --- Books ------------------------------------------------------------------------------------------------------------


def test_stricter_parameters_name_who_becomes_liquidatable_and_who_can_withdraw_no_more(here: Command) -> None:
    done = here("diff", "reference", BALANCED, CONSERVATIVE, "--book", BOOK, *PRICES, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    rows = {row["minimal_account"]["account"]: row for row in document["differences"]}
    statuses = {
        name: (row["rule"], row["minimal_account"]["before"]["status"], row["minimal_account"]["after"]["status"])
        for name, row in rows.items()
    }
    assert statuses["just above maintenance"][0] == "LIQ-5"
    assert statuses["just above maintenance"][2] == "liquidatable"
    assert any(found == ("MRG-6", "healthy", "below initial margin") for found in statuses.values())
    assert {row["direction"] for row in rows.values()} == {"stricter for the user"}
    assert all(row.keys() >= FIELDS for row in rows.values())
    assert document["book"]["accounts"] == len(read_book(BOOK)[0])


def test_the_other_way_round_it_is_more_permissive(here: Command) -> None:
    done = here("diff", "reference", CONSERVATIVE, BALANCED, "--book", BOOK, *PRICES, "--json")
    assert {row["direction"] for row in json.loads(done.stdout)["differences"]} == {"more permissive for the user"}


def test_the_same_parameters_change_nobody(here: Command) -> None:
    done = here("diff", "reference", BALANCED, BALANCED, "--book", BOOK, *PRICES)
    assert done.returncode == 0
    assert "nobody stands otherwise" in done.stdout


def test_a_change_of_parameters_can_be_intended(here: Command, tmp_path: Path) -> None:
    run = ("diff", "reference", BALANCED, CONSERVATIVE, "--book", BOOK, *PRICES, "--intended")
    rules = ("LIQ-5", "MRG-6", "MRG-11", "MRG-3", "LIQ-6", "LIQ-8", "TRD-6", "COL-9")
    effects = [("MRG-12", "built for larger moves"), *((rule, STRICT) for rule in rules)]
    done = here(*run, intended(tmp_path, *effects))
    assert done.returncode == 0
    assert "no difference but intended ones" in done.stdout
    assert here(*run, intended(tmp_path, *effects[:-1])).returncode == 1


def test_a_declaration_covers_one_direction_and_no_bankruptcy(here: Command, tmp_path: Path) -> None:
    for head, effect, code in (("10_000", STRICT, 1), ("999_999", STRICT, 1), ("999_999", OPEN, 1)):
        changed = preset(tmp_path, minimum_haircut=head)
        book = tmp_path / "book.csv"
        book.write_text("account,ETH,ETH-PERP,ETH-PERP entry\nx,2.7,10,2400\n")
        declared = intended(tmp_path, ("COL-9", STRICT), ("COL-9", OPEN), ("LIQ-5", effect), ("MRG-6", effect))
        run = ("diff", "reference", BALANCED, changed, "--book", book, *PRICES, "--intended", declared, "--json")
        done = here(*run)
        assert done.returncode == code
        (row,) = json.loads(done.stdout)["differences"]
        assert not row["declared"]
        assert (row["harm"] == "x becomes bankrupt") == (head == "999_999")


def preset(folder: Path, **entries: str) -> Path:
    """The balanced preset with other entries, everywhere."""
    file, text = folder / "preset.toml", BALANCED.read_text()
    for name, value in entries.items():
        text = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("entry", "value", "bound"),
    [
        ("penalty", "1_000_000", "delta and penalty fit the minimum ratio"),
        ("taker_fee", "1_000_000", "the taker fee is at most the penalty"),
        ("maker_fee", "1_000_000", "the maker fee is at most the taker fee"),
        ("maximum_ratio", "0", "ratios are in order"),
        ("delta", "1_000_000", "delta and penalty fit the minimum ratio"),
        ("buffer", "1_000_000", "the buffer fits the initial gap"),
        ("slope", "1_000_000", "the highest initial ratio is at most one"),
        ("minimum_haircut", "0", "collateral that fell by delta covers its count"),
        ("minimum_ratio", "0", "delta and penalty fit the minimum ratio"),
        ("initial_gap", "0", "one step of adaptation fits the initial gap"),
        ("penalty", "9_999", ""),
        ("taker_fee", "501", ""),
        ("maximum_ratio", "100_001", ""),
        ("buffer", "10_001", ""),
        ("delta", "38_999", ""),
    ],
)
def test_every_entry_is_compared_and_every_bound_judged(
    entry: str, value: str, bound: str, here: Command, tmp_path: Path
) -> None:
    rich = tmp_path / "book.csv"
    rich.write_text("account,cash\nrich,1000000\n")
    changed = preset(tmp_path, **{entry: value})
    done = here("diff", "reference", BALANCED, changed, "--book", rich, "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"], document["differences"]) == (1, "broken", [])
    assert {row["entry"] for row in document["parameters"]} == {entry}
    assert all(int(row["after"]) == int(value) for row in document["parameters"])
    violated = {each["text"] for each in document["bounds"]}
    assert bound in violated if bound else not violated
    assert {each["side"] for each in document["bounds"]} <= {"head"}
    said = here("diff", "reference", BALANCED, changed, "--book", rich).stdout
    assert entry in said
    assert bound in said

    # Whatever is declared, and where nothing changes: an unsafe head is no pass.
    rows = {(row["rule"], row["direction"]) for row in document["parameters"]}
    run = ("diff", "reference", BALANCED, changed, "--book", rich, "--intended", intended(tmp_path, *rows))
    assert here(*run).returncode == (1 if bound else 0)
    assert here("diff", "reference", changed, changed, "--book", rich).returncode == (1 if bound else 0)


def test_the_order_of_a_book_changes_nothing(here: Command, tmp_path: Path) -> None:
    lines = ["first,2500,0,", "second,900,9000,1990", "third,600,12500,2010", "fourth,5,-41,1980", "fifth,0.1,1,2000"]
    answers = []
    for order in (lines, lines[::-1], lines[2:] + lines[:2]):
        (tmp_path / "book.csv").write_text("\n".join(["account,ETH,ETH-PERP,ETH-PERP entry", *order]))
        run = ("diff", "reference", BALANCED, CONSERVATIVE, "--book", "book.csv", "--price", "ETH=2000", "--json")
        answers.append(here(*run).stdout)
    assert answers[0] == answers[1] == answers[2]
    assert json.loads(answers[0])["differences"]


def test_the_figures_are_those_of_the_model_in_the_same_state(tmp_path: Path) -> None:
    preset = load_preset(BALANCED)
    venue = venue_with(preset).genesis()
    names = list(venue.accounts)
    held = venue.accounts
    book = tmp_path / "book.json"

    def whole(value: int, digits: int) -> str:
        return f"{'-' if value < 0 else ''}{abs(value) // 10**digits}.{abs(value) % 10**digits:0{digits}d}"

    accounts = [
        {
            "account": name,
            "cash": whole(held[name].cash, 12),
            "ETH": whole(held[name].collateral["ETH"].amount, 18),  # type: ignore[index]
            "BTC": whole(held[name].collateral["BTC"].amount, 8),  # type: ignore[index]
        }
        for name in names
    ]
    prices = {asset: whole(price.mark, 6) for asset, price in venue.assets.items()}
    book.write_text(json.dumps({"prices": prices, "accounts": accounts}))
    entries, marks = read_book(book)
    ours = venue_of(preset, entries, marks)
    for price in venue.assets.values():
        price.low = price.high = price.mark
    for name in names:
        account = ours.accounts[name]
        assert account.cash == held[name].cash
        assert {a: h.amount for a, h in account.collateral.items()} == {
            a: h.amount for a, h in held[name].collateral.items()
        }
        health = health_of(ours, name)
        assert health.equity == venue.equity(name)
        assert health.maintenance == venue.maintenance_margin(name)


def test_a_position_is_exact_and_at_the_edge_of_maintenance() -> None:
    preset = load_preset(BALANCED)
    text = "account,cash,ETH-PERP,ETH-PERP entry\nexact,{cash},40,2000\n"
    # 40 ETH at 2000 USD need 5 %: 4000 USD.
    for cash, word in (("4000", "below initial margin"), ("3999.999999999999", "liquidatable")):
        entries, _ = _read(text.format(cash=cash))
        assert health_of(venue_of(preset, entries, _prices(["ETH=2000"])), "exact").word == word


def test_who_owes_nothing_is_healthy_whatever_it_has() -> None:
    entries, _ = _read("account,cash\npoor,0.000001\n")
    assert health_of(venue_of(load_preset(BALANCED), entries, {}), "poor").word == "healthy"


def _read(text: str, suffix: str = "csv") -> Any:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"book.{suffix}"
        file.write_text(text)
        return read_book(file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: account is missing"),
        ("account\n", "no accounts"),
        ("account,gold\nx,1\n", "line 1: unknown name 'gold'; known are account, cash"),
        ("cash\n1\n", "line 1: account is missing"),
        ("account,cash,cash\nx,1,1\n", "line 1: cash is there twice"),
        ("account,cash\nx\n", "line 2: 1 values for 2 names"),
        ("account,cash\n,1\n", "line 2: account has no name"),
        ("account,cash\nx,1\nx,2\n", "account 'x' is there twice"),
        ("account,cash\nx,1e5\n", "line 2: cash: '1e5' is no decimal number"),
        ("account,cash\nx,nan\n", "line 2: cash: 'nan' is no decimal number"),
        ("account,cash\nx,0.0000000000001\n", "more decimals than the venue counts: at most 12"),
        (f"account,cash\nx,{'9' * 40}\n", "more than the venue can hold"),
        ("account,ETH\nx,-1\n", "line 2: ETH: -1 is negative"),
        ("account,ETH-PERP\nx,1\n", "line 2: ETH-PERP entry is missing"),
        ('account,cash\n"x,1\n', "not CSV"),
    ],
)
def test_a_malformed_book_says_what_is_wrong_and_where(text: str, says: str) -> None:
    with pytest.raises(BadInput) as raised:
        _read(text)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("[]", "expected"),
        ('{"accounts": {}}', "expected"),
        ('{"accounts": [], "gold": 1}', "unknown entry 'gold'"),
        ('{"accounts": [3]}', "account 1: expected an object"),
        ('{"accounts": [{"cash": "1"}]}', "account 1: account is missing"),
        ('{"accounts": [{"account": "x", "cash": [1]}]}', "is no decimal number"),
        ('{"accounts": [{"account": "x"}], "prices": []}', "prices: expected an object"),
        ('{"accounts": [{"account": "x"}], "prices": {"GLD": "1"}}', "unknown asset 'GLD'"),
        ('{"accounts": [{"account": "x"}], "prices": {"ETH": "x"}}', "prices: ETH: 'x' is no decimal number"),
    ],
)
def test_a_malformed_json_book_too(text: str, says: str) -> None:
    with pytest.raises(BadInput) as raised:
        _read(text, "json")
    assert says in str(raised.value)


def test_numbers_of_json_are_taken_exactly_too() -> None:
    entries, prices = _read(
        '{"prices": {"ETH": 2000.5}, "accounts": [{"account": "x", "cash": 0.1, "ETH": 3}]}', "json"
    )
    assert entries[0].cash == 10**11
    assert entries[0].collateral["ETH"] == 3 * 10**18
    assert prices == {"ETH": 2_000_500_000}


def test_of_each_holding_the_same_part_counts() -> None:
    entries, _ = _read("account,ETH\nfirst,900\nsecond,900\n")
    venue = venue_of(load_preset(BALANCED), entries, {})
    terms = Reference.blank().asset_terms["ETH"]  # type: ignore[index]
    counted = [account.collateral["ETH"].counted for account in venue.accounts.values()]  # type: ignore[index]
    assert counted == [(terms.tier_1 + (1800 * 10**18 - terms.tier_1) // 2) // 2] * 2
