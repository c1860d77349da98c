"""From a rule to its text, its code and the properties that speak of it, read off the sources."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from marginspec.base.package import ROOT
from marginspec.base.text import named
from marginspec.lockstep.rules_reached import HEADING, stated_in, texts_of
from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.properties.law import Property
from marginspec.systems.system import System

Names = dict[str, set[str]]


def rules_document(system: System, only: Sequence[str] | None = None) -> dict[str, Any]:
    """`marginspec/rules/1`: every rule of the specification with its title, text, places in the code, properties.

    only: IDs and patterns of the rules that are wanted, all if None; BadInput for one that is of no rule. lemmas: those
    of the properties that are steps of an argument, in which no action takes part.
    """
    rules = list(_rules_of_text(system.text()))
    if only:
        wanted = named(only, [rule for rule, _, _ in rules], f"{system.name} has no rule")
        rules = [each for each in rules if each[0] in wanted]
    texts = _texts(system.model, system.chapter.properties)
    places = _places(texts)
    lemmas = {p.id for p in system.chapter.properties if p.kind == "lemma"}
    stating = _rules_by_function(texts)
    speaks = {p.id: _rules_spoken_of(p, system.model, texts, stating) for p in system.chapter.properties}
    return {
        "schema": "marginspec/rules/1",
        "system": system.name,
        "rules": [
            {
                "id": rule,
                "title": title,
                "text": text,
                "code": [_relative(place) for place in places.get(rule, ())],
                "properties": [id for id, rules in speaks.items() if rule in rules],
                "lemmas": [id for id, rules in speaks.items() if rule in rules and id in lemmas],
                "never": system.model.never.get(rule),
            }
            for rule, title, text in rules
        ],
    }


def not_modelled(specification: str) -> list[str]:
    """The entries of the specification's sections of what is not modelled, Markdown."""
    sections = re.findall(r"(?ms)^## What is not modelled\n(.*?)(?=^#|\Z)", specification)
    return [" ".join(entry.split()) for section in sections for entry in re.split(r"(?m)^- ", section)[1:]]


def _texts(model: type[Machine], properties: Sequence[Property]) -> list[ModuleType]:
    """The text of a model, and that of others of our models of which its properties speak."""
    found = texts_of(model)
    using = [sys.modules[name] for name in dict.fromkeys(p.predicate.__module__ for p in properties)]
    for module in using:
        for value in vars(module).values():
            used = sys.modules.get(getattr(value, "__module__", None) or "")
            if used is not None and used.__name__.startswith(_MODELS) and used not in found:
                found.append(used)
                using.append(used)
    return found


_MODELS = Machine.__module__.rsplit(".", 2)[0] + "."


def _places(texts: Sequence[ModuleType]) -> dict[str, list[str]]:
    """Where rules are stated as those that runs count, and where a function's first line says that it states one."""
    places: dict[str, list[str]] = {}
    for module in texts:
        for rule, line in stated_in(inspect.getsource(module)):
            places.setdefault(rule, []).append(f"{inspect.getsourcefile(module)}:{line}")
    for module in texts:
        for node in _functions(module):
            for stated in _stated_by(node):
                places.setdefault(stated, []).append(f"{inspect.getsourcefile(module)}:{node.lineno}")
    return places


def _relative(place: str) -> str:
    file, _, line = place.rpartition(":")
    path = Path(file).resolve()
    for folder in (ROOT, Path.cwd()):
        if path.is_relative_to(folder):
            return f"{path.relative_to(folder)}:{line}"
    return place


def _rules_of_text(text: str) -> Iterator[tuple[str, str, str]]:
    sections = re.split(r"(?m)^(?=#{1,3} )", text)
    for section in sections:
        heading, _, body = section.partition("\n")
        if found := HEADING.match(heading):
            yield found[1], found[2], body.strip()


def _rules_spoken_of(claim: Property, model: type[Machine], texts: Sequence[ModuleType], rules: Names) -> set[str]:
    """The rules of every model function that a property lets happen or asks. rules: those of each function."""
    reached = _closure(_names_in(ast.parse(_dedented(claim.predicate))), _uses(model, claim, texts))
    return set().union(*(rules.get(name, set()) for name in reached))


def _uses(model: type[Machine], claim: Property, texts: Sequence[ModuleType]) -> Names:
    """For every function of the texts and of the property's module, the names that it uses; `step` uses all actions."""
    uses: Names = {"Step": set(actions_of(model))}
    for module in (sys.modules[claim.predicate.__module__], *texts):
        for name, used in _uses_of(module):
            uses.setdefault(name, set()).update(used)
    return uses


@functools.cache
def _uses_of(module: ModuleType) -> list[tuple[str, set[str]]]:
    return [(node.name, _names_in(node)) for node in _functions(module)]


@functools.cache
def _functions(module: ModuleType) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.FunctionDef)]


def _rules_by_function(texts: Sequence[ModuleType]) -> Names:
    rules: Names = {}
    for module in texts:
        for node in _functions(module):
            rules.setdefault(node.name, set()).update(_rule_ids(node))
    return rules


def _rule_ids(node: ast.FunctionDef) -> set[str]:
    found = {
        argument.value
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("rule", "Rejected")
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    return found | _stated_by(node)


def _stated_by(node: ast.FunctionDef) -> set[str]:
    stated = re.match(r"([A-Z]+-\d+):", ast.get_docstring(node) or "")
    return {stated[1]} if stated else set()


def _names_in(node: ast.AST) -> set[str]:
    attributes = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    return attributes | {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _closure(names: set[str], uses: Names) -> set[str]:
    todo, found = list(names), set(names)
    while todo:
        for name in uses.get(todo.pop(), set()) - found:
            found.add(name)
            todo.append(name)
    return found


def _dedented(function: Any) -> str:
    return textwrap.dedent(inspect.getsource(function))
