"""Steps out of bytes: which action, by whom, how much.

Hypothesis draws one string of bytes for a whole sequence (drawing step by step would cost more than the EVM does);
each step is decoded from its own stretch of it, so that cutting out a stretch cuts out a step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from marginspec.model.kernel.machine import ActionInfo, Call, Machine, Outcome, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain
from marginspec.differential.boundary import thresholds

STEP_BYTES = 24
ATTEMPTS = 8


class Choices:
    """A stretch of bytes as a source of choices. When it runs out it goes on with digests of itself."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._rest = int.from_bytes(data, "big")
        self._bits = 8 * len(data)

    def below(self, n: int) -> int:
        """A choice among n."""
        self._bits -= n.bit_length()
        if self._bits < 0:
            self._data = blake2b(self._data).digest()
            self._rest = int.from_bytes(self._data, "big")
            self._bits = 8 * len(self._data) - n.bit_length()
        self._rest, chosen = divmod(self._rest, n)
        return chosen


class Generator:
    """Draws the next step of a sequence for a model in its present state."""

    def __init__(self, model: type[Machine], only: frozenset[str] | None = None) -> None:
        self._actions: list[ActionInfo] = []
        for info in actions_of(model).values():
            if only is None or info.name in only:
                self._actions += [info] * info.weight
        self._plans = {info.name: _plan(model, info) for info in actions_of(model).values()}
        self._universe = model.universe
        self._focus: frozenset[Any] = frozenset()

    def start(self, data: bytes) -> None:
        """Begin a sequence: it revolves around one identifier of each type, as episodes in the life of a venue do."""
        self._refocus(Choices(data))

    def _refocus(self, choices: Choices) -> None:
        """Identifiers that a model lists first are in focus more often."""
        self._focus = frozenset(
            options[min(choices.below(len(options)), choices.below(len(options)))] for options in self._universe.values()
        )

    def step(self, machine: Machine, data: bytes) -> tuple[Call, Outcome]:
        """Draw a call and run it on the machine. Refused arguments are mostly drawn anew, and leave no trace."""
        choices, reach = Choices(data), machine.reach
        info = self._actions[choices.below(len(self._actions))]
        for attempt in range(ATTEMPTS):
            machine.reach = Counter()
            call = self._draw(info, machine, choices)
            outcome = machine.apply(call)
            if outcome.accepted or choices.below(ATTEMPTS) == 0:
                break
            if attempt >= ATTEMPTS // 2:
                self._refocus(choices)
        if reach is not None:
            reach.update(machine.reach)
        machine.reach = reach
        return call, outcome

    def _draw(self, info: ActionInfo, machine: Machine, choices: Choices) -> Call:
        identifiers, numbers = self._plans[info.name]
        arguments: dict[str, Any] = dict.fromkeys(info.arguments)
        for name, options in identifiers:
            near = [o for o in options if o in self._focus]
            arguments[name] = near[0] if near and choices.below(5) < 3 else options[choices.below(len(options))]
        # Several amounts are mostly alternatives of each other: often all but one are zero.
        alone = choices.below(len(numbers)) if len(numbers) > 1 and choices.below(8) else None
        for i, (name, number) in enumerate(numbers):
            arguments[name] = _number(number, choices, alone is None) if alone in (None, i) else number.low
        call = Call(info.name, arguments)
        if numbers:
            self._aim(machine, call, numbers, choices)
        return call

    def _aim(self, machine: Machine, call: Call, numbers: Sequence[tuple[str, Number]], choices: Choices) -> None:
        """Often, move one number to where a decision of the model flips, or one unit beside it."""
        if choices.below(5) > 2:
            return
        candidates = [(name, number) for name, number in numbers if call.arguments[name] != 0] or numbers
        name, number = candidates[choices.below(len(candidates))]
        found = sorted(v for v in thresholds(machine, call, name) if max(number.low, 1) <= v <= number.high)
        if found:
            # Overflow thresholds are many and far away: the smaller of two draws, so that the near ones come often.
            value = found[min(choices.below(len(found)), choices.below(len(found)))] + (0, 1, -1)[choices.below(3)]
            call.arguments[name] = min(max(value, number.low), number.high)


def _plan(model: type[Machine], info: ActionInfo) -> tuple[list[tuple[str, Sequence[Any]]], list[tuple[str, Number]]]:
    identifiers: list[tuple[str, Sequence[Any]]] = []
    numbers: list[tuple[str, Number]] = []
    for name, hint in info.arguments.items():
        kind = plain(hint)
        if kind is bool:
            identifiers.append((name, (False, True)))
        elif kind is int:
            numbers.append((name, hint.__metadata__[0]))
        else:
            identifiers.append((name, model.universe[kind]))
    return identifiers, numbers


def _number(number: Number, choices: Choices, zero: bool = True) -> int:
    """Zero, a typical value or a multiple of it, any magnitude, or an extreme."""
    mode = choices.below(20) if zero else 4 + choices.below(16)
    if mode < 5:
        value = 0
    elif mode < 15 and number.typical:
        typical = number.typical[choices.below(len(number.typical))]
        value = typical if choices.below(3) == 0 else typical * choices.below(2000) // 1000
    elif mode < 19:
        exponent = choices.below(min(number.high.bit_length(), 96) if mode < 18 else number.high.bit_length())
        value = (1 << exponent) + choices.below(1 << min(exponent, 40))
    else:
        value = (number.high, number.high - 1, 2**128 - 1, 2**128, 1)[choices.below(5)]
    return min(max(value, number.low if zero else 1), number.high)
