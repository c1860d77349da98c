"""Runs to the brink: some amounts of a run are solved for, so that a decision of its last call just flips.

A comparison of amounts is at its brink for one value in millions, and often no single amount reaches it: cash moves in
whole units of a token, value in fractions of them. So the model is run on the run's own way with a few of the amounts
unknown; what it decides on the way are conditions on them, and a solver finds integers for which one decision is at
equality, or one unit to a side.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.prover.encode import support
from marginspec.prover.evaluate import Evaluation, Numbers
from marginspec.prover.symbolic import Atoms, Quotient, Run, SymBool, SymInt, Unknown, Unsupported
from marginspec.prover.witness import solved

Knob = tuple[int, str]
"""An amount of a run: the place of its call, and the argument."""

SIDES = (0, 1)
"""What the two sides of a comparison are made to differ by: `term <= 0` flips between 0 and 1."""

RESOURCES = 200_000
"""Of Z3, for one brink."""


@dataclass(frozen=True)
class Brink:
    """What a run is brought to. place: file, line and instruction of the decision. rests: whether what is rounded there
    leaves a rest each time."""

    place: str
    side: int
    rests: bool


def brinks(
    begin: Machine, calls: Sequence[Call], knobs: Sequence[Knob], wanted: Callable[[Brink], bool]
) -> Iterator[tuple[Brink, list[Call]]]:
    """Runs like this one, other in the amounts `knobs` only, in which a decision of the last call is at its brink.

    begin: the state that it starts in. Every call but the last is to be accepted and is so in these runs, too. wanted:
    which brinks to look for.
    """
    given = {_name(at, name): calls[at].arguments[name] for at, name in knobs}
    followed = _Followed(given)
    machine = begin.clone()
    Run.current = followed
    before = 0
    try:
        for at, call in enumerate(calls):
            before = len(followed.constraints)
            machine.apply(_opened(type(begin), followed, at, call, knobs))
    except Unsupported:
        return
    for number in range(before, len(followed.constraints)):
        held, condition = followed.constraints[:number], followed.constraints[number]
        if condition.kind != "le":
            continue
        for side in SIDES:
            brink = [*held, SymBool("eq", condition.value, side)]
            for rests in (_rests(followed.atoms, condition), []):
                at_it = Brink(followed.places[number], side, bool(rests))
                if not wanted(at_it):
                    continue
                numbers = solved(followed.atoms, [*brink, *rests], RESOURCES)
                if numbers is not None:
                    yield at_it, _with(calls, knobs, given | numbers)


class _Followed(Run):
    """One execution that goes where given integers lead, and keeps the conditions on which it goes there, and where
    they are decided."""

    def __init__(self, numbers: Numbers) -> None:
        super().__init__((), Atoms())
        self.places: list[str] = []
        self._given = Evaluation(self.atoms, numbers)

    def decide(self, condition: SymBool) -> bool:
        if (constant := condition.constant()) is not None:
            return constant
        taken = self._given.holds(condition)
        self.constraints.append(condition if taken else condition.negated())
        frame = sys._getframe(2)
        file = frame.f_code.co_filename.rpartition("/")[2]
        self.places.append(f"{file}:{frame.f_lineno}+{frame.f_lasti}")
        return taken


def _opened(model: type[Machine], run: Run, at: int, call: Call, knobs: Sequence[Knob]) -> Call:
    """A call with the amounts at its knobs unknown."""
    hints = actions_of(model)[call.action].arguments
    numbers = {name: hints[name].__metadata__[0] for place, name in knobs if place == at}
    unknown = {name: run.unknown(Unknown(_name(at, name), n.low, n.high)) for name, n in numbers.items()}
    return Call(call.action, {**call.arguments, **unknown})


def _rests(atoms: Atoms, condition: SymBool) -> list[SymBool]:
    """That every division by a number on which a condition depends leaves a rest."""
    found = [atoms.all[number] for number in support(atoms, [condition])]
    quotients = [q for q in found if isinstance(q, Quotient) and isinstance(q.denominator, int)]
    rests = [q.numerator - atoms.quotient(q.numerator, q.denominator) * q.denominator for q in quotients]
    return [SymBool("le", 1, rest) for rest in rests if isinstance(rest, SymInt)]


def _name(at: int, argument: str) -> str:
    return f"{at}.{argument}"


def _with(calls: Sequence[Call], knobs: Sequence[Knob], numbers: Numbers) -> list[Call]:
    changed = list(calls)
    for at, name in knobs:
        changed[at] = Call(changed[at].action, {**changed[at].arguments, name: numbers[_name(at, name)]})
    return changed
