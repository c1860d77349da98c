"""Lyra v1 where options may be worth anything: what it keeps of collateral whatever prices are, it keeps.

Curves and prices are opaque to proofs: lemmas say that they give numbers of some width or refuse by some rule, and
change nothing. What the numbers are, laws that are run on numbers see, and `tests/systems/test_lyra_v1_curves.py`
compares them with the contracts bit by bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from marginspec.model.deployed.lyra_v1.decimals import INT256_MAX, INT256_MIN, WORDS
from marginspec.model.deployed.lyra_v1.ledger import BoardId, Direction, Kind, PositionId, StrikeId
from marginspec.model.kernel import Machine, Number, Uint256
from marginspec.properties.law import anything
from marginspec.properties.relaxation import AnyInteger, Relaxation, forget, granted, may_refuse, simulates

if TYPE_CHECKING:
    from marginspec.model.deployed.lyra_v1.venue import LyraV1 as _LyraV1
else:
    # What it is mixed into is Lyra v1: it must not bring another.
    _LyraV1 = Machine

Int256 = Annotated[int, Number(INT256_MIN, INT256_MAX)]
Wide = Annotated[int, Number(-WORDS, WORDS)]

ARITHMETIC = ("EVM-1", "EVM-2", "CRV-2", "CRV-4", "CRV-5")
"""How a price may have no answer."""


class AnySteps(_LyraV1):
    """The steps of curves give any numbers."""

    @simulates("LYR-RLX-1", total=True)
    def _octaves(self, x: int) -> Any:
        """How often an exponential doubles is a number, and finding it changes nothing."""
        return anything(AnyInteger)

    @simulates("LYR-RLX-2", total=True)
    def _exponential_fraction(self, x: int) -> Any:
        """The fraction of an exponential is a number, and finding it changes nothing."""
        return anything(AnyInteger)

    @simulates("LYR-RLX-3", total=True)
    def _moved(self, x: int, power: int) -> Any:
        """Moving bits gives two numbers, and changes nothing."""
        return anything(AnyInteger), anything(AnyInteger)

    @simulates("LYR-RLX-4", total=True)
    def _power_of_two(self, n: int) -> Any:
        """A power of two is a number, and finding it changes nothing."""
        return anything(AnyInteger)

    @simulates("LYR-RLX-5", total=True)
    def _logarithm_fraction(self, x: int) -> Any:
        """The fraction of a logarithm is a number, and finding it changes nothing."""
        return anything(AnyInteger)

    @simulates("LYR-RLX-6", total=True)
    def _better(self, x: int, guess: int) -> Any:
        """A better guess at a root is a number, and finding it changes nothing."""
        return anything(AnyInteger)


class AnyCurves(_LyraV1):
    """Curves have any values."""

    @simulates("LYR-RLX-7", over=Relaxation(AnySteps), total=True)
    def exponential(self, x: int) -> Any:
        """An exponential is a word or refused by CRV-2, and asking for it changes nothing."""
        may_refuse("CRV-2")
        return anything(Uint256)

    @simulates("LYR-RLX-8", over=Relaxation(AnySteps), total=True)
    def logarithm(self, x: int) -> Any:
        """A logarithm is a number or refused by CRV-4 or CRV-5, and asking for it changes nothing."""
        may_refuse("CRV-4", "CRV-5")
        return anything(AnyInteger)

    @simulates("LYR-RLX-9", over=Relaxation(AnySteps), total=True)
    def root(self, x: int) -> Any:
        """A root is a number, and asking for it changes nothing."""
        return anything(AnyInteger)


any_curves = Relaxation(AnyCurves)


class AnyChances(AnyCurves):
    """Distances, densities and probabilities have any values, too."""

    @simulates("LYR-RLX-10", over=any_curves, total=True)
    def _probability(self, x: int) -> Any:
        """A probability is a number of 257 bits or refused as arithmetic is, and asking for it changes nothing."""
        may_refuse(*ARITHMETIC)
        return anything(Wide)

    @simulates("LYR-RLX-11", over=any_curves, total=True)
    def _density(self, x: int) -> Any:
        """So is a density."""
        may_refuse(*ARITHMETIC)
        return anything(AnyInteger)

    @simulates("LYR-RLX-12", over=any_curves, total=True)
    def _distances(self, time: int, volatility: int, spot: int, strike: int, rate: int) -> Any:
        """Distances are two numbers or refused as arithmetic is, and asking for them changes nothing."""
        may_refuse(*ARITHMETIC)
        return anything(AnyInteger), anything(AnyInteger)


any_chances = Relaxation(AnyChances)


class AnyPrices(AnyCurves):
    """Options have any prices and greeks, and volatilities any average."""

    @simulates("LYR-RLX-13", over=any_chances, total=True)
    def option_prices(self, seconds: int, volatility: int, spot: int, strike: int, rate: int) -> Any:
        """Prices are two words or refused as arithmetic is, and asking for them changes nothing."""
        may_refuse(*ARITHMETIC)
        return anything(Uint256), anything(Uint256)

    @simulates("LYR-RLX-14", over=any_chances, total=True)
    def prices_and_greeks(self, seconds: int, volatility: int, spot: int, strike: int, rate: int) -> Any:
        """Prices and greeks are words, deltas signed ones, or refused as arithmetic is; asking changes nothing."""
        may_refuse(*ARITHMETIC)
        prices = anything(Uint256), anything(Uint256)
        return (*prices, anything(Int256), anything(Int256), anything(Uint256), anything(Uint256))

    @simulates("LYR-RLX-15", over=any_curves, total=True)
    def _average(self, value: int, period: int) -> Any:
        """An average is a word or refused as arithmetic is, and asking for it changes nothing."""
        may_refuse(*ARITHMETIC)
        return anything(Uint256)


any_prices = Relaxation(AnyPrices)


class AnyGrowth(AnyPrices):
    """Averages, and what exposures are worth, are anything."""

    @simulates("LYR-RLX-16", over=any_prices, total=True)
    def iv_variance(self, board: BoardId) -> Any:
        """How far a volatility is from its average is a word or refused as arithmetic is; asking changes nothing."""
        may_refuse(*ARITHMETIC)
        return anything(Uint256)

    @simulates("LYR-RLX-17", over=any_prices, total=True)
    def skew_variance(self, strike: StrikeId) -> Any:
        """So is how far a skew is from its average."""
        may_refuse(*ARITHMETIC)
        return anything(Uint256)

    @simulates("LYR-RLX-18", total=True)
    def _growth(self, strike: StrikeId, calls: int, puts: int, both: int) -> Any:
        """A change of exposure is worth three signed words, or refused as arithmetic is; asking changes nothing."""
        may_refuse("EVM-1", "DEC-6")
        return anything(Int256), anything(Int256), anything(Int256)

    @simulates("LYR-RLX-19", total=True)
    def _largest_skew_variance(self, board: BoardId) -> Any:
        """The largest variance of a board's strikes is a word, and looking for it changes nothing."""
        return anything(Uint256)


