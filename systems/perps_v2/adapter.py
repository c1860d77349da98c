"""How the actions of PerpsV2 become calls of its contracts, and their storage what the model calls its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from eth_utils.crypto import keccak

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import FEE_POOL, NOBODY, User
from marginspec.model.deployed.perps_v2.parameters import Parameters
from marginspec.model.kernel import Call
from marginspec.model.kernel.record import variables_of
from marginspec.systems.perps_v2.deployment import (
    DEPLOYER,
    MARKET,
    MARKET_PROXY,
    PARAMETERS,
    SURROUNDINGS,
    ZERO,
    deployed,
    document,
    layout_of_surroundings,
    parameters_of,
    shipped_contracts,
)
from marginspec.systems.perps_v2.unmodelled import LISTS, SENDERS, SEQUENCE, not_modelled
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Chain, Slot
from marginspec.targets.evm.interface import replaced_by
from marginspec.targets.evm.storage import Place, Storage

USERS: tuple[User, ...] = PerpsV2.universe[User]
STATE, SETTER = "PerpsV2MarketState", "PerpsV2MarketSettings"

LONGEST_SEQUENCE = 1024
"""Entries that the funding sequence may have in a run: an action adds one, a change of parameters three."""

# Contract and function of each action; the caller sends, the other arguments are the model's, in its order.
FUNCTIONS = {
    "transfer_margin": (MARKET_PROXY, "transferMargin"),
    "withdraw_all_margin": (MARKET_PROXY, "withdrawAllMargin"),
    "modify_position": (MARKET_PROXY, "modifyPosition"),
    "close_position": (MARKET_PROXY, "closePosition"),
    "flag_position": (MARKET_PROXY, "flagPosition"),
    "liquidate_position": (MARKET_PROXY, "liquidatePosition"),
    "force_liquidate_position": (MARKET_PROXY, "forceLiquidatePosition"),
    "set_parameters": (SETTER, "setParameters"),
    "set_max_funding_velocity": (SETTER, "setMaxFundingVelocity"),
    "set_price": (SURROUNDINGS, "setPrice"),
    "let_price_go_stale": (SURROUNDINGS, "setStale"),
    "set_volatility": (SURROUNDINGS, "setVolatility"),
    "set_balance": (SURROUNDINGS, "setBalance"),
}

REASONS = {
    **dict.fromkeys(("PRC-2", "PRC-3"), "Invalid price"),
    **dict.fromkeys(("TRF-5", "TRF-8", "TRF-10", "TRD-8"), "Insufficient margin"),
    **dict.fromkeys(("TRF-6", "TRD-6", "TRD-9"), "Position can be liquidated"),
    **dict.fromkeys(("TRF-9", "TRD-10"), "Max leverage exceeded"),
    "TRD-3": "No position open",
    "TRD-5": "Cannot submit empty order",
    "TRD-7": "Price too volatile",
    "TRD-11": "Max market size exceeded",
    "TRD-12": "Price impact exceeded",
    "FLG-2": "Position flagged",
    "FLG-3": "Position cannot be liquidated",
    "LQD-2": "Position not flagged",
    "LQD-3": "price impact of liquidation exceeded",
    "LQD-4": "instantaneous P/D exceeded",
    "LQD-6": "address not endorsed",
    "PAR-2": "Only the contract owner may perform this action",
    "TOK-3": "SafeMath: subtraction overflow",
}

# Views that the contracts compute, by what the model computes; the first of the market, the others of an account.
MARKET_VIEWS: dict[str, Callable[[PerpsV2], int]] = {
    "marketDebt": lambda market: market.market_debt(),
    "unrecordedFunding": lambda market: market.unrecorded_funding(market.price),
    "currentFundingRate": lambda market: market.current_funding_rate(),
    "currentFundingVelocity": lambda market: market.funding_velocity(),
}
ACCOUNT_VIEWS: dict[str, Callable[[PerpsV2, User], int]] = {
    "remainingMargin": PerpsV2.remaining_margin,
    "accessibleMargin": PerpsV2.accessible_margin,
    "canLiquidate": PerpsV2.can_liquidate,
    "liquidationPrice": PerpsV2.liquidation_price,
}


class PerpsV2Adapter:
    """See `marginspec.targets.evm.target.Adapter`. replaced: candidate builds, by contract (`--artifact NAME=FILE`)."""

    model = PerpsV2

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        self.contracts = replaced_by(shipped_contracts(), replaced, "perps-v2")
        called = frozenset(function for _, function in FUNCTIONS.values())
        self.not_modelled = not_modelled(self.contracts, called)
        self.slots: list[Slot] = []
        self.not_compared: dict[str, list[Slot]] = {}

    def deploy(self, chain: Chain) -> None:
        """The market with the parameters of ETH, and what it depends on."""
        users: dict[str, str] = {user: f"0x{number:040x}" for number, user in enumerate(USERS, 0xA0001)}
        endorsed = next(users[user] for user, is_endorsed in PerpsV2.blank().is_endorsed.items() if is_endorsed)
        self._chain, self._presets = chain, PerpsV2.blank().presets
        self._found = deployed(chain, self.contracts, users["owner"], endorsed, PerpsV2.blank().parameters)
        pool = self._found[SURROUNDINGS].value("FEE_ADDRESS")
        self._account: dict[str, str] = {**users, FEE_POOL: pool, NOBODY: ZERO}
        self._named = {int(address, 16): name for name, address in self._account.items()}
        layouts = document()["layouts"]
        self._state, self._values = Storage(layouts[STATE]), Storage(layouts["FlexibleStorage"])
        self._places = list(self._variables())
        self.slots = list(dict.fromkeys((address, place.slot) for address, place, _ in self._places))
        self.not_compared = self._beside(Storage(layouts["PerpsV2Market"]))

    # --- Calls -------------------------------------------------------------------------------------------------------

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        """Sender, contract and data; what the world does, the deployer sends."""
        given = dict(call.arguments)
        sender = self._account[given.pop("caller")] if "caller" in given else DEPLOYER
        contract, function = FUNCTIONS[call.action]
        found = self._found[contract]
        arguments = [self._argument(value) for value in given.values()]
        if contract == SETTER:
            arguments.insert(0, MARKET)
        return sender, found.address, found.interface.call(function, *arguments)

    def _argument(self, value: Any) -> Any:
        """A number, an account's address, or the parameters that a preset stands for."""
        if value in self._presets:
            return parameters_of(self._found[SETTER].interface, self._presets[value])
        return self._account[value] if isinstance(value, str) else value

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        """The numbers that a function returns."""
        contract, function = FUNCTIONS[call.action]
        return self._found[contract].interface.results(function, data)

    def expected_reason(self, rule: str) -> str:
        """The text of the contracts' refusal."""
        return REASONS[rule]

    # --- Observations ------------------------------------------------------------------------------------------------

    def _variables(self) -> Iterator[tuple[str, Place, Callable[[int], Any]]]:
        """Contract, place and meaning of each value in storage, in the order of the model's fields.

        Entries of the funding sequence are not among them: where they are, the others say.
        """
        ours, around = self._state.place, layout_of_surroundings()
        state, other = self._found[STATE].address, self._found[SURROUNDINGS].address
        yield from ((other, Place(around[name]), kind) for name, kind in (("price", int), ("stale", bool)))
        yield from ((other, Place(around[name]), kind) for name, kind in (("dynamicFee", int), ("tooVolatile", bool)))
        for name in self._parameter_names():
            yield self._found["FlexibleStorage"].address, self._parameter(name), int
        for name in ("marketSize", "marketSkew", "_entryDebtCorrection", "fundingLastRecomputed"):
            yield state, ours(name), int
        for name in ("fundingRateLastRecomputed", "_fundingSequence", "_nextPositionId"):
            yield state, ours(name), int
        for user in USERS:
            for name in ("id", "lastFundingIndex", "margin", "lastPrice", "size"):
                yield state, ours("_positions", self._account[user], name), int
        for user in USERS:
            yield state, ours("positionFlagger", self._account[user]), self._name
        for holder in (*USERS, FEE_POOL):
            slot = keccak(
                around["balanceOf"].to_bytes(32, "big") + bytes.fromhex(self._account[holder][2:]).rjust(32, b"\0")
            )
            yield other, Place(int.from_bytes(slot, "big")), int
        yield other, Place(around["feesPaid"]), int

    def _parameter_names(self) -> Iterator[str]:
        by_field = {field: name for name, field in PARAMETERS.items()}
        return (by_field[field] for field in variables_of(Parameters))

    def _parameter(self, name: str) -> Place:
        """Where the contract of settings keeps a parameter of the market."""
        owner = SETTER.encode().ljust(32, b"\0")
        record = keccak(MARKET + name.encode().ljust(32, b"\0"))
        return self._values.place("uintStorage", self._found["FlexibleStorage"].value("hashes", owner), record)

    def _name(self, address: int) -> str:
        return self._named.get(address, hex(address))

    def _beside(self, implementation: Storage) -> dict[str, list[Slot]]:
        state, place = self._found[STATE].address, self._state.place
        users, numbers = [self._account[user] for user in USERS], range(len(USERS))
        lists = [place(name, "elements").slot for name in ("_positionAddresses", "_flaggedAddresses")]
        for name in ("_positionAddresses", "_flaggedAddresses"):
            lists += [place(name, "elements", number).slot for number in numbers]
            lists += [place(name, "indices", user).slot for user in users]
        sender = implementation.place("messageSender").slot
        return {
            SEQUENCE: [(state, place("_fundingSequence", entry).slot) for entry in range(0, LONGEST_SEQUENCE, 2)],
            LISTS: [(state, slot) for slot in lists],
            SENDERS: [(self._found[name].address, sender) for name in ("PerpsV2Market", "PerpsV2MarketLiquidate")],
        }

    def decode(self, time: int, words: list[int]) -> list[Any]:
        """Values of the model, in its order; entries of the funding sequence are read where the others say."""
        known = dict(zip(self.slots, words, strict=True))
        values = [mean(place.of(known[address, place.slot])) for address, place, mean in self._places]
        return self._with_funding([time, *values], self._entries)

    def _with_funding(self, values: list[Any], entries: Callable[[list[int]], list[int]]) -> list[Any]:
        """Put the last entry of the sequence, and those that positions start from, where the model has them."""
        names = [name for name in PerpsV2.blank().names() if name.rpartition(".")[2] != "funding"]
        known = dict(zip(names, values, strict=True))
        asked = [known["funding_entries"] - 1, *(known[f"positions[{user}].funding_index"] for user in USERS)]
        found = entries(asked)
        known |= dict(zip(["funding", *(f"positions[{user}].funding" for user in USERS)], found, strict=True))
        return [known[name] for name in PerpsV2.blank().names()]

    def _entries(self, numbers: list[int]) -> list[int]:
        places = [self._state.place("_fundingSequence", number) for number in numbers]
        words = self._chain.read([(self._found[STATE].address, place.slot) for place in places])
        return [place.of(word) for place, word in zip(places, words, strict=True)]

    def getters(self, chain: Chain) -> list[Any]:
        """The same by the contracts' getters, and what their views compute where that is not what the model does."""
        state, other, settings = (self._found[name] for name in (STATE, SURROUNDINGS, SETTER))
        values: list[Any] = [chain.time(), *(other.value(name) for name in ("price", "stale"))]
        values += [other.value(name) for name in ("dynamicFee", "tooVolatile")]
        values += [settings.value(name, MARKET) for name in self._parameter_names()]
        for name in ("marketSize", "marketSkew", "entryDebtCorrection", "fundingLastRecomputed"):
            values.append(state.value(name))
        for name in ("fundingRateLastRecomputed", "fundingSequenceLength", "nextPositionId"):
            values.append(state.value(name))
        for user in USERS:
            values += state.value("positions", self._account[user])
        values += [self._name(int(state.value("positionFlagger", self._account[user]), 16)) for user in USERS]
        values += [other.value("balanceOf", self._account[holder]) for holder in (*USERS, FEE_POOL)]
        values.append(other.value("feesPaid"))
        shown = self._with_funding(values, lambda numbers: [state.value("fundingSequence", n) for n in numbers])
        return shown + list(self._wrong_views(shown))

    def _wrong_views(self, shown: list[Any]) -> Iterator[str]:
        """The views that are not what the model makes of the same state."""
        market, model = self._found[MARKET_PROXY], PerpsV2.blank()
        model.load(shown)
        computed: list[tuple[tuple[str, ...], int]] = [((name,), view(model)) for name, view in MARKET_VIEWS.items()]
        computed += [((name, user), view(model, user)) for name, view in ACCOUNT_VIEWS.items() for user in USERS]
        for (name, *accounts), expected in computed:
            answer = market.value(name, *(self._account[account] for account in accounts))
            if answer != expected:
                yield f"{name}({', '.join(accounts)}) is {answer}, expected {expected}"
