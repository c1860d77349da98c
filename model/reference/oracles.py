"""Chapter 3, oracles: from reports of several sources to one accepted price. Rules: `spec/reference/03-oracles.md`."""

from marginspec.model.kernel import Rejected, action, rule
from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.reference.ledger import Asset, AssetTerms, Ledger, Report
from marginspec.model.reference.notation import (
    HOUR,
    PPM,
    AssetId,
    Confidence,
    Fault,
    MarketId,
    Move,
    ReportedPrice,
    SourceId,
    User,
)

QUORUM = 2
MAX_AGE = HOUR
MAX_CONFIDENCE = 20_000
BAND = 200_000
CONFIRMATION = 1800


class Oracles(Ledger):
    """Reports, the accepted price, and the circuit breaker."""

    @action(weight=12)
    @rule("ORC-1")
    def update_price(self, caller: User, asset: AssetId) -> None:
        """Take the median of the usable reports as the price of an asset, or trip the circuit breaker."""
        self._update_price(asset)

    def _update_price(self, asset: AssetId) -> None:
        mark, low, high = self._reported(asset)
        price = self.assets[asset]
        if price.mark != 0:
            if not within_band(mark, price.mark):
                if price.tripped_at == 0:
                    self._trip(price)
                    return
                if self.now < price.tripped_at + CONFIRMATION:
                    raise Rejected("ORC-7")
            self._adapt(asset, mark, self.now - price.time)
        price.mark, price.low, price.high = mark, low, high
        price.time = self.now
        price.tripped_at = 0

    def _reported(self, asset: AssetId) -> tuple[int, int, int]:
        """Mark, lower and higher edge that the usable reports agree on."""
        terms = self.asset_terms[asset]
        reports = self.sources[asset]
        prices = sorted(r.price for r in reports.values() if is_usable(r, terms, self.now))
        if len(prices) < QUORUM:
            raise Rejected("ORC-4")
        return (
            lower_median(prices),
            lower_median(sorted(r.price - r.confidence for r in reports.values() if is_usable(r, terms, self.now))),
            upper_median(sorted(r.price + r.confidence for r in reports.values() if is_usable(r, terms, self.now))),
        )

    @rule("ORC-6")
    def _trip(self, price: Asset) -> None:
        price.tripped_at = self.now

    def _adapt(self, asset: AssetId, mark: int, elapsed: int) -> None:
        """What depends on how prices move and on time; chapter 6 says what."""
        raise NotImplementedError

    def price(self, asset: AssetId, aged: bool = False) -> Asset:
        """The accepted price of an asset, for a use that needs it; `aged`: of any age, 0 before there is one."""
        price = self.assets[asset]
        if not aged and (price.mark == 0 or self.now > price.time + MAX_AGE):
            raise Rejected("ORC-8")
        return price

    def mark(self, market: MarketId, aged: bool = False) -> int:
        """Mark price of a market: quote per size unit."""
        return self.price(self.market_terms[market].asset, aged).mark

    @action(weight=8, environment=True)
    def post(self, asset: AssetId, source: SourceId, price: ReportedPrice, confidence: Confidence) -> None:
        """A source reports a price now, and answers as it should from now on."""
        self.sources[asset][source] = Report(price, confidence, self.now)

    @action(environment=True)
    @rule("ORC-10")
    def set_source_fault(self, asset: AssetId, source: SourceId, fault: Fault) -> None:
        """Until it reports again, a source reverts (1), answers too little (2), burns its gas (3), or answers (0)."""
        self.sources[asset][source].fault = fault

    @action(weight=14, environment=True)
    @rule("ORC-9")
    def move_price(self, asset: AssetId, move: Move) -> None:
        """All sources report the last accepted price times `move`, surely to a thousandth, and the venue takes it."""
        price = mul_div_down(self.assets[asset].mark, move, PPM)
        for source in self.sources[asset]:
            self.sources[asset][source] = Report(price, div_down(price, 1000), self.now)
        self._update_price(asset)


def is_usable(report: Report, terms: AssetTerms, now: int) -> bool:
    """ORC-2: whether a report can be had, is fresh, strictly inside the feed's own bounds, and sure enough."""
    return (
        report.fault == 0
        and now <= report.time + MAX_AGE
        and terms.feed_low < report.price < terms.feed_high
        and report.confidence * PPM <= report.price * MAX_CONFIDENCE
    )


def lower_median(ordered: list[int]) -> int:
    """ORC-3: of values in ascending order the middle one, of two middle ones the lower."""
    return ordered[div_down(len(ordered) - 1, 2)]


def upper_median(ordered: list[int]) -> int:
    """ORC-3: of values in ascending order the middle one, of two middle ones the higher."""
    return ordered[div_down(len(ordered), 2)]


def within_band(price: int, last: int) -> bool:
    """ORC-5: whether a price differs from the last accepted one by at most the band."""
    return -last * BAND <= (price - last) * PPM <= last * BAND
