"""Laws that return `True` whatever they are given, told by the lines of their text that are ever run."""

from __future__ import annotations

import ast
import contextlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any


@contextlib.contextmanager
def _lines_run(function: Callable[..., Any]) -> Iterator[set[int]]:
    """The lines of a function that are run meanwhile, from 1 at its first."""
    found: set[int] = set()
    code = getattr(function, "__code__", None)

    def at_line(frame: FrameType, event: str, _: Any) -> Any:
        found.add(frame.f_lineno - frame.f_code.co_firstlineno + 1)
        return at_line

    def at_call(frame: FrameType, event: str, _: Any) -> Any:
        return at_line if frame.f_code is code else None

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        yield found
    finally:
        sys.settrace(before)


def is_hollow(function: Callable[..., Any], run: Callable[[], Any]) -> bool:
    """Whether nothing that a function returns while it is run is made of what it is given."""
    returns = _returns(function)
    if all(returns.values()) or not any(returns.values()):
        return bool(returns) and all(returns.values())
    with _lines_run(function) as lines:
        run()
    return all(hollow for where, hollow in returns.items() if not lines.isdisjoint(where))


def _returns(function: Callable[..., Any]) -> dict[range, bool]:
    """The lines of each `return` of a function but `return False`; whether it has nothing to do with what is given."""
    try:
        node = ast.parse(textwrap.dedent(inspect.getsource(function.__code__))).body[0]
    except (AttributeError, OSError, TypeError, SyntaxError):
        return {}
    if not isinstance(node, ast.FunctionDef):
        return {}
    own = list(_own(node))
    told, returns = _told(node, own), [s for s in own if isinstance(s, ast.Return) and s.value is not None]
    return {
        range(one.lineno, (one.end_lineno or one.lineno) + 1): not _names(one.value) & told
        for one in returns
        if one.value is not None and ast.unparse(one.value) != "False"
    }


def _own(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a function, without those of functions inside it."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.stmt):
            yield part
        if isinstance(part, ast.stmt | ast.ExceptHandler) and not isinstance(part, ast.FunctionDef | ast.ClassDef):
            yield from _own(part)


def _told(node: ast.FunctionDef, own: Sequence[ast.stmt]) -> set[str]:
    """The names whose values may have to do with what a function is given: all but plain ones of its first level."""
    told = {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
    for statement in own:
        plain = statement in node.body and isinstance(statement, ast.Assign) and not _names(statement.value) & told
        if not plain:
            told |= {part.id for part in ast.walk(statement) if isinstance(part, ast.Name) and _is_bound(part)}
            told |= {statement.name} if isinstance(statement, ast.FunctionDef) else set()
    return told


def _is_bound(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
