"""Steps out of bytes: which action, by whom, how much.

Hypothesis draws one string of bytes for a whole sequence (drawing step by step would cost more than the EVM does);
each step is decoded from its own stretch of it. What a step becomes depends on the bytes, on the sequence so far, and
on what the run lacks when the sequence begins: the same seed is the same calls.

What is refused is refused in few ways, what is accepted leads on. So a refused call is mostly dropped once its reason
has been seen, or mended: a number, its own or one of the world, moves to where the decision against it flips, which is
where bugs live. Other numbers are put where something flips in the calls that come next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from marginspec.lockstep.choices import Choices
from marginspec.lockstep.plan import Identifier, Plan, Quantity, plans_of
from marginspec.lockstep.thresholds import follow, threshold
from marginspec.model.kernel.machine import Call, Machine, Outcome, actions_of, regimes_of

# Long enough for debts to be made, to go bad and to be written off.
SEQUENCE_STEPS = 300

STEP_BYTES = 2
START_BYTES = 8
ATTEMPTS = 3

# Refusals by one rule in one sequence that are all kept; of the later ones some are. Half of those are spoilt in a
# second way, which shows which check comes first.
REFUSALS_KEPT = 8

# An action that was refused more often than this in a row gives way to another, half of the time.
REFUSALS_IN_A_ROW = 3

# How many steps an episode of a sequence lasts, on average: then others act.
EPISODE = 100

# One refusal in so many that no number of the call can mend is left to the world to mend.
WORLD = 2

# One draw in so many is of an action that the run lacks something of, if there is one.
WANTED = 4

Target = tuple[str, Any, Sequence[Any], Sequence[Any]]
"""An argument to fill in: its name, the identifier in focus or None, options with hope, all options."""


class Generator:
    """Draws the next step of a sequence for a model in its present state.

    drawn: the actions that it draws. wanted: those that a run lacks something of; one draw in `WANTED` is among these.
    """

    def __init__(self, model: type[Machine], only: frozenset[str] | None = None) -> None:
        infos, self._plans = actions_of(model), plans_of(model)
        drawn = [info for info in infos.values() if only is None or info.name in only]
        self._actions = [self._plans[info.name] for info in drawn for _ in range(round(4 * info.weight))]
        self._environment = frozenset(info.name for info in infos.values() if info.environment)
        self._users = [plan for plan in self._actions if plan.action not in self._environment]
        self._world = [plan for plan in self._actions if plan.action in self._environment and plan.quantities]
        self._universe, self._regimes = model.universe, regimes_of(model)
        self.drawn = frozenset(plan.action for plan in self._actions)
        self.wanted: Collection[str] = ()
        self._start = b""
        self._strength = 0
        self._identifiers: dict[str, list[Target]] = {}
        self._next: list[Call] = []
        self._trial: Machine | None = None
        self._refusals: defaultdict[str, int] = defaultdict(int)
        self._streak: defaultdict[str, int] = defaultdict(int)
        self._hopeless: defaultdict[tuple[str, str], int] = defaultdict(int)

    def start(self, data: bytes) -> None:
        """Begin a sequence."""
        self._start = data
        for memory in (self._refusals, self._streak, self._hopeless):
            memory.clear()
        self._next, self._trial = [], None
        self._begin(Choices(data))

    def _begin(self, choices: Choices) -> None:
        """Begin an episode: it revolves around one identifier of each type."""
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

    def step(self, machine: Machine, before: list[Any], data: bytes) -> tuple[Call, Outcome]:
        """Draw a call and run it on the machine, whose state is `before`, flattened.

        A refused call is mended or drawn anew, the more likely the more often the same rule has refused in this
        sequence; what is dropped leaves no trace.
        """
        choices = Choices(self._start + data)
        if choices.below(EPISODE) == 0:
            self._begin(choices)
        call = self._next.pop(0) if self._next else self._aimed(machine, before, choices)
        mended: Call | None = None
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
            kept = attempt == ATTEMPTS or choices.below(1 + self._refusals[outcome.rule] // REFUSALS_KEPT) == 0
            if kept and (self._refusals[outcome.rule] <= REFUSALS_KEPT or choices.below(2)):
                break
            if machine.reach is not None:
                machine.reach.clear()
            if kept:
                call = self._spoilt(call, choices)
                return call, machine.apply(call, before)
            mended = self._mend(call, outcome.rule, machine, before, choices) if attempt % 2 or mended else None
            call = mended or self._aimed(machine, before, choices)
        return call, outcome

    # --- Drawing -----------------------------------------------------------------------------------------------------

    def _wanted(self, choices: Choices) -> Sequence[Plan]:
        """Now and then what is wanted; an action of weight zero is never drawn, whoever wants it."""
        if not self.wanted or choices.below(WANTED):
            return ()
        return [plan for plan in self._actions if plan.action in self.wanted]

    def _plan(self, plans: Sequence[Plan], choices: Choices) -> Plan:
        word = choices.word
        plan = plans[word() % len(plans)]
        if self._streak[plan.action] > REFUSALS_IN_A_ROW and word() & 1:
            plan = plans[word() % len(plans)]
        return plan

    def _draw(self, plan: Plan, before: list[Any], choices: Choices) -> Call:
        """A call with arguments drawn at random: mostly the identifiers in focus, mostly with hope."""
        word = choices.word
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
            if plan.distinct and value == first:
                value = options[(drawn >> 7) % len(options)]
            arguments[name] = value
            if first is None:
                first = value
        quantities = plan.quantities
        if plan.alternatives and (drawn := word()) & 15:
            q = quantities[(drawn >> 8) % len(quantities)]
            arguments[q.name] = choices.number(q.number, partial(_known, q, arguments, before), positive=True)
        else:
            for q in quantities:
                arguments[q.name] = choices.number(q.number, partial(_known, q, arguments, before))
        return Call(plan.action, arguments)

    def drawn_of(self, action: str, before: list[Any], choices: Choices) -> Call:
        """A call of an action with arguments drawn at random. before: the state, flattened."""
        return self._draw(self._plans[action], before, choices)

    def world_about(self, call: Call, before: list[Any], choices: Choices) -> Call | None:
        """A move of the world about what a call concerns, with a number; None where the world has none."""
        if not self._world:
            return None
        plan = choices.among(self._world)
        turn = self._draw(plan, before, choices)
        concerned = {i.kind: call.arguments[i.name] for i in reversed(self._plans[call.action].identifiers)}
        turn.arguments.update({i.name: concerned[i.kind] for i in plan.identifiers if i.kind in concerned})
        return turn

    def _spoilt(self, call: Call, choices: Choices) -> Call:
        """A call with one more argument that may well be refused."""
        plan = self._plans[call.action]
        arguments: list[Identifier | Quantity] = [*plan.identifiers, *plan.quantities]
        argument = choices.among(arguments)
        if isinstance(argument, Quantity):
            number = 0 if call.arguments[argument.name] else choices.number(argument.number, positive=True)
            return call.changed(argument.name, number)
        return call.changed(argument.name, choices.among(argument.hopeless or argument.options))

    # --- Aiming ------------------------------------------------------------------------------------------------------

    def _aimed(self, machine: Machine, before: list[Any], choices: Choices) -> Call:
        """A call drawn at random, sometimes with a number at or beside a place where something flips.

        What flips is a decision or a rounded quotient: of the call, of a regime after it, or of calls that come next.
        """
        plan = self._plan(self._wanted(choices) or self._actions, choices)
        call = self._draw(plan, before, choices)
        quantity = self._quantity(plan, call, choices)
        if quantity is None or choices.below(16) >= plan.aim:
            return call
        worldly = plan.action in self._environment
        parties = [self._users] if worldly else [self._world, self._users] if choices.below(2) else []
        later = [self._draw(self._plan(plans, choices), before, choices) for plans in parties if plans]
        regimes = [choices.among(self._regimes)] if self._regimes and (worldly or not later) else []
        name, number = quantity.name, quantity.number
        value = call.arguments[name]
        trail = follow(self._trial_of(machine, before), [call, *later], name, before, regimes)
        self._next = later
        flips = trail.quotients if trail.quotients and choices.below(4) == 0 else trail.decisions
        if not flips:
            return call
        # Overflows are many and far away: often the smallest of some draws, so that the near ones come as well.
        drawn = [threshold(value, choices.among(flips)) for _ in range(choices.among((1, 3)))]
        near = min((v for v in drawn if max(number.low, 1) <= v <= number.high), default=value)
        return call.changed(name, min(max(near + (0, 1, -1)[choices.below(3)], number.low), number.high))

    def _mend(self, call: Call, rule: str, machine: Machine, before: list[Any], choices: Choices) -> Call | None:
        """A refused call with one number moved to where the decision against it flips, or just beyond.

        If none of its numbers can do that, sometimes the world's move that does; the call then comes next.
        """
        cause = call.action, rule
        quantity = self._quantity(self._plans[call.action], call, choices)
        if quantity is not None and choices.below(1 + 4 * self._hopeless[cause]) == 0:
            name, number = quantity.name, quantity.number
            trail = follow(self._trial_of(machine, before), [call], name, before)
            if trail.decisions:
                value = call.arguments[name]
                flip = threshold(value, trail.decisions[-1])
                place = flip + choices.below(3) * (1 if flip > value else -1)
                if max(number.low, 1) <= place <= number.high:
                    return call.changed(name, place)
            self._hopeless[cause] += 1
        if self._world and call.action not in self._environment and choices.below(WORLD) == 0:
            return self._turn(call, machine, before, choices)
        return None

    def _turn(self, call: Call, machine: Machine, before: list[Any], choices: Choices) -> Call | None:
        """A move of the world that lets a refused call pass, or brings it to the brink; None if it does neither."""
        turn = self.world_about(call, before, choices)
        quantity = None if turn is None else self._quantity(self._plans[turn.action], turn, choices)
        if turn is None or quantity is None:
            return None
        name, number = quantity.name, quantity.number
        value = turn.arguments[name]
        trail = follow(self._trial_of(machine, before), [turn, call], name, before)
        if trail.accepted == 0 or trail.earlier == len(trail.decisions):
            return None
        if trail.accepted == 1 or choices.below(2):
            flip = threshold(value, trail.decisions[-1])
            if flip >= 0 and choices.below(2):
                value = choices.below(flip + 1) if flip < value else flip + choices.below(flip + 1)
            else:
                value = flip + choices.below(3) - 1
            if not number.low <= value <= number.high:
                return None
        self._next = [call]
        return turn.changed(name, value)

    def _quantity(self, plan: Plan, call: Call, choices: Choices) -> Quantity | None:
        """One of the numbers that are not zero."""
        given = [quantity for quantity in plan.quantities if call.arguments[quantity.name] != 0]
        return choices.among(given) if given else None

    def _trial_of(self, machine: Machine, before: list[Any]) -> Machine:
        """A copy of a machine in a state, to be spoilt."""
        if self._trial is None:
            self._trial = machine.clone()
        self._trial.load(before)
        return self._trial


def _known(quantity: Quantity, arguments: dict[str, Any], state: list[Any]) -> list[int]:
    """What the state has of a quantity, other than zero, that is about nothing else than these arguments."""
    given = set(arguments.values())
    return [abs(value) for keys, places in quantity.places if keys <= given for at in places if (value := state[at])]
