"""The check of one function: every statement of it, by the kinds of its values."""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from marginspec.model.kernel.machine import Rejected
from marginspec.prover.subset.expressions import Expressions
from marginspec.prover.subset.kinds import CONSTANT, NEVER, NONE, SHARED, Kind, joined
from marginspec.prover.subset.names import RULE, deep, short

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
WALKS = 5
"""How often a function is walked before what is not known by then is given up."""
REPEATING = (ast.For, ast.While, ast.FunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Body(Expressions):
    """Walks one function, or expressions of a module; first in silence where a name may be used before it is bound."""

    # --- From outside ---------------------------------------------------------------------------------------------

    def function(self, node: ast.FunctionDef | ast.Lambda, given: dict[str, Kind], aloud: bool) -> Kind:
        """Walk a function with parameters of these kinds; returns the kind of its result."""
        names, repeats = _bound(node)
        scope, self.aloud = {**dict.fromkeys(names, NEVER), **given}, False
        self.scopes_of = {id(node): scope}
        for again in range(1_000 if repeats else 0):
            before = {place: dict(known) for place, known in self.scopes_of.items()}
            self._inside(node, scope, set(given))
            if before == self.scopes_of:
                break
            if again > WALKS:
                self._give_up(before)
        self.aloud, self.stored = aloud, set()
        return self._inside(node, scope, set(given))

    def _give_up(self, before: dict[int, dict[str, Kind]]) -> None:
        """What is still not known, such as a list of lists of lists of …, is nothing that is known."""
        for place, scope in self.scopes_of.items():
            for name, kind in scope.items():
                if kind != before.get(place, {}).get(name):
                    scope[name] = Kind("any", None, (), kind.flag)

    def expression(self, node: ast.expr) -> Kind:
        """Walk an expression of a module, aloud."""
        self.aloud = True
        return self.of(node)

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        ended = False
        for node in nodes:
            if ended:
                self.say(node, "dead", f"`{short(node)}`")
            ended = _ends(node)
            self.statement(node)

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
        scope = self.scopes_of.setdefault(id(node), {**dict.fromkeys(_bound(node)[0], NEVER), **given})
        return self._inside(node, scope, set(given))

    def _defaults(self, node: ast.FunctionDef | ast.Lambda) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None and self.of(default).tag in ("map", "list", "record", "any"):
                self.say(default, "default", f"the default `{short(default)}`")

    @contextmanager
    def _loop(self, node: ast.AST) -> Iterator[None]:
        self.loops.append(id(node))
        yield
        self.loops.pop()

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
        kind = NONE if node.value is None else self.of(node.value)
        if node.value is not None:
            self._no_part(node.value, kind)
        self.results[-1].append(kind)

    def _do_if(self, node: ast.If) -> None:
        if isinstance(node.test, ast.Constant):
            self.say(node, "dead", f"a branch of `if {short(node.test)}`")
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
            self.say(decorator, "decorator", f"`@{short(decorator)}` inside a function")
        result = self._nested(node)
        self._bind(ast.copy_location(ast.Name(node.name, ast.Store()), node), Kind("inner", result))

    def _do_assign(self, node: ast.Assign) -> None:
        parts = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else []
        values = node.value.elts if isinstance(node.value, ast.Tuple) else []
        starred = any(isinstance(part, ast.Starred) for part in [*parts, *values])
        if len(node.targets) == 1 and values and len(parts) == len(values) and not starred:
            for target, value in zip(parts, values, strict=True):
                self._assign(target, self.of(value), value)
            return
        kind = self._taken(node.value) if parts else self.of(node.value)
        if parts:
            self._no_part(node.value, kind)
        for target in node.targets:
            self._assign(target, kind if len(node.targets) == 1 else kind.flagged(SHARED), node.value)

    def _do_annassign(self, node: ast.AnnAssign) -> None:
        declared = self._annotated(node.annotation)
        if node.value is not None:
            kind = self.of(node.value)
            self._assign(node.target, declared if kind.tag in ("any", "never") else kind, node.value)

    def _assign(self, target: ast.expr, kind: Kind, value: ast.expr) -> None:
        if isinstance(target, ast.Attribute | ast.Subscript):
            self._store(target, kind, value)
        else:
            self._bind(target, self._part(value, kind))

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
            self._store(target, kind, node.value if kind.tag in ("map", "list", "record") else None)

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
            self.say(node, "raise", f"`raise {short(raised)}`")

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
                caught = "" if handler.type is None else f" {short(handler.type)}"
                self.say(handler, "try", f"`except{caught}`")
            if handler.name is not None:
                self._bind(ast.copy_location(ast.Name(handler.name, ast.Store()), handler), Kind("refusal"))
            self.handling += 1
            self.statements(handler.body)
            self.handling -= 1
        self.statements([*node.orelse, *node.finalbody])

    # --- Changes --------------------------------------------------------------------------------------------------

    def _store(self, target: ast.expr, kind: Kind, value: ast.expr | None) -> None:
        """Check a change of an attribute or of an item."""
        if isinstance(target, ast.Attribute):
            self._store_attribute(target)
        elif isinstance(target, ast.Subscript):
            held, key = self.of(target.value), self.of(target.slice)
            if held.flag == CONSTANT:
                self.say(target, "constant", f"`{short(target.value)}` is changed")
            elif held.tag in ("map", "list", "any") and self._is_given(target.value):
                self.say(target, "constant", f"`{short(target.value)}`, which was given, is changed")
            elif held.tag not in ("map", "list", "any"):
                self.say(target, "hidden", f"`{short(target)}` is set")
            elif held.tag == "any" and not isinstance(target.value, ast.Name | ast.Attribute | ast.Subscript):
                self.say(target, "constant", f"`{short(target.value)}` is changed")
            self._key(target.slice, held, key, storing=True)
        if self.mode == RULE and (value is not None or deep(kind)):
            self._kept(target if value is None else value, kind)

    def _store_attribute(self, target: ast.Attribute) -> None:
        held = self.of(target.value)
        self._named(target, target.attr)
        member = self.world.member(held, target.attr) if held.tag in ("record", "any") else None
        if member is None or member.kind is None or member.functions:
            self.say(target, "hidden", f"`{short(target)}` is set")
        elif held.flag == CONSTANT or member.constant:
            self.say(target, "constant", f"`{short(target)}` is changed")
        elif held.tag == "record" and held.of in self.world.constant_classes and held.flag:
            self.say(target, "constant", f"`{short(target)}` of a {held.of.__name__}, which is constant, is changed")


def _ends(node: ast.stmt) -> bool:
    """Whether what stands after a statement is never reached."""
    if isinstance(node, ast.If):
        return any(map(_ends, node.body)) and any(map(_ends, node.orelse))
    if isinstance(node, ast.While):
        always = isinstance(node.test, ast.Constant) and bool(node.test.value)
        return always and not any(isinstance(part, ast.Break) for part in ast.walk(node))
    return isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue)


