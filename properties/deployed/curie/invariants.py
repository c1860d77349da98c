"""Invariants: times, and what states there are of a listed position."""

from __future__ import annotations

from typing import Any

from marginspec.model.deployed.curie import Curie
from marginspec.model.deployed.curie.notation import Market, Notional, Owed, Size, User, is_dust
from marginspec.properties.deployed.curie.relaxed import real_position, real_settlement
from marginspec.properties.deployed.curie.scope import chapter
from marginspec.properties.law import Step, assume, every


@chapter.invariant("CU-INV-1", relaxed=real_settlement)
def nothing_is_of_the_future(state: Curie, market: Market) -> Any:
    """Funding was settled, ticks were recorded and trades happened no later than now."""
    book = state.funding[market]
    return every((book.settled_at <= state.now, book.tick_at <= state.now, book.first_traded_at <= state.now))


@chapter.lemma("CU-POS-2")
def dust_is_forgotten(state: Curie, user: User, market: Market, base: Size, quote: Notional, profit: Owed) -> Any:
    """A change that leaves only dust of size and notional leaves nothing of both, and takes the market off the list."""
    held = state.positions[user][market].clone()
    state._change(user, market, base, quote, profit)
    assume(is_dust(held.size + base) & is_dust(held.open_notional + quote - profit))
    return every((_is_nothing(state, user, market), not state.is_registered[user][market]))


# Of what is not listed neither margin nor account value says anything. An account that liquidates itself gets there.
@chapter.theorem("CU-POS-1", relaxed=real_position)
def position_is_hidden_by_liquidating_oneself_alone(state: Curie, user: User, market: Market, step: Step) -> Any:
    """An account that has nothing in markets that it is not listed in has nothing in them after any action but the
    liquidation of itself."""
    assume(state.is_registered[user][market] or _is_nothing(state, user, market))
    assume(not (step.action == "liquidate" and step.argument("caller") == step.argument("user")))
    step.take(state)
    return state.is_registered[user][market] or _is_nothing(state, user, market)


def _is_nothing(state: Curie, user: User, market: Market) -> Any:
    held = state.positions[user][market]
    return (held.size == 0) & (held.open_notional == 0)
