"""The order in which a map lists identifiers that are alike: what could tell it is run with every order.

A proof lists them in one order, and whoever is met first is the first of them. Sums, `all` and their like come to the
same in every order. Where else code takes the keys or values of a map one after the other (a loop, a list, `zip`), the
run is asked for an order, and explores all of them. What a sum has of everybody beside what they have is kept, so that
who is counted is noticed.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

from marginspec.properties.scope import REST
from marginspec.prover.subset.sources import is_own, is_own_code, source_of
from marginspec.prover.symbolic import Alike, Run, SymBool, SymInt, SymKey, Unsupported

AGGREGATES = ("all", "any", "every", "max", "min", "sorted", "sum")
"""What comes to the same in every order, unless told by a key what to compare."""

QUIET = (*AGGREGATES, "len", "abs", "argument", "bool", "divmod", "implies", "get", "items", "keys", "values")
"""What neither changes nor refuses anything."""

KERNEL = ("marginspec.model.kernel.evm", "marginspec.model.kernel.fixed")

Place = tuple[int | None, int | None, int | None, int | None]


class Aggregate(NamedTuple):
    """The call of one of `AGGREGATES` in a text: its name, the file and where it stands."""

    name: str
    file: str
    place: Place


ELSEWHERE = Aggregate("", "", (None, None, None, None))
"""What takes a map and is no code of a model or law."""


class NumberMap(dict[Any, Any]):
    """A map of a state with keys that are unknown numbers. Asked for a number that is none of its keys by identity, it
    cannot say whether it is one of them."""

    __slots__ = ()

    def like(self, items: dict[Any, Any]) -> NumberMap:
        """A map with the same keys and other items."""
        return type(self)(items)

    def copy(self) -> NumberMap:
        return type(self)(self)

    def __getitem__(self, key: Any) -> Any:
        return dict.__getitem__(self, self._own(key))

    def get(self, key: Any, default: Any = None) -> Any:
        return dict.get(self, self._own(key), default)

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, self._own(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        dict.__setitem__(self, self._own(key), value)

    def _own(self, key: Any) -> Any:
        if Run.current.explores and not isinstance(key, SymKey):
            raise Unsupported(f"a map by numbers is asked for {key}, which one of its unknown keys may be")
        return key


class OrderedMap(dict[Any, Any]):
    """A map of a state with keys that are alike; what looks at all of it in its order is asked what for."""

    __slots__ = ("_groups",)
    _groups: Sequence[Alike]

    @classmethod
    def of(cls, items: dict[Any, Any], groups: Sequence[Alike]) -> dict[Any, Any]:
        """A map with these items; a plain one where no two of its keys are alike."""
        rest = REST in items
        groups = [g for g in groups if sum(member in items for member in g.members) + (g.open and rest) > 1]
        if not groups:
            return items
        made = cls(items)
        made._groups = groups
        return made

    def like(self, items: dict[Any, Any]) -> OrderedMap:
        """A map with the same keys and other items."""
        made = type(self)(items)
        made._groups = self._groups
        return made

    def copy(self) -> OrderedMap:
        return self.like(dict(zip(dict.keys(self), dict.values(self), strict=True)))

    def _order(self, frame: FrameType) -> Sequence[Any]:
        keys = list(dict.keys(self))
        taker = taken_by(frame.f_code, frame.f_lasti, frame.f_globals.get("__name__", ""))
        if taker is None or (taker.name == "sorted" and self._is_open()):
            for group in self._groups:
                keys = _rearranged(keys, group)
        elif taker.name == "sum" and self._is_open():
            Run.current.of_all.add(taker)
        return keys

    def _is_open(self) -> bool:
        """Whether there are more keys than have names."""
        return any(group.open for group in self._groups)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._order(sys._getframe(1)))

    def __reversed__(self) -> Any:
        return reversed(self._order(sys._getframe(1)))

    def __len__(self) -> int:
        for group in self._groups:
            if group.open and _is_own(sys._getframe(1)):
                raise Unsupported(f"identifiers are counted of which there are more than {_names(group)}")
        return dict.__len__(self)

    def keys(self) -> Any:
        return list(self._order(sys._getframe(1)))

    def values(self) -> Any:
        return [self[key] for key in self._order(sys._getframe(1))]

    def items(self) -> Any:
        return [(key, self[key]) for key in self._order(sys._getframe(1))]

    def __or__(self, other: Any) -> Any:
        raise Unsupported("two maps are joined, one of them of a state")

    __ror__ = __ior__ = __or__


def _rearranged(keys: list[Any], group: Alike) -> list[Any]:
    """The keys with those of a group in the order that the current run has for it."""
    if group.open:
        raise Unsupported(f"something rests on the order of identifiers of which there are more than {_names(group)}")
    order = Run.current.pick(f"order of {_names(group)}", tuple(itertools.permutations(group.members)))
    here = [place for place, key in enumerate(keys) if any(key is member for member in group.members)]
    present = [member for member in order if any(keys[place] is member for place in here)]
    for place, member in zip(here, present, strict=True):
        keys[place] = member
    return keys


def _names(group: Alike) -> str:
    return ", ".join(str.__str__(member) for member in group.members)


def _is_own(frame: FrameType) -> bool:
    """Whether it is code of a model or law that runs."""
    return is_own_code(frame.f_code, frame.f_globals.get("__name__", ""))


@cache
def taken_by(code: CodeType, instruction: int, module: str) -> Aggregate | None:
    """What takes what is in a map, where an instruction does; None where code could tell in which order it comes."""
    if not is_own_code(code, module):
        return ELSEWHERE
    source = source_of(code.co_filename)
    if source is None:
        return None
    return _orderless(code.co_filename, module).get(_place_in(code, instruction))


def _place_in(code: CodeType, instruction: int) -> Place:
    return next(itertools.islice(code.co_positions(), instruction // 2, None))


@cache
def _orderless(file: str, module: str) -> dict[Place, Aggregate]:
    """Where a file takes what is in a map only to add, compare or count it, and what does."""
    source, loud, found = source_of(file), _loud(_around(module)), dict[Place, Aggregate]()
    nodes = list(ast.walk(source.tree)) if source is not None else []
    aggregates, meant = {*AGGREGATES} - {name for node in nodes for name in _bound(node)}, _given_meaning(nodes)
    for node in nodes:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in aggregates):
            continue
        if len(node.args) != 1 or node.keywords:
            continue
        if not _may_refuse(_runs(node.args, meant), loud):
            taker = Aggregate(node.func.id, file, _place(node))
            found |= dict.fromkeys(map(_place, _taken(node.args[0], node.func.id)), taker)
    return found


def _around(module: str) -> tuple[str, ...]:
    """The modules whose functions code of a module may run: those of its package, and of what these name, and so on."""
    package = module.partition(".")[0]
    todo = [name for name in sys.modules if name.partition(".")[0] in (package, "marginspec")]
    found = dict.fromkeys(todo)
    while todo:
        for value in list(vars(sys.modules[todo.pop()]).values()):
            name = value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
            if name not in found and name in sys.modules and is_own(name):
                found[name] = None
                todo.append(name)
    return tuple(found)


def _given_meaning(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names that a text gives a value, which may be any function; not those of types of identifiers."""
    names, types = Counter(name for node in nodes for name in _valued(node)), Counter(_new_types(nodes))
    return frozenset(names - types)


