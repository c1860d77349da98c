"""What is drawn depends on bytes and sequence alone, falls where something flips, and gets far."""

from __future__ import annotations

import random
from collections import Counter

from marginspec.lockstep.choices import KNOWN, Choices
from marginspec.lockstep.generate import SEQUENCE_STEPS, START_BYTES, STEP_BYTES, Generator
from marginspec.lockstep.plan import plans_of
from marginspec.lockstep.rehearsal import Rehearsal
from marginspec.lockstep.thresholds import follow, threshold, thresholds
from marginspec.model.deployed.morpho_blue import Account, MarketId, MorphoBlue, Position, User
from marginspec.model.kernel import Number
from marginspec.model.kernel.machine import Call

A = MarketId("A")
BORROWER = User(Account("borrower"))
PAR = 10**36


def lent() -> MorphoBlue:
    """Market A, where the borrower owes 500 against collateral of 1000."""
    venue = MorphoBlue.genesis()
    venue.supply(User(Account("supplier")), A, 10_000, 0, Account("supplier"))
    venue.supply_collateral(BORROWER, A, 1000, BORROWER)
    venue.borrow(BORROWER, A, 500, 0, BORROWER, BORROWER)
    return venue


def drawn(seed: int, sequences: int) -> tuple[list[Call], Counter[str]]:
    """The calls of some sequences on the model alone, and how often each regime was reached."""
    rehearsal, generator, bytes_of = Rehearsal(MorphoBlue), Generator(MorphoBlue), random.Random(seed).randbytes
    calls, regimes = [], Counter[str]()
    for _ in range(sequences):
        rehearsal.start()
        generator.start(bytes_of(START_BYTES))
        for _ in range(SEQUENCE_STEPS):
            call, outcome = generator.step(rehearsal.machine, rehearsal.state, bytes_of(STEP_BYTES))
            regimes.update(rehearsal.taken(call, outcome).regimes)
            calls.append(call)
    return calls, regimes


# --- Where something flips --------------------------------------------------------------------------------------------


def test_a_decision_of_a_later_call_flips_at_the_price_that_makes_it_possible() -> None:
    venue = lent()
    price = Call("set_price", {"market": A, "price": PAR})
    liquidate = Call(
        "liquidate",
        {"caller": BORROWER, "market": A, "borrower": BORROWER, "seized_assets": 100, "repaid_shares": 0},
    )
    trail = follow(venue.clone(), [price, liquidate], "price", venue.flatten())
    assert trail.accepted == 1
    (flip,) = {threshold(PAR, flip) for flip in trail.decisions[trail.earlier :][-1:]}
    for brink, healthy in ((flip + PAR // 100, True), (flip - PAR // 100, False)):
        venue.set_price(A, brink)
        assert venue.is_healthy(A, BORROWER) is healthy


def test_a_rounded_quotient_flips_at_the_nearest_places_below_and_above() -> None:
    venue = lent()
    venue.markets[A].total_supply_shares = 3 * 10**6
    venue.markets[A].total_supply_assets = 6
    venue.positions[A][Account("supplier")] = Position(supply_shares=3 * 10**6)
    # 4 * 10^6 shares with the virtual ones for 7 units: a share costs another unit every 571,428.57 shares.
    call = Call("supply", {"caller": "supplier", "market": A, "assets": 0, "shares": 10**6, "on_behalf": "supplier"})
    trail = follow(venue.clone(), [call], "shares", venue.flatten())
    assert {threshold(10**6, flip) for flip in trail.quotients} & {571_428, 571_429}
    assert {threshold(10**6, flip) for flip in trail.quotients} & {1_142_857, 1_142_858}


def test_following_calls_leaves_the_machine_of_thresholds_alone() -> None:
    venue = lent()
    before = venue.flatten()
    arguments = {"caller": BORROWER, "market": A, "assets": 1, "on_behalf": BORROWER, "receiver": BORROWER}
    # Owing 500, the borrower needs collateral of 626 or so at an LLTV just below 0.8.
    assert {374, 375} & thresholds(venue, Call("withdraw_collateral", arguments), "assets")
    assert venue.flatten() == before


# --- What is drawn ----------------------------------------------------------------------------------------------------


def test_the_same_bytes_are_the_same_calls() -> None:
    assert drawn(1, 2)[0] == drawn(1, 2)[0] != drawn(2, 2)[0]


def test_numbers_of_the_state_are_drawn_as_they_are() -> None:
    choices, number = Choices(b"x"), Number(0, 2**128)
    found = Counter(choices.number(number, known=lambda: [123_456_789, 987_654_321]) for _ in range(1600))
    assert 1600 * KNOWN // 16 * 3 // 4 < found[123_456_789] + found[987_654_321] < 1600 * KNOWN // 16 * 5 // 4


def test_a_number_is_known_by_unit_and_by_whom_it_is_about() -> None:
    venue, plan = MorphoBlue.genesis(), plans_of(MorphoBlue)["liquidate"]
    names = venue.names()
    (seized,) = (quantity for quantity in plan.quantities if quantity.name == "seized_assets")
    about = {names[at] for keys, places in seized.places if keys <= {"A", "borrower"} for at in places}
    assert about == {
        "markets[A].total_supply_assets",
        "markets[A].total_borrow_assets",
        "positions[A][borrower].collateral",
    }


def test_what_is_known_to_be_refused_is_drawn_on_purpose() -> None:
    (on_behalf,) = (i for i in plans_of(MorphoBlue)["supply"].identifiers if i.name == "on_behalf")
    assert "zero" in on_behalf.hopeless
    assert not set(on_behalf.hopeless) & set(on_behalf.hopeful)


def test_rare_situations_are_reached_by_the_model_alone() -> None:
    regimes = drawn(1, 30)[1]
    rare = ("bad_debt_realised", "partly_liquidated", "fully_utilised", "last_borrower_repaid", "price_near_overflow")
    assert [regime for regime in rare if regimes[regime] == 0] == []
