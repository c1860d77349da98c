"""Chapter 12, liquidation of a portfolio of options in slices. Rules: `spec/reference/12-options.md`.

Margin of chapter 12 is in proportion to the portfolio, so that a part of everything takes away that part of it. A slice
is a part of all positions and collateral; cash stays. Values are 10^-18 of money.
"""

from dataclasses import dataclass
from typing import Annotated

from marginspec.model.kernel import Number, Rejected
from marginspec.model.kernel.fixed import div_up, mul_div_down, mul_div_up
from marginspec.model.kernel.record import Record
from marginspec.model.risk.notation import MAX_REAL, WAD, Chance, Positive, Real, above_zero, magnitude


@dataclass
class Slicing(Record):
    """Parameters. buffer: part of the requirement that is to be left over. rate: of the requirement that a liquidator
    earns by taking over all. dust: requirement below which no rest is left."""

    buffer: Chance = WAD // 20
    rate: Chance = WAD // 20
    dust: Positive = 50 * WAD


@dataclass
class Portfolio(Record):
    """An account as SCN-15 has it. value: of positions and collateral at the mark. required: what maintenance margin
    takes off that; together with cash what is left is the margin."""

    value: Real = 0
    required: Annotated[int, Number(0, MAX_REAL, "10^-18 of money", WAD, typical=(0, 1000 * WAD))] = 0
    cash: Real = 0


@dataclass
class Taken(Record):
    """A slice. part: of all positions and collateral. paid: by the liquidator for it, below 0 where he is paid."""

    part: Chance = 0
    paid: Real = 0


def left(portfolio: Portfolio) -> int:
    """SCN-15, put together: what is left after maintenance margin, negative when some is missing."""
    return portfolio.value - portfolio.required + portfolio.cash


def discount_of(portfolio: Portfolio, terms: Slicing) -> int:
    """SLC-2: what a liquidator earns who takes over all, rounded down: never more than the account is worth."""
    return min(mul_div_down(portfolio.required, terms.rate, WAD), above_zero(portfolio.value + portfolio.cash))


def missing(portfolio: Portfolio, terms: Slicing) -> int:
    """SLC-3: what is missing to maintenance and buffer, the buffer rounded up."""
    return mul_div_up(portfolio.required, terms.buffer, WAD) - left(portfolio)


def freed(portfolio: Portfolio, discount: int, terms: Slicing) -> int:
    """SLC-3: by how much less is missing once all is taken over at a discount, the buffer rounded down."""
    return portfolio.required + mul_div_down(portfolio.required, terms.buffer, WAD) - discount


def least_part(short: int, gain: int, offered: int) -> int:
    """SLC-3: the least part that makes up for what is missing, rounded up; all that is offered where none does."""
    return min(offered, mul_div_up(short, WAD, gain)) if gain > 0 else offered


def without_rest(part: int, required: int, offered: int, dust: int) -> int:
    """SLC-4: all that is offered, where less than `dust` would be required of what a part leaves."""
    return offered if (WAD - part) * required < dust * WAD else part


def price_of(part: int, value: int, discount: int) -> int:
    """SLC-5: what a liquidator pays for a part, rounded up; below 0 he is paid."""
    return mul_div_up(part, value - discount, WAD)


def share_of(amount: int, part: int) -> int:
    """SLC-6: what of an amount goes over, of what is owned rounded down, of what is owed up; never more than all."""
    return mul_div_down(amount, part, WAD) if amount >= 0 else -mul_div_up(magnitude(amount), part, WAD)


def slice_of(portfolio: Portfolio, offered: int, terms: Slicing) -> Taken:
    """SLC-1: what a liquidator takes over who offers to take a part of everything, and what he pays for it."""
    if left(portfolio) >= 0:
        raise Rejected("SLC-7")
    if offered <= 0 or offered > WAD:
        raise Rejected("SLC-8")
    discount = discount_of(portfolio, terms)
    least = least_part(missing(portfolio, terms), freed(portfolio, discount, terms), offered)
    part = without_rest(least, portfolio.required, offered, terms.dust)
    return Taken(part, price_of(part, portfolio.value, discount))


def left_after(portfolio: Portfolio, taken: Taken) -> int:
    """SLC-9: what is left after maintenance margin once a slice is gone, rounded down."""
    kept = WAD - taken.part
    rest = mul_div_down(kept, portfolio.value, WAD) - div_up(kept * portfolio.required, WAD)
    return rest + portfolio.cash + taken.paid
