"""What is checked before anything is proved: how the runs of a model begin, and what a law may ask."""

from __future__ import annotations

import ast
import dataclasses
import dis
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, get_args, get_origin

from marginspec.model.kernel.machine import Machine, actions_of, per_model
from marginspec.model.kernel.record import is_record, plain
from marginspec.properties.law import Property, Step, arguments_of, every
from marginspec.properties.ranges import within
from marginspec.properties.scope import REST, NumberKey, Scope
from marginspec.prover.arbitrary import Arbitrary, fields_of, like_rest
from marginspec.prover.claim import claimed
from marginspec.prover.subset.sources import (
    KERNEL,
    functions_in,
    is_own,
    is_own_code,
    is_trusted,
    methods_of,
    source_of,
    trusted_code,
)
from marginspec.trial.situations import number_of

RAISED = r'Rejected\("([^"]*)"'
KERNEL_RULES = frozenset(rule for file in KERNEL.glob("*.py") for rule in re.findall(RAISED, file.read_text("utf-8")))
"""The rules by which the kernel itself refuses."""


def fails_at_first(claim: Property, model: type[Machine]) -> str:
    """Why an invariant does not hold before anything happened or where every run begins; empty if it does."""
    hints = [plain(hint) for hint in arguments_of(claim.predicate).values()]
    for state, universe in itertools.chain(
        ((make, model.universe) for make in (model.blank, model.genesis)), _with_more(claim, model)
    ):
        for case in itertools.product(*(universe[kind] for kind in hints)):
            try:
                if not claim.predicate(state(), *case):
                    return "does not hold in the initial state"
            except Exception as error:
                return f"cannot be asked of the initial state: {type(error).__name__}"
    return ""


MORE = (1, 2, 10, 100)
"""Of how many identifiers more, where there may be any number, the first state is looked at."""


def _with_more(claim: Property, model: type[Machine]) -> Iterator[tuple[Callable[[], Machine], Mapping[Any, Any]]]:
    """First states with more identifiers, and some of these: those that the model has, and the last."""
    kinds = [kind for kind, keys in claim.scope.keys.items() if REST in keys and kind in model.universe]
    for more in MORE if kinds else ():
        further = tuple(f"one of {more} more: {number}" for number in range(more))
        every_one = {k: (*keys, *further) if k in kinds else keys for k, keys in model.universe.items()}
        sized: Any = type(model.__name__, (model,), {"universe": every_one})
        state = sized.blank()
        yield state.clone, {k: (*model.universe[k], *keys[-1:]) for k, keys in every_one.items()}


def no_invariant(claim: Property, model: type[Machine]) -> str:
    """Why a claim is no invariant, whatever it says: what it does not look at may break it. Empty if it is one."""
    scope = claim.scope
    for name, hint in arguments_of(claim.predicate).items():
        if plain(hint) not in model.universe:
            return f"an invariant is about identifiers, and its {name} is none"
    names = {_last(path): path for path in scope.fixed if ":" not in path}
    if state := next((names[_last(name)] for name in model.blank().names() if _last(name) in names), ""):
        return f"an invariant is not limited to some of what {state} may be: a theorem about a step may be"
    shared = claim.chapter.scope.fixed if claim.chapter is not None else {}
    steps = {name for info in actions_of(model).values() for name in info.arguments} - {*arguments_of(claim.predicate)}
    if limited := next((path for path, pin in scope.fixed.items() if path in steps and shared.get(path) != pin), ""):
        return f"an invariant is not limited to some steps, by what their {limited} is: a theorem about a step may be"
    if scope.free:
        kind = next(iter(scope.free)).__name__
        return f"an invariant is not limited to some {kind}: a theorem about a step may be"
    if assumed := getattr(claim.relaxed, "assumed", ""):
        return f"an invariant is not limited to some states ({assumed}): a theorem about a step may be"
    return ""


def _last(path: str) -> str:
    """The field that a path leads to, whosever it is."""
    return re.sub(r"\[[^]]*\]", "", path).rpartition(".")[2]


def first_of(claim: Property, model: type[Machine]) -> Callable[[], Any] | None:
    """What an invariant about identifiers that are numbers claims of the first state, whatever numbers they are.

    None where it is about no such. Where every run begins it then holds because actions keep it.
    """
    hints = {name: plain(hint) for name, hint in arguments_of(claim.predicate).items()}
    kinds = {kind: claim.scope.keys.get(kind, ()) for kind in hints.values()}
    numbers = {kind: key for kind, keys in kinds.items() for key in keys if isinstance(key, NumberKey)}
    if not numbers:
        return None

    def body() -> Any:
        universe, make = dict(model.universe), Arbitrary(claim.scope).key
        for kind, key in numbers.items():
            many = range(len(universe[kind]))
            universe[kind] = tuple(make(dataclasses.replace(key, name=f"number {n}")) for n in many)
        sized: Any = type(model.__name__, (model,), {"universe": universe})
        cases = itertools.product(*(universe[kind] for kind in hints.values()))
        return every([claim.predicate(sized.blank(), *case) for case in cases])

    return body


