"""Which price moves between two chances to liquidate the reference venue survives: the law that `bounds` certifies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marginspec.model.kernel.fixed import mul_div_up
from marginspec.model.reference import Reference
from marginspec.model.reference.collateral import MAXIMUM_HAIRCUT, gross_value
from marginspec.model.reference.margin import MAX_STEP_TIME, TIGHTENING, is_covered
from marginspec.model.reference.notation import (
    BUFFER,
    BUY,
    INITIAL_GAP,
    MAKER_FEE,
    MAXIMUM_RATIO,
    MINIMUM_RATIO,
    PENALTY,
    PPM,
    TAKER_FEE,
    USD,
    VENUE,
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
    "one account of any size, in up to {markets} markets and {assets} collateral assets, cash of either sign; any "
    "prices; a ratio and a haircut in force at least at the preset's minimum; one move of every price; settled funding"
)

ASSUMED = (
    "One move: every price moves once, by at most the figure, after which every account below maintenance is "
    "liquidated back to it before prices move again. That liquidations, seizures and covers then cost nobody else "
    "anything, in any order, is REF-BUF-4 to REF-BUF-6; that no rule stops them is REF-LIQ-12 (the limit per interval "
    "slows only what goes beyond maintenance).",
    "Somebody with initial margin liquidates, and somebody with cash buys the collateral: at the discount while the "
    "account can pay for it, at the mark where it can not (LIQ-19). How deep a market is, and who sells what was taken "
    "over at which price, is nowhere in it.",
    "Feeds are fresh and right: a market without an accepted price of the last hour is liquidated later, after the "
    "move that has happened by then; a move beyond the breaker's band waits for its confirmation.",
    "Parameters stay: the governor can lower ratios by a ramp after the notice; the figure is that of the parameters "
    "in the file.",
    "One account: each stands for itself, its funding settled up to the move; the funding of the time between two "
    "chances to liquidate comes on top.",
)
"""What a figure rests on beside its proof; printed with it."""

UNDERLYING: Mapping[MarketId, AssetId] = {ETH_PERP: ETH, BTC_PERP: BTC}


@dataclass(frozen=True)
class Exposure:
    """What an account may have: positions in some markets, collateral in some assets."""

    markets: tuple[MarketId, ...] = ()
    assets: tuple[AssetId, ...] = ()


def survival(
    preset: Preset,
    exposure: Exposure,
    delta: int,
    underlying: Mapping[MarketId, AssetId] = UNDERLYING,
    all_open: bool = False,
) -> Property:
    """The law that an account with this exposure, at maintenance, survives every move of at most `delta` ppm.

    underlying: the asset of each market. all_open: of accounts only that have all of the exposure.
    """

    def survives(venue: Reference, account: AccountId, **prices: int) -> Any:
        moved = {asset: prices[_moved(asset)] for asset in preset.minimum_haircut}
        held = venue.accounts[account]
        for asset in held.collateral:
            _moves(venue, asset, moved[asset], delta)
        left, enough = held.cash, []
        for market, position in held.positions.items():
            if market not in exposure.markets:
                assume(position.size == 0)
            elif all_open:
                assume(position.size != 0)
            if position.size != 0:
                ratio, price = venue.markets[market].ratio, venue.assets[venue.market_terms[market].asset]
                assume(ratio >= preset.parameters[market][MINIMUM_RATIO])
                mark = moved[venue.market_terms[market].asset]
                left += position.size * mark - position.cost
                enough.append(
                    position.size * (price.mark - mark) * PPM <= magnitude(position.size) * price.high * ratio
                )
        for asset, holding in held.collateral.items():
            if asset not in exposure.assets:
                assume(holding.counted == 0)
            elif all_open:
                assume(holding.counted != 0)
            if holding.counted != 0:
                assume(holding.counted <= holding.amount)
                assume(venue.assets[asset].haircut >= preset.minimum_haircut[asset])
                fetched = gross_value(holding.amount, moved[asset], venue.asset_terms[asset].unit)
                left += fetched
                enough.append(fetched >= venue.collateral_value(asset, holding.counted))
        # Each part by itself suffices; the whole then follows by adding up.
        if not all(enough):
            return False
        assume(venue.equity(account, aged=True) >= venue.maintenance_margin(account, aged=True))
        return left >= 0

    law = (
        f"An account at maintenance, met by one move of at most {delta} ppm of every price, can pay all that it owes "
        "from its positions, closed at the new marks, and its collateral, seized at what it is worth there."
    )
    # An argument for the new price of each asset, however many there are.
    survives.__annotations__ = {
        "venue": Reference,
        "account": AccountId,
        **{_moved(asset): StoredPrice for asset in preset.minimum_haircut},
    }
    id = f"survival of {delta} ppm: {', '.join((*exposure.markets, *exposure.assets))}"
    bounds = BOUNDS.format(markets=len(exposure.markets), assets=len(exposure.assets))
    scope = _scope(tuple(preset.minimum_haircut), underlying)
    return Property(id, law, "lemma", survives, (), (), bounds, lambda venue, step: True, scope)


def _moved(asset: AssetId) -> str:
    return f"{asset}_moved"


def _scope(assets: tuple[AssetId, ...], underlying: Mapping[MarketId, AssetId]) -> Scope:
    one = dict.fromkeys((AccountId, CounterpartyId, User), ("account",))
    rest = {Holder: ("account", VENUE), SourceId: ("first",), ParameterId: (BUFFER,), Side: (BUY,)}
    keys: dict[Any, tuple[Any, ...]] = {**one, **rest, MarketId: tuple(underlying), AssetId: assets}
    keys[TokenId] = (USD, *assets)
    return Scope(keys, fixed={f"market_terms[{market}].asset": (asset,) for market, asset in underlying.items()})


def _moves(venue: Reference, asset: AssetId, mark: int, delta: int) -> None:
    price = venue.assets[asset]
    assume(price.low <= price.mark)
    assume(price.mark <= price.high)
    assume(mark >= 1)
    assume((mark - price.mark) * PPM <= delta * price.mark)
    assume((price.mark - mark) * PPM <= delta * price.mark)


# --- What the survivable move follows from ---


def survivable(preset: Preset, exposure: Exposure) -> int:
    """The move in ppm that the rules are built to survive with an exposure; `survival` is the law that says so.

    Positions lose at most the maintenance ratio (MRG-2); collateral is worth what it counted for up to a fall by its
    haircut, which never is more than COL-9 asks for. The discount is the account's, as far as it has any (LIQ-19).
    """
    by_position = [preset.parameters[market][MINIMUM_RATIO] for market in exposure.markets]
    by_collateral = [min(preset.minimum_haircut[asset], MAXIMUM_HAIRCUT) for asset in exposure.assets]
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
        yield Constraint("MRG-12", market, "delta is a move", 1, delta)
    for asset, haircut in preset.minimum_haircut.items():
        widest, covered = max(preset.delta.values()), _covered(min(haircut, MAXIMUM_HAIRCUT))
        yield Constraint("MRG-14", asset, "the haircut is one that COL-9 can ask for", haircut, MAXIMUM_HAIRCUT)
        yield Constraint("MRG-14", asset, "collateral that fell by delta covers its count", widest, covered)
