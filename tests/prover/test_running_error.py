"""The error bounds of exponential, logarithm and normal distribution, for every argument, from the model's own text.

Each test covers its whole domain with boxes; what stands for the real function is its series, whose rest is bounded
here by the usual estimates, on fractions.
"""

from fractions import Fraction
from math import factorial

import pytest

from marginspec.model.kernel import Rejected
from marginspec.model.risk import numerics
from marginspec.model.risk.notation import WAD
from marginspec.model.risk.numerics import (
    EXPONENTIAL_TERMS,
    FINE,
    FINER,
    INVERSE_ROOT_2_PI,
    LN_2,
    LOGARITHM_TERMS,
    MAX_EXPONENT,
    NORMAL_TERMS,
    doubled,
    exponential,
    exponential_series,
    half_normal,
    logarithm,
    logarithm_series,
    normal_series,
    normalised,
)
from marginspec.prover.running_error import Rounded, Undecided, each_half

UNIT = Fraction(FINER)
"""One unit of a result, in units of the finer scale."""


def ln_2_is_off() -> Fraction:
    """How far LN_2 may be from ln 2, from the series of 2 atanh(1/3) on fractions."""
    terms = 60
    partial = sum(Fraction(2, (2 * n + 1) * 3 ** (2 * n + 1)) for n in range(terms))
    rest = Fraction(2, 3 ** (2 * terms + 1))
    return abs(partial * FINE - LN_2) + rest * FINE


def pi_within() -> tuple[Fraction, Fraction]:
    """Bounds of pi by Machin's formula; an alternating series lies between its partial sums."""

    def arctangent(x: int) -> tuple[Fraction, Fraction]:
        sums = [sum(Fraction((-1) ** n, (2 * n + 1) * x ** (2 * n + 1)) for n in range(terms)) for terms in (80, 81)]
        return min(sums), max(sums)

    (low_5, high_5), (low_239, high_239) = arctangent(5), arctangent(239)
    return 4 * (4 * low_5 - high_239), 4 * (4 * high_5 - low_239)


def exponential_is_off(k: int) -> Fraction:
    """How far `doubled(exponential_series(rest), k)` may be from e^x of an exact x, in units of the finer scale."""
    series = exponential_series(Rounded(0, LN_2 - 1))
    assert isinstance(series, Rounded)
    left_out = FINE * 2 * Fraction(7, 10) ** (EXPONENTIAL_TERMS + 1) / factorial(EXPONENTIAL_TERMS + 1)
    # The rest is off by what LN_2 is off k times, which e^rest, at most 2, makes at most three times as much.
    shifted = 3 * abs(k) * ln_2_is_off()
    return (series.error + left_out + shifted) * Fraction(2) ** k + 1


def test_the_constants_are_within_a_unit_of_what_they_stand_for() -> None:
    assert ln_2_is_off() < 1
    low, high = pi_within()
    # c = 1 / sqrt(2 pi) exactly when 2 pi c^2 = 1, which grows with c.
    below, above = Fraction(INVERSE_ROOT_2_PI - 1, FINE), Fraction(INVERSE_ROOT_2_PI + 1, FINE)
    assert 2 * high * below**2 < 1 < 2 * low * above**2


def test_the_exponential_is_within_two_units_for_every_argument() -> None:
    lowest, highest = -50 * WAD * FINER // LN_2, 50 * WAD * FINER // LN_2
    for k in range(lowest, highest + 1):
        assert exponential_is_off(k) / UNIT + 1 <= 2
    assert (exponential(-50 * WAD), exponential(-50 * WAD - 1)) == (0, 0)  # e^-50 is less than a unit
    assert MAX_EXPONENT == 50 * WAD


def test_whatever_is_rounded_down_is_a_multiple_of_ln_2_and_a_rest_below_it() -> None:
    for x in (-50 * WAD * FINER, -1, 0, 1, LN_2 - 1, LN_2, 50 * WAD * FINER):
        k = x // LN_2
        assert 0 <= x - k * LN_2 < LN_2
        assert doubled(3, 2) == 12
        assert doubled(13, -2) == 3


