"""Oversights: a model changed in one place, in the ways in which its implementers overlook something.

Random calls rarely tell such a change from the model, and no path of it need be new:

- a check is made, or a value taken, before the settlement that it must follow; what comes after uses fresh values;
- a quantity counts as nothing where another one of its record is zero: an empty pool that still has shares.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from marginspec.lockstep.model_source import (
    Key,
    ModelFunction,
    Patch,
    functions_of,
    modules_of,
    named,
    names_in,
    refusal_of,
    refusals_in,
    replacing,
    stored_in,
    unparsed,
)
from marginspec.model.kernel.machine import Machine, actions_of, per_model
from marginspec.model.kernel.record import is_record, plain, variables_of

Block = list[ast.stmt]


@dataclass(frozen=True)
class Oversight:
    """One change of a method. node: the method as changed. line: of its file. words: what is overlooked.

    rules: those concerned, the nearest first.
    """

    key: Key
    function: ModelFunction
    node: ast.FunctionDef
    line: int
    rules: tuple[str, ...]
    words: str

    def patches(self) -> list[Patch]:
        """What makes the model overlook it."""
        return list(replacing(self.function, self.node))


@per_model
def oversights_of(model: type[Machine]) -> dict[Key, list[Oversight]]:
    """The oversights that a model's methods allow for, by method; predicates and set-up aside."""
    reader = _Reader(model)
    return {
        key: list(reader.oversights(key, function))
        for key, function in functions_of(model).items()
        if function.owner is not None and reader.can_be_acted(function.name)
    }