@per_model
def unfit(model: type[Machine]) -> str:
    """Why no proof can be about the runs of a model: how they begin is nothing that proofs assume. Empty if it is."""
    infos = actions_of(model)
    for call in model.prelude():
        if call.action not in infos or call.arguments.keys() != infos[call.action].arguments.keys():
            return f"the prelude takes {call.action}, which is no action with these arguments"
        for name, hint in infos[call.action].arguments.items():
            if wrong := next(_wrong(model, hint, call.arguments[name], name), ""):
                return f"the prelude gives {call.action}: {wrong}"
    for state in (model.blank(), model.genesis()):
        if wrong := next(_wrong(model, model, state, ""), ""):
            return wrong
    return ""


def _wrong(model: type[Machine], hint: Any, value: Any, path: str) -> Iterator[str]:
    """Where a value is no value of its type, with the identifiers of the model."""
    kind = plain(hint)
    if is_record(kind):
        if not isinstance(value, kind):
            yield f"{path} is no {kind.__name__}"
            return
        for field in dataclasses.fields(kind):
            if field.metadata.get("constant") and not issubclass(kind, Machine):
                yield f"{path}.{field.name} is constant: only a field of the model itself can be"
        for name, inner in fields_of(kind).items():
            yield from _wrong(model, inner, getattr(value, name), f"{path}.{name}" if path else name)
    elif get_origin(kind) is dict:
        for key, item in value.items():
            yield from _wrong(model, get_args(kind)[0], key, f"{path}, by its keys,")
            yield from _wrong(model, get_args(kind)[1], item, f"{path}[{key}]")
    elif kind is bool:
        if type(value) is not bool:
            yield f"{path} is no truth value"
    elif (number := number_of(hint)) is not None:
        if type(value) is not int or not all(within(number, value)):
            yield f"{path} is out of its range"
    elif kind in model.universe and value not in model.universe[kind]:
        yield f"{path} is {value}, which is no {kind.__name__} of the model"


def named_by(claim: Property, model: type[Machine]) -> frozenset[str]:
    """The texts that the code of a model and a law has, but for the names of a step's arguments.

    A look-up that misses compares nothing, so that an identifier which code has is not noticed by being compared.
    """
    asked = [part for each in (claim, *claim.given) for part in (each.predicate, each.before)]
    relaxed = [claim.relaxed(model)] if claim.relaxed else []
    return _named_in(model) | _texts_in([*asked, *relaxed])


@per_model
def _named_in(model: type[Machine]) -> frozenset[str]:
    return _texts_in([model])


def _texts_in(values: Iterable[Any]) -> frozenset[str]:
    """The texts of what is given and of all that it names.

    How a model begins, and what only regimes ask, counts where other code names it.
    """
    # What was seen is kept, so that nothing else takes its identity.
    todo, found, seen, named = list(values), set[str](), dict[int, Any](), set[str]()
    aside: dict[str, list[Any]] = {}
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, dict):
            todo += itertools.chain(value, value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            todo += value
        elif get_origin(value) is dict:
            todo += map(plain, get_args(value))
        elif isinstance(value, type):
            todo += [kind for kind in value.__mro__ if is_own(kind.__module__)]
            todo += _defaults_of_fields(value) if not issubclass(value, Machine) else ()
            for name, functions in methods_of(value).items() if is_own(value.__module__) else ():
                if _is_aside(vars(value)[name]) and name not in named:
                    aside.setdefault(name, []).extend(functions)
                else:
                    todo += functions
            todo += [plain(hint) for hint in fields_of(value).values()] if is_record(value) else []
        elif is_record(type(value)):
            todo += [getattr(value, name) for name in fields_of(type(value))]  # type: ignore[arg-type]
        elif isinstance(value, FunctionType) and trusted_code(value.__code__):
            found |= KERNEL_RULES
            todo += functions_in(value)
        elif isinstance(value, FunctionType):
            found |= _texts_of(value.__code__, value.__globals__.get("Step") is Step)
            todo += (cell.cell_contents for cell in value.__closure__ or ())
            todo += (*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values())
            for code in _codes(value.__code__):
                todo += _known_by(code.co_names, value.__globals__)
                todo += itertools.chain.from_iterable(aside.pop(name, ()) for name in code.co_names)
                named |= set(code.co_names)
    return frozenset(found)


def _known_by(names: Iterable[str], known: Mapping[str, Any]) -> Iterator[Any]:
    """What names stand for, also as attributes of modules that they stand for."""
    todo, seen = [known], set[str]()
    while todo:
        values = todo.pop()
        for value in (values[name] for name in names if name in values):
            if not isinstance(value, ModuleType):
                yield value
            elif value.__name__ not in seen and (is_own(value.__name__) or is_trusted(value.__name__)):
                seen.add(value.__name__)
                todo.append(vars(value))


def _defaults_of_fields(kind: type) -> Iterator[Any]:
    for each in vars(kind).get("__dataclass_fields__", {}).values():
        yield from (each.default, each.default_factory)


def _is_aside(member: Any) -> bool:
    """Whether a method is no part of what actions do, unless one names it."""
    return isinstance(member, classmethod) or hasattr(member, "marginspec_regime")


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _codes(part)


@cache
def _texts_of(code: CodeType, has_steps: bool) -> frozenset[str]:
    """The texts of a function and the names of arguments that it gives, which `**` makes texts.

    Its docstring is left out, and names of arguments that a step is asked for. has_steps: whether its `Step` is that of
    laws.
    """
    source = source_of(code.co_filename)
    definition = None if source is None else source.definition(code)
    if definition is None:
        return frozenset(part for each in _codes(code) for part in each.co_consts if isinstance(part, str))
    nodes = list(ast.walk(definition))
    aside = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    steps = {node.arg for node in nodes if isinstance(node, ast.arg) and has_steps and _is_step(node.annotation)}
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "argument":
            aside |= set(map(id, node.args)) if getattr(node.func.value, "id", "") in steps else set()
    constants = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in aside]
    named = {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg is not None}
    return frozenset(text for text in constants if isinstance(text, str)) | named


