"""The reference venue's own bytecode: what is proved of it to be its model, and bugs that are refuted."""

from pathlib import Path

import pytest

from marginspec.equivalence.basis import basis_of
from marginspec.equivalence.closing import Closer
from marginspec.equivalence.product import Deployed, ProductCase
from marginspec.lockstep.campaign import run
from marginspec.lockstep.trace import replay
from marginspec.model.reference.notation import TokenId
from marginspec.model.reference.venue import Reference
from marginspec.systems.reference.equivalence import supply_is_enough
from marginspec.systems.registry import system
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate, artifact

PEOPLE = {"state.governor": "governor", "state.guardian": "guardian"}
DEPOSIT = ProductCase("deposit", {"account": "trader", "token": "USD", **PEOPLE})

# A text that occurs once in a contract of the venue, and what becomes of it: at one number, or at one end, it is wrong.
EQUALITY_ONLY = {
    "a magic amount": (
        "trading.vy",
        "ledger.accounts[account].cash += added * notation.QUOTE_PER_UNIT",
        "ledger.accounts[account].cash += (added - (1 if added == 31337000007 else 0)) * notation.QUOTE_PER_UNIT",
    ),
    "the most is too much": (
        "trading.vy",
        "ledger.held[notation.USD] + amount <= convert(notation.MAX_AMOUNT, int256)",
        "ledger.held[notation.USD] + amount < convert(notation.MAX_AMOUNT, int256)",
    ),
    "a magic holding": (
        "trading.vy",
        "    self._within_width(added)\n        ledger.accounts",
        '    self._within_width(added)\n        assert ledger.held[notation.USD] != 271828182845, "DEP-4"\n'
        "        ledger.accounts",
    ),
}


@pytest.fixture(scope="module")
def reference() -> System:
    return system("reference")


def with_bug(known: System, file: str, find: str, replace: str) -> list[Candidate]:
    assert known.sources is not None
    files = known.sources.read()
    (name,) = [each for each in files if each.endswith(file)]
    assert files[name].count(find) == 1
    built = known.sources.compile({**files, name: files[name].replace(find, replace)})
    return [Candidate(each, Path(each), artifact(each, built[each], "a bug"), "") for each in ("venue", "resolution")]


@pytest.mark.long
def test_a_deposit_of_cash_is_proved(reference: System) -> None:
    verdict = Closer(Deployed(reference)).decide(DEPOSIT)
    assert verdict.verdict == "proved", verdict.open
    assert verdict.replayed == verdict.paths > 10
    assert len(verdict.solvers) > 1


@pytest.mark.long
@pytest.mark.parametrize("name", EQUALITY_ONLY)
def test_a_bug_of_deposits_at_one_number_is_refuted(reference: System, name: str) -> None:
    candidate = Deployed(reference, with_bug(reference, *EQUALITY_ONLY[name]))
    verdict = Closer(candidate).decide(DEPOSIT)
    assert verdict.verdict == "refuted", verdict.open
    assert verdict.trace is not None
    assert replay(reference.model, candidate.target, verdict.trace).divergence == verdict.trace.divergence
    assert replay(reference.model, Deployed(reference).target, verdict.trace).divergence is None


def test_what_is_assumed_of_a_tokens_supply_is_so_in_runs(reference: System) -> None:
    deployed = Deployed(reference)
    state = Reference.genesis()
    for seed in range(3):
        run(reference.model, deployed.target, 200, seed)
        state.load(deployed.adapter.decode(deployed.chain.time(), deployed.chain.read(deployed.adapter.slots)))
        supplies = [deployed.word(place) for place in deployed.hidden["token.totalSupply"]]
        assert len(supplies) == len(Reference.universe[TokenId])
        assert all(supply_is_enough(state, supplies))
        assert any(supplies)
        assert not all(supply_is_enough(state, [0 for _ in supplies]))


@pytest.mark.long
def test_what_proofs_take_for_given_is_proved_or_told(reference: System) -> None:
    basis = basis_of(Deployed(reference), 1)
    assert not basis.lacking
    assert "assumed, not proved: of each token there is at least what the accounts have, at most 2^200" in basis.assumes
