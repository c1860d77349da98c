"""The check of one function: every statement, name, attribute and operator in it, by the kinds of its values."""

from __future__ import annotations

import ast
import builtins
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Protocol

from marginspec.model.kernel.machine import Machine, Rejected
from marginspec.prover.subset import rules
from marginspec.prover.subset.kinds import (
    ANY,
    CONDITION,
    CONSTANT,
    NEVER,
    NONE,
    NUMBER,
    SHARED,
    STEP,
    TEXT,
    Kind,
    base_of,
    functions_among,
    join,
    joined,
    list_of,
    map_of,
    of_hint,
    of_value,
    tuple_of,
)
from marginspec.prover.subset.sources import is_data, is_own, is_trusted

RULE, LAW, STILL = "rule", "law", "still"
"""In what a function is run: an action of the model, a law, or where nothing is unknown."""

NUMERIC = ("number", "number id", "condition")
REAL_BUILTINS = {name: getattr(builtins, name) for name in rules.BUILTINS}
SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
REPEATING = ast.For | ast.While | ast.FunctionDef | ast.Lambda
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


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


class Body:
    """Walks one function, or the statements of a module. Twice in silence, to know the kinds of its names, then aloud."""

    def __init__(self, world: World, file: str, names: dict[str, Any], mode: str) -> None:
        self.world, self.file, self.names, self.mode = world, file, names, mode
        self.scopes: list[dict[str, Kind]] = []
        self.given: list[set[str]] = []
        self.results: list[list[Kind]] = []
        self.loops: list[int] = [0]
        self.bound: dict[str, tuple[int, ...]] = {}
        self.stored: set[str] = set()
        self.handling = 0
        self.aloud = False

    # --- From outside ---------------------------------------------------------------------------------------------

    def function(self, node: ast.FunctionDef | ast.Lambda, given: dict[str, Kind], aloud: bool) -> Kind:
        """Walk a function with parameters of these kinds; returns the kind of its result."""
        scope, self.aloud = {**dict.fromkeys(_bound(node), NEVER), **given}, False
        before = dict[str, Kind]() if any(isinstance(part, REPEATING) for part in ast.walk(node)) else scope
        while before != scope:
            before = dict(scope)
            self._inside(node, scope, set(given))
        self.aloud, self.stored = aloud, set()
        return self._inside(node, scope, set(given))

    def expression(self, node: ast.expr) -> Kind:
        """Walk an expression of a module, aloud."""
        self.aloud = True
        return self.of(node)

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    # --- Findings -------------------------------------------------------------------------------------------------

    def say(self, node: ast.AST, rule: str, text: str) -> None:
        if self.aloud:
            self.world.report(self.file, getattr(node, "lineno", 1), rule, text)

    @property
    def unknown(self) -> bool:
        """Whether numbers may be unknown here."""
        return self.mode != STILL

    # --- Names ----------------------------------------------------------------------------------------------------

    def _inside(self, node: ast.FunctionDef | ast.Lambda, scope: dict[str, Kind], given: set[str]) -> Kind:
        self.scopes.append(scope)
        self.given.append(given)
        self.results.append([])
        with self._loop(node):
            if isinstance(node, ast.Lambda):
                self.results[-1].append(self.of(node.body))
            else:
                self.statements(node.body)
        self.scopes.pop()
        self.given.pop()
        return joined(self.results.pop() or [NONE])

    def _nested(self, node: ast.FunctionDef | ast.Lambda) -> Kind:
        self._defaults(node)
        given = {a.arg: self._annotated(a.annotation) for a in _parameters(node)}
        return self._inside(node, {**dict.fromkeys(_bound(node), NEVER), **given}, set(given))

    def _defaults(self, node: ast.FunctionDef | ast.Lambda) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None and self.of(default).tag in ("map", "list", "record", "any"):
                self.say(default, "default", f"the default `{_short(default)}`")

    @contextmanager
    def _loop(self, node: ast.AST) -> Iterator[None]:
        self.loops.append(id(node))
        yield
        self.loops.pop()

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
        if known and is_trusted(home):
            self._of_kernel(node, name, value, str(home))
            return Kind("class" if isinstance(value, type) else "function", value)
        if known and home in rules.FROM_LIBRARIES and value.__name__ in rules.FROM_LIBRARIES[home]:
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

    def _of_kernel(self, node: ast.AST, name: str, value: Any, home: str) -> None:
        import sys

        public = getattr(sys.modules.get(home), value.__name__, None) is value and not value.__name__.startswith("_")
        listed = rules.KERNEL.get(home, ())
        if not public or (self.unknown and value.__name__ not in listed and "*" not in listed):
            self.say(node, "name", f"`{name}` of {home}")

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

    # --- Statements -----------------------------------------------------------------------------------------------

    def statement(self, node: ast.stmt) -> None:
        method: Callable[[Any], None] | None = getattr(self, f"_do_{type(node).__name__.lower()}", None)
        if method is not None:
            method(node)
            return
        refused = {
            "Assert": "assert",
            "ClassDef": "class-here",
            "Delete": "del",
            "Global": "global",
            "Nonlocal": "global",
            "Import": "import-here",
            "ImportFrom": "import-here",
            "Match": "match",
            "TryStar": "try",
        }
        rule = refused.get(type(node).__name__, "statement")
        words = {"ClassDef": "class", "ImportFrom": "import", "Delete": "del", "TryStar": "except*"}
        keyword = words.get(type(node).__name__, type(node).__name__.lower().removeprefix("async"))
        self.say(node, rule, f"`{keyword}`")

    def _do_pass(self, node: ast.Pass) -> None: ...
    def _do_break(self, node: ast.Break) -> None: ...
    def _do_continue(self, node: ast.Continue) -> None: ...

    def _do_expr(self, node: ast.Expr) -> None:
        self.of(node.value)

    def _do_return(self, node: ast.Return) -> None:
        self.results[-1].append(NONE if node.value is None else self.of(node.value))

    def _do_if(self, node: ast.If) -> None:
        self.of(node.test)
        self.statements([*node.body, *node.orelse])

    def _do_while(self, node: ast.While) -> None:
        with self._loop(node):
            self.of(node.test)
            self.statements(node.body)
        self.statements(node.orelse)

    def _do_for(self, node: ast.For) -> None:
        items = self._items(node.iter)
        with self._loop(node):
            self._bind(node.target, items)
            self.statements(node.body)
        self.statements(node.orelse)

    def _do_functiondef(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list if self.unknown else ():
            self.say(decorator, "decorator", f"`@{_short(decorator)}` inside a function")
        result = self._nested(node)
        self._bind(ast.copy_location(ast.Name(node.name, ast.Store()), node), Kind("inner", result))

    def _do_assign(self, node: ast.Assign) -> None:
        parts = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else []
        if len(node.targets) == 1 and isinstance(node.value, ast.Tuple) and len(parts) == len(node.value.elts):
            if not any(isinstance(part, ast.Starred) for part in [*parts, *node.value.elts]):
                for target, value in zip(parts, node.value.elts, strict=True):
                    self._assign(target, self.of(value), value)
                return
        kind = self.of(node.value)
        for target in node.targets:
            self._assign(target, kind, node.value)

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        declared = self._annotated(node.annotation)
        if node.value is not None:
            kind = self.of(node.value)
            self._assign(node.target, declared if kind.tag in ("any", "never") else kind, node.value)

    def _assign(self, target: ast.expr, kind: Kind, value: ast.expr) -> None:
        if isinstance(target, ast.Attribute | ast.Subscript):
            self._store(target, kind, value)
        else:
            self._bind(target, kind)

    def _do_augassign(self, node: ast.AugAssign) -> None:
        target = node.target
        load = ast.copy_location(_loaded(target), target)
        kind = self._operation(node, node.op, load, node.value)
        if isinstance(target, ast.Name):
            before = self.of(load)
            if before.tag in ("list", "map") and (before.flag == CONSTANT or self._is_given(target)):
                self.say(node, "constant", f"`{target.id}` is changed")
            self._bind(target, kind)
        else:
            self._store(target, kind, None)

    def _do_raise(self, node: ast.Raise) -> None:
        raised = node.exc
        if node.cause is not None and not (isinstance(node.cause, ast.Constant) and node.cause.value is None):
            self.say(node, "raise", "`raise … from …`")
        if raised is None:
            if not self.handling:
                self.say(node, "raise", "`raise` of nothing")
            return
        called = raised.func if isinstance(raised, ast.Call) else raised
        arguments = [*raised.args, *raised.keywords] if isinstance(raised, ast.Call) else []
        literal = all(isinstance(a, ast.Constant) and isinstance(a.value, str) for a in arguments)
        what = self._raised(called)
        rejected = what is Rejected and len(arguments) == 1
        if not literal or not (rejected or what is NotImplementedError):
            self.say(node, "raise", f"`raise {_short(raised)}`")

    def _raised(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name):
            if any(node.id in scope for scope in self.scopes):
                return None
            return self.names.get(node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return getattr(self.names.get(node.value.id), node.attr, None)
        return None

    def _do_try(self, node: ast.Try) -> None:
        if node.finalbody:
            self.say(node.finalbody[0], "try", "`finally`")
        self.statements(node.body)
        for handler in node.handlers:
            if handler.type is None or self._raised(handler.type) is not Rejected:
                caught = "" if handler.type is None else f" {_short(handler.type)}"
                self.say(handler, "try", f"`except{caught}`")
            if handler.name is not None:
                self._bind(ast.copy_location(ast.Name(handler.name, ast.Store()), handler), Kind("refusal"))
            self.handling += 1
            self.statements(handler.body)
            self.handling -= 1
        self.statements([*node.orelse, *node.finalbody])

    # --- Changes --------------------------------------------------------------------------------------------------

    def _is_given(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and any(node.id in given for given in self.given)

    def _store(self, target: ast.expr, kind: Kind, value: ast.expr | None) -> None:
        """Check a change of an attribute or of an item."""
        if isinstance(target, ast.Attribute):
            self._store_attribute(target)
        elif isinstance(target, ast.Subscript):
            held, key = self.of(target.value), self.of(target.slice)
            if held.flag == CONSTANT:
                self.say(target, "constant", f"`{_short(target.value)}` is changed")
            elif held.tag in ("map", "list", "any") and self._is_given(target.value):
                self.say(target, "constant", f"`{_short(target.value)}`, which was given, is changed")
            elif held.tag not in ("map", "list", "any"):
                self.say(target, "hidden", f"`{_short(target)}` is set")
            elif held.tag == "any" and not isinstance(target.value, ast.Name | ast.Attribute | ast.Subscript):
                self.say(target, "constant", f"`{_short(target.value)}` is changed")
            self._key(target.slice, held, key, storing=True)
        if self.mode == RULE and value is not None:
            self._kept(value, kind)

    def _store_attribute(self, target: ast.Attribute) -> None:
        held = self.of(target.value)
        self._named(target, target.attr)
        member = self.world.member(held, target.attr) if held.tag in ("record", "any") else None
        if member is None or member.kind is None or member.functions:
            self.say(target, "hidden", f"`{_short(target)}` is set")
        elif held.flag == CONSTANT or member.constant:
            self.say(target, "constant", f"`{_short(target)}` is changed")
        elif held.tag == "record" and held.of in self.world.constant_classes and held.flag:
            self.say(target, "constant", f"`{_short(target)}` of a {held.of.__name__}, which is constant, is changed")

    def _kept(self, node: ast.expr, kind: Kind) -> None:
        """Check what becomes part of a state: made here, or copied, and part of nothing else."""
        if _deep(kind):
            self.say(node, "alias", f"`{_short(node)}`, which is part of something else, becomes part of the state")
        elif kind.tag in ("map", "record") and isinstance(node, ast.Name):
            inner = self.bound.get(node.id, ())
            if node.id in self.stored or tuple(self.loops[: len(inner)]) != inner or len(self.loops) > len(inner):
                self.say(node, "alias", f"`{node.id}` becomes part of the state more than once")
            self.stored.add(node.id)

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
                self.say(node, "key", f"the number `{_short(node)}` as a key")
            elif part.tag not in NUMERIC and storing:
                self.say(node, "key", f"`{_short(node)}` as a key, of which the type is not known")

    # --- Expressions ----------------------------------------------------------------------------------------------

    def of(self, node: ast.expr) -> Kind:
        """Check an expression; returns its kind."""
        method: Callable[[Any], Kind] | None = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if method is not None:
            return method(node)
        rule = {"JoinedStr": "text", "Set": "set", "SetComp": "set"}.get(type(node).__name__, "statement")
        if rule == "text" and not self.unknown:
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.FormattedValue):
                    self.of(part.value)
            return TEXT
        words = {"text": "an f-string", "set": f"the set `{_short(node)}`"}
        self.say(node, rule, words.get(rule, f"`{type(node).__name__.lower()}`"))
        return ANY

    def _of_name(self, node: ast.Name) -> Kind:
        return self._name(node)

    def _of_constant(self, node: ast.Constant) -> Kind:
        value = node.value
        if type(value) is float:
            if self.unknown or self.scopes:
                self.say(node, "float", f"the float {value}")
            return NUMBER
        kind = None if value is Ellipsis and self.unknown else of_value(value)
        if kind is None:
            if value is not Ellipsis or self.unknown:
                self.say(node, "literal", f"the literal {_short(node)}")
            return ANY
        return kind

    def _of_namedexpr(self, node: ast.NamedExpr) -> Kind:
        kind = self.of(node.value)
        self._bind(node.target, kind)
        return kind

    def _of_lambda(self, node: ast.Lambda) -> Kind:
        return Kind("inner", self._nested(node))

    def _of_starred(self, node: ast.Starred) -> Kind:
        return self._items(node.value)

    def _of_ifexp(self, node: ast.IfExp) -> Kind:
        self.of(node.test)
        return join(self.of(node.body), self.of(node.orelse))

    def _of_boolop(self, node: ast.BoolOp) -> Kind:
        return joined([self.of(value) for value in node.values])

    def _of_unaryop(self, node: ast.UnaryOp) -> Kind:
        kind = self.of(node.operand)
        if isinstance(node.op, ast.Not):
            return CONDITION
        if isinstance(node.op, ast.Invert):
            self.say(node, "mask", f"`{_short(node)}`")
        self._no_identifier(node.operand, kind)
        return NUMBER

    def _of_tuple(self, node: ast.Tuple) -> Kind:
        if any(isinstance(part, ast.Starred) for part in node.elts):
            return list_of(joined([self.of(part) for part in node.elts]))
        return tuple_of([self.of(part) for part in node.elts])

    def _of_list(self, node: ast.List) -> Kind:
        return list_of(joined([self.of(part) for part in node.elts]))

    def _of_slice(self, node: ast.Slice) -> Kind:
        for part in (node.lower, node.upper, node.step):
            if part is not None:
                self.of(part)
        return Kind("slice")

    def _of_dict(self, node: ast.Dict) -> Kind:
        keys, items = NEVER, NEVER
        for key, value in zip(node.keys, node.values, strict=True):
            kind = self.of(value)
            if key is None:
                if kind.tag == "map":
                    keys, items = join(keys, kind.parts[0]), join(items, kind.parts[1])
                elif self.unknown:
                    self.say(value, "key", f"`**{_short(value)}`, of which the type is not known")
                    items = ANY
                continue
            items, name = join(items, kind), self.of(key)
            self._key(key, ANY, name, storing=True)
            keys = join(keys, name)
        return map_of(keys, items)

    def _comprehension(self, node: Any, *values: ast.expr) -> list[Kind]:
        first, *others = node.generators
        items = self._items(first.iter)
        self.scopes.append({name: NEVER for generator in node.generators for name in _targets(generator.target)})
        self.given.append(set())
        with self._loop(node):
            self._bind(first.target, items)
            for test in first.ifs:
                self.of(test)
            for generator in others:
                self._bind(generator.target, self._items(generator.iter))
                for test in generator.ifs:
                    self.of(test)
            kinds = [self.of(value) for value in values]
        if any(generator.is_async for generator in node.generators):
            self.say(node, "statement", "`async`")
        self.scopes.pop()
        self.given.pop()
        return kinds

    def _of_listcomp(self, node: ast.ListComp) -> Kind:
        return list_of(self._comprehension(node, node.elt)[0])

    def _of_generatorexp(self, node: ast.GeneratorExp) -> Kind:
        return list_of(self._comprehension(node, node.elt)[0])

    def _of_dictcomp(self, node: ast.DictComp) -> Kind:
        key, value = self._comprehension(node, node.key, node.value)
        self._key(node.key, ANY, key, storing=True)
        return map_of(key, value)

    def _items(self, node: ast.expr) -> Kind:
        """Check what is iterated over; returns the kind of its items."""
        kind = self.of(node)
        if kind.tag == "id" and self.unknown:
            self.say(node, "order", f"the letters of `{_short(node)}`")
        return kind.item

    # --- Operators ------------------------------------------------------------------------------------------------

    def _of_binop(self, node: ast.BinOp) -> Kind:
        return self._operation(node, node.op, node.left, node.right)

    def _operation(self, node: ast.AST, op: ast.operator, first: ast.expr, second: ast.expr) -> Kind:
        left, right = self.of(first), self.of(second)
        if isinstance(op, ast.Div):
            self.say(node, "float", "`/`, which makes a float")
            return NUMBER
        if isinstance(op, ast.MatMult):
            self.say(node, "operator", "`@`")
            return ANY
        if isinstance(op, ast.BitOr) and left.tag == right.tag == "map":
            return join(left, right)
        if not self.unknown:
            return joined((left, right)) if isinstance(op, ast.Add | ast.BitOr) else NUMBER
        for part, kind in ((first, left), (second, right)):
            self._no_identifier(part, kind)
        if isinstance(op, ast.Add) and {left.tag, right.tag} & {"list", "tuple"}:
            return list_of(join(left.item, right.item))
        if isinstance(op, ast.Mult) and {left.tag, right.tag} & {"list", "tuple"}:
            self.say(node, "repeat", f"`{_short(first)} * {_short(second)}`")
        if isinstance(op, ast.Pow) and not self._natural(second):
            self.say(node, "power", f"the exponent `{_short(second)}`")
        if isinstance(op, ast.LShift | ast.RShift) and not self._natural(second):
            self.say(node, "shift", f"a shift by `{_short(second)}`")
        if isinstance(op, ast.BitAnd | ast.BitOr | ast.BitXor):
            if left.tag == right.tag == "condition":
                return CONDITION
            if not self._natural(first) and not self._natural(second):
                self.say(node, "mask", f"`{_short(first)}` and `{_short(second)}` bit by bit")
        known = left.tag in NUMERIC or right.tag in NUMERIC or not isinstance(op, ast.Add | ast.BitOr)
        return NUMBER if known else ANY

    def _natural(self, node: ast.expr) -> bool:
        """Whether an expression is a constant that is not negative."""
        if isinstance(node, ast.Constant):
            return type(node.value) is int and node.value >= 0
        if isinstance(node, ast.Name):
            value = None if any(node.id in scope for scope in self.scopes) else self.names.get(node.id)
            return type(value) is int and value >= 0
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mult | ast.FloorDiv | ast.Pow | ast.LShift):
            return self._natural(node.left) and self._natural(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            # Such as 2**64 - 1.
            return self._natural(node.left) and isinstance(node.right, ast.Constant) and node.right.value == 1
        return False

    def _no_identifier(self, node: ast.expr, kind: Kind) -> None:
        if kind.tag == "id" and self.unknown:
            self.say(node, "order", f"the identifier `{_short(node)}`")

    def _of_compare(self, node: ast.Compare) -> Kind:
        parts = [node.left, *node.comparators]
        kinds = [self.of(part) for part in parts]
        for place, op in enumerate(node.ops):
            pair, sides = (kinds[place], kinds[place + 1]), (parts[place], parts[place + 1])
            if isinstance(op, ast.Is | ast.IsNot):
                if not any(isinstance(side, ast.Constant) and side.value is None for side in sides):
                    self.say(node, "is", f"`{_short(node)}`")
            elif isinstance(op, ast.In | ast.NotIn):
                self._membership(sides, pair)
            elif self.unknown:
                if not isinstance(op, ast.Eq | ast.NotEq):
                    for side, kind in zip(sides, pair, strict=True):
                        self._no_identifier(side, kind)
                tags = {pair[0].tag, pair[1].tag}
                if "condition" in tags and tags & {"number", "number id"}:
                    self.say(node, "condition", f"`{_short(node)}`")
        return CONDITION

    def _membership(self, sides: tuple[ast.expr, ast.expr], kinds: tuple[Kind, Kind]) -> None:
        one, many = kinds
        if not self.unknown or many.tag in ("list", "tuple"):
            return
        if many.tag == "map":
            parts = one.parts if one.tag == "tuple" else (one,)
            number_keys = many.parts[0].tag == "number id"
            if all(part.tag == "id" or (part.tag == "number id" and number_keys) for part in parts):
                return
        self.say(sides[0], "in", f"`{_short(sides[0])} in {_short(sides[1])}`")

    # --- Attributes and items -------------------------------------------------------------------------------------

    def _of_subscript(self, node: ast.Subscript) -> Kind:
        held, key = self.of(node.value), self.of(node.slice)
        if held.tag in ("class", "hint", "builtin") and not self.unknown:
            return Kind("hint")
        if held.tag in ("id", *NUMERIC, "function", "class", "step") and self.unknown:
            self.say(node, "order", f"`{_short(node)}`")
            return ANY
        self._key(node.slice, held, key, storing=False)
        if held.tag == "map":
            return held.parts[1].flagged(held.flag)
        if held.tag == "tuple" and isinstance(node.slice, ast.Constant) and type(node.slice.value) is int:
            if -len(held.parts) <= node.slice.value < len(held.parts):
                return held.parts[node.slice.value].flagged(held.flag)
        if held.tag in ("tuple", "list"):
            return list_of(held.item, held.flag) if key.tag == "slice" else held.item
        return ANY.flagged(held.flag)

    def _of_attribute(self, node: ast.Attribute) -> Kind:
        held, name = self.of(node.value), node.attr
        if name.startswith("__"):
            if self.unknown or name != "__name__":
                self.say(node, "dunder", f"`.{name}`")
            return ANY
        found = self._attribute(node, held, name)
        if found is None:
            self.say(node, "attribute", f"`.{name}` of `{_short(node.value)}`")
            return ANY
        return found

    def _attribute(self, node: ast.Attribute, held: Kind, name: str) -> Kind | None:
        tag = held.tag
        if not self.unknown and (name in rules.TEXT_METHODS or name in ("arguments", "returns", "accepted", "rule")):
            return ANY
        if tag == "module":
            value = getattr(held.of, name, None)
            return None if value is None else self._object(node, name, value)
        if tag == "refusal":
            return {"rule": TEXT, "by_action": CONDITION}.get(name)
        if tag == "step" and name in rules.STEP_ATTRIBUTES:
            return TEXT if name == "action" else Kind("of step", name)
        if tag in ("map", "any") and name in rules.MAP_METHODS and (tag == "map" or name != "get"):
            return Kind("of map", name, (held,))
        if tag == "list" and name in rules.LIST_METHODS:
            return Kind("of list", name, (held,))
        if tag == "tuple" and name in rules.TUPLE_METHODS:
            return Kind("of list", name, (held,))
        if tag == "builtin" and held.of == "dict" and name == "fromkeys":
            return Kind("builtin", "dict.fromkeys")
        if tag == "builtin" or tag in NUMERIC or tag in ("id", "map", "list", "tuple", "function", "none", "refusal"):
            return None
        if tag == "class" and not is_data(held.of):
            return None
        if tag in ("record", "class", "super", "any") and name in rules.STATE_METHODS:
            return Kind("of state", name, (held,))
        if name in rules.HISTORY:
            if self.unknown and self._is_state(held):
                self.say(node, "history", f"`{_short(node)}`")
            if name != "previous" or held.tag != "record":
                return ANY if name != "previous" else held
            return held
        member = self.world.member(held, name)
        if member is not None:
            for function in member.functions:
                self.world.refer(function, self.mode)
            if member.kind is not None:
                return member.kind.flagged(max(held.flag, CONSTANT if member.constant else SHARED))
            return Kind("method", name, (held,)) if member.functions else ANY
        if not self.unknown and name in ("universe", "blank", "prelude", "names", "system", "action"):
            return ANY
        if tag == "any" and name in rules.LIST_METHODS and name != "index":
            return Kind("of list", name, (held,))
        if tag == "any" and not self.unknown:
            return ANY
        return None

    def _is_state(self, held: Kind) -> bool:
        return held.tag in ("any", "super") or (held.tag in ("record", "class") and issubclass(held.of, Machine))

    # --- Calls ----------------------------------------------------------------------------------------------------

    def _of_call(self, node: ast.Call) -> Kind:
        called = self.of(node.func)
        skipped = 1 if called.tag == "function" and called.of.__name__ in ("cast", "anything") else 0
        arguments = [self.of(argument) for argument in node.args[skipped:]]
        named = {keyword.arg: self.of(keyword.value) for keyword in node.keywords}
        method: Callable[..., Kind] | None = getattr(self, f"_call_{called.tag.replace(' ', '_')}", None)
        if method is None:
            return ANY
        return method(node, called, arguments, named)

    def _call_inner(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        result = called.of
        return result if isinstance(result, Kind) else ANY

    def _call_identifier_type(
        self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]
    ) -> Kind:
        numeric = base_of(called.of) is int
        given = arguments[0] if arguments else ANY
        if self.unknown and not (numeric and isinstance(node.args[0], ast.Constant)):
            if (numeric and given != Kind("number id", given.of)) or (not numeric and given.tag != "id"):
                self.say(node, "key", f"`{_short(node)}` makes an identifier of what is none")
        return of_hint(called.of)

    def _call_class(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        if not is_data(called.of):
            return STEP if called.of.__name__ == "Step" else ANY
        if self.mode == RULE:
            for value, kind in zip([*node.args, *(k.value for k in node.keywords)], [*arguments, *named.values()], strict=True):
                self._kept(value, kind)
        return Kind("record", called.of)

    def _call_function(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        function = called.of
        name = function.__name__
        if function is typing.cast:
            hint = self._annotated(node.args[0])
            return hint if arguments and arguments[0].tag in ("any", "never") else joined(arguments)
        if is_trusted(function.__module__):
            return self._call_kernel(node, name, function, arguments)
        self._passed(node, self.world.parameters(function), arguments, named)
        return self.world.returns(function, self.mode)

    def _call_kernel(self, node: ast.Call, name: str, function: Any, arguments: list[Kind]) -> Kind:
        if name in ("every", "always"):
            return CONDITION
        if name == "implies":
            return join(CONDITION, arguments[1]) if len(arguments) > 1 else CONDITION
        if name == "refusal":
            return TEXT
        if name == "anything":
            return self._annotated(node.args[0]) if node.args else ANY
        if name == "accepted" and arguments:
            return self._result_of(arguments[0])
        return of_hint(function.__annotations__.get("return")) if function.__module__.endswith(("fixed", "evm")) else ANY

    def _result_of(self, called: Kind) -> Kind:
        if called.tag == "inner" and isinstance(called.of, Kind):
            return called.of
        if called.tag == "function" and not is_trusted(called.of.__module__):
            return self.world.returns(called.of, self.mode)
        return self._call_method(None, called, [], {}) if called.tag == "method" else ANY

    def _call_method(
        self, node: ast.Call | None, called: Kind, arguments: list[Kind], named: dict[Any, Kind]
    ) -> Kind:
        member = self.world.member(called.parts[0], called.of)
        functions = member.functions if member is not None else ()
        for function in functions[:1] if node is not None else ():
            parameters = self.world.parameters(function)
            bound = called.parts[0].tag != "class" or isinstance(vars(called.parts[0].of).get(called.of), classmethod)
            self._passed(node, parameters[1:] if bound else parameters, arguments, named)
        return joined([self.world.returns(function, self.mode) for function in functions]) if functions else ANY

    def _passed(
        self, node: ast.Call | None, parameters: list[tuple[str, Kind]], arguments: list[Kind], named: dict[Any, Kind]
    ) -> None:
        """Check that no number is given for an identifier: then it would be one from there on."""
        if node is None or not self.unknown or any(isinstance(a, ast.Starred) for a in node.args):
            return
        pairs = [(p, k, node.args[n]) for n, (p, k) in enumerate(zip(parameters, arguments, strict=False))]
        by_name = dict(parameters)
        pairs += [((k.arg, by_name[k.arg]), named[k.arg], k.value) for k in node.keywords if k.arg in by_name]
        for (parameter, wanted), kind, value in pairs:
            if wanted.tag == "id" and kind.tag not in ("id", "none", "never", "any"):
                self.say(value, "key", f"`{_short(value)}` is given for the identifier `{parameter}`")

    def _call_of_state(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        held = called.parts[0]
        if called.of == "flatten":
            return list_of(ANY)
        return Kind("record", held.of) if held.tag == "record" else ANY

    def _call_of_step(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        if called.of != "argument":
            return ANY
        name = node.args[0] if node.args else None
        return self.world.argument(name.value) if isinstance(name, ast.Constant) else ANY

    def _call_of_map(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        held = called.parts[0]
        if held.tag != "map":
            return list_of(ANY, held.flag) if called.of != "copy" else ANY
        key, item = held.parts[0], held.parts[1].flagged(held.flag)
        if called.of == "get":
            if arguments:
                self._key(node.args[0], held, arguments[0], storing=True)
            return join(item, arguments[1]) if len(arguments) > 1 else item
        if called.of == "copy":
            return map_of(key, held.parts[1])
        return list_of({"keys": key, "values": item}.get(called.of, tuple_of((key, item))), held.flag)

    def _call_of_list(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        held, receiver = called.parts[0], node.func.value if isinstance(node.func, ast.Attribute) else node.func
        if called.of in ("append", "extend"):
            if held.flag == CONSTANT or self._is_given(receiver):
                self.say(node, "constant", f"`{_short(receiver)}` is changed")
            if arguments and isinstance(receiver, ast.Name) and held.tag == "list":
                added = arguments[0] if called.of == "append" else arguments[0].item
                self._bind(receiver, list_of(added, held.flag))
            return NONE
        return list_of(held.item) if called.of == "copy" else NUMBER

    def _call_builtin(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        first = arguments[0] if arguments else NEVER
        name = called.of
        if name in ("list", "tuple", "sorted", "reversed", "enumerate", "zip", "sum", "min", "max", "all", "any"):
            for value, kind in zip(node.args, arguments, strict=True):
                if kind.tag == "id" and self.unknown:
                    self.say(value, "order", f"`{name}` of the identifier `{_short(value)}`")
        if name in ("min", "max", "sorted", "sum") and self.unknown and "key" not in named:
            if len(arguments) == 1 and first.item.tag == "id":
                self.say(node, "order", f"`{name}` of identifiers")
        if name == "len" and first.tag == "id" and self.unknown:
            self.say(node, "order", f"`len` of the identifier `{_short(node.args[0])}`")
        if name in ("all", "any", "bool"):
            return CONDITION
        if name in ("abs", "len", "sum"):
            return NUMBER
        if name in ("min", "max"):
            return first.item if len(arguments) == 1 else joined([*arguments, *(named.get(n, NEVER) for n in ("default",))])
        if name == "divmod":
            return tuple_of((NUMBER, NUMBER))
        if name == "range":
            return list_of(NUMBER)
        if name == "enumerate":
            return list_of(tuple_of((NUMBER, first.item)))
        if name == "zip":
            return list_of(tuple_of([kind.item for kind in arguments]))
        if name in ("list", "tuple", "sorted", "reversed"):
            return list_of(first.item)
        if name == "super":
            return Kind("super")
        if name in ("dict", "dict.fromkeys"):
            return self._call_dict(node, name, arguments)
        return ANY

    def _call_dict(self, node: ast.Call, name: str, arguments: list[Kind]) -> Kind:
        if not arguments:
            return map_of(TEXT if node.keywords else NEVER, ANY if node.keywords else NEVER)
        first = arguments[0]
        if name == "dict" and first.tag == "map":
            return map_of(*first.parts)
        if name == "dict":
            pair = first.item
            key, item = (pair.parts[0], pair.parts[1]) if pair.tag == "tuple" and len(pair.parts) == 2 else (ANY, ANY)
        else:
            key, item = first.item, arguments[1] if len(arguments) > 1 else NONE
        self._key(node.args[0], ANY, key, storing=True)
        return map_of(key, item)


def _deep(kind: Kind) -> int:
    """How shared a value is, with all that is in it; a number is never."""
    if kind.tag not in ("map", "record", "list", "tuple"):
        return 0
    own = kind.flag if kind.tag in ("map", "record") else 0
    return max([own, *map(_deep, kind.parts)])


def _parameters(node: ast.FunctionDef | ast.Lambda) -> list[ast.arg]:
    given = node.args
    extra = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *extra]


def _bound(node: ast.AST) -> set[str]:
    """The names that a function binds itself."""
    found: set[str] = set()

    def visit(part: ast.AST, comprehension: bool) -> None:
        for child in ast.iter_child_nodes(part):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(child.name)
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store) and not comprehension:
                found.add(child.id)
            if isinstance(child, ast.NamedExpr):
                found.add(child.target.id)
            if isinstance(child, ast.ExceptHandler) and child.name is not None:
                found.add(child.name)
            if isinstance(child, ast.alias):
                found.add((child.asname or child.name).partition(".")[0])
            if not isinstance(child, SCOPES):
                visit(child, comprehension or isinstance(child, COMPREHENSIONS))

    for part in node.body if isinstance(node, ast.FunctionDef) else ():
        visit(ast.Module([part], []), False)
    if isinstance(node, ast.Lambda):
        visit(ast.Module([ast.Expr(node.body)], []), False)
    return found


def _targets(node: ast.expr) -> list[str]:
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]


def _loaded(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute):
        return ast.Attribute(node.value, node.attr, ast.Load(), **_place(node))
    if isinstance(node, ast.Subscript):
        return ast.Subscript(node.value, node.slice, ast.Load(), **_place(node))
    return ast.Name(node.id, ast.Load(), **_place(node)) if isinstance(node, ast.Name) else node


def _place(node: ast.expr) -> dict[str, Any]:
    return {"lineno": node.lineno, "col_offset": node.col_offset}


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def _article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"
