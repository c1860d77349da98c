"""What the storage of a PerpsV2 market must satisfy, and the totals from which one sees that accounts are missing."""

from __future__ import annotations

from collections.abc import Iterator

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import UNIT, magnitude
from marginspec.systems.judgement import Judgement, Total


def judgements(state: PerpsV2) -> Iterator[Judgement]:
    """The bounds on parameters and price; all of them, kept or not."""
    terms = state.parameters
    for name, fee in (("taker", terms.taker_fee), ("maker", terms.maker_fee)):
        yield Judgement("FEE-1", name, f"the {name} fee is at most 1", fee, UNIT)
    thin = terms.liquidation_buffer_ratio * terms.max_leverage // UNIT
    yield Judgement("LIQ-2", "buffer", "at the greatest leverage there is margin beyond the buffer", thin + 1, UNIT)
    yield Judgement("FIL-1", "skew", "the skew is within its scale", magnitude(state.skew), terms.skew_scale)
    yield Judgement(
        "FND-1", "funding", "funding was recomputed no later than now", state.funding_recomputed_at, state.now
    )
    if state.size != 0:
        yield Judgement("PRC-3", "price", "a market with positions has a price above zero", 1, state.price)


def totals(state: PerpsV2) -> Iterator[Total]:
    """Sizes of the market, and of all accounts that were read."""
    held = state.positions.values()
    yield Total("PV-INV-1", (), "skew", state.skew, sum(position.size for position in held))
    yield Total("PV-INV-2", (), "size", state.size, sum(magnitude(position.size) for position in held))
