"""Steps out of bytes: which action, by whom, how much.

Hypothesis draws one string of bytes for a whole sequence (drawing step by step would cost more than the EVM does);
each step is decoded from its own stretch of it. What a step becomes depends on the bytes and on the sequence so far,
on nothing else: the same bytes are the same calls.

What is refused is refused in few ways, what is accepted leads on. So a refused call is mostly dropped once its reason
has been seen, or mended: a number moves to where the decision against it flips, which is where bugs live.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from marginspec.differential.boundary import flips, threshold
from marginspec.differential.choices import Choices
from marginspec.differential.plan import Plan, plans_of
from marginspec.model.kernel.machine import Call, Machine, Outcome, actions_of, regimes_of
from marginspec.model.kernel.numbers import Number

STEP_BYTES = 2
START_BYTES = 8
ATTEMPTS = 8

# Refusals by one rule in one sequence that are all kept; of the later ones some are.
KEPT = 4

# An action that was refused more often than this in a row gives way to another, half of the time.
PATIENCE = 3

Target = tuple[str, Any, Sequence[Any], Sequence[Any]]
"""An argument to fill in: its name, the identifier in focus or None, options with hope, all options."""


class Generator:
    """Draws the next step of a sequence for a model in its present state."""

    def __init__(self, model: type[Machine], only: frozenset[str] | None = None) -> None:
        infos, self._plans = actions_of(model), plans_of(model)
        drawn = [info for info in infos.values() if only is None or info.name in only]
        self._actions = [self._plans[info.name] for info in drawn for _ in range(info.weight)]
        self._environment = frozenset(info.name for info in infos.values() if info.environment)
        self._universe, self._regimes = model.universe, regimes_of(model)
        self._start = b""
        self._strength = 0
        self._identifiers: dict[str, list[Target]] = {}
        self._trial: Machine | None = None
        self._refusals: defaultdict[str, int] = defaultdict(int)
        self._streak: defaultdict[str, int] = defaultdict(int)
        self._hopeless: defaultdict[tuple[str, str], int] = defaultdict(int)

    def start(self, data: bytes) -> None:
        """Begin a sequence: it revolves around one identifier of each type, as episodes in the life of a venue do."""
        self._start, choices = data, Choices(data)
        self._strength = 5 + choices.below(3)
        focus: dict[Any, Any] = {}
        for kind, options in self._universe.items():
            # Identifiers that a model lists first are in focus more often; a subtype shares its supertype's.
            shared = focus.get(getattr(kind, "__supertype__", None))
            drawn = options[min(choices.below(len(options)) for _ in range(3))]
            focus[kind] = shared if shared in options and choices.below(4) else drawn
        self._identifiers = {
            action: [
                (i.name, focus.get(i.kind) if focus.get(i.kind) in i.hopeful else None, i.hopeful, i.options)
                for i in plan.identifiers
            ]
            for action, plan in self._plans.items()
        }
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
            if attempt == ATTEMPTS or choices.below(1 + self._refusals[outcome.rule] // KEPT) == 0:
                break
            if machine.reach is not None:
                machine.reach.clear()
            mended = self._mend(call, outcome.rule, machine, before, choices) if attempt % 2 else None
            call = mended or self._draw(machine, before, choices)
        return call, outcome

    def _draw(self, machine: Machine, before: list[Any], choices: Choices) -> Call:
        """A call with arguments drawn at random: mostly the identifiers in focus, mostly with hope."""
        word = choices.word
        plan = self._actions[word() % len(self._actions)]
        if self._streak[plan.action] > PATIENCE and word() & 1:
            plan = self._actions[word() % len(self._actions)]
        arguments, first = plan.lowest.copy(), None
        for name, focus, hopeful, options in self._identifiers[plan.action]:
            drawn = word()
            if drawn & 7 < self._strength and focus is not None:
                value = focus
            elif drawn & 0x18 and first in options:
                value = first  # the same account in two parts
            else:
                pool = hopeful if drawn & 0x60 else options
                value = pool[(drawn >> 7) % len(pool)]
            arguments[name] = value
            if first is None:
                first = value
        numbers = plan.numbers
        if numbers:
            drawn = word()
            if len(numbers) > 1 and drawn & 15:
                # Several amounts are mostly alternatives of each other: all but one are zero.
                name, number = numbers[(drawn >> 8) % len(numbers)]
                arguments[name] = choices.number(number, positive=True)
            else:
                for name, number in numbers:
                    arguments[name] = choices.number(number, positive=False)
            if drawn >> 4 & 15 < plan.aim:
                self._aim(plan, arguments, machine, before, choices)
        return Call(plan.action, arguments)

    def _aim(
        self, plan: Plan, arguments: dict[str, Any], machine: Machine, before: list[Any], choices: Choices
    ) -> None:
        """Move one number to where a decision of the model flips, or one unit beside it."""
        name, number = self._number(plan, arguments, choices) or plan.numbers[0]
        regimes = self._regimes
        if plan.action not in self._environment:
            regimes = (regimes[choices.below(len(regimes))],)
        trial, value = self._trial_of(machine, before), arguments[name]
        found = flips(trial, Call(plan.action, arguments), name, before, regimes)
        if found:
            # Overflows are many and far away: the smallest of some draws, so that the near ones come often.
            drawn = [threshold(value, found[choices.below(len(found))]) for _ in range(3)]
            near = min((v for v in drawn if max(number.low, 1) <= v <= number.high), default=value)
            arguments[name] = min(max(near + (0, 1, -1)[choices.below(3)], number.low), number.high)

    def _mend(self, call: Call, rule: str, machine: Machine, before: list[Any], choices: Choices) -> Call | None:
        """A refused call with one number moved to where the decision against it flips, or just beyond."""
        cause = call.action, rule
        chosen = self._number(self._plans[call.action], call.arguments, choices)
        if chosen is None or choices.below(1 + 4 * self._hopeless[cause]):
            return None
        name, number = chosen
        found, value = flips(self._trial_of(machine, before), call, name, before), call.arguments[name]
        if found:
            flip = threshold(value, found[-1])
            moved = flip + choices.below(3) * (1 if flip > value else -1)
            if max(number.low, 1) <= moved <= number.high:
                return Call(call.action, {**call.arguments, name: moved})
        self._hopeless[cause] += 1
        return None

    def _number(self, plan: Plan, arguments: dict[str, Any], choices: Choices) -> tuple[str, Number] | None:
        """One of the numbers that are not zero."""
        numbers = [(name, number) for name, number in plan.numbers if arguments[name] != 0]
        return numbers[choices.below(len(numbers))] if numbers else None

    def _trial_of(self, machine: Machine, before: list[Any]) -> Machine:
        """A copy of a machine in a state, to be spoilt."""
        if self._trial is None:
            self._trial = machine.clone()
        self._trial.load(before)
        return self._trial
