"""Chapter 6, margin: equity, requirements, and how ratios follow volatility. Rules: `spec/reference/06-margin.md`."""

from collections.abc import Mapping

from marginspec.model.kernel import Rejected, rule
from marginspec.model.kernel.fixed import div_up, mul_div_down, mul_div_up
from marginspec.model.reference.collateral import (
    MAXIMUM_HAIRCUT,
    gross_value,
    haircut_gap,
    profit_haircut,
    target_haircut,
)
from marginspec.model.reference.ledger import Market, MarketTerms
from marginspec.model.reference.notation import (
    BUFFER,
    DAY,
    HOUR,
    INITIAL_GAP,
    MAKER_FEE,
    MAXIMUM_RATIO,
    MINIMUM_RATIO,
    PENALTY,
    PPM,
    TAKER_FEE,
    AccountId,
    AssetId,
    MarketId,
    ParameterId,
    above_zero,
    between,
    magnitude,
)
from marginspec.model.reference.positions import Positions, profit

MAX_STEP_TIME = HOUR
MEMORY = DAY
MAX_VOLATILITY = PPM
TIGHTENING = 5
RELAXATION = 1
RAMP = 7 * DAY
SEIZURE_DISCOUNT = 40_000

# Their ramps are rounded up, those of all other parameters down; so a ramp between safe sets is safe.
MARGINS = (MINIMUM_RATIO, MAXIMUM_RATIO, INITIAL_GAP, BUFFER)


class Margin(Positions):
    """Equity and requirements of an account, and the ratios in force."""

    @rule("MRG-1")
    def equity(self, account: AccountId, aged: bool = False) -> int:
        """Cash, collateral after haircuts and unrealised profit or loss of a settled account, quote.

        aged: at the last accepted prices, whatever their age.
        """
        total = self.accounts[account].cash
        for asset, holding in self.accounts[account].collateral.items():
            if holding.counted != 0:
                self.price(asset, aged)
                total += self.collateral_value(asset, holding.counted)
        return total + self.unrealised(account, aged)

    @rule("MRG-2")
    def maintenance_margin(self, account: AccountId, aged: bool = False) -> int:
        """Equity below which an account is liquidated, quote, rounded up. aged: see `equity`."""
        return div_up(self._requirement(account, buffered=False, aged=aged), PPM)

    def _requirement(self, account: AccountId, buffered: bool, aged: bool = False) -> int:
        """Maintenance requirement, with or without the liquidation buffer, in millionths of quote, exact."""
        total = 0
        for market, position in self.accounts[account].positions.items():
            if position.size != 0:
                ratio = self.markets[market].ratio + (self.parameters[market][BUFFER] if buffered else 0)
                total += magnitude(position.size) * self._high(market, aged) * ratio
        return total

    @rule("MRG-3")
    def initial_margin(self, account: AccountId) -> int:
        """Equity needed after an action that adds risk, quote: positions, uncertain profit, uncertain collateral."""
        total, extra = 0, 0
        for market, position in self.accounts[account].positions.items():
            if position.size != 0:
                total += magnitude(position.size) * self._high(market) * self.initial_ratio(market)
                extra += profit_haircut(above_zero(profit(position, self.mark(market))))
        for asset, holding in self.accounts[account].collateral.items():
            if holding.counted != 0:
                extra += haircut_gap(gross_value(holding.counted, self.price(asset).low, self.asset_terms[asset].unit))
        return div_up(total, PPM) + extra

    def initial_ratio(self, market: MarketId) -> int:
        """Initial margin ratio of a market at its present open interest, ppm."""
        gap = self.parameters[market][INITIAL_GAP]
        return self.markets[market].ratio + gap + open_interest_ratio(self.market_terms[market], self.markets[market])

    def _high(self, market: MarketId, aged: bool = False) -> int:
        return self.price(self.market_terms[market].asset, aged).high

    @rule("MRG-5")
    def _needs_initial_margin(self, account: AccountId) -> None:
        if self._owes_nothing(account):
            return
        if self.equity(account) < self.initial_margin(account):
            raise Rejected("MRG-6")

    def _owes_nothing(self, account: AccountId) -> bool:
        """MRG-7: no positions and no negative cash: whatever the prices, nothing is needed."""
        held = self.accounts[account]
        return all(position.size == 0 for position in held.positions.values()) and held.cash >= 0

    @rule("MRG-8")
    def _adapt(self, asset: AssetId, mark: int, elapsed: int) -> None:
        """On a new price: volatility, then the haircut of the asset and the ratio of its markets."""
        price, time = self.assets[asset], min(elapsed, MAX_STEP_TIME)
        price.volatility = next_volatility(price.volatility, price.mark, mark, time)
        haircut = target_haircut(price.volatility, price.spread, self.asset_terms[asset].minimum_haircut)
        price.haircut = approach(price.haircut, haircut, time)
        for market, terms in self.market_terms.items():
            if terms.asset == asset:
                self._follow(market, price.volatility, time)

    def _follow(self, market: MarketId, volatility: int, time: int) -> None:
        """Move the ratio of a market towards what a volatility asks for, by parameters ramped before."""
        self._ramp(market, time)
        m, parameters = self.markets[market], self.parameters[market]
        target = target_ratio(volatility, parameters[MINIMUM_RATIO], parameters[MAXIMUM_RATIO])
        m.ratio = approach(m.ratio, target, time)

    def _ramp(self, market: MarketId, time: int) -> None:
        m = self.markets[market]
        if m.ramp_at != 0 and self.now >= m.ramp_at:
            self._ramp_on(market, time)

    @rule("MRG-13")
    def _ramp_on(self, market: MarketId, time: int) -> None:
        """Move announced parameters on by some seconds; the last step ends the ramp."""
        m, start, end = self.markets[market], self.ramp_from[market], self.ramp_to[market]
        m.ramp_progress = min(m.ramp_progress + time, RAMP)
        for name in end:
            rounded = mul_div_up if name in MARGINS else mul_div_down
            self.parameters[market][name] = start[name] + rounded(end[name] - start[name], m.ramp_progress, RAMP)
        if m.ramp_progress == RAMP:
            m.ramp_at, m.ramp_progress = 0, 0
            self.ramp_from[market] = end.copy()


