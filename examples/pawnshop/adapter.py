"""The contracts of Pawnshop: how its actions become calls, and their storage what the model calls its state."""

import re
from collections.abc import Mapping
from pathlib import Path

from marginspec.model.kernel.machine import actions_of
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Chain
from marginspec.targets.evm.interface import Interface, LiveContract, replaced_by
from marginspec.targets.evm.storage import Place, slot_of_vyper
from marginspec.targets.evm.tables import DEPLOYER, TableAdapter, Variable
from marginspec.targets.evm.vyper import compile_folder

from .model import CASH, COINS, PAWNSHOP, POOL, SCALE, Pawnshop, User

CONTRACTS = Path(__file__).with_name("contracts")

# Fields of the model that are no variables of the pawnshop: contract and variable.
VARIABLES = {"coin": ("coin", "balanceOf"), "cash": ("cash", "balanceOf")}

FUNCTIONS = {action: ("pawnshop", action) for action in actions_of(Pawnshop)}

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


class PawnshopAdapter(TableAdapter):
    """See `marginspec.targets.evm.target.Adapter`. replaced: candidate builds, by contract (`--artifact NAME=FILE`)."""

    model, functions, reasons = Pawnshop, FUNCTIONS, REASONS
    not_modelled: Mapping[str, str] = NOT_MODELLED

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        shipped, self._layouts = compile_folder(CONTRACTS)
        super().__init__(replaced_by(shipped, replaced, "pawnshop"))

    def deploy(self, chain: Chain) -> None:
        """Both tokens, the pawnshop with cash to lend, and every user with tokens that it may take."""
        users: dict[str, str] = {u: f"0x{number:040x}" for number, u in enumerate(Pawnshop.universe[User], 0xA0001)}
        code = {name: Interface(contract) for name, contract in self.contracts.items()}

        def put(kind: str, *arguments: object) -> LiveContract:
            return LiveContract(chain, code[kind], chain.deploy(DEPLOYER, code[kind].creation(*arguments)))

        coin, cash = (put("token", list(users.values()), amount) for amount in (COINS, CASH))
        shop = put("pawnshop", coin.address, cash.address, SCALE)
        cash.transact(DEPLOYER, "mint", shop.address, POOL)
        for user in users.values():
            for token in (coin, cash):
                token.transact(user, "approve", shop.address, 2**256 - 1)
        account = {**users, PAWNSHOP: shop.address}
        variables = [self._variable(name, account) for name in Pawnshop.blank().names()]
        self._know(chain, {"coin": coin, "cash": cash, "pawnshop": shop}, account, variables)

    def _variable(self, name: str, account: Mapping[str, str]) -> Variable:
        """An entry of the model's state, such as `debt[borrower]`: contract, variable and keys."""
        field, *keys = re.findall(r"[^][]+", name)
        contract, variable = VARIABLES.get(field, ("pawnshop", field))
        known = [account[key] for key in keys]
        layout = self._layouts["pawnshop" if contract == "pawnshop" else "token"]
        return Variable(contract, Place(slot_of_vyper(layout[variable], *known)), (variable, *known))
