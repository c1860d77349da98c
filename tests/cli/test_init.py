"""A system of one's own: written by `init`, found by its folder, taken by the verbs, blamed by file and line."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command, refused

from marginspec.cli.init import FILES, PLACEHOLDER, SCAFFOLD
from marginspec.mutation.mutants import mutants_of
from marginspec.mutation.run import read_equivalents
from marginspec.prover import cache
from marginspec.results.rule_index import rules_document
from marginspec.systems.registry import NAMES, shipped, system
from marginspec.systems.template.model import Strongbox


@pytest.fixture
def here(here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Runs the command in this process, and forgets the packages that it imported."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield here
    for name in set(sys.modules) - known:
        if name.partition(".")[0] in (path.name for path in tmp_path.rglob("*")):
            del sys.modules[name]


# --- Writing one ------------------------------------------------------------------------------------------------------


def test_what_is_written_is_all_of_the_scaffold_and_each_file_is_explained() -> None:
    there = {path.relative_to(SCAFFOLD).as_posix() for path in SCAFFOLD.rglob("*") if path.is_file()}
    assert {file for file in there if "__pycache__" not in file} == set(FILES)
    explained = (SCAFFOLD / "README.md").read_text()
    for file in FILES:
        named = f"{file.split('/')[0]}/" if "/" in file else file
        assert named in ("README.md", "__init__.py") or f"`{named}`" in explained, file


def test_init_writes_a_folder_of_this_name_in_which_nothing_is_called_otherwise(here: Command, tmp_path: Path) -> None:
    done = here("init", "lending_pool")
    assert done.returncode == 0
    assert done.stdout.endswith("next: marginspec check lending_pool\n")
    files = [path for path in (tmp_path / "lending_pool").rglob("*") if path.is_file()]
    assert len(files) == len(FILES)
    for path in files:
        assert PLACEHOLDER not in f"{path.name} {path.read_text()}".lower(), path
    assert "class LendingPool(Machine)" in (tmp_path / "lending_pool" / "model.py").read_text()
    assert '"LENDING_POOL-1"' in (tmp_path / "lending_pool" / "laws.py").read_text()


def test_what_init_writes_holds_and_its_own_test_is_green(here: Command, tmp_path: Path) -> None:
    assert here("init", "lending_pool").returncode == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "lending_pool"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "3 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_what_was_proved_before_is_proved_anew_when_asked(
    here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert here("init", "lending_pool").returncode == 0
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path / "kept"))
    monkeypatch.setattr(cache, "STARTED", time.time() + 60)  # the folder is as if it had been there before this process
    found = []
    for options in ([], [], ["--no-cache"], []):
        document = json.loads(here("prove", "lending_pool", "--json", *options).stdout)
        found.append({row["cached"] for row in document["properties"] if row["verdict"] == "proved"})
    assert found == [{False}, {True}, {False}, {True}]


def test_init_as_a_document_names_the_files(here: Command, tmp_path: Path) -> None:
    document = json.loads(here("init", "escrow", "--json").stdout)
    assert (document["schema"], document["system"]) == ("marginspec/init/1", "escrow")
    assert all((tmp_path / file).is_file() for file in document["files"])
    assert len(document["files"]) == len(FILES)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("morpho-blue", "lower case letters, digits and underscores"),
        ("Escrow", "lower case letters, digits and underscores"),
        ("../escrow", "lower case letters, digits and underscores"),
        ("2pools", "lower case letters, digits and underscores"),
        ("class", "lower case letters, digits and underscores"),
        ("reference", "a system of this name comes with marginspec"),
        ("json", "a Python package of this name is installed"),
        ("marginspec", "a Python package of this name is installed"),
        ("account", "the scaffold uses the name Account"),
        ("funds", "the scaffold uses the name FUNDS"),
        ("taken", "there is a file or folder of this name, which is left as it is"),
    ],
)
def test_init_refuses_a_name_that_would_not_do(name: str, said: str, here: Command, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    refused(here("init", name), said, compiling=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["taken"]


def test_every_rule_of_the_scaffold_has_a_text_a_place_and_a_law(here: Command) -> None:
    here("init", "escrow")
    rules = rules_document(system("escrow"))["rules"]
    assert {rule["id"] for rule in rules} >= {"DEP-1", "WDR-3", "TOK-2"}
    for part in ("title", "text", "code", "properties"):
        assert [rule["id"] for rule in rules if not rule[part]] == [], part


def test_the_changes_that_the_scaffold_calls_equivalent_exist() -> None:
    changes = {mutant.id: mutant.change for mutant in mutants_of(Strongbox)}
    known = read_equivalents(SCAFFOLD / "spec.equivalent.toml")
    assert known
    assert {id: changes.get(id) for id in known} == {id: each.change for id, each in known.items()}


# --- Finding one ------------------------------------------------------------------------------------------------------


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs."""
    text = file.read_text()
    assert old in text, old
    file.write_text(text.replace(old, new, 1))


