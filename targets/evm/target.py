"""A system of contracts as a target: an adapter that knows the contracts, on a chain that runs them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from marginspec.base.errors import BadInput
from marginspec.model.kernel.machine import Call, Machine
from marginspec.targets.evm.chain import Chain, Reverted, Slot
from marginspec.targets.evm.reasons import reason
from marginspec.targets.evm.surface import DeploymentLog, Seen, Surface, contracts_of
from marginspec.targets.protocol import Answer, Limits, is_function
from marginspec.targets.subprocess import leaves

DONE = Answer(True)


class Adapter(Protocol):
    """What one system must say of its contracts.

    It also has `contracts`, their artifacts by name, without which no run holds: the functions that change state are
    those of the artifacts. `not_modelled` may name functions that no action calls, `Contract.function(types)`, and
    whatever else the model leaves out, each with the reason; they are shown with every verdict. What calls write beside
    `slots` counts as unmodelled, but for `not_compared`, the slots of what `not_modelled` names. `constants(chain)` may
    give what the contracts have of the model's constants, by name, such as `terms[ETH].unit`. `reason(reverted)` may
    say why a call reverted in another way than `reasons.reason`: an error with arguments by its name, say.
    """

    slots: list[Slot]

    @property
    def model(self) -> type[Machine]:
        """The model whose universe the contracts are deployed for."""

    def deploy(self, chain: Chain) -> None:
        """Put the contracts on a fresh chain and compute `slots`."""

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        """Sender, contract and call data of a call."""

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        """The results that the model's action returns, from the bytes that the contract returned."""

    def decode(self, time: int, words: list[int]) -> list[Any]:
        """Observations from the words at `slots`, in the order of the model's `flatten`."""

    def getters(self, chain: Chain) -> list[Any]:
        """The same observations, asked of the contracts' public getters."""

    def expected_reason(self, rule: str) -> str:
        """The text with which the contracts refuse by `rule`."""