def _valued(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom | ast.Import):
        return [alias.asname for alias in node.names if alias.asname]
    return _bound(node) if isinstance(node, ast.Name | ast.arg) else []


def _bound(node: ast.AST) -> list[str]:
    """The names that a node gives a meaning of their own."""
    if isinstance(node, ast.Name):
        return [node.id] if isinstance(node.ctx, ast.Store) else []
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.ImportFrom):
        ours = node.module == "marginspec.properties.law"
        return [alias.asname or alias.name for alias in node.names if alias.asname or not ours]
    return [node.arg] if isinstance(node, ast.arg) else []


def _taken(node: ast.expr, taker: str) -> Iterator[ast.expr]:
    """What an expression takes one after the other, all of which becomes one list or sum.

    What `max` and its like compare may be a list itself, which has a length and an order.
    """
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        yield node
        for made in node.generators:
            yield from _taken(made.iter, taker)
        if taker not in ("max", "min", "sorted"):
            yield from _taken(node.elt, taker)
    elif isinstance(node, ast.Tuple | ast.List):
        for part in node.elts:
            if isinstance(part, ast.Starred):
                yield from _taken(part.value, taker)
    else:
        yield node


def _place(node: ast.expr) -> Place:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


# --- What cannot refuse, fail or change anything ----------------------------------------------------------------------


