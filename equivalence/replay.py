"""The integers of a path, on pyrevm and on the model as plain Python: do both do what the path says?"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from marginspec.equivalence.evm.memory import Cell
from marginspec.equivalence.product import Compared, Deployed, Product
from marginspec.model.kernel.machine import Outcome, Rejected
from marginspec.prover.evaluate import Evaluation, Numbers
from marginspec.prover.symbolic import Atoms, SymBool
from marginspec.targets.evm.chain import Reverted


@dataclass(frozen=True)
class ReplayedPath:
    """What came of integers. misled: where pyrevm or the model does otherwise than the path says; empty if nowhere.

    differs: in what the contract differs from the model on these integers; empty if in nothing.
    """

    misled: str
    differs: str


class Replayer:
    """Runs paths on integers, on a system's own chain."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed

    def replay(self, product: Product, seen: Compared, atoms: Atoms, numbers: Numbers) -> ReplayedPath:
        """Run one path on integers that take it."""
        given = Evaluation(atoms, numbers)
        state = [_plain(given, value) for value in seen.before]
        outcome, after = self._modelled(product, state, numbers)
        try:
            accepted, data = self._happens(product, seen, given, state, numbers)
            misled = self._misled_by_contract(seen, given, accepted, data) or self._misled_by_model(
                seen, given, outcome, after
            )
            return ReplayedPath(misled, self._differs(product, outcome, after, accepted, data, numbers))
        finally:
            self._deployed.chain.back()

    # --- The model -------------------------------------------------------------------------------------------------

    def _modelled(self, product: Product, state: list[Any], numbers: Numbers) -> tuple[Outcome, list[Any]]:
        machine = self._deployed.genesis.clone()
        machine.load(state)
        call = product.call(product.concrete(numbers))
        try:
            got = inspect.unwrap(getattr(type(machine), call.action))(machine, **call.arguments)
        except Rejected as refused:
            return Outcome(rule=refused.rule), state
        return Outcome(() if got is None else got if isinstance(got, tuple) else (got,)), machine.flatten()

    def _misled_by_model(self, seen: Compared, given: Evaluation, outcome: Outcome, after: list[Any]) -> str:
        if seen.rule != outcome.rule:
            return f"the model, run on numbers, {outcome.rule or 'accepts'}, the path {seen.rule or 'accepts'}"
        expected = [_plain(given, value) for value in seen.after]
        if expected != after or [given.term(value) for value in seen.returns] != list(outcome.returns):
            return "the model, run on numbers, does otherwise than on unknowns"
        return ""

    # --- The contract ----------------------------------------------------------------------------------------------

    def _happens(
        self, product: Product, seen: Compared, given: Evaluation, state: list[Any], numbers: Numbers
    ) -> tuple[bool, bytes]:
        deployed = self._deployed
        for at, (address, slot) in enumerate(deployed.places):
            word = deployed.encoding.word(at, lambda place: int(state[place]))
            deployed.chain.evm.insert_account_storage(f"0x{address:040x}", slot, given.term(word))
        for address, slot in deployed.not_compared & seen.accounts.storage.keys():
            before = given.term(seen.accounts.load((address, slot)))
            deployed.chain.evm.insert_account_storage(f"0x{address:040x}", slot, before)
        deployed.chain.advance(given.term(seen.accounts.time) - deployed.chain.time())
        sender, to, data = deployed.adapter.encode(product.call(product.concrete(numbers)))
        try:
            return True, deployed.chain.transact(sender, to, data)
        except Reverted as reverted:
            self._why = self._deployed.reason(reverted)
            return False, reverted.data

    def _misled_by_contract(self, seen: Compared, given: Evaluation, accepted: bool, data: bytes) -> str:
        result = seen.result
        if accepted != result.success:
            return f"pyrevm {'accepts' if accepted else 'refuses'}, the path does not"
        if bytes(_byte(given, cell) for cell in result.data) != data:
            return "pyrevm returns other bytes than the path"
        for (address, slot), word in seen.accounts.storage.items():
            if self._deployed.chain.evm.storage(f"0x{address:040x}", slot) != given.term(word):
                return f"pyrevm leaves something else in word {slot:#x} of {address:#x} than the path"
        return ""

    def _differs(
        self, product: Product, outcome: Outcome, after: list[Any], accepted: bool, data: bytes, numbers: Numbers
    ) -> str:
        deployed = self._deployed
        if accepted != outcome.accepted:
            model = "accepts" if outcome.accepted else f"refuses by {outcome.rule}"
            return f"the model {model}, the contract {'accepts' if accepted else f'refuses: {self._why}'}"
        if outcome.rule is not None:
            expected = deployed.adapter.expected_reason(outcome.rule)
            return "" if self._why == expected else f"refused by {outcome.rule}: {self._why!r}, expected {expected!r}"
        call = product.call(product.concrete(numbers))
        returns = deployed.adapter.returns(call, data)
        if returns != outcome.returns:
            return f"returns {returns}, the model {outcome.returns}"
        shown = deployed.adapter.decode(deployed.chain.time(), deployed.chain.read(deployed.adapter.slots))
        for name, here, there in zip(deployed.names, after, shown, strict=True):
            if here != there:
                return f"{name} becomes {there}, in the model {here}"
        return ""


def _byte(given: Evaluation, cell: Cell) -> int:
    if type(cell) is int:
        return cell
    word, place = cell  # type: ignore[misc]
    return given.term(word) >> 8 * (31 - place) & 0xFF


def _plain(given: Evaluation, value: Any) -> Any:
    if type(value) is SymBool:
        return given.holds(value)
    return value if isinstance(value, str | bool) else given.term(value)
