"""Adapters made of tables: what function an action is, what a refusal says, where a variable is and who tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from marginspec.model.kernel import Call, Machine
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Chain, Slot
from marginspec.targets.evm.interface import LiveContract
from marginspec.targets.evm.storage import Place

DEPLOYER = "0x" + "de" * 20
"""Who deploys, and sends what the world does."""


class Variable(NamedTuple):
    """A variable of a model as contracts have it.

    Attributes:
        contract: its name among those that were deployed.
        place: in that contract's storage.
        getter: the function that tells it, and its arguments.
        part: which of the function's results it is.
        meaning: what the model has for the number.
    """

    contract: str
    place: Place
    getter: tuple[Any, ...]
    part: int = 0
    meaning: Callable[[Any], Any] = int


class TableAdapter:
    """See `marginspec.targets.evm.target.Adapter`; a subclass says `model`, `functions` and `reasons`, and deploys.

    functions: contract and function of each action, whose arguments are the action's without the caller, who sends.
    reasons: the text of a refusal, by the rule. `deploy` ends with `_know`.
    """

    model: type[Machine]
    functions: Mapping[str, tuple[str, str]]
    reasons: Mapping[str, str]

    def __init__(self, contracts: Mapping[str, Artifact]) -> None:
        self.contracts = contracts
        self.slots: list[Slot] = []

    def _know(
        self, chain: Chain, found: Mapping[str, LiveContract], account: Mapping[str, str], variables: Sequence[Variable]
    ) -> None:
        """Take note of what was deployed: contracts, addresses of accounts, and variables after the time, if any.

        The variables are in the order of the model's, of which the first may be `now`, which is the chain's.
        """
        self._chain, self._found, self._account = chain, found, account
        self._named = {int(address, 16): name for name, address in account.items()}
        self._variables = variables
        self._places = [((found[each.contract].address, each.place.slot), each) for each in variables]
        self.slots = list(dict.fromkeys(slot for slot, _ in self._places))
        self._timed = self.model.blank().names()[0] == "now"

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        """Sender, contract and data; what the world does, the deployer sends."""
        given = dict(call.arguments)
        sender = self._account[given.pop("caller")] if "caller" in given else DEPLOYER
        contract, function = self.functions[call.action]
        found = self._found[contract]
        arguments = [self.argument(value) for value in given.values()]
        return sender, found.address, found.interface.call(function, *self.before(contract), *arguments)

    def before(self, contract: str) -> Sequence[Any]:
        """What all functions of a contract take before the arguments of an action."""
        return ()

    def argument(self, value: Any) -> Any:
        """What a function takes for an argument of an action: a number as it is, for an account its address."""
        return self._account[value] if isinstance(value, str) else value

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        """The numbers that a function returns."""
        contract, function = self.functions[call.action]
        return self._found[contract].interface.results(function, data)

    def expected_reason(self, rule: str) -> str:
        """The text of the contracts' refusal."""
        return self.reasons[rule]

    def decode(self, time: int, words: list[int]) -> list[Any]:
        """Variables from the words at `slots`, in the order of the model's."""
        known = dict(zip(self.slots, words, strict=True))
        values = [each.meaning(each.place.of(known[slot])) for slot, each in self._places]
        return [time, *values] if self._timed else values

    def getters(self, chain: Chain) -> list[Any]:
        """The same by the contracts' getters, each asked once."""
        answers: dict[Any, tuple[Any, ...]] = {}
        values = []
        for each in self._variables:
            asked = each.contract, each.getter
            if asked not in answers:
                found = self._found[each.contract].ask(*each.getter)
                answers[asked] = found[0] if isinstance(found[0], tuple) else found
            answer = answers[asked][each.part]
            values.append(each.meaning(int(answer, 16) if isinstance(answer, str) else answer))
        return [chain.time(), *values] if self._timed else values

    def account(self, address: int) -> str:
        """The account at an address, else the address."""
        return self._named.get(address, hex(address))
