"""FixedPointMathLib of Lyra v1, and the square root of its BlackScholes: e^x, ln x and the root, bit by bit.

The library reckons in 96 binary digits without checks; on the arguments that it accepts nothing overflows, so plain
integers do the same. Nothing here branches on what it computes but the limits of the arguments.
"""

from marginspec.model.deployed.lyra_v1.decimals import FINER, PRECISE, WORDS, checked_int, div_to_zero
from marginspec.model.kernel import Rejected
from marginspec.model.kernel.evm import checked
from marginspec.model.kernel.fixed import div_down

BITS_96 = 2**96
LN_2 = 54916777467707473351141471128
MIN_EXPONENT = -42139678854452767551
MAX_EXPONENT = 135305999368893231589

HALVINGS = (
    (256, 2**256),
    (128, 2**128),
    (64, 2**64),
    (32, 2**32),
    (16, 2**16),
    (8, 2**8),
    (4, 2**4),
    (2, 2**2),
    (1, 2),
)
"""How many bits a number may be moved by in one step, and 2 to that power."""

ROOTS = ((2**128, 2**64), (2**64, 2**32), (2**32, 2**16), (2**16, 2**8), (2**8, 2**4), (2**4, 2**2))
"""Powers of two and their square roots."""


def at_least(x: int, limit: int) -> int:
    """1 where an unsigned x of 256 bits is at least `limit`, else 0."""
    return div_down(x + WORDS - limit, WORDS)


def power_of_two(n: int) -> int:
    """2^n, for n from 0 to 511, bit by bit of n."""
    power = 1
    for bits, moved in HALVINGS:
        bit = div_down(n, bits) - 2 * div_down(n, 2 * bits)
        power *= 1 + bit * (moved - 1)
    return power


def logarithm_of_two(x: int) -> int:
    """CRV-3: the place of the highest bit of an unsigned x of 256 bits that is not zero."""
    place = 0
    for bits, moved in HALVINGS:
        high = at_least(x, moved)
        place += bits * high
        x = div_down(x, 1 + high * (moved - 1))
    return place


def part(x: int, y: int, more: int) -> int:
    """x * y / 2^96 + more, rounded down: a step of a polynomial."""
    return div_down(x * y, BITS_96) + more


def exponential(x: int) -> int:
    """CRV-1: e^x with 18 decimals: 0 below about -42.14, refused from about 135.3."""
    if x <= MIN_EXPONENT:
        return 0
    if x >= MAX_EXPONENT:
        raise Rejected("CRV-2")
    x = div_to_zero(x * 2**78, 5**18)
    k = div_down(div_to_zero(x * BITS_96, LN_2) + 2**95, BITS_96)
    x -= k * LN_2
    return scaled(exponential_fraction(x), k)


def exponential_fraction(x: int) -> int:
    """CRV-1: e^x for x up to half of ln 2 either way, 96 binary digits, by a quotient of polynomials."""
    p = x + 2772001395605857295435445496992
    p = part(p, x, 44335888930127919016834873520032)
    p = part(p, x, 398888492587501845352592340339721)
    p = part(p, x, 1993839819670624470859228494792842)
    p = p * x + 4385272521454847904632057985693276 * BITS_96
    z = x + 750530180792738023273180420736
    z = part(z, x, 32788456221302202726307501949080)
    w = x - 2218138959503481824038194425854
    w = part(w, z, 892943633302991980437332862907700)
    q = z + w - 78174809823045304726920794422040
    q = part(q, w, 4203224763890128580604056984195872)
    return quotient(p, q)


def quotient(p: int, q: int) -> int:
    """p / q of two polynomials, rounded down; both are above zero where they are asked."""
    return div_down(p, q) if q >= 1 else 0


def scaled(r: int, k: int) -> int:
    """CRV-1: a fraction with 96 binary digits times 2^k, with 18 decimals."""
    return div_down(r * 3822833074963236453042738258902158003155416615667, power_of_two(195 - k))


def logarithm(x: int) -> int:
    """CRV-3: ln x with 18 decimals, for x above zero."""
    if x < 0:
        raise Rejected("CRV-4")
    if x == 0:
        raise Rejected("CRV-5")
    place = logarithm_of_two(x)
    mantissa = div_down(x * power_of_two(255 - place), 2**159)
    return logarithm_sum(logarithm_fraction(mantissa), place - 96)


def logarithm_fraction(x: int) -> int:
    """CRV-3: ln x, scaled, for x from 1 to 2 with 96 binary digits, by a quotient of polynomials."""
    p = x + 3273285459638523848632254066296
    p = part(p, x, 24828157081833163892658089445524)
    p = part(p, x, 43456485725739037958740375743393)
    p = part(p, x, -11111509109440967052023855526967)
    p = part(p, x, -45023709667254063763336534515857)
    p = part(p, x, -14706773417378608786704636184526)
    p = p * x - 795164235651350426258249787498 * BITS_96
    q = x + 5573035233440673466300451813936
    q = part(q, x, 71694874799317883764090561454958)
    q = part(q, x, 283447036172924575727196451306956)
    q = part(q, x, 401686690394027663651624208769553)
    q = part(q, x, 204048457590392012362485061816622)
    q = part(q, x, 31853899698501571402653359427138)
    q = part(q, x, 909429971244387300277376558375)
    return quotient(p, q)


def logarithm_sum(r: int, k: int) -> int:
    """CRV-3: the logarithm of a mantissa and of 2^k together, with 18 decimals, rounded down."""
    r *= 1677202110996718588342820967067443963516166
    r += 16597577552685614221487285958193947469193820559219878177908093499208371 * k
    r += 600920179829731861736702779321621459595472258049074101567377883020018308
    return div_down(r, 2**174)


def exponential_precise(x: int) -> int:
    """CRV-1: e^x with 27 decimals, of which the library gives 18."""
    return checked(exponential(div_to_zero(x, FINER)) * FINER)


def logarithm_precise(x: int) -> int:
    """CRV-3: ln x with 27 decimals, of which the library gives 18."""
    return checked_int(logarithm(div_to_zero(x, FINER)) * FINER)


def root(x: int) -> int:
    """CRV-6: the square root of an unsigned x, rounded down: seven steps from a power of two."""
    if x == 0:
        return 0
    guess, rest = 1, x
    for power, its_root in ROOTS:
        high = at_least(rest, power)
        rest = div_down(rest, 1 + high * (power - 1))
        guess *= 1 + high * (its_root - 1)
    guess *= 1 + at_least(rest, 8)
    for _ in range(7):
        guess = better(x, guess)
    rounded = div_down(x, guess)
    return rounded if guess >= rounded else guess


def better(x: int, guess: int) -> int:
    """CRV-6: the mean of a guess at the root of x and of x by that guess, rounded down."""
    return div_down(guess + div_down(x, guess), 2)


def root_precise(x: int) -> int:
    """CRV-6: the square root with 27 decimals, rounded down."""
    return root(checked(x * PRECISE))
