"""How the actions of PerpsV2 become calls of its contracts, and their storage what the model calls its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from eth_utils.crypto import keccak

from marginspec.model.deployed.perps_v2 import PerpsV2
from marginspec.model.deployed.perps_v2.notation import FEE_POOL, NOBODY, User
from marginspec.systems.perps_v2.deployment import (
    MARKET,
    MARKET_PROXY,
    OF_ALL_MARKETS,
    PARAMETERS,
    ROUTES,
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
from marginspec.targets.evm.storage import Place, Storage, slot_of_vyper
from marginspec.targets.evm.tables import TableAdapter, Variable

USERS: tuple[User, ...] = PerpsV2.universe[User]
STATE, SETTER, VALUES = "PerpsV2MarketState", "PerpsV2MarketSettings", "FlexibleStorage"
SETTER_KEY = SETTER.encode().ljust(32, b"\0")
NAMES = PerpsV2.blank().names()
NAMES_WITHOUT_FUNDING = [name for name in NAMES if name.rpartition(".")[2] != "funding"]

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
    "set_dynamic_fee": (SURROUNDINGS, "setDynamicFee"),
    "let_prices_jump": (SURROUNDINGS, "setTooVolatile"),
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


# Variables of the market's state, and the functions that tell of them; the funding sequence tells its length.
MARKET_VARIABLES = {
    "marketSize": "marketSize",
    "marketSkew": "marketSkew",
    "_entryDebtCorrection": "entryDebtCorrection",
    "fundingLastRecomputed": "fundingLastRecomputed",
    "fundingRateLastRecomputed": "fundingRateLastRecomputed",
    "_fundingSequence": "fundingSequenceLength",
    "_nextPositionId": "nextPositionId",
}
POSITION = ("id", "lastFundingIndex", "margin", "lastPrice", "size")


class PerpsV2Adapter(TableAdapter):
    """See `marginspec.targets.evm.target.Adapter`. replaced: candidate builds, by contract (`--artifact NAME=FILE`)."""

    model, functions, reasons = PerpsV2, FUNCTIONS, REASONS

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        shipped = shipped_contracts()
        super().__init__(replaced_by(shipped, replaced, "perps-v2"))
        # Of what is shipped: a function that a candidate adds is not excused.
        self.not_modelled = not_modelled(shipped, frozenset(function for _, function in FUNCTIONS.values()))
        self.not_compared: dict[str, list[Slot]] = {}

    def deploy(self, chain: Chain) -> None:
        """The market with the parameters of ETH, and what it depends on."""
        users: dict[str, str] = {user: f"0x{number:040x}" for number, user in enumerate(USERS, 0xA0001)}
        blank, layouts = PerpsV2.blank(), document()["layouts"]
        endorsed = next(users[user] for user, is_endorsed in blank.is_endorsed.items() if is_endorsed)
        found = deployed(chain, self.contracts, users["owner"], endorsed, blank.parameters)
        account: dict[str, str] = {**users, FEE_POOL: found[SURROUNDINGS].value("FEE_ADDRESS"), NOBODY: ZERO}
        self._parameters = {n: parameters_of(found[SETTER].interface, each) for n, each in blank.presets.items()}
        self._state, settings = Storage(layouts[STATE]), Storage(layouts[VALUES])
        owner = found[VALUES].value("hashes", SETTER_KEY)
        records = [keccak(MARKET + name.encode().ljust(32, b"\0")) for name in PARAMETERS]
        parameters = [
            Variable(VALUES, settings.place("uintStorage", owner, record), ("getUIntValue", SETTER_KEY, record))
            for record in records
        ]
        prices, money = _surroundings(account)
        self._know(chain, found, account, [*prices, *parameters, *self._market(account), *money])
        self.not_compared = self._beside(Storage(layouts["PerpsV2Market"]))

    def constants(self, chain: Chain) -> dict[str, Any]:
        """What the contracts have of the settings of all markets, and whom their owner endorsed."""
        settings, manager = self._found[SETTER], self._found["FuturesMarketManager"]
        found = {f"settings.{field}": settings.value(getter) for field, getter in OF_ALL_MARKETS.items()}
        endorsed = {f"is_endorsed[{user}]": manager.value("isEndorsed", self._account[user]) for user in USERS}
        return {**found, **endorsed}

    def _market(self, account: Mapping[str, str]) -> Iterator[Variable]:
        """The variables of the market's state but for entries of the funding sequence: where they are, others say."""
        place = self._state.place
        for name, getter in MARKET_VARIABLES.items():
            yield Variable(STATE, place(name), (getter,))
        for user in USERS:
            for part, name in enumerate(POSITION):
                yield Variable(STATE, place("_positions", account[user], name), ("positions", account[user]), part)
        for user in USERS:
            flagger = place("positionFlagger", account[user])
            yield Variable(STATE, flagger, ("positionFlagger", account[user]), meaning=self.account)

    def _beside(self, implementation: Storage) -> dict[str, list[Slot]]:
        """What calls write and no observation reads."""
        state, place = self._found[STATE].address, self._state.place
        lists, users = ("_positionAddresses", "_flaggedAddresses"), [self._account[user] for user in USERS]
        slots = [place(name, "elements").slot for name in lists]
        slots += [place(name, "elements", number).slot for name in lists for number in range(len(users))]
        slots += [place(name, "indices", user).slot for name in lists for user in users]
        sender = implementation.place("messageSender").slot
        return {
            SEQUENCE: [(state, place("_fundingSequence", entry).slot) for entry in range(0, LONGEST_SEQUENCE, 2)],
            LISTS: [(state, slot) for slot in slots],
            SENDERS: [(self._found[name].address, sender) for name in ROUTES],
        }

    def before(self, contract: str) -> Sequence[Any]:
        """The settings are of a market."""
        return (MARKET,) if contract == SETTER else ()

    def argument(self, value: Any) -> Any:
        """A preset stands for its parameters."""
        return self._parameters[value] if value in self._parameters else super().argument(value)

    def decode(self, time: int, words: list[int]) -> list[Any]:
        """Values of the model, in its order; entries of the funding sequence are read where the others say."""
        return self._with_funding(super().decode(time, words), self._entry)

    def _entry(self, number: int) -> int:
        place = self._state.place("_fundingSequence", number)
        (word,) = self._chain.read([(self._found[STATE].address, place.slot)])
        return place.of(word)

    def _with_funding(self, values: list[Any], entry: Callable[[int], int]) -> list[Any]:
        """Put the last entry of the sequence, and those that positions start from, where the model has them."""
        known = dict(zip(NAMES_WITHOUT_FUNDING, values, strict=True))
        known["funding"] = entry(known["funding_entries"] - 1)
        for user in USERS:
            known[f"positions[{user}].funding"] = entry(known[f"positions[{user}].funding_index"])
        return [known[name] for name in NAMES]

    def getters(self, chain: Chain) -> list[Any]:
        """The same by the contracts' getters, and what their views compute where that is not what the model does."""
        state = self._found[STATE]
        shown = self._with_funding(super().getters(chain), lambda number: int(state.value("fundingSequence", number)))
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


def _surroundings(account: Mapping[str, str]) -> tuple[list[Variable], list[Variable]]:
    """Variables of what the market leaves to others: before and after its own."""
    slots = layout_of_surroundings()

    def one(name: str, meaning: Callable[[Any], Any] = int) -> Variable:
        return Variable(SURROUNDINGS, Place(slots[name]), (name,), meaning=meaning)

    def held(holder: str) -> Variable:
        place = Place(slot_of_vyper(slots["balanceOf"], account[holder]))
        return Variable(SURROUNDINGS, place, ("balanceOf", account[holder]))

    prices = [one("price"), one("stale", bool), one("dynamicFee"), one("tooVolatile", bool)]
    return prices, [*map(held, (*USERS, FEE_POOL)), one("feesPaid")]
