"""Weakened laws: what would be left if a law claimed less, assumed less or spoke of fewer cases, and who would notice.

A law is a check like any other, so it is broken too. Where nothing notices, the part that was taken away says nothing
that anything depends on: a claim that no mutant breaks is hollow, an assumption that can go is not needed.
"""

from __future__ import annotations
import __future__

import ast
import copy
import dataclasses
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from marginspec.properties.law import Property, Step, arguments_of
from marginspec.properties.scope import pinned

CLAIM, CONJUNCT, ASSUMPTION, SCOPE = "claim", "conjunct", "assumption", "scope"
"""What is taken away: the whole claim, a part of it, an assumption, or all values of an identifier but one."""


@dataclass(frozen=True)
class Weakening:
    """One change of a law. change: in words. weakened: the law that is tried.

    Of a conjunct that is the law which claims it alone: whoever breaks that would go unnoticed without it.
    """

    law: str
    kind: str
    change: str
    weakened: Property


def weakenings(law: Property) -> Iterator[Weakening]:
    """Every way in which a law is weakened, but for its claim, which nothing can break once it is True."""
    node = _text(law.predicate)
    if node is not None:
        for at, assumed in enumerate(_assumptions(node)):
            yield Weakening(law.id, ASSUMPTION, f"without {_short(assumed.value)}", _without(law, node, at))
        for at, (place, part) in enumerate(_conjuncts(node)):
            yield Weakening(law.id, CONJUNCT, f"without {_short(part)}", _only(law, node, at, place))
    yield from _pinned(law)


def _pinned(law: Property) -> Iterator[Weakening]:
    """Each argument that may be several identifiers, pinned to the first of them."""
    for name, hint in arguments_of(law.predicate).items():
        if hint is Step or hint not in law.scope.keys or name in law.scope.fixed:
            continue
        options = law.scope.free.get(hint, law.scope.keys[hint])
        if len(options) > 1:
            scope = law.scope.narrowed({name: pinned(options[0], why="weakened on purpose")})
            change = f"{name} is {options[0]} only"
            yield Weakening(law.id, SCOPE, change, dataclasses.replace(law, scope=scope))


# --- The text of a law ------------------------------------------------------------------------------------------------


def _text(predicate: Callable[..., Any]) -> ast.FunctionDef | None:
    """The syntax tree of a law; None for one that is made by another function."""
    try:
        node = ast.parse(textwrap.dedent(inspect.getsource(predicate))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(node, ast.FunctionDef) or predicate.__code__.co_freevars:
        return None
    node.decorator_list = []
    return node


def _changed(law: Property, node: ast.FunctionDef) -> Property:
    """The law with another text; its names mean what they mean in the original, mutants included."""
    tree = ast.fix_missing_locations(ast.Module([node], []))
    flags = __future__.annotations.compiler_flag
    made: dict[str, Any] = {}
    exec(compile(tree, f"<weakened {law.id}>", "exec", flags, dont_inherit=True), law.predicate.__globals__, made)
    return dataclasses.replace(law, predicate=made[node.name])


def _assumptions(node: ast.FunctionDef) -> list[ast.Expr]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Expr) and _calls(part.value, "assume")]


def _calls(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _without(law: Property, node: ast.FunctionDef, number: int) -> Property:
    node = copy.deepcopy(node)
    gone = _assumptions(node)[number]
    for part in ast.walk(node):
        for block in (getattr(part, name, None) for name in ("body", "orelse")):
            if isinstance(block, list) and gone in block:
                block[block.index(gone)] = ast.Pass()
    return _changed(law, node)


def _returns(node: ast.FunctionDef) -> list[ast.Return]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Return) and part.value is not None]


def _conjuncts(node: ast.FunctionDef) -> list[tuple[int, ast.expr]]:
    """The parts of what each `return` claims, where it has several: which return, and the part."""
    return [
        (place, part)
        for place, returned in enumerate(_returns(node))
        for parts in (_parts(returned.value),)
        if len(parts) > 1
        for part in parts
    ]


def _parts(value: ast.expr | None) -> list[ast.expr]:
    match value:
        case ast.BoolOp(op=ast.And(), values=values):
            return values
        case ast.Call(func=ast.Name(id="every"), args=[ast.Tuple(elts=parts) | ast.List(elts=parts)]):
            return parts
    return []


def _only(law: Property, node: ast.FunctionDef, number: int, place: int) -> Property:
    """The law that claims one part alone, where that is claimed, and nothing elsewhere."""
    node = copy.deepcopy(node)
    _, part = _conjuncts(node)[number]
    for at, returned in enumerate(_returns(node)):
        alone = ast.Call(ast.Name("every", ast.Load()), [ast.Tuple([part], ast.Load())], [])
        returned.value = (alone if isinstance(part, ast.Starred) else part) if at == place else ast.Constant(True)
    return _changed(law, node)


def _short(part: ast.expr) -> str:
    text = ast.unparse(part)
    return text if len(text) <= 100 else f"{text[:99]}…"
