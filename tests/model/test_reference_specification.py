"""The reference venue's text and code share one numbering, and what the text names exists."""

import ast
import importlib
import itertools
import re
from fractions import Fraction
from pathlib import Path

from marginspec.lockstep.rules_reached import rules_of, stated_in
from marginspec.model import reference, risk
from marginspec.model.kernel.machine import actions_of, regimes_of
from marginspec.model.reference import Reference

REPOSITORY = Path(__file__).parents[2]
CHAPTERS = sorted((REPOSITORY / "spec" / "reference").glob("*.md"))
PACKAGES = [Path(package.__file__ or "").parent for package in (reference, risk)]
MODULES = [path for package in PACKAGES for path in sorted(package.glob("*.py")) if path.stem != "__init__"]
HEADING = re.compile(r"^### ([A-Z]{3}-[1-9]\d*) ", re.MULTILINE)
LAW = re.compile(r"([A-Z]{3}-[1-9]\d*): ")
TEXT = "\n".join(path.read_text() for path in CHAPTERS)


def coded() -> set[str]:
    """The rules that the model states: by `@rule` and `Rejected`, and by docstrings that begin with one."""
    found = set(rules_of(Reference))
    for path in MODULES:
        source = path.read_text()
        if path.parent == PACKAGES[1]:  # none of the venue's own, so not of a run
            found |= {rule for rule, _ in stated_in(source)}
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and (law := LAW.match(ast.get_docstring(node) or "")):
                found.add(law[1])
    return found


def rows(head: str) -> list[list[str]]:
    """The cells of every row of the table whose head line starts with `head`."""
    lines = TEXT.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(head)) + 2
    table = itertools.takewhile(lambda line: line.startswith("|"), lines[start:])
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_chapters_are_numbered() -> None:
    assert [path.name[:2] for path in CHAPTERS] == [f"{n:02}" for n in range(1, 17)]


def test_every_rule_of_the_text_is_in_the_model_and_every_rule_of_the_model_in_the_text() -> None:
    written = HEADING.findall(TEXT)
    assert len(written) == len(set(written)), "a rule is numbered twice"
    assert set(written) - coded() == set(), "in the text, but not in the model"
    assert coded() - set(written) == set(), "in the model, but not in the text"


def test_every_rule_that_is_referred_to_exists_and_every_rule_says_why() -> None:
    chapters = {name.split("-")[0] for name in HEADING.findall(TEXT)}
    mentioned = {name for name in re.findall(r"(?<![\w-])[A-Z]{3}-[1-9]\d*", TEXT) if name.split("-")[0] in chapters}
    assert mentioned - set(HEADING.findall(TEXT)) == set()
    for section in re.split(r"(?m)^(?=#{1,3} )", TEXT):
        if HEADING.match(section):
            assert "*Why:*" in section, section.splitlines()[0]


def test_the_table_of_actions_names_every_rule_that_an_action_states() -> None:
    orders = {re.findall(r"`(\w+)`", row[0])[0]: " ".join(row[1:]) for row in rows("| action | checks")}
    stated = {name: getattr(getattr(Reference, name), "marginspec_rules", ()) for name in actions_of(Reference)}
    assert set(orders) == {name for name, rules in stated.items() if rules}
    for name, rules in stated.items():
        for rule in rules:
            assert re.search(rf"{rule}\b", orders[name]), f"{name} states {rule}, its row does not"


def test_the_table_of_calls_has_the_signatures_of_the_model() -> None:
    written = [row[0].strip("`") for row in rows("| call | returns")]
    assert written == [f"{name}({', '.join(info.arguments)})" for name, info in actions_of(Reference).items()]


def test_the_table_of_regimes_is_that_of_the_model() -> None:
    assert tuple(re.findall(r"`(\w+)`", row[0])[0] for row in rows("| regime |")) == regimes_of(Reference)


def test_constants_have_the_values_of_the_model() -> None:
    values: dict[str, object] = {}
    for path in MODULES:
        values |= vars(importlib.import_module(f"marginspec.model.{path.parent.name}.{path.stem}"))
    checked = 0
    for line in TEXT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        for cell, value in itertools.pairwise(cells):
            if name := re.fullmatch(r"`([A-Z_]+)`", cell):
                base, _, exponent = value.replace(",", "").split(" ")[0].partition("^")
                assert values[name[1]] == Fraction(base) ** int(exponent or 1), name[1]
                checked += 1
    assert checked == 36
