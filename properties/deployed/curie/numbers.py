"""Numbers: rounding, the mark price, funding, and what a trade realises."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.curie import Curie
from marginspec.model.deployed.curie.notation import (
    ALL,
    Q96,
    STEP,
    UNIT,
    Fee,
    Market,
    Notional,
    OrderAmount,
    Owed,
    Size,
    User,
    in_token,
    magnitude,
    median,
    price_of,
)
from marginspec.model.kernel.fixed import mul_div_down, mul_div_up
from marginspec.properties.deployed.curie.relaxed import any_account, any_premium
from marginspec.properties.deployed.curie.scope import chapter
from marginspec.properties.law import accepted, assume, every


@chapter.lemma("CU-NUM-1")
def tokens_are_rounded_down(state: Curie, amount: Owed) -> Any:
    """An amount in units of the token is at most the amount and less than a unit below it, be it negative or not."""
    return 0 <= amount - in_token(amount) * STEP < STEP


@chapter.lemma("CU-NUM-2")
def median_is_one_between(state: Curie, x: Owed, y: Owed, z: Owed) -> Any:
    """The median is one of the three, one of the others is no greater and one no less."""
    found = median(x, y, z)
    no_greater = (1 if x <= found else 0) + (1 if y <= found else 0) + (1 if z <= found else 0)
    no_less = (1 if x >= found else 0) + (1 if y >= found else 0) + (1 if z >= found else 0)
    return every((found in (x, y, z), no_greater >= 2, no_less >= 2))


# Else a trader would sell another amount than was said.
@chapter.lemma("CU-NUM-3")
def scaling_for_the_pool_and_back_is_exact(state: Curie, amount: OrderAmount, fee: Fee) -> Any:
    """An amount that is scaled up by the fee of the pool, rounded up, and down again, rounded down, is the amount."""
    return mul_div_down(mul_div_up(amount, ALL, ALL - fee), ALL - fee, ALL) == amount


# Whoever moves the index price alone moves the mark price no farther than the pool's own averages are.
@chapter.lemma("CU-MRK-1")
def mark_price_is_within_the_averages(state: Curie, market: Market) -> Any:
    """A mark price is between the pool's averages over fifteen seconds and thirty minutes, whatever the index price."""
    pool, mark = state.pools[market], accepted(state.mark_price, market)
    short, long = price_of(pool.root_15_seconds), price_of(pool.root_30_minutes)
    return min(short, long) <= mark <= max(short, long)


@chapter.lemma("CU-FND-1")
def premium_is_limited(state: Curie, market: Market) -> Any:
    """A premium is at most the greatest rate of funding times the index price, to either side."""
    _, index = state._averaged(market)
    most = mul_div_down(mul_div_down(index, Q96, UNIT), state.settings.max_funding_rate, ALL)
    return magnitude(state.premium(market)) <= most


@chapter.lemma("CU-FND-2", relaxed=any_premium, bounds="funding settled at the same time")
def funding_is_due_once(state: Curie, user: User, market: Market) -> Any:
    """Right after funding was settled nothing is due."""
    state._settle_funding(user, market)
    return state.pending_funding(user, market) == 0


@chapter.lemma("CU-FND-3", relaxed=any_premium)
def longs_pay_what_shorts_get(state: Curie, user: User, other: User, market: Market) -> Any:
    """What is due of a long is due to a short of the same size that was settled at the same time, to the unit."""
    held, opposite = state.positions[user][market], state.positions[other][market]
    assume(user != other and opposite.size == -held.size and opposite.growth == held.growth)
    return state.pending_funding(user, market) == -state.pending_funding(other, market)


@chapter.lemma("CU-FND-4", relaxed=any_premium)
def positive_premium_is_paid_by_longs(state: Curie, user: User, market: Market) -> Any:
    """A long that was settled at a lesser growth pays, and a short does not."""
    held, (growth, _) = state.positions[user][market], state.funding_growth(market)
    assume(growth >= held.growth)
    due = state.pending_funding(user, market)
    return due >= 0 if held.size > 0 else due <= 0


@chapter.lemma("CU-FND-5", relaxed=any_premium)
def growth_is_as_it_was_within_a_block(state: Curie, market: Market) -> Any:
    """Funding does not grow in the second in which it was settled."""
    book = state.funding[market]
    assume(book.settled_at == state.now)
    growth, by_root = state.funding_growth(market)
    return every((growth == book.growth, by_root == book.growth_by_root))


@chapter.lemma("CU-FND-6", relaxed=any_account)
def settling_moves_only_what_was_realised(state: Curie, user: User, market: Market) -> Any:
    """Settling funding takes what is due off what was realised, and changes neither sizes nor balances."""
    before, due = state.clone(), state.pending_funding(user, market)
    state._settle_funding(user, market)
    held, had = state.positions[user][market], before.positions[user][market]
    same = (held.size == had.size, held.open_notional == had.open_notional, state.balance == before.balance)
    return every((*same, state.owed[user] == before.owed[user] - due))


@chapter.lemma("CU-PNL-1")
def whole_position_realises_all(state: Curie, size: Size, notional: Notional, quote: Notional) -> Any:
    """Whoever trades exactly the position away realises what the trade brings and what was open."""
    assume(size != 0)
    return state.realised(size, notional, -size, quote) == quote + notional


@chapter.lemma("CU-PNL-2")
def growing_position_realises_nothing(state: Curie, size: Size, notional: Notional, base: Size, quote: Notional) -> Any:
    """A trade to the side of a position, or one where there is none, realises nothing."""
    assume(size == 0 or (size > 0) == (base > 0))
    return state.realised(size, notional, base, quote) == 0


@chapter.lemma("CU-PNL-3")
def trade_moves_profit_and_makes_none(
    state: Curie, user: User, market: Market, base: Size, quote: Notional, profit: Owed
) -> Any:
    """What a trade realises it takes off what is open: the two change by what the trade brings, unless dust is
    forgotten."""
    held, owed = state.positions[user][market].clone(), state.owed[user]
    state._change(user, market, base, quote, profit)
    after = state.positions[user][market]
    change = after.open_notional - held.open_notional + state.owed[user] - owed
    lost = held.open_notional + quote - profit
    return change == quote or (after.open_notional == 0 and magnitude(lost) < 10 and change == quote - lost)