def open_interest_ratio(terms: MarketTerms, m: Market) -> int:
    """MRG-4: initial ratio added for open interest, in proportion to the cap and at most `slope`, ppm, rounded up."""
    return mul_div_up(terms.slope, min(m.open_interest, m.open_interest_cap), m.open_interest_cap)


def next_volatility(volatility: int, last: int, mark: int, time: int) -> int:
    """MRG-9: the estimate forgets with time and adds the absolute move, ppm; forgetting down, move up."""
    forgotten = mul_div_down(volatility, time, MEMORY)
    return min(MAX_VOLATILITY, volatility - forgotten + mul_div_up(magnitude(mark - last), PPM, last))


def approach(value: int, target: int, time: int) -> int:
    """MRG-10: a ratio moves to its target, up by at most TIGHTENING a second, down by at most RELAXATION."""
    return between(value - RELAXATION * time, target, value + TIGHTENING * time)


def target_ratio(volatility: int, minimum: int, maximum: int) -> int:
    """MRG-11: the maintenance ratio that a volatility asks for, within the parameters."""
    return between(minimum, volatility, maximum)


def is_covered(minimum_haircut: int, delta: int) -> bool:
    """MRG-14: whether collateral that fell by delta and is sold at the seizure discount fetches what it counted for."""
    counted = PPM - minimum_haircut
    return minimum_haircut <= MAXIMUM_HAIRCUT and counted * PPM <= (PPM - delta) * (PPM - SEIZURE_DISCOUNT)


def is_safe(parameters: Mapping[ParameterId, int], delta: int, slope: int) -> bool:
    """MRG-12: the safety bounds: a move of delta and the penalty fit the ratio, one step of adaptation fits the gap."""
    penalty = parameters[PENALTY]
    return (
        delta >= 1
        and delta + penalty + mul_div_up(penalty, delta, PPM) <= parameters[MINIMUM_RATIO]
        and parameters[MINIMUM_RATIO] <= parameters[MAXIMUM_RATIO]
        and parameters[BUFFER] <= parameters[INITIAL_GAP]
        and parameters[INITIAL_GAP] >= TIGHTENING * MAX_STEP_TIME
        and parameters[MAXIMUM_RATIO] + parameters[INITIAL_GAP] + slope <= PPM
        and parameters[MAKER_FEE] <= parameters[TAKER_FEE] <= penalty
    )
