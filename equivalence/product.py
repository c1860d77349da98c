"""The product run: bytecode, then the model's action, on the same unknowns; and what is claimed of the two.

Both begin in the same state, every number of it an unknown. Claimed is that both accept or both refuse, for the same
reason, that they return the same, that every observed word of storage holds what the model's state says, and that no
other word has changed.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.equivalence.calldata import SELECTOR, encoded, identifier_word
from marginspec.equivalence.encoding import Encoding, encoding_of, type_of
from marginspec.equivalence.evm.accounts import Accounts, Place
from marginspec.equivalence.evm.calls import transact
from marginspec.equivalence.evm.frame import CallResult
from marginspec.equivalence.evm.memory import WORD, known, word_of
from marginspec.equivalence.evm.words import MAX, Word, unsigned
from marginspec.model.kernel.machine import Call, Rejected, actions_of
from marginspec.model.kernel.numbers import Number
from marginspec.model.kernel.record import plain
from marginspec.properties.law import Property, arguments_of, assume, every
from marginspec.prover.evaluate import Numbers
from marginspec.prover.symbolic import Run, SymBool, Unknown, Unsupported, Value
from marginspec.systems.equivalence import Equivalence
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.evm.chain import Embedded, Reverted
from marginspec.targets.evm.reasons import reason
from marginspec.targets.evm.target import Adapter, EvmTarget

NO_CALL = "advance_time"
"""The action that is no call of a contract."""

LATEST = 2**64 - 1
"""The highest time of a block."""

MOST_GAS = 2**63


@dataclass(frozen=True)
class ProductCase:
    """An action with the identifiers of its arguments and of the state, by name: numbers alone are left open."""

    action: str
    identifiers: Mapping[str, Any]

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.identifiers.items())


class Deployed:
    """A system's contracts on a chain of their own, and how the model's state stands in their storage."""

    def __init__(self, system: System, builds: Sequence[Candidate] = ()) -> None:
        self.system, self.model = system, system.model
        self.limits: Equivalence = system.equivalence or Equivalence()
        self.adapter: Adapter = system.adapter({build.name: build.artifact for build in builds})
        self.chain = Embedded()
        self.target = EvmTarget("embedded", self.adapter, self.chain)
        self.encoding: Encoding = encoding_of(self.adapter, self.chain, self.model)
        self.names = self.model.blank().names()
        self.genesis = self.model.genesis()
        self.places: list[Place] = [(int(address, 16), slot) for address, slot in self.adapter.slots]
        hidden: Mapping[str, Sequence[tuple[str, int]]] = getattr(self.adapter, "not_compared", {})
        self.hidden = {name: [(int(address, 16), slot) for address, slot in slots] for name, slots in hidden.items()}
        self.not_compared = {place for places in self.hidden.values() for place in places}
        self.contracts = {int(address, 16) for address in self.chain.contracts()}
        self.reason: Callable[[Reverted], str] = getattr(self.adapter, "reason", reason)
        self.storage = {place: word for place, word in self.chain.storage().items() if word}
        self._codes: dict[int, bytes] = {}

    def code(self, address: int) -> bytes:
        """The code of a contract; empty where there is none."""
        if address not in self._codes:
            self._codes[address] = bytes(self.chain.evm.get_code(f"0x{address:040x}") or b"")
        return self._codes[address]

    def word(self, place: Place) -> int:
        """A storage word as deployed."""
        return self.chain.evm.storage(f"0x{place[0]:040x}", place[1])

    def shows(self, word: int | None, content: int, place: int) -> Any:
        """What the adapter makes of a storage word, of one variable of the state."""
        words = [content if at == word else other for at, other in enumerate(self.encoding.base)]
        return self.adapter.decode(self.chain.time(), words)[place]

    def cases(self, action: str) -> Iterator[ProductCase]:
        """Every combination of identifiers that an action is looked at with."""
        options = dict(self._options(action))
        for chosen in product(*options.values()):
            yield ProductCase(action, dict(zip(options, chosen, strict=True)))

    def count(self, actions: Iterable[str]) -> int:
        """How many cases some actions have."""
        return sum(1 for action in actions for _ in self.cases(action))

    def uncalled(self) -> tuple[list[str], list[str]]:
        """What may change state and no action calls, with whatever identifiers: unstated, and stated by the adapter."""
        anybody = copy.copy(self)
        anybody.limits = Equivalence()
        cases = (case for action in actions_of(self.model) if action != NO_CALL for case in anybody.cases(action))
        calls = [self.adapter.encode(Product(anybody, case).lowest()) for case in cases]
        return self.target.uncalled({(to.lower(), data[:SELECTOR]) for _, to, data in calls})

    def _options(self, action: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
        universe = self.model.universe
        for name, hint in actions_of(self.model)[action].arguments.items():
            kind = plain(hint)
            if kind is bool:
                yield name, (True, False)
            elif kind in universe:
                yield name, self.limits.choices(action, name, universe[kind])
        shown = self.genesis.flatten()
        for place in self.encoding.identifiers:
            yield f"state.{self.names[place]}", (shown[place],)


@dataclass
class Compared:
    """What a product run did. before, after: the state, as `flatten` gives it. rule: that refused it in the model."""

    before: list[Any]
    result: CallResult
    accounts: Accounts
    rule: str | None = None
    returns: tuple[Any, ...] = ()
    after: list[Any] = field(default_factory=list)
    differs: str = ""


def given_of(system: System) -> list[Property]:
    """The invariants that are assumed of the state before an action; raises BadInput for one that there is not."""
    wanted = (system.equivalence or Equivalence()).given
    invariants = [each for each in system.chapter.properties if each.kind == "invariant"]
    if vain := sorted(set(wanted or ()) - {each.id for each in invariants}):
        raise BadInput(f"{system.name}, Equivalence.given: {vain[0]} is no invariant of the chapter")
    return [each for each in invariants if wanted is None or each.id in wanted]


class Product:
    """One case, run on unknowns. as_deployed: words that were read and that no observation shows."""

    def __init__(self, deployed: Deployed, case: ProductCase) -> None:
        self.deployed, self.case = deployed, case
        info = actions_of(deployed.model)[case.action]
        self.numbers: dict[str, Number] = {
            name: self._limited(f"{case.action}.{name}", hint.__metadata__[0])
            for name, hint in info.arguments.items()
            if plain(hint) is int and plain(hint) not in deployed.model.universe
        }
        self._arguments = list(info.arguments)
        self._given = given_of(deployed.system)
        self.as_deployed = set[Place]()

    def call(self, numbers: Mapping[str, Value]) -> Call:
        """The call, its numbers being these."""
        chosen = {**self.case.identifiers, **numbers}
        return Call(self.case.action, {name: chosen[name] for name in self._arguments})

    def lowest(self) -> Call:
        """The call, its numbers as low as they may be."""
        return self.call({name: number.low for name, number in self.numbers.items()})

    def concrete(self, numbers: Numbers) -> dict[str, int]:
        """The numbers of the call among those of a path."""
        made = {name: Unknown("", number.low, number.high, number.typical) for name, number in self.numbers.items()}
        return {name: numbers.get(f"{self.case.action}.{name}", made[name].default()) for name in made}

    def body(self) -> Any:
        """Run both, and claim that they did the same."""
        run, deployed = Run.current, self.deployed
        values, state = self.given_state()
        arguments = {name: _unknown(f"{self.case.action}.{name}", number) for name, number in self.numbers.items()}
        call = self.lowest()
        given = encoded(deployed.adapter, call, self.numbers, arguments)
        accounts = self._accounts(values)
        seen = Compared(values, transact(accounts, given.sender, given.to, given.data), accounts)
        run.seen = seen  # type: ignore[attr-defined]
        try:
            got = inspect.unwrap(getattr(type(state), call.action))(state, **self.call(arguments).arguments)
            seen.returns = () if got is None else got if isinstance(got, tuple) else (got,)
            seen.after = state.flatten()
        except Rejected as refused:
            seen.rule, seen.after = refused.rule, values
        return self._claims(seen, call)

    def given_state(self) -> tuple[list[Any], Any]:
        """A state of which all that is assumed holds: its values as `flatten` gives them, and itself."""
        values = self._state()
        state = self.deployed.genesis.clone()
        state.load(values)
        for condition in self._assumed(state):
            assume(condition)
        return values, state

    # --- The state before ------------------------------------------------------------------------------------------

    def _state(self) -> list[Any]:
        """Every number of the state an unknown, identifiers those of the case."""
        values: list[Any] = self.deployed.genesis.flatten()
        self._flags: dict[int, Value] = {}
        self._words: list[Value] = [0] * len(values)
        for place, name in enumerate(self.deployed.names):
            if place in self.deployed.encoding.identifiers:
                values[place] = self.case.identifiers[f"state.{name}"]
                continue
            unknown = self._variable(place, name, values)
            is_flag = plain(type_of(self.deployed.model, name)) is bool
            values[place] = unknown == 1 if is_flag else unknown
            if is_flag:
                self._flags[id(values[place])] = unknown
        return values

    def _variable(self, place: int, name: str, values: Sequence[Any]) -> Value:
        """The unknown that a variable is, or another variable and by how much more it is."""
        allowed, other = self._range(place, name), self.deployed.limits.since.get(name)
        if other is None:
            return _unknown(name, allowed)
        least = _unknown(other, self._range(self.deployed.names.index(other), other))
        return least + _unknown(more_than(name, other), Number(0, allowed.high))

    def numbers_of(self, values: Sequence[Any]) -> Numbers:
        """The unknowns of a state that has these values."""
        known = {n: int(v) for n, v in zip(self.deployed.names, values, strict=True) if not isinstance(v, str)}
        since = {
            more_than(name, other): known[name] - known[other] for name, other in self.deployed.limits.since.items()
        }
        return {**known, **since}

    def _range(self, place: int, name: str) -> Number:
        """What a variable may be: within the range of its type, and within the storage that holds it."""
        hint = type_of(self.deployed.model, name)
        declared = Number(0, 1) if plain(hint) is bool else hint.__metadata__[0]
        if place == self.deployed.encoding.time:
            low, high = 0, LATEST
        else:
            stored = self.deployed.encoding.numbers[place]
            low, high = stored.low, stored.high
        low, high = max(low, declared.low), min(high, declared.high)
        return self._limited(name, Number(low, high, typical=declared.typical))

    def _limited(self, name: str, number: Number) -> Number:
        low, high = self.deployed.limits.limits.get(name, (number.low, number.high))
        return Number(max(low, number.low), min(high, number.high), typical=number.typical)

    def _assumed(self, state: Any) -> Iterator[Any]:
        """What is taken for given of the state."""
        for name in self.deployed.limits.since:
            place = self.deployed.names.index(name)
            yield state.flatten()[place] <= self._range(place, name).high
        universe = self.deployed.model.universe
        for invariant in self._given:
            kinds = [plain(hint) for hint in arguments_of(invariant.predicate).values()]
            for chosen in product(*(universe[kind] for kind in kinds)):
                yield invariant.predicate(state, *chosen)
        for conditions in self.deployed.limits.assumed.values():
            yield from conditions(state)
        for name, holds in self.deployed.limits.unseen.values():
            yield from holds(state, [_hidden(place) for place in self.deployed.hidden[name]])

    def _accounts(self, values: Sequence[Any]) -> Accounts:
        """The contracts, their storage that of the state."""
        deployed, run = self.deployed, Run.current
        slots = {slot: at for at, slot in enumerate(deployed.places)}
        clock = deployed.encoding.time
        time = _unknown("the time", Number(0, LATEST)) if clock is None else values[clock]
        gas = (f"gas left {n}" for n in range(1, 1 << 30))

        def load(place: Place) -> Word:
            if place in slots:
                return self._word(slots[place], values)
            if place in deployed.not_compared:
                return _hidden(place)
            self.as_deployed.add(place)
            return deployed.word(place)

        assert run.explores
        return Accounts(deployed.code, load, time, lambda: _unknown(next(gas), Number(0, MOST_GAS)))

    def _word(self, at: int, values: Sequence[Any]) -> Word:
        """The storage word at a place among the slots, in a state that has these values."""
        return self.deployed.encoding.word(at, lambda place: self._number(values[place]))

    def _number(self, value: Any) -> Value:
        """A value of the state as a number: a truth value is 0 or 1, the unknown that it was made of if it is one."""
        if type(value) is SymBool:
            return self._flags[id(value)] if id(value) in self._flags else int(value)
        return int(value) if type(value) is bool else value

    # --- Claims ----------------------------------------------------------------------------------------------------

    def _claims(self, seen: Compared, call: Call) -> Any:
        """What must be so for the two to have done the same; False where they plainly have not."""
        result = seen.result
        if result.success != (seen.rule is None):
            seen.differs = f"the model {_outcome(seen.rule)}, the contract {self.said(result)}"
            return False
        if seen.rule is not None:
            expected, told = self.deployed.adapter.expected_reason(seen.rule), self.reason(result)
            if expected != told:
                seen.differs = f"the model {_outcome(seen.rule)}, the contract says {told!r}, expected {expected!r}"
            return expected == told
        return every([*self._same_returns(seen, call), *self._same_storage(seen, call)])

    def _same_returns(self, seen: Compared, call: Call) -> Iterable[Any]:
        data, many = seen.result.data, len(seen.returns)
        if many == 0:
            # The adapter says whether nothing is what such bytes stand for.
            return [self.deployed.adapter.returns(call, known(data, "what is returned")) == ()]
        if len(data) != many * WORD:
            return [False]
        words = [word_of(data[at : at + WORD]) for at in range(0, len(data), WORD)]
        return [word == unsigned(value) for word, value in zip(words, seen.returns, strict=True)]

    def _same_storage(self, seen: Compared, call: Call) -> Iterator[Any]:
        """Observed words hold the state after the action, each number within its place; no other word has changed."""
        deployed, accounts = self.deployed, seen.accounts
        for place, stored in deployed.encoding.numbers.items():
            if seen.after[place] is not seen.before[place]:
                value = self._number(seen.after[place])
                yield value >= stored.low
                yield value <= stored.high
        if (clock := deployed.encoding.time) is not None:
            yield seen.after[clock] == accounts.time
        identifiers = {
            at: self._identifier(call, place, seen.after[place], at if not others else None)
            for place, (at, *others) in deployed.encoding.identifiers.items()
            if seen.after[place] != seen.before[place]
        }
        for at, slot in enumerate(deployed.places):
            held = deployed.encoding.variables(at)
            if slot in accounts.storage or at in identifiers or any(seen.after[p] is not seen.before[p] for p in held):
                expected = identifiers[at] if at in identifiers else self._word(at, seen.after)
                yield accounts.storage.get(slot, accounts.load(slot)) == expected
        for slot in accounts.written - set(deployed.places) - deployed.not_compared:
            yield accounts.storage[slot] == accounts.load(slot)

    def _identifier(self, call: Call, place: int, value: Any, word: int | None) -> int:
        """The word that holds an identifier: as the call has it, of which it is an argument, and `decode` agrees."""
        adapter = self.deployed.adapter
        names = [name for name, given in call.arguments.items() if given == value]
        kinds = actions_of(self.deployed.model)[call.action].arguments
        for name in names if word is not None else ():
            others = [other for other in self.deployed.model.universe[plain(kinds[name])] if other != value]
            found = identifier_word(adapter, call, name, others)
            if found is not None and self.deployed.shows(word, found, place) == value:
                return found
        raise Unsupported(f"how {self.deployed.names[place]} is stored was not found out")

    def said(self, result: CallResult) -> str:
        """How a call ended, in words."""
        return "accepts" if result.success else f"refuses: {self.reason(result)}"

    def reason(self, result: CallResult) -> str:
        """Why a call was refused."""
        data = b"" if result.halt else known(result.data, "a reason")
        return self.deployed.reason(Reverted(data, result.halt))


def _hidden(place: Place) -> Value:
    """A storage word that nothing compares."""
    return _unknown(f"word {place[1]:#x} of {place[0]:#x}", Number(0, MAX))


def _unknown(name: str, number: Number) -> Value:
    return Run.current.unknown(Unknown(name, number.low, number.high, number.typical))


def more_than(name: str, other: str) -> str:
    """The name of an unknown: by how much a variable is more than another."""
    return f"{name} since {other}"


def _outcome(rule: str | None) -> str:
    return "accepts" if rule is None else f"refuses by {rule}"
