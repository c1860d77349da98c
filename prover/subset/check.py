"""The check of a model and its laws: their classes, their modules, and every function that a proof can run."""

from __future__ import annotations

import ast
import builtins
import contextlib
import dataclasses
import gc
import sys
import typing
from collections.abc import Iterator, Sequence
from types import FunctionType, ModuleType
from typing import Any, get_args, get_origin

from marginspec.model.kernel.machine import Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import Record, plain
from marginspec.properties.law import Chapter, Property
from marginspec.properties.scope import NumberKey
from marginspec.prover.subset import rules
from marginspec.prover.subset.bodies import Body
from marginspec.prover.subset.kinds import base_of, of_value
from marginspec.prover.subset.names import LAW, RULE, STILL, short
from marginspec.prover.subset.sources import (
    PythonFile,
    functions_in,
    is_data,
    is_own,
    is_trusted,
    methods_of,
    source_of,
    trusted_code,
    written_in,
)
from marginspec.prover.subset.world import Outside, Reached

REPLACEABLE = ("blank", "prelude", *rules.CLASS_CONSTANTS)
PACKAGES = ("marginspec.model", "marginspec.properties")
KERNELS_OWN = {*dir(Machine)} - set(REPLACEABLE)
OF_PYTHON = {name for kind in (int, str) for name in dir(kind)}


class OutsideSubset(Exception):  # noqa: N818 - what a user wrote, not an error of ours
    """A model or law is written in more than the subset of Python that is proved."""

    def __init__(self, found: Sequence[Outside]) -> None:
        self.found = tuple(found)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        super().__init__(f"{found[0]}{more}")


def require_subset(model: type[Machine], properties: Sequence[Property]) -> None:
    """Raise `OutsideSubset` where something that a proof of the properties can run is outside the subset."""
    if found := outside(model, properties):
        raise OutsideSubset(found)


def outside(model: type[Machine], properties: Sequence[Property]) -> list[Outside]:
    """Everything outside the subset that a proof of the properties can run; nothing is run.

    In the order of the text, the model's file first.
    """
    with _uncollected():
        return _outside(model, properties)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of garbage, which would look through all that is loaded for every few trees."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _outside(model: type[Machine], properties: Sequence[Property]) -> list[Outside]:
    reached = Reached(model)
    _kernel_is_whole(reached)
    reached.add_class(model)
    reached.add_state(model)
    relaxed = [(claim, claim.relaxed(model)) for claim in properties if claim.relaxed is not None]
    for _, kind in relaxed:
        reached.add_class(kind)
        reached.add_state(kind)
        reached.ways |= {*kind.__mro__} - {*model.__mro__}
    for name in actions_of(model):
        for machine in reached.machines:
            for function in written_in(vars(machine).get(name)):
                _typed(reached, function)
                reached.refer(function, RULE)
    _identifiers(reached, properties)
    for claim in properties:
        for invariant in claim.given:
            _law(reached, invariant, invariant.predicate)
        _law(reached, claim, claim.predicate)
        _law(reached, claim, claim.before)
        for part in functions_in(claim.relaxed) if not isinstance(claim.relaxed, FunctionType) else ():
            if part.__code__ not in reached.owners:
                reached.refer(part, LAW)
    _spread(reached, {kind for _, kind in relaxed})
    first = str(getattr(sys.modules.get(model.__module__), "__file__", ""))
    return [reached.found[key] for key in sorted(reached.found, key=lambda key: (key[0] != first, *key))]


def _spread(reached: Reached, made: set[type]) -> None:
    """Look at everything reached, and at what that reaches."""
    classes: list[type] = []
    modules: list[str] = []
    while True:
        for function, mode in reached.drain():
            _function(reached, function, mode)
        if left := [kind for kind in [*reached.machines, *reached.records] if kind not in classes]:
            classes += left
            for kind in left:
                _Class(reached, kind, kind in made).check()
        elif names := [name for name in reached.modules if name not in modules]:
            modules += names
            for name in names:
                _module(reached, sys.modules.get(name))
        else:
            rest = [f for kind in classes for found in methods_of(kind).values() for f in found]
            rest = [function for function in rest if not reached.has_seen(function)]
            if not rest:
                return
            for function in rest:
                reached.refer(function, STILL)
                if not reached.has_seen(function):
                    return


