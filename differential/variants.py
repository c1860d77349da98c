"""Variants: a model changed in one place, for as long as a question is asked of it.

Unlike a mutant, which is a model of its own to be run against an implementation, a variant is put in the place of one
function or constant, in whichever file of the model that is, and taken out again. There are more of them, too: what is
looked for is the change that somebody has made to an implementation, and constants are changed on purpose.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import inspect
import itertools
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from types import FrameType, ModuleType
from typing import Any

from marginspec.differential.coverage import texts_of
from marginspec.differential.mutation import Change, blocks, expressions
from marginspec.model.kernel.machine import Machine, per_model
from marginspec.model.kernel.record import is_record, variables_of

RULE = re.compile(r"[A-Z]{3}-[1-9]\d*")
COMMON = 3
"""A function that states no rule and that more others use serves no rule in particular."""

KERNEL = Machine.__module__.rpartition(".")[0]

Key = tuple[str, str]
"""A function of a model: its file and its name."""


@dataclass(frozen=True)
class Function:
    """A function or method of a model's text.

    rules: those that it states; else those by which it refuses, and those of the functions that use it; none where that
    are many.
    """

    module: ModuleType
    owner: type | None
    node: ast.FunctionDef
    rules: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.node.name


@dataclass(frozen=True)
class Variant:
    """One change. rules: those concerned, the nearest first. users: the functions that can behave differently by it.

    place: file and line, or the constant's file. patches: what is set to what: object, attribute, value.
    """

    rules: tuple[str, ...]
    change: str
    place: str
    users: frozenset[Key]
    patches: tuple[tuple[Any, str, Any], ...]

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """The model behaves as changed within this block."""
        kept = [(place, name, vars(place)[name]) for place, name, _ in self.patches]
        try:
            for place, name, value in self.patches:
                setattr(place, name, value)
            yield
        finally:
            for place, name, value in kept:
                setattr(place, name, value)


# --- Functions --------------------------------------------------------------------------------------------------------


@per_model
def functions_of(model: type[Machine]) -> dict[Key, Function]:
    """The functions and methods of a model's text, the kernel's aside."""
    found = {
        (str(module.__file__), node.name): (module, owner, node)
        for module in _modules(model)
        for owner, node in _functions_in(module)
    }
    own = {key: _stated(node) for key, (_, _, node) in found.items()}
    used = {key: names_in(node) for key, (_, _, node) in found.items()}

    def rules(key: Key, below: tuple[Key, ...] = ()) -> tuple[str, ...]:
        users = [other for other, names in used.items() if other not in (key, *below) and key[1] in names]
        refused = refusals_in(found[key][2])[:1]
        if len(users) > COMMON and not refused:
            return own[key]
        above = chain.from_iterable(own[other] or rules(other, (key, *below)) for other in users)
        return own[key] or tuple(dict.fromkeys([*refused, *above]))[:3]

    return {key: Function(*place, rules(key)) for key, place in found.items()}


def _modules(model: type[Machine]) -> list[ModuleType]:
    return [module for module in texts_of(model) if module.__name__.rpartition(".")[0] != KERNEL]


def _functions_in(module: ModuleType) -> Iterator[tuple[type | None, ast.FunctionDef]]:
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef):
            yield None, node
        elif isinstance(node, ast.ClassDef):
            yield from ((vars(module)[node.name], inner) for inner in node.body if isinstance(inner, ast.FunctionDef))


def _stated(node: ast.FunctionDef) -> tuple[str, ...]:
    decorators = [d for d in node.decorator_list if isinstance(d, ast.Call) and getattr(d.func, "id", "") == "rule"]
    named = [a.value for d in decorators for a in d.args if isinstance(a, ast.Constant)]
    head = (ast.get_docstring(node) or "").partition(":")[0]
    return tuple(str(rule) for rule in (*named, *([head] if RULE.fullmatch(head) else ())))


def names_in(node: ast.AST) -> frozenset[str]:
    """The names and attributes that a piece of text uses."""
    parts = [part for part in ast.walk(node) if isinstance(part, ast.Attribute | ast.Name)]
    return frozenset(part.attr if isinstance(part, ast.Attribute) else part.id for part in parts)


def refusals_in(node: ast.AST) -> list[str]:
    """The rules by which a piece of text refuses, functions that it calls not included."""
    raised = [n.exc for n in ast.walk(node) if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)]
    return [str(c.args[0].value) for c in raised if c.args and isinstance(c.args[0], ast.Constant)]


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


# --- Changes of a function --------------------------------------------------------------------------------------------


def variants_of(model: type[Machine], key: Key) -> tuple[Variant, ...]:
    """Every variant that changes one function."""
    known = _known(model)
    if key not in known:
        known[key] = tuple(_variants(model, key))
    return known[key]


@per_model
def _known(model: type[Machine]) -> dict[Key, tuple[Variant, ...]]:
    """The variants that were made so far."""
    return {}


def _variants(model: type[Machine], key: Key) -> Iterator[Variant]:
    function = functions_of(model)[key]
    for number in range(sys.maxsize):
        node = copy.deepcopy(function.node)
        change = next(islice(_changes(model, function, node), number, None), None)
        if change is None:
            return
        statement = _statement(node, change.line)
        near, before = [change.rule] if change.rule else [], _line(statement)
        rules = tuple(dict.fromkeys([*near, *function.rules, *_called(model, function, statement)]))[:4]
        change.apply()
        after = _line(statement)
        words = f"{before} -> {after}" if before != after else f"{_text(change.before)} -> {_text(change.after)}"
        place = f"{key[0].rpartition('/')[2]}:{change.line}"
        yield Variant(rules, words, place, frozenset({key}), tuple(_put(model, function, node)))


def _put(model: type[Machine], function: Function, node: ast.FunctionDef) -> Iterator[tuple[Any, str, Any]]:
    """The changed function, everywhere where the function is known."""
    future = ast.ImportFrom("__future__", [ast.alias("annotations")], 0)
    tree = ast.fix_missing_locations(ast.Module([future, node], []))
    scope: dict[str, Any] = {}
    exec(compile(tree, f"<variant of {function.name}>", "exec", dont_inherit=True), vars(function.module), scope)
    if function.owner is not None:
        yield function.owner, function.name, scope[function.name]
        return
    old = vars(function.module)[function.name]
    for module in texts_of(model):
        if vars(module).get(function.name) is old:
            yield module, function.name, scope[function.name]


def _statement(node: ast.FunctionDef, line: int) -> ast.stmt:
    """The innermost statement at a line."""
    statements = [part for part in ast.walk(node) if isinstance(part, ast.stmt)]
    around = [s for s in statements if s.lineno <= line <= (s.end_lineno or s.lineno)]
    return min(around, key=lambda s: (s.end_lineno or s.lineno) - s.lineno, default=node)


def _called(model: type[Machine], function: Function, statement: ast.stmt) -> list[str]:
    """The rules of the functions that a statement uses, or that take what it computes; those by which they refuse."""
    calls = [part for part in ast.walk(statement) if isinstance(part, ast.Call)]
    stored = {part.id for part in ast.walk(statement) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    taking = (part for part in ast.walk(function.node) if isinstance(part, ast.Call))
    calls += [call for call in taking if any(isinstance(a, ast.Name) and a.id in stored for a in call.args)]
    names = {getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls} - {function.name}
    used = [other for (_, name), other in functions_of(model).items() if name in names]
    return [rule for other in used for rule in (*refusals_in(other.node), *other.rules)]


def _line(statement: ast.stmt) -> str:
    """The first line of a statement."""
    return ast.unparse(ast.fix_missing_locations(statement)).partition("\n")[0]


def _text(nodes: Sequence[ast.AST]) -> str:
    return "; ".join(" ".join(ast.unparse(node).split()) for node in nodes)


def _changes(model: type[Machine], function: Function, node: ast.FunctionDef) -> Iterator[Change]:
    """The mutation operators, and those of somebody who leaves something out or takes something else."""

    def value(part: ast.expr) -> Callable[..., object] | None:
        if isinstance(part, ast.Name):
            found = vars(function.module).get(part.id)
        else:
            found = getattr(model, part.attr, None) if isinstance(part, ast.Attribute) else None
        return inspect.unwrap(found) if inspect.isfunction(found) else None

    def refusal(statement: ast.stmt) -> str | None:
        if isinstance(statement, ast.If):
            return next(iter(refusals_in(statement)), None)
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            return None
        called = names_in(statement.value.func)
        checks = (other.node for (_, name), other in functions_of(model).items() if name in called)
        return next((rule for check in checks for rule in refusals_in(check)), None)

    yield from expressions(node, value)
    yield from blocks(node, refusal, lambda _: False)
    arguments = {a.arg: ast.unparse(a.annotation) for a in node.args.args if a.annotation is not None}
    for one, other in itertools.combinations(arguments, 2):
        if _root(model, arguments[one]) == _root(model, arguments[other]):
            names = [ast.Name(one, ast.Load()), ast.Name(other, ast.Load())]
            yield Change("swapped", node.lineno, names, names[::-1], functools.partial(_swap, node, one, other))
    for inner in ast.walk(node):
        for name, at, part in _parts(inner):
            for new in _instead(model, part, arguments):
                yield Change("instead", part.lineno, [part], [new], functools.partial(_set, inner, name, at, new))
        if isinstance(inner, ast.If):
            rule = next(iter(refusals_in(inner)), "")
            for new in (ast.Constant(False), ast.Constant(True)):
                put = functools.partial(setattr, inner, "test", new)
                yield Change("condition", inner.lineno, [inner.test], [new], put, rule)


def _parts(node: ast.AST) -> Iterator[tuple[str, int | None, ast.expr]]:
    """The expressions directly below a node, and where they are."""
    for name, value in ast.iter_fields(node):
        if name in ("decorator_list", "annotation", "returns", "args") and isinstance(node, ast.FunctionDef | ast.arg):
            continue
        if isinstance(value, ast.expr):
            yield name, None, value
        elif isinstance(value, list):
            yield from ((name, at, item) for at, item in enumerate(value) if isinstance(item, ast.expr))


def _set(node: ast.AST, name: str, at: int | None, new: ast.expr) -> None:
    if at is None:
        setattr(node, name, new)
    else:
        getattr(node, name)[at] = new


def _swap(node: ast.FunctionDef, one: str, other: str) -> None:
    """Take two arguments for each other, throughout."""
    for statement in node.body:
        for part in ast.walk(statement):
            if isinstance(part, ast.Name) and part.id in (one, other):
                part.id = other if part.id == one else one


def _instead(model: type[Machine], part: ast.expr, arguments: dict[str, str]) -> Iterator[ast.expr]:
    """A part of a sum, of a condition or of a bound; a field or an argument of the same kind."""
    match part:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right):
            yield from (left, right)
        case ast.BoolOp(op=op, values=values):
            rests = ([*values[:at], *values[at + 1 :]] for at in range(len(values)))
            yield from (rest[0] if len(rest) == 1 else ast.BoolOp(op, rest) for rest in rests)
        case ast.Call(func=ast.Name(id="min" | "max"), args=given) if len(given) > 1:
            yield from given
        case ast.Call(func=ast.Name(), args=[ast.expr() as only]):
            yield only
        case ast.Attribute(value=value, attr=name, ctx=ast.Load() as load):
            yield from (ast.Attribute(value, other, load) for other in _alike(model).get(name, ()))
        case ast.Name(id=name, ctx=ast.Load() as load) if name in arguments:
            kind = _root(model, arguments[name])
            others = (n for n, hint in arguments.items() if n != name and _root(model, hint) == kind)
            yield from (ast.Name(other, load) for other in others)


@per_model
def _alike(model: type[Machine]) -> dict[str, list[str]]:
    """For each field of a record, the other fields of the same type in the same record."""
    found: dict[str, list[str]] = {}
    for module in _modules(model):
        for kind in vars(module).values():
            if is_record(kind) and "__dataclass_fields__" in vars(kind) and not issubclass(kind, Machine):
                hints = variables_of(kind)
                for name, hint in hints.items():
                    others = [other for other in hints if other != name and hints[other] == hint]
                    found[name] = list(dict.fromkeys([*found.get(name, ()), *others]))
    return found


def _root(model: type[Machine], hint: str) -> Any:
    """The most general identifier type that an argument's type derives from; for others the type's own text."""
    kind: Any = next((vars(module)[hint] for module in texts_of(model) if hint in vars(module)), None)
    while not isinstance(getattr(kind, "__supertype__", None), type | None):
        kind = kind.__supertype__
    return hint if kind is None else kind


# --- Constants --------------------------------------------------------------------------------------------------------


def constants_of(model: type[Machine], keys: frozenset[Key]) -> Iterator[list[Variant]]:
    """For each constant that these functions use, the variants that give it another value, the plainest first."""
    users: dict[tuple[str, int], set[Key]] = {}
    functions = {key: function for key, function in functions_of(model).items() if key in keys}
    for key, function in functions.items():
        for name in names_in(function.node):
            value = vars(function.module).get(name)
            if name.isupper() and type(value) is int:
                users.setdefault((name, value), set()).add(key)
    for (name, value), found in sorted(users.items(), key=lambda item: item[0]):
        places = [module for module in texts_of(model) if vars(module).get(name) == value]
        rules = tuple(dict.fromkeys(r for key, f in functions.items() if key in found for r in f.rules))[:4]
        yield [
            Variant(rules, f"{name} = {value} -> {new}", name, frozenset(found), tuple((p, name, new) for p in places))
            for new in _round_numbers(value)
        ]


def _round_numbers(value: int) -> list[int]:
    """What people write in the place of a number: small multiples, and numbers of two digits and zeros."""
    digits = len(str(value))
    found = {0, 1, value + 1, value - 1, value * 2, value * 3, value // 2, value // 3}
    found |= {d * 10**n for n in range(max(0, digits - 4), digits + 3) for d in range(1, 100)}
    fitting = (new for new in found if new != value and 0 <= new <= max(1000 * value, 100))
    return sorted(fitting, key=lambda new: (len(str(new).rstrip("0")), abs(new - value)))