def test_known_systems_keep_their_names() -> None:
    for name in NAMES:
        assert system(name) is shipped(name)


def test_a_system_is_called_as_its_folder_is_from_here(here: Command, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    here("init", "escrow")
    (tmp_path / "escrow").rename(tmp_path / "deep" / "escrow")
    found = system("deep/../deep/escrow/")
    assert (found.name, found.model.system) == ("deep/escrow", "deep/escrow")
    assert system(str(tmp_path / "deep" / "escrow")).name == "deep/escrow"


def test_a_difference_in_ones_own_contract_is_found_and_its_trace_finds_the_system_again(
    here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here("init", "escrow")
    edit(tmp_path / "escrow" / "contracts" / "escrow.vy", "self.total -= amount", "self.total -= amount - 1")
    done = here("fuzz", "escrow", "--steps", "2000", "--json")
    assert done.returncode == 1
    (found,) = json.loads(done.stdout)["divergences"]
    assert (found["rule"], found["field"]) == ("withdraw", "total")
    assert found["repeat"] == f"marginspec replay {found['trace']} --system escrow"
    assert here("replay", found["trace"], "--system", "escrow").returncode == 1

    # From another folder, where the trace's word for it leads nowhere.
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    refused(here("replay", f"../{found['trace']}"), "system 'escrow' is none of ", compiling=True)
    done = here("replay", f"../{found['trace']}", "--system", "../escrow", "--json")
    assert (done.returncode, json.loads(done.stdout)["stale"]) == (1, None)


@pytest.mark.parametrize(
    ("name", "at"), [("escrow", "."), ("../escrow", "elsewhere"), ("{folder}/escrow", "elsewhere")]
)
def test_no_file_makes_code_run_by_itself(
    name: str, at: str, here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here("init", "escrow")
    edit(tmp_path / "escrow" / "contracts" / "escrow.vy", "self.total -= amount", "self.total -= amount - 1")
    (found,) = json.loads(here("fuzz", "escrow", "--steps", "2000", "--json").stdout)["divergences"]
    trace = tmp_path / found["trace"]
    named = name.format(folder=tmp_path)
    edit(trace, '"system": "escrow"', f'"system": "{named}"')
    (tmp_path / "escrow" / "system.py").write_text("raise SystemExit('was run')")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / at)
    for verb in (("replay",), ("export",), ("report", "--out", "x.html")):
        refused(
            here(*verb, str(trace)), f"if it is one of your own, whose code may run: --system {named}", compiling=True
        )


# --- What is wrong with one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "fit"), [("WDR-4", "WDR-4"), ("WDR3", "ABC-1")])
def test_a_rule_without_a_text_is_told_of(rule: str, fit: str, here: Command, tmp_path: Path) -> None:
    here("init", "escrow")
    edit(tmp_path / "escrow" / "model.py", 'raise Rejected("WDR-3")', f'raise Rejected("{rule}")')
    done = here("rules", "escrow")
    assert done.returncode == 0
    assert f"rule {rule} has no heading in spec.md: write one like `### {fit} Title`" in done.stderr


MISTAKES = [
    ("model.py", "@dataclass\n", "@dataclass(\n", "rules", r"escrow/model\.py:{line}: SyntaxError"),
    ("laws.py", "import ESCROW,", "import ESCROWS,", "rules", r"escrow/laws\.py:{line}: ImportError"),
    ("system.py", "chapter=chapter,", "", "rules", r"escrow/system\.py:\d+: TypeError: .*'chapter'"),
    ("system.py", "system = System", "mine = System", "rules", r"escrow/system\.py: expected `system = System"),
    ("system.py", '"spec.md"', '"rules.md"', "rules", r"rules\.md does not exist"),
    ("model.py", "def blank", "def empty", "rules", r"Escrow needs the class methods `blank` and `prelude`"),
    (
        "model.py",
        "return []",
        'return [Call("deposit", {"caller": "newcomer", "amount": 0})]',
        "rules",
        r"Escrow refuses its own prelude: deposit by DEP-2",
    ),
    (
        "model.py",
        "caller: User, amount: Amount",
        "caller: User, amount: int",
        "rules",
        r"deposit, argument amount: int",
    ),
    ("model.py", "receiver: Account,", "receiver: str,", "rules", r"transfer, argument receiver: str is neither"),
    ("model.py", "total: AmountHeld", "total: int", "rules", r"Escrow\.total: int says too little"),
    ("laws.py", ', User: ("actor", "other", REST)', "", "rules", r"ESCROW-1: its Scope has no keys for User"),
    (
        "laws.py",
        "return back <= amount",
        "return bakc <= amount",
        "prove",
        r"escrow/laws\.py:{line}: NameError: .*bakc",
    ),
    (
        "model.py",
        "self.total += amount",
        "self.totl += amount",
        "fuzz",
        r"escrow/model\.py:{line}: `\.totl` of `self` is outside",
    ),
    ("adapter.py", '"balanceOf")', '"balances")', "fuzz", r"escrow/adapter\.py:\d+: KeyError: 'balances'"),
    ("contracts/escrow.vy", "self.total += amount", "self.total += 1 amount", "fuzz", r": vyper: escrow\.vy: "),
]


@pytest.mark.parametrize(("file", "old", "new", "verb", "said"), MISTAKES)
def test_a_mistake_is_one_line_that_says_where(
    file: str, old: str, new: str, verb: str, said: str, here: Command, tmp_path: Path
) -> None:
    here("init", "escrow")
    edited = tmp_path / "escrow" / file
    line = edited.read_text().partition(old)[0].count("\n") + 1
    edit(edited, old, new)
    done = here(verb, "escrow", *(["--steps", "300"] if verb == "fuzz" else []))
    refused(done, "", compiling=True)
    assert re.search(said.format(line=line), done.stderr), done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing", f"unknown system 'nothing': known are {', '.join(NAMES)}; one of your own is named by"),
        ("empty", "empty: no system.py in this folder"),
        ("with-hyphen", "rename this folder"),
        ("./reference", "rename this folder"),
        ("graphlib", "another Python package has the same name: rename the folder"),
    ],
)
def test_a_folder_that_is_no_system_is_refused(name: str, said: str, here: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in ("with-hyphen", "reference", "graphlib"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "system.py").write_text("system = None\n")
    refused(here("rules", name), said, compiling=True)


def test_an_error_of_the_tool_is_not_blamed_on_a_system(here: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    here("init", "escrow")

    def fail(chosen: object) -> None:
        raise RuntimeError("of the tool")

    monkeypatch.setattr("marginspec.cli.rules.rules_document", fail)
    done = here("rules", "escrow")
    assert done.returncode == 70
    assert "error in marginspec itself" in done.stderr


def test_what_an_adapter_says_of_bad_input_stays_as_it_is(here: Command, tmp_path: Path) -> None:
    here("init", "escrow")
    (tmp_path / "safe.json").write_text('{"abi": [], "bytecode": "0x00"}')
    done = here("fuzz", "escrow", "--artifact", "safe=safe.json")
    assert done.stderr.splitlines()[-1] == "marginspec: --artifact safe: the contracts are escrow, token"
