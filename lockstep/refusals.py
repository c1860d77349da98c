"""Which actions a model can refuse at all, by its text: a run need not show a refusal that nothing could raise."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.kernel.machine import Machine, Rejected, actions_of, per_model
from marginspec.model.kernel.record import Record

HARMLESS = frozenset(
    {min, max, abs, len, sum, sorted, range, int, bool, enumerate, zip, all, any, reversed, tuple, list}
)
"""Builtins that refuse nothing by themselves."""

CONTAINERS = frozenset(name for kind in (dict, list, tuple, set, int, str) for name in dir(kind))
"""Methods of plain values, unless a class of the model has one of the same name."""

DECORATORS = frozenset({"action", "rule", "regime", "property", "staticmethod", "classmethod"})

OWN_CONSTRUCTION = ("__init__", "__new__", "__post_init__")


@per_model
def refusable(model: type[Machine]) -> dict[str, bool]:
    """Whether each action of a model may be refused.

    False only where neither the action's function nor any that it uses, directly or not, raises anything, rules of the
    model's `never` aside. What cannot be read, or told, may refuse.
    """
    return {action: _Reading(model).may_refuse(action) for action in actions_of(model)}


class _Reading:
    """One walk through what an action uses."""

    def __init__(self, model: type[Machine]) -> None:
        self._model = model
        modules = texts_of(model)
        self._classes = [
            kind
            for module in modules
            for kind in vars(module).values()
            if isinstance(kind, type) and kind.__module__ in {m.__name__ for m in modules} and kind is not Machine
        ]
        self._read: set[Any] = set()

    def may_refuse(self, action: str) -> bool:
        return self._function(getattr(self._model, action))

    def _function(self, function: Any) -> bool:
        """Whether a function raises, or what it uses does."""
        function = inspect.unwrap(function)
        if function in self._read:
            return False
        self._read.add(function)
        if not isinstance(function, FunctionType) or function.__closure__:
            return True
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        except (OSError, TypeError, SyntaxError):
            return True
        text = tree.body[0]
        if not isinstance(text, ast.FunctionDef) or not all(map(_is_plain, text.decorator_list)):
            return True
        return any(self._node(node, function.__globals__) for line in text.body for node in ast.walk(line))

    def _node(self, node: ast.AST, known: dict[str, Any]) -> bool:
        match node:
            case ast.Raise():
                return not self._is_never(node)
            case ast.Assert() | ast.Yield() | ast.YieldFrom() | ast.Await() | ast.With():
                return True
            case ast.Import() | ast.ImportFrom():
                return True
            case ast.Name(id=name, ctx=ast.Load()) if name in known:
                return self._value(known[name])
            case ast.Name(id=name, ctx=ast.Load()) if callable(found := getattr(builtins, name, None)):
                return found not in HARMLESS
            case ast.Attribute(attr=name, ctx=ast.Load()):
                return self._attribute(node, name, known)
            case ast.Call(func=ast.Name(id=name)):
                # A name that is a value of the function's own: nobody knows what it calls.
                return name not in known and not hasattr(builtins, name)
            case ast.Call(func=ast.Attribute()):
                return False
            case ast.Call():
                return True
        return False

    def _is_never(self, node: ast.Raise) -> bool:
        match node.exc:
            case ast.Call(func=ast.Name(id=Rejected.__name__), args=[ast.Constant(value=rule)]):
                return rule in self._model.never
        return False

    def _value(self, value: Any) -> bool:
        """Whether something that a name stands for may refuse when it is used."""
        if value is Rejected:
            return False  # it is raised or not: that is seen where it is
        if isinstance(value, type):
            return any(map(self._function, _construction(value)))
        if isinstance(value, ModuleType):
            return False  # what is taken of it is looked at
        return self._function(value) if callable(value) else False

    def _attribute(self, node: ast.Attribute, name: str, known: dict[str, Any]) -> bool:
        if isinstance(node.value, ast.Name) and isinstance(module := known.get(node.value.id), ModuleType):
            return self._value(getattr(module, name, None))
        found = list(self._named(name))
        if not found:
            # A field, or a method of a plain value; what else can be called is not known.
            return False
        return any(self._function(each) for each in found)

    def _named(self, name: str) -> Iterator[Callable[..., Any]]:
        """The methods and properties of this name, of any class of the model: nobody looks which is meant."""
        for kind in (self._model, *self._classes):
            member = inspect.getattr_static(kind, name, None)
            if isinstance(member, property) and member.fget is not None:
                yield member.fget
            elif isinstance(member, (staticmethod, classmethod)):
                yield member.__func__
            elif isinstance(member, FunctionType):
                yield member


def _construction(kind: type) -> Iterator[Callable[..., Any]]:
    """What runs when an object of a class is made, as far as a dataclass does not write it."""
    if not issubclass(kind, Record):
        yield from () if kind in HARMLESS else (kind,)
        return
    for name in OWN_CONSTRUCTION:
        member = inspect.getattr_static(kind, name, None)
        written = isinstance(member, FunctionType) and member.__code__.co_filename in _files()
        if written:
            yield member


def _files() -> set[str]:
    return {str(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}


def _is_plain(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Name) and called.id in DECORATORS
