"""Chapter 15, hedging of the venue's own exposure. Rules: `spec/reference/15-hedging.md`."""

from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number
from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import MAX_REAL, WAD, Positive, above_zero, magnitude

Greek = Annotated[int, Number(-MAX_REAL, MAX_REAL, "10^-18", WAD, typical=(0, 50 * WAD, -50 * WAD, WAD))]


@dataclass
class Policy(Record):
    """What a desk may do. band: of exposure within which nothing is done. inner: to which it goes back, within it.

    turnover: the most that is traded in a period. cost: of trading one unit. budget: for it, in a period.
    """

    band: Positive = 10 * WAD
    inner: Positive = 0
    turnover: Positive = 100 * WAD
    cost: Positive = WAD // 1000
    budget: Positive = WAD


def wanted(exposure: int, policy: Policy) -> int:
    """HDG-1: how much exposure is to go, 0 within the band: back to the inner edge, if there were no limits."""
    if magnitude(exposure) <= policy.band:
        return 0
    return above_zero(magnitude(exposure) - policy.inner)


def affordable(policy: Policy) -> int:
    """HDG-2: the most that turnover and budget allow, rounded down."""
    if policy.cost == 0:
        return policy.turnover
    return min(policy.turnover, mul_div_down(policy.budget, WAD, policy.cost))


def trade(exposure: int, policy: Policy) -> int:
    """HDG-3: what is traded in a period: against the exposure, as much as is wanted and allowed."""
    size = min(wanted(exposure, policy), affordable(policy))
    return -size if exposure > 0 else size


def options_traded(vega: int, unit: int, policy: Policy) -> int:
    """HDG-4: options traded against vega, rounded towards none. unit: the vega of one, above zero."""
    size = div_down(magnitude(trade(vega, policy)) * WAD, unit)
    return -size if vega > 0 else size


def vega_after(vega: int, options: int, unit: int) -> int:
    """HDG-4: the vega that is left, towards zero as far as rounding goes."""
    return vega + mul_div_down(options, unit, WAD) if options >= 0 else vega - mul_div_down(-options, unit, WAD)


def delta_after(delta: int, options: int, unit: int) -> int:
    """HDG-5: the delta once options were traded, which is hedged last. unit: the delta of one option."""
    return delta + mul_div_down(options, unit, WAD)


def hedged(exposure: int, policy: Policy) -> int:
    """HDG-6: the exposure after a period, if nothing else happens."""
    return exposure + trade(exposure, policy)


def paid(exposure: int, policy: Policy) -> int:
    """HDG-7: what trading costs in a period, rounded down."""
    return mul_div_down(magnitude(trade(exposure, policy)), policy.cost, WAD)
