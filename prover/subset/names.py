"""What the names of a function or module stand for, and who is told of what is found."""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import FunctionType
from typing import Any, Protocol

from marginspec.model.kernel.machine import Rejected
from marginspec.prover.subset import rules
from marginspec.prover.subset.kinds import ANY, NEVER, SHARED, Kind, functions_among, join, list_of, of_hint, of_value
from marginspec.prover.subset.sources import is_data, is_own, is_trusted

RULE, LAW, STILL = "rule", "law", "still"
"""In what a function is run: an action of the model, a law, or where nothing is unknown."""

NUMERIC = ("number", "number id", "condition")
LAWS = "marginspec.properties.law"
REAL_BUILTINS = {name: getattr(builtins, name) for name in rules.BUILTINS}


class Member(Protocol):
    """What a name stands for in a record or machine. kind: of a field or property. functions: of a method."""

    kind: Kind | None
    functions: Sequence[FunctionType]
    constant: bool


class World(Protocol):
    """What a body has to know of the rest, and whom it tells what it found and needs."""

    constant_classes: set[type]

    def report(self, file: str, line: int, rule: str, text: str) -> None: ...
    def member(self, kind: Kind, name: str) -> Member | None: ...
    def argument(self, name: str) -> Kind: ...
    def refer(self, function: FunctionType, mode: str) -> None: ...
    def refer_class(self, kind: type) -> None: ...
    def returns(self, function: FunctionType, mode: str) -> Kind: ...
    def parameters(self, function: FunctionType) -> list[tuple[str, Kind]]: ...


