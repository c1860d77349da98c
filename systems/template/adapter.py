"""The contracts of Strongbox: how its actions become calls, and their storage what the model calls its state.

An action is the function of that name, a field of the model the variable of that name, and the caller is the sender,
unless FUNCTIONS and VARIABLES say something else. To try other contracts, put them in `contracts/` and mend `deploy`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from marginspec.base.errors import BadInput
from marginspec.model.kernel import Call, Machine
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Chain, Slot
from marginspec.targets.evm.vyper import compile_folder

from .model import FUNDS, STRONGBOX, Strongbox, User

DEPLOYER = "0x" + "de" * 20

# Action: contract and function. Field of the model: contract and variable.
FUNCTIONS = {"transfer": ("token", "transfer")}
TRUE = (1).to_bytes(32, "big")
VARIABLES = {"balance": ("token", "balanceOf")}

# What the contracts say when a rule refuses.
REASONS = {
    "DEP-2": "zero amount",
    "WDR-2": "zero amount",
    "WDR-3": "insufficient balance",
    "TOK-2": "insufficient balance",
}


# What no action calls although it changes something, and why. Whatever is missing here makes a run incomplete.
NOT_MODELLED = {
    "token.approve(address,uint256)": "called in the set-up, for every user",
    "token.transferFrom(address,address,uint256)": "the strongbox alone calls it, on a deposit",
}


def word(value: int) -> bytes:
    """An unsigned integer as the EVM has it."""
    return value.to_bytes(32, "big")


class StrongboxAdapter:
    """See `marginspec.targets.evm.target.Adapter`. replaced: candidate builds, by contract (`--artifact NAME=FILE`)."""

    model: type[Machine] = Strongbox
    not_modelled: Mapping[str, str] = NOT_MODELLED

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        shipped, self._layouts = compile_folder(Path(__file__).with_name("contracts"))
        for name, candidate in replaced.items():
            if name not in shipped:
                raise BadInput(f"--artifact {name}: the contracts are {', '.join(shipped)}")
            if misfit := candidate.misfit(shipped[name]):
                raise BadInput(f"--artifact {name}: not a build of {name}, {misfit}")
        self.contracts = {**shipped, **replaced}
        self._selectors = {name: contract.selectors() for name, contract in shipped.items()}
        self.slots: list[Slot] = []

    def deploy(self, chain: Chain) -> None:
        """The token, the contract over it, and every user with tokens that the contract may spend."""
        users = {name: f"0x{number:040x}" for number, name in enumerate(Strongbox.universe[User], 0xA0001)}
        code = {name: contract.bytecode for name, contract in self.contracts.items()}
        setup = encode(["address[]", "uint256"], [list(users.values()), FUNDS])
        token = chain.deploy(DEPLOYER, code["token"] + setup)
        strongbox = chain.deploy(DEPLOYER, code["strongbox"] + encode(["address"], [token]))
        self._address = {"token": token, "strongbox": strongbox}
        self._account: dict[str, str] = {**users, STRONGBOX: strongbox}
        approve = self._selectors["token"]["approve"] + encode(["address"], [strongbox]) + b"\xff" * 32
        for user in users.values():
            chain.transact(user, token, approve)
        self._places = [self._place(name) for name in Strongbox.blank().names()]
        self.slots = [self._slot(*place) for place in self._places]

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        """Sender, contract, and the function's selector followed by its arguments."""
        caller, *arguments = call.arguments.values()
        contract, function = FUNCTIONS.get(call.action, ("strongbox", call.action))
        data = [self._word(argument) for argument in arguments]
        selector = self._selectors[contract][function]
        return self._account[caller], self._address[contract], b"".join([selector, *data])

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        """The numbers that the contract returned; of a token's functions, which return true, none."""
        if call.action in FUNCTIONS and data == TRUE:
            return ()
        return tuple(int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32))

    def expected_reason(self, rule: str) -> str:
        """The text of the contract's refusal."""
        return REASONS[rule]

    def decode(self, time: int, words: list[int]) -> list[Any]:
        """Storage as the model has it: numbers, all of them."""
        return list(words)

    def getters(self, chain: Chain) -> list[Any]:
        """The same numbers, as the contracts' own getters give them."""
        found = []
        for contract, variable, keys in self._places:
            data = self._selectors[contract][variable] + b"".join(map(self._word, keys))
            found.append(int.from_bytes(chain.call(self._address[contract], data), "big"))
        return found

    def _word(self, value: int | str) -> bytes:
        return word(int(self._account[value], 16) if isinstance(value, str) else value)

    def _place(self, name: str) -> tuple[str, str, list[str]]:
        """Contract, variable and keys of an entry of the model's state, such as `deposits[depositor]`."""
        field, *keys = re.findall(r"[^][]+", name)
        return *VARIABLES.get(field, ("strongbox", field)), keys

    def _slot(self, contract: str, variable: str, keys: list[str]) -> Slot:
        """Where Vyper keeps it."""
        slot = self._layouts[contract][variable]
        for key in keys:
            slot = int.from_bytes(keccak(word(slot) + self._word(key)), "big")
        return self._address[contract], slot