def _kernel_is_whole(reached: Reached) -> None:
    for kind in (Record, Machine):
        for name, value in vars(kind).items():
            if isinstance(value, FunctionType) and not trusted_code(value.__code__):
                reached.report(value.__code__.co_filename, value.__code__.co_firstlineno, "method", f"`{name}`")


# --- Laws and functions -----------------------------------------------------------------------------------------------


def _law(reached: Reached, claim: Property, predicate: Any) -> None:
    """A predicate is a function of a module, or made by the kernel of such."""
    if isinstance(predicate, FunctionType):
        code = predicate.__code__
        if trusted_code(code):
            for function in functions_in(predicate):
                reached.refer(function, LAW)
            return
        source = source_of(code.co_filename)
        if source is not None and is_own(predicate.__module__):
            if code.co_qualname.isidentifier():
                _typed(reached, predicate)
                reached.refer(predicate, LAW)
            else:
                reached.report(source.file, code.co_firstlineno, "law", f"{claim.id}, made by `{code.co_qualname}`,")
            return
    file, line = _place_of(reached, claim)
    reached.report(file, line, "law", f"{claim.id}, {type(predicate).__name__} {_name(predicate)},")


def _typed(reached: Reached, function: FunctionType) -> None:
    """Every argument after the state is one that a proof leaves open: it has a type and no default."""
    source = source_of(function.__code__.co_filename)
    node = source.definition(function.__code__) if source is not None else None
    if source is None or node is None:
        return
    given, more = node.args, [one for one in (node.args.vararg, node.args.kwarg) if one is not None]
    untyped = [a.arg for a in [*given.posonlyargs, *given.args, *given.kwonlyargs][1:] if a.annotation is None]
    defaults = [short(value) for value in [*given.defaults, *given.kw_defaults] if value is not None]
    for name in (*untyped, *(one.arg for one in more), *(f"= {value}" for value in defaults)):
        reached.report(source.file, node.lineno, "argument", f"`{name}` of `{function.__name__}`")


def _identifiers(reached: Reached, properties: Sequence[Property]) -> None:
    """What stands for unknowns are texts and numbers themselves: nothing that answers in its own way."""
    for kind, names in reached.model.universe.items():
        for name in names:
            if type(name) not in (str, int):
                file = str(getattr(sys.modules.get(reached.model.__module__), "__file__", "?"))
                reached.report(file, _line_of_class(reached.model), "identifier", _of_universe(kind, name))
    for claim in properties:
        scope = claim.scope
        groups = [*scope.keys.values(), *scope.free.values(), *scope.fixed.values(), *scope.alike]
        for name in (name for group in groups for name in group):
            if type(name) not in (str, int, bool, NumberKey):
                reached.report(*_place_of(reached, claim), "identifier", f"{name!r:.40} in the scope of {claim.id}")


def _of_universe(kind: Any, name: Any) -> str:
    return f"{name!r:.40}, of {getattr(kind, '__name__', kind)} in `universe`,"


def _line_of_class(kind: type) -> int:
    source = source_of(str(getattr(sys.modules.get(kind.__module__), "__file__", "?")))
    found = source.classes.get(kind.__qualname__, []) if source is not None else []
    return found[0].lineno if found else 1


def _name(thing: Any) -> str:
    return str(getattr(thing, "__qualname__", getattr(getattr(thing, "func", None), "__qualname__", "")))


def _place_of(reached: Reached, claim: Property) -> tuple[str, int]:
    """Where the ID of a law is written."""
    package = reached.model.__module__.partition(".")[0]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == package and is_own(name):
            source = source_of(str(module.__file__))
            for node in ast.walk(source.tree) if source is not None else ():
                if isinstance(node, ast.Constant) and node.value == claim.id:
                    return str(module.__file__), node.lineno
    return str(getattr(sys.modules.get(reached.model.__module__), "__file__", "?")), 1


