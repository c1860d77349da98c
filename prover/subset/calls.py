"""The check of attributes and calls."""

from __future__ import annotations

import ast
import typing
from collections.abc import Callable, Iterable
from typing import Any

from marginspec.model.kernel.machine import Machine
from marginspec.prover.subset import rules
from marginspec.prover.subset.kinds import (
    ANY,
    CONDITION,
    CONSTANT,
    FLAT,
    NEVER,
    NONE,
    NUMBER,
    SHARED,
    STEP,
    TEXT,
    Kind,
    base_of,
    join,
    joined,
    list_of,
    map_of,
    of_hint,
    tuple_of,
    view_of,
)
from marginspec.prover.subset.names import NUMERIC, RULE, Names, short
from marginspec.prover.subset.sources import is_data, is_trusted


class Calls(Names):
    """Checks what attributes and calls are, and gives their kinds."""

    # --- Attributes and items -------------------------------------------------------------------------------------

    def _of_attribute(self, node: ast.Attribute) -> Kind:
        held, name = self.of(node.value), node.attr
        if name.startswith("__"):
            if self.unknown or name != "__name__":
                self.say(node, "dunder", f"`.{name}`")
            return ANY
        found = self._attribute(node, held, name)
        if found is None:
            self.say(node, "attribute", f"`.{name}` of `{short(node.value)}`")
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
                self.say(node, "history", f"`{short(node)}`")
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
        of = self._taken if called.tag == "builtin" else self.of
        arguments = [of(argument) for argument in node.args[skipped:]]
        named = {keyword.arg: self.of(keyword.value) for keyword in node.keywords}
        values = [*node.args[skipped:], *(keyword.value for keyword in node.keywords)]
        for value, kind in zip(values, [*arguments, *named.values()], strict=False):
            self._no_part(value, kind)
        method: Callable[..., Kind] | None = getattr(self, f"_call_{called.tag.replace(' ', '_')}", None)
        if method is None:
            return ANY
        return method(node, called, arguments, named)

    def _no_part(self, node: ast.expr, kind: Kind) -> None:
        if kind == FLAT and self.unknown:
            self.say(node, "flat", f"`{short(node)}`")

    def _call_inner(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        result, given = called.of, [*arguments, *named.values()]
        if not isinstance(result, Kind):
            return ANY
        return _from(joined(given) if result.tag == "any" and given else result.flagged(SHARED), given)

    def _call_identifier_type(
        self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]
    ) -> Kind:
        numeric = base_of(called.of) is int
        given = arguments[0] if arguments else ANY
        is_literal = numeric and bool(node.args) and isinstance(node.args[0], ast.Constant)
        if self.unknown and not is_literal and given.tag != ("number id" if numeric else "id"):
            self.say(node, "key", f"`{short(node)}` makes an identifier of what is none")
        return of_hint(called.of)

    def _call_class(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        if not is_data(called.of):
            return STEP if called.of.__name__ == "Step" else ANY
        if self.mode == RULE:
            for value, kind in zip(
                [*node.args, *(k.value for k in node.keywords)], [*arguments, *named.values()], strict=True
            ):
                self._kept(value, kind)
        return Kind("record", called.of)

    def _call_function(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        function = called.of
        name = function.__name__
        if function is typing.cast:
            hint = self._annotated(node.args[0])
            return hint if arguments and arguments[0].tag in ("any", "never") else joined(arguments).flagged(SHARED)
        if is_trusted(function.__module__):
            return self._call_kernel(node, name, function, arguments)
        self._passed(node, self.world.parameters(function), arguments, named)
        return _from(self.world.returns(function, self.mode), [*arguments, *named.values()])

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
        return (
            of_hint(function.__annotations__.get("return")) if function.__module__.endswith(("fixed", "evm")) else ANY
        )

    def _result_of(self, called: Kind) -> Kind:
        if called.tag == "inner" and isinstance(called.of, Kind):
            return called.of
        if called.tag == "function" and not is_trusted(called.of.__module__):
            return self.world.returns(called.of, self.mode)
        return self._call_method(None, called, [], {}) if called.tag == "method" else ANY

    def _call_method(self, node: ast.Call | None, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        member = self.world.member(called.parts[0], called.of)
        functions = member.functions if member is not None else ()
        for function in functions[:1] if node is not None else ():
            parameters = self.world.parameters(function)
            bound = called.parts[0].tag != "class" or isinstance(vars(called.parts[0].of).get(called.of), classmethod)
            self._passed(node, parameters[1:] if bound else parameters, arguments, named)
        result = joined([self.world.returns(function, self.mode) for function in functions]) if functions else ANY
        return _from(result, [*arguments, *named.values()])

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
                self.say(value, "key", f"`{short(value)}` is given for the identifier `{parameter}`")
            if wanted.tag == "any" and not _may_be_any(kind):
                self.say(value, "any", f"`{short(value)}`, given for `{parameter}`")

    def _call_of_state(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        held = called.parts[0]
        if called.of == "flatten":
            return FLAT
        return Kind("record", held.of) if held.tag == "record" else ANY

    def _call_of_step(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        if called.of != "argument":
            return ANY
        name = node.args[0] if node.args else None
        literal = name.value if isinstance(name, ast.Constant) else None
        return self.world.argument(literal) if isinstance(literal, str) else ANY

    def _call_of_map(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        held = called.parts[0]
        if held.tag != "map":
            return view_of(ANY, held.flag) if called.of != "copy" else ANY
        key, item = held.parts[0], held.parts[1].flagged(max(held.flag, SHARED))
        if called.of == "get":
            if arguments:
                self._key(node.args[0], held, arguments[0], storing=True)
            return join(item, arguments[1]) if len(arguments) > 1 else item
        if called.of == "copy":
            return map_of(key, held.parts[1])
        return view_of({"keys": key, "values": item}.get(called.of, tuple_of((key, item))), held.flag)

    def _call_of_list(self, node: ast.Call, called: Kind, arguments: list[Kind], named: dict[Any, Kind]) -> Kind:
        held, receiver = called.parts[0], node.func.value if isinstance(node.func, ast.Attribute) else node.func
        if called.of in ("append", "extend"):
            if held.flag == CONSTANT or self._is_given(receiver):
                self.say(node, "constant", f"`{short(receiver)}` is changed")
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
                    self.say(value, "order", f"`{name}` of the identifier `{short(value)}`")
        ordered = name in ("min", "max", "sorted", "sum") and "key" not in named and len(arguments) == 1
        if ordered and self.unknown and first.item.tag == "id":
            self.say(node, "order", f"`{name}` of identifiers")
        compared = first.item if len(arguments) == 1 else joined(arguments)
        if name in ("min", "max", "sorted") and "key" not in named and self.unknown and _tells_apart(compared):
            self.say(node, "order", f"`{name}` of what is no number")
        if name == "len" and first.tag == "id" and self.unknown:
            self.say(node, "order", f"`len` of the identifier `{short(node.args[0])}`")
        if name in ("all", "any", "bool"):
            return CONDITION
        if name in ("abs", "len", "sum"):
            return NUMBER
        if name in ("min", "max"):
            least = first.item if len(arguments) == 1 else joined(arguments)
            return join(least, named.get("default", NEVER)).flagged(SHARED)
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
            return map_of(first.parts[0], first.parts[1])
        if name == "dict":
            pair = first.item
            key, item = (pair.parts[0], pair.parts[1]) if pair.tag == "tuple" and len(pair.parts) == 2 else (ANY, ANY)
        else:
            key, item = first.item, arguments[1].flagged(SHARED) if len(arguments) > 1 else NONE
        self._key(node.args[0], ANY, key, storing=True)
        return map_of(key, item)


def _from(result: Kind, given: Iterable[Kind]) -> Kind:
    """What a function made of something: it may be that, or part of it, and is as constant."""
    return result.flagged(CONSTANT) if any(kind.shared == CONSTANT for kind in given) else result


def _may_be_any(kind: Kind) -> bool:
    """Whether something can be given for an argument without a type: a machine, which has all that is asked of it."""
    if kind.tag == "record":
        return issubclass(kind.of, Machine)
    return kind.tag in ("any", "function", "inner", "method", "never", "none", "step")


def _tells_apart(kind: Kind) -> bool:
    """Whether one of two equal things can be told from the other, by what is written to it, or has no order."""
    return kind.tag in ("record", "map", "id") or any(map(_tells_apart, kind.parts))