def test_the_logarithm_is_within_two_units_for_every_argument() -> None:
    # mantissa / base between 0.7 and 1.4143: z = (m - b) / (m + b) is within 0.1765.
    z = Rounded(-FINE * 1765 // 10_000, FINE * 1765 // 10_000, Fraction(1))
    found = logarithm_of(z)
    ratio = Fraction(1766, 10_000)
    left_out = FINE * 2 * ratio ** (2 * LOGARITHM_TERMS + 3) / (1 - ratio**2)
    for k in (-61, 0, 70):  # of 10^-18 to 2^70
        assert (found.error + left_out + abs(k) * ln_2_is_off()) / UNIT + 1 <= 2


class Ratio:
    """Stands for the mantissa, for mantissa - base and for mantissa + base."""

    def __sub__(self, other: object) -> "Ratio":
        return self

    __add__ = __sub__


def logarithm_of(z: Rounded) -> Rounded:
    """What `logarithm_series` makes of numbers of which (m - b) / (m + b) is z, rounded."""
    real, asked = numerics.mul_div_down, []

    def divided(x: object, y: object, d: object) -> object:
        if isinstance(x, Ratio):
            asked.append(x)
            return z
        return real(x, y, d)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numerics, "mul_div_down", divided)
        found = logarithm_series(Ratio(), Ratio())
    assert len(asked) == 1
    assert isinstance(found, Rounded)
    return found


@pytest.mark.long
def test_numbers_are_normalised_as_the_logarithm_needs_whatever_they_are() -> None:
    boxes, reached = 0, 0
    for bits in range(0, 127):

        def within(x: Rounded) -> Rounded:
            mantissa, base, _ = normalised(x)
            assert mantissa * 10_000 >= base * 7000
            assert mantissa * 10_000 <= base * 14_143
            return x

        for box, _ in each_half(2**bits, 2 ** (bits + 1) - 1, within):
            assert box.low == reached + 1
            boxes, reached = boxes + 1, box.high
    assert reached == 2**127 - 1
    assert boxes > 1000  # near each limit of the loops


def exponential_within(x: Rounded) -> Rounded:
    """What the exponential makes of a box of arguments below zero that may be off: as wide as it is, and as far off."""
    low, high = numerics_exponential(x.low), numerics_exponential(x.high)
    # e^x is at most 1 there, and so is its slope.
    own = exponential_is_off(0)
    slope = Fraction(high + own, FINE)
    return Rounded(low - int(own) - 1, high + int(own) + 1, own + x.error * slope * 2)


numerics_exponential = numerics.fine_exponential


def test_the_normal_distribution_is_within_two_units_for_every_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numerics, "fine_exponential", exponential_within)
    first = 0
    for limit, terms in NORMAL_TERMS:
        for low in range(first, limit, WAD // 8):
            box = Rounded(low * FINER, (low + WAD // 8) * FINER)
            found = normal_series(box, terms)
            assert isinstance(found, Rounded)
            assert (found.error + left_out_of_normal(Fraction(low + WAD // 8, WAD), terms)) / UNIT + 1 <= 2
        first = limit
    # Beyond the last limit it is one half: the tail at 9 is less than density / 9, and e^-40.5 less than 3e-18.
    assert numerics_exponential(-FINE * 81 // 2) * 2 < 6 * FINER
    assert half_normal(9 * WAD + 1) == WAD // 2


def left_out_of_normal(x: Fraction, terms: int) -> Fraction:
    """The terms of the series that are left out, in units of the finer scale: less than a geometric series."""
    term = x
    for n in range(1, terms + 1):
        term *= x * x / (2 * n + 1)
    ratio = x * x / (2 * terms + 3)
    assert ratio < 1
    density = Fraction(numerics_exponential(int(-x * x * FINE / 2)) + 2 * FINER, FINE) / 2
    return term / (1 - ratio) * density * FINE


def test_a_wrong_series_is_beyond_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numerics, "EXPONENTIAL_TERMS", 34)
    series = exponential_series(Rounded(0, LN_2 - 1))
    coarse = Rounded(0, LN_2 - 1, Fraction(FINER))
    assert isinstance(series, Rounded)
    worse = exponential_series(coarse)
    assert isinstance(worse, Rounded)
    assert worse.error > FINER > series.error
    assert left_out_of_normal(Fraction(9), 100) / UNIT > 1


def test_a_question_with_two_answers_is_not_answered() -> None:
    with pytest.raises(Undecided):
        assert Rounded(0, 2) < 1
    assert Rounded(0, 2) < 3
    assert Rounded(3, 5) // 2 >= 1
    assert (Rounded(-3, 5, Fraction(1, 2)) * Rounded(2, 2, Fraction(1, 4))).error == Fraction(5, 4) + 1 + Fraction(1, 8)


def test_logarithms_of_what_is_not_above_zero_are_refused() -> None:
    for refused in (lambda: logarithm(0), lambda: logarithm(-1), lambda: exponential(50 * WAD + 1)):
        with pytest.raises(Rejected, match="NUM-1"):
            refused()
