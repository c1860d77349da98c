"""The reference venue's contracts: how its actions become calls, and how its storage becomes an observation."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from marginspec.base.errors import BadInput
from marginspec.model.kernel.machine import Call, actions_of
from marginspec.model.kernel.record import variables_of
from marginspec.model.reference.ledger import AccountTerms, Asset, Market
from marginspec.model.reference.notation import (
    BUY,
    VENUE,
    AccountId,
    AssetId,
    CounterpartyId,
    Holder,
    MarketId,
    ParameterId,
    Side,
    SourceId,
    TokenId,
    User,
)
from marginspec.model.reference.venue import Reference
from marginspec.systems.reference.build import compile_vyper, sources
from marginspec.targets.evm.artifact import Artifact, artifact
from marginspec.targets.evm.chain import Chain, Slot
from marginspec.targets.evm.interface import replaced_by

DEPLOYER = "0x" + "de" * 20

# A venue's refusals are the rules' own IDs. Who lacks tokens is told so by the token.
REASONS = {"LED-6": "insufficient balance"}

# What no action calls, and why: of the tokens, which are the run's own.
NOT_MODELLED = {
    "token.approve(address,uint256)": "called in the set-up: every user lets the venue take all tokens",
    "token.totalSupply": "what the token counts, and nothing reads",
    "token.transferFrom(address,address,uint256)": "the venue alone calls it",
}

# What an action is called for by an account of its own, which the contract is given by its index alone (LED-3).
BY_OWN_ACCOUNT = ("deposit", "withdraw", "place_order", "trade", "liquidate", "seize_collateral", "redeem")

NUMBERS = {
    kind: {name: number for number, name in enumerate(Reference.universe[kind])}
    for kind in (MarketId, TokenId, SourceId, ParameterId)
}
MARKETS, TOKENS, SOURCES, PARAMETERS = NUMBERS.values()
SIGNED = re.compile(r"\.(cash|size|cost|funding_index|premium)$|^(pot|insurance|fees)$")
BOOLEAN = re.compile(r"\.(in_default|reduce_only)$|^deposits_paused$")

# How far apart entries of an array in storage are, by its keys, 0 for a map's keys; and the fields of its structs.
STRIDES = {
    "accounts": (0,),
    "orders": (0, 2),
    "assets": (len(variables_of(Asset)),),
    "markets": (len(variables_of(Market)),),
    "parameters": (len(PARAMETERS), 1),
    "ramp_from": (len(PARAMETERS), 1),
    "ramp_to": (len(PARAMETERS), 1),
    "held": (1,),
    "cap": (1,),
    "balanceOf": (0,),
}
FIELDS = {
    "accounts": ["owner", "index", "cash", "in_default"],
    "orders": ["size", "price"],
    "assets": list(variables_of(Asset)),
    "markets": list(variables_of(Market)),
}
HOLDINGS = len(FIELDS["accounts"])
POSITIONS = HOLDINGS + 2 * len(TOKENS)

Place = tuple[str, str, tuple[int, ...], int]
"""Where an observation is: contract, variable, its keys, and the word of the struct that stands there."""


def word(value: int) -> bytes:
    """An unsigned integer as one ABI word."""
    return value.to_bytes(32, "big")


def _nothing(_: Any) -> bytes:
    """What is told of a caller: the transaction has it."""
    return b""


def _indices(terms: Mapping[AccountId, AccountTerms]) -> dict[AccountId, int]:
    """LED-3: an owner's account of cross margin has index 0, the isolated ones have the next."""
    found: dict[AccountId, int] = {}
    isolated: Counter[User] = Counter()
    for account, term in terms.items():
        isolated[term.owner] += term.isolated
        found[account] = isolated[term.owner] if term.isolated else 0
    return found


def shipped_contracts() -> tuple[dict[str, Artifact], dict[str, dict[str, int]]]:
    """The contracts of the reference venue, compiled, and the storage layout of each."""
    built = compile_vyper(sources())
    contracts = {name: artifact(name, data, f"contracts/reference/{name}.vy") for name, data in built.items()}
    return contracts, {name: data["layout"] for name, data in built.items()}


