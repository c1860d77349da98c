"""Chapter 12, exponential, logarithm, root and normal distribution. Rules: `spec/reference/12-options.md`.

Numbers have 18 decimals outside and 48 inside. How far a result is from the real function is said by its rule, and
`prover/running_error.py` works that out from this text.
"""

from marginspec.model.kernel import Rejected
from marginspec.model.kernel.fixed import div_down, mul_div_down
from marginspec.model.risk.notation import WAD

FINER = 10**30
FINE = WAD * FINER

# ln 2 and 1 / sqrt(2 pi), to 48 decimals.
LN_2 = 693147180559945309417232121458176568075500134360
INVERSE_ROOT_2_PI = 398942280401432677939946059934381868475858631165

MAX_EXPONENT = 50 * WAD
MIN_EXPONENT = -50 * WAD
EXPONENTIAL_TERMS = 34
LOGARITHM_TERMS = 20

FARTHEST = 9 * WAD
"""From here on the normal distribution is 1 within a unit."""

# Up to which argument how many terms of the normal distribution are summed.
NORMAL_TERMS = ((WAD, 20), (2 * WAD, 30), (3 * WAD, 44), (5 * WAD, 76), (FARTHEST, 170))


def exponential(x: int) -> int:
    """NUM-2: e^x for x of at most 50; 0 below -50."""
    if x > MAX_EXPONENT:
        raise Rejected("NUM-1")
    if x < MIN_EXPONENT:
        return 0
    return div_down(fine_exponential(x * FINER), FINER)


def fine_exponential(x: int) -> int:
    """e^x with 48 decimals: 2^k times e^rest with x = k ln 2 + rest."""
    k = div_down(x, LN_2)
    return doubled(exponential_series(x - k * LN_2), k)


def exponential_series(x: int) -> int:
    """e^x for x from 0 to ln 2, by its power series, with 48 decimals."""
    total = FINE
    for n in range(EXPONENTIAL_TERMS, 0, -1):
        total = exponential_step(total, x, n)
    return total


def exponential_step(total: int, x: int, n: int) -> int:
    """NUM-2: 1 + total * x / n, by which the series is summed from its last term to its first."""
    return FINE + mul_div_down(total, x, n * FINE)


def doubled(x: int, times: int) -> int:
    """x * 2^times, rounded down."""
    power = 1
    for _ in range(abs(times)):
        power *= 2
    return x * power if times >= 0 else div_down(x, power)


def logarithm(x: int) -> int:
    """NUM-3: ln x for x above zero."""
    if x <= 0:
        raise Rejected("NUM-1")
    mantissa, base, k = normalised(x)
    return div_down(k * LN_2 + logarithm_series(mantissa, base), FINER)


def normalised(x: int) -> tuple[int, int, int]:
    """Mantissa, base and k with x = 2^k * mantissa / base, the fraction between 0.7 and 1.4143."""
    mantissa, base, k = x, WAD, 0
    while mantissa * 10_000 > base * 14_143:
        base *= 2
        k += 1
    while mantissa * 10 < base * 7:
        mantissa *= 2
        k -= 1
    return mantissa, base, k


def logarithm_series(mantissa: int, base: int) -> int:
    """ln(mantissa / base) for a fraction near 1, with 48 decimals: twice the odd powers of (m - b) / (m + b)."""
    z = mul_div_down(mantissa - base, FINE, mantissa + base)
    square = mul_div_down(z, z, FINE)
    total = 0
    for n in range(LOGARITHM_TERMS, -1, -1):
        total = div_down(FINE, 2 * n + 1) + mul_div_down(total, square, FINE)
    return mul_div_down(2 * z, total, FINE)


def root(x: int) -> int:
    """NUM-4: the square root of x, rounded down; 0 of what is not above zero."""
    return whole_root(x * WAD) if x > 0 else 0


def whole_root(x: int) -> int:
    """The greatest whole number whose square is at most x, for x of at least 1: Newton's method from above."""
    guess = 1
    while guess * guess <= x:
        guess *= 2
    while guess > div_down(x, guess):
        guess = newton_step(x, guess)
    return guess


def newton_step(x: int, guess: int) -> int:
    """NUM-4: the next guess at the square root of x."""
    return div_down(guess + div_down(x, guess), 2)


def normal(x: int) -> int:
    """NUM-5: the probability that a standard normal variable is at most x."""
    return probability(x, half_normal(abs(x)))


def probability(x: int, part: int) -> int:
    """NUM-5: one half and `part` on the right, which is that between 0 and |x|, one half less it on the left."""
    return div_down(WAD, 2) + part if x >= 0 else div_down(WAD, 2) - part


def half_normal(x: int) -> int:
    """The probability that a standard normal variable is between 0 and x, for x of at least 0."""
    for limit, terms in NORMAL_TERMS:
        if x <= limit:
            return div_down(normal_series(x * FINER, terms), FINER)
    return div_down(WAD, 2)


def normal_series(x: int, terms: int) -> int:
    """The density at x times the sum of x^(2n+1) / (1 * 3 * ... * (2n+1)), with 48 decimals."""
    square = mul_div_down(x, x, FINE)
    term = x
    total = x
    for n in range(1, terms):
        term = mul_div_down(term, square, (2 * n + 1) * FINE)
        total += term
    density = mul_div_down(INVERSE_ROOT_2_PI, fine_exponential(-div_down(square, 2)), FINE)
    return mul_div_down(density, total, FINE)