def _function(reached: Reached, function: FunctionType, mode: str) -> None:
    code = function.__code__
    source = source_of(code.co_filename)
    node = source.definition(code) if source is not None else None
    if source is None or node is None:
        reached.report(code.co_filename, code.co_firstlineno, "source", f"`{code.co_qualname}`")
        return
    if mode != STILL and ("<locals>" in code.co_qualname or set(code.co_freevars) - {"__class__"}):
        reached.report(source.file, node.lineno, "nested", f"`{code.co_qualname}`")
    if isinstance(node, ast.AsyncFunctionDef):
        reached.report(source.file, node.lineno, "statement", "`async def`")
        return
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for value in defaults:
        kind = of_value(value)
        if kind is None or kind.tag in ("map", "list"):
            reached.report(source.file, node.lineno, "default", f"a default of `{code.co_qualname}`")
    reached.walk(function, mode)


# --- Decorators -------------------------------------------------------------------------------------------------------


def _decorators(reached: Reached, source: PythonFile, node: Any, names: dict[str, Any]) -> None:
    for decorator in node.decorator_list:
        if not _is_known(decorator, names):
            reached.report(source.file, decorator.lineno, "decorator", f"`@{short(decorator)}`")
        elif isinstance(decorator, ast.Call):
            options = [keyword.arg for keyword in decorator.keywords]
            if isinstance(node, ast.ClassDef) and (decorator.args or set(options) - set(rules.DATACLASS_OPTIONS)):
                reached.report(source.file, decorator.lineno, "decorator", f"`@{short(decorator)}`")
            body = Body(reached, source.file, names, STILL)
            for argument in [*decorator.args, *(keyword.value for keyword in decorator.keywords)]:
                body.expression(argument)


def _is_known(node: ast.expr, names: dict[str, Any]) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    if isinstance(called, ast.Attribute):
        holder = _object(called.value, names)
        if type(holder) is Chapter and called.attr in rules.CLAIMS:
            return True
    found = _object(called, names)
    name = getattr(found, "__name__", None)
    if name not in rules.DECORATORS or found is None:
        return False
    ours = found is dataclasses.dataclass or found is getattr(builtins, str(name), None)
    return ours or is_trusted(getattr(found, "__module__", None))


def _object(node: ast.expr, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id, getattr(builtins, node.id, None))
    if isinstance(node, ast.Attribute):
        holder = _object(node.value, names)
        return getattr(holder, node.attr, None) if isinstance(holder, ModuleType) else None
    return None


# --- Modules ----------------------------------------------------------------------------------------------------------


def _module(reached: Reached, module: ModuleType | None) -> None:
    source = source_of(str(getattr(module, "__file__", None)))
    if module is None or source is None:
        return
    _statements(reached, module, source, source.tree.body, set())


def _statements(
    reached: Reached, module: ModuleType, source: PythonFile, nodes: Sequence[ast.stmt], defined: set[str]
) -> None:
    names = vars(module)
    body = Body(reached, source.file, names, STILL)
    for node in nodes:
        made: list[str] = []
        if isinstance(node, ast.Import | ast.ImportFrom):
            _import(reached, module, source, node)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            made = [node.name]
            if node.name.startswith("__"):
                reached.report(source.file, node.lineno, "dunder", f"`{node.name}`")
            _decorators(reached, source, node, names)
            if isinstance(node, ast.FunctionDef):
                body.aloud = True
                body._defaults(node)
            elif not _is_record(names.get(node.name)):
                _other_class(reached, source, node, body)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            made = _assigned(reached, source, node, body)
        elif isinstance(node, ast.If) and _object(node.test, names) is typing.TYPE_CHECKING and _says_typing(node.test):
            _statements(reached, module, source, node.orelse, defined)
        elif not _is_text(node) and not isinstance(node, ast.Pass):
            reached.report(source.file, node.lineno, "module", f"`{short(node)}`")
        for name in made:
            if name in defined:
                reached.report(source.file, node.lineno, "twice", f"`{name}`")
            defined.add(name)