class ReferenceAdapter:
    """See `marginspec.targets.evm.target.Adapter`. `replaced` puts candidate builds in the place of contracts.

    A candidate keeps the storage layout, as one that takes over the state of a venue must. model: whose beginning and
    accounts are deployed. accounts: the numbers that the venue gives them. After `deploy`, `venue`, `tokens` and
    `feeds` (per asset, in the order of sources) are addresses.
    """

    not_modelled: Mapping[str, str] = NOT_MODELLED

    def __init__(self, replaced: Mapping[str, Artifact], model: type[Reference] = Reference) -> None:
        self.model = model
        shipped, self._layouts = shipped_contracts()
        self.contracts = replaced_by(shipped, replaced, "reference")
        self._selectors = {name: contract.selectors() for name, contract in shipped.items()}
        self._begin = model.blank()
        self.accounts = {name: number for number, name in enumerate(model.universe[AccountId], 1)}
        self.slots: list[Slot] = []
        self.not_compared: dict[str, list[Slot]] = {}

    # --- Deployment ----------------------------------------------------------------------------------------------

    def deploy(self, chain: Chain) -> None:
        code = {name: contract.bytecode for name, contract in self.contracts.items()}
        self._user = {u: f"0x{i:040x}" for i, u in enumerate(self.model.universe[User], 0xA0001)}
        self._name = {int(address, 16): user for user, address in self._user.items()}
        chain.advance(self._begin.now - chain.time())
        self.tokens = {
            t: chain.deploy(DEPLOYER, code["token"] + encode(["string", "uint8"], [t, digits]))
            for t, digits in zip(TOKENS, (6, 18, 8), strict=True)
        }
        self.feeds: dict[str, list[str]] = {
            a: [chain.deploy(DEPLOYER, code["feed"]) for _ in SOURCES] for a in self._begin.assets
        }
        self._keeper = chain.deploy(DEPLOYER, code["keeper"])
        resolution = chain.deploy(DEPLOYER, code["resolution"])
        self.venue = chain.deploy(DEPLOYER, code["venue"] + self._setup(resolution))
        self._encoders()
        for token in self.tokens.values():
            approve = self._selectors["token"]["approve"] + encode(["address"], [self.venue]) + b"\xff" * 32
            for user in self._user.values():
                chain.transact(user, token, approve)
        for account in self.accounts:
            # An empty order opens the account and does nothing else: accounts are numbered in the model's order.
            given = {"account": account, "market": next(iter(MARKETS)), "side": BUY, "size": 0, "price": 0}
            chain.transact(*self.encode(Call("place_order", given)))
        self._places()

    def _setup(self, resolution: str) -> bytes:
        """Arguments of the venue's constructor: how the model begins."""
        begin, nobody = self._begin, "0x" + "00" * 20
        assets: list[Any] = [((0,) * 6, (nobody,) * 3, 0, 0)]
        for a, terms in begin.asset_terms.items():
            assets.append((tuple(terms.flatten()), tuple(self.feeds[a]), begin.cap[a], begin.assets[a].spread))
        markets = [
            (
                (TOKENS[terms.asset], terms.delta, terms.slope, terms.dust, terms.limit),
                tuple(begin.parameters[m].values()),
                begin.markets[m].open_interest_cap,
            )
            for m, terms in begin.market_terms.items()
        ]
        setup = f"((int256,int256,int256,int256,int256,int256),address[{len(SOURCES)}],int256,int256)[{len(TOKENS)}]"
        market = f"((uint256,int256,int256,int256,int256),int256[{len(PARAMETERS)}],int256)[{len(MARKETS)}]"
        return encode(
            ["address", "address", "address", f"address[{len(TOKENS)}]", setup, market],
            [
                resolution,
                self._user[begin.governor],
                self._user[begin.guardian],
                list(self.tokens.values()),
                assets,
                markets,
            ],
        )

    # --- Calls ---------------------------------------------------------------------------------------------------

    def _encoders(self) -> None:
        users = {u: encode(["address"], [address]) for u, address in self._user.items()}
        terms = self._begin.account_terms
        self._owner = {a: self._user[term.owner] for a, term in terms.items()}
        own = {a: word(index) for a, index in _indices(terms).items()}
        other = {a: users[term.owner] + own[a] for a, term in terms.items()}
        numbers = {kind: {name: word(n) for name, n in known.items()} for kind, known in NUMBERS.items()}
        known: dict[Any, Mapping[Any, bytes]] = {
            User: users,
            Holder: users,
            AccountId: other,
            CounterpartyId: other,
            AssetId: numbers[TokenId],
            Side: {side: word(int(side == BUY)) for side in Reference.universe[Side]},
            bool: {on: word(int(on)) for on in (False, True)},
            **numbers,
        }
        venue = {**self._selectors["resolution"], **self._selectors["venue"]}
        self._plans: dict[str, tuple[bytes, Callable[[Any], str], list[Callable[[Any], bytes]]]] = {}
        for name, info in actions_of(Reference).items():
            if name not in venue:
                continue
            encoders = [known[kind].__getitem__ if kind in known else word for kind in info.arguments.values()]
            if name in BY_OWN_ACCOUNT:
                self._plans[name] = (venue[name], self._owner.__getitem__, [own.__getitem__, *encoders[1:]])
            else:
                self._plans[name] = (venue[name], self._user.__getitem__, [_nothing, *encoders[1:]])

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        given = call.arguments
        plan = self._plans.get(call.action)
        if plan is None:
            return self._of_the_world(call.action, given)
        selector, sender, encoders = plan
        values = list(given.values())
        data = [f(v) for f, v in zip(encoders, values, strict=True)]
        return sender(values[0]), self.venue, selector + b"".join(data)

    def _of_the_world(self, action: str, given: Mapping[str, Any]) -> tuple[str, str, bytes]:
        token, feed, keeper = (self._selectors[name] for name in ("token", "feed", "keeper"))
        if action == "post":
            data = feed["post"] + word(given["price"]) + word(given["confidence"])
            return DEPLOYER, self.feeds[given["asset"]][SOURCES[given["source"]]], data
        if action == "set_source_fault":
            data = feed["set_fault"] + word(given["fault"])
            return DEPLOYER, self.feeds[given["asset"]][SOURCES[given["source"]]], data
        if action == "move_price":
            venue = encode(["address"], [self.venue])
            data = keeper["move_price"] + venue + word(TOKENS[given["asset"]]) + word(given["move"])
            return DEPLOYER, self._keeper, data
        to = self.tokens[given["token"]]
        if action == "donate":
            data = token["transfer"] + encode(["address"], [self.venue]) + word(given["amount"])
            return self._user[given["caller"]], to, data
        if action == "set_balance":
            account = encode(["address"], [self._user[given["account"]]])
            return DEPLOYER, to, token["set_balance"] + account + word(given["amount"])
        if action == "set_transfer_fee":
            return DEPLOYER, to, token["set_fee"] + word(10_000 if given["charged"] else 0)
        if action == "set_token_fault":
            return DEPLOYER, to, token["set_fault"] + word(given["fault"])
        raise BadInput(f"action {action}: the contracts of the reference venue have none of that name")

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        # Whether a token answers true or false shows by its balances.
        if not data or (call.action == "donate" and data in (word(0), word(1))):
            return ()
        return tuple([int.from_bytes(data[i : i + 32], "big", signed=True) for i in range(0, len(data), 32)])

    def expected_reason(self, rule: str) -> str:
        return REASONS.get(rule, rule)

    # --- Observations --------------------------------------------------------------------------------------------

    def _places(self) -> None:
        """Where each entry of the model's `flatten` is, by its name there."""
        names = self._begin.names()
        # The time is the chain's.
        assert names[0] == "now"
        self._where = [self._place(re.findall(r"[^][.]+", name)) for name in names[1:]]
        self.slots = [self._slot(*place) for place in self._where]
        supplies = [self._slot(token, "totalSupply", (), 0) for token in self.tokens.values()]
        self.not_compared = {"token.totalSupply": supplies}
        self._signed = [i for i, name in enumerate(names) if SIGNED.search(name)]
        self._booleans = [i for i, name in enumerate(names) if BOOLEAN.search(name)]
        self._people = [i for i, name in enumerate(names) if name in ("governor", "guardian")]

    def _place(self, path: list[str]) -> Place:
        venue = self.venue
        match path:
            case ["accounts", account, "collateral", asset, field]:
                offset = HOLDINGS + 2 * TOKENS[asset] + ("amount", "counted").index(field)
                return venue, "accounts", (self.accounts[account],), offset
            case ["accounts", account, "positions", market, field]:
                offset = POSITIONS + 3 * MARKETS[market] + ("size", "cost", "funding_index").index(field)
                return venue, "accounts", (self.accounts[account],), offset
            case ["accounts", account, field]:
                return venue, "accounts", (self.accounts[account],), FIELDS["accounts"].index(field)
            case ["orders", market, account, field]:
                return venue, "orders", (self.accounts[account], MARKETS[market]), FIELDS["orders"].index(field)
            case ["assets", asset, field]:
                return venue, "assets", (TOKENS[asset],), FIELDS["assets"].index(field)
            case ["markets", market, field]:
                return venue, "markets", (MARKETS[market],), FIELDS["markets"].index(field)
            case ["parameters" | "ramp_from" | "ramp_to" as variable, market, parameter]:
                return venue, variable, (MARKETS[market], PARAMETERS[parameter]), 0
            case ["held" | "cap" as variable, token]:
                return venue, variable, (TOKENS[token],), 0
            case ["sources", asset, source, variable]:
                return self.feeds[asset][SOURCES[source]], variable, (), 0
            case ["balance", token, holder]:
                address = self.venue if holder == VENUE else self._user[holder]
                return self.tokens[token], "balanceOf", (int(address, 16),), 0
            case ["transfer_fee", token]:
                return self.tokens[token], "fee", (), 0
            case ["token_fault", token]:
                return self.tokens[token], "fault", (), 0
            case [variable]:
                return venue, variable, (), 0
        raise AssertionError(f"the model has a variable that no contract has: {path}")

    def _kind(self, address: str) -> str:
        return "venue" if address == self.venue else "token" if address in self.tokens.values() else "feed"

    def _slot(self, address: str, variable: str, keys: tuple[int, ...], offset: int) -> Slot:
        slot = self._layouts[self._kind(address)][variable]
        for key, stride in zip(keys, STRIDES.get(variable, ()), strict=True):
            slot = slot + key * stride if stride else int.from_bytes(keccak(word(slot) + word(key)), "big")
        return address, slot + offset

    def decode(self, time: int, words: list[int]) -> list[Any]:
        out: list[Any] = [time, *words]
        for i in self._signed:
            if out[i] >> 255:
                out[i] -= 1 << 256
        for i in self._booleans:
            out[i] = bool(out[i]) if out[i] < 2 else out[i]
        for i in self._people:
            out[i] = self._name.get(out[i], hex(out[i]))
        return out

    def constants(self, chain: Chain) -> dict[str, Any]:
        """What never changes of assets and markets, as the venue has it."""
        found: dict[str, Any] = {}
        by_number = {number: name for name, number in TOKENS.items()}
        for variable, names in (("asset_terms", self._begin.asset_terms), ("market_terms", self._begin.market_terms)):
            numbers: Mapping[Any, int] = TOKENS if variable == "asset_terms" else MARKETS
            for name, terms in names.items():
                data = chain.call(self.venue, self._selectors["venue"][variable] + word(numbers[name]))
                for at, field in enumerate(variables_of(type(terms))):
                    value = int.from_bytes(data[32 * at : 32 * at + 32], "big", signed=True)
                    found[f"{variable}[{name}].{field}"] = by_number[value] if field == "asset" else value
        return found

    def getters(self, chain: Chain) -> list[Any]:
        answers: dict[tuple[str, str, tuple[int, ...]], bytes] = {}
        words = []
        for address, variable, keys, offset in self._where:
            asked = address, variable, keys
            if asked not in answers:
                selector = self._selectors[self._kind(address)][variable]
                answers[asked] = chain.call(address, selector + b"".join(map(word, keys)))
            words.append(int.from_bytes(answers[asked][32 * offset : 32 * offset + 32], "big"))
        return self.decode(chain.time(), words)
