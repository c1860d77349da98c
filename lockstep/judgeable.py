"""Which laws can be judged by looking at an implementation, and what has to be known of each for that."""

from __future__ import annotations

import dis
import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, get_type_hints

from marginspec.model.kernel.machine import Machine, actions_of, per_model
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Property, Step, refusal

STORES = frozenset(("STORE_ATTR", "STORE_SUBSCR", "DELETE_ATTR", "DELETE_SUBSCR"))


@dataclass(frozen=True)
class AskedLaw:
    """A law with the cases in which it is asked.

    action: the only one that it lets happen, None for any. step: the name of its argument that is a step, if any.
    given: arguments that are the call's of the same name. cases: all combinations of the others. refused: whether it
    speaks of refusals too. pure: whether it only looks at states.
    """

    law: Property
    action: str | None
    step: str | None
    given: tuple[str, ...]
    cases: tuple[dict[str, Any], ...]
    refused: bool
    pure: bool


def judged_laws(model: type[Machine], claims: Sequence[Property]) -> list[AskedLaw]:
    """The laws that speak of nothing but what can be seen, in their order.

    Such a law is an invariant or lets exactly one action happen, a step of any kind or one by its name; its numbers are
    the call's, under the same names; and it names no identifier that only proofs know.
    """
    return [found for claim in claims if (found := _judged(model, claim)) is not None]


def _judged(model: type[Machine], claim: Property) -> AskedLaw | None:
    if claim.kind not in ("invariant", "theorem"):
        return None
    hints = dict(list(get_type_hints(claim.predicate, include_extras=True).items())[1:])
    hints.pop("return", None)
    used = _used(claim.predicate)
    steps = [name for name, hint in hints.items() if plain(hint) is Step]
    # A law of any step lets that be taken; a model may have an action of this name.
    own = {Step.take.__name__} if steps else set()
    actions = sorted((used.names & actions_of(model).keys()) - own)
    if len(steps) + len(actions) != (claim.kind == "theorem"):
        return None
    if used.texts & _only_in_proofs(model, claim):
        return None
    given = tuple(name for name in hints if actions and name in actions_of(model)[actions[0]].arguments)
    universe: dict[Any, Sequence[Any]] = {**model.universe, bool: (False, True)}
    options = {name: universe.get(plain(hint), ()) for name, hint in hints.items() if name not in (*given, *steps)}
    if not all(options.values()):
        return None
    return AskedLaw(
        claim,
        action=actions[0] if actions else None,
        step=steps[0] if steps else None,
        given=given,
        cases=tuple(dict(zip(options, case, strict=True)) for case in itertools.product(*options.values())),
        refused=refusal.__name__ in used.names,
        pure=not used.stores and used.names.isdisjoint(_changing(model)),
    )


def _only_in_proofs(model: type[Machine], claim: Property) -> frozenset[str]:
    """Identifiers that a proof speaks of and a run does not have."""
    known = {str(option) for options in model.universe.values() for option in options}
    return frozenset(str(key) for keys in claim.scope.keys.values() for key in keys) - known


@per_model
def _changing(model: type[Machine]) -> frozenset[str]:
    """The methods of a model that store something, themselves or through others, its actions aside."""
    methods = {n: inspect.unwrap(m) for base in reversed(model.__mro__) for n, m in vars(base).items() if callable(m)}
    used = {name: _in_code(m.__code__) for name, m in methods.items() if inspect.isfunction(m)}
    found = {name for name, code in used.items() if code.stores}
    size = 0
    while size < len(found):
        size = len(found)
        found |= {name for name, code in used.items() if not found.isdisjoint(code.names)}
    # A copy or a list of a state is no change of it.
    return frozenset(found) - actions_of(model).keys() - {"clone", "flatten", "names"}


# --- What is in a function -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Used:
    """Names that code uses, texts in it or behind its names, and whether it stores into anything but its variables."""

    names: frozenset[str]
    texts: frozenset[str]
    stores: bool

    def __or__(self, other: _Used) -> _Used:
        return _Used(self.names | other.names, self.texts | other.texts, self.stores or other.stores)


@functools.cache
def _used(function: Callable[..., Any]) -> _Used:
    """What a function uses, the functions of its own package included."""
    found, todo, seen = _Used(frozenset(), frozenset(), False), [inspect.unwrap(function)], set[Any]()
    while todo:
        each = todo.pop()
        if each in seen:
            continue
        seen.add(each)
        used = _in_code(each.__code__)
        found |= used
        for value in (each.__globals__.get(name) for name in used.names):
            if isinstance(value, str):
                found |= _Used(frozenset(), frozenset((value,)), False)
            elif inspect.isfunction(value) and _package(value) == _package(each):
                todo.append(inspect.unwrap(value))
    return found


def _in_code(code: CodeType) -> _Used:
    parts = list(_parts(code))
    return _Used(
        frozenset(itertools.chain.from_iterable(part.co_names for part in parts)),
        frozenset(value for part in parts for value in part.co_consts if isinstance(value, str)),
        any(instruction.opname in STORES for part in parts for instruction in dis.get_instructions(part)),
    )


def _parts(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _parts(inner)


def _package(function: Callable[..., Any]) -> str:
    return function.__module__.rpartition(".")[0]
