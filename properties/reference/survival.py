"""Which price moves between two chances to liquidate the reference venue survives: the law that `bounds` certifies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.reference import Reference
from marginspec.model.reference.liquidation import seizure_price
from marginspec.model.reference.margin import MAX_STEP_TIME, TIGHTENING, is_covered
from marginspec.model.reference.notation import (
    BUFFER,
    INITIAL_GAP,
    MAKER_FEE,
    MAXIMUM_RATIO,
    MINIMUM_RATIO,
    PENALTY,
    PPM,
    TAKER_FEE,
    AccountId,
    AssetId,
    CounterpartyId,
    Holder,
    MarketId,
    ParameterId,
    Side,
    SourceId,
    StoredPrice,
    TokenId,
    User,
    magnitude,
)
from marginspec.model.reference.presets import Preset
from marginspec.model.reference.venue import BTC, BTC_PERP, ETH, ETH_PERP
from marginspec.properties.law import Property, assume
from marginspec.properties.scope import Scope

BOUNDS = (
    "one account of any size, in up to two markets and two collateral assets, cash of either sign; any prices; a ratio "
    "and a haircut in force at least at the preset's minimum; one move of every price by at most delta; "
    "settled funding"
)

_ONE: dict[Any, tuple[Any, ...]] = dict.fromkeys((AccountId, CounterpartyId, User, Holder), ("account",))
SCOPE = Scope(
    keys={
        **_ONE,
        MarketId: (ETH_PERP, BTC_PERP),
        TokenId: ("USD", ETH, BTC),
        AssetId: (ETH, BTC),
        SourceId: ("first",),
        ParameterId: (BUFFER,),
        Side: ("buy",),
    },
    fixed={f"market_terms[{ETH_PERP}].asset": (ETH,), f"market_terms[{BTC_PERP}].asset": (BTC,)},
)


@dataclass(frozen=True)
class Exposure:
    """What an account may have: positions in some markets, collateral in some assets."""

    markets: tuple[MarketId, ...] = ()
    assets: tuple[AssetId, ...] = ()


def survival(preset: Preset, exposure: Exposure, delta: int) -> Property:
    """The law that an account with this exposure, at maintenance, survives every move of at most `delta` ppm."""

    def survives(venue: Reference, account: AccountId, eth: StoredPrice, btc: StoredPrice) -> Any:
        moved = {ETH: eth, BTC: btc}
        held = venue.accounts[account]
        for asset in held.collateral:
            _moves(venue, asset, moved[asset], delta)
        left, enough = held.cash, []
        for market, position in held.positions.items():
            if market not in exposure.markets:
                assume(position.size == 0)
            if position.size != 0:
                ratio, price = venue.markets[market].ratio, venue.price(venue.market_terms[market].asset)
                assume(ratio >= preset.parameters[market][MINIMUM_RATIO])
                mark = moved[venue.market_terms[market].asset]
                left += position.size * mark - position.cost
                enough.append(
                    position.size * (price.mark - mark) * PPM <= magnitude(position.size) * price.high * ratio
                )
        for asset, holding in held.collateral.items():
            if asset not in exposure.assets:
                assume(holding.counted == 0)
            if holding.counted != 0:
                assume(holding.counted <= holding.amount)
                assume(venue.assets[asset].haircut >= preset.minimum_haircut[asset])
                fetched = seizure_price(holding.amount, moved[asset], venue.asset_terms[asset].unit)
                left += fetched
                enough.append(fetched >= venue.collateral_value(asset, holding.counted))
        # Each part by itself suffices; the whole then follows by adding up.
        if not all(enough):
            return False
        assume(venue.equity(account) >= venue.maintenance_margin(account))
        return left >= 0

    law = (
        f"An account at maintenance, met by one move of at most {delta} ppm of every price, pays all that it owes from "
        "its positions, closed at the new marks, and its collateral, seized at the discount."
    )
    name = ", ".join((*exposure.markets, *exposure.assets))
    return _property(f"survival of {delta} ppm: {name}", law, survives)


def _moves(venue: Reference, asset: AssetId, mark: int, delta: int) -> None:
    price = venue.assets[asset]
    assume(price.low <= price.mark)
    assume(price.mark <= price.high)
    assume(mark >= 1)
    assume((mark - price.mark) * PPM <= delta * price.mark)
    assume((price.mark - mark) * PPM <= delta * price.mark)


def _property(id: str, law: str, predicate: Callable[..., Any]) -> Property:
    return Property(id, law, "theorem", predicate, (), (), BOUNDS, lambda venue, step: True, SCOPE)


# --- What the survivable move follows from ---


def survivable(preset: Preset, exposure: Exposure) -> int:
    """The move in ppm that the rules are built to survive with an exposure; `survival` is the law that says so.

    Positions lose at most the maintenance ratio (MRG-2); collateral fetches what it counted for up to a fall by which
    haircut and seizure discount still meet (MRG-14).
    """
    by_position = [preset.parameters[market][MINIMUM_RATIO] for market in exposure.markets]
    by_collateral = [_covered(preset.minimum_haircut[asset]) for asset in exposure.assets]
    return min(by_position + by_collateral)


def _covered(haircut: int) -> int:
    """The largest fall in ppm by which `is_covered` holds."""
    low, high = -1, PPM
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_covered(haircut, middle) else (low, middle)
    return low


@dataclass(frozen=True)
class Constraint:
    """A safety bound: what must not exceed what, ppm."""

    rule: str
    subject: str
    text: str
    left: int
    right: int

    @property
    def slack(self) -> int:
        """How much room is left, ppm; negative when the bound is violated."""
        return self.right - self.left


def constraints(preset: Preset) -> Iterator[Constraint]:
    """Every safety bound (MRG-12, MRG-14) on a preset."""
    for market, p in preset.parameters.items():
        delta, penalty = preset.delta[market], p[PENALTY]
        paid = delta + penalty + mul_div_up(penalty, delta, PPM)
        top = p[MAXIMUM_RATIO] + p[INITIAL_GAP] + preset.slope[market]
        step = TIGHTENING * MAX_STEP_TIME
        yield Constraint("MRG-12", market, "delta and penalty fit the minimum ratio", paid, p[MINIMUM_RATIO])
        yield Constraint("MRG-12", market, "ratios are in order", p[MINIMUM_RATIO], p[MAXIMUM_RATIO])
        yield Constraint("MRG-12", market, "one step of adaptation fits the initial gap", step, p[INITIAL_GAP])
        yield Constraint("MRG-12", market, "the buffer fits the initial gap", p[BUFFER], p[INITIAL_GAP])
        yield Constraint("MRG-12", market, "the highest initial ratio is at most one", top, PPM)
        yield Constraint("MRG-12", market, "the maker fee is at most the taker fee", p[MAKER_FEE], p[TAKER_FEE])
        yield Constraint("MRG-12", market, "the taker fee is at most the penalty", p[TAKER_FEE], penalty)
    for asset, haircut in preset.minimum_haircut.items():
        widest = max(preset.delta.values())
        yield Constraint("MRG-14", asset, "collateral that fell by delta covers its count", widest, _covered(haircut))
