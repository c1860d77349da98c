"""The contracts of Pawnshop: how its actions become calls, and their storage what the model calls its state."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from marginspec.base.errors import BadInput
from marginspec.model.kernel import Call, Machine
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.book import word
from marginspec.targets.evm.chain import Chain, Slot
from marginspec.targets.evm.vyper import compile_folder

from .model import CASH, COINS, PAWNSHOP, POOL, SCALE, Pawnshop, User

CONTRACTS = Path(__file__).with_name("contracts")
DEPLOYER = "0x" + "de" * 20

# Fields of the model that are no variables of the pawnshop: contract and variable.
VARIABLES = {"coin": ("coin", "balanceOf"), "cash": ("cash", "balanceOf")}

REASONS = {
    **dict.fromkeys(("PLG-2", "RDM-2", "BRW-2", "RPY-2"), "zero amount"),
    "RDM-3": "not pledged",
    "RDM-4": "above the limit",
    "BRW-3": "above the limit",
    "RPY-3": "not owed",
    "LIQ-2": "within the limit",
    "TOK-2": "insufficient balance",
}

NOT_MODELLED = {
    "token.approve(address,uint256)": "called in the set-up, for every user",
    "token.mint(address,uint256)": "the token of a run: called in the set-up, for the cash to lend",
    "token.transfer(address,uint256)": "the pawnshop alone calls it",
    "token.transferFrom(address,address,uint256)": "the pawnshop alone calls it",
}


def shipped_contracts() -> dict[str, Artifact]:
    """The contracts as they are here, by name."""
    return compile_folder(CONTRACTS)[0]


class PawnshopAdapter:
    """See `marginspec.targets.evm.target.Adapter`. replaced: candidate builds, by contract (`--artifact NAME=FILE`)."""

    model: type[Machine] = Pawnshop
    not_modelled: Mapping[str, str] = NOT_MODELLED

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        shipped, self._layouts = compile_folder(CONTRACTS)
        for name, candidate in replaced.items():
            if name not in shipped:
                raise BadInput(f"--artifact {name}: the contracts are {', '.join(shipped)}")
            if misfit := candidate.misfit(shipped[name]):
                raise BadInput(f"--artifact {name}: not a build of {name}, {misfit}")
        self.contracts = {**shipped, **replaced}
        self._selectors = {name: contract.selectors() for name, contract in shipped.items()}
        self.slots: list[Slot] = []

    def deploy(self, chain: Chain) -> None:
        """Both tokens, the pawnshop with cash to lend, and every user with tokens that it may take."""
        users = {name: f"0x{number:040x}" for number, name in enumerate(Pawnshop.universe[User], 0xA0001)}
        code = {name: contract.bytecode for name, contract in self.contracts.items()}
        coin, cash = (
            chain.deploy(DEPLOYER, code["token"] + encode(["address[]", "uint256"], [list(users.values()), amount]))
            for amount in (COINS, CASH)
        )
        given = encode(["address", "address", "uint256"], [coin, cash, SCALE])
        shop = chain.deploy(DEPLOYER, code["pawnshop"] + given)
        self._address = {"coin": coin, "cash": cash, "pawnshop": shop}
        self._account: dict[str, str] = {**users, PAWNSHOP: shop}
        chain.transact(DEPLOYER, cash, self._selectors["token"]["mint"] + encode(["address", "uint256"], [shop, POOL]))
        approve = self._selectors["token"]["approve"] + encode(["address"], [shop]) + b"\xff" * 32
        for user in users.values():
            for token in (coin, cash):
                chain.transact(user, token, approve)
        self._places = [self._place(name) for name in Pawnshop.blank().names()]
        self.slots = [self._slot(*place) for place in self._places]

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        """Sender, contract, and the function's selector followed by its arguments. The feed is who deployed all."""
        given = dict(call.arguments)
        caller = given.pop("caller", None)
        data = b"".join(self._word(argument) for argument in given.values())
        sender = DEPLOYER if caller is None else self._account[caller]
        return sender, self._address["pawnshop"], self._selectors["pawnshop"][call.action] + data

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        """The numbers that the contract returned."""
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
            kind = "pawnshop" if contract == "pawnshop" else "token"
            data = self._selectors[kind][variable] + b"".join(map(self._word, keys))
            found.append(int.from_bytes(chain.call(self._address[contract], data), "big"))
        return found

    def _word(self, value: int | str) -> bytes:
        return word(self._account[value] if isinstance(value, str) else value)

    def _place(self, name: str) -> tuple[str, str, list[str]]:
        """Contract, variable and keys of an entry of the model's state, such as `debt[borrower]`."""
        field, *keys = re.findall(r"[^][]+", name)
        return *VARIABLES.get(field, ("pawnshop", field)), keys

    def _slot(self, contract: str, variable: str, keys: list[str]) -> Slot:
        """Where Vyper keeps it."""
        slot = self._layouts["pawnshop" if contract == "pawnshop" else "token"][variable]
        for key in keys:
            slot = int.from_bytes(keccak(word(slot) + self._word(key)), "big")
        return self._address[contract], slot
