"""What is checked before anything is proved: how the runs of a model begin, and what a law may ask."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, cast, get_args

from marginspec.model.kernel.machine import Machine, actions_of, per_model
from marginspec.model.kernel.record import is_record, plain
from marginspec.properties.law import Property, arguments_of
from marginspec.properties.ranges import within
from marginspec.prover.arbitrary import fields_of
from marginspec.prover.situations import number_of
from marginspec.prover.subset.sources import trusted_code


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


@per_model
def unfit(model: type[Machine]) -> str:
    """Why no proof can be about the runs of a model: how they begin is nothing that proofs assume. Empty if it is."""
    first, infos, kind = model.blank(), actions_of(model), cast(Any, model)
    for call in model.prelude():
        if call.action not in infos or call.arguments.keys() != infos[call.action].arguments.keys():
            return f"the prelude takes {call.action}, which is no action with these arguments"
        for name, hint in infos[call.action].arguments.items():
            if (number := number_of(hint)) is not None and not all(within(number, call.arguments[name])):
                return f"the prelude gives {call.action} a {name} that is out of range"
    for name in first.constants():
        declared, value = fields_of(kind)[name], getattr(first, name)
        if wrong := next(_out_of_range(declared, value, name), ""):
            return wrong
    return ""


def _out_of_range(hint: Any, value: Any, path: str) -> Iterator[str]:
    if is_record(plain(hint)):
        for name, inner in fields_of(plain(hint)).items():
            yield from _out_of_range(inner, getattr(value, name), f"{path}.{name}")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _out_of_range(get_args(plain(hint))[1], item, f"{path}[{key}]")
    elif (number := number_of(hint)) is not None and not all(within(number, value)):
        yield f"{path}, which is constant, is out of its range at first"


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
