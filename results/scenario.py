"""What a trace does to the contracts of a system: every deployment and every call, by name, as one plain document.

The adapter is asked for it all, on a chain that writes down what it is told; the system's `Naming` has what people call
what it deploys.

`{"candidates", "evm", "start", "people", "contracts", "named", "derived", "set_up", "steps", "shown"}`, where `values`
are integers, truth values, text, addresses and bytes in hexadecimal, and lists of such, each of the type at its place:
    `candidates`  names of the contracts whose code is not the shipped one;
    `evm`        the version of the EVM;
    `start`      the time at which everything begins, in seconds; all times are absolute;
    `people`     addresses of users, by role, and of `deployer`, who creates and is the world;
    `contracts`  by label, in the order in which they are created: `name` of the contract, `address`, `code` in
                 hexadecimal, `types` and `values` of its constructor's arguments, and these `encoded`;
    `named`      structs that calls are given, by name: `type` and `value`;
    `derived`    names of such structs, by the Keccak hash that stands for them;
    `set_up`, `steps`  calls: `said`, as the model has it, and either `time`, to which time passes, or `sender`, `to`,
                 `contract`, `function` (an entry of its ABI) and `values`; a step also has `rule` and `reason` why it
                 must be refused, or null, and `returns`, the model's results;
    `shown`      null, or the observation that differed: `observation`, `to`, `contract`, `function`, `values` of the
                 getter that has it, `word` of its answer, and `expected`, the model's value: an integer, a truth value,
                 or an address.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eth_abi.abi import decode
from eth_utils.abi import collapse_if_tuple
from eth_utils.crypto import keccak

from marginspec.lockstep.rehearsal import RehearsedStep, rehearse
from marginspec.lockstep.trace import Trace
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.model.kernel.record import plain
from marginspec.results.schema import is_open
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import GENESIS_TIME, Embedded
from marginspec.targets.evm.target import Adapter

Document = dict[str, Any]
ZERO = "0x" + "00" * 20
EVM = "cancun"  # that of both chains in marginspec.targets.evm


class Inexpressible(Exception):  # noqa: N818 - not an error: the message says what cannot be said, and why
    """A trace that transactions alone cannot show."""


class RecordingChain(Embedded):
    """A chain that writes down what is created on it, sent to it, and how its time goes."""

    def __init__(self) -> None:
        super().__init__()
        self.created: list[tuple[str, str, bytes]] = []
        self.sent: list[tuple[str, str, bytes] | int] = []

    def deploy(self, sender: str, code: bytes) -> str:
        address = super().deploy(sender, code)
        self.created.append((sender, address, code))
        return address

    def transact(self, sender: str, to: str, data: bytes) -> bytes:
        self.sent.append((sender, to, data))
        return super().transact(sender, to, data)

    def advance(self, seconds: int) -> None:
        super().advance(seconds)
        self.sent.append(self.time())


class Scene:
    """The contracts of a system, deployed, and everything in them by name."""

    def __init__(self, chosen: System, replaced: Mapping[str, Artifact]) -> None:
        """Deploy. replaced: candidate builds, whose code stands in the document in the place of a contract's.

        Inexpressible: there is no naming of this system. BadInput: a candidate is no build of such a contract.
        """
        if chosen.naming is None or chosen.contracts is None:
            raise Inexpressible(f"nobody has said what to call the contracts of {chosen.name}")
        self._naming, self._model = chosen.naming, chosen.model
        self._shipped, self._replaced = chosen.contracts(), replaced
        chosen.adapter(replaced)  # which refuses what are no builds of these contracts
        self._adapter: Adapter = chosen.adapter({})
        self._chain = RecordingChain()
        self._adapter.deploy(self._chain)
        self._begin = next((sent for sent in self._chain.sent if isinstance(sent, int)), GENESIS_TIME)
        self._contract: dict[str, str] = {}
        self.contracts = dict(self._created())
        self.people = {name: self._sender(call) for name, call in _of_callers(self._model)}
        self.people["deployer"] = self._chain.created[0][0].lower()
        labels = {label: contract["address"] for label, contract in self.contracts.items()}
        self._known = {**labels, "zero": ZERO, **self.people}

    def document(self, trace: Trace) -> Document:
        """The document of a trace. Inexpressible: what differs is no transaction's outcome, and no getter has it."""
        set_up = [self._sent(sent, None) for sent in self._chain.sent if sent != self._begin]
        set_up += [self._called(call) for call in self._model.prelude()]
        steps = rehearse(self._model, trace.calls)
        done = [self._done(step) for step in steps]
        named = {name: self._struct(call) for name, call in self._naming.structs.items()}
        return {
            "candidates": list(self._replaced),
            "evm": EVM,
            "start": self._begin,
            "people": self.people,
            "contracts": self.contracts,
            "named": {name: {"type": kind, "value": value} for name, (kind, value, _) in named.items()},
            "derived": {word: name for name, (_, _, word) in named.items()},
            "set_up": set_up,
            "steps": done,
            "shown": self._shown(trace, steps),
        }

    # --- What is there -------------------------------------------------------------------------------------------

    def _created(self) -> Iterator[tuple[str, Document]]:
        left = {name: list(labels) for name, labels in self._naming.labels.items()}
        for _, address, code in self._chain.created:
            fitting = [name for name, shipped in self._shipped.items() if code.startswith(shipped.bytecode)]
            name = max(fitting, key=lambda name: len(self._shipped[name].bytecode))
            self._contract[address.lower()] = name
            shipped = self._shipped[name]
            constructor: Document = next(
                (entry for entry in shipped.abi if entry["type"] == "constructor"), {"inputs": []}
            )
            yield (
                left[name].pop(0),
                {
                    "name": name,
                    "address": address.lower(),
                    "code": self._replaced.get(name, shipped).bytecode.hex(),
                    "types": constructor["inputs"],
                    "values": _decoded(constructor["inputs"], code[len(shipped.bytecode) :]),
                    "encoded": code[len(shipped.bytecode) :].hex(),
                },
            )

    def _sender(self, call: Call) -> str:
        return self._adapter.encode(call)[0].lower()

    def _struct(self, call: Call) -> tuple[Document, Any, str]:
        """Type and value of the struct that a call is given first, and its hash."""
        _, to, data = self._adapter.encode(call)
        kind = self._function(to, data)["inputs"][0]
        (value,) = _decoded([kind], data[4:])
        return kind, value, keccak(data[4:]).hex()

    # --- What is done --------------------------------------------------------------------------------------------

    def _done(self, step: RehearsedStep) -> Document:
        """A step as a call, and what the model made of it."""
        rule, returns = step.outcome.rule, list(step.outcome.returns)
        reason = None if rule is None else self._adapter.expected_reason(rule)
        return {**self._called(step.call), "rule": rule, "reason": reason, "returns": returns}

    def _called(self, call: Call) -> Document:
        arguments = ", ".join(f"{name}={value}" for name, value in call.arguments.items())
        said = f"{call.action}({arguments})"
        if call.action == "advance_time":
            self._chain.advance(call.arguments["seconds"])
            return self._sent(self._chain.time(), said)
        return self._sent(self._adapter.encode(call), said)

    def _sent(self, sent: tuple[str, str, bytes] | int, said: str | None) -> Document:
        if isinstance(sent, int):
            return {"said": said, "time": sent}
        sender, to, data = sent
        return {"said": said, "sender": sender.lower(), **self._message(to, data)}

    def _message(self, to: str, data: bytes) -> Document:
        function = self._function(to, data)
        if any(map(is_open, function["inputs"])):
            raise Inexpressible(f"{function['name']} takes a list of any length, for which Solidity has no literal")
        values = _decoded(function["inputs"], data[4:])
        to = to.lower()
        return {"to": to, "contract": self._contract[to], "function": function, "values": values}

    def _function(self, to: str, data: bytes) -> Document:
        name = self._contract[to.lower()]
        for contract in (name, self._naming.behind.get(name, name)):
            for function, selector in self._shipped[contract].selectors().items():
                if selector == data[:4]:
                    entries = (e for e in self._shipped[contract].abi if e["type"] == "function")
                    return next(entry for entry in entries if entry["name"] == function)
        raise AssertionError(f"{name} has no function of selector {data[:4].hex()}")

    # --- What differed -------------------------------------------------------------------------------------------

    def _shown(self, trace: Trace, steps: list[RehearsedStep]) -> Document | None:
        found = trace.divergence
        if found is None or found.field in ("outcome", "reason", "returns"):
            return None
        names = self._model.blank().names()
        if found.field not in names:
            raise Inexpressible(f"a difference in {found.field} is in no single answer of the contracts")
        place = names.index(found.field)
        message, word = self._getter(place)
        value = steps[-1].state[place]
        expected = self._known[value] if isinstance(value, str) else value
        return {"observation": found.field, **message, "word": word, "expected": expected}

    def _getter(self, place: int) -> tuple[Document, int]:
        """The getter that an observation comes from, and the word of its answer that decides it: changed, it changes.

        The first of those whose change leaves all observations before this one as they are: a change may also make
        the adapter report more.
        """
        probe = AlteredAnswers(self._chain)
        before = self._adapter.getters(probe)
        for asked, answer in list(probe.answers.items()):
            for word in range(len(answer) // 32):
                probe.changed = asked, word
                after = self._adapter.getters(probe)
                same_kind = type(after[place]) is type(before[place])
                if after[place] != before[place] and after[:place] == before[:place] and same_kind:
                    return self._message(*asked), word
        raise Inexpressible("no getter of the contracts has what differs")


class AlteredAnswers(RecordingChain):
    """A chain that is only read, and that changes one word of one answer when it is told to."""

    def __init__(self, chain: Embedded) -> None:
        self._chain = chain
        self.answers: dict[tuple[str, bytes], bytes] = {}
        self.changed: tuple[tuple[str, bytes], int] | None = None

    def call(self, to: str, data: bytes) -> bytes:
        if (to, data) not in self.answers:
            self.answers[to, data] = self._chain.call(to, data)
        answer = self.answers[to, data]
        if self.changed is None or self.changed[0] != (to, data):
            return answer
        last = 32 * self.changed[1] + 31
        return answer[:last] + bytes([answer[last] ^ 1]) + answer[last + 1 :]

    def time(self) -> int:
        return self._chain.time()


def _decoded(types: Sequence[Document], data: bytes) -> list[Any]:
    values = decode([collapse_if_tuple(entry) for entry in types], data)
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _of_callers(model: type[Machine]) -> Iterator[tuple[str, Call]]:
    """A call by each user that a model has."""
    action = next(action for action in actions_of(model).values() if "caller" in action.arguments)
    first = {
        name: False if plain(hint) is bool else (model.universe.get(plain(hint)) or (0,))[0]
        for name, hint in action.arguments.items()
    }
    for user in model.universe[plain(action.arguments["caller"])]:
        yield str(user), Call(action.name, {**first, "caller": user})