class EvmTarget:
    """Real bytecode, one transaction per call, observed through its storage and, now and then, its getters."""

    def __init__(self, name: str, adapter: Adapter, chain: Chain) -> None:
        self.name, self.forks = name, getattr(chain, "forks", False)
        self._adapter, self._chain = adapter, chain
        self._reason = getattr(adapter, "reason", reason)
        watched = DeploymentLog(chain, contracts_of(adapter))
        try:
            adapter.deploy(watched.as_chain())
        except Reverted as reverted:
            raise BadInput(f"the set-up of the contracts reverts: {reason(reverted)}") from None
        self._surface = Surface(adapter, watched.deployed)
        self._seen = Seen()
        self._slots = [(address.lower(), slot) for address, slot in adapter.slots]
        self._not_compared = {(address.lower(), slot) for address, slot in _not_compared(adapter)}
        self._compared = frozenset(self._slots)
        self._looked = False
        for call in adapter.model.prelude():
            answer = self.apply(call)
            if not answer.accepted:
                raise BadInput(f"the contracts refuse their own set-up: {call.action} reverts with {answer.reason!r}")
        self._seen = Seen()  # of the set-up, which compares nothing, nothing counts
        self._words: list[int] = []
        self._observed: list[Any] = []
        self._time = -1
        self._current = False
        self._constants = self._same_constants()
        self._known = chain.contracts()
        self._seen.made = bool((self._known or set()) - watched.deployed.keys())
        chain.mark()

    def _same_constants(self) -> tuple[str, ...]:
        """The constants of the model that the adapter shows; BadInput for one that is another in the contracts."""
        shown = getattr(self._adapter, "constants", None)
        found: dict[str, Any] = {} if shown is None else shown(self._chain)
        expected = dict(leaves(self._adapter.model.genesis(), ""))
        for name, value in found.items():
            if name not in expected:
                raise BadInput(f"{type(self._adapter).__name__}.constants: the model has no {name}")
            if value != expected[name]:
                raise BadInput(f"{name}, a constant, is {expected[name]} in the model and {value} in the contracts")
        return tuple(found)

    def reset(self) -> None:
        self._look_around()
        self._chain.back()
        self._current = False

    def apply(self, call: Call) -> Answer:
        if call.action == "advance_time":
            (seconds,) = call.arguments.values()
            self._chain.advance(seconds)  # which alone changes no storage
            return DONE
        sender, to, data = self._adapter.encode(call)
        self._looked = False
        called = to.lower(), data[:4]
        self._seen.senders[called].add(sender)
        try:
            result = self._chain.transact(sender, to, data)
        except Reverted as reverted:
            return Answer(False, reason=self._reason(reverted))  # and nothing has changed: that is the EVM's promise
        self._current = False
        returns = self._adapter.returns(call, result)
        if called not in self._seen.called:
            self._seen.called.add(called)
            self._look_at(call, *called, result, returns)
        return Answer(True, returns) if returns else DONE

    def _look_at(self, call: Call, to: str, selector: bytes, result: bytes, returns: tuple[int, ...]) -> None:
        """At the first call of a function: that there is one, and that all that it returns matters to the adapter."""
        if not self._chain.has_code(to):
            raise BadInput(f"{type(self._adapter).__name__}: {call.action} goes to {to}, where there is no contract")
        for at in range(0, len(result), 32):
            other = result[:at] + bytes(byte ^ 0xFF for byte in result[at : at + 32]) + result[at + 32 :]
            try:
                if self._adapter.returns(call, other) == returns:
                    self._seen.dropped.add((to, selector))
            except Exception:
                continue  # it cannot be read otherwise

    def observe(self) -> list[Any]:
        time = self._chain.time()
        if self._current and time == self._time:
            return self._observed
        words = self._words if self._current else self._chain.read(self._adapter.slots)
        if words != self._words or time != self._time:
            self._words, self._time = words, time
            self._observed = self._adapter.decode(time, words)
        self._current = True
        return self._observed

    def recheck(self) -> list[Any]:
        try:
            return self._adapter.getters(self._chain)
        except Reverted as reverted:
            raise BadInput(f"a public getter reverts: {reason(reverted)}") from None

    def expected_reason(self, rule: str) -> str:
        return self._adapter.expected_reason(rule)

    def build(self) -> dict[str, str]:
        return self._surface.build()

    def limits(self) -> Limits:
        """See `marginspec.targets.protocol.Limited`."""
        self._look()
        return dataclasses.replace(self._surface.limits(self._seen), constants=self._constants)

    def seen(self) -> Seen:
        """See `marginspec.targets.protocol.Divisible`."""
        self._look()
        found, self._seen = self._seen, Seen(made=self._seen.made)
        return found

    def add(self, seen: Seen) -> None:
        """See `marginspec.targets.protocol.Divisible`."""
        self._seen |= seen

    def _look(self) -> None:
        """Note what the calls changed, and what of that matters, where there were any since that was done last."""
        if not self._looked:
            self._look_around()
            self._look_closely()
            self._looked = True

    def uncalled(self, called: set[tuple[str, bytes]]) -> tuple[list[str], list[str]]:
        """What may change state and is none of some calls, by addresses and selectors: unstated, and stated."""
        found = self._surface.limits(Seen(called=called))
        return list(found.unmodelled), list(filter(is_function, found.not_modelled))

    def _look_around(self) -> None:
        """Note what the sequence changed beside what is observed."""
        altered = self._chain.altered()
        self._seen.sees_storage = altered is not None
        words, contracts = altered or ({}, set())
        self._seen.created |= bool(contracts - (self._known or set()))
        for slot, bits in words.items():
            if slot in self._compared:
                self._seen.changed[slot] |= bits
            elif slot not in self._not_compared:
                self._seen.written.add(slot)

    def _look_closely(self) -> None:
        """Note which bytes that calls changed matter to the observations."""
        words, time = self._chain.read(self._adapter.slots), self._chain.time()
        observed = self._adapter.decode(time, words)

        def matters(slot: Slot, part: int) -> bool:
            others = [word ^ part if here == slot else word for here, word in zip(self._slots, words, strict=True)]
            try:
                return self._adapter.decode(time, others) != observed
            except Exception:
                return True  # it cannot be read at all

        read = self._seen.read
        for slot, bits in self._seen.changed.items():
            for byte in (0xFF << at for at in range(0, 256, 8)):
                # What once mattered is read: it need not be looked at again.
                if (part := bits & byte & ~read[slot]) and matters(slot, part):
                    read[slot] |= byte

    def close(self) -> None:
        self._chain.close()


def _not_compared(adapter: Adapter) -> list[Slot]:
    """The storage words that an adapter says nothing compares. BadInput for one without a reason."""
    named: Mapping[str, Sequence[Slot]] = getattr(adapter, "not_compared", {})
    for name in named.keys() - getattr(adapter, "not_modelled", {}).keys():
        raise BadInput(f"{type(adapter).__name__}.not_compared: say in not_modelled why {name} is not compared")
    return [slot for slots in named.values() for slot in slots]