def _says_typing(node: ast.expr) -> bool:
    return (node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")) == "TYPE_CHECKING"


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_record(value: Any) -> bool:
    return is_data(value)


def _other_class(reached: Reached, source: PythonFile, node: ast.ClassDef, body: Body) -> None:
    """A class that no rule or law uses, or they would refuse it: its text must do nothing."""
    for inner in node.body:
        if isinstance(inner, ast.Assign | ast.AnnAssign):
            if inner.value is not None:
                body.expression(inner.value)
        elif isinstance(inner, ast.FunctionDef):
            _decorators(reached, source, inner, body.names)
        elif not _is_text(inner) and not isinstance(inner, ast.Pass):
            reached.report(source.file, inner.lineno, "module", f"`{short(inner)}`")


def _assigned(reached: Reached, source: PythonFile, node: ast.Assign | ast.AnnAssign, body: Body) -> list[str]:
    made: list[str] = []
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        for part in parts:
            if not isinstance(part, ast.Name):
                reached.report(source.file, node.lineno, "module", f"`{short(node)}`")
            elif part.id.startswith("__") and part.id != "__all__":
                reached.report(source.file, node.lineno, "dunder", f"`{part.id}`")
            else:
                made.append(part.id)
    if node.value is not None:
        body.expression(node.value)
    return made


def _import(reached: Reached, module: ModuleType, source: PythonFile, node: ast.Import | ast.ImportFrom) -> None:
    if isinstance(node, ast.Import):
        asked = [alias.name for alias in node.names]
    else:
        package = (module.__package__ or "").split(".")
        base = package[: len(package) - node.level + 1] if node.level else []
        home = ".".join([*base, *([node.module] if node.module else [])])
        asked = [home]
        for alias in node.names:
            if alias.name == "*":
                reached.report(source.file, node.lineno, "import", f"`{short(node)}`")
            elif f"{home}.{alias.name}" in sys.modules:
                asked.append(f"{home}.{alias.name}")
    for name in asked:
        if is_own(name):
            if not hasattr(sys.modules.get(name), "__path__"):
                reached.add_module(name)
        elif name not in rules.LIBRARIES and not is_trusted(name) and name not in PACKAGES:
            reached.report(source.file, node.lineno, "import", f"`{short(node)}`")


# --- Classes ----------------------------------------------------------------------------------------------------------


class _Class:
    """The check of a record or machine. made: by the kernel, of others, so that it has no text of its own."""

    def __init__(self, reached: Reached, kind: type, made: bool) -> None:
        self.reached, self.kind, self.made = reached, kind, made
        module = sys.modules.get(kind.__module__)
        self.names = vars(module) if module is not None else {}
        self.file = str(getattr(module, "__file__", "?"))
        self.source = source_of(self.file)
        found = self.source.classes.get(kind.__qualname__, []) if self.source is not None else []
        self.node = found[0] if len(found) == 1 else None

    def say(self, node: ast.AST | None, rule: str, text: str) -> None:
        line = getattr(node, "lineno", self.node.lineno if self.node is not None else 1)
        self.reached.report(self.file, line, rule, text)

    def check(self) -> None:
        kind, node = self.kind, self.node
        for base in kind.__bases__:
            if base not in (Record, Machine, object) and not (is_data(base) and is_own(base.__module__)):
                self.say(None, "class", f"the base {base.__name__} of {kind.__name__}")
        if between := [base for base in kind.__mro__[1:] if base in self.reached.state_types]:
            self.say(None, "class", f"{kind.__name__}, which could stand where the state has a {between[0].__name__},")
        if type(kind) is not type:
            self.say(None, "class", f"the metaclass of {kind.__name__}")
        if node is None:
            if not self.made or methods_of(self.kind):
                self.say(None, "source", f"the class {kind.__qualname__}")
            return
        assert self.source is not None
        for keyword in node.keywords:
            self.say(node, "class", f"`{keyword.arg}=` of {kind.__name__}")
        _decorators(self.reached, self.source, node, self.names)
        defined: set[str] = set()
        for inner in node.body:
            self._statement(inner, defined)
        self._as_written(defined)

    def _statement(self, node: ast.stmt, defined: set[str]) -> None:
        assert self.source is not None
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            self._name(node, node.target.id, defined)
            self._field(node, node.target.id)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                name = target.id if isinstance(target, ast.Name) else short(target)
                if name not in rules.CLASS_CONSTANTS or not issubclass(self.kind, Machine):
                    self.say(node, "dunder" if name.startswith("__") else "hidden", f"`{name}` of {self.kind.__name__}")
                defined.add(name)
            Body(self.reached, self.file, self.names, STILL).expression(node.value)
        elif isinstance(node, ast.FunctionDef):
            self._name(node, node.name, defined)
            _decorators(self.reached, self.source, node, self.names)
        elif not _is_text(node) and not isinstance(node, ast.Pass):
            self.say(node, "class", f"`{short(node)}` in {self.kind.__name__}")

    def _name(self, node: ast.stmt, name: str, defined: set[str]) -> None:
        where = f"`{name}` of {self.kind.__name__}"
        if name.startswith("__"):
            self.say(node, "dunder", where)
        elif name in KERNELS_OWN or name in OF_PYTHON or name in rules.MAP_METHODS or name in rules.LIST_METHODS:
            self.say(node, "method", where)
        if name in defined:
            self.say(node, "twice", where)
        defined.add(name)

    def _field(self, node: ast.AnnAssign, name: str) -> None:
        fields = getattr(self.kind, "__dataclass_fields__", {})
        hint = typing.get_type_hints(self.kind, include_extras=True).get(name)
        if self.kind in self.reached.ways and isinstance(node.value, ast.Constant) and node.value.value is None:
            return  # whom a relaxation treats otherwise: a law says so at its beginning
        if (
            "__dataclass_fields__" not in vars(self.kind)
            or name not in fields
            or fields[name]._field_type is not _FIELD
        ):
            self.say(node, "hidden", f"`{name}` of {self.kind.__name__}, which is no @dataclass,")
            return
        if self.kind in self.reached.state_classes and (said := _no_type(hint)) is not None:
            self.say(node, "field", f"{self.kind.__name__}.{name}: {said}")
        declared = fields[name]
        if not (declared.init and declared.compare and declared.repr and set(declared.metadata) <= {"constant"}):
            self.say(node, "field", f"{self.kind.__name__}.{name}, declared by more than its type and default,")
        if node.value is None:
            return
        if isinstance(node.value, ast.Call):
            made = _object(node.value.func, self.names)
            options = [keyword.arg for keyword in node.value.keywords]
            by_field = made is dataclasses.field or getattr(made, "__name__", "") == "constant"
            if by_field and (node.value.args or set(options) - set(rules.FIELD_OPTIONS)):
                self.say(node, "field", f"{self.kind.__name__}.{name}: `{short(node.value)}`")
        kind = Body(self.reached, self.file, self.names, STILL).expression(node.value)
        if kind.tag in ("map", "list", "record"):
            self.say(node, "default", f"{self.kind.__name__}.{name}: the default `{short(node.value)}`")

    def _as_written(self, defined: set[str]) -> None:
        """What the class has at run time is what its text says: nothing was put there since."""
        methods = methods_of(self.kind)
        for name in vars(self.kind):
            functions = methods.get(name, [])
            for function in functions:
                code = function.__code__
                place = f"{self.kind.__qualname__}.{name}"
                written = code.co_filename == self.file and code.co_qualname == place
                if not written or self.source is None or self.source.definition(code) is None:
                    self.say(None, "source", f"`{place}`")
            if not functions and not name.startswith("__") and name not in defined and name not in REPLACEABLE:
                self.say(None, "hidden", f"`{name}`, set on {self.kind.__name__} from outside,")


_FIELD = dataclasses.fields(Property)[0]._field_type  # type: ignore[attr-defined]


def _no_type(hint: Any) -> str | None:
    """What is wrong with the type of a field, None if nothing is."""
    kind = plain(hint)
    if kind is bool or (isinstance(kind, typing.NewType) and base_of(kind) in (str, int)):
        return None
    if kind is int:
        notes = getattr(hint, "__metadata__", ())
        if any(type(note) is Number for note in notes):
            return None
        return "int says too little; `Uint256` or `Annotated[int, Number(low, high, unit)]` says its range, and int"
    if isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, Record):
        return None
    if get_origin(kind) is dict:
        key, item = get_args(kind)
        if not isinstance(key, typing.NewType) or base_of(key) not in (str, int):
            return f"a dict whose keys are {getattr(key, '__name__', key)}"
        return _no_type(item)
    return f"the type {getattr(kind, '__name__', kind)}"
