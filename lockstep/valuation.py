"""A risk service beside the model: the same questions, and every figure within a tolerance that its rule declares.

A tolerance is the error bound of the model's figure, from chapter 12 of the specification, plus what floating point
may be off: `ROUNDINGS` roundings of double precision of the greatest number that the figure is made of.
"""

from __future__ import annotations

import copy
import functools
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from marginspec.base.errors import TargetFailed
from marginspec.lockstep.portfolios import (
    HistoryQuestion,
    MarginQuestion,
    OptionQuestion,
    Question,
    RevaluationQuestion,
    TailQuestion,
)
from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.risk.black import black
from marginspec.model.risk.notation import WAD, magnitude
from marginspec.model.risk.revaluation import Held, losses
from marginspec.model.risk.scan import (
    NONE,
    Option,
    basis_of,
    collateral_charges,
    initial_factor,
    left_over,
    marked,
    option_charges,
    perpetual_charges,
    scenario_profit,
    worst_of,
)
from marginspec.model.risk.tail import expected_shortfall, filtered_history, value_at_risk
from marginspec.targets.services.client import RiskService, ServiceRefused

DOUBLE = Fraction(1, 2**53)
ROUNDINGS = 512
"""Of double precision, by which a figure may be off of the greatest number that it is made of."""

MOST_AT_ONCE = 100
"""Questions in one request."""


@dataclass(frozen=True)
class Figure:
    """One number that both sides work out. value, tolerance: units of 10^-18. rule: which says how."""

    name: str
    rule: str
    value: int
    tolerance: Fraction


@dataclass(frozen=True)
class Off:
    """A figure of a service that is farther off than its rule allows. found: units of 10^-18."""

    figure: Figure
    found: float
    question: Question

    def line(self) -> str:
        """The difference, as a line for people."""
        figure = self.figure
        return (
            f"{figure.rule} {figure.name}: the model has {figure.value / WAD:.17g}, "
            f"the service {self.found / WAD:.17g}, allowed are {float(figure.tolerance) / WAD:.2g}"
        )


def tolerance(bound: int, greatest: int) -> Fraction:
    """What a figure may be off: an error bound of the model, and floating point of the greatest number in it."""
    return bound + ROUNDINGS * DOUBLE * greatest


# --- What the model says --------------------------------------------------------------------------------------------


def figures(question: Question) -> list[Figure]:
    """The model's figures, in the order in which one follows from another: the first that is off says why."""
    if isinstance(question, OptionQuestion):
        return _option(question)
    if isinstance(question, TailQuestion):
        return _tail(question)
    if isinstance(question, RevaluationQuestion):
        return _revaluation(question)
    return _history(question) if isinstance(question, HistoryQuestion) else _margin(question)