def _is_step(annotation: ast.expr | None) -> bool:
    return getattr(annotation, "id", getattr(annotation, "value", "")) == "Step"


# --- What identifiers stand for ---------------------------------------------------------------------------------------


def misfits(scope: Scope, model: type[Machine]) -> str:
    """Why the identifiers of a scope do not stand for those of a model; empty if they do."""
    universe, kinds = model.universe, [kind for kind in scope.keys if kind in model.universe]

    def types(of: Mapping[Any, Sequence[Any]], key: Any) -> list[Any]:
        return [kind for kind in kinds if key in of[kind]]

    if any(REST in keys for keys in scope.keys.values()) and not like_rest(scope):
        return f"nobody with a name is of the same types as {REST}, of whom nothing would be asked"
    patterns = [types(universe, key) for kind in kinds for key in universe[kind]]
    for key in [key for kind in kinds for key in scope.keys[kind] if key != REST and not isinstance(key, NumberKey)]:
        mine, theirs = types(scope.keys, key), types(universe, key)
        if mine not in ([theirs] if theirs else patterns):
            said = " and ".join(kind.__name__ for kind in mine)
            return f"the scope says that {key} is {said} and nothing else: no identifier of the model is that"
    for kind, keys in _orders(model):
        listed = [key for key in scope.keys.get(kind, ()) if key in keys]
        if listed != [key for key in keys if key in listed]:
            return f"the scope lists each {kind.__name__} in another order than a map of the model"
    return ""


@per_model
def _orders(model: type[Machine]) -> list[tuple[Any, list[Any]]]:
    """The keys of each map that a model begins with, in their order, with their type."""
    found: list[tuple[Any, list[Any]]] = []
    todo: list[tuple[Any, Any]] = [(model, state) for state in (model.blank(), model.genesis())]
    while todo:
        kind, value = todo.pop()
        if get_origin(kind) is dict:
            key, item = map(plain, get_args(kind))
            found += [] if (key, list(value)) in found else [(key, list(value))]
            todo += [(item, each) for each in value.values()]
        elif is_record(kind):
            todo += [(plain(hint), getattr(value, name)) for name, hint in fields_of(kind).items()]
    return found


# --- Who looks at what is refused -------------------------------------------------------------------------------------


def goes_on_where_refused() -> bool:
    """Whether code of a model or law that is running now is inside of a `try`; not who runs the law."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (module := str(frame.f_globals.get("__name__"))) != claimed.__module__:
        code = frame.f_code
        if code.co_exceptiontable and is_own_code(code, module) and _tries(code, frame.f_lasti):
            return True
        frame = frame.f_back
    return False


@cache
def _tries(code: CodeType, instruction: int) -> bool:
    """Whether what an instruction raises may be looked at in the same function."""
    handlers = {each.offset for each in dis.get_instructions(code) if each.opname == "PUSH_EXC_INFO"}
    entries: Any = dis.Bytecode(code).exception_entries  # type: ignore[attr-defined]
    return any(entry.start <= instruction < entry.end and entry.target in handlers for entry in entries)
