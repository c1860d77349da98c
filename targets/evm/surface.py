"""What contracts can be called for, and what of it a run called: no function that changes state is left out unseen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from marginspec.base.errors import BadInput
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Chain, Reverted, Slot
from marginspec.targets.evm.reasons import reason
from marginspec.targets.protocol import Limits

ETHER, STORAGE = "ether sent to {}", "storage of {} that nothing compares"
CREATED = "contracts that calls create"
UNSEEN = {"what calls write beside what is compared": "a node does not show it; the embedded EVM does"}

FALLBACK, RECEIVE = "fallback()", "receive()"

TOO_LARGE = {
    "CreateContractSizeLimit": "its code is larger than the 24,576 bytes that EIP-170 allows",
    "CreateInitCodeSizeLimit": "its creation code is larger than the 49,152 bytes that EIP-3860 allows",
}

UNNAMED = "contract {} of the set-up, which the adapter's `contracts` does not have"

NO_CONTRACTS = "every function: {} has no `contracts`, the artifacts by name, so that nobody knows them"


def _is_function(name: str) -> bool:
    """Whether a name is one of a function, as opposed to words about something else."""
    return re.fullmatch(r"\w+\.\w+\(\S*\)", name) is not None


class DeploymentLog:
    """A chain that notes what is deployed on it, and says of what cannot be which contract it is, and why."""

    def __init__(self, chain: Chain, contracts: Mapping[str, Artifact] | None) -> None:
        self._chain, self._contracts = chain, contracts
        self.deployed: dict[str, bytes] = {}

    def deploy(self, sender: str, code: bytes) -> str:
        """Create a contract; its address. Raises BadInput where that reverts."""
        try:
            address = self._chain.deploy(sender, code)
        except Reverted as reverted:
            named = _named(code, self._contracts) or f"number {len(self.deployed) + 1} of the set-up"
            raise BadInput(f"contract {named} cannot be deployed: {_why(reverted)}") from None
        self.deployed[address.lower()] = code
        return address

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    def as_chain(self) -> Chain:
        """The same for whoever needs a chain."""
        return cast("Chain", self)


def _why(reverted: Reverted) -> str:
    for halt, said in TOO_LARGE.items():
        if halt in reverted.halt:
            return said
    if not reverted.halt and not reverted.data:
        return "its constructor reverts without a reason; is that runtime code in the place of creation code?"
    return f"its constructor reverts: {reason(reverted)}"


def _named(code: bytes, contracts: Mapping[str, Artifact] | None) -> str | None:
    """The contract whose creation code this is, with its arguments; None where no artifact has it."""
    known = contracts or {}
    fitting = [name for name, each in known.items() if code.startswith(each.bytecode)]
    return max(fitting, key=lambda name: len(known[name].bytecode), default=None)


def contracts_of(adapter: object) -> Mapping[str, Artifact] | None:
    """The artifacts that an adapter deploys, by name; None where it does not tell."""
    contracts = getattr(adapter, "contracts", None)
    return contracts if isinstance(contracts, Mapping) else None


class Surface:
    """The functions of what was deployed, and the accepted calls that a run made to them."""

    def __init__(self, adapter: object, deployed: Mapping[str, bytes]) -> None:
        """deployed: creation code by address, in lower case. BadInput for a declaration without a reason."""
        self._contracts = contracts_of(adapter)
        self._adapter = type(adapter).__name__
        self._declared: Mapping[str, str] = getattr(adapter, "not_modelled", {})
        for name, why in self._declared.items():
            if not isinstance(why, str) or not why.strip():
                raise BadInput(f"{self._adapter}.not_modelled: say why {name} is not modelled")
        self._name = {address: _named(code, self._contracts) for address, code in deployed.items()}
        self._number = {address: number for number, address in enumerate(deployed, 1)}
        self.called: set[tuple[str, bytes]] = set()
        """Address and selector of each call that was accepted; data of less than four bytes as it is."""
        self.written: set[Slot] = set()
        self.created: set[str] = set()
        """What calls changed beside what is observed: storage words, contracts that were not there before."""
        self.sees_storage = True
        """Whether the chain tells of these."""

    def build(self) -> dict[str, str]:
        """SHA-256 of the creation code of each contract that was deployed, in hexadecimal, by name."""
        deployed = set(self._name.values())
        contracts = (self._contracts or {}).items()
        return {name: hashlib.sha256(each.bytecode).hexdigest() for name, each in contracts if name in deployed}

    def limits(self) -> Limits:
        """The functions that no accepted call was made to, those among them that the adapter declares apart."""
        if self._contracts is None:
            return Limits(unmodelled=(NO_CONTRACTS.format(self._adapter),))
        called = self._taken(self._contracts)
        missing = [name for name in self._functions(self._contracts) if name not in called]
        missing += self._beside(self._contracts)
        declared = {name: why for name, why in self._declared.items() if name in missing or not _is_function(name)}
        declared |= {} if self.sees_storage else UNSEEN
        return Limits(tuple(name for name in missing if name not in declared), declared)

    def _functions(self, contracts: Mapping[str, Artifact]) -> Iterator[str]:
        """What may change state, of every contract that was deployed."""
        deployed = set(self._name.values())
        for name, each in contracts.items():
            if name not in deployed:
                continue
            yield from (f"{name}.{function.signature}" for function in each.functions() if function.changes)
            yield from [f"{name}.{FALLBACK}"] * each.has_fallback
            yield from [f"{name}.{RECEIVE}"] * each.has_receive
        for number, known in enumerate(self._name.values(), 1):
            if known is None:
                yield UNNAMED.format(number)

    def _beside(self, contracts: Mapping[str, Artifact]) -> Iterator[str]:
        """What calls may do, or did, beside what actions do and observations show."""
        for name in dict.fromkeys(name for name in self._name.values() if name is not None):
            payable = [each.signature for each in contracts[name].functions() if each.payable]
            yield from (ETHER.format(f"{name}.{signature}") for signature in payable)
        unnamed = {address: f"contract {number} of the set-up" for address, number in self._number.items()}
        written = {self._name.get(address) or unnamed.get(address, "others") for address, _ in self.written}
        yield from (STORAGE.format(name) for name in sorted(written))
        yield from [CREATED] * bool(self.created)

    def _taken(self, contracts: Mapping[str, Artifact]) -> set[str]:
        """What the calls were made to.

        A contract that does not have the function, and a fallback or no known interface, is taken to hand the call on:
        then every contract that has the function was called.
        """
        by_selector: dict[bytes, list[tuple[str, str]]] = {}
        for name, each in contracts.items():
            for function in each.functions():
                by_selector.setdefault(function.selector, []).append((name, f"{name}.{function.signature}"))
        found = set()
        for address, selector in self.called:
            to = self._name.get(address)
            having = by_selector.get(selector, [])
            if own := [function for contract, function in having if contract == to]:
                found.update(own)
                continue
            if to is None:
                found.add(UNNAMED.format(self._number.get(address, 0)))
            elif not selector and contracts[to].has_receive:
                found.add(f"{to}.{RECEIVE}")
                continue
            elif contracts[to].has_fallback:
                found.add(f"{to}.{FALLBACK}")
            else:
                continue
            found.update(function for _, function in having)
        return found
