"""Variants: a model changed in one place, to be asked what it does then.

There are more of them than mutants: what is looked for is the change that somebody has made to an implementation, and
constants are changed on purpose.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import functools
import itertools
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from marginspec.conformance.oversights import oversights_of
from marginspec.lockstep.model_source import (
    Key,
    ModelFunction,
    Patch,
    functions_of,
    installed,
    meaning,
    modules_of,
    named,
    names_in,
    refusal_of,
    refusals_in,
    replacing,
    stored_in,
    unparsed,
)
from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.kernel.machine import Machine, per_model
from marginspec.model.kernel.record import is_record, variables_of
from marginspec.mutation.operators import Change, blocks, expressions


@dataclass(frozen=True)
class Variant:
    """One change. rules: those concerned, the nearest first. users: the functions that can behave differently by it.
    left_out: whether a statement is.

    place: file and line, or the constant's file. patches: what is set to what: object, attribute, value.
    """

    rules: tuple[str, ...]
    change: str
    place: str
    users: frozenset[Key]
    patches: tuple[Patch, ...]
    left_out: bool = False

    def installed(self) -> contextlib.AbstractContextManager[None]:
        """The model behaves as changed within this block."""
        return installed(self.patches)


# --- Changes of a function --------------------------------------------------------------------------------------------


def variants_of(model: type[Machine], key: Key) -> tuple[Variant, ...]:
    """Every variant that changes one function."""
    known = _known(model)
    if key not in known:
        known[key] = (*_variants(model, key), *_overlooking(model, key))
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
        near, before = _nearest(model, change), _line(statement)
        rules = tuple(dict.fromkeys([*near, *function.rules, *_called(model, function, statement)]))[:4]
        change.apply()
        after = _line(statement)
        words = f"{before} -> {after}" if before != after else f"{unparsed(change.before)} -> {unparsed(change.after)}"
        place = f"{key[0].rpartition('/')[2]}:{change.line}"
        yield Variant(rules, words, place, frozenset({key}), tuple(replacing(function, node)), _leaves_out(change))


def _overlooking(model: type[Machine], key: Key) -> Iterator[Variant]:
    """The variants of one who made a check too early, or took a value from before a settlement."""
    for oversight in oversights_of(model).get(key, ()):
        if oversight.rules:
            place = f"{key[0].rpartition('/')[2]}:{oversight.line}"
            yield Variant(oversight.rules, oversight.words, place, frozenset({key}), tuple(oversight.patches()))


def _statement(node: ast.FunctionDef, line: int) -> ast.stmt:
    """The innermost statement at a line."""
    statements = [part for part in ast.walk(node) if isinstance(part, ast.stmt)]
    around = [s for s in statements if s.lineno <= line <= (s.end_lineno or s.lineno)]
    return min(around, key=lambda s: (s.end_lineno or s.lineno) - s.lineno, default=node)


def _leaves_out(change: Change) -> bool:
    return isinstance(change.after[0], ast.Pass)


def _nearest(model: type[Machine], change: Change) -> list[str]:
    """The rule whose refusal is changed; of a call left out, those of a function that serves only there."""
    refusal = [change.rule] if change.rule else []
    if not _leaves_out(change) or any(map(refusals_in, change.before)):
        return refusal
    called = (function for function in _calls(model, *change.before) if _users(model)[function.name] == 1)
    return [rule for function in called for rule in function.stated] or refusal


@per_model
def _users(model: type[Machine]) -> Counter[str]:
    """By how many functions each name is used."""
    return Counter(name for function in functions_of(model).values() for name in function.used)


def _called(model: type[Machine], function: ModelFunction, statement: ast.stmt) -> list[str]:
    """The rules of the functions that a statement uses, or that take what it computes; those by which they refuse.

    The nearest rule of each function first.
    """
    stored = {part.id for part in ast.walk(statement) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    taking = (part for part in ast.walk(function.node) if isinstance(part, ast.Call))
    users = [call for call in taking if any(isinstance(a, ast.Name) and a.id in stored for a in call.args)]
    others = [other for other in _calls(model, statement, *users) if other.name != function.name]
    rules = [[*refusals_in(other.node), *other.rules] for other in others]
    return [rule for nearest in itertools.zip_longest(*rules) for rule in nearest if rule is not None]


def _calls(model: type[Machine], *nodes: ast.AST) -> list[ModelFunction]:
    """The functions of a model that are called there, the outermost first."""
    calls = [part.func for node in nodes for part in ast.walk(node) if isinstance(part, ast.Call)]
    names = dict.fromkeys(getattr(called, "attr", getattr(called, "id", "")) for called in calls)
    return [function for name in names for function in named(model, frozenset({name}))]


def _line(statement: ast.stmt) -> str:
    """The first line of a statement."""
    return ast.unparse(ast.fix_missing_locations(statement)).partition("\n")[0]


def _changes(model: type[Machine], function: ModelFunction, node: ast.FunctionDef) -> Iterator[Change]:
    """The mutation operators, and those of somebody who leaves something out or takes something else."""

    yield from expressions(node, functools.partial(meaning, model, function.module))
    yield from blocks(node, functools.partial(refusal_of, model), lambda _: False)
    yield from _taken(model, node)
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


def _taken(model: type[Machine], node: ast.FunctionDef) -> Iterator[Change]:
    """A quantity is set to another that moved just before, instead of moving as well.

    That concerns the rule of what moves the other alone: a donation, where the balance is taken for what is accounted.
    """
    blocks = [inner for inner in ast.walk(node) if isinstance(inner, ast.FunctionDef | ast.If | ast.For)]
    for inner in blocks:
        moves = [statement for statement in inner.body if isinstance(statement, ast.AugAssign)]
        for other, moved in itertools.combinations(moves, 2):
            source, both = stored_in(other), stored_in(other, moved)
            if len(both) == 2:
                alone = (f.rules for f in functions_of(model).values() if f.stored & both == source)
                rule = next((rules[0] for rules in alone if rules), "")
                taken = ast.parse(ast.unparse(other.target), mode="eval").body
                new = ast.copy_location(ast.Assign([moved.target], taken), moved)
                put = functools.partial(inner.body.__setitem__, inner.body.index(moved), new)
                yield Change("taken", moved.lineno, [moved], [new], put, rule)


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
    for module in modules_of(model):
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
