"""What is checked before anything is proved: how the runs of a model begin, and what a law may ask."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any, get_args, get_origin

from marginspec.model.kernel.machine import Machine, actions_of, per_model
from marginspec.model.kernel.record import is_record, plain
from marginspec.properties.law import Property, arguments_of, every
from marginspec.properties.ranges import within
from marginspec.properties.scope import NumberKey
from marginspec.prover.arbitrary import Arbitrary, fields_of
from marginspec.prover.subset.sources import is_own, methods_of, trusted_code
from marginspec.trial.situations import number_of


def fails_at_first(claim: Property, model: type[Machine]) -> str:
    """Why an invariant does not hold before anything happened or where every run begins; empty if it does."""
    hints = arguments_of(claim.predicate)
    cases = list(itertools.product(*(model.universe[plain(hint)] for hint in hints.values())))
    for state, case in itertools.product((model.blank, model.genesis), cases):
        try:
            if not claim.predicate(state(), *case):
                return "does not hold in the initial state"
        except Exception as error:
            return f"cannot be asked of the initial state: {type(error).__name__}"
    return ""


def no_invariant(claim: Property, model: type[Machine]) -> str:
    """Why a claim is no invariant, whatever it says: what it does not look at may break it. Empty if it is one."""
    scope = claim.scope
    for name, hint in arguments_of(claim.predicate).items():
        if plain(hint) not in model.universe:
            return f"an invariant is about identifiers, and its {name} is none"
    names = {_last(path): path for path in scope.fixed if ":" not in path}
    if state := next((names[_last(name)] for name in model.blank().names() if _last(name) in names), ""):
        return f"an invariant is not limited to some of what {state} may be: a theorem about a step may be"
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


def keyed_by(claim: Property, model: type[Machine]) -> frozenset[str]:
    """The texts that are keys or elements of what the code of a model and a law may look something up in.

    A look-up that misses compares nothing, so that an identifier that is a key there is not noticed by being compared.
    """
    asked = (claim, *claim.given)
    return _keyed_in(model) | _keys_in([each for p in asked for each in (p.predicate, p.before)])


@per_model
def _keyed_in(model: type[Machine]) -> frozenset[str]:
    return _keys_in(_methods(model))


def _methods(model: type[Machine]) -> list[FunctionType]:
    """The functions of a model's own text, but for how it begins."""
    kinds = [kind for kind in model.__mro__ if is_own(kind.__module__)]
    members = [(kind, name, function) for kind in kinds for name, made in methods_of(kind).items() for function in made]
    return [function for kind, name, function in members if not isinstance(vars(kind)[name], classmethod)]


def _keys_in(functions: Iterable[Any]) -> frozenset[str]:
    """The texts by which functions, and those that they call by name, may look something up."""
    todo, found, seen = list(functions), set[str](), set[int]()
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict | set | frozenset):
            found |= {key for key in value if isinstance(key, str)}
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list | tuple | set | frozenset):
            todo += value
        elif isinstance(value, FunctionType) and not trusted_code(value.__code__):
            todo += (cell.cell_contents for cell in value.__closure__ or () if cell.cell_contents is not value)
            for code in _codes(value.__code__):
                for part in code.co_consts:
                    # The keys of a map that is written out are one constant.
                    found |= set(_texts(part)) if isinstance(part, frozenset | tuple) else set()
                todo += (value.__globals__[name] for name in code.co_names if name in value.__globals__)
    return frozenset(found)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _codes(part)


def _texts(values: Iterable[Any]) -> Iterator[str]:
    return (value for value in values if isinstance(value, str))


@per_model
def looks_at_refusals(model: type[Machine]) -> bool:
    """Whether the code of a model looks at what is refused."""
    return any(catches(function) for function in _methods(model))


def catches(predicate: Callable[..., Any]) -> bool:
    """Whether a law, or a function of its own that it calls, looks at what is refused by `try`."""
    todo, seen = [predicate], set[Any]()
    while todo:
        function = todo.pop()
        code = getattr(function, "__code__", None)
        if code is None or code in seen or trusted_code(code):
            continue
        seen.add(code)
        codes = [code, *(part for part in code.co_consts if isinstance(part, CodeType))]
        if any(part.co_exceptiontable for part in codes):
            return True
        called = (function.__globals__.get(name) for part in codes for name in part.co_names)
        todo += [one for one in called if isinstance(one, FunctionType)]
    return False
