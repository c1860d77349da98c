"""What contracts can be called for, and what of it a run called: no function that changes state is left out unseen."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from marginspec.base.errors import BadInput
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Chain, Reverted, Slot
from marginspec.targets.evm.reasons import reason
from marginspec.targets.protocol import Limits, is_function

ETHER, STORAGE = "ether sent to {}", "storage of {} that nothing compares"
CREATED = "contracts that calls create"
MADE = "contracts that the set-up makes beside those that it deploys"
UNREAD, DROPPED = "part of a word of {} that changes and that nothing compares", "what {} returns"
IDLE = "{} at address {} of {}, where nothing is called"
WHO, ONE_SENDER = "who may call {}", "every call came from one sender"
NEVER_SEEN = {
    "events": "logs are not compared",
    "numbers of blocks": "every block has the same, and another time where an action says so",
}
UNSEEN = {"what calls write beside what is compared": "a node does not show it; the embedded EVM does"}

FALLBACK, RECEIVE = "fallback()", "receive()"

TOO_LARGE = {
    "CreateContractSizeLimit": "its code is larger than the 24,576 bytes that EIP-170 allows",
    "CreateInitCodeSizeLimit": "its creation code is larger than the 49,152 bytes that EIP-3860 allows",
}

UNNAMED = "contract {} of the set-up, which the adapter's `contracts` does not have"

NO_CONTRACTS = "every function: {} has no `contracts`, the artifacts by name, so that nobody knows them"


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


@dataclass
class Seen:
    """What a run saw of contracts, by addresses in lower case; a function by the address and its selector.

    called: functions of which a call was accepted; data of less than four bytes as it is. senders: who called each.
    dropped: those that return something that does not matter to the adapter. written: storage that calls changed beside
    what is observed. changed: the bits of each observed word that did; read: those whose bytes were seen to matter to
    the adapter. made: whether the set-up made contracts beside those that it deployed. created: whether calls did.
    sees_storage: whether the chain tells of these.
    """

    called: set[tuple[str, bytes]] = field(default_factory=set)
    senders: dict[tuple[str, bytes], set[str]] = field(default_factory=lambda: defaultdict(set))
    dropped: set[tuple[str, bytes]] = field(default_factory=set)
    written: set[Slot] = field(default_factory=set)
    changed: Counter[Slot] = field(default_factory=Counter)
    read: Counter[Slot] = field(default_factory=Counter)
    made: bool = False
    created: bool = False
    sees_storage: bool = True

    def __or__(self, other: Seen) -> Seen:
        """What two parts of a run saw."""
        senders = defaultdict(set, {call: set(found) for call, found in self.senders.items()})
        for call, found in other.senders.items():
            senders[call] |= found
        return Seen(
            self.called | other.called,
            senders,
            self.dropped | other.dropped,
            self.written | other.written,
            _bits(self.changed, other.changed),
            _bits(self.read, other.read),
            self.made or other.made,
            self.created or other.created,
            self.sees_storage and other.sees_storage,
        )

    @property
    def unread(self) -> set[str]:
        """The contracts in whose observed words a byte changed that was not seen to matter."""
        return {slot[0] for slot, bits in self.changed.items() if bits & ~self.read[slot]}


def _bits(one: Counter[Slot], other: Counter[Slot]) -> Counter[Slot]:
    return Counter({slot: one[slot] | other[slot] for slot in {**one, **other}})


class Surface:
    """The functions of what was deployed, and what of them a run did not see."""

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

    def build(self) -> dict[str, str]:
        """SHA-256 of the creation code of each contract that was deployed, in hexadecimal, by name."""
        deployed = set(self._name.values())
        contracts = (self._contracts or {}).items()
        return {name: hashlib.sha256(each.bytecode).hexdigest() for name, each in contracts if name in deployed}

    def limits(self, seen: Seen) -> Limits:
        """The functions that no accepted call was made to, those among them that the adapter declares apart."""
        if self._contracts is None:
            return Limits(unmodelled=(NO_CONTRACTS.format(self._adapter),))
        called = self._taken(self._contracts, seen)
        missing = [name for name in self._functions(self._contracts) if name not in called]
        missing += self._beside(self._contracts, seen)
        declared = {name: why for name, why in self._declared.items() if name in missing or not is_function(name)}
        declared |= {} if seen.sees_storage else UNSEEN
        unobserved = NEVER_SEEN | {WHO.format(function): ONE_SENDER for function in self._of_one_sender(seen)}
        return Limits(tuple(name for name in missing if name not in declared), declared, unobserved=unobserved)

    def _of_one_sender(self, seen: Seen) -> list[str]:
        """The functions that one sender alone called, of all contracts of one code."""
        senders = defaultdict[str, set[str]](set)
        for call, found in seen.senders.items():
            senders[self._function_at(*call)] |= found
        return sorted(function for function, found in senders.items() if len(found) == 1)

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

    def _beside(self, contracts: Mapping[str, Artifact], seen: Seen) -> Iterator[str]:
        """What calls may do, or did, beside what actions do and observations show."""
        for name in dict.fromkeys(name for name in self._name.values() if name is not None):
            payable = [each.signature for each in contracts[name].functions() if each.payable]
            yield from (ETHER.format(f"{name}.{signature}") for signature in payable)
        written = {self._named_at(address) for address, _ in seen.written}
        yield from (STORAGE.format(name) for name in sorted(written))
        yield from (UNREAD.format(name) for name in sorted({self._named_at(address) for address in seen.unread}))
        yield from [MADE] * seen.made + [CREATED] * seen.created
        yield from (
            DROPPED.format(function) for function in sorted({self._function_at(*call) for call in seen.dropped})
        )
        yield from self._idle(seen)

    def _named_at(self, address: str) -> str:
        number = self._number.get(address)
        return self._name.get(address) or ("others" if number is None else f"contract {number} of the set-up")

    def _function_at(self, address: str, selector: bytes) -> str:
        """The function that a call was made to, as far as it is known."""
        name = self._named_at(address)
        return self._signatures.get((name, selector), f"{name}, function 0x{selector.hex()}")

    @functools.cached_property
    def _signatures(self) -> dict[tuple[str, bytes], str]:
        """Every known function, by contract and selector."""
        known = (self._contracts or {}).items()
        return {(name, each.selector): f"{name}.{each.signature}" for name, of in known for each in of.functions()}

    def _idle(self, seen: Seen) -> Iterator[str]:
        """Contracts that nothing calls, while others of the same code are called."""
        called = {address for address, _ in seen.called}
        for name in dict.fromkeys(name for name in self._name.values() if name is not None):
            addresses = [address for address, other in self._name.items() if other == name]
            if not called.isdisjoint(addresses):
                for number, address in enumerate(addresses, 1):
                    if address not in called:
                        yield IDLE.format(name, number, len(addresses))

    def _taken(self, contracts: Mapping[str, Artifact], seen: Seen) -> set[str]:
        """What the calls were made to.

        A contract that has a fallback, and not the function, is taken to hand the call on to the one contract that has
        it; where several have, nobody knows to which. Of a contract without a known interface nothing is known.
        """
        by_selector: dict[bytes, list[tuple[str, str]]] = {}
        for name, each in contracts.items():
            for function in each.functions():
                by_selector.setdefault(function.selector, []).append((name, f"{name}.{function.signature}"))
        found = set()
        for address, selector in seen.called:
            to = self._name.get(address)
            having = by_selector.get(selector, [])
            if own := [function for contract, function in having if contract == to]:
                found.update(own)
                continue
            if to is None:
                continue
            if not selector and contracts[to].has_receive:
                found.add(f"{to}.{RECEIVE}")
                continue
            elif contracts[to].has_fallback:
                found.add(f"{to}.{FALLBACK}")
            else:
                continue
            found.update(function for _, function in having[:1] if len(having) == 1)
        return found