class Names:
    """What is known within one function, or of the expressions of a module."""

    def __init__(self, world: World, file: str, names: dict[str, Any], mode: str) -> None:
        self.world, self.file, self.names, self.mode = world, file, names, mode
        self.scopes: list[dict[str, Kind]] = []
        self.given: list[set[str]] = []
        self.results: list[list[Kind]] = []
        self.loops: list[int] = [0]
        self.bound: dict[str, tuple[int, ...]] = {}
        self.stored: set[str] = set()
        self.scopes_of: dict[int, dict[str, Kind]] = {}
        self.handling = 0
        self.aloud = False

    # --- Findings -------------------------------------------------------------------------------------------------

    def say(self, node: ast.AST, rule: str, text: str) -> None:
        if self.aloud:
            self.world.report(self.file, getattr(node, "lineno", 1), rule, text)

    @property
    def unknown(self) -> bool:
        """Whether numbers may be unknown here."""
        return self.mode != STILL

    # --- Names ----------------------------------------------------------------------------------------------------

    def _bind(self, target: ast.expr, kind: Kind) -> None:
        if isinstance(target, ast.Name):
            self._named(target, target.id)
            scope = next((s for s in reversed(self.scopes) if target.id in s), None)
            if scope is None:
                scope = self.scopes[-1] if self.scopes else {}
            scope[target.id] = join(scope.get(target.id, NEVER), kind)
            self.bound[target.id] = tuple(self.loops)
        elif isinstance(target, ast.Tuple | ast.List):
            for part, inner in zip(target.elts, self._unpacked(target.elts, kind), strict=True):
                self._bind(part, inner)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, list_of(kind.item if kind.tag in ("list", "tuple") else kind))
        else:
            self._store(target, kind, None)

    def _unpacked(self, targets: Sequence[ast.expr], kind: Kind) -> list[Kind]:
        if kind.tag == "tuple" and len(kind.parts) == len(targets):
            return [part.flagged(kind.flag) for part in kind.parts]
        return [list_of(kind.item) if isinstance(t, ast.Starred) else kind.item for t in targets]

    def _named(self, node: ast.AST, name: str) -> None:
        if name.startswith("__"):
            self.say(node, "dunder", f"`{name}`")

    def _name(self, node: ast.Name) -> Kind:
        for scope in reversed(self.scopes):
            if node.id in scope:
                return scope[node.id]
        self._named(node, node.id)
        if node.id in self.names:
            return self._object(node, node.id, self.names[node.id])
        if node.id in REAL_BUILTINS:
            if getattr(builtins, node.id) is not REAL_BUILTINS[node.id]:
                self.say(node, "source", f"`{node.id}` is not Python's own any more")
            return Kind("builtin", node.id)
        if hasattr(builtins, node.id):
            if self.unknown or node.id not in ("int", "str", "frozenset", "type", "object", "float"):
                self.say(node, "name", f"`{node.id}`")
            return Kind("class", getattr(builtins, node.id)) if node.id in ("int", "str") else ANY
        # Python says so when it gets there.
        return ANY

    def _object(self, node: ast.AST, name: str, value: Any) -> Kind:
        """What a name of a module stands for."""
        home = getattr(value, "__module__", None)
        if value is Rejected:
            if self.unknown:
                self.say(node, "raise", "`Rejected` outside of `raise` and `except`")
            return Kind("class", value)
        known = isinstance(value, FunctionType | type)
        if isinstance(value, FunctionType | type) and is_trusted(home):
            self._of_kernel(node, name, value, str(home))
            return Kind("class" if isinstance(value, type) else "function", value)
        if known and str(getattr(value, "__name__", "")) in rules.FROM_LIBRARIES.get(str(home), ()):
            return Kind("function", value)
        if isinstance(value, type):
            if is_data(value) and is_own(value.__module__):
                self.world.refer_class(value)
                return Kind("class", value)
            if any(value is real for real in REAL_BUILTINS.values()):
                return Kind("builtin", value.__name__)
        if not self.unknown and (home in rules.LIBRARIES or is_trusted(type(value).__module__)):
            return ANY
        kind = of_value(value)
        if kind is not None and kind.tag == "function":
            if not isinstance(value, FunctionType) or not is_own(value.__module__):
                self.say(node, "name", f"`{name}`")
                return ANY
            self.world.refer(value, self.mode)
        elif kind is not None and kind.tag == "class":
            self.say(node, "name", f"`{name}`")
            return ANY
        elif kind is None and self._is_kernels_object(value):
            return ANY
        elif kind is None and self.unknown:
            what = "value" if not callable(value) else "name"
            self.say(node, what, f"`{name}`, {_article(type(value).__name__)}")
            return ANY
        elif kind is None:
            if callable(value) and not is_trusted(type(value).__module__):
                self.say(node, "name", f"`{name}`")
            return ANY
        for function in functions_among(value):
            self.world.refer(function, self.mode)
        return kind

    def _of_kernel(self, node: ast.AST, name: str, value: FunctionType | type, home: str) -> None:
        own, listed = value.__name__, rules.KERNEL.get(home, ())
        public = getattr(sys.modules.get(home), own, None) is value and not own.startswith("_")
        said_by_laws = self.mode == RULE and own in ("accepted", "assume", "refusal") and home == LAWS
        if not public or said_by_laws or (self.unknown and own not in listed and "*" not in listed):
            self.say(node, "name", f"`{name}` of {home}")

    def _is_kernels_object(self, value: Any) -> bool:
        """Whether an object is a public one of a module of which all is listed."""
        home = sys.modules.get(type(value).__module__)
        if home is None or rules.KERNEL.get(home.__name__) != ("*",):
            return False
        return any(value is own for name, own in vars(home).items() if not name.startswith("_"))

    def _annotated(self, node: ast.expr | None) -> Kind:
        """The kind that an annotation in the text says, ANY where there is none."""
        if node is None:
            return ANY
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except SyntaxError:
                return ANY
        plain = (ast.Name, ast.Subscript, ast.Tuple, ast.Constant, ast.BinOp, ast.BitOr, ast.Load, ast.Attribute)
        if not all(isinstance(part, plain) for part in ast.walk(node)):
            return ANY
        try:
            return of_hint(eval(compile(ast.Expression(node), self.file, "eval"), dict(self.names)))
        except Exception:
            return ANY

    def _is_given(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and any(node.id in given for given in self.given)

    def _key(self, node: ast.expr, held: Kind, key: Kind, storing: bool) -> None:
        """Check what is used as the key of a map."""
        if not self.unknown or held.tag in ("list", "tuple"):
            return
        parts = key.parts if key.tag == "tuple" else (key,)
        for part in parts:
            if part.tag in ("id", "none", "never", "step"):
                continue
            if part.tag == "number id" and held.tag == "map" and held.parts[0].tag == "number id":
                continue
            if part.tag in NUMERIC and (held.tag == "map" or storing):
                self.say(node, "key", f"the number `{short(node)}` as a key")
            elif part.tag not in NUMERIC and storing:
                self.say(node, "key", f"`{short(node)}` as a key, of which the type is not known")

    @staticmethod
    def _part(node: ast.expr, kind: Kind) -> Kind:
        """The kind of a value that may have another name already: made here is only what is made right here."""
        ways = [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]
        made = all(isinstance(way, ast.Call | ast.Dict | ast.DictComp) for way in ways)
        return kind if made or kind.tag not in ("map", "record") else kind.flagged(SHARED)

    def _kept(self, node: ast.expr, kind: Kind) -> None:
        """Check what becomes part of a state: made here, or copied, and part of nothing else."""
        if deep(kind) or (kind.tag in ("map", "record") and isinstance(node, ast.Attribute | ast.Subscript)):
            self.say(node, "alias", f"`{short(node)}`, which is part of something else, becomes part of the state")
        elif kind.tag in ("map", "record") and isinstance(node, ast.Name):
            inner = self.bound.get(node.id, ())
            if node.id in self.stored or tuple(self.loops[: len(inner)]) != inner or len(self.loops) > len(inner):
                self.say(node, "alias", f"`{node.id}` becomes part of the state more than once")
            self.stored.add(node.id)

    # --- What the rest of the walk adds ---------------------------------------------------------------------------

    def of(self, node: ast.expr) -> Kind:
        """Check an expression; returns its kind."""
        raise NotImplementedError

    def _items(self, node: ast.expr) -> Kind:
        raise NotImplementedError

    def _taken(self, node: ast.expr) -> Kind:
        raise NotImplementedError

    def _store(self, target: ast.expr, kind: Kind, value: ast.expr | None) -> None:
        raise NotImplementedError

    def _nested(self, node: ast.FunctionDef | ast.Lambda) -> Kind:
        raise NotImplementedError

    def _loop(self, node: ast.AST) -> AbstractContextManager[None]:
        raise NotImplementedError


def deep(kind: Kind) -> int:
    """How shared a value is, with all that is in it; a number is never."""
    if kind.tag not in ("map", "record", "list", "tuple"):
        return 0
    own = kind.flag if kind.tag in ("map", "record") else 0
    return max([own, *map(deep, kind.parts)])


def short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def _article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"