def _option(asked: OptionQuestion) -> list[Figure]:
    prices = black(asked.forward, asked.strike, asked.volatility, asked.seconds, asked.factor)
    both = asked.forward + asked.strike
    allowed = tolerance(4 * both // WAD + 3, both)
    return [Figure("call", "OPT-4", prices.call, allowed), Figure("put", "OPT-7", prices.put, allowed)]


def _tail(asked: TailQuestion) -> list[Figure]:
    # The place of the quantile, and the part of the last loss in the tail, are off by as many roundings as there are
    # scenarios, each of a whole loss; the mean has them once for each scenario in the tail, and no less than one.
    greatest = max(magnitude(each) for each in asked.losses) * len(asked.losses)
    fewer = min(Fraction(asked.chance * len(asked.losses), WAD), Fraction(1))
    return [
        Figure("value_at_risk", "VAR-6", value_at_risk(asked.losses, asked.chance), tolerance(1, greatest)),
        Figure("expected_shortfall", "VAR-7", expected_shortfall(asked.losses, asked.chance),
               tolerance(1, greatest) / fewer),
    ]  # fmt: skip


def _history(asked: HistoryQuestion) -> list[Figure]:
    # A forecast is off by a unit a step, forgotten like all else, and so at most by this many; a deviation by a unit
    # more. Each counts in proportion to the least forecast that it may be.
    units = Fraction(WAD, WAD - asked.memory) + 1
    least = Fraction(asked.variance * asked.memory ** len(asked.moves), WAD ** len(asked.moves))
    found = filtered_history(asked.moves, asked.variance, asked.memory)
    part = units / max(least, Fraction(1)) + 2 / Fraction(max(math.isqrt(int(least) * WAD), 1))
    return [
        Figure(f"moves[{n}]", "VAR-4", each, 2 + magnitude(each) * part * 2 + tolerance(0, magnitude(each)))
        for n, each in enumerate(found)
    ]


def _revaluation(asked: RevaluationQuestion) -> list[Figure]:
    highest = max(WAD, *(moved.price for moved in asked.scenarios))
    greatest = sum(
        magnitude(held.leg.amount) * (mul_div_up(held.forward, highest, WAD) + held.leg.strike) // WAD + 1
        for held in asked.book
    )
    allowed = tolerance(16 * greatest // WAD + 16 * len(asked.book), 2 * greatest)
    found = losses(asked.book, asked.scenarios)
    return [Figure(f"losses[{n}]", "VAR-14", each, allowed) for n, each in enumerate(found)]


def _greatest(asked: MarginQuestion) -> int:
    """The greatest value that a margin is made of: all positions, at the highest price of all scenarios."""
    spot = max(WAD, *(s.spot for s in asked.scenarios)) * max(WAD, *(s.damping for s in asked.scenarios)) // WAD
    held = (
        sum(held.value for held in asked.collateral) + magnitude(asked.account.cash) + magnitude(asked.account.unpaid)
    )
    prices = [
        magnitude(o.leg.amount) * (expiry.forward + expiry.fixed + o.leg.strike) // WAD
        for expiry, options in asked.holdings
        for o in options
    ]
    outright = magnitude(asked.account.perpetual) * max(asked.account.perpetual_price, asked.account.spot) // WAD
    return (held + outright + sum(prices) + WAD) * spot // WAD * 3


def _margin(asked: MarginQuestion) -> list[Figure]:
    account, p = asked.account, asked.parameters
    own = [(marked(expiry, options, p), options) for expiry, options in asked.holdings]
    greatest = _greatest(asked)
    allowed = tolerance(16 * greatest // WAD + 64, greatest)

    def figure(name: str, rule: str, value: int) -> Figure:
        return Figure(name, rule, value, allowed)

    profits = [scenario_profit(account, own, asked.collateral, s, p) for s in asked.scenarios]
    basis = sum(basis_of(each, options, p) for each, options in own)
    charges = [perpetual_charges(account, p)]
    charges += [option_charges(account, expiry, options, p) for expiry, options in asked.holdings]
    charges += [collateral_charges(held, p) for held in asked.collateral]
    both, initial = sum(c.both for c in charges), sum(c.initial for c in charges)
    worst = worst_of(basis, profits)
    value = account.unpaid + sum(each.mark for each, _ in own) + sum(held.value for held in asked.collateral)
    factor = initial_factor(account.stable, p)
    return [
        *(figure(f"marks[{n}]", "OPT-4", each.mark) for n, (each, _) in enumerate(own)),
        *(figure(f"profits[{n}]", _rule_of(asked, n), profit) for n, profit in enumerate(profits)),
        figure("basis", "SCN-9", basis),
        figure("both_charges", "SCN-10" if asked.holdings else "SCN-11", both),
        figure("initial_charges", "SCN-12" if _unsure(asked) else "SCN-11", initial),
        figure("worst", "SCN-13", worst),
        figure("maintenance", "SCN-15", left_over(worst, p.maintenance, both, value, account.cash)),
        figure("initial", "SCN-14" if factor != p.initial else "SCN-16",
               left_over(worst, factor, both + initial, value, account.cash)),
    ]  # fmt: skip


def _rule_of(asked: MarginQuestion, number: int) -> str:
    """The rule that decides a scenario: of what is held, and of the shock."""
    shock = asked.scenarios[number].shock
    if not asked.holdings:
        return "SCN-1" if asked.account.perpetual != 0 else "SCN-2"
    if shock == NONE:
        return "SCN-6"
    return "SCN-5" if shock in ("linear", "absolute") else "SCN-3"


def _unsure(asked: MarginQuestion) -> bool:
    feeds = [
        asked.account.confidence,
        *(e.confidence for e, _ in asked.holdings),
        *(c.confidence for c in asked.collateral),
    ]
    return min(feeds) < asked.parameters.confidence_threshold


# --- What the service says ------------------------------------------------------------------------------------------


def number(units: int) -> str:
    """A number with 18 decimals, as text."""
    sign, whole = "-" if units < 0 else "", abs(units)
    return f"{sign}{whole // WAD}.{whole % WAD:018}"


def answers(service: RiskService, asked: Sequence[Question]) -> list[Mapping[str, Any]]:
    """What a service answers to questions, in their order; those that it takes together, together."""
    found: dict[int, Mapping[str, Any]] = {}
    for kind, path, inside, outside in (
        (OptionQuestion, "/options", "options", "prices"),
        (MarginQuestion, "/margin", "portfolios", "margins"),
    ):
        numbers = [n for n, question in enumerate(asked) if isinstance(question, kind)]
        if not numbers:
            continue
        answer = service.ask(path, {inside: [_body(asked[n]) for n in numbers]})
        each = answer.get(outside) if isinstance(answer, Mapping) else None
        if not isinstance(each, list) or len(each) != len(numbers):
            raise TargetFailed(f"the risk service answered {path} without {len(numbers)} {outside}")
        found.update(zip(numbers, each, strict=True))
    for n, question in enumerate(asked):
        if n not in found:
            found[n] = service.ask(_PATHS[type(question)], _body(question))
    return [found[n] for n in range(len(asked))]


_PATHS = {TailQuestion: "/tail", HistoryQuestion: "/filtered", RevaluationQuestion: "/revaluation"}


def _body(asked: Question) -> dict[str, Any]:
    if isinstance(asked, OptionQuestion):
        return _option_body(asked, asked.strike)
    if isinstance(asked, RevaluationQuestion):
        return {
            "book": [
                {**_option_body(held, held.leg.strike), "amount": number(held.leg.amount), "is_call": held.leg.is_call}
                for held in asked.book
            ],
            "prices": [number(moved.price) for moved in asked.scenarios],
            "volatilities": [number(moved.volatility) for moved in asked.scenarios],
        }
    if isinstance(asked, TailQuestion):
        return {"losses": list(map(number, asked.losses)), "chance": number(asked.chance)}
    if isinstance(asked, HistoryQuestion):
        moves = list(map(number, asked.moves))
        return {"moves": moves, **_numbers({"variance": asked.variance, "memory": asked.memory})}
    return {
        **_numbers(vars(asked.account)),
        "expiries": [_expiry_body(expiry, options) for expiry, options in asked.holdings],
        "collateral": [
            {
                **_numbers({k: v for k, v in vars(held).items() if k != "cancels_risk"}),
                "cancels_risk": held.cancels_risk,
            }
            for held in asked.collateral
        ],
        "scenarios": [
            {"spot": number(s.spot), "shock": s.shock, "damping": number(s.damping)} for s in asked.scenarios
        ],
        "parameters": {
            name: value if name == "least_seconds" else number(value) for name, value in vars(asked.parameters).items()
        },
    }


def _option_body(asked: OptionQuestion | Held, strike: int) -> dict[str, Any]:
    numbers = {"forward": asked.forward, "strike": strike, "volatility": asked.volatility, "discount": asked.factor}
    return {**_numbers(numbers), "seconds": asked.seconds}


def _expiry_body(expiry: Any, options: Sequence[Any]) -> dict[str, Any]:
    numbers = {"forward": expiry.forward, "fixed": expiry.fixed, "rate": expiry.rate, "discount": expiry.factor}
    positions = [
        {
            **_numbers({"strike": o.leg.strike, "amount": o.leg.amount, "volatility": o.volatility}),
            "is_call": o.leg.is_call,
        }
        for o in options
    ]
    sure = number(expiry.confidence)
    return {**_numbers(numbers), "seconds": expiry.seconds, "confidence": sure, "options": positions}


def _numbers(values: Mapping[str, int]) -> dict[str, str]:
    return {name: number(value) for name, value in values.items()}


def _read(answer: Any, name: str) -> float:
    """A figure of an answer by its name, e.g. `profits[3]`, in units of 10^-18."""
    what, _, index = name.partition("[")
    try:
        value = answer[what][int(index[:-1])] if index else answer[what]
    except (KeyError, IndexError, TypeError):
        raise TargetFailed(f"the risk service's answer has no {name}") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TargetFailed(f"the risk service's {name} is no finite number")
    return float(value) * WAD


# --- The comparison -------------------------------------------------------------------------------------------------


def compared(question: Question, answer: Mapping[str, Any], rules: Counter[str] | None = None) -> Off | None:
    """The first figure that is farther off than allowed, if any. rules: counts the figures by their rule."""
    for figure in figures(question):
        found = _read(answer, figure.name)
        if rules is not None:
            rules[figure.rule] += 1
        if abs(Fraction(found) - figure.value) > figure.tolerance:
            return Off(figure, found, question)
    return None


@dataclass
class Valuation:
    """What came of a run. rules: how many figures of each were compared. off: the first difference, shrunk."""

    questions: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    off: Off | None = None


def run(service: RiskService, asked: Iterable[Question], progress: Callable[[int], None] = lambda _: None) -> Valuation:
    """Ask and compare until the first difference; that one is shrunk."""
    done, left = Valuation(), iter(asked)
    while part := list(itertools.islice(left, MOST_AT_ONCE)):
        try:
            answered = answers(service, part)
        except ServiceRefused as refused:
            raise TargetFailed(f"the risk service refuses a question that has an answer: {refused}") from None
        for question, answer in zip(part, answered, strict=True):
            done.off = compared(question, answer, done.rules)
            done.questions += 1
            if done.off is not None:
                done.off = shrunk(service, done.off)
                return done
        progress(done.questions)
    return done


def shrunk(service: RiskService, off: Off) -> Off:
    """A smaller question on which the same figure, or one of its kind, is off."""
    smaller = True
    while smaller:
        smaller = False
        for simpler in _simpler(off.question):
            try:
                found = compared(simpler, answers(service, [simpler])[0])
            except (ServiceRefused, TargetFailed):
                continue
            if found is not None and _kind(found) == _kind(off):
                off, smaller = found, True
                break
    return off


def _kind(off: Off) -> str:
    return off.figure.name.partition("[")[0]


def _simpler(question: Question) -> Iterator[Question]:
    """The question without one of its parts."""
    if isinstance(question, TailQuestion | HistoryQuestion):
        name = "losses" if isinstance(question, TailQuestion) else "moves"
        yield from _without_one(question, lambda asked: getattr(asked, name), least=1)
    if isinstance(question, RevaluationQuestion):
        yield from _without_one(question, lambda asked: asked.book, least=1)
        yield from _without_one(question, lambda asked: asked.scenarios, least=1)
    if isinstance(question, MarginQuestion):
        question.scenarios = list(question.scenarios)
        yield from _without_one(question, lambda asked: asked.holdings)
        yield from _without_one(question, lambda asked: asked.collateral)
        yield from _without_one(question, lambda asked: asked.scenarios, least=1)
        for n in range(len(question.holdings)):
            yield from _without_one(question, functools.partial(_options_of, number=n), least=1)
        for name in ("perpetual", "cash", "unpaid"):
            if getattr(question.account, name) != 0:
                simpler = copy.deepcopy(question)
                setattr(simpler.account, name, 0)
                yield simpler


def _options_of(question: MarginQuestion, number: int) -> list[Option]:
    return question.holdings[number][1]


def _without_one(question: Question, part: Callable[[Any], list[Any]], least: int = 0) -> Iterator[Question]:
    size = len(part(question))
    for first in range(size if size <= 40 else 0):
        if size > least:
            simpler = copy.deepcopy(question)
            del part(simpler)[first]
            yield simpler
    if size > 40:
        for half in (slice(0, size // 2), slice(size // 2, size)):
            simpler = copy.deepcopy(question)
            del part(simpler)[half]
            yield simpler