any_growth = Relaxation(AnyGrowth)


class AnyTotals(AnyGrowth):
    """The totals over boards, besides their sums, are anything."""

    @simulates("LYR-RLX-20", total=True)
    def _look_at_boards(self) -> None:
        """Looking at all boards changes nothing but the totals besides their sums, within their ranges; no board was
        then updated before what they say, nor at a price outside of theirs."""
        for name in ("min_updated_at", "min_price", "max_price", "skew_variance", "iv_variance"):
            forget(self, "totals", name, within=True)
        for board in self.boards.values():
            granted(self.totals.min_updated_at <= board.updated_at)
            granted(self.totals.min_price <= board.updated_at_price)
            granted(board.updated_at_price <= self.totals.max_price)

    @simulates("LYR-RLX-21", over=any_growth, total=True)
    def _update_variances(self, board: BoardId, strike: StrikeId) -> None:
        """A trade's look at variances changes nothing but these, within their ranges, or arithmetic refuses it."""
        for name in ("skew_variance", "iv_variance"):
            forget(self, "boards", board, name, within=True)
            forget(self, "totals", name, within=True)
        forget(self, "strikes", strike, "skew_variance", within=True)
        may_refuse(*ARITHMETIC)


any_totals = Relaxation(AnyTotals)


class AnyLeast(AnyTotals):
    """The least collateral is anything, and so are the answers that change nothing."""

    @simulates("LYR-RLX-22", over=any_prices, total=True)
    def least_collateral(self, kind: Kind, strike: int, expiry: int, spot: int, amount: int) -> Any:
        """The least collateral is a number or refused as arithmetic is, and asking for it changes nothing."""
        may_refuse(*ARITHMETIC)
        return anything(AnyInteger)

    @simulates("LYR-RLX-23", total=True)
    def liquidation_fees(self, premium: int, collateral: int, least_fee: int, multiplier: int) -> Any:
        """What a liquidation pays are six numbers, or it is refused as arithmetic is; asking changes nothing."""
        may_refuse("EVM-1")
        paid = anything(AnyInteger), anything(AnyInteger), anything(AnyInteger)
        return (*paid, anything(AnyInteger), anything(AnyInteger), anything(AnyInteger))

    @simulates("LYR-RLX-24", over=any_prices, total=True)
    def force_close_price(self, strike: StrikeId, kind: Kind, direction: Direction, is_buy: bool, is_late: bool) -> Any:
        """The price of a forced close and its volatility are two numbers or refused, and asking changes nothing."""
        may_refuse(*ARITHMETIC, "DEC-6", "SPT-2")
        return anything(AnyInteger), anything(AnyInteger)


any_least = Relaxation(AnyLeast)


class AnyJudgement(AnyLeast):
    """Any position may be liquidatable."""

    @simulates("LYR-RLX-25", over=any_least, total=True)
    def is_liquidatable(self, position: PositionId) -> Any:
        """A position can be liquidated or not, or there is no answer, and asking changes nothing."""
        may_refuse(*ARITHMETIC)
        return anything(bool)


any_judgement = Relaxation(AnyJudgement)
