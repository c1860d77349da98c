"""The cache: sums of greeks, staleness, and prices of forced closes."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.lyra_v1.cache import parity
from marginspec.model.deployed.lyra_v1.decimals import UNIT
from marginspec.model.deployed.lyra_v1.ledger import CLOSE, BoardId, Direction, Kind, Price, StrikeId
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.model.kernel.fixed import div_down
from marginspec.properties.deployed.lyra_v1.collateral import ANY_PRICES
from marginspec.properties.deployed.lyra_v1.parameters import force_close_parameters_are_sound
from marginspec.properties.deployed.lyra_v1.relaxed import any_judgement, any_prices
from marginspec.properties.deployed.lyra_v1.scope import chapter
from marginspec.properties.law import Step, accepted, assume, every


@chapter.invariant("LYR-CHE-1", bounds=ANY_PRICES, relaxed=any_judgement)
def totals_are_the_sums_of_boards(venue: LyraV1) -> Any:
    """Delta, standard vega and value of all boards sum to those of the totals."""
    boards, total = list(venue.boards.values()), venue.totals.net
    return every(
        (
            sum(board.net.delta for board in boards) == total.delta,
            sum(board.net.vega for board in boards) == total.vega,
            sum(board.net.value for board in boards) == total.value,
        )
    )


@chapter.invariant("LYR-CHE-2", bounds=ANY_PRICES, relaxed=any_judgement)
def no_update_is_of_the_future(venue: LyraV1, board: BoardId) -> Any:
    """No board was updated later than now."""
    return venue.boards[board].updated_at <= venue.now


@chapter.invariant("LYR-CHE-3", bounds=ANY_PRICES, relaxed=any_judgement)
def totals_have_the_oldest_update_and_the_range_of_prices(venue: LyraV1, board: BoardId) -> Any:
    """No board was updated before what the totals say, nor at a price outside of theirs."""
    cached, totals = venue.boards[board], venue.totals
    return every(
        (
            totals.min_updated_at <= cached.updated_at,
            totals.min_price <= cached.updated_at_price,
            cached.updated_at_price <= totals.max_price,
        )
    )


@chapter.theorem("LYR-CHE-4", bounds=ANY_PRICES, relaxed=any_judgement)
def boards_are_updated_until_they_expire(venue: LyraV1, board: BoardId, step: Step) -> Any:
    """After its expiry a board's update is never renewed; exactly at its expiry it may be."""
    assume(venue.now > venue.board_terms[board].expiry)
    before = venue.boards[board].updated_at
    step.take(venue)
    return venue.boards[board].updated_at == before


# --- Staleness --------------------------------------------------------------------------------------------------------


@chapter.lemma("LYR-STL-1")
def exactly_the_accepted_move_is_stale(venue: LyraV1, past: Price) -> Any:
    """A price that has moved by exactly what is accepted is too far from where it was, one unit less is near."""
    accepted_move = div_down(past * venue.greek.price_move, UNIT)
    near = accepted_move == 0 or venue._is_near(past, past + accepted_move - 1)
    return near and not venue._is_near(past, past + accepted_move)


@chapter.lemma("LYR-STL-2")
def exactly_the_duration_is_not_late(venue: LyraV1) -> Any:
    """An update that is exactly as old as it may be is not late, one that is a second older is."""
    after = venue.greek.stale_after
    assume(venue.now >= after + 1)
    return not venue._is_late(venue.now - after) and venue._is_late(venue.now - after - 1)


@chapter.lemma("LYR-STL-3", given=(totals_have_the_oldest_update_and_the_range_of_prices,))
def a_late_board_makes_all_stale(venue: LyraV1, board: BoardId, spot: Price) -> Any:
    """Where one board is late, all are stale."""
    assume(venue._is_late(venue.boards[board].updated_at))
    return venue.is_global_stale(spot)


# --- Forced closes ----------------------------------------------------------------------------------------------------


@chapter.lemma("LYR-FRC-1", bounds=ANY_PRICES, relaxed=any_prices)
def forced_buyers_pay_parity_and_a_part_of_spot(
    venue: LyraV1, strike: StrikeId, kind: Kind, direction: Direction, is_late: bool
) -> Any:
    """Who is forced to buy an option back pays what it would pay now, and the least part of spot on top."""
    price, _ = accepted(venue.force_close_price, strike, kind, direction, True, is_late)
    f = venue.forced
    share = f.short_spot_min if direction == CLOSE else f.liquidate_spot_min
    floor = accepted(parity, kind, venue.strike_terms[strike].price, venue.spot) + div_down(venue.spot * share, UNIT)
    return price >= floor


@chapter.lemma("LYR-FRC-2", given=(force_close_parameters_are_sound,), bounds=ANY_PRICES, relaxed=any_prices)
def forced_volatility_is_against_whoever_closes(venue: LyraV1, strike: StrikeId, is_late: bool) -> Any:
    """Who is forced to close a short is never charged a lower volatility than that of the trade, who is forced to close
    a long never paid a higher one."""
    listed = accepted(venue.listed_volatility, strike)
    bought = accepted(venue._forced_volatility, strike, CLOSE, True, is_late)
    sold = accepted(venue._forced_volatility, strike, CLOSE, False, is_late)
    return every((sold <= listed, listed <= bought))


@chapter.lemma("LYR-FRC-3")
def parity_is_paid_by_one_of_call_and_put(venue: LyraV1, strike: Price, spot: Price) -> Any:
    """What a call and a put of a strike pay differs by spot less strike, and one of the two pays nothing."""
    call = accepted(parity, "long-call", strike, spot)
    put = accepted(parity, "long-put", strike, spot)
    return every((call - put == spot - strike, call == 0 or put == 0))
