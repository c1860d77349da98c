"""How to draw the arguments of each action, learnt from the model itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

from marginspec.lockstep.choices import Choices
from marginspec.model.kernel.machine import ActionInfo, Call, Machine, actions_of, per_model
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import Record, plain, variables_of

LESSONS = 200
LESSON_STEPS = 25


@dataclass(frozen=True)
class Identifier:
    """An argument that names somebody or something. hopeful: the options with which it is worth trying."""

    name: str
    kind: Any
    options: Sequence[Any]
    hopeful: Sequence[Any]

    @property
    def hopeless(self) -> Sequence[Any]:
        """The other options."""
        return [option for option in self.options if option not in self.hopeful]


@dataclass(frozen=True)
class Quantity:
    """An argument that is a number. places: where a flattened state has numbers of its unit, and the identifiers that
    each group of them is about."""

    name: str
    number: Number
    places: Sequence[tuple[frozenset[Any], Sequence[int]]]


@dataclass(frozen=True)
class Plan:
    """The arguments of an action.

    lowest: all of them, numbers at their lowest, identifiers to be filled in. aim: how often, of 16 times, a number is
    put where something flips before it is tried. alternatives: whether of several numbers all but one had better be
    zero. distinct: whether two identifiers of a kind had better differ.
    """

    action: str
    identifiers: tuple[Identifier, ...]
    quantities: tuple[Quantity, ...]
    lowest: dict[str, Any]
    aim: int
    alternatives: bool = False
    distinct: bool = False


@per_model
def plans_of(model: type[Machine]) -> dict[str, Plan]:
    """A plan for each action of a model."""
    places = list(_places(model.genesis(), model, frozenset()))
    plans = {name: _plan(model, info, places) for name, info in actions_of(model).items()}
    seen = _experience(model, plans)
    against: Objections = set()
    for plan in plans.values():
        for identifier in plan.identifiers:
            against |= _objections(plan, identifier, seen)
    return {name: _hopeful(plan, seen, against) for name, plan in plans.items()}


def _plan(model: type[Machine], info: ActionInfo, places: list[tuple[str | None, frozenset[Any]]]) -> Plan:
    kinds = {name: plain(hint) for name, hint in info.arguments.items()}
    options = {n: (False, True) if k is bool else model.universe[k] for n, k in kinds.items() if k is not int}
    identifiers = tuple(Identifier(n, kinds[n], found, found) for n, found in options.items())
    numbers = {n: info.arguments[n].__metadata__[0] for n, k in kinds.items() if k is int}
    by_unit: dict[str | None, dict[frozenset[Any], list[int]]] = defaultdict(lambda: defaultdict(list))
    for at, (unit, keys) in enumerate(places):
        by_unit[unit][keys].append(at)
    quantities = tuple(Quantity(n, number, list(by_unit[number.unit].items())) for n, number in numbers.items())
    lowest = dict.fromkeys(kinds) | {n: number.low for n, number in numbers.items()}
    # What users do is refused beyond the flip, and mended then; what the world does is seldom refused.
    return Plan(info.name, identifiers, quantities, lowest, aim=5 if info.environment else 2)


def _places(value: Any, hint: Any, keys: frozenset[Any]) -> Iterator[tuple[str | None, frozenset[Any]]]:
    """Of each value of a flattened state: its unit, None if it is no number, and the keys that lead to it."""
    if isinstance(value, Record):
        for name, inner in variables_of(type(value)).items():
            yield from _places(getattr(value, name), inner, keys)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, get_args(plain(hint))[1], keys | {key})
    else:
        yield next((n.unit for n in getattr(hint, "__metadata__", ()) if isinstance(n, Number)), None), keys


Experience = dict[tuple[str, str, Any], Counter[str | None]]
"""How often an action, with an option as an argument, was accepted (None) or refused by a rule; also with one number
that is not zero or several (`SEVERAL`), and with one identifier in two places or not (`TWICE`)."""

SEVERAL, TWICE = "several numbers", "an identifier twice"

Objections = set[tuple[str, Any, str]]
"""Arguments and options, and a rule that stands against them."""


def _experience(model: type[Machine], plans: dict[str, Plan]) -> Experience:
    """What became of some calls with arguments drawn blindly."""
    genesis, all_plans = model.genesis(), list(plans.values())
    seen: Experience = defaultdict(Counter)
    for lesson in range(LESSONS):
        machine, choices = genesis.clone(), Choices(lesson.to_bytes(8, "big"))
        for _ in range(LESSON_STEPS):
            plan = all_plans[choices.below(len(all_plans))]
            arguments = plan.lowest.copy()
            for i in plan.identifiers:
                arguments[i.name] = i.options[choices.below(len(i.options))]
            for q in plan.quantities:
                if choices.below(2):
                    arguments[q.name] = choices.number(q.number, positive=True)
            rule = machine.apply(Call(plan.action, arguments)).rule
            for i in plan.identifiers:
                seen[plan.action, i.name, arguments[i.name]][rule] += 1
            if (numbers := sum(arguments[q.name] != 0 for q in plan.quantities)) != 0:
                seen[plan.action, SEVERAL, numbers > 1][rule] += 1
            named = [arguments[i.name] for i in plan.identifiers]
            seen[plan.action, TWICE, len(set(named)) < len(named)][rule] += 1
    return seen


def _objections(plan: Plan, identifier: Identifier, seen: Experience) -> Objections:
    """Rules that often refuse an option that is hardly ever accepted, and seldom another one that is."""
    outcomes = {option: seen[plan.action, identifier.name, option] for option in identifier.options}
    best = max(outcomes.values(), key=lambda outcome: outcome[None] / (outcome.total() or 1))
    return {
        (identifier.name, option, rule)
        for option, own in outcomes.items()
        for rule in _frequent(own)
        if 8 * own[None] * best.total() < best[None] * own.total()
        and 8 * best[rule] * own.total() < own[rule] * best.total()
    }


def _frequent(own: Counter[str | None]) -> list[str]:
    """What refuses an option often."""
    return [rule for rule, count in own.items() if rule is not None and 5 * count > own.total() > 20]


def _hopeful(plan: Plan, seen: Experience, against: Objections) -> Plan:
    """The plan without hope for options that have a rule against them here or, as often, in another action."""

    def hopeful(i: Identifier, option: Any) -> bool:
        own = seen[plan.action, i.name, option]
        return not any((i.name, option, rule) in against for rule in _frequent(own))

    found = [(i, [option for option in i.options if hopeful(i, option)]) for i in plan.identifiers]

    def objectionable(what: str) -> bool:
        without, own = (seen[plan.action, what, whether] for whether in (False, True))
        return any(8 * without[rule] * own.total() < own[rule] * without.total() for rule in _frequent(own))

    return replace(
        plan,
        identifiers=tuple(replace(i, hopeful=hope or i.options) for i, hope in found),
        alternatives=objectionable(SEVERAL),
        distinct=objectionable(TWICE),
    )
