"""Chapter 12 beside textbooks, beside mpmath with sixty digits, and beside the same rules in floating point."""

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from mpmath import mp, mpf

from marginspec.model.kernel import Rejected
from marginspec.model.risk.black import Prices, black, discount
from marginspec.model.risk.legs import (
    Average,
    Leg,
    averaged,
    covered_call,
    loss_of,
    most_lost,
    payoff,
    protected_note,
    reverse_convertible,
    settlement_price,
    still_to_be_settled,
)
from marginspec.model.risk.notation import WAD, YEAR
from marginspec.model.risk.numerics import exponential, logarithm, normal, root
from marginspec.model.risk.scan import (
    ABSOLUTE,
    DOWN,
    LINEAR,
    MONTH,
    NONE,
    UP,
    Account,
    Collateral,
    Expiry,
    Margins,
    Option,
    Parameters,
    Scenario,
    checked,
    margins,
    worst_of,
)
from marginspec.model.risk.short import Quoted, Standard, group_margin, initial_unit, maintenance_unit, single_margin
from marginspec.model.risk.surface import calendar, point_of, smile, total_variance

mp.dps = 60


def wad(x: float) -> int:
    """A decimal number with 18 decimals."""
    whole, _, part = f"{x:.15f}".partition(".")
    return int(whole + part) * 1000


# --- Numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "real", "low", "high"),
    [(exponential, mp.exp, -50, 50), (normal, mp.ncdf, -10, 10)],
    ids=["exponential", "normal distribution"],
)
def test_functions_are_within_two_units_of_sixty_digits(function, real, low, high) -> None:
    draw = random.Random(1)
    for x in (low * WAD, high * WAD, 0, 1, -1, *(draw.randint(low * WAD, high * WAD) for _ in range(500))):
        assert abs(function(x) - real(mpf(x) / WAD) * WAD) < 2


def test_logarithm_and_root_are_within_two_units_of_sixty_digits() -> None:
    draw = random.Random(2)
    for x in (1, WAD, WAD + 1, 2**127, *(draw.randint(1, 10 ** draw.randint(1, 38)) for _ in range(500))):
        assert abs(logarithm(x) - mp.ln(mpf(x) / WAD) * WAD) < 2
        assert 0 <= mp.sqrt(mpf(x) / WAD) * WAD - root(x) < 1
    assert (root(0), root(-5)) == (0, 0)


# --- Black's prices -------------------------------------------------------------------------------------------------


