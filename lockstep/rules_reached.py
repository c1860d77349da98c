"""Which rules a model states, where, and which of them a run did not reach."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING

from marginspec.model.kernel.machine import Machine, per_model, regimes_of

if TYPE_CHECKING:
    from marginspec.lockstep.comparison import Tally

HEADING = re.compile(r"^### ([A-Z]+-\d+) (.+)$")
"""A rule in the text of a specification: its number and its title."""


def unreached(model: type[Machine], tally: Tally) -> list[str]:
    """Rules, then regimes, that a run should have reached and did not; the model's `never` are not expected."""
    rules = [rule for rule in rules_of(model) if rule not in model.never and not tally.rules[rule]]
    return rules + [name for name in regimes_of(model) if not tally.regimes[name]]


@per_model
def rules_of(model: type[Machine]) -> dict[str, list[str]]:
    """Every rule that the text of a model states, with the places (`FILE:LINE`) where it does.

    The text is the module of the model and what it uses of its own package and of the kernel. A rule is stated by
    `@rule("ID")` on a method and by `Rejected("ID")`.
    """
    found: dict[str, list[str]] = {}
    for module in texts_of(model):
        for rule, line in stated_in(inspect.getsource(module)):
            found.setdefault(rule, []).append(f"{inspect.getsourcefile(module)}:{line}")
    return found


def stated_in(source: str) -> Iterator[tuple[str, int]]:
    """The rules that a text states by `@rule` and `Rejected`, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("rule", "Rejected"):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value, node.lineno


def texts_of(model: type[Machine]) -> list[ModuleType]:
    """The module of a model, then those whose functions and classes it uses, as far as they belong to models."""
    rooms = (model.__module__.rpartition(".")[0], Machine.__module__.rpartition(".")[0])
    modules = [sys.modules[model.__module__]]
    for module in modules:
        for value in vars(module).values():
            used = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(used, str) and used.rpartition(".")[0] in rooms and sys.modules[used] not in modules:
                modules.append(sys.modules[used])
    return modules
