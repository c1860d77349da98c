"""The three-way run: what an upgrade changes is found, traced to its rule, and shown in few steps."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from marginspec.lockstep.campaign import Part
from marginspec.lockstep.chunks import ChunkResult
from marginspec.lockstep.comparison import LockStep, Tally
from marginspec.lockstep.generate import SEQUENCE_STEPS
from marginspec.lockstep.model_source import executed, functions_of
from marginspec.lockstep.rehearsal import rehearse
from marginspec.model.deployed import morpho_blue
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call, Machine
from marginspec.model.reference import Reference
from marginspec.mutation import planted
from marginspec.results.differences import keeping
from marginspec.systems.morpho_blue.adapter import MorphoBlueAdapter
from marginspec.systems.registry import system
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.surface import Seen
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Answer, Target, limits_of
from marginspec.upgrade.candidates import Variant, constants_of, variants_of
from marginspec.upgrade.comparison import BEGINNING, BLOCK, SHORT, Block, Comparison, Upgrade, compare, effect_of

STEPS = 600

Change = Callable[[], AbstractContextManager[None]]


class Modelled:
    """An implementation that is the model itself, changed while it works."""

    def __init__(self, change: Change = contextlib.nullcontext, model: type[Machine] = MorphoBlue) -> None:
        self.name = "modelled"
        self._change, self._model = change, model
        self.reset()

    def reset(self) -> None:
        with self._change():
            self._machine = self._model.genesis()

    def apply(self, call: Call) -> Answer:
        with self._change():
            outcome = self._machine.apply(call)
        return Answer(outcome.rule is None, outcome.returns, outcome.rule or "")

    def observe(self) -> list[Any]:
        return self._machine.flatten()

    recheck = observe

    def expected_reason(self, rule: str) -> str:
        return rule

    def close(self) -> None:
        return None


def changed(function: str, part: str, model: type[Machine] = MorphoBlue) -> Variant:
    """The variant of a function whose change reads so."""
    key = next(key for key in functions_of(model) if key[1] == function)
    return next(variant for variant in variants_of(model, key) if part in variant.change)


def compared(base: Target, head: Target, steps: int = STEPS, model: type[Machine] = MorphoBlue) -> Comparison:
    return compare(model, base, head, steps, seed=1)


def named(result: Comparison) -> list[tuple[str, str]]:
    """Of each difference, its rule and who departs."""
    return [(found.rules[0], found.parting.departs) for found in result.differences]


ROUNDING = "-> return to_assets_down("


@pytest.fixture(scope="module")
def rounding() -> Variant:
    """Debt rounded down in the health check: shows in many actions."""
    return changed("borrowed_assets", ROUNDING)


@pytest.fixture(scope="module")
def rounded(rounding: Variant) -> Comparison:
    """What that is as an upgrade."""
    return compared(Modelled(), Modelled(rounding.installed))


# --- Nothing changed --------------------------------------------------------------------------------------------------


def test_the_same_twice_has_no_difference_and_says_how_much_was_compared() -> None:
    result = compared(Modelled(), Modelled())
    assert (result.steps, result.differences, result.left_out, +result.alike) == (STEPS, [], 0, {})
    values = len(MorphoBlue.blank().names())
    assert result.comparisons >= 2 * STEPS * (2 + values)
    assert result.tally.accepted + result.tally.rejected == STEPS


def test_the_shipped_contract_has_no_difference_from_itself() -> None:
    result = compared(shipped(), shipped(), 600)
    assert (result.steps, result.differences) == (600, [])
    assert result.comparisons > 0


def test_a_run_of_no_steps_is_refused() -> None:
    with pytest.raises(ValueError, match="compares nothing"):
        compared(Modelled(), Modelled(), 0)


def shipped() -> EvmTarget:
    return EvmTarget("embedded", MorphoBlueAdapter({}), Embedded())


def test_what_an_earlier_run_compared_is_taken_over_and_tells_as_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path))
    chosen, steps = system("morpho-blue"), 2 * BLOCK * SEQUENCE_STEPS + 1
    results, limits = [], []
    for _ in range(2):
        base, head = shipped(), shipped()
        upgrade = Upgrade(MorphoBlue, base, head)
        upgrade.run(steps, 1, keep=keeping(chosen, base, head, 1))
        results.append(upgrade.result)
        limits.append((limits_of(base), limits_of(head)))
    first, second = results
    assert (first.taken_over, second.taken_over) == (0, steps - BLOCK * SEQUENCE_STEPS)
    assert (first.steps, first.sequences, first.comparisons) == (second.steps, second.sequences, second.comparisons)
    assert (first.agreed, first.tally.rules) == (second.agreed, second.tally.rules)
    assert limits[0] == limits[1]
    other = shipped()
    fresh = Upgrade(MorphoBlue, other, other)
    fresh.run(steps - 1, 1, keep=keeping(chosen, other, other, 2))  # another seed
    assert fresh.result.taken_over == 0


def test_a_damaged_part_of_an_earlier_run_is_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARGINSPEC_CACHE", str(tmp_path))
    target, asked = shipped(), list[str]()
    keep = keeping(system("morpho-blue"), target, target, 1)
    result = (Part(Tally(steps=7)), Seen())

    def make() -> list[ChunkResult[Part]]:
        asked.append("")
        return [result, result]

    assert [part.tally.steps for part, _ in keep(range(7), make) or ()] == [7, 7]
    assert [part.tally.steps for part, _ in keep(range(7), make) or ()] == [7, 7]
    assert len(asked) == 1
    (file,) = tmp_path.glob("compared-*.json")
    file.write_text(file.read_text().replace("7", "9"))
    assert [part.tally.steps for part, _ in keep(range(7), make) or ()] == [7, 7]
    assert len(asked) == 2


def test_what_departs_is_not_kept(rounding: Variant) -> None:
    found = []

    def keep(steps: range, make: Callable[[], Block | None]) -> Block | None:
        found.append(make())
        return found[-1]

    upgrade = Upgrade(MorphoBlue, Modelled(), Modelled(rounding.installed))
    upgrade.run(BLOCK * SEQUENCE_STEPS + 1, 1, keep=keep)
    assert upgrade.differs
    assert found == [None]


# --- Who departs ------------------------------------------------------------------------------------------------------


def test_one_change_that_shows_in_many_ways_is_a_difference_for_each_effect(
    rounding: Variant, rounded: Comparison
) -> None:
    assert set(named(rounded)) == {("HLT-1", "head")}
    effects = [found.effect for found in rounded.differences]
    assert len(set(effects)) == len(effects) > 1
    for found in rounded.differences:
        assert found.exact
        assert found.like == f"{rounding.change} ({rounding.place})"
        assert effect_of(found.parting)[0] == found.effect
        assert found.parting.replies[0] != found.parting.replies[1]
    assert min(len(found.parting.steps) for found in rounded.differences) <= SHORT
    assert sum(len(found.ways) for found in rounded.differences) > len(effects)


def test_a_change_taken_back_departs_in_the_base() -> None:
    open_to_all = changed("_authorized", "raise Rejected('AUT-2') -> pass")
    assert named(compared(Modelled(open_to_all.installed), Modelled())) == [("AUT-2", "base")]


def test_what_both_do_alike_is_no_difference_and_is_told(rounding: Variant) -> None:
    result = compared(Modelled(rounding.installed), Modelled(rounding.installed))
    assert result.differences == []
    assert result.alike.total() == result.left_out > 0


def test_two_that_depart_at_the_same_call_and_not_alike_differ() -> None:
    up, not_at_all = (
        changed("supply", "-> shares = to_shares_up("),
        changed("supply", "to_shares_down(assets, m.total_supply_shares"),
    )
    result = compared(Modelled(up.installed), Modelled(not_at_all.installed))
    assert "both" in [who for _, who in named(result)]


def test_the_shortest_account_still_parts_the_two(rounding: Variant, rounded: Comparison) -> None:
    head = Modelled(rounding.installed)
    found = rounded.differences[0]
    steps = rehearse(MorphoBlue, found.parting.calls)
    assert LockStep(MorphoBlue, Modelled()).run(steps, recheck=False) is None
    parted = LockStep(MorphoBlue, head).run(steps, recheck=False)
    assert parted is not None
    assert parted[0] == len(steps)
    assert parted[1].key == found.parting.divergence.key


# --- Which rule -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "part", "rule"),
    [
        ("supply", "-> shares = to_shares_up(", "SUP-1"),
        ("withdraw_collateral", "self._accrue_interest(market) -> pass", "COL-2"),
        ("_authorized", "raise Rejected('AUT-2') -> pass", "AUT-2"),
    ],
)
def test_the_rule_that_was_changed_is_named_first(function: str, part: str, rule: str) -> None:
    result = compared(Modelled(), Modelled(changed(function, part).installed))
    assert {found.rules[0] for found in result.differences} == {rule}
    assert all(found.exact for found in result.differences)


def test_a_changed_constant_is_found_with_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def cursor() -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(morpho_blue, "LIQUIDATION_CURSOR", 4 * 10**17)
            yield

    result = compared(Modelled(), Modelled(cursor), 2_000)
    assert set(named(result)) == {("LIQ-3", "head")}
    assert f"LIQUIDATION_CURSOR = {3 * 10**17} -> {4 * 10**17}" in result.differences[0].like


@pytest.mark.long
def test_two_changes_are_two_differences(rounding: Variant) -> None:
    other = changed("withdraw", "self._authorized(caller, on_behalf) -> pass")

    @contextlib.contextmanager
    def both() -> Iterator[None]:
        with rounding.installed(), other.installed():
            yield

    assert {"HLT-1", "AUT-2"} <= {rule for rule, _ in named(compared(Modelled(), Modelled(both)))}


def test_a_change_that_is_only_near_what_an_implementation_does_is_not_called_exact() -> None:
    near = changed("supply", "-> shares = to_shares_up(")

    class Sloppy(Modelled):
        """Rounds up, and of large amounts gives away more."""

        def apply(self, call: Call) -> Answer:
            before = self._machine.flatten()
            answer = super().apply(call)
            if call.action == "supply" and answer.accepted and int(answer.returns[0]) > 10**15:
                market, who = call.arguments["market"], call.arguments["on_behalf"]
                self._machine.positions[market][who].supply_shares += 7  # type: ignore[attr-defined]
            assert answer.accepted or self._machine.flatten() == before
            return answer

    result = compared(Modelled(), Sloppy(near.installed))
    assert {found.rules[0] for found in result.differences} >= {"SUP-1"}
    (claimed,) = {found.exact for found in result.differences if found.like}
    assert not claimed


def test_no_call_of_the_smallest_account_can_go(rounded: Comparison, rounding: Variant) -> None:
    lockstep = LockStep(MorphoBlue, Modelled(rounding.installed))
    for found in rounded.differences:
        calls = found.parting.calls
        for gone in (
            *itertools.combinations(range(len(calls) - 1), 1),
            *itertools.combinations(range(len(calls) - 1), 2),
        ):
            steps = rehearse(MorphoBlue, [call for at, call in enumerate(calls) if at not in gone])
            seen = lockstep.run(steps, recheck=False)
            assert seen is None or seen[1].key != found.parting.divergence.key


def test_a_new_refusal_is_named_after_the_action_that_makes_it() -> None:
    class Paused(Modelled):
        def apply(self, call: Call) -> Answer:
            return Answer(False, reason="paused") if call.action == "borrow" else super().apply(call)

    result = compared(Modelled(), Paused())
    assert result.differences
    assert {found.rules[0] for found in result.differences} == {"BRW-1"}
    assert {found.like for found in result.differences} == {""}


@pytest.mark.long
def test_in_a_model_of_many_files_too() -> None:
    variant = changed("trading_fee", "-> return mul_div_down(", Reference)
    result = compared(Modelled(model=Reference), Modelled(variant.installed, Reference), 1_000, Reference)
    assert named(result) == [("TRD-6", "head")]


def test_a_balance_taken_for_what_is_accounted_concerns_who_gives() -> None:
    variant = changed("_pull", "self.held[token] = self.balance[token][VENUE]", Reference)
    assert variant.rules == ("LED-9", "LED-4")
    (found,) = compared(Modelled(model=Reference), Modelled(variant.installed, Reference), 3_000, Reference).differences
    assert found.rules[0] == "LED-9"
    assert found.exact
    assert len(found.parting.steps) <= SHORT


def test_of_each_function_that_a_changed_statement_uses_a_rule_is_concerned() -> None:
    assert {"COL-11", "ORC-8"} <= set(changed("initial_margin", "extra += haircut_gap(", Reference).rules)


def test_a_call_left_out_concerns_the_function_where_it_serves_only_there() -> None:
    assert changed("initial_margin", "asset].unit)) -> pass", Reference).rules[0] == "COL-11"
    assert changed("withdraw_collateral", "self._accrue_interest(market) -> pass").rules[0] == "COL-2"


def test_a_difference_from_the_beginning_is_one_and_is_traced_to_what_the_set_up_runs() -> None:
    variant = changed("create_market", "m.last_update = self.now -> pass")
    result = compared(Modelled(), Modelled(variant.installed))
    assert result.steps < STEPS
    assert named(result) == [("MKT-1", "head")]


def test_a_difference_from_the_beginning_that_no_rule_makes_is_named_after_the_set_up() -> None:
    class Rich(Modelled):
        def reset(self) -> None:
            super().reset()
            self._machine.balance["X"]["owner"] += 1  # type: ignore[attr-defined]

    assert named(compared(Modelled(), Rich())) == [(BEGINNING, "head")]


def test_a_bug_planted_in_the_contract_is_named_and_short() -> None:
    """Costs one compilation when the cache is empty."""
    (bug,) = (bug for bug in planted.load("morpho-blue") if bug.id == "withdraw-for-anybody")
    base = EvmTarget("base", MorphoBlueAdapter({}), Embedded())
    head = EvmTarget("head", MorphoBlueAdapter(planted.build(bug)), Embedded())
    result = compared(base, head, 600)
    assert named(result) == [(bug.rule, "head")]
    assert len(result.differences[0].parting.steps) <= SHORT


# --- Variants ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [MorphoBlue, Reference])
def test_a_variant_is_gone_after_its_block(model: type[Machine]) -> None:
    machine, before = model.genesis(), model.genesis().flatten()
    call = next(call for call in model.prelude() if call.action in ("supply", "deposit", "create_market"))
    keys = executed(model, lambda: machine.apply(call))
    assert keys
    for key in keys:
        for variant in variants_of(model, key):
            kept = [vars(place)[name] for place, name, _ in variant.patches]
            assert kept
            with variant.installed():
                assert [vars(place)[name] for place, name, _ in variant.patches] != kept
            assert [vars(place)[name] for place, name, _ in variant.patches] == kept
    assert model.genesis().flatten() == before


def test_constants_take_round_values_plain_ones_first() -> None:
    key = next(key for key in functions_of(MorphoBlue) if key[1] == "liquidation_incentive_factor")
    values = {
        v[0].change.split()[0]: [int(each.change.split()[-1]) for each in v]
        for v in constants_of(MorphoBlue, frozenset({key}))
    }
    assert "LIQUIDATION_CURSOR" in values
    cursor = values["LIQUIDATION_CURSOR"]
    assert 3 * 10**17 not in cursor
    assert 4 * 10**17 in cursor
    assert cursor.index(4 * 10**17) < cursor.index(35 * 10**16)
