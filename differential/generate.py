"""Steps out of bytes: which action, by whom, how much.

Hypothesis draws one string of bytes for a whole sequence (drawing step by step would cost more than the EVM does);
each step is decoded from its own stretch of it. What a step becomes depends on its bytes and on the sequence so far,
on nothing else: the same bytes are the same calls.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from marginspec.differential.boundary import Flip, flips, threshold
from marginspec.differential.choices import Choices
from marginspec.differential.plan import Plan, plans_of
from marginspec.model.kernel.machine import Call, Machine, Outcome, actions_of, regimes_of
from marginspec.model.kernel.numbers import Number

STEP_BYTES = 2
START_BYTES = 8
ATTEMPTS = 8

# An action that was refused more often than this in a row gives way to another, half of the time.
PATIENCE = 3


class Generator:
    """Draws the next step of a sequence for a model in its present state."""

    def __init__(self, model: type[Machine], only: frozenset[str] | None = None) -> None:
        self._plans = plans_of(model)
        self._actions: list[Plan] = []
        for info in actions_of(model).values():
            if only is None or info.name in only:
                self._actions += [self._plans[info.name]] * info.weight
        self._universe = model.universe
        self._regimes = regimes_of(model)
        self._environment = frozenset(n for n, info in actions_of(model).items() if info.environment)
        self._start = b""
        self._focus: dict[Any, Any] = {}
        self._strength = 0
        self._refusals: defaultdict[str, int] = defaultdict(int)
        self._streak: defaultdict[str, int] = defaultdict(int)
        self._hopeless: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._trial: Machine | None = None

    def start(self, data: bytes) -> None:
        """Begin a sequence: it revolves around one identifier of each type, as episodes in the life of a venue do."""
        self._start = data
        choices = Choices(data)
        self._strength = 5 + choices.below(3)
        for kind, options in self._universe.items():
            # Identifiers that a model lists first are in focus more often; a subtype shares its supertype's.
            shared = self._focus.get(getattr(kind, "__supertype__", None))
            drawn = options[min(choices.below(len(options)) for _ in range(3))]
            self._focus[kind] = shared if shared in options and choices.below(4) else drawn
        for memory in (self._refusals, self._streak, self._hopeless):
            memory.clear()
        self._trial = None

    def step(self, machine: Machine, before: list[Any], data: bytes) -> tuple[Call, Outcome]:
        """Draw a call and run it on the machine, whose state is `before`, flattened.

        A refused call is mended or drawn anew, the more likely the more often the same rule has refused in this
        sequence; what is dropped leaves no trace.
        """
        choices = Choices(self._start + data)
        call = self._draw(machine, before, choices)
        for attempt in range(1, ATTEMPTS + 1):
            outcome = machine.apply(call, before)
            if outcome.rule is None:
                if call.action in self._environment:
                    # What was impossible may be possible in another world.
                    self._streak.clear()
                else:
                    self._streak[call.action] = 0
                break
            self._refusals[outcome.rule] += 1
            self._streak[call.action] += 1
            if attempt == ATTEMPTS or choices.below(2 + self._refusals[outcome.rule] // 4) == 0:
                break
            if machine.reach is not None:
                machine.reach.clear()
            mended = self._mend(call, outcome.rule, machine, before, choices) if attempt % 2 else None
            call = mended or self._draw(machine, before, choices)
        return call, outcome

    def _mend(self, call: Call, rule: str, machine: Machine, before: list[Any], choices: Choices) -> Call | None:
        """A refused call with one number moved to where the decision against it flips, or just beyond."""
        numbers = [(name, n) for name, n in self._plans[call.action].numbers if call.arguments[name] != 0]
        cause = call.action, rule
        if not numbers or choices.below(1 + 4 * self._hopeless[cause]):
            return None
        name, number = numbers[choices.below(len(numbers))]
        found, value = self._flips(call, name, machine, before, ()), call.arguments[name]
        if found:
            flip = threshold(value, found[-1])
            moved = flip + choices.below(3) * (1 if flip > value else -1)
            if max(number.low, 1) <= moved <= number.high:
                return Call(call.action, {**call.arguments, name: moved})
        self._hopeless[cause] += 1
        return None

    def _draw(self, machine: Machine, before: list[Any], choices: Choices) -> Call:
        """A call with arguments drawn at random: mostly the identifiers in focus, mostly with hope."""
        word, focus, strength = choices.word, self._focus, self._strength
        plan = self._actions[word() % len(self._actions)]
        if self._streak[plan.action] > PATIENCE and word() & 1:
            plan = self._actions[word() % len(self._actions)]
        arguments, first = plan.lowest.copy(), None
        for identifier in plan.identifiers:
            drawn, value = word(), focus.get(identifier.kind)
            if drawn & 7 >= strength or value not in identifier.hopeful:
                if drawn & 0x8008 and first in identifier.options:
                    value = first  # the same account in two parts
                else:
                    pool = identifier.hopeful if drawn & 0x30 else identifier.options
                    value = pool[(drawn >> 7) % len(pool)]
            arguments[identifier.name] = value
            if first is None:
                first = value
        numbers = plan.numbers
        if len(numbers) > 1 and word() & 15:
            # Several amounts are mostly alternatives of each other: all but one are zero.
            name, number = numbers[word() % len(numbers)]
            arguments[name] = choices.number(number, positive=True)
        else:
            for name, number in numbers:
                arguments[name] = choices.number(number, positive=False)
        call = Call(plan.action, arguments)
        if numbers and word() & 15 < plan.aim:
            self._aim(machine, before, call, numbers, choices)
        return call

    def _aim(
        self,
        machine: Machine,
        before: list[Any],
        call: Call,
        numbers: Sequence[tuple[str, Number]],
        choices: Choices,
    ) -> None:
        """Move one number to where a decision of the model flips, or one unit beside it."""
        candidates = [(name, number) for name, number in numbers if call.arguments[name] != 0] or numbers
        name, number = candidates[choices.below(len(candidates))]
        regimes = (self._regimes[choices.below(len(self._regimes))],)
        found, value = self._flips(call, name, machine, before, regimes), call.arguments[name]
        if not found:
            return
        # Overflows are many and far away: the smallest of some draws, so that the near ones come often.
        drawn = [threshold(value, found[choices.below(len(found))]) for _ in range(3)]
        near = [v for v in drawn if max(number.low, 1) <= v <= number.high]
        if near:
            aimed = min(near) + (0, 1, -1)[choices.below(3)]
            call.arguments[name] = min(max(aimed, number.low), number.high)

    def _flips(
        self, call: Call, name: str, machine: Machine, before: list[Any], regimes: tuple[str, ...]
    ) -> list[Flip]:
        if self._trial is None:
            self._trial = machine.clone()
        else:
            self._trial.load(before)
        return flips(self._trial, call, name, before, regimes)
