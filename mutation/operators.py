"""Mutation operators: the changes that could be made to the text of one function."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

# The names by which a model calls its divisions.
ROUNDINGS = {
    "mul_div_down": "mul_div_up",
    "to_shares_down": "to_shares_up",
    "to_assets_down": "to_assets_up",
}
ROUNDINGS |= {up: down for down, up in ROUNDINGS.items()}

# Calls that are the same with these arguments swapped.
COMMUTATIVE = {("mul_div_down", 0), ("mul_div_up", 0), ("min", 0), ("max", 0)}

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}

Resolve = Callable[[ast.expr], Callable[..., object] | None]
Refusal = Callable[[ast.stmt], str | None]


@dataclass(frozen=True)
class Change:
    """One change of a syntax tree, made when `apply` is called.

    rule: the rule whose refusal is changed, empty if none.
    """

    operator: str
    line: int
    before: Sequence[ast.AST]
    after: Sequence[ast.AST]
    apply: Callable[[], None]
    rule: str = ""


# --- Expressions ------------------------------------------------------------------------------------------------------


def expressions(function: ast.FunctionDef, resolve: Resolve) -> Iterator[Change]:
    """Changes of single expressions. resolve: what the function part of a call stands for, None if not known."""
    for statement in function.body:
        for node, put, rule in _within(statement, ""):
            for operator, new in _variants(node, resolve):
                yield Change(operator, node.lineno, [node], [new], functools.partial(put, new), rule)


def _within(node: ast.AST, rule: str) -> Iterator[tuple[ast.expr, Callable[[ast.expr], None], str]]:
    """Every expression below a node, how to replace it, and the rule by which the `if` around it refuses."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return
    if isinstance(node, ast.If) and len(node.body) == 1 and isinstance(node.body[0], ast.Raise):
        raised = node.body[0].exc
        argument = raised.args[0] if isinstance(raised, ast.Call) and raised.args else None
        rule = str(argument.value) if isinstance(argument, ast.Constant) else rule
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            if isinstance(value, ast.expr):
                yield value, functools.partial(setattr, node, name), rule
            yield from _within(value, rule)
        elif isinstance(value, list):
            for at, item in enumerate(value):
                if isinstance(item, ast.expr):
                    yield item, functools.partial(value.__setitem__, at), rule
                if isinstance(item, ast.AST):
                    yield from _within(item, rule)


def _variants(node: ast.expr, resolve: Resolve) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            yield from _calls(node, name)
            yield from _swapped(node, resolve)
        case ast.Call():
            yield from _swapped(node, resolve)
        case ast.Compare():
            for at, comparison in enumerate(node.ops):
                if type(comparison) in COMPARISONS:
                    ops = [*node.ops[:at], COMPARISONS[type(comparison)](), *node.ops[at + 1 :]]
                    yield "comparison", ast.Compare(node.left, ops, node.comparators)
        case ast.BinOp(op=ast.Sub()):
            yield "operand", ast.BinOp(node.right, node.op, node.left)
        case ast.UnaryOp(op=ast.Not()):
            yield "negation", node.operand
        case ast.BoolOp():
            yield "negation", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.Constant(value=bool(value)):
            yield "negation", ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield "off-by-one", ast.Constant(value + 1)


def _calls(node: ast.Call, name: str) -> Iterator[tuple[str, ast.expr]]:
    """Changes of which function is called."""
    if name in ROUNDINGS:
        yield "rounding", _call(ROUNDINGS[name], node.args)
    elif name == "div_down":
        yield "rounding", _call("mul_div_up", [node.args[0], ast.Constant(1), node.args[1]])
    elif name in ("min", "max"):
        yield "min-max", _call("max" if name == "min" else "min", node.args)
    elif name == "saturating_sub":
        yield "saturation", ast.BinOp(node.args[0], ast.Sub(), node.args[1])
    elif name == "checked":
        yield "guard", node.args[0]


def _call(name: str, arguments: list[ast.expr]) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])


def _swapped(node: ast.Call, resolve: Resolve) -> Iterator[tuple[str, ast.expr]]:
    """Neighbouring arguments of the same kind, swapped."""
    function = resolve(node.func)
    if function is None:
        return
    kinds = [p.annotation for p in inspect.signature(function).parameters.values() if p.name != "self"]
    for at in range(len(node.args) - 1):
        same = _alike(kinds[at], kinds[at + 1]) and (function.__name__, at) not in COMMUTATIVE
        if same and ast.unparse(node.args[at]) != ast.unparse(node.args[at + 1]):
            swapped = copy.copy(node)
            swapped.args = [*node.args[:at], node.args[at + 1], node.args[at], *node.args[at + 2 :]]
            yield "operand", swapped


def _alike(one: typing.Any, other: typing.Any) -> bool:
    parents = (getattr(one, "__supertype__", None), getattr(other, "__supertype__", None))
    return bool(one == other or parents[0] == other or parents[1] == one)


# --- Statements -------------------------------------------------------------------------------------------------------


def blocks(function: ast.FunctionDef, refusal: Refusal, changes_state: Callable[[ast.stmt], bool]) -> Iterator[Change]:
    """Changes of whole statements. refusal: the rule by which a statement refuses, None if it is no check."""
    for node in ast.walk(function):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield from _dropped(block, refusal, changes_state)
                yield from _reordered(block, refusal)


def _dropped(block: list[ast.stmt], refusal: Refusal, changes_state: Callable[[ast.stmt], bool]) -> Iterator[Change]:
    for at, statement in enumerate(block):
        rule = refusal(statement) or ""
        if rule and not changes_state(statement):
            yield _replaced("guard", block, at, [statement], [ast.Pass()], rule)
        elif _has_effect(statement):
            yield _replaced("effect", block, at, [statement], [ast.Pass()], "")
        if isinstance(statement, ast.If) and isinstance(statement.test, ast.Call | ast.Name | ast.Attribute):
            test, new = statement.test, ast.UnaryOp(ast.Not(), statement.test)
            put = functools.partial(setattr, statement, "test", new)
            yield Change("negation", test.lineno, [test], [new], put, rule)


def _has_effect(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, ast.Attribute | ast.Subscript) for target in statement.targets)
    return isinstance(statement, ast.AugAssign) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    )


def _reordered(block: list[ast.stmt], refusal: Refusal) -> Iterator[Change]:
    """Neighbours of which one is a check, where the later needs nothing that the earlier defines."""
    for at in range(len(block) - 1):
        pair = block[at : at + 2]
        rules = [refusal(statement) for statement in pair]
        acts = all(rule is not None or _acts(statement) for rule, statement in zip(rules, pair, strict=True))
        if acts and any(rules) and _independent(*pair):
            rule = next(rule for rule in rules if rule is not None)
            yield _replaced("order", block, at, pair, pair[::-1], rule)


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement can refuse or has an effect."""
    calls = any(isinstance(node, ast.Call) for node in ast.walk(statement))
    return _has_effect(statement) or (isinstance(statement, ast.Assign | ast.If) and calls)


def _independent(first: ast.stmt, second: ast.stmt) -> bool:
    stored = {n.id for n in ast.walk(first) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    used = {n.id for n in ast.walk(second) if isinstance(n, ast.Name)}
    return stored.isdisjoint(used)


def _replaced(
    operator: str, block: list[ast.stmt], at: int, old: list[ast.stmt], new: list[ast.stmt], rule: str
) -> Change:
    def apply() -> None:
        block[at : at + len(old)] = new

    return Change(operator, old[0].lineno, old, new, apply, rule)
