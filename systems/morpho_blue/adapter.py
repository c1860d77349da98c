"""Morpho Blue's contracts: how its actions become calls, and how its storage becomes an observation."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_abi.packed import encode_packed
from eth_utils.crypto import keccak

from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel.machine import Call
from marginspec.targets.evm.artifact import Artifact, artifact
from marginspec.targets.evm.chain import Chain, Slot
from marginspec.targets.evm.interface import replaced_by

PACKAGE = "@morpho-org/morpho-blue"
ACCOUNTS, USERS, MARKETS, TOKENS, IRMS, LLTVS = MorphoBlue.universe.values()
DEPLOYER = "0x" + "de" * 20
ZERO = "0x" + "00" * 20
MASK = 2**128 - 1

# A transfer that fails inside the token is wrapped by Morpho's SafeTransferLib, whatever the token's own reason.
REASONS = {
    "OWN-6": "not owner",
    "OWN-7": "max LLTV exceeded",
    "OWN-8": "max fee exceeded",
    "MKT-2": "IRM not enabled",
    "MKT-3": "LLTV not enabled",
    "MKT-4": "market already created",
    "ACT-1": "market not created",
    "ACT-2": "inconsistent input",
    "ACT-3": "zero assets",
    "ACT-4": "zero address",
    "ACT-5": "already set",
    "ACT-6": "insufficient liquidity",
    "AUT-2": "unauthorized",
    "HLT-5": "insufficient collateral",
    "LIQ-2": "position is healthy",
    "INT-1": "max uint128 exceeded",
    "EVM-1": "Panic(0x11)",
    "EVM-2": "Panic(0x12)",
    "TOK-5": "transfer reverted",
    "TOK-6": "transferFrom reverted",
    "TOK-7": "transferFrom reverted",
    "TOK-8": "insufficient balance",
}

# Contract function of each action; the model's argument order is the contract's.
FUNCTIONS = {
    "set_owner": "setOwner",
    "enable_irm": "enableIrm",
    "enable_lltv": "enableLltv",
    "set_fee": "setFee",
    "set_fee_recipient": "setFeeRecipient",
    "create_market": "createMarket",
    "accrue_interest": "accrueInterest",
    "supply": "supply",
    "withdraw": "withdraw",
    "borrow": "borrow",
    "repay": "repay",
    "supply_collateral": "supplyCollateral",
    "withdraw_collateral": "withdrawCollateral",
    "liquidate": "liquidate",
    "set_authorization": "setAuthorization",
}
WITH_CALLBACK_DATA = {"supply": 9, "repay": 9, "supply_collateral": 8, "liquidate": 9}
GETTERS = {
    "owner",
    "feeRecipient",
    "position",
    "market",
    "isIrmEnabled",
    "isLltvEnabled",
    "isAuthorized",
    "idToMarketParams",
}


# What no action calls, and why.
NOT_MODELLED = {
    "Morpho.setAuthorizationWithSig((address,address,bool,uint256,uint256),(uint8,bytes32,bytes32))": (
        "signatures are not modelled; what it grants is what setAuthorization grants"
    ),
    "Morpho.flashLoan(address,uint256,bytes)": "who borrows has to be a contract, and every account of a run is none",
    "ERC20Mock.transferFrom(address,address,uint256)": "the token of the run; Morpho alone calls it",
    "ERC20Mock.totalSupply": "what the token of the run counts, and nothing reads",
    "Morpho.idToMarketParams": "constants of the model, which the creation of a market writes: compared by the getter",
    "callbacks": "the data of supply, repay, supplyCollateral and liquidate is always empty: nobody is called back",
    "failing oracles and tokens": (
        "oracles and rate models always answer; tokens move what they are asked to and answer true, or revert"
    ),
}


CONTRACTS = ("Morpho", "ERC20Mock", "OracleMock", "IrmMock")

TRUE = (1).to_bytes(32, "big")
"""What a token's functions return where they did what they were asked for."""


def word(value: int) -> bytes:
    """An unsigned integer as one ABI word."""
    return value.to_bytes(32, "big")


