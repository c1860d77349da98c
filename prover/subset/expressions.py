"""The check of expressions: literals, operators, items, comprehensions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from marginspec.prover.subset.calls import Calls
from marginspec.prover.subset.kinds import (
    ANY,
    CONDITION,
    NEVER,
    NUMBER,
    SHARED,
    TEXT,
    Kind,
    join,
    joined,
    list_of,
    map_of,
    of_value,
    tuple_of,
)
from marginspec.prover.subset.names import NUMERIC, short


class Expressions(Calls):
    """Checks expressions, and gives their kinds."""

    # --- Expressions ----------------------------------------------------------------------------------------------

    def of(self, node: ast.expr) -> Kind:
        """Check an expression; returns its kind."""
        kind = self._of(node)
        if kind.tag == "view" and self.unknown:
            self.say(node, "view", f"`{short(node)}`")
        return _as_list(kind)

    def _taken(self, node: ast.expr) -> Kind:
        """Check an expression all of which is taken right there, as of a map that cannot change meanwhile."""
        return _as_list(self._of(node))

    def _of(self, node: ast.expr) -> Kind:
        method: Callable[[Any], Kind] | None = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if method is not None:
            return method(node)
        rule = {"JoinedStr": "text", "Set": "set", "SetComp": "set"}.get(type(node).__name__, "statement")
        if rule == "text" and not self.unknown:
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.FormattedValue):
                    self.of(part.value)
            return TEXT
        words = {"text": "an f-string", "set": f"the set `{short(node)}`"}
        self.say(node, rule, words.get(rule, f"`{type(node).__name__.lower()}`"))
        return list_of(ANY) if rule == "set" else ANY

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
                self.say(node, "literal", f"the literal {short(node)}")
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
            self.say(node, "mask", f"`{short(node)}`")
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
            kind = self._part(value, self.of(value))
            if key is None:
                if kind.tag == "map":
                    keys, items = join(keys, kind.parts[0]), join(items, kind.parts[1])
                elif self.unknown:
                    self.say(value, "key", f"`**{short(value)}`, of which the type is not known")
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
        return map_of(key, self._part(node.value, value))

    def _items(self, node: ast.expr) -> Kind:
        """Check what is iterated over; returns the kind of its items."""
        kind = self._taken(node)
        if kind.tag == "id" and self.unknown:
            self.say(node, "order", f"the letters of `{short(node)}`")
        self._no_part(node, kind)
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
            self.say(node, "repeat", f"`{short(first)} * {short(second)}`")
        if isinstance(op, ast.Pow) and not self._natural(second):
            self.say(node, "power", f"the exponent `{short(second)}`")
        if isinstance(op, ast.LShift | ast.RShift) and not self._natural(second):
            self.say(node, "shift", f"a shift by `{short(second)}`")
        if isinstance(op, ast.BitAnd | ast.BitOr | ast.BitXor):
            if left.tag == right.tag == "condition":
                return CONDITION
            if not self._natural(first) and not self._natural(second):
                self.say(node, "mask", f"`{short(first)}` and `{short(second)}` bit by bit")
        known = left.tag in NUMERIC or right.tag in NUMERIC or not isinstance(op, ast.Add | ast.BitOr)
        return NUMBER if known else ANY

    def _natural(self, node: ast.expr) -> bool:
        """Whether an expression is a constant that is not negative."""
        if isinstance(node, ast.Constant):
            return type(node.value) is int and node.value >= 0
        if isinstance(node, ast.Name):
            value = None if any(node.id in scope for scope in self.scopes) else self.names.get(node.id)
            return type(value) is int and value >= 0
        if isinstance(node, ast.BinOp) and isinstance(
            node.op, ast.Add | ast.Mult | ast.FloorDiv | ast.Pow | ast.LShift
        ):
            return self._natural(node.left) and self._natural(node.right)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            # Such as 2**64 - 1.
            return self._natural(node.left) and isinstance(node.right, ast.Constant) and node.right.value == 1
        return False

    def _no_identifier(self, node: ast.expr, kind: Kind) -> None:
        if kind.tag == "id" and self.unknown:
            self.say(node, "order", f"the {'text' if isinstance(node, ast.Constant) else 'identifier'} `{short(node)}`")

    def _of_compare(self, node: ast.Compare) -> Kind:
        parts = [node.left, *node.comparators]
        many = [place for place, op in enumerate(node.ops, 1) if isinstance(op, ast.In | ast.NotIn)]
        kinds = [self._taken(part) if place in many else self.of(part) for place, part in enumerate(parts)]
        for place, op in enumerate(node.ops):
            pair, sides = (kinds[place], kinds[place + 1]), (parts[place], parts[place + 1])
            if isinstance(op, ast.Is | ast.IsNot):
                if not any(isinstance(side, ast.Constant) and side.value is None for side in sides):
                    self.say(node, "is", f"`{short(node)}`")
            elif isinstance(op, ast.In | ast.NotIn):
                self._membership(sides, pair)
            elif self.unknown:
                if not isinstance(op, ast.Eq | ast.NotEq):
                    for side, kind in zip(sides, pair, strict=True):
                        self._no_identifier(side, kind)
                tags = {pair[0].tag, pair[1].tag}
                if "flat" in tags and len(tags) > 1:
                    self.say(node, "flat", f"`{short(node)}`")
                if "condition" in tags and tags & {"number", "number id"}:
                    self.say(node, "condition", f"`{short(node)}`")
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
        self.say(sides[0], "in", f"`{short(sides[0])} in {short(sides[1])}`")

    # --- Items ----------------------------------------------------------------------------------------------------

    def _of_subscript(self, node: ast.Subscript) -> Kind:
        held, key = self.of(node.value), self.of(node.slice)
        self._no_part(node, held)
        if held.tag in ("class", "hint", "builtin") and not self.unknown:
            return Kind("hint")
        if held.tag in ("id", *NUMERIC, "function", "class", "step") and self.unknown:
            self.say(node, "order", f"`{short(node)}`")
            return ANY
        self._key(node.slice, held, key, storing=False)
        if held.tag == "map":
            return held.parts[1].flagged(max(held.flag, SHARED))
        place = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if held.tag == "tuple" and type(place) is int and -len(held.parts) <= place < len(held.parts):
            return held.parts[place].flagged(max(held.flag, SHARED))
        if held.tag in ("tuple", "list"):
            return list_of(held.item, held.flag) if key.tag == "slice" else held.item.flagged(SHARED)
        return ANY.flagged(held.flag)


def _targets(node: ast.expr) -> list[str]:
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]


def _as_list(kind: Kind) -> Kind:
    return list_of(kind.parts[0], kind.flag) if kind.tag == "view" else kind
