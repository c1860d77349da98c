"""The shortest, plainest calls that show a divergence.

Candidates run on the model first, which costs microseconds; those in which the model's decision on the last call is
of another kind are dropped. The rest must show a divergence of the same key on the implementation, so that shrinking
cannot drift to another bug.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from marginspec.base.ending import until_ended
from marginspec.base.errors import TargetFailed
from marginspec.base.text import printable
from marginspec.lockstep.comparison import Divergence, LockStep
from marginspec.lockstep.rehearsal import Rehearsal, RehearsedStep, rehearse
from marginspec.lockstep.thresholds import thresholds
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain
from marginspec.targets.protocol import Target

AIMS = 30
EFFORT = 20_000
"""Steps that the implementation takes at most for one divergence."""

FEW_CALLS, LAST_EFFORT = 10, 3_000
"""Of so few calls at most, every pair is tried to be left out too, and so many more steps are taken for that."""


def shrink(
    model: type[Machine], target: Target, calls: list[Call], divergence: Divergence, effort: int = EFFORT
) -> tuple[list[Call], Divergence]:
    """Fewer and plainer calls with a divergence of the same key, and that divergence.

    Raises TargetFailed for an implementation that does not repeat itself.
    """
    watch = LockStep(model, target)
    calls, divergence = shrink_by(watch, model, calls, divergence, effort)
    confirm(watch, rehearse(model, calls), divergence)
    return calls, divergence


class DivergenceFinder(Protocol):
    """What looks for a divergence: the lock-step run, or the monitor, whose divergences are broken laws."""

    def run(self, steps: Sequence[RehearsedStep], recheck: bool) -> tuple[int, Divergence] | None:
        """Let the implementation take some steps, up to the first divergence; the number of steps that lead to it."""


def shrink_by(
    watch: DivergenceFinder, model: type[Machine], calls: list[Call], divergence: Divergence, effort: int = EFFORT
) -> tuple[list[Call], Divergence]:
    """`shrink` for whatever it is that sees the divergence; as far as it came when the run is told to end."""
    shrinker = _Shrinker(watch, model, calls, divergence, effort)
    until_ended(shrinker.run)
    return shrinker.calls, shrinker.divergence


def confirm(watch: DivergenceFinder, steps: Sequence[RehearsedStep], divergence: Divergence) -> None:
    """Raise TargetFailed unless the same steps from genesis show a divergence of the same key once more.

    A node or service that answers wrongly now and then is no witness, neither for nor against the contract.
    """
    again = watch.run(steps, recheck=True)
    if again is None or again[1].key != divergence.key:
        seen = f"{divergence.rule}, {divergence.field}: {divergence.target}, expected {divergence.model}"
        now = "they agree with it" if again is None else f"they show {again[1].rule}, {again[1].field}"
        raise TargetFailed(
            f"the implementation does not repeat itself, so nothing can be said of it: {len(steps)} calls led to "
            f"{printable(seen, 250)}; once more from genesis {printable(now)}"
        )


class _Shrinker:
    def __init__(
        self, watch: DivergenceFinder, model: type[Machine], calls: list[Call], divergence: Divergence, effort: int
    ) -> None:
        self._model, self.divergence, self.calls = model, divergence, calls
        self._watch = watch
        self._rehearsal = Rehearsal(model)
        self._left = effort
        # Divergences that only public getters show need them on every attempt; they are slow.
        self._recheck = False
        last = self._rehearsed(calls)[-1]
        self._kind = last.outcome.rule, last.call.action

    def run(self) -> None:
        if not self._shows(self.calls):
            self._recheck = True
            if not self._shows(self.calls):
                return
        self._without_refusals()
        before: list[Call] = []
        while before != self.calls and self._left > 0:
            before = self.calls
            self._delete()
            self._rename()
            self._simplify()
        self._left = max(self._left, LAST_EFFORT)
        while self._delete_one_or_two():
            pass

    def _delete_one_or_two(self) -> bool:
        """Leave out a call, or two, if the rest still shows the divergence: in the end none can go."""
        places = range(len(self.calls) - 1) if len(self.calls) <= FEW_CALLS else range(0)
        for out in itertools.chain(itertools.combinations(places, 1), itertools.combinations(places, 2)):
            fewer = [call for at, call in enumerate(self.calls) if at not in out]
            if self._shows(fewer) or (len(out) == 1 and self._shows_aimed(fewer)):
                return True
        return False

    def _rehearsed(self, calls: list[Call]) -> list[RehearsedStep]:
        self._rehearsal.start()
        return [self._rehearsal.take(call) for call in calls]

    def _shows(self, calls: list[Call]) -> bool:
        """Whether these calls show the divergence; if so, they are the best so far, without what follows it."""
        if not calls or self._left <= 0:
            return False
        steps = self._rehearsed(calls)
        if (steps[-1].outcome.rule, steps[-1].call.action) != self._kind:
            return False
        self._left -= len(steps)
        found = self._watch.run(steps, self._recheck)
        if found is None or found[1].key != self.divergence.key:
            return False
        done, self.divergence = found
        self.calls = calls[:done]
        return True

    # --- Fewer ---------------------------------------------------------------------------------------------------

    def _without_refusals(self) -> None:
        """What the model refuses changes nothing, so most likely it does not matter."""
        *others, last = self._rehearsed(self.calls)
        self._shows([*(step.call for step in others if step.outcome.accepted), last.call])

    def _delete(self) -> None:
        """Delete ever smaller stretches of calls, from the end to the beginning."""
        size = len(self.calls)
        while size > 0:
            at = len(self.calls) - size
            while at >= 0:
                fewer = self.calls[:at] + self.calls[at + size :]
                if not self._shows(fewer) and size == 1:
                    self._shows_aimed(fewer)
                at = min(at, len(self.calls)) - size
            size //= 2

    def _shows_aimed(self, calls: list[Call]) -> bool:
        """Whether calls show the divergence once an amount of the last is moved to where a decision now flips.

        A call that sits exactly on a threshold no longer does when what comes before it changes.
        """
        if not calls:
            return False
        *others, last = calls
        self._rehearsed(others)
        for name, hint in actions_of(self._model)[last.action].arguments.items():
            if plain(hint) is not int or last.arguments[name] == 0:
                continue
            number, value = hint.__metadata__[0], last.arguments[name]
            places = {at + d for at in thresholds(self._rehearsal.machine, last, name) for d in (0, 1, -1)}
            for place in sorted(places, key=lambda place: abs(place - value))[:AIMS]:
                aimed = last.changed(name, place)
                if max(1, number.low) <= place <= number.high and self._shows([*others, aimed]):
                    return True
        return False

    # --- Plainer -------------------------------------------------------------------------------------------------

    def _rename(self) -> None:
        """Use the identifiers that the model lists first, throughout."""
        for options in self._model.universe.values():
            for at, option in enumerate(options):
                if any(option in call.arguments.values() for call in self.calls):
                    any(self._shows(self._renamed(option, other)) for other in options[:at])

    def _renamed(self, old: Any, new: Any) -> list[Call]:
        """The calls with an identifier in the place of another, and that in its place, where it is of the type."""
        swap = {old: new, new: old}
        return [
            Call(c.action, {n: swap[v] if self._may_be(c, n, swap.get(v)) else v for n, v in c.arguments.items()})
            for c in self.calls
        ]

    def _may_be(self, call: Call, argument: str, identifier: Any) -> bool:
        kind = plain(actions_of(self._model)[call.action].arguments[argument])
        return identifier is not None and identifier in self._model.universe.get(kind, ())

    def _simplify(self) -> None:
        """Try plainer values for every argument, one at a time, the last call first."""
        for at in reversed(range(len(self.calls))):
            if at >= len(self.calls):
                continue  # a plainer value made later calls superfluous
            for name, hint in actions_of(self._model)[self.calls[at].action].arguments.items():
                for value in self._plainer(hint, self.calls[at].arguments[name]):
                    if self._shows(self._with(at, name, value)) or at >= len(self.calls):
                        break
                if at >= len(self.calls):
                    break

    def _with(self, at: int, name: str, value: Any) -> list[Call]:
        return [*self.calls[:at], self.calls[at].changed(name, value), *self.calls[at + 1 :]]

    def _plainer(self, hint: Any, value: Any) -> Iterator[Any]:
        """Values to try instead, the plainest first; none that is not plainer, so that shrinking ends."""
        kind = plain(hint)
        if kind is int:
            yield from (v for v in _plain_numbers(value, hint.__metadata__[0]) if _cost(v) < _cost(value))
        elif kind is not bool:
            options = self._model.universe[kind]
            yield from options[: options.index(value)]


def _plain_numbers(value: int, number: Number) -> Iterator[int]:
    """Zero, one, powers of ten, typical values, fewer digits, halves and neighbours."""
    near = [0, 1, 2, *(10**n for n in range(1, len(str(value)) + 1)), *number.typical]
    near += [value // 10**n * 10**n for n in range(len(str(value)) - 1, 0, -1)]
    near += [value // 2, value - 1, value + 1]
    return (v for v in near if number.low <= v <= number.high)


def _cost(value: int) -> tuple[int, int]:
    """How plain a number is to a reader: by its digits that are not zeros at the end, then by size."""
    return len(str(value).rstrip("0")), value