@functools.cache
def shipped_contracts() -> dict[str, Artifact]:
    """Return the contracts and mocks of npm package `PACKAGE`, as `tools/contracts.py` compiled them."""
    built = json.loads(Path(__file__).with_name("contracts.json").read_text(encoding="utf-8"))["contracts"]
    return {name: artifact(name, built[name], f"{PACKAGE}:{name}") for name in CONTRACTS}


class MorphoBlueAdapter:
    """See `marginspec.targets.evm.target.Adapter`. `replaced` puts candidate builds in the place of contracts."""

    model = MorphoBlue
    not_modelled: Mapping[str, str] = NOT_MODELLED

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        shipped = shipped_contracts()
        self._selectors = {name: contract.selectors() for name, contract in shipped.items()}
        needed = {"Morpho": {*FUNCTIONS.values(), *GETTERS}}
        self.contracts = replaced_by(shipped, replaced, "morpho-blue", needed)
        self.slots: list[Slot] = []
        self.not_compared: dict[str, list[Slot]] = {}

    def deploy(self, chain: Chain) -> None:
        code = {name: contract.bytecode for name, contract in self.contracts.items()}
        users = {u: f"0x{i:040x}" for i, u in enumerate(USERS, 0xA0001)}
        self._morpho = chain.deploy(DEPLOYER, code["Morpho"] + encode(["address"], [users["owner"]]))
        self._token = {t: chain.deploy(DEPLOYER, code["ERC20Mock"]) for t in TOKENS}
        self._oracle = {m: chain.deploy(DEPLOYER, code["OracleMock"]) for m in MARKETS}
        self._irm = {i: ZERO if i == "none" else chain.deploy(DEPLOYER, code["IrmMock"]) for i in IRMS}
        self._address = {"zero": ZERO, **users, "morpho": self._morpho}
        self._account = {int(a, 16): name for name, a in self._address.items()}
        self._encodings()
        self._storage()

    # --- Calls ---------------------------------------------------------------------------------------------------

    def _encodings(self) -> None:
        params = MorphoBlue.blank().params
        self._market = {
            m: encode(
                ["address"] * 4 + ["uint256"],
                [
                    self._token[p.loan_token],
                    self._token[p.collateral_token],
                    self._oracle[m],
                    self._irm[p.irm],
                    p.lltv,
                ],
            )
            for m, p in params.items()
        }
        self._id = {m: keccak(data) for m, data in self._market.items()}
        self._params = params
        accounts = {name: encode(["address"], [a]) for name, a in self._address.items()}
        irms = {name: encode(["address"], [a]) for name, a in self._irm.items()}
        self._argument = {
            **self._market,
            **accounts,
            **irms,
        }  # identifiers of a model are distinct across types
        morpho = self._selectors["Morpho"]
        self._selector = {action: morpho[function] for action, function in FUNCTIONS.items()}
        token = self._selectors["ERC20Mock"]
        self._approve = token["approve"] + encode(["address"], [self._morpho])
        self._transfer, self._set_balance = token["transfer"], token["setBalance"]
        self._set_price = self._selectors["OracleMock"]["setPrice"]
        self._tail = {action: word(32 * head) + word(0) for action, head in WITH_CALLBACK_DATA.items()}
        self._ask = {**token, **morpho}

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        name, given = call.action, call.arguments
        if name in self._selector:
            known = self._argument
            parts = [self._selector[name]]
            values = iter(given.values())
            sender = self._address[next(values)]
            parts += [known[v] if isinstance(v, str) else word(v) for v in values]
            if name in self._tail:
                parts.append(self._tail[name])
            return sender, self._morpho, b"".join(parts)
        if name == "set_price":
            return DEPLOYER, self._oracle[given["market"]], self._set_price + word(given["price"])
        token = self._token[given["token"]]
        if name == "set_balance":
            return (
                DEPLOYER,
                token,
                self._set_balance + self._argument[given["account"]] + word(given["amount"]),
            )
        sender = self._address[given["caller"]]
        if name == "approve":
            return sender, token, self._approve + word(given["amount"])
        return sender, token, self._transfer + self._argument[given["receiver"]] + word(given["amount"])

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        if not data or (call.action in ("approve", "transfer") and data == TRUE):
            return ()
        return tuple([int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)])

    def expected_reason(self, rule: str) -> str:
        return REASONS[rule]

    # --- Observations --------------------------------------------------------------------------------------------

    def _storage(self) -> None:
        """Slots in the order in which `decode` takes them, which is the order of the model's fields."""
        morpho, a = self._morpho, self._address

        def mapped(slot: int, *keys: bytes) -> int:
            for key in keys:
                slot = int.from_bytes(keccak(key.rjust(32, b"\0") + word(slot)), "big")
            return slot

        def raw(name: str) -> bytes:
            return encode_packed(["address"], [a[name]])

        markets = [(morpho, mapped(3, self._id[m]) + i) for m in MARKETS for i in range(3)]
        positions = [(morpho, mapped(2, self._id[m], raw(u)) + i) for m in MARKETS for u in ACCOUNTS for i in range(2)]
        irms = [(morpho, mapped(4, encode(["address"], [self._irm[i]]))) for i in IRMS]
        lltvs = [(morpho, mapped(5, word(v))) for v in LLTVS]
        authorized = [(morpho, mapped(6, raw(u), raw(v))) for u in USERS for v in USERS]
        prices = [(self._oracle[m], 0) for m in MARKETS]
        balances = [(self._token[t], mapped(1, raw(u))) for t in TOKENS for u in ACCOUNTS]
        allowances = [(self._token[t], mapped(2, raw(u), raw("morpho"))) for t in TOKENS for u in USERS]
        self.slots = [(morpho, 0), (morpho, 1), *markets, *positions, *irms, *lltvs, *authorized]
        self._plain = len(self.slots)
        self.slots += [*prices, *balances, *allowances]
        created = [(morpho, mapped(8, self._id[m]) + i) for m in MARKETS for i in range(5)]
        supplies = [(self._token[t], 0) for t in TOKENS]
        self.not_compared = {"Morpho.idToMarketParams": created, "ERC20Mock.totalSupply": supplies}

    def decode(self, time: int, words: list[int]) -> list[Any]:
        account = self._account
        out: list[Any] = [time, account.get(words[0], hex(words[0])), account.get(words[1], hex(words[1]))]
        markets = 2 + 3 * len(MARKETS)
        for packed in words[2:markets]:
            out += (packed & MASK, packed >> 128)
        end = markets + 2 * len(MARKETS) * len(ACCOUNTS)
        for supply_shares, packed in zip(words[markets:end:2], words[markets + 1 : end : 2], strict=True):
            out += (supply_shares, packed & MASK, packed >> 128)
        out += [w != 0 for w in words[end : self._plain]]
        out += words[self._plain :]
        return out

    def getters(self, chain: Chain) -> list[Any]:
        def ask(contract: str, function: str, *arguments: bytes) -> list[int]:
            data = chain.call(contract, self._ask[function] + b"".join(arguments))
            return [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]

        morpho, known = self._morpho, self._argument
        owner, recipient = ask(morpho, "owner")[0], ask(morpho, "feeRecipient")[0]
        out: list[Any] = [
            chain.time(),
            self._account.get(owner, hex(owner)),
            self._account.get(recipient, hex(recipient)),
        ]
        for m in MARKETS:
            market = ask(morpho, "market", self._id[m])
            out += market
            stored = b"".join(map(word, ask(morpho, "idToMarketParams", self._id[m])))
            if stored != (self._market[m] if market[4] else bytes(160)):
                out.append(f"idToMarketParams({m}) is {stored.hex()}")
        for m in MARKETS:
            for u in ACCOUNTS:
                out += ask(morpho, "position", self._id[m], known[u])
        out += [ask(morpho, "isIrmEnabled", known[i])[0] != 0 for i in IRMS]
        out += [ask(morpho, "isLltvEnabled", word(v))[0] != 0 for v in LLTVS]
        out += [ask(morpho, "isAuthorized", known[u], known[v])[0] != 0 for u in USERS for v in USERS]
        price = self._selectors["OracleMock"]["price"]
        out += [int.from_bytes(chain.call(self._oracle[m], price), "big") for m in MARKETS]
        out += [ask(self._token[t], "balanceOf", known[u])[0] for t in TOKENS for u in ACCOUNTS]
        out += [ask(self._token[t], "allowance", known[u], known["morpho"])[0] for t in TOKENS for u in USERS]
        return out
