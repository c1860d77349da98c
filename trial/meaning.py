"""What a law claims of one case of plain numbers: written down once more, from the words of `properties/law.py`.

Nothing here is shared with the executor that runs laws on unknowns, so that no mistake is made by both.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from marginspec.model.kernel.machine import Machine, Rejected
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Irrelevant, Property, Step, arguments_of
from marginspec.trial.situations import ids_of, number_of

# How many combinations of identifiers an invariant is asked for in one state.
INSTANCES = 400

HELD = ""

Arguments = dict[str, Any]


FALSE = "returned False"


class _Silent(Exception):  # noqa: N818 - not an error
    """The law says nothing of this case."""


def judged(
    claim: Property, state: Machine, arguments: Arguments, ids: Mapping[Any, Any], given: bool = True
) -> str | None:
    """Why a law is false in a case: "" where it is true, None where it says nothing. The state is changed.

    given: whether the invariants that the law may assume are asked.
    """
    try:
        # What a relaxation assumes of a state is a part of what the law says.
        _demand((bool(getattr(claim.relaxed, "given", lambda _: True)(state)),))
        if given:
            for invariant in claim.given:
                _demand(holds(invariant, state, case) for case in instances(invariant, ids))
        return HELD if (said := _said(claim, state, arguments)) else FALSE if said is not None else "returned nothing"
    except (Irrelevant, _Silent):
        return None
    except Rejected as refused:
        return None if refused.by_action else f"{refused.rule} refused outside an action"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _demand(conditions: Iterable[bool]) -> None:
    if not all(conditions):
        raise _Silent


def holds(invariant: Property, state: Machine, arguments: Arguments) -> bool:
    """Whether an invariant is true of a state; where it cannot be asked it is not."""
    try:
        return bool(invariant.predicate(state, **arguments))
    except Exception:
        return False


def _said(claim: Property, state: Machine, arguments: Arguments) -> Any:
    if claim.kind == "composition":
        return _is_composed(claim, state, arguments["step"])
    if claim.kind != "invariant":
        return claim.predicate(state, **arguments)
    own = {name: value for name, value in arguments.items() if name != "step"}
    _demand((holds(claim, state, own),))
    _demand((bool(claim.before(state, arguments["step"])),))
    arguments["step"].take(state)
    return claim.predicate(state, **own)


def _is_composed(claim: Property, state: Machine, step: Step) -> bool:
    """Whether a step is made of two as a composition says, where `before` does not hold of it."""
    _demand((not claim.before(state, step),))
    both = state.clone()
    first = claim.predicate(state.clone(), step)
    if not claim.before(both, first):
        return False
    alone = _taken(step, state)
    if _taken(first, both)[0] is not None:
        return alone[0] is not None
    if not claim.before(both, step):
        return False
    after = _taken(step, both)
    # What is refused changes nothing: only what refuses it is compared.
    return alone == after and (alone[0] is not None or state.flatten() == both.flatten())


def _taken(step: Step, state: Machine) -> tuple[str | None, Any]:
    try:
        return None, step.take(state)
    except Rejected as refused:
        if not refused.by_action:
            raise
        return refused.rule, None


def instances(invariant: Property, ids: Mapping[Any, Any]) -> Iterator[Arguments]:
    """Every combination of identifiers that an invariant may be asked of, up to a limit."""
    hints = arguments_of(invariant.predicate)
    options = [_some(hint, ids) for hint in hints.values()]
    for case in itertools.islice(itertools.product(*options), INSTANCES):
        yield dict(zip(hints, case, strict=True))


def _some(hint: Any, ids: Mapping[Any, Any]) -> tuple[Any, ...]:
    number = number_of(hint)
    if number is None:
        return ids_of(ids, plain(hint))
    return tuple({n for n in (number.low, 0, 1, *number.typical, number.high) if number.low <= n <= number.high})
