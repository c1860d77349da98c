"""BlackScholes of Lyra v1: prices and greeks of European options, with 27 decimals inside.

Source: `libraries/BlackScholes.sol` of package `@lyrafinance/protocol` 0.1.3-alpha. Rules: `spec/deployed/lyra-v1.md`.
Every check stands where the contract has it, so that the first rule to refuse is the same.
"""

from marginspec.model.deployed.lyra_v1.curves import Curves
from marginspec.model.deployed.lyra_v1.decimals import (
    PRECISE,
    checked_int,
    div_to_zero,
    divide_precise,
    from_precise,
    multiply_precise,
    signed_divide_precise,
    signed_from_precise,
    signed_multiply_precise,
    signed_to_precise,
    to_precise,
)
from marginspec.model.kernel import rule
from marginspec.model.kernel.evm import checked
from marginspec.model.kernel.fixed import div_down

YEAR = 31_536_000
DAY = 86_400
MIN_TIME = div_down(PRECISE, YEAR)
MIN_VOLATILITY = div_down(PRECISE, 10_000)
VEGA_DAYS = 7 * DAY
ROOT_TWO_PI = 2506628274631000502415765285

FARTHEST = 37 * PRECISE
SPLIT = 7071067811865470000000000000
NUMERATOR = (
    35262496599891100000000000,
    700383064443688000000000000,
    6373962203531650000000000000,
    33912866078383000000000000000,
    112079291497871000000000000000,
    221213596169931000000000000000,
    220206867912376000000000000000,
)
DENOMINATOR = (
    88388347648318400000000000,
    1755667163182640000000000000,
    16064177579207000000000000000,
    86780732202946100000000000000,
    296564248779674000000000000000,
    637333633378831000000000000000,
    793826512519948000000000000000,
    440413735824752000000000000000,
)


class Pricing(Curves):
    """What options are worth; nothing of it depends on the state."""

    @rule("BSM-1")
    def _distances(self, time: int, volatility: int, spot: int, strike: int, rate: int) -> tuple[int, int]:
        """d1 and d2 of Black and Scholes, all with 27 decimals; time in years."""
        time, volatility = max(time, MIN_TIME), max(volatility, MIN_VOLATILITY)
        deviation = multiply_precise(volatility, self._root(time))
        moneyness = self._logarithm(divide_precise(spot, strike))
        half_variance = div_down(multiply_precise(volatility, volatility), 2)
        drift = signed_multiply_precise(checked_int(half_variance + rate), time)
        d1 = signed_divide_precise(checked_int(moneyness + drift), deviation)
        return d1, checked_int(d1 - deviation)

    @rule("CRV-7")
    def _density(self, x: int) -> int:
        """The density of the normal distribution, 27 decimals."""
        exponent = signed_multiply_precise(x, div_to_zero(x, 2))
        return divide_precise(self._exponential(-exponent), ROOT_TWO_PI)

    @rule("CRV-8")
    def _probability(self, x: int) -> int:
        """The probability that a normal variable is at most x, 27 decimals."""
        z = checked_int(abs(x))
        tail = 0
        if z <= FARTHEST:
            e = self._exponential(-multiply_precise(z, div_down(z, 2)))
            tail = multiply_precise(near_part(z), e) if z < SPLIT else far_part(z, e)
        return tail if x <= 0 else PRECISE - tail

    @rule("BSM-2")
    def _values(self, time: int, spot: int, strike: int, rate: int, d1: int, d2: int) -> tuple[int, int]:
        """Prices of call and put, 27 decimals."""
        discount = self._exponential(-signed_multiply_precise(rate, time))
        present = multiply_precise(strike, discount)
        gained = multiply_precise(spot, self._probability(d1))
        return call_and_put(spot, present, gained, multiply_precise(present, self._probability(d2)))

    @rule("BSM-3")
    def option_prices(self, seconds: int, volatility: int, spot: int, strike: int, rate: int) -> tuple[int, int]:
        """Prices of call and put, 18 decimals as are volatility, spot, strike and yearly rate."""
        time, precise_spot = annualised(seconds), to_precise(spot)
        precise_strike, precise_rate = to_precise(strike), signed_to_precise(rate)
        d1, d2 = self._distances(time, to_precise(volatility), precise_spot, precise_strike, precise_rate)
        call, put = self._values(time, precise_spot, precise_strike, precise_rate, d1, d2)
        return from_precise(call), from_precise(put)

    @rule("BSM-4")
    def prices_and_greeks(
        self, seconds: int, volatility: int, spot: int, strike: int, rate: int
    ) -> tuple[int, int, int, int, int, int]:
        """Prices of call and put, delta of both, vega and standard vega, 18 decimals."""
        time, precise_spot = annualised(seconds), to_precise(spot)
        precise_volatility = to_precise(volatility)
        precise_strike, precise_rate = to_precise(strike), signed_to_precise(rate)
        d1, d2 = self._distances(time, precise_volatility, precise_spot, precise_strike, precise_rate)
        call, put = self._values(time, precise_spot, precise_strike, precise_rate, d1, d2)
        factor = self._standard_factor(seconds)
        vega = self._vega(time, precise_spot, d1)
        standard = multiply_precise(vega, factor)
        delta = self._probability(d1)
        return (
            from_precise(call),
            from_precise(put),
            signed_from_precise(delta),
            signed_from_precise(delta - PRECISE),
            from_precise(vega),
            from_precise(standard),
        )

    @rule("BSM-5")
    def _vega(self, time: int, spot: int, d1: int) -> int:
        """What a price gains with a whole of volatility, 27 decimals."""
        root = self._root(time)
        return multiply_precise(root, multiply_precise(self._density(d1), spot))

    @rule("BSM-6")
    def _standard_factor(self, seconds: int) -> int:
        """What vega is multiplied by to be of 30 days and of a hundredth of volatility, 27 decimals."""
        days = div_down(max(seconds, VEGA_DAYS), DAY)
        return div_down(self._root(div_down(30 * PRECISE, days)), 100)


def annualised(seconds: int) -> int:
    """BSM-7: seconds as a part of a year of 365 days, 27 decimals."""
    return divide_precise(seconds, YEAR)


def call_and_put(spot: int, present: int, gained: int, paid: int) -> tuple[int, int]:
    """BSM-2: prices of call and put from spot, present value of the strike, and what a call gains and pays of them."""
    call = gained - paid if paid <= gained else 0
    put = checked(call + present)
    return call, put - spot if spot <= put else 0


def near_part(z: int) -> int:
    """CRV-8: the quotient of polynomials that is multiplied by e^(-z^2/2), for z below SPLIT."""
    return divide_precise(polynomial(z, NUMERATOR), polynomial(z, DENOMINATOR))


def polynomial(z: int, coefficients: tuple[int, ...]) -> int:
    """CRV-8: a polynomial of z, the highest coefficient first, each step rounded down."""
    total = coefficients[0]
    for coefficient in coefficients[1:]:
        total = div_down(checked(total * z), PRECISE) + coefficient
    return total


def far_part(z: int, e: int) -> int:
    """CRV-8: e^(-z^2/2) by a continued fraction, for z from SPLIT on."""
    fraction = z + div_down(13 * PRECISE, 20)
    for n in (4, 3, 2, 1):
        fraction = z + divide_precise(n * PRECISE, fraction)
    return divide_precise(e, multiply_precise(fraction, ROOT_TWO_PI))
