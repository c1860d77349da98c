"""The copy of a model that tells what it decides, made from the syntax tree of the model's own text."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any, cast

from marginspec.base.errors import BadInput
from marginspec.conformance.recorder import Recorder, Spot, Traced
from marginspec.lockstep.rules_reached import texts_of
from marginspec.model.kernel.machine import Machine, actions_of, per_model


class Untraced(BadInput):
    """The text of a model has something in it of which no paths are told."""


Function = ast.FunctionDef
Known = Callable[[ast.expr], str | None]
"""The key of the function of the model that an expression such as `self._move` or `mul_div_down` is."""


@per_model
def traced(model: type[Machine]) -> Traced:
    """The copy of a model that tells its paths. Records, identifiers and constants are shared with the model."""
    return _Copy(model).traced()


class _Copy:
    """The modules of a model, copied."""

    def __init__(self, model: type[Machine]) -> None:
        core = texts_of(Machine)
        self._model = model
        self._modules = {m.__name__: m for m in texts_of(model) if m not in core and _decides(m)}
        self._recorder = Recorder()
        self._copies: dict[str, ModuleType] = {}
        self._used = _used_by_actions(model, self._modules.values())
        self._methods = {n for base in model.__mro__ if _is_machine(base) for n in vars(base)}

    def traced(self) -> Traced:
        home = self._copy(self._model.__module__)
        return Traced(vars(home)[self._model.__name__], self._recorder)

    def _copy(self, name: str) -> ModuleType:
        """A module of the model, copied after those that it imports from."""
        if name in self._copies:
            return self._copies[name]
        module = self._modules[name]
        namespace = {k: v for k, v in vars(module).items() if not k.startswith("__")}
        for key, value in namespace.items():
            home = getattr(value, "__module__", None)
            if home in self._modules and home != name and (inspect.isfunction(value) or _is_machine(value)):
                namespace[key] = vars(self._copy(home))[value.__name__]
        copied = self._copies[name] = ModuleType(f"{name}__traced")
        vars(copied).update(namespace, __recorder__=self._recorder)
        sys.modules[copied.__name__] = copied  # where annotations are looked up
        tree = ast.parse(inspect.getsource(module))
        machines = [n for n in tree.body if isinstance(n, ast.ClassDef) and _is_machine(vars(module)[n.name])]
        functions = [n for n in tree.body if isinstance(n, Function)]
        file = "/".join(name.split(".")[1:]) + ".py"
        for function in functions:
            self._instrument(function, f"{name}.{function.name}", file, module)
        for machine in machines:
            for method in machine.body:
                if isinstance(method, Function):
                    self._instrument(method, f"self.{method.name}", file, module)
        future = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
        again = ast.fix_missing_locations(ast.Module([*future, *functions, *machines], []))
        exec(compile(again, f"<{copied.__name__}>", "exec", dont_inherit=True), vars(copied))
        for function in functions:
            self._recorder.keys[vars(copied)[function.name]] = f"{name}.{function.name}"
        return copied

    def _instrument(self, function: Function, key: str, file: str, module: ModuleType) -> None:
        if function.name in self._used:
            known = _known(module, self._modules, self._methods)
            self._recorder.stores[key] = frozenset(_stores(function))
            self._recorder.regions[key] = _Instrument(self._recorder, file, function.name, key, known).whole(function)


def _known(module: ModuleType, modules: dict[str, ModuleType], methods: set[str]) -> Known:
    def known(function: ast.expr) -> str | None:
        if isinstance(function, ast.Name):
            value = vars(module).get(function.id)
            home = getattr(value, "__module__", None)
            return f"{home}.{value.__name__}" if inspect.isfunction(value) and home in modules else None
        if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "self":
            return f"self.{function.attr}" if function.attr in methods else None
        return None

    return known


def _used_by_actions(model: type[Machine], modules: Iterable[ModuleType]) -> set[str]:
    """The names of the functions that actions are or use, directly or through others."""
    uses: dict[str, set[str]] = {}
    for module in modules:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, Function):
                parts = [part for statement in node.body for part in ast.walk(statement)]
                names = {str(getattr(part, "attr", getattr(part, "id", ""))) for part in parts}
                uses[node.name] = uses.get(node.name, set()) | names
    found: set[str] = set()
    todo = list(actions_of(model))
    while todo:
        name = todo.pop()
        if name in uses and name not in found:
            found.add(name)
            todo += uses[name]
    return found


def _is_machine(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Machine) and value is not Machine


def _decides(module: ModuleType) -> bool:
    """Whether a module has rules, or arithmetic that decides or rounds something."""
    tree = ast.parse(inspect.getsource(module))
    if any(isinstance(n, ast.ClassDef) and _is_machine(vars(module).get(n.name)) for n in tree.body):
        return True
    functions = [n for n in tree.body if isinstance(n, Function)]
    telling = ast.If | ast.IfExp | ast.Compare | ast.FloorDiv
    return any(isinstance(part, telling) for f in functions for part in ast.walk(f))


class _Instrument(ast.NodeTransformer):
    """Lets one function tell what it decides. The names of methods are those that `ast` asks for."""

    def __init__(self, recorder: Recorder, file: str, function: str, key: str, known: Known) -> None:
        self._recorder, self._file, self._function, self._known = recorder, file, function, known
        self._key = key
        self._regions: list[int] = []
        self._locals: set[str] = set()
        self._whole: ast.AST = ast.Module([], [])

    def whole(self, function: Function) -> int:
        """Instrument a function; its spot."""
        spot = self._spot("function", function, text=function.name)
        self._whole = function
        self._regions.append(spot)
        names = [part for part in ast.walk(function) if isinstance(part, ast.Name)]
        self._locals = {name.id for name in names if isinstance(name.ctx, ast.Store)}
        function.body = self._block(function.body)
        return spot

    def _spot(
        self, kind: str, node: ast.AST, text: str = "", refuses: str | None = None, calls: str | None = None
    ) -> int:
        spots = self._recorder.spots
        shown = text or " ".join(ast.unparse(node).split())
        spots.append(
            Spot(
                len(spots),
                kind,
                self._function,
                self._file,
                getattr(node, "lineno", 0),
                shown,
                refuses,
                calls,
                self._key,
            )
        )
        return spots[-1].number

    def _tell(self, what: str, spot: int, *rest: ast.expr) -> ast.Call:
        function = ast.Attribute(ast.Name("__recorder__", ast.Load()), what, ast.Load())
        return ast.Call(function, [ast.Constant(spot), ast.Constant(self._regions[-1]), *rest], [])

    def _block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        return [self.visit(statement) for statement in statements]

    # --- Decisions ---------------------------------------------------------------------------------------------------

    def _decision(self, node: ast.expr, refuses: str | None = None, told: str = "decided") -> ast.expr:
        """A truth that is asked for. refuses: the rule by which the code refuses if it holds."""
        if isinstance(node, ast.Constant):
            return node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ast.UnaryOp(node.op, self._decision(node.operand))
        if isinstance(node, ast.BoolOp):
            alone = refuses if isinstance(node.op, ast.Or) else None
            return ast.BoolOp(node.op, [self._decision(value, alone, "asked") for value in node.values])
        if isinstance(node, ast.Compare):
            return self._compared(node, refuses)
        return self._tell(told, self._spot("decision", node, refuses=refuses), self.visit(node))

    def _comparison(self, node: ast.Compare, refuses: str | None) -> ast.expr:
        """`a <= b <= c` is two decisions; what stands in the middle is computed once."""
        texts = [ast.unparse(operand) for operand in (node.left, *node.comparators)]
        parts: list[ast.expr] = []
        left, *operands = [self.visit(operand) for operand in (node.left, *node.comparators)]
        alone = refuses if len(node.ops) == 1 else None
        for at, (op, right) in enumerate(zip(node.ops, operands, strict=True)):
            sign = ast.unparse(ast.Compare(ast.Name("_"), [op], [ast.Name("_")]))[2:-2]  # "<" of "_ < _"
            spot = self._spot("decision", node, f"{texts[at]} {sign} {texts[at + 1]}", alone)
            following = right
            if at < len(operands) - 1:
                name = f"__middle_{spot}"
                right, following = ast.NamedExpr(ast.Name(name, ast.Store()), right), ast.Name(name, ast.Load())
            parts.append(self._tell("compared", spot, ast.Constant(sign), left, right))
            left = following
        return parts[0] if len(parts) == 1 else ast.BoolOp(ast.And(), parts)

    def _compared(self, node: ast.Compare, refuses: str | None) -> ast.expr:
        """`x in (a, b)` is `x == a or x == b`: a decision for each; what stands on the left is computed once."""
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.In | ast.NotIn):
            return self._comparison(node, refuses)
        (options,) = node.comparators
        if not isinstance(options, ast.Tuple | ast.List | ast.Set) or not options.elts:
            return self._comparison(node, refuses)
        name = f"__sought_{len(self._recorder.spots)}"
        parts: list[ast.expr] = []
        for option in options.elts:
            text = f"{ast.unparse(node.left)} == {ast.unparse(option)}"
            spot = self._spot("decision", node, text, refuses if isinstance(node.ops[0], ast.In) else None)
            left = (
                ast.Name(name, ast.Load())
                if parts
                else ast.NamedExpr(ast.Name(name, ast.Store()), self.visit(node.left))
            )
            parts.append(self._tell("compared", spot, ast.Constant("=="), left, self.visit(option)))
        found = parts[0] if len(parts) == 1 else ast.BoolOp(ast.Or(), parts)
        return found if isinstance(node.ops[0], ast.In) else ast.UnaryOp(ast.Not(), found)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return self._compared(node, None)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        return self._decision(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        return self._decision(node) if isinstance(node.op, ast.Not) else cast(ast.expr, self.generic_visit(node))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        spot = self._spot("division", node) if isinstance(node.op, ast.FloorDiv) else -1
        left, right = self.visit(node.left), self.visit(node.right)
        return self._tell("divided", spot, left, right) if spot >= 0 else ast.BinOp(left, node.op, right)

    def visit_If(self, node: ast.If) -> ast.stmt:
        node.test = self._decision(node.test, _refusal(node.body))
        node.body, node.orelse = self._block(node.body), self._block(node.orelse)
        return node

    def visit_While(self, node: ast.While) -> ast.stmt:
        raise Untraced(f"{self._file}:{node.lineno}: paths are told of loops over keys only, not of `while`")

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return ast.IfExp(self._decision(node.test), self.visit(node.body), self.visit(node.orelse))

    # --- Calls and ends ----------------------------------------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> ast.expr:
        key = self._known(node.func)
        if isinstance(node.func, ast.Name) and node.func.id in ("min", "max") and len(node.args) > 1:
            told = "least" if node.func.id == "min" else "most"
            spot = self._spot("decision", node)
            return self._tell(told, spot, *[self.visit(argument) for argument in node.args])
        if isinstance(node.func, ast.Name) and node.func.id == "sorted" and len(node.args) == 1 and not node.keywords:
            arranged = ast.Attribute(ast.Name("__recorder__", ast.Load()), "arranged", ast.Load())
            return ast.Call(arranged, [self.visit(node.args[0])], [])
        if key is None and not (isinstance(node.func, ast.Name) and node.func.id in self._locals):
            return cast(ast.expr, self.generic_visit(node))
        spot = self._spot("call", node, calls=key)
        given = [self.visit(argument) for argument in node.args]
        if key is None:
            call = self._tell("chosen", spot, node.func, *given)
        else:
            call = self._tell("call", spot, ast.Constant(key), node.func, *given)
        call.keywords = [ast.keyword(k.arg, self.visit(k.value)) for k in node.keywords]
        return call

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        if node.exc is not None:
            node.exc = self._tell("refusal", self._spot("refusal", node.exc), self.visit(node.exc))
        return node

    def visit_Return(self, node: ast.Return) -> ast.stmt:
        value = ast.Constant(None) if node.value is None else self.visit(node.value)
        if len(self._regions) > 1:
            outer = ast.Tuple([ast.Constant(region) for region in reversed(self._regions[:-1])], ast.Load())
            value = self._tell("leaves", self._spot("return", node), outer, value)
        return ast.copy_location(ast.Return(value), node)

    # --- Loops -------------------------------------------------------------------------------------------------------

    def _only_checks(self, loop: ast.For) -> bool:
        """Whether a loop does nothing but refuse: it stores nothing, and names nothing that is used elsewhere."""
        inside = [part for statement in loop.body for part in ast.walk(statement)]
        given = {part.id for part in ast.walk(loop.target) if isinstance(part, ast.Name)}
        given |= {part.id for part in inside if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
        used = [part.id for part in ast.walk(self._whole) if isinstance(part, ast.Name) and part.id in given]
        here = [
            part.id for part in [*inside, *ast.walk(loop.target)] if isinstance(part, ast.Name) and part.id in given
        ]
        stored = any(
            isinstance(getattr(part, "ctx", None), ast.Store) and not isinstance(part, ast.Name) for part in inside
        )
        calls = [self._known(part.func) or "" for part in inside if isinstance(part, ast.Call)]
        ends = any(isinstance(part, ast.Return) for part in inside)
        return len(used) == len(here) and not stored and not ends and not any(key.startswith("self.") for key in calls)

    def _loop(self, node: ast.For | ast.comprehension, body: Callable[[], None]) -> int:
        spot = self._spot("loop", node.iter)
        node.iter = self._tell("each", spot, self.visit(node.iter))
        self._regions.append(spot)
        body()
        self._regions.pop()
        return spot

    def visit_For(self, node: ast.For) -> ast.stmt:
        checks = self._only_checks(node)
        spot = self._loop(node, lambda: setattr(node, "body", self._block(node.body)))
        self._recorder.spots[spot] = replace(self._recorder.spots[spot], checks=checks)
        node.orelse = self._block(node.orelse)
        return node

    def _comprehension(self, node: Any) -> ast.expr:
        if len(node.generators) > 1:
            raise Untraced(f"{self._file}:{node.lineno}: paths are told of one loop in a comprehension, not of more")
        (generator,) = node.generators
        parts = ("key", "value") if isinstance(node, ast.DictComp) else ("elt",)

        def body() -> None:
            generator.ifs = [self._decision(condition) for condition in generator.ifs]
            for part in parts:
                setattr(node, part, self.visit(getattr(node, part)))

        self._loop(generator, body)
        return cast(ast.expr, node)

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815


def _refusal(body: list[ast.stmt]) -> str | None:
    """The rule by which a block refuses and does nothing else."""
    if len(body) == 1 and isinstance(body[0], ast.Raise) and isinstance(body[0].exc, ast.Call):
        (argument, *_) = body[0].exc.args or [ast.Constant(None)]
        return str(argument.value) if isinstance(argument, ast.Constant) else None
    return None


def _stores(function: Function) -> Iterator[str]:
    """The names of attributes that a function stores into, or into a part of."""
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else targets
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                while isinstance(part, ast.Subscript):
                    part = part.value
                if isinstance(part, ast.Attribute):
                    yield part.attr
