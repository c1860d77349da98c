"""Text and code share one numbering, and what the text names exists."""

import ast
import importlib
import itertools
import json
import re
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pytest

from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.kernel import evm
from marginspec.model.kernel.machine import Machine, actions_of, regimes_of
from marginspec.systems.aave_v3.sources import AAVE
from marginspec.systems.curie.deployment import PACKAGE as CURIE
from marginspec.systems.perps_v2.sources import SYNTHETIX
from marginspec.systems.registry import system
from marginspec.targets.evm.fetched import PACKAGES as PACKAGES_FOLDER

REPOSITORY = Path(__file__).parents[1]
TEXTS = sorted((REPOSITORY / "spec" / "deployed").glob("*.md"))
assert TEXTS

RULE = r"[A-Z]{3}-[1-9]\d*"
HEADING = re.compile(rf"^### ({RULE}) ", re.MULTILINE)
LAW = re.compile(rf"({RULE}): ")
CONTRACT = re.compile(r"\*Contract:\* (.*?)\*Why:\*", re.DOTALL)

# Solidity source of the packages that the texts describe, and where it is.
PACKAGES = {
    "morpho-blue": (REPOSITORY / "node_modules/@morpho-org/morpho-blue", "src", "make setup"),
    "aave-v3": (PACKAGES_FOLDER / AAVE / "package", "contracts", "make packages"),
    "perps-v2": (PACKAGES_FOLDER / SYNTHETIX / "package", "contracts", "make packages"),
    "curie": (PACKAGES_FOLDER / CURIE / "package", "contracts", "make packages"),
}


@pytest.fixture(params=TEXTS, ids=lambda path: path.stem)
def text(request: pytest.FixtureRequest) -> Path:
    """One specification of a deployed protocol."""
    return request.param


def model_of(text: Path) -> type[Machine]:
    return system(text.stem).model


def modules_of(text: Path) -> list[ModuleType]:
    """The module of the model, and those of its package that it is made of; not the kernel."""
    return [module for module in texts_of(model_of(text)) if ".deployed." in module.__name__]


def rules_in(source: str) -> set[str]:
    """The rules that a module states: `@rule(ID)`, `Rejected(ID)`, and docstrings that begin with one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("rule", "Rejected"):
            found |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
        if isinstance(node, ast.FunctionDef) and (law := LAW.match(ast.get_docstring(node) or "")):
            found.add(law[1])
    return found


def rules_of(text: Path) -> set[str]:
    """The rules of a model, with those of the EVM's arithmetic where it uses that."""
    source = "\n".join(Path(module.__file__ or "").read_text() for module in modules_of(text))
    found = rules_in(source)
    if f"from {evm.__name__} import" in source:
        found |= rules_in(Path(evm.__file__).read_text())
    return found


def table(text: Path, head: str) -> list[list[str]]:
    """The cells of the rows of the table whose head line starts with `head`."""
    lines = text.read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(head)) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows
    return rows


def number(words: str) -> Fraction:
    """The value of `10^18`, `0.25 WAD`, `31,536,000 s`."""
    amount, _, unit = words.replace(",", "").partition(" ")
    base, _, exponent = amount.partition("^")
    return Fraction(base) ** int(exponent or 1) * (10**18 if unit == "WAD" else 1)


def test_every_rule_of_the_text_is_in_the_model_and_every_rule_of_the_model_in_the_text(text: Path) -> None:
    written, coded = HEADING.findall(text.read_text()), rules_of(text)
    assert written
    assert len(written) == len(set(written)), "a rule is numbered twice"
    assert set(written) - coded == set(), "in the text, but not in the model"
    assert coded - set(written) == set(), "in the model, but not in the text"


def test_every_rule_that_is_referred_to_exists(text: Path) -> None:
    content = text.read_text()
    chapters = {name.split("-")[0] for name in HEADING.findall(content)}
    mentioned = {name for name in re.findall(rf"(?<![\w-]){RULE}", content) if name.split("-")[0] in chapters}
    assert mentioned - set(HEADING.findall(content)) == set()


def test_the_table_of_actions_is_that_of_the_model(text: Path) -> None:
    model = model_of(text)
    orders = {re.findall(r"`(\w+)`", row[0])[0]: " ".join(row[1:]) for row in table(text, "| action | checks")}
    # What the world does follows no rule and has no row.
    stated = {name: getattr(getattr(model, name), "marginspec_rules", ()) for name in actions_of(model)}
    assert list(orders) == [name for name, rules in stated.items() if rules]
    for name, rules in stated.items():
        for rule in rules:
            assert re.search(rf"{rule}\b", orders[name]), f"{name} states {rule}, its row does not"


def test_the_table_of_regimes_is_that_of_the_model(text: Path) -> None:
    named = [re.findall(r"`(\w+)`", row[0])[0] for row in table(text, "| regime |")]
    assert named == list(regimes_of(model_of(text)))


def test_the_table_of_properties_is_that_of_the_claims(text: Path) -> None:
    claims = importlib.import_module(f"marginspec.properties.deployed.{text.stem.replace('-', '_')}").chapter.properties
    rows = {id: (law, covers) for id, law, covers in table(text, "| Property | Law |")}
    assert len(rows) == len(table(text, "| Property | Law |")), "a property is listed twice"
    assert rows == {claim.id: (claim.law, ", ".join(claim.covers) or "-") for claim in claims}


def test_published_claims_that_are_not_restated_are_covered_by_no_property(text: Path) -> None:
    covered = {name for row in table(text, "| Property | Law |") for name in row[2].split(", ")}
    prose = text.read_text().partition("\n## Properties\n")[2].partition("\n| Property | Law |")[0]
    not_restated = set(re.findall(r"`([A-Z]\w+\.\w+)`", prose))
    assert not_restated or covered == {"-"}
    assert not_restated & covered == set()


def test_constants_have_the_values_of_the_model(text: Path) -> None:
    modules, checked = modules_of(text), 0
    for row in table(text, "| constant |"):
        for cell, value in itertools.pairwise(row):
            if name := re.fullmatch(r"`([A-Z_]+)`", cell):
                assert {getattr(m, name[1]) for m in modules if hasattr(m, name[1])} == {number(value)}, name[1]
                checked += 1
    assert checked


@pytest.mark.parametrize("text", [text for text in TEXTS if text.stem in PACKAGES], ids=lambda path: path.stem)
def test_functions_and_refusals_named_of_the_contract_are_in_its_source(text: Path) -> None:
    package, folder, step = PACKAGES[text.stem]
    if not package.is_dir():
        pytest.skip(f"its sources are not here: run `{step}`")
    assert json.loads((package / "package.json").read_text())["version"] in text.read_text().splitlines()[0]
    source = "\n".join(path.read_text() for path in sorted((package / folder).rglob("*.sol")))
    named = {word for clause in CONTRACT.findall(text.read_text()) for word in re.findall(r"`([^`]+)`", clause)}
    assert named
    panics = {word for word in named if word.startswith("Panic(")}
    words = {" ".join(word.split()) for word in named - panics}
    missing = {word for word in words if word.split(".")[-1].split(" = ")[0].split(" > ")[0] not in source}
    assert missing == set()
