"""The least collateral of a short option. The laws hold whatever the option is worth, unless they say more."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.lyra_v1.collateral import between_bounds, collateral_by_volatility, full_collateral
from marginspec.model.deployed.lyra_v1.decimals import UNIT
from marginspec.model.deployed.lyra_v1.ledger import (
    CALL_BASE,
    CALL_QUOTE,
    PUT_QUOTE,
    Amount,
    Collateral,
    Kind,
    Moment,
    Period,
    Price,
)
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.model.kernel.numbers import UINT256_MAX
from marginspec.properties.deployed.lyra_v1.parameters import collateral_parameters_are_sound
from marginspec.properties.deployed.lyra_v1.relaxed import any_prices
from marginspec.properties.deployed.lyra_v1.scope import chapter
from marginspec.properties.law import accepted, assume, every, refusal

ANY_PRICES = "whatever the option is worth"
SOUND = (collateral_parameters_are_sound,)


@chapter.lemma("LYR-MIN-1", bounds=ANY_PRICES, relaxed=any_prices)
def least_collateral_is_never_more_than_full(
    venue: LyraV1, kind: Kind, strike: Price, expiry: Moment, spot: Price, amount: Amount
) -> Any:
    """The least collateral is never more than what covers the option whatever happens."""
    least = accepted(venue.least_collateral, kind, strike, expiry, spot, amount)
    return least <= accepted(full_collateral, kind, strike, amount)


@chapter.lemma("LYR-MIN-2", bounds=ANY_PRICES, relaxed=any_prices)
def least_collateral_is_static_or_full_at_least(
    venue: LyraV1, kind: Kind, strike: Price, expiry: Moment, spot: Price, amount: Amount
) -> Any:
    """Of any options the least collateral is at least the static one, or full where that is less."""
    assume(amount >= 1)
    least = accepted(venue.least_collateral, kind, strike, expiry, spot, amount)
    full = accepted(full_collateral, kind, strike, amount)
    return least >= min(venue.static_collateral(kind), full)


@chapter.lemma("LYR-MIN-3", relaxed=any_prices)
def no_options_need_no_collateral(venue: LyraV1, kind: Kind, strike: Price, expiry: Moment, spot: Price) -> Any:
    """No options need no collateral, at any price, even one at which others have no answer."""
    return refusal(venue.least_collateral, kind, strike, expiry, spot, 0) is None and (
        venue.least_collateral(kind, strike, expiry, spot, 0) == 0
    )


@chapter.lemma("LYR-MIN-4", bounds=ANY_PRICES)
def dearer_options_never_need_less(
    venue: LyraV1, kind: Kind, call: Price, put: Price, more: Price, shocked: Price, amount: Amount
) -> Any:
    """What is worth more under the shock needs no less collateral; with LYR-MIN-6 also within its bounds."""
    low = accepted(collateral_by_volatility, kind, call, put, shocked, amount)
    return low <= accepted(collateral_by_volatility, kind, call + more, put + more, shocked, amount)


@chapter.lemma("LYR-MIN-5", bounds=ANY_PRICES)
def more_options_never_need_less(
    venue: LyraV1, kind: Kind, call: Price, put: Price, shocked: Price, strike: Price, amount: Amount, more: Amount
) -> Any:
    """More options of a kind need no less collateral, nor less to be covered in full; with LYR-MIN-6 also within
    bounds."""
    few, many = (accepted(collateral_by_volatility, kind, call, put, shocked, n) for n in (amount, amount + more))
    least, most = (accepted(full_collateral, kind, strike, n) for n in (amount, amount + more))
    return every((few <= many, least <= most))


@chapter.lemma("LYR-MIN-6", bounds=ANY_PRICES)
def bounds_keep_the_order(
    venue: LyraV1,
    by_volatility: Collateral,
    dearer: Collateral,
    static: Collateral,
    higher: Collateral,
    full: Collateral,
    fuller: Collateral,
) -> Any:
    """No higher figure, static collateral or full collateral lowers the least collateral."""
    assume(by_volatility <= dearer and static <= higher and full <= fuller)
    return between_bounds(by_volatility, static, full) <= between_bounds(dearer, higher, fuller)


@chapter.lemma("LYR-MIN-7")
def full_collateral_is_base_or_strike_or_nothing(venue: LyraV1, kind: Kind, strike: Price, amount: Amount) -> Any:
    """A call is covered by its amount of base, a put by its strike, rounded down, a call by no amount of quote."""
    full = accepted(full_collateral, kind, strike, amount)
    if kind == CALL_BASE:
        return full == amount
    if kind == CALL_QUOTE:
        return full == UINT256_MAX
    return every((full * UNIT <= amount * strike, amount * strike < (full + 1) * UNIT))


@chapter.lemma("LYR-MIN-8", bounds=ANY_PRICES)
def parts_need_together_what_the_whole_needs(
    venue: LyraV1, call: Price, put: Price, shocked: Price, amount: Amount, more: Amount
) -> Any:
    """Before bounds, options in two parts need what they need together, or one unit of quote less."""
    kind = PUT_QUOTE
    parts = [accepted(collateral_by_volatility, kind, call, put, shocked, n) for n in (amount, more)]
    whole = accepted(collateral_by_volatility, kind, call, put, shocked, amount + more)
    return every((sum(parts) <= whole, whole <= sum(parts) + 1))


# --- Shocks ---------------------------------------------------------------------------------------------------------


@chapter.lemma("LYR-MIN-9", given=SOUND)
def shock_moves_spot_against_the_seller(venue: LyraV1, kind: Kind, spot: Price) -> Any:
    """The spot at which a put is priced is never above the real one, that of a call never below."""
    shocked = accepted(venue.shocked_spot, kind, spot)
    return shocked <= spot if kind == PUT_QUOTE else shocked >= spot


@chapter.lemma("LYR-MIN-10", given=SOUND)
def shock_volatility_is_between_b_and_a(venue: LyraV1, seconds: Period) -> Any:
    """The volatility at which an option is priced is at least B and at most A."""
    volatility = accepted(venue.shock_volatility, seconds)
    return every((venue.minimum.vol_b <= volatility, volatility <= venue.minimum.vol_a))


@chapter.lemma("LYR-MIN-11", given=SOUND)
def shock_volatility_never_rises_with_time(venue: LyraV1, seconds: Period, more: Period) -> Any:
    """More time to expiry never means a higher volatility."""
    near, far = (accepted(venue.shock_volatility, time) for time in (seconds, seconds + more))
    return far <= near


@chapter.lemma("LYR-MIN-12", given=SOUND)
def points_themselves_have_their_volatility(venue: LyraV1, seconds: Period) -> Any:
    """Exactly at point A it is A, exactly at point B it is B, but A where both are one point; there is always an answer
    there."""
    m = venue.minimum
    at_a = refusal(venue.shock_volatility, m.point_a) is None and venue.shock_volatility(m.point_a) == m.vol_a
    at_b = refusal(venue.shock_volatility, m.point_b) is None and (
        venue.shock_volatility(m.point_b) == (m.vol_a if m.point_a == m.point_b else m.vol_b)
    )
    return at_a and at_b
