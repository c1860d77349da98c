"""FixedPointMathLib of Lyra v1, and the square root of its BlackScholes: e^x, ln x and the root, bit by bit.

The library reckons in 96 binary digits without checks; on the arguments that it accepts nothing overflows, so plain
integers do the same. Each step is a method, so that proofs can leave it open.
"""

from marginspec.model.deployed.lyra_v1.decimals import FINER, PRECISE, WORDS, checked_int, div_to_zero
from marginspec.model.kernel import Machine, Rejected, rule
from marginspec.model.kernel.evm import checked
from marginspec.model.kernel.fixed import div_down

BITS_96 = 2**96
LN_2 = 54916777467707473351141471128
MIN_EXPONENT = -42139678854452767551
MAX_EXPONENT = 135305999368893231589
SCALE = 3822833074963236453042738258902158003155416615667

POWERS = (
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
"""Numbers of bits that are powers of two, and 2 to that many."""

ROOTS = ((2**128, 2**64), (2**64, 2**32), (2**32, 2**16), (2**16, 2**8), (2**8, 2**4), (2**4, 2**2))
"""Powers of two and their square roots."""


class Curves(Machine):
    """Exponential, logarithm and root; nothing of them depends on the state."""

    # --- Exponential --------------------------------------------------------------------------------------------

    @rule("CRV-1")
    def exponential(self, x: int) -> int:
        """e^x with 18 decimals: 0 up to about -42.14, refused from about 135.3 on."""
        if x <= MIN_EXPONENT:
            return 0
        if x >= MAX_EXPONENT:
            raise Rejected("CRV-2")
        binary = div_to_zero(x * 2**78, 5**18)
        k = self._octaves(binary)
        return self._scaled(self._exponential_fraction(binary - k * LN_2), k)

    def _octaves(self, x: int) -> int:
        """How often e^x doubles from 1, to the nearest whole; x has 96 binary digits."""
        return div_down(div_to_zero(x * BITS_96, LN_2) + 2**95, BITS_96)

    def _exponential_fraction(self, x: int) -> int:
        """e^x for x up to half of ln 2 either way, 96 binary digits, scaled, by a quotient of polynomials."""
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

    def _scaled(self, fraction: int, k: int) -> int:
        """A scaled fraction times 2^k, with 18 decimals, as a word."""
        found = quotient(fraction * SCALE, self._power_of_two(195 - k))
        return found - WORDS * div_down(found, WORDS)

    # --- Logarithm ----------------------------------------------------------------------------------------------

    @rule("CRV-3")
    def logarithm(self, x: int) -> int:
        """ln x with 18 decimals, for x above zero."""
        if x < 0:
            raise Rejected("CRV-4")
        if x == 0:
            raise Rejected("CRV-5")
        place = self._highest_bit(x)
        mantissa = div_down(x * self._power_of_two(255 - place), 2**159)
        return logarithm_sum(self._logarithm_fraction(mantissa), place - 96)

    def _highest_bit(self, x: int) -> int:
        """The place of the highest bit of a word that is not zero."""
        place = 0
        for bits, power in POWERS:
            bit, x = self._moved(x, power)
            place += bits * bit
        return place

    def _moved(self, x: int, power: int) -> tuple[int, int]:
        """Whether x is at least a power of two, and x without the bits below it if so."""
        return (1, quotient(x, power)) if x >= power else (0, x)

    def _power_of_two(self, n: int) -> int:
        """2^n, for n from 0 to 511, bit by bit of n."""
        found = 1
        for bits, power in POWERS:
            bit = div_down(n, bits) - 2 * div_down(n, 2 * bits)
            found *= 1 + bit * (power - 1)
        return found

    def _logarithm_fraction(self, x: int) -> int:
        """ln x for x from 1 to 2, 96 binary digits, scaled, by a quotient of polynomials."""
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

    # --- Root ---------------------------------------------------------------------------------------------------

    @rule("CRV-6")
    def root(self, x: int) -> int:
        """The square root of a word, rounded down: seven steps of Newton's from a power of two."""
        if x == 0:
            return 0
        guess, rest = 1, x
        for power, its_root in ROOTS:
            bit, rest = self._moved(rest, power)
            guess *= 1 + bit * (its_root - 1)
        bit, _ = self._moved(rest, 8)
        guess *= 1 + bit
        for _ in range(7):
            guess = self._better(x, guess)
        rounded = quotient(x, guess)
        return rounded if guess >= rounded else guess

    def _better(self, x: int, guess: int) -> int:
        """The mean of a guess at the root of x and of x by that guess, rounded down."""
        return div_down(guess + quotient(x, guess), 2)

    # --- With 27 decimals ---------------------------------------------------------------------------------------

    def _exponential(self, x: int) -> int:
        """e^x with 27 decimals, the last nine of which are zero."""
        return checked(self.exponential(div_to_zero(x, FINER)) * FINER)

    def _logarithm(self, x: int) -> int:
        """ln x with 27 decimals, the last nine of which are zero."""
        return checked_int(self.logarithm(div_to_zero(x, FINER)) * FINER)

    def _root(self, x: int) -> int:
        """The square root with 27 decimals, rounded down."""
        return self.root(checked(x * PRECISE))


def part(x: int, y: int, more: int) -> int:
    """CRV-1, CRV-3: x * y / 2^96 + more, rounded down: a step of a polynomial."""
    return div_down(x * y, BITS_96) + more


def quotient(p: int, q: int) -> int:
    """p / q rounded down; q is above zero wherever it is asked, which the comparison with the contracts shows."""
    return div_down(p, q) if q >= 1 else 0


def logarithm_sum(fraction: int, k: int) -> int:
    """CRV-3: the logarithm of a mantissa and that of 2^k together, with 18 decimals, rounded down."""
    total = fraction * 1677202110996718588342820967067443963516166
    total += 16597577552685614221487285958193947469193820559219878177908093499208371 * k
    total += 600920179829731861736702779321621459595472258049074101567377883020018308
    return div_down(total, 2**174)