class _Runs(NamedTuple):
    """What code does. loud: whether it refuses, fails or changes something itself. calls: if not, what it may run, by
    name, and whether it certainly runs something."""

    loud: bool
    calls: frozenset[tuple[str, bool]]


def _runs(nodes: Iterable[ast.AST], meant: frozenset[str]) -> _Runs:
    """What code does. meant: names that its text gives a value."""
    parts = [part for node in nodes for part in ast.walk(node)]
    called = {part.func.id for part in parts if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)}
    if any(map(_is_loud, parts)) or not meant.isdisjoint(called):
        return _Runs(True, frozenset())
    return _Runs(False, frozenset(named for part in parts for named in _named(part)))


def _may_refuse(code: _Runs, loud: Mapping[str, bool]) -> bool:
    """Whether code may refuse, fail or change something. loud: which functions do, by name."""
    return code.loud or any(loud.get(name, called) for name, called in code.calls)


def _is_loud(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute | ast.Subscript):
        return not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.FloorDiv | ast.Mod):
        return not isinstance(node.right, ast.Constant)
    return isinstance(node, ast.Raise | ast.NamedExpr | ast.Call) and not (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    )


def _named(node: ast.AST) -> list[tuple[str, bool]]:
    """What a node may run, by name, and whether it certainly runs something."""
    if isinstance(node, ast.Attribute):
        return [(f"{node.attr} read", False)]
    if isinstance(node, ast.Call):
        passed = [(part.attr, False) for part in node.args if isinstance(part, ast.Attribute)]
        return [(node.func.id if isinstance(node.func, ast.Name) else node.func.attr, True), *passed]  # type: ignore[attr-defined]
    return []


@cache
def _loud(modules: Sequence[str]) -> dict[str, bool]:
    """Of each function that a model or law may call, by name: whether one of that name may refuse, fail or change."""
    loud, bodies = dict.fromkeys(QUIET, False), list[tuple[str, _Runs]]()
    for module in modules:
        if module in KERNEL or is_own(module):
            functions, types = _defined(str(getattr(sys.modules.get(module), "__file__", "")))
            bodies += functions
            loud |= dict.fromkeys(types, False)
    loud |= dict.fromkeys((name for name, _ in bodies), False)
    while more := [name for name, body in bodies if not loud[name] and _may_refuse(body, loud)]:
        loud |= dict.fromkeys(more, True)
    return loud


@cache
def _defined(file: str) -> tuple[list[tuple[str, _Runs]], list[str]]:
    """What each function of a file does, by name, and the types of identifiers that it makes."""
    source = source_of(file)
    nodes = list(ast.walk(source.tree)) if source is not None else []
    meant = _given_meaning(nodes)
    functions = [
        (f"{node.name} read" if _is_property(node) else node.name, _runs(node.body, meant))
        for node in nodes
        if isinstance(node, ast.FunctionDef)
    ]
    return functions, _new_types(nodes)


def _new_types(nodes: Iterable[ast.AST]) -> list[str]:
    made = [node for node in nodes if isinstance(node, ast.Assign) and _is_new_type(node.value)]
    return [target.id for node in made for target in node.targets if isinstance(target, ast.Name)]


def _is_property(node: ast.FunctionDef) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)


def _is_new_type(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "NewType"


# --- Who is counted ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def sums_kept() -> Iterator[None]:
    """Let `sum`, where code of a model or law adds something of everybody, keep what is no number of theirs."""
    builtins.sum = _sum
    try:
        yield
    finally:
        builtins.sum = _SUM


_SUM = sum


def _sum(parts: Iterable[Any], /, start: Any = 0) -> Any:
    frame = sys._getframe(1)
    if not _is_own(frame):
        return _SUM(parts, start)
    added, of_all = list(parts), Run.current.of_all
    taker = Aggregate("sum", frame.f_code.co_filename, _place_in(frame.f_code, frame.f_lasti))
    if taker in of_all:
        Run.current.sums.append((taker, _SUM(map(_constant, added))))
    return _SUM(added, start)


def _constant(part: Any) -> int:
    if type(part) is SymInt:
        return part.terms.get((), 0)
    return int(part) if type(part) in (int, bool, SymBool) else 0