class _Reader:
    """Reads a model's methods; what calls read and write is followed through the methods that they call."""

    def __init__(self, model: type[Machine]) -> None:
        self._model = model
        self._written: dict[str, frozenset[str]] = {}
        self._read: dict[str, frozenset[str]] = {}
        self._numbers = _numbers_beside(model)
        self._acted = _below(actions_of(model), lambda name: (f.used for f in named(model, frozenset({name}))))

    def can_be_acted(self, name: str) -> bool:
        """Whether an action uses a method, directly or through others."""
        return name in self._acted

    def oversights(self, key: Key, function: ModelFunction) -> Iterator[Oversight]:
        """Those of one method."""
        for number, block in enumerate(_blocks(function.node)):
            for at, statement in enumerate(block):
                if isinstance(statement, ast.Expr) and self.written(statement):
                    for change in self._early(function, block, number, at):
                        yield Oversight(key, function, *change)
        for change in self._nothing(function):
            yield Oversight(key, function, *change)

    # --- Before the settlement --------------------------------------------------------------------------------------

    def _early(
        self, function: ModelFunction, block: Block, number: int, at: int
    ) -> Iterator[tuple[ast.FunctionDef, int, tuple[str, ...], str]]:
        """A statement after that at a place, made before it, or a value that it uses taken there."""
        settles = f"before {unparsed([block[at]])}"
        for later in range(at + 1, len(block)):
            statement = block[later]
            needed = self._needed(block, at, later)
            if needed is None or not self._depends([statement, *needed], block[at]):
                continue
            rule = refusal_of(self._model, statement)
            checks = rule is not None and not self.written(statement)
            if checks:
                node, within = _copied(function, number)
                within[at : later + 1] = [*within[at + 1 : later + 1], within[at]]
                words = f"{unparsed([block[at]])} after {_head(statement)}"
                yield node, statement.lineno, (rule or "", *self._rules(block[at])), words
            if checks or _only_sets(statement):
                node, within = _copied(function, number)
                moved = [*copy.deepcopy(needed), within[later]]
                within[at:] = [*moved, *within[at:later], *within[later + 1 :]]
                rules = (rule,) if rule else self._rules(block[at])
                yield node, statement.lineno, rules, f"{_head(statement)} {settles}"
            elif isinstance(statement, ast.Assign) and isinstance(target := statement.targets[0], ast.Name):
                for use in range(later + 1, len(block)):
                    if target.id in _loaded(block[use]):
                        node, within = _copied(function, number)
                        taken = copy.deepcopy([*needed, statement])
                        taken[-1].targets = [ast.Name(_EARLY, ast.Store())]  # type: ignore[attr-defined]
                        within[use] = _Renamed(target.id).visit(within[use])
                        within[at:at] = taken
                        rules = (*refusals_in(block[use]), *self._rules(block[use]), *function.rules)
                        words = f"{_head(block[use])} takes {target.id} from {settles}"
                        yield node, statement.lineno, tuple(dict.fromkeys(rules))[:4], words

    def _needed(self, block: Block, at: int, later: int) -> Block | None:
        """The statements between two places that set what a later one uses; None if one of them has an effect."""
        wanted, found = _loaded(block[later]), Block()
        for between in reversed(block[at + 1 : later]):
            if _set(between) & wanted:
                if self.written(between):
                    return None
                found.insert(0, between)
                wanted = wanted | _loaded(between)
        return found

    def _depends(self, statements: Sequence[ast.stmt], settling: ast.stmt) -> bool:
        """Whether some statements compute with what another one may write, or set what that one computes with."""
        written, used = self.written(settling), self._used(settling)
        computing = [s for s in statements if not _is_reference(s)]
        return any(not written.isdisjoint(self._used(s)) or not used.isdisjoint(stored_in(s)) for s in computing)

    def _rules(self, statement: ast.stmt) -> tuple[str, ...]:
        """The rules of the functions that a statement calls."""
        calls = [n.func for n in ast.walk(statement) if isinstance(n, ast.Call)]
        names = frozenset(getattr(called, "attr", getattr(called, "id", "")) for called in calls)
        return tuple(rule for function in named(self._model, names) for rule in function.rules)

    # --- Nothing where another is zero ------------------------------------------------------------------------------

    def _nothing(self, function: ModelFunction) -> Iterator[tuple[ast.FunctionDef, int, tuple[str, ...], str]]:
        places = [at for at, node in enumerate(ast.walk(function.node)) if self._is_quantity(node)]
        nodes = [node for node in ast.walk(function.node) if isinstance(node, ast.Attribute)]
        for at in places:
            node = copy.deepcopy(function.node)
            read = list(ast.walk(node))[at]
            assert isinstance(read, ast.Attribute)
            owner = ast.unparse(read.value)
            beside = {n.attr for n in nodes if ast.unparse(n.value) == owner} & self._numbers[read.attr]
            for other in sorted(beside):
                changed = copy.deepcopy(function.node)
                part = list(ast.walk(changed))[at]
                assert isinstance(part, ast.Attribute)
                test = ast.Attribute(part.value, other, ast.Load())
                new = ast.IfExp(test, ast.Attribute(part.value, part.attr, ast.Load()), ast.Constant(0))
                words = f"{ast.unparse(part)} counts as 0 where {ast.unparse(test)} is 0"
                yield _replaced(changed, part, new), read.lineno, function.rules, words

    def _is_quantity(self, node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in self._numbers

    # --- What is read and written -----------------------------------------------------------------------------------

    def called(self, node: ast.AST) -> frozenset[str]:
        """The methods of the model that a piece of text calls on itself."""
        calls = [n.func for n in ast.walk(node) if isinstance(n, ast.Call)]
        own = [
            c for c in calls if isinstance(c, ast.Attribute) and isinstance(c.value, ast.Name) and c.value.id == "self"
        ]
        return frozenset(c.attr for c in own)

    def written(self, node: ast.AST) -> frozenset[str]:
        """The variables and fields that a piece of text may set, in the methods that it calls as well."""
        return stored_in(node).union(*(self._closed(name, self._written, _stored) for name in self.called(node)))

    def _used(self, node: ast.AST) -> frozenset[str]:
        names = names_in(node)
        return names.union(*(self._closed(name, self._read, _names) for name in names))

    def _closed(
        self, name: str, known: dict[str, frozenset[str]], what: Callable[[ModelFunction], frozenset[str]]
    ) -> frozenset[str]:
        """What the functions of a name, and all that they use, have of something."""
        if name not in known:
            below = _below([name], lambda each: (f.used for f in named(self._model, frozenset({each}))))
            known[name] = frozenset[str]().union(*(what(f) for f in named(self._model, frozenset(below))))
        return known[name]


_EARLY = "taken_early"


def _stored(function: ModelFunction) -> frozenset[str]:
    return function.stored


def _names(function: ModelFunction) -> frozenset[str]:
    return function.used


def _below(names: Iterable[str], uses: Callable[[str], Iterator[frozenset[str]]]) -> set[str]:
    """Some names, and all that they use, directly or not."""
    found, left = set[str](), set(names)
    while left:
        name = left.pop()
        found.add(name)
        left |= frozenset[str]().union(*uses(name)) - found
    return found


def _numbers_beside(model: type[Machine]) -> dict[str, frozenset[str]]:
    """For each field of a record that is a number, the other numbers of the same record."""
    found: dict[str, frozenset[str]] = {}
    for module in modules_of(model):
        for kind in vars(module).values():
            if is_record(kind) and "__dataclass_fields__" in vars(kind) and not issubclass(kind, Machine):
                numbers = frozenset(name for name, hint in variables_of(kind).items() if plain(hint) is int)
                for name in numbers:
                    found[name] = found.get(name, frozenset()) | (numbers - {name})
    return found


# --- Syntax -----------------------------------------------------------------------------------------------------------


def _blocks(function: ast.FunctionDef) -> Iterator[Block]:
    """The bodies and alternatives of a function, in an order that depends on its text alone."""
    for node in ast.walk(function):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _copied(function: ModelFunction, number: int) -> tuple[ast.FunctionDef, Block]:
    """A copy of a function, and the block of that number in it."""
    node = copy.deepcopy(function.node)
    return node, list(_blocks(node))[number]


def _replaced(function: ast.FunctionDef, old: ast.AST, new: ast.expr) -> ast.FunctionDef:
    class Replace(ast.NodeTransformer):
        def generic_visit(self, node: ast.AST) -> ast.AST:
            return ast.copy_location(new, node) if node is old else super().generic_visit(node)

    changed = Replace().visit(function)
    assert isinstance(changed, ast.FunctionDef)
    return changed


class _Renamed(ast.NodeTransformer):
    """Takes the early value in the place of a variable."""

    def __init__(self, name: str) -> None:
        self._name = name

    def visit_Name(self, node: ast.Name) -> ast.Name:
        wanted = node.id == self._name and isinstance(node.ctx, ast.Load)
        return ast.copy_location(ast.Name(_EARLY, ast.Load()), node) if wanted else node


def _loaded(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _set(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _is_reference(statement: ast.stmt) -> bool:
    """Whether a statement only names a place of the state, which is fresh whenever it is read."""
    return isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Attribute | ast.Subscript)


def _only_sets(statement: ast.stmt) -> bool:
    """Whether a statement sets a variable of the state, and a single one, outright."""
    return isinstance(statement, ast.Assign | ast.AugAssign) and len(stored_in(statement)) == 1


def _head(statement: ast.stmt) -> str:
    """The first line of a statement."""
    return ast.unparse(statement).partition("\n")[0]