def exact(forward: int, strike: int, volatility: int, seconds: int, factor: int) -> tuple[mpf, mpf]:
    """Call and put with sixty digits."""
    f, k, v, t, d = (mpf(x) / WAD for x in (forward, strike, volatility, WAD * seconds // YEAR, factor))
    w = v * mp.sqrt(t)
    if w == 0:
        return d * max(f - k, 0), d * max(k - f, 0)
    d1 = mp.ln(f / k) / w + w / 2
    call = d * (f * mp.ncdf(d1) - k * mp.ncdf(d1 - w))
    return call, call - d * (f - k)


def portfolios_of_one() -> Iterator[tuple[int, int, int, int, int]]:
    draw = random.Random(3)
    for _ in range(1000):
        forward = int(10 ** draw.uniform(10, 24))
        strike = int(forward * math.exp(draw.gauss(0, 1.5))) + 1
        volatility, seconds = int(10 ** draw.uniform(13, 19)), int(10 ** draw.uniform(0, 8.5))
        yield forward, strike, volatility, seconds, draw.randint(WAD // 2, WAD)


def test_prices_are_within_the_bound_of_opt_4() -> None:
    for forward, strike, volatility, seconds, factor in portfolios_of_one():
        found = black(forward, strike, volatility, seconds, factor)
        bound = mpf(4 * (forward + strike)) / WAD + 2
        for price, real in zip(
            (found.call, found.put), exact(forward, strike, volatility, seconds, factor), strict=True
        ):
            assert abs(price - real * WAD) <= bound


def test_hull_example_15_6() -> None:
    factor = discount(wad(0.1), YEAR // 2)
    forward = wad(42) * WAD // factor
    prices = black(forward, wad(40), wad(0.2), YEAR // 2, factor)
    assert (round(prices.call / WAD, 2), round(prices.put / WAD, 2)) == (4.76, 0.81)
    assert (round(prices.call / WAD, 4), round(prices.put / WAD, 4)) == (4.7594, 0.8086)


def test_hull_black_put_on_a_future() -> None:
    seconds = YEAR // 3
    prices = black(wad(20), wad(20), wad(0.25), seconds, discount(wad(0.09), seconds))
    assert round(prices.put / WAD, 4) == 1.1166


def test_a_certain_forward_and_a_wild_one_have_the_ends_of_the_range() -> None:
    assert black(wad(110), wad(100), 0, YEAR, WAD) == Prices(wad(10), 0)
    assert black(wad(90), wad(100), wad(0.5), 0, WAD) == Prices(0, wad(10))
    assert black(wad(90), wad(100), wad(24), YEAR, WAD) == Prices(wad(90), wad(100))


@pytest.mark.parametrize("wrong", [(0, 1, 1, 1), (1, 0, 1, 1), (1, 1, -1, 1), (1, 1, 1, -1)])
def test_what_has_no_price_is_refused(wrong: tuple[int, int, int, int]) -> None:
    with pytest.raises(Rejected) as refused:
        black(*wrong, WAD)
    assert refused.value.rule == "OPT-8"


def test_more_volatility_time_or_discount_never_costs_a_price_more_than_its_error() -> None:
    for forward, strike, volatility, seconds, factor in portfolios_of_one():
        base = black(forward, strike, volatility, seconds, factor).call
        slack = 8 * (forward + strike) // WAD + 4
        assert black(forward, strike, volatility * 11 // 10, seconds, factor).call >= base - slack
        assert black(forward, strike, volatility, seconds * 2, factor).call >= base - slack
        assert black(forward * 11 // 10, strike, volatility, seconds, factor).call >= base - 2 * slack


# --- Legs -----------------------------------------------------------------------------------------------------------


def test_portfolios_pay_what_their_names_say() -> None:
    money = WAD * WAD
    assert payoff(covered_call(WAD, wad(110)), wad(150)) == 110 * money
    assert most_lost(covered_call(WAD, wad(110)), 95 * money) == 95 * money
    assert loss_of(covered_call(WAD, wad(110)), wad(60), 95 * money) == 35 * money
    assert payoff(protected_note(WAD, wad(100), wad(0.8)), wad(150)) == 40 * money
    assert payoff(reverse_convertible(WAD, wad(100)), wad(70)) == -30 * money


def test_the_price_at_expiry_is_an_average() -> None:
    average = Average()
    assert settlement_price(average) == 0
    averaged(average, wad(100), 600)
    averaged(average, wad(130), 300)
    assert settlement_price(average) == wad(110)
    assert still_to_be_settled(average, wad(70), 900) == wad(90)


# --- Margin of single options ---------------------------------------------------------------------------------------


def test_margin_of_options_sold() -> None:
    call = Quoted(Leg(wad(2200), wad(-3), True), wad(40), wad(2000))
    assert initial_unit(call, Standard()) == wad(40 + 200)  # 15 % less 200 out of the money is less than 10 %
    assert maintenance_unit(call, Standard()) == wad(40 + 150)
    assert single_margin(call, initial_unit(call, Standard())) == wad(720)
    put = Quoted(Leg(wad(100), wad(-1), False), wad(1), wad(2000))
    assert initial_unit(put, Standard()) == wad(100)  # its strike
    spread = [Leg(wad(2200), wad(-1), True), Leg(wad(2300), wad(1), True)]
    assert group_margin(spread, [wad(240), 0]) == wad(100)
    assert group_margin(spread[:1], [wad(240)]) == wad(240)


# --- SPAN -----------------------------------------------------------------------------------------------------------

# McMillan, Options as a Strategic Investment, chapter 34: an S&P future and a December 410 call, one long each.
FUTURE = [0, 0, 3330, 3330, -3330, -3330, 6670, 6670, -6670, -6670, 10000, 10000, -10000, -10000, 7000, -7000]
CALL = [460, -610, 2640, 1730, -1270, -2340, 5210, 4540, -2540, -3430, 8060, 7640, -3380, -3990, 3130, -1500]


@pytest.mark.parametrize(
    ("futures", "calls", "margin"), [(1, 0, 10_000), (0, 1, 3_990), (1, -1, 6_620), (0, -1, 8_060)]
)
def test_mcmillan_sixteen_scenarios(futures: int, calls: int, margin: int) -> None:
    assert -worst_of(0, [futures * f + calls * c for f, c in zip(FUTURE, CALL, strict=True)]) == margin


# --- Portfolio margin -----------------------------------------------------------------------------------------------


def black_float(f: float, k: float, v: float, t: float, d: float, is_call: bool) -> float:
    w = v * math.sqrt(t)
    if w == 0:
        return d * max(f - k if is_call else k - f, 0)
    d1 = math.log(f / k) / w + w / 2

    def n(x: float) -> float:
        return math.erfc(-x / math.sqrt(2)) / 2

    return d * (f * n(d1) - k * n(d1 - w)) if is_call else d * (k * n(w - d1) - f * n(-d1))


def margins_float(account, holdings, collateral, scenarios, p) -> tuple[float, float]:
    """Maintenance and initial margin by the same rules, written anew from the specification, in floating point."""
    q = {name: value / 1e18 for name, value in vars(p).items()}
    least = p.least_seconds

    def volatility(o, e, forward, shock):
        v, t = o.volatility / 1e18, e.seconds / YEAR
        reach = (MONTH / max(e.seconds, least)) ** (q["short_power"] if e.seconds <= MONTH else q["long_power"])
        if shock == UP:
            return max(q["least_volatility"], v * (1 + q["range_up"] * reach))
        if shock == DOWN:
            return v * max(0, 1 - q["range_down"] * reach)
        if shock in (LINEAR, ABSOLUTE):
            k = math.log(o.leg.strike / 1e18 / forward)
            k = k if shock == LINEAR else abs(k)
            slope, most = (q["linear_slope"], q["linear_cap"])
            if shock == ABSOLUTE:
                slope, most = q["absolute_slope"], q["absolute_cap"]
            cap = slope * math.sqrt(t) + most
            width = max(
                q["least_width"], math.sqrt(t) * q["width"] * (q["width_static"] + math.sqrt(t) * q["width_scale"])
            )
            # One end binds, also where a slope makes the cap less than 0.
            return v * max(0, 1 + (min(cap, k * cap / width) if k >= 0 else max(-cap, k * cap / width)))
        return v

    def value(e, options, spot, shock):
        forward = e.forward / 1e18 * spot + e.fixed / 1e18
        return sum(
            o.leg.amount / 1e18
            * black_float(forward, o.leg.strike / 1e18, volatility(o, e, forward, shock), e.seconds / YEAR,
                          e.factor / 1e18, o.leg.is_call)
            for o in options
        )  # fmt: skip

    def unsure(confidence, notional):
        short = confidence < p.confidence_threshold
        return (1 - confidence / 1e18) * q["confidence_factor"] * notional if short else 0

    spot = account.spot / 1e18
    notional = abs(account.perpetual / 1e18) * spot
    mm = notional * q["perpetual_maintenance"]
    im = notional * q["perpetual_initial"] + unsure(account.confidence, notional)
    worth, basis = account.unpaid / 1e18, 0.0
    for e, options in holdings:
        mark = value(e, options, 1, NONE)
        worth += mark
        moves = [value(e, options, q[name], NONE) - mark for name in ("basis_up", "basis_down")]
        basis += min(*moves, 0) * (q["basis_add"] + q["basis_slope"] * e.seconds / YEAR)
        naked = 0.0
        for strike in {o.leg.strike for o in options}:
            of = [
                sum(o.leg.amount for o in options if (o.leg.strike, o.leg.is_call) == (strike, c))
                for c in (True, False)
            ]
            naked += -sum(x for x in of if x < 0) - min(sum(x for x in of if x > 0), -sum(x for x in of if x < 0))
        mm += naked / 1e18 * spot * q["naked_maintenance"]
        im += naked / 1e18 * spot * q["naked_initial"]
        im += unsure(min(account.confidence, e.confidence), sum(abs(o.leg.amount) for o in options) / 1e18 * spot)
    for c in collateral:
        worth += c.value / 1e18
        mm += c.value / 1e18 * c.maintenance / 1e18
        im += c.value / 1e18 * c.initial / 1e18 + unsure(c.confidence, c.value / 1e18)
    found = [basis]
    for s in scenarios:
        move, damping = s.spot / 1e18 - 1, s.damping / 1e18
        total = account.perpetual / 1e18 * account.perpetual_price / 1e18 * move * damping
        total += sum(c.value / 1e18 * move * damping for c in collateral if c.cancels_risk)
        for e, options in holdings:
            t, rate = e.seconds / YEAR, max(e.rate, 0) / 1e18
            shocked = value(e, options, s.spot / 1e18, s.shock)
            asset = q["long_base"] * math.exp(-t * (rate * q["long_rate"] + q["long_add"]))
            debt = q["short_base"] * math.exp(t * (rate * q["short_rate"] + q["short_add"]))
            profit = shocked * (asset if shocked >= 0 else min(debt, 1e18 / e.factor)) - value(e, options, 1, NONE)
            total += (-abs(profit) if s.shock in (LINEAR, ABSOLUTE) else profit) * damping
        found.append(total)
    worst, whole = min(found), worth + account.cash / 1e18
    factor = q["initial"] + max(q["peg_threshold"] - account.stable / 1e18, 0) * q["peg_factor"]
    return worst * q["maintenance"] - mm + whole, worst * factor - mm - im + whole


SCENARIOS = [
    *(Scenario(wad(s), v) for s in (1.135, 1.09, 1.045, 1, 0.955, 0.91, 0.865) for v in (DOWN, NONE, UP)),
    *(Scenario(wad(s), UP) for s in (1.18, 0.82)),
    *(Scenario(wad(s), UP, wad(d)) for s, d in ((0.34, 0.054), (0.67, 0.109), (1.5, 0.072), (2, 0.036), (4, 0.012))),
    Scenario(WAD, LINEAR, wad(2)),
    Scenario(WAD, ABSOLUTE),
]


def portfolio(draw: random.Random):
    """An account of any kind: collateral, spreads, calendars, perpetuals, unsure feeds, a peg that is lost."""
    spot = 10 ** draw.uniform(1, 5)
    holdings = []
    for _ in range(draw.choice((0, 1, 1, 2, 3))):
        seconds, rate = (
            draw.choice((3600, 86_400, 7 * 86_400, 30 * 86_400, 90 * 86_400, YEAR)),
            draw.uniform(-0.05, 0.3),
        )
        strikes = [wad(spot * math.exp(draw.gauss(0, 0.4))) for _ in range(3)]
        options = [
            Option(Leg(draw.choice(strikes), wad(draw.gauss(0, 10)), draw.random() < 0.5), wad(draw.uniform(0.2, 1.5)))
            for _ in range(draw.randint(1, 4))
        ]
        fixed = draw.choice((0, 0, wad(spot / 3)))
        forward, sure = wad(spot * draw.uniform(0.95, 1.1)) - fixed, wad(draw.choice((1, 0.9, 0.3)))
        expiry = Expiry(seconds, forward, fixed, wad(rate), discount(wad(rate), seconds), sure)
        holdings.append((expiry, options))
    collateral = [
        Collateral(wad(10 ** draw.uniform(2, 6)), wad(draw.uniform(0, 0.3)), wad(draw.uniform(0, 0.1)),
                   wad(draw.choice((1, 0.5))), draw.random() < 0.5)
        for _ in range(draw.randint(0, 3))
    ]  # fmt: skip
    perpetual = wad(draw.choice((0, draw.gauss(0, 20))))
    account = Account(wad(draw.gauss(0, 1e5)), perpetual, wad(spot * 1.01), wad(draw.gauss(0, 100)), wad(spot),
                      wad(draw.choice((1, 1.001, 0.9))), wad(draw.choice((1, 0.95, 0.4))))  # fmt: skip
    return account, holdings, collateral, SCENARIOS, Parameters()


@pytest.mark.parametrize("seed", range(60))
def test_portfolio_margin_is_that_of_the_rules_in_floating_point(seed: int) -> None:
    case = portfolio(random.Random(seed))
    found = margins(*case)
    account, holdings, collateral, *_ = case
    largest = max(
        [abs(found.worst), abs(found.initial), abs(account.cash), abs(account.perpetual * account.spot) // WAD, WAD]
        + [c.value for c in collateral]
        + [abs(o.leg.amount) * max(e.forward, o.leg.strike) // WAD for e, options in holdings for o in options]
    )
    for margin, real in zip((found.maintenance, found.initial), margins_float(*case), strict=True):
        assert abs(margin / 1e18 - real) <= 1e-9 * largest / 1e18


# What each parameter may be, least and most, where the rules are in use.
RANGES = {
    "range_up": (0, 10), "range_down": (0, 10), "short_power": (0, 10), "long_power": (0, 10),
    "least_volatility": (0, 20), "linear_cap": (0, 10), "linear_slope": (-10, 10), "absolute_cap": (0, 10),
    "absolute_slope": (-10, 10), "least_width": (0.001, 10), "width": (0, 10), "width_static": (0, 10),
    "width_scale": (-20, 20), "long_base": (0, 4), "long_rate": (0, 10), "long_add": (0, 10), "short_base": (0, 4),
    "short_rate": (0, 10), "short_add": (0, 10), "basis_up": (1.001, 3), "basis_down": (0.001, 0.999),
    "basis_add": (0, 20), "basis_slope": (0, 20), "perpetual_maintenance": (0, 3), "perpetual_initial": (0, 3),
    "naked_maintenance": (0, 2), "naked_initial": (0, 2), "confidence_threshold": (0, 1), "confidence_factor": (0, 20),
    "maintenance": (0.5, 10), "initial": (0.5, 10), "peg_threshold": (0, 100), "peg_factor": (0, 10),
}  # fmt: skip


def greatest(case, found: Margins) -> float:
    """The largest number that a margin is made of."""
    account, holdings, collateral, scenarios, _ = case
    spot = max(s.spot * s.damping for s in scenarios) // WAD
    return max(
        [abs(found.worst), abs(found.initial), abs(account.cash), abs(account.perpetual * account.spot) // WAD, WAD]
        + [c.value for c in collateral]
        + [abs(o.leg.amount) * max(e.forward * spot // WAD, o.leg.strike) // WAD for e, os in holdings for o in os]
    )


@pytest.mark.parametrize("name", [*RANGES, "least_seconds"])
def test_portfolio_margin_is_that_of_the_rules_at_the_ends_of_each_parameter(name: str) -> None:
    ends = (0, 400 * 86_400) if name == "least_seconds" else tuple(map(wad, RANGES[name]))
    for end, seed in itertools.product(ends, (3, 4, 7)):
        *rest, parameters = portfolio(random.Random(seed))
        case = (*rest, replace(parameters, **{name: end}))
        found = margins(*case)
        for margin, real in zip((found.maintenance, found.initial), margins_float(*case), strict=True):
            assert abs(margin / 1e18 - real) <= 1e-9 * greatest(case, found) / 1e18


def test_the_settled_part_of_a_forward_does_not_move() -> None:
    # All of it: options are worth the same in every scenario of price without a shock of volatility.
    option = Option(Leg(wad(2000), wad(-3), True), wad(0.5))
    scenarios = [Scenario(wad(spot), NONE) for spot in (0.5, 1, 2)]
    expiry = Expiry(600, 0, wad(2100), 0, WAD)
    one = Parameters(long_base=WAD, long_add=0, short_base=WAD, short_add=0)
    found = margins(Account(spot=wad(2100)), [(expiry, [option])], [], scenarios, one)
    assert abs(found.worst) <= 10
    half = replace(expiry, forward=wad(1050), fixed=wad(1050))
    assert margins(Account(spot=wad(2100)), [(half, [option])], [], scenarios, one).worst < -wad(3000)


def test_an_empty_account_has_what_it_has() -> None:
    assert margins(Account(cash=wad(5)), [], [], SCENARIOS, Parameters()) == Margins(wad(5), wad(5), wad(5), 0)


def test_what_cannot_be_valued_is_refused() -> None:
    option = Option(Leg(WAD, WAD, True), WAD)
    for expiry in (Expiry(forward=0), Expiry(seconds=-1, forward=WAD), Expiry(forward=WAD, factor=WAD + 1)):
        with pytest.raises(Rejected, match="SCN-17") as refused:
            checked(expiry, [option])
        assert refused.value.rule == "SCN-17"


# --- Surfaces -------------------------------------------------------------------------------------------------------


def surface_of(volatility, strikes=(70, 80, 90, 100, 110, 120, 140), seconds=30 * 86_400):
    return [point_of(wad(100), wad(strike), wad(volatility(strike)), seconds) for strike in strikes]


def test_a_surface_with_one_volatility_has_no_arbitrage() -> None:
    allowed = 8 * 240 + 4  # the error bound of two prices: OPT-4
    smile(surface_of(lambda _: 0.6), wad(100), allowed)
    smile(surface_of(lambda strike: 0.6 + 0.002 * abs(strike - 100) / 10), wad(100), allowed)


@pytest.mark.parametrize(
    ("volatility", "rule"),
    [
        (lambda strike: 0.6 + (0.9 if strike == 110 else 0), "SRF-2"),  # a call that is worth more than that below it
        (lambda strike: 0.6 + (0.15 if strike == 100 else 0), "SRF-3"),  # a butterfly for less than nothing
    ],
)
def test_arbitrage_between_strikes_is_refused(volatility, rule: str) -> None:
    with pytest.raises(Rejected, match=rule):
        smile(surface_of(volatility), wad(100), 2000)


def test_arbitrage_between_expiries_and_strikes_out_of_order_are_refused() -> None:
    near, far = total_variance(wad(0.9), 30 * 86_400), total_variance(wad(0.6), 60 * 86_400)
    assert (near, far) == (wad(0.81) * 30 // 365, wad(0.36) * 60 // 365)
    with pytest.raises(Rejected, match="SRF-4"):
        calendar(near, far, 0)
    calendar(near, near, 0)
    with pytest.raises(Rejected, match="SRF-5"):
        smile(surface_of(lambda _: 0.6, (100, 90)), wad(100), 0)
