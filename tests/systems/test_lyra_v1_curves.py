"""What Lyra v1's library computes, the model computes, bit by bit, refusals included; with QuantLib, within a bound."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from eth_utils.crypto import keccak

from marginspec.model.deployed.lyra_v1.curves import MAX_EXPONENT, MIN_EXPONENT
from marginspec.model.deployed.lyra_v1.decimals import (
    INT256_MAX,
    INT256_MIN,
    PRECISE,
    UNIT,
    from_precise,
    signed_from_precise,
)
from marginspec.model.deployed.lyra_v1.pricing import FARTHEST, SPLIT, YEAR, annualised
from marginspec.model.deployed.lyra_v1.venue import LyraV1
from marginspec.model.kernel import Rejected
from marginspec.model.kernel.evm import checked
from marginspec.model.kernel.numbers import UINT256_MAX
from marginspec.systems.lyra_v1.adapter import LIBRARIES, REASONS, LyraV1Adapter, shipped_contracts, word
from marginspec.targets.evm.chain import Embedded, Reverted

CURVES, PRICES = 16_000, 3_000
"""How many inputs each of the six curves and of the three prices gets: 105,000 together."""

VENUE = LyraV1.genesis()
RULES = {reason: rule for rule, reason in REASONS.items()}
Draw = Callable[[random.Random], tuple[int, ...]]


class Library:
    """TestBlackScholes of the package, linked, on an EVM of its own."""

    def __init__(self) -> None:
        self._chain, shipped = Embedded(), shipped_contracts()
        self._adapter = LyraV1Adapter({})
        sender, code = "0x" + "de" * 20, shipped["TestBlackScholes"].bytecode
        for name, placeholder in LIBRARIES.items():
            own = self._chain.deploy(sender, shipped[name].bytecode)
            code = code.replace(bytes.fromhex(placeholder[2:]), bytes.fromhex(own[2:]))
        self._address = self._chain.deploy(sender, code)
        self._selectors = shipped["TestBlackScholes"].selectors()

    def ask(self, function: str, arguments: Sequence[int]) -> tuple[int, ...] | str:
        """The words that a function returns, or the rule that refuses."""
        try:
            data = self._chain.call(self._address, self._selectors[function] + b"".join(map(word, arguments)))
        except Reverted as reverted:
            return RULES[self._adapter.reason(reverted)]
        return tuple(int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32))


@pytest.fixture(scope="module")
def library() -> Library:
    """The library as deployed."""
    return Library()


def expected(function: Callable[..., Any], arguments: Sequence[int]) -> tuple[int, ...] | str:
    """What the model says, as words."""
    try:
        found = function(*arguments)
    except Rejected as refused:
        return refused.rule
    return tuple(value % 2**256 for value in (found if isinstance(found, tuple) else (found,)))


def whole(draw: random.Random, scale: int) -> int:
    """A number where something may flip: limits, powers of two and a unit to either side, any size, usual sizes."""
    kind = draw.random()
    limits = (0, 1, scale, 10 * scale, 37 * scale, FARTHEST, SPLIT, -MIN_EXPONENT, MAX_EXPONENT, UINT256_MAX)
    if kind < 0.2:
        return min(max(draw.choice(limits) + draw.choice((-1, 0, 0, 1)), 0), UINT256_MAX)
    if kind < 0.4:
        return min(max(2 ** draw.randrange(257) + draw.choice((-1, 0, 1)), 0), UINT256_MAX)
    if kind < 0.6:
        return draw.randrange(2 ** draw.randrange(1, 257))
    return int(scale * draw.choice((0.01, 0.1, 1, 10, 60, 140)) * draw.random())


def unsigned(draw: random.Random) -> tuple[int, ...]:
    """One unsigned number."""
    return (whole(draw, UNIT),)


def either_sign(scale: int) -> Draw:
    """One signed number."""

    def drawn(draw: random.Random) -> tuple[int, ...]:
        size = min(whole(draw, scale), INT256_MAX)
        return (draw.choice((size, -size)) if draw.random() > 0.01 else INT256_MIN,)

    return drawn


def terms(draw: random.Random) -> tuple[int, ...]:
    """Seconds, volatility, spot, strike and rate: usual and extreme ones, strikes at and next to spot."""
    if draw.random() < 0.2:
        return (*(whole(draw, UNIT) for _ in range(4)), *either_sign(UNIT)(draw))
    seconds = draw.choice((0, 1, 2, 3_600, 604_799, 604_800, 691_200, YEAR, 10 * YEAR, draw.randrange(10**8)))
    volatility = draw.choice((0, 1, UNIT // 10_000 - 1, UNIT // 10_000, int(draw.uniform(0.05, 3) * UNIT), 60 * UNIT))
    spot = int(10 ** draw.uniform(-3, 8) * UNIT)
    strike = int(spot * draw.choice((1, 1, draw.uniform(0.5, 2), draw.uniform(0.01, 100)))) + draw.choice((-1, 0, 1))
    rate = draw.choice((0, 0, UNIT // 20, -UNIT // 20, int(draw.uniform(-50, 50) * UNIT)))
    return seconds, volatility, spot, max(strike, 0), rate


def precise_terms(draw: random.Random) -> tuple[int, ...]:
    """The same with 27 decimals, time in years."""
    seconds, *prices, rate = terms(draw)
    time = annualised(min(seconds, 2**150))
    return (
        time,
        *(min(price * 10**9, UINT256_MAX) for price in prices),
        max(min(rate * 10**9, INT256_MAX), INT256_MIN),
    )


def root(x: int) -> int:
    return VENUE.root(checked(x * UNIT))


def density(x: int) -> int:
    return from_precise(VENUE._density(x))


def probability(x: int) -> int:
    return from_precise(VENUE._probability(x))


def years(seconds: int) -> int:
    return from_precise(annualised(seconds))


def distances(*given: int) -> tuple[int, ...]:
    return tuple(map(signed_from_precise, VENUE._distances(*given)))


# Function of the library, the model's, what is asked, and by how many rules at least it is refused.
COMPARED: dict[str, tuple[Callable[..., Any], Draw, int]] = {
    "expPub": (VENUE.exponential, either_sign(UNIT), 1),
    "lnPub": (VENUE.logarithm, either_sign(UNIT), 2),
    "sqrt_pub": (root, unsigned, 1),
    "stdNormal_pub": (density, either_sign(PRECISE), 1),
    "stdNormalCDF_pub": (probability, either_sign(PRECISE), 1),
    "annualise_pub": (years, unsigned, 1),
    "d1d2_pub": (distances, precise_terms, 3),
    "optionPrices_pub": (VENUE.option_prices, terms, 4),
    "pricesDeltaStdVega_pub": (VENUE.prices_and_greeks, terms, 4),
}


@pytest.mark.parametrize("function", COMPARED)
def test_the_model_computes_what_the_library_computes_bit_by_bit(library: Library, function: str) -> None:
    model, draw, refused_by = COMPARED[function]
    choices, answers = random.Random(f"7 {function}"), set[str]()
    for _ in range(PRICES if draw in (terms, precise_terms) else CURVES):
        arguments = draw(choices)
        found = library.ask(function, arguments)
        assert found == expected(model, arguments), arguments
        answers.add(found if isinstance(found, str) else "answered")
    assert "answered" in answers
    assert len(answers) > refused_by, answers


@pytest.mark.parametrize("beyond", range(-3, 4))
@pytest.mark.parametrize("limit", [MIN_EXPONENT, MAX_EXPONENT, -42_000 * 10**15, 0])
def test_the_exponential_is_the_library_s_at_its_limits(library: Library, limit: int, beyond: int) -> None:
    assert library.ask("expPub", (limit + beyond,)) == expected(VENUE.exponential, (limit + beyond,))


def test_roots_and_logarithms_are_the_library_s_next_to_every_power_of_two(library: Library) -> None:
    powers = [2**bit + beyond for bit in range(1, 255) for beyond in (-1, 0, 1)]
    assert all(library.ask("lnPub", (x,)) == expected(VENUE.logarithm, (x,)) for x in powers)
    assert all(library.ask("sqrt_pub", (x,)) == expected(root, (x,)) for x in powers)


def test_prices_rise_with_volatility_and_time_but_for_the_last_digits() -> None:
    """Tested, not proved: within a unit of 10^-14 of spot, which is what the curves leave open."""
    choices = random.Random(5)
    for _ in range(700):
        seconds, spot = choices.randrange(3_600, YEAR), 2_000 * UNIT
        strike, volatility = int(spot * choices.uniform(0.5, 2)), int(choices.uniform(0.05, 3) * UNIT)
        low = VENUE.option_prices(seconds, volatility, spot, strike, 0)
        for high in (
            VENUE.option_prices(seconds, volatility + UNIT // 1_000, spot, strike, 0),
            VENUE.option_prices(seconds + 3_600, volatility, spot, strike, 0),
        ):
            assert all(after >= before - spot // 10**14 for before, after in zip(low, high, strict=True))


def test_prices_are_quantlib_s_within_five_parts_in_ten_to_the_fifteen_of_spot() -> None:
    quantlib = pytest.importorskip("QuantLib", reason="run `make risk`")
    choices = random.Random(7)
    for _ in range(2_000):
        seconds = choices.choice((3_600, 86_400, 604_800, 2_592_000, 15_552_000, YEAR))
        volatility, spot, rate = choices.uniform(0.05, 3), choices.uniform(500, 5_000), choices.choice((0.0, 0.05))
        strike, time = spot * choices.uniform(0.5, 2), seconds / YEAR
        given = [int(value * UNIT) for value in (volatility, spot, strike, rate)]
        discount, deviation = math.exp(-rate * time), volatility * math.sqrt(time)
        kinds = (quantlib.Option.Call, quantlib.Option.Put)
        for kind, price in zip(kinds, VENUE.option_prices(seconds, *given), strict=True):
            other = quantlib.blackFormula(kind, strike, spot / discount, deviation, discount)
            assert abs(price / UNIT - other) <= 5e-15 * spot


def test_errors_of_the_curves_have_the_names_that_the_model_expects() -> None:
    for name in ("ExpOverflow", "LnNegativeUndefined", "Overflow"):
        selector = keccak(text=f"{name}()")[:4]
        assert LyraV1Adapter({}).reason(Reverted(selector)) == name
        assert any(selector in shipped_contracts()[each].bytecode for each in ("BlackScholes", "TestBlackScholes"))
