"""The text of a model: its functions in all its files, what they use, which rules they state; and one of them replaced.

A model may be composed of many files. A change of one function is put in its place wherever the function is known, in
the laws as well, and taken out again; so records, identifiers and classes stay the same.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from types import FrameType, ModuleType
from typing import Any

from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.kernel import fixed
from marginspec.model.kernel.machine import Machine, Rejected, per_model

KERNEL = Machine.__module__.rpartition(".")[0]

COMMON = 3
"""A function that states no rule and that more others use serves no rule in particular."""

Key = tuple[str, str]
"""A function of a model: its file and its name."""

Patch = tuple[Any, str, Any]
"""What is set to what: object, attribute, value."""


@dataclass(frozen=True)
class ModelFunction:
    """A function or method of a model's text.

    used: the names that it uses. stored: the variables of the state, or fields of records, that it sets. stated: the
    rules that it states. rules: those; else those by which it refuses, and those of the functions that use it; none
    where that are many.

    """

    module: ModuleType
    owner: type | None
    node: ast.FunctionDef
    used: frozenset[str]
    stored: frozenset[str]
    stated: tuple[str, ...]
    rules: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.node.name


@per_model
def functions_of(model: type[Machine]) -> dict[Key, ModelFunction]:
    """The functions and methods of a model's text, the kernel's aside, in its order."""
    found = {
        (str(module.__file__), node.name): (module, owner, node)
        for module in modules_of(model)
        for owner, node in _functions_in(module)
    }
    own = {key: _stated(node) for key, (_, _, node) in found.items()}
    used = {key: names_in(*node.body) for key, (_, _, node) in found.items()}

    def rules(key: Key, below: tuple[Key, ...] = ()) -> tuple[str, ...]:
        users = [other for other, names in used.items() if other not in (key, *below) and key[1] in names]
        refused = refusals_in(found[key][2])[:1]
        if len(users) > COMMON and not refused:
            return own[key]
        above = chain.from_iterable(own[other] or rules(other, (key, *below)) for other in users)
        return own[key] or tuple(dict.fromkeys([*refused, *above]))[:3]

    return {
        key: ModelFunction(*place, used[key], stored_in(place[2]), own[key], rules(key)) for key, place in found.items()
    }


def modules_of(model: type[Machine]) -> list[ModuleType]:
    """The files of a model, the kernel's aside: its own first."""
    return [module for module in texts_of(model) if module.__name__.rpartition(".")[0] != KERNEL]


def _functions_in(module: ModuleType) -> Iterator[tuple[type | None, ast.FunctionDef]]:
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef):
            yield None, node
        elif isinstance(node, ast.ClassDef):
            yield from ((vars(module)[node.name], inner) for inner in node.body if isinstance(inner, ast.FunctionDef))


def _stated(node: ast.FunctionDef) -> tuple[str, ...]:
    named = [a.value for d in decorators(node, "rule") for a in d.args if isinstance(a, ast.Constant)]
    head, colon, _ = (ast.get_docstring(node) or "").partition(":")
    in_words = [head] if colon and head.isupper() and " " not in head else []
    return tuple(str(rule) for rule in (*named, *in_words))


def decorators(node: ast.FunctionDef, name: str) -> list[ast.Call]:
    """The decorators of this name; one that is not called counts as called without arguments."""
    calls = [d if isinstance(d, ast.Call) else ast.Call(d, [], []) for d in node.decorator_list]
    return [call for call in calls if getattr(call.func, "id", "") == name]


def names_in(*nodes: ast.AST) -> frozenset[str]:
    """The names and attributes that pieces of text use."""
    parts = [part for node in nodes for part in ast.walk(node) if isinstance(part, ast.Attribute | ast.Name)]
    return frozenset(part.attr if isinstance(part, ast.Attribute) else part.id for part in parts)


