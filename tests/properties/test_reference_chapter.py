"""The theorems of the reference venue: that they would notice, and what stands with each of them."""

from typing import Any

import pytest

from marginspec.model.kernel.fixed import mul_div_down, mul_div_up
from marginspec.model.reference import Reference
from marginspec.model.reference.liquidation import penalty_of
from marginspec.model.reference.notation import (
    PPM,
    AccountId,
    Amount,
    AssetId,
    Fraction,
    Fund,
    MarketId,
    Quote,
    SignedSize,
    Size,
    StoredPrice,
    StoredSize,
)
from marginspec.model.reference.positions import FUNDING_SCALE, funding_payment
from marginspec.properties.law import Chapter, Property
from marginspec.properties.reference import chapter
from marginspec.properties.reference.relaxed import relaxed, unchecked_margin
from marginspec.properties.reference.scope import ETH, HERE, OTHER, SCOPE, any_step, worth
from marginspec.prover.prove import Prover

wrong = Chapter("a false law", SCOPE, any_step)


@wrong.theorem("W-FUNDING")
def funding_cancels_exactly(venue: Reference, size: SignedSize, growth: Fund) -> Any:
    """What a long pays its short receives, to the unit, which rounding makes false."""
    return funding_payment(size, growth) + funding_payment(-size, growth) == 0


@wrong.theorem("W-PENALTY")
def penalty_is_paid_in_full(
    venue: Reference, size: StoredSize, mark: StoredPrice, penalty: Fraction, equity: Quote
) -> Any:
    """A penalty is its ratio of the notional, which an account without equity cannot pay."""
    return penalty_of(size, mark, penalty, equity) == mul_div_down(size * mark, penalty, PPM)


@wrong.theorem("W-TRADE", relaxed=unchecked_margin)
def trading_is_free(venue: Reference, account: AccountId, size: Size) -> Any:
    """A trade costs nothing, which fees make false."""
    before = worth(venue, account)
    venue.trade(account, OTHER, HERE, size)
    return worth(venue, account) == before


@wrong.invariant("W-CAP", relaxed=relaxed)
def nothing_is_held_beyond_its_cap(venue: Reference, asset: AssetId) -> Any:
    """No more of an asset is held than its cap, which the guardian may lower below what is there."""
    return venue.held[asset] <= venue.cap[asset]


@wrong.theorem("W-GATE")
def deposits_wait_for_the_gate(venue: Reference, account: AccountId, amount: Amount) -> Any:
    """While an account is in default nobody deposits, which would close the way out of a liquidation."""
    venue.deposit(account, ETH, amount)
    return venue.defaults == 0


@pytest.mark.parametrize("claim", wrong.properties, ids=lambda claim: claim.id)
def test_a_false_law_is_refuted_by_integers(claim: Property) -> None:
    verdict = Prover(Reference, recheck=False).alone(claim)
    assert verdict.verdict == "refuted"
    assert verdict.counterexample


class Careless(Reference):
    """The venue with three rules broken, each in a way that a law should notice."""

    def _change(self, account: AccountId, market: MarketId, size: int, quote: int) -> None:
        position = self.accounts[account].positions[market]
        position.size += size
        position.cost += quote
        self.markets[market].open_interest += max(size, 0)

    def _settle_funding(self, market: MarketId, position: Any) -> None:
        growth = self.markets[market].funding_index - position.funding_index
        payment = -mul_div_up(-position.size, growth, FUNDING_SCALE)
        position.cost += payment
        position.funding_index += growth
        self.pot += payment

    def _needs_initial_margin(self, account: AccountId) -> None:
        """Asks for none."""


@pytest.mark.parametrize("id", ["REF-RLX-25", "REF-RLX-23", "REF-POS-9", "REF-POS-12", "REF-WDR-1"])
def test_a_law_notices_a_broken_rule(id: str) -> None:
    claim = next(claim for claim in chapter.properties if claim.id == id)
    assert Prover(Careless, recheck=False).alone(claim).is_broken


@pytest.mark.parametrize(
    "id",
    [
        *("REF-BUF-1", "REF-LED-9", "REF-LIQ-1"),
        *(pytest.param(id, marks=pytest.mark.long) for id in ("REF-BUF-2", "REF-COL-1", "REF-DEF-4", "REF-LED-10")),
    ],
)
def test_a_law_is_proved_and_confirmed(id: str) -> None:
    claim = next(claim for claim in chapter.properties if claim.id == id)
    verdict = Prover(Reference).alone(claim)
    assert (verdict.verdict, verdict.confirmed, verdict.witnessed) == ("proved", True, True)


def test_there_are_laws_of_every_chapter() -> None:
    chapters = {claim.id.split("-")[1] for claim in chapter.properties}
    assert chapters >= {"LED", "ORC", "COL", "POS", "MRG", "TRD", "WDR", "DEP", "LIQ", "DEF", "SET", "PRM", "BUF", "RT"}
    assert len(chapter.properties) >= 60
