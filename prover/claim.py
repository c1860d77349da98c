"""What a property claims of one state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marginspec.model.kernel.machine import Machine, Rejected, actions_of
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Irrelevant, Property, Step, arguments_of, assume, ended, every
from marginspec.properties.ranges import fields_of_ranges, outside_of, within
from marginspec.properties.relaxation import NotCovered, asked
from marginspec.prover.arbitrary import Arbitrary
from marginspec.prover.terms import Unsupported
from marginspec.trial.situations import number_of


def claimed(model: type[Machine], claim: Property, arbitrary: Arbitrary, state: Machine) -> Any:
    """Whether a property holds of a state, which may be changed, and of arbitrary arguments.

    An invariant is the theorem that every accepted action keeps it. Raises `Irrelevant` where nothing is claimed. What
    refuses and is no action fails the claim.
    """
    try:
        assume(asked(state, lambda: getattr(claim.relaxed, "given", lambda _: True)(state)))
        _assume_given(claim, arbitrary, state)
        return _claimed(model, claim, arbitrary, state)
    except Rejected as refused:
        if refused.by_action:
            raise Irrelevant from None
        return False
    except NotCovered as reason:
        raise Unsupported(str(reason)) from None


def _assume_given(claim: Property, arbitrary: Arbitrary, state: Machine) -> None:
    for invariant in claim.given:
        for case in arbitrary.instances(arguments_of(invariant.predicate)):
            _assume_of(invariant, state, case)


def _assume_of(invariant: Property, state: Machine, arguments: dict[str, Any]) -> None:
    """An invariant that cannot be asked of a state does not hold of it."""
    try:
        holds = asked(state, lambda: invariant.predicate(state, **arguments))
    except Rejected:
        raise Irrelevant from None
    assume(holds)


def _claimed(model: type[Machine], claim: Property, arbitrary: Arbitrary, state: Machine) -> Any:
    hints = arguments_of(claim.predicate)
    arguments = {n: arbitrary.argument(h, n) for n, h in hints.items() if plain(h) is not Step}
    if claim.kind == "composition":
        return _composed(model, claim, state, arbitrary)
    if claim.kind != "invariant":
        steps = {n: arbitrary.step(model, n) for n, h in hints.items() if plain(h) is Step}
        return claim.predicate(state, **arguments, **steps)
    if fields_of_ranges(claim) is None:  # else a state within its ranges is what this begins with
        _assume_of(claim, state, arguments)
    step = arbitrary.step(model, "step")
    assume(asked(state, lambda: claim.before(state, step)))
    if fields := fields_of_ranges(claim):
        return _within_ranges(state, step, fields)
    step.take(state)
    return asked(state, lambda: claim.predicate(state, **arguments))


def _within_ranges(state: Machine, step: Step, fields: Callable[[str], bool]) -> Any:
    """The ranges of what a step changes: what it does not is where it was."""
    before = state.flatten()
    step.take(state)
    changed = {n for n, old, new in zip(state.names(), before, state.flatten(), strict=True) if old is not new}
    return every(condition for name, condition in outside_of(state, fields) if name in changed)


def _composed(model: type[Machine], claim: Property, state: Machine, arbitrary: Arbitrary) -> Any:
    """See `Chapter.composition`."""
    step = arbitrary.step(model, "step")
    assume(not asked(state, lambda: claim.before(state, step)))
    prepared, first = state.clone(), asked(state, lambda: claim.predicate(state, step))
    if not _can_be_taken(model, first, arbitrary) or not asked(prepared, lambda: claim.before(prepared, first)):
        return False
    if ended(lambda: first.take(prepared))[0] is not None:
        return ended(lambda: step.take(state))[0] is not None
    if not asked(prepared, lambda: claim.before(prepared, step)):
        return False
    alone, both = ended(lambda: step.take(state)), ended(lambda: step.take(prepared))
    if alone[0] is not None or both[0] is not None:
        return alone[0] == both[0]
    return alone[1] == both[1] and state.flatten() == prepared.flatten()


def _can_be_taken(model: type[Machine], step: Step, arbitrary: Arbitrary) -> bool:
    """Whether a step is an action of the model, with arguments of its types and numbers in range."""
    info = actions_of(model).get(step.action)
    if info is None or set(info.arguments) != set(step.call.arguments):
        return False
    if not all(arbitrary.is_of(plain(hint), step.argument(name)) for name, hint in info.arguments.items()):
        return False
    given = ((number_of(hint), step.argument(name)) for name, hint in info.arguments.items())
    return all(condition for number, value in given if number is not None for condition in within(number, value))