def stored_in(*nodes: ast.AST) -> frozenset[str]:
    """The variables of the state, or fields of records, that pieces of text set."""
    parts = [part for node in nodes for part in ast.walk(node) if isinstance(part, ast.Attribute | ast.Subscript)]
    return frozenset(name for part in parts if isinstance(part.ctx, ast.Store) and (name := _field(part)))


def _field(part: ast.expr) -> str:
    """The name of a variable of which a part may be taken; empty for a local one."""
    while isinstance(part, ast.Subscript):
        part = part.value
    return part.attr if isinstance(part, ast.Attribute) else ""


def refusals_in(node: ast.AST) -> list[str]:
    """The rules by which a piece of text refuses, functions that it calls not included."""
    raised = [n.exc for n in ast.walk(node) if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)]
    refused = [call for call in raised if getattr(call.func, "id", "") == Rejected.__name__]
    return [str(call.args[0].value) for call in refused if call.args and isinstance(call.args[0], ast.Constant)]


def unparsed(nodes: Sequence[ast.AST]) -> str:
    """Pieces of text on one line."""
    return "; ".join(" ".join(ast.unparse(node).split()) for node in nodes)


def named(model: type[Machine], names: frozenset[str]) -> list[ModelFunction]:
    """The functions of these names."""
    return [function for (_, name), function in functions_of(model).items() if name in names]


def refusal_of(model: type[Machine], statement: ast.stmt) -> str | None:
    """The rule by which a statement refuses, itself or in the method that it calls; None if it is no check."""
    if isinstance(statement, ast.If):
        return next(iter(refusals_in(statement)), None)
    called = statement.value.func if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) else None
    if not isinstance(called, ast.Attribute):
        return None
    return next((rule for check in named(model, frozenset({called.attr})) for rule in refusals_in(check.node)), None)


def meaning(model: type[Machine], module: ModuleType, function: ast.expr) -> Callable[..., object] | None:
    """What an expression such as `mul_div_down` or `self._move` in a file of a model calls; None if not known."""
    if isinstance(function, ast.Name):
        found = vars(module).get(function.id)
    else:
        found = getattr(model, function.attr, None) if isinstance(function, ast.Attribute) else None
    return inspect.unwrap(found) if inspect.isfunction(found) else None


def reaching(model: type[Machine], name: str) -> frozenset[str]:
    """The names of the functions that use a name, directly or through others, itself included."""
    found, size = {name}, 0
    while size < len(found):
        size = len(found)
        found |= {function.name for function in functions_of(model).values() if not found.isdisjoint(function.used)}
    return frozenset(found)


def executed(model: type[Machine], run: Callable[[], object]) -> frozenset[Key]:
    """The functions of a model that run while something does."""
    known, seen = functions_of(model), set[Key]()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            key = frame.f_code.co_filename, frame.f_code.co_name
            if key in known:
                seen.add(key)

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return frozenset(seen)


# --- Replacing --------------------------------------------------------------------------------------------------------


def replacing(function: ModelFunction, node: ast.FunctionDef) -> Iterator[Patch]:
    """What puts a changed function everywhere where the function is known."""
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    tree = ast.fix_missing_locations(ast.Module([future, node], []))
    # A changed text may use a rounding that its file does not import.
    scope = vars(fixed) | vars(function.module)
    exec(compile(tree, f"<another {function.name}>", "exec", dont_inherit=True), scope)
    new = scope[function.name]
    if function.owner is not None:
        yield function.owner, function.name, new
        return
    old = vars(function.module)[function.name]
    for module in list(sys.modules.values()):
        if getattr(module, "__dict__", {}).get(function.name) is old:
            yield module, function.name, new


@contextlib.contextmanager
def installed(patches: Sequence[Patch]) -> Iterator[None]:
    """The model behaves as changed within this block."""
    kept = [(place, name, vars(place)[name]) for place, name, _ in patches]
    try:
        for place, name, value in patches:
            setattr(place, name, value)
        yield
    finally:
        for place, name, value in kept:
            setattr(place, name, value)
