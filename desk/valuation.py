"""Questions of chapters 11 and 12 for a risk service: the model's figures, and bodies of requests."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from marginspec.desk.figures import Figure, QuestionKind, number, numbers, tolerance, without_one
from marginspec.desk.portfolios import (
    HistoryQuestion,
    MarginQuestion,
    OptionQuestion,
    RevaluationQuestion,
    TailQuestion,
)
from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.risk.black import black
from marginspec.model.risk.notation import WAD, magnitude
from marginspec.model.risk.revaluation import Held, losses
from marginspec.model.risk.scan import (
    NONE,
    Expiry,
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

# --- What the model says --------------------------------------------------------------------------------------------


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


# --- What is asked -------------------------------------------------------------------------------------------------


def _option_body(asked: OptionQuestion | Held, strike: int) -> dict[str, Any]:
    prices = {"forward": asked.forward, "strike": strike, "volatility": asked.volatility, "discount": asked.factor}
    return {**numbers(prices), "seconds": asked.seconds}


def _tail_body(asked: TailQuestion) -> dict[str, Any]:
    return {"losses": list(map(number, asked.losses)), "chance": number(asked.chance)}


def _history_body(asked: HistoryQuestion) -> dict[str, Any]:
    moves = list(map(number, asked.moves))
    return {"moves": moves, **numbers({"variance": asked.variance, "memory": asked.memory})}


def _revaluation_body(asked: RevaluationQuestion) -> dict[str, Any]:
    return {
        "book": [
            {**_option_body(held, held.leg.strike), "amount": number(held.leg.amount), "is_call": held.leg.is_call}
            for held in asked.book
        ],
        "prices": [number(moved.price) for moved in asked.scenarios],
        "volatilities": [number(moved.volatility) for moved in asked.scenarios],
    }


def _margin_body(asked: MarginQuestion) -> dict[str, Any]:
    return {
        **numbers(vars(asked.account)),
        "expiries": [_expiry_body(expiry, options) for expiry, options in asked.holdings],
        "collateral": [
            {
                **numbers({k: v for k, v in vars(held).items() if k != "cancels_risk"}),
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


def _expiry_body(expiry: Expiry, options: Sequence[Option]) -> dict[str, Any]:
    prices = {"forward": expiry.forward, "fixed": expiry.fixed, "rate": expiry.rate, "discount": expiry.factor}
    positions = [
        {
            **numbers({"strike": o.leg.strike, "amount": o.leg.amount, "volatility": o.volatility}),
            "is_call": o.leg.is_call,
        }
        for o in options
    ]
    sure = number(expiry.confidence)
    return {**numbers(prices), "seconds": expiry.seconds, "confidence": sure, "options": positions}


# --- Smaller ones ---------------------------------------------------------------------------------------------------


def _simpler_margin(question: MarginQuestion) -> Iterator[MarginQuestion]:
    question.scenarios = list(question.scenarios)
    yield from without_one(question, lambda asked: asked.holdings)
    yield from without_one(question, lambda asked: asked.collateral)
    yield from without_one(question, lambda asked: asked.scenarios, least=1)
    for n in range(len(question.holdings)):
        yield from without_one(question, functools.partial(_options_of, number=n), least=1)
    for name in ("perpetual", "cash", "unpaid"):
        if getattr(question.account, name) != 0:
            simpler = copy.deepcopy(question)
            setattr(simpler.account, name, 0)
            yield simpler


def _options_of(question: MarginQuestion, number: int) -> list[Option]:
    return question.holdings[number][1]


def _simpler_revaluation(question: RevaluationQuestion) -> Iterator[RevaluationQuestion]:
    yield from without_one(question, lambda asked: asked.book, least=1)
    yield from without_one(question, lambda asked: asked.scenarios, least=1)


KINDS: Mapping[type, QuestionKind] = {
    OptionQuestion: QuestionKind(
        "/options",
        lambda asked: _option_body(asked, asked.strike),
        _option,
        lambda asked: iter(()),
        ("options", "prices"),
    ),
    TailQuestion: QuestionKind(
        "/tail", _tail_body, _tail, lambda asked: without_one(asked, lambda each: each.losses, least=1)
    ),
    HistoryQuestion: QuestionKind(
        "/filtered", _history_body, _history, lambda asked: without_one(asked, lambda each: each.moves, least=1)
    ),
    RevaluationQuestion: QuestionKind("/revaluation", _revaluation_body, _revaluation, _simpler_revaluation),
    MarginQuestion: QuestionKind("/margin", _margin_body, _margin, _simpler_margin, ("portfolios", "margins")),
}
"""How each kind of question is asked."""
