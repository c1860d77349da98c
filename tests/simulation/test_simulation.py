"""Simulations of the reference venue: what they conserve, repeat, find and say of themselves."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marginspec.base.errors import BadInput
from marginspec.model.reference.notation import MAXIMUM_RATIO, MINIMUM_RATIO, QUOTE_PER_UNIT, USD
from marginspec.model.reference.venue import ETH
from marginspec.model.risk.notation import WAD
from marginspec.results.simulation import simulate_code, simulate_document
from marginspec.simulation import run
from marginspec.simulation.crowd import KEEPER, MARKET, CrowdedVenue, report
from marginspec.simulation.experiment import simulate
from marginspec.simulation.forecast import EDGES, Scores
from marginspec.simulation.kept import run_kept
from marginspec.simulation.paths import CRASH, MODELS, PathSource, path_source, read_path
from marginspec.simulation.population import Cast, drawn_traders, populated
from marginspec.simulation.run import RunResult, run_all, run_variant
from marginspec.simulation.statistics import brier, estimate, reliability_diagram, wilson
from marginspec.simulation.terms import VARIANTS, SimulationTerms
from marginspec.simulation.watch import Watch
from tools.crash_path import crash

SMALL = SimulationTerms(accounts=120, liquidators=2)
HARD = replace(SMALL, capacity=1, capital=10, backstop=20, insurance=1, latency=900, patience=3600)
"""Liquidators who hardly do anything, and a venue that has hardly anything."""


def falling(hours: int, part: float) -> PathSource:
    """A path that falls by a part of its price in every hour, a sixth of it each ten minutes."""
    points = tuple((600 * n, round(2000 * 10**6 * (1 - part) ** (n / 6))) for n in range(6 * hours + 1))
    return PathSource("falling", "a straight fall", lambda chance: points)


def cast_of(terms: SimulationTerms) -> Cast:
    return populated(random.Random("people"), terms, 2000 * 10**6)


def document_of(source: PathSource, terms: SimulationTerms, seed: int, runs: int = 1) -> dict[str, Any]:
    found = simulate(source, terms, seed, runs, 1, lambda done: None)
    return dict(simulate_document("reference", source, terms, seed, runs, found, 0.0))


# --- Value --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_goes_in_is_what_comes_out_and_is_held(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cast, moved, used = cast_of(HARD), Counter[str](), Counter[str]()
    begin = cast.venue.held[USD]
    taken = CrowdedVenue.attempt

    def counted(self: CrowdedVenue, call: Any, before: list[Any]) -> Any:
        outcome = taken(self, call, before)
        if outcome.accepted:
            used[call.action] += 1
            if call.arguments.get("token") == USD:
                moved[call.action] += call.arguments["amount"]
        return outcome

    monkeypatch.setattr(CrowdedVenue, "attempt", counted)
    kept: list[CrowdedVenue] = []
    monkeypatch.setattr(run, "deficits", lambda venue: kept.append(venue) or 0)
    result = run_variant(cast, falling(12, 0.05).draw(random.Random()), HARD, *VARIANTS[variant])
    venue = kept[-1]
    owned = sum(a.cash - sum(p.cost for p in a.positions.values()) for a in venue.accounts.values())
    assert venue.held[USD] == begin + moved["deposit"] - moved["withdraw"]
    assert venue.held[USD] * QUOTE_PER_UNIT == venue.insurance + venue.fees + venue.pot + owned
    assert venue.pot == 0, "no funding flows"
    assert sum(p.size for a in venue.accounts.values() for p in a.positions.values()) == 0
    assert result.surplus == 0
    assert used["liquidate"]
    assert used["seize_collateral"]
    assert used["cover"]
    assert used["deleverage"]


def test_value_that_comes_from_nowhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = CrowdedVenue.attempt

    def leaking(self: CrowdedVenue, call: Any, before: list[Any]) -> Any:
        if call.action == "liquidate":
            self.insurance += 1
        return taken(self, call, before)

    monkeypatch.setattr(CrowdedVenue, "attempt", leaking)
    document = document_of(falling(3, 0.05), SMALL, 1)
    assert document["surplus"] != "0"
    assert simulate_code(document) == 1


def test_a_refused_action_leaves_everything_as_it_was() -> None:
    venue = cast_of(SMALL).venue
    before = venue.flatten()
    tried = {
        "withdraw": {"account": "trader1", "token": USD, "amount": 2**90},
        "liquidate": {"liquidator": "liquidator0", "account": "trader1", "market": MARKET, "most": 1},
        "trade": {"account": "trader1", "maker": "maker0", "market": MARKET, "size": 10**12},
        "cover": {"caller": KEEPER, "account": "trader1"},
    }
    venue.must("place_order", account="maker0", market=MARKET, side="sell", size=10**13, price=0)
    venue.must("place_order", account="maker0", market=MARKET, side="sell", size=0, price=0)
    rules = {}
    for action, arguments in tried.items():
        if action == "trade":
            venue.must("place_order", account="maker0", market=MARKET, side="sell", size=10**13, price=0)
            before = venue.flatten()
        touched = [each for name, each in arguments.items() if name in ("account", "maker", "liquidator")]
        rules[action] = venue.try_to(action, touched, **arguments).rule
        if action == "trade":
            assert venue.flatten() == before
    assert rules == {"withdraw": "WDR-3", "liquidate": "LIQ-5", "trade": "MRG-6", "cover": "DEF-3"}
    assert venue.flatten() == before


@pytest.mark.parametrize("seed", range(15))
def test_whatever_the_path_and_the_terms_value_is_kept_and_the_promise_too(seed: int) -> None:
    chance = random.Random(seed)
    points = [(0, round(10 ** chance.uniform(1.2, 5.5) * 10**6))]
    for _ in range(chance.randint(1, 50)):
        moved = points[-1][1] * chance.choice((1, 0.999, 1.001, 0.97, 1.03, 0.9, 1.1, 0.6, 1.5, 3, 0.3))
        passed = chance.choice((1, 60, 600, 3600, 7200, 100_000))
        points.append((points[-1][0] + passed, round(min(max(moved, 11 * 10**6), 9 * 10**11))))
    some = {"liquidators": (1, 3), "capital": (0, 1, 100), "latency": (0, 3600), "capacity": (0, 1, 10**6)}
    more = {"patience": (0, 600), "depth": (0, 40), "insurance": (0, 5, 1000), "backstop": (1, 100), "band": (0, 10)}
    terms = SimulationTerms(accounts=25, **{name: chance.choice(each) for name, each in {**some, **more}.items()})
    path = PathSource("any", "anything", lambda _: tuple(points))
    for result in run_all(path, terms, seed, 0).values():
        lost = sum(lost for _, lost in result.promise.outside.values())
        assert (result.surplus, result.promise.realised, lost) == (0, 0, result.bad_debt)


# --- Chance -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_repeats_a_document_and_another_does_not(name: str) -> None:
    terms = replace(SMALL, accounts=40)
    first, again, other = (document_of(path_source(name, 2, 60), terms, seed) for seed in (5, 5, 6))
    assert first == again
    assert first["paths"] != other["paths"]
    people = [drawn_traders(random.Random(seed), 9) for seed in (5, 5, 6)]
    assert people[0] == people[1] != people[2]


def test_processes_of_their_own_change_nothing() -> None:
    source, terms = falling(2, 0.04), replace(SMALL, accounts=40)
    alone, together = (
        {n: {v: r.bad_debt for v, r in each.items()} for n, each in found.items()}
        for found in (simulate(source, terms, 1, 3, workers, lambda done: None) for workers in (1, 2))
    )
    assert alone == together
    assert list(alone) == [0, 1, 2]


# --- Variants -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fallen() -> dict[str, RunResult]:
    return run_all(falling(30, 0.02), replace(SMALL, capacity=3, latency=1200), 1, 0)


def test_a_run_that_was_done_is_kept_whole_and_not_done_again(
    fallen: dict[str, RunResult], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path))
    source, made = path_source("gbm", 2, 60), []

    def make() -> dict[str, RunResult]:
        made.append(1)
        return fallen

    for _ in range(2):
        assert run_kept(make, source, SimulationTerms(), 1, 0) == fallen
    assert made == [1]
    others = (
        (source, SimulationTerms(), 2, 0),
        (source, SimulationTerms(), 1, 1),
        (source, SimulationTerms(latency=7), 1, 0),
        (path_source("gbm", 3, 60), SimulationTerms(), 1, 0),
    )
    for other in others:
        run_kept(make, *other)
    assert len(made) == 5


def test_with_the_hedge_off_nothing_of_it_is_paid(fallen: dict[str, RunResult]) -> None:
    for name, (_, hedging) in VARIANTS.items():
        hedge = fallen[name].hedge
        traded = (hedge.size, hedge.cash, hedge.cost, hedge.gained, hedge.trades, hedge.deposited, hedge.withdrawn)
        assert hedging == any(traded), name
    assert fallen["hedged"].hedge.cost > 0


def test_margin_that_looks_ahead_acts_before_maintenance(fallen: dict[str, RunResult]) -> None:
    plain, ahead = fallen["plain"], fallen["predictive"]
    assert ahead.promise.held < plain.promise.held, "fewer accounts fall below maintenance"
    assert ahead.losses.liquidated > plain.losses.liquidated, "and more are liquidated"


def test_an_addon_closes_the_least_that_restores_what_it_asks_for() -> None:
    venue = cast_of(SMALL).venue
    account = next(a for a in venue.accounts if a.startswith("trader") and venue.size(a) > 10**6)
    venue.addons = {account: WAD}  # type: ignore[misc]
    report(venue, 2000 * 10**6 * 98 // 100)
    venue.must("update_price", caller=KEEPER, asset=ETH)
    position = venue.accounts[account].positions[MARKET]
    while venue.is_safe_from_liquidation(account):
        venue.accounts[account].cash -= 10**13
    assert venue.is_maintained(account), "the add-on alone asks for it"
    venue.markets[MARKET].room = 0
    size, called = position.size, {"liquidator": "maker0", "account": account, "market": MARKET, "most": 2**62 - 1}
    closed, _ = venue.must("liquidate", **called).returns
    assert 0 < closed < size
    assert venue.is_safe_from_liquidation(account)


# --- The buffer theorem -------------------------------------------------------------------------------------------


def test_who_meets_the_premises_of_the_buffer_theorem_loses_nothing(fallen: dict[str, RunResult]) -> None:
    for result in fallen.values():
        assert result.promise.realised <= result.promise.bound == 0
    assert fallen["plain"].promise.held > 100


@pytest.mark.parametrize("part", [0.03, 0.05])
def test_every_loss_is_told_of_with_the_premise_that_failed(part: float) -> None:
    for result in run_all(falling(14, part), HARD, 3, 0).values():
        lost = sum(lost for _, lost in result.promise.outside.values())
        assert result.promise.realised == 0
        assert lost == result.bad_debt > 0


def test_a_venue_with_too_little_margin_breaks_the_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    # The same people, whose equity is taken down to a margin that does not pay for a move of delta.
    drawn = run.populated

    def weakened(*given: Any) -> Cast:
        cast = drawn(*given)
        for parameters in (cast.venue.parameters, cast.venue.ramp_to):
            parameters[MARKET] |= {MINIMUM_RATIO: 5_000, MAXIMUM_RATIO: 5_000}
        cast.venue.markets[MARKET].ratio = 5_000
        for trader in cast.traders:
            account = cast.venue.accounts[trader.name]  # type: ignore[index]
            account.cash -= max(0, cast.venue.spare(trader.name))  # type: ignore[arg-type]
        return cast

    monkeypatch.setattr(run, "populated", weakened)
    document = document_of(falling(4, 0.09), replace(SMALL, latency=0), 1)
    plain = document["promise"][0]
    assert int(plain["realised"]) > int(plain["bound"])
    assert simulate_code({**document, "surplus": "0"}) == 1


def test_gaps_late_liquidators_and_the_breaker_are_told_apart() -> None:
    def reasons(source: PathSource, terms: SimulationTerms) -> set[str]:
        rows = document_of(source, terms, 1)["promise"][0]["outside"]
        return {row["premise"] for row in rows if int(row["lost"])}

    def step(price: int) -> PathSource:
        points = tuple((600 * n, 10**6 * (2000 if n < 6 else price)) for n in range(18))
        return PathSource("step", "one step", lambda chance: points)

    assert reasons(step(1700), SMALL) == {"one accepted price beyond delta"}
    assert reasons(step(1500), SMALL) == {"the circuit breaker held the price"}
    assert "not back at maintenance before a move of delta" in reasons(falling(6, 0.05), replace(HARD, latency=7200))


def test_a_run_in_which_nothing_happens_is_no_pass() -> None:
    calm = PathSource("calm", "nothing moves", lambda chance: tuple((600 * n, 2000 * 10**6) for n in range(12)))
    assert simulate_code(document_of(calm, replace(SMALL, accounts=20), 1)) == 3


# --- Who is watched -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_nobody_unsafe_is_overlooked(seed: int) -> None:
    venue, chance = cast_of(SMALL).venue, random.Random(seed)
    watch, price, seen = Watch(venue), 2000 * 10**6, 0
    for _ in range(60):
        price = round(price * chance.choice((0.985, 0.995, 0.999, 1.001, 1.006, 1.02)))
        venue.must("advance_time", seconds=chance.choice((60, 600, 3600)))
        report(venue, price)
        venue.must("update_price", caller=KEEPER, asset=ETH)
        if chance.random() < 0.2:
            venue.addons = {name: chance.randrange(WAD // 3) for name in venue.accounts}  # type: ignore[misc]
            watch.touch(venue.accounts)
        expected = [name for name in venue.accounts if not venue.is_safe_from_liquidation(name)]
        assert watch.unsafe() == expected
        seen += len(expected)
        for name in expected[:3]:
            called = {"liquidator": "maker0", "account": name, "market": MARKET, "most": 10**5}
            if venue.try_to("liquidate", ("maker0", name), **called).accepted:
                watch.touch(("maker0", name))
    assert seen > 100


# --- Predictions --------------------------------------------------------------------------------------------------


def test_brier_score_is_what_its_parts_add_up_to() -> None:
    chance, scores, squares = random.Random(7), Scores(), []
    for _ in range(3000):
        predicted = chance.randrange(WAD + 1)
        came = chance.random() * WAD < predicted * 0.8
        scores.record(predicted, came)
        squares.append((predicted / WAD - came) ** 2)
    found = brier(scores)
    assert found is not None
    assert found.score == pytest.approx(sum(squares) / len(squares), abs=1e-12)
    parts = found.reliability - found.resolution + found.uncertainty + found.within
    assert parts == pytest.approx(found.score, abs=1e-12)
    assert abs(found.within) < 0.003
    rows = reliability_diagram([scores])
    assert sum(row.made for row in rows) == 3000
    assert all(row.begin <= row.predicted <= row.end and row.low <= row.realised <= row.high for row in rows)
    assert [row.begin for row in rows] == [edge / WAD for edge in EDGES]
    assert brier(Scores()) is None


def test_wilson_interval_is_the_known_one() -> None:
    # Wilson 1927: roots of (p - x)^2 = z^2 x (1 - x) / n.
    for hits, made in ((0, 10), (3, 10), (10, 10), (811, 2000)):
        low, high = wilson(hits, made)
        for edge in (low, high):
            left, right = (hits / made - edge) ** 2, 1.959963984540054**2 * edge * (1 - edge) / made
            assert left == pytest.approx(right, abs=1e-12)
        assert low <= hits / made <= high
    assert wilson(0, 0) == (0.0, 1.0)


def test_predictions_are_judged_by_what_comes_within_their_horizon() -> None:
    # An account is predicted at each hour of the first of 30 hours whose horizon of 24 ends on the path.
    result = run_all(falling(30, 0.01), replace(SMALL, accounts=30), 2, 0)["plain"]
    made = sum(each.made for each in result.scores.bins)
    fallen = sum(each.realised for each in result.scores.bins)
    assert 6 * 5 < made <= 6 * 30
    assert 0 < fallen < made
    short = run_all(falling(24, 0.01), replace(SMALL, accounts=30), 2, 0)["plain"]
    assert sum(each.made for each in short.scores.bins) == 0


def test_interval_holds_the_mean_and_needs_two_runs() -> None:
    found = estimate([1, 2, 3, 10], "seed")
    assert found == estimate([1, 2, 3, 10], "seed")
    assert found.low is not None
    assert found.high is not None
    assert 1 <= found.low < found.mean == 4 < found.high <= 10
    assert (estimate([5], "seed").low, estimate([5], "seed").high) == (None, None)


# --- Paths --------------------------------------------------------------------------------------------------------


def test_the_shipped_crash_is_what_its_tool_makes() -> None:
    assert CRASH.read_text() == crash()
    points, remarks = read_path(crash(), "crash")
    assert (points[0], min(price for _, price in points)) == ((0, 194 * 10**6), 90 * 10**6)
    assert "It is no market data of any exchange." in " ".join(remarks)


@pytest.mark.parametrize("name", MODELS)
def test_drawn_paths_keep_to_what_the_venue_takes(name: str) -> None:
    points = path_source(name, 24, 60).draw(random.Random(1))
    assert len(points) == 1441
    assert all(after[0] - before[0] == 60 for before, after in itertools.pairwise(points))
    assert all(10 * 10**6 < price < 10**12 for _, price in points)


BAD_FILES = {
    "": "the first line that is no remark must be `seconds,price`",
    "time,price\n0,1\n": "the first line that is no remark must be `seconds,price`",
    "seconds,price\n": "0 prices; a path has 2 to 100,000",
    "seconds,price\n0,100\n": "1 prices; a path has 2 to 100,000",
    "seconds,price\n0,100\n60,none\n": "p.csv:3: give two numbers, seconds and a price in USD",
    "seconds,price\n0,100\n60,NaN\n": "p.csv:3: give two numbers, seconds and a price in USD",
    "seconds,price\n0,100\n60\n": "p.csv:3: give two numbers, seconds and a price in USD",
    "seconds,price\n# a remark\n0,100\n0,101\n": "p.csv:4: seconds must rise",
    "seconds,price\n0,100\n60,10\n": "p.csv:3: the venue takes prices between 10 and 1,000,000 USD only",
    "seconds,price\n0.5,100\n60,99\n": "p.csv:2: give seconds as a whole number",
    "seconds,price\n0,100\n99999999999,99\n": "p.csv:3: seconds must rise, by less than",
}


@pytest.mark.parametrize("text", BAD_FILES)
def test_a_file_that_is_no_path_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(BadInput) as told:
        path_source(str(tmp_path / "p.csv"), 24, 60)
    assert BAD_FILES[text] in str(told.value)


@pytest.mark.parametrize("name", ["gmb", "none.csv", "/"])
def test_a_path_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        path_source(name, 24, 60)


@pytest.fixture(autouse=True)
def _no_addons() -> Iterator[None]:
    assert CrowdedVenue.addons == {}
    yield
    assert CrowdedVenue.addons == {}