def _parameters(node: ast.FunctionDef | ast.Lambda) -> list[ast.arg]:
    given = node.args
    extra = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *extra]


@functools.lru_cache(maxsize=10_000)
def _bound(node: ast.AST) -> tuple[frozenset[str], bool]:
    """The names that a function binds itself, and whether something in it can run later or again."""
    found: set[str] = set()
    repeats = False
    waiting: list[tuple[Any, bool]] = [(part, False) for part in _body(node)]
    while waiting:
        part, inside = waiting.pop()
        kind = type(part)
        if kind is ast.Name:
            if not inside and type(part.ctx) is ast.Store:
                found.add(part.id)
            continue
        if kind is ast.Constant:
            continue
        repeats = repeats or kind in REPEATING
        if kind in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            found.add(part.name)
        elif kind is ast.NamedExpr:
            found.add(part.target.id)
        elif kind is ast.ExceptHandler and part.name is not None:
            found.add(part.name)
        elif kind is ast.alias:
            found.add((part.asname or part.name).partition(".")[0])
        if kind in SCOPES:
            continue
        inside = inside or kind in COMPREHENSIONS
        for name in part._fields:
            value = getattr(part, name)
            if type(value) is list:
                waiting += [(child, inside) for child in value if isinstance(child, ast.AST)]
            elif isinstance(value, ast.AST):
                waiting.append((value, inside))
    return frozenset(found), repeats


def _body(node: ast.AST) -> list[Any]:
    if isinstance(node, ast.Lambda):
        return [node.body]
    return list(node.body) if isinstance(node, ast.FunctionDef) else []


def _loaded(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Attribute):
        return ast.Attribute(node.value, node.attr, ast.Load(), **_place(node))
    if isinstance(node, ast.Subscript):
        return ast.Subscript(node.value, node.slice, ast.Load(), **_place(node))
    return ast.Name(node.id, ast.Load(), **_place(node)) if isinstance(node, ast.Name) else node


def _place(node: ast.expr) -> dict[str, Any]:
    return {"lineno": node.lineno, "col_offset": node.col_offset}
