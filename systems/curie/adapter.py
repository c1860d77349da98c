"""How the actions of Curie become calls of its contracts, and their storage what the model calls its state."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marginspec.model.deployed.curie import Curie
from marginspec.model.deployed.curie.notation import (
    INSURANCE,
    LARGEST_TICK,
    Account,
    Market,
    User,
    above_zero,
    in_token,
    root_of,
)
from marginspec.model.kernel import Call, Rejected
from marginspec.systems.curie.deployment import (
    ACCOUNTS,
    BASE,
    EXCHANGE,
    FUND,
    HOUSE,
    MARKETS,
    POOL,
    QUOTE,
    TOKEN,
    VAULT,
    CurieDeployment,
    key_of,
    own_contracts,
    shipped_contracts,
)
from marginspec.systems.curie.unmodelled import FEE_GROWTH, VIRTUAL_TOKENS, not_modelled
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Chain, Reverted, Slot
from marginspec.targets.evm.interface import replaced_by
from marginspec.targets.evm.storage import Place, slot_of_solidity, slot_of_vyper
from marginspec.targets.evm.tables import DEPLOYER, TableAdapter, Variable

USERS: tuple[User, ...] = Curie.universe[User]
HOLDERS: tuple[Account, ...] = Curie.universe[Account]
NEVER = 2**256 - 1
WIDE = 32
AVERAGES = ("level", "of_15_seconds", "of_15_minutes", "of_30_minutes")
LEVELS = Curie.blank().levels

# Contract and function of each action. The caller sends; what else differs from the model's arguments, `encode` says.
FUNCTIONS = {
    "deposit": (VAULT, "deposit"),
    "deposit_for": (VAULT, "depositFor"),
    "withdraw": (VAULT, "withdraw"),
    "withdraw_all": (VAULT, "withdrawAll"),
    "settle_all_funding": (HOUSE, "settleAllFunding"),
    "open_position": (HOUSE, "openPosition"),
    "close_position": (HOUSE, "closePosition"),
    "liquidate": (HOUSE, "liquidate(address,address,int256)"),
    "settle_bad_debt": (VAULT, "settleBadDebt"),
    "repay": (FUND, "repay"),
    "set_prices": (POOL, "setPrices"),
    "move_price": (POOL, "setPrices"),
    "set_fill": (POOL, "setFill"),
    "set_index": (POOL, "setIndex"),
    "set_balance": (TOKEN, "setBalance"),
}

REASONS = {
    **dict.fromkeys(("TOK-1", "TOK-2"), "insufficient balance"),
    "DEP-4": "V_ZA",
    "DEP-5": "V_GTSTBC",
    "WDR-4": "V_NEFC",
    "STL-2": "CH_OVOT",
    "MRK-2": "SafeCast: value must be positive",
    "LIQ-4": "SafeCast: value doesn't fit in 24 bits",
    "POS-5": "CH_PSZ",
    "TRD-4": "SPL",
    "TRD-6": "empty",
    "TRD-7": "AS",
    "TRD-8": "CH_F0S",
    "TRD-9": "EX_OPLAS",
    "TRD-12": "CH_NEFCM",
    "TRD-13": "CH_NEFCI",
    "TRD-15": "CH_TLRS",
    "TRD-16": "CH_TMRS",
    "TRD-17": "CH_TLRL",
    "TRD-18": "CH_TMRL",
    "LQD-2": "CH_EAV",
    "LQD-3": "CH_WLD",
    "LQD-8": "CH_IIC",
    "BAD-2": "V_CSI",
    "INS-2": "IF_RWNN",
}

# The maps of the contracts' storage, by their slots: the package has no layout. A run asks getters of what they hold,
# or compares figures that are worked out of it.
BALANCE, OWED, TOKENS_OF, POSITION = 311, 157, 158, 159
LAST_TICK, FIRST_TRADED, LAST_SETTLED, GROWTH, TICK_AT, FEE_GROWTH_MAP, HELD = 208, 209, 210, 211, 214, 209, 103

POOL_VARIABLES = (
    *("tick", "rootX96", "tickOf15Seconds", "tickOf15Minutes", "tickOf30Minutes"),
    *("fill", "index", "indexTwap"),
)

MARKET_VIEWS: dict[tuple[str, str], Callable[[Curie, Market], Any]] = {(ACCOUNTS, "getMarkPrice"): Curie.mark_price}
USER_VIEWS: dict[tuple[str, str], Callable[[Curie, User], Any]] = {
    (VAULT, "getAccountValue"): Curie.account_value,
    (VAULT, "getFreeCollateral"): lambda state, user: in_token(
        above_zero(state.free_collateral(user, state.settings.im_ratio))
    ),
    (ACCOUNTS, "getMarginRequirementForLiquidation"): Curie.maintenance_margin,
    (ACCOUNTS, "getTotalAbsPositionValue"): Curie.total_position_value,
    (ACCOUNTS, "getTotalDebtValue"): Curie.total_debt,
}
POSITION_VIEWS: dict[tuple[str, str], Callable[[Curie, User, Market], Any]] = {
    (EXCHANGE, "getPendingFundingPayment"): Curie.pending_funding,
    (ACCOUNTS, "getTotalPositionSize"): Curie.position_size,
    (ACCOUNTS, "getTotalPositionValue"): Curie.position_value,
}
"""Views that the contracts compute, by what the model computes."""


@functools.cache
def root(tick: int) -> int:
    """The root of the price of a tick; what is none, as it is."""
    return root_of(tick) if abs(tick) <= LARGEST_TICK else tick


class CurieAdapter(TableAdapter):
    """See `marginspec.targets.evm.target.Adapter`. replaced: candidate builds, by contract (`--artifact NAME=FILE`)."""

    model, functions, reasons = Curie, FUNCTIONS, REASONS

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        shipped = shipped_contracts()
        super().__init__(replaced_by(shipped, replaced, "curie"))
        called = {name: {function for contract, function in FUNCTIONS.values() if contract == name} for name in shipped}
        self.not_modelled = not_modelled(shipped, called)
        self.not_compared: dict[str, list[Slot]] = {}

    def deploy(self, chain: Chain) -> None:
        """Two markets, and what they depend on."""
        found = CurieDeployment(chain, self.contracts).found
        account: dict[str, str] = {user: f"0x{number:040x}" for number, user in enumerate(USERS, 0xA0001)}
        account[INSURANCE] = found[FUND].address
        self._base = {market: found[key_of(BASE, market)].address for market in MARKETS}
        self._market_of = {int(address, 16): market for market, address in self._base.items()}
        layouts = own_contracts()[1]
        before = [*_of_pools(layouts[POOL]), *self._of_markets(), *self._of_accounts(found, account)]
        listed = list(self._lists(account))
        self._listed = slice(1 + len(before), 1 + len(before) + len(listed))
        after = [*self._positions(account), *_tokens(layouts[TOKEN], account, found[VAULT].address)]
        self._know(chain, found, account, [*before, *listed, *after])
        self.not_compared = self._beside(found)

    def constants(self, chain: Chain) -> dict[str, Any]:
        """The ratios that the contracts have."""
        config, registry = self._found["ClearingHouseConfig"], self._found["MarketRegistry"]
        house, base = self._account[USERS[0]], self._base[MARKETS[0]]
        _, exchange_fee, uniswap_fee, insurance_fee, _ = registry.value("getMarketInfoByTrader", house, base)
        found = {
            "im_ratio": config.value("getImRatio"),
            "mm_ratio": config.value("getMmRatio"),
            "penalty_ratio": config.value("getLiquidationPenaltyRatio"),
            "max_funding_rate": config.value("getMaxFundingRate"),
            "balance_cap": config.value("getSettlementTokenBalanceCap"),
            "exchange_fee": exchange_fee,
            "uniswap_fee": uniswap_fee,
            "insurance_fee": insurance_fee,
            "max_ticks": self._found[EXCHANGE].value("getMaxTickCrossedWithinBlock", base),
            "liquidity": self._found[key_of(POOL, MARKETS[0])].value("liquidity"),
        }
        return {f"settings.{name}": value for name, value in found.items()}

    # --- Calls -------------------------------------------------------------------------------------------------------

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        """Sender, contract and data; what the world does, the deployer sends."""
        given = dict(call.arguments)
        sender = self._account[given.pop("caller")] if "caller" in given else DEPLOYER
        contract, function = self.functions[call.action]
        arguments = [self._arguments[call.action](self, given)] if call.action in self._arguments else None
        if contract == POOL:
            contract = key_of(POOL, given.pop("market"))
            if function == "setPrices":
                known = {name: LEVELS[level] for name, level in given.items()}
                ticks = [known.get(name, known["level"]).tick for name in AVERAGES]
                arguments = [*ticks, known["level"].root_within]
        if contract == VAULT and function != "settleBadDebt":
            arguments = self._of_vault(given)
        found = self._found[contract]
        if arguments is None:
            arguments = [self.argument(value) for value in given.values()]
        return sender, found.address, found.interface.call(function, *arguments)

    def _of_vault(self, given: Mapping[str, Any]) -> list[Any]:
        """The vault takes the token before the amount, and after whom it is for."""
        to = [self._account[given["to"]]] if "to" in given else []
        return [*to, self._found[TOKEN].address, *([given["amount"]] if "amount" in given else [])]

    def _order(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """An order without deadline, limit of the price and referral."""
        kind = (given["is_selling"], given["is_exact_input"])
        return (self._base[given["market"]], *kind, given["amount"], given["bound"], NEVER, 0, bytes(WIDE))

    def _closing(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """The same for all of a position."""
        return (self._base[given["market"]], 0, given["bound"], NEVER, bytes(WIDE))

    _arguments: Mapping[str, Callable[[CurieAdapter, Mapping[str, Any]], Any]] = {
        "open_position": _order,
        "close_position": _closing,
    }

    def argument(self, value: Any) -> Any:
        """What a function takes for an argument: for a market its base token."""
        return self._base[value] if value in self._base else super().argument(value)

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        """The numbers that a function returns."""
        contract, function = self.functions[call.action]
        live = self._found[key_of(POOL, MARKETS[0]) if contract == POOL else contract]
        return live.interface.results(function, data)

    # --- Observations ------------------------------------------------------------------------------------------------

    def _of_markets(self) -> Iterator[Variable]:
        """Funding of each market; these numbers no getter tells, but for what is worked out of them."""
        for market in MARKETS:
            base = self._base[market]
            growth = slot_of_solidity(GROWTH, base)
            yield Variable(EXCHANGE, Place(growth, is_signed=True), ())
            yield Variable(EXCHANGE, Place(growth + 1, is_signed=True), ())
            yield Variable(EXCHANGE, Place(slot_of_solidity(LAST_SETTLED, base)), ())
            yield Variable(EXCHANGE, Place(slot_of_solidity(FIRST_TRADED, base)), ())
            yield Variable(EXCHANGE, Place(slot_of_solidity(LAST_TICK, base), 0, 3, True), ())
            yield Variable(EXCHANGE, Place(slot_of_solidity(TICK_AT, base)), ())

    def _of_accounts(self, found: Mapping[str, Any], account: Mapping[str, str]) -> Iterator[Variable]:
        """Realised profit and balance of each account."""
        token = found[TOKEN].address
        for holder in HOLDERS:
            place = Place(slot_of_solidity(OWED, account[holder]), is_signed=True)
            yield Variable(ACCOUNTS, place, ())
        for holder in HOLDERS:
            place = Place(slot_of_solidity(BALANCE, account[holder], token), is_signed=True)
            yield Variable(VAULT, place, ("getBalance", account[holder]))

    def _lists(self, account: Mapping[str, str]) -> Iterator[Variable]:
        """The list of each account's markets: its length, and its elements."""
        for user in USERS:
            slot = slot_of_solidity(TOKENS_OF, account[user])
            yield Variable(ACCOUNTS, Place(slot), ())
            for number in range(len(MARKETS)):
                yield Variable(ACCOUNTS, Place(slot_of_solidity(slot) + number), ())

    def _positions(self, account: Mapping[str, str]) -> Iterator[Variable]:
        for user in USERS:
            for market in MARKETS:
                first = slot_of_solidity(POSITION, account[user], self._base[market])
                getter = ("getAccountInfo", account[user], self._base[market])
                for part in range(3):
                    yield Variable(ACCOUNTS, Place(first + part, is_signed=True), getter, part)

    def _beside(self, found: Mapping[str, Any]) -> dict[str, list[Slot]]:
        """What calls write and no observation reads."""
        growth = [(found["OrderBook"].address, slot_of_solidity(FEE_GROWTH_MAP, base)) for base in self._base.values()]
        tokens = [found[QUOTE], *(found[key_of(BASE, market)] for market in MARKETS)]
        holders = [found[HOUSE].address, *(found[key_of(POOL, market)].address for market in MARKETS)]
        held = [(token.address, slot_of_solidity(HELD, holder)) for token in tokens for holder in holders]
        return {FEE_GROWTH: growth, VIRTUAL_TOKENS: held}

    def decode(self, time: int, words: list[int]) -> list[Any]:
        """Values of the model, in its order; lists of markets as what is in them."""
        values = super().decode(time, words)
        values[self._listed] = self._registered(values[self._listed])
        return values

    def _registered(self, raw: list[int]) -> list[Any]:
        """Whether an account is in each market, of the length and the elements of its list; an odd list as it is."""
        out: list[Any] = []
        for at in range(0, len(raw), 1 + len(MARKETS)):
            length, *elements = raw[at : at + 1 + len(MARKETS)]
            inside = [self._market_of[each] for each in elements[:length] if each in self._market_of]
            is_odd = len(set(inside)) != length or any(elements[length:])
            out += [(length, *elements) if is_odd else market in inside for market in MARKETS]
        return out

    def getters(self, chain: Chain) -> list[Any]:
        """The same by the contracts' getters, where there are any, and views that are not what the model works out."""
        shown = self.decode(chain.time(), chain.read(self.slots))
        asked: list[Any] = [chain.time(), *self._asked()]
        asked[self._listed] = [self._base[market].lower() in self._tokens(user) for user in USERS for market in MARKETS]
        told = [other if one is None else one for one, other in zip(asked, shown, strict=True)]
        return told + list(self._wrong_views(told))

    def _tokens(self, user: User) -> list[str]:
        return [address.lower() for address in self._found[ACCOUNTS].value("getBaseTokens", self._account[user])]

    def _asked(self) -> list[Any]:
        """What the getter of each variable tells; None where it has none."""
        answers: dict[Any, tuple[Any, ...]] = {}
        values: list[Any] = []
        for each in self._variables:
            asked = each.contract, each.getter
            if each.getter and asked not in answers:
                found = self._found[each.contract].ask(*each.getter)
                answers[asked] = found[0] if isinstance(found[0], tuple) else found
            values.append(each.meaning(answers[asked][each.part]) if each.getter else None)
        return values

    def _wrong_views(self, shown: list[Any]) -> Iterator[str]:
        """The views that are not what the model makes of the same state; where it refuses, they revert."""
        model = Curie.blank()
        model.load(shown)
        asked: list[tuple[Any, tuple[str, ...], Callable[[], Any]]] = [
            ((FUND, "getInsuranceFundCapacity"), (), model.insurance_capacity)
        ]
        for market in MARKETS:
            asked += [(k, (market,), functools.partial(v, model, market)) for k, v in MARKET_VIEWS.items()]
        for user in USERS:
            asked += [(k, (user,), functools.partial(v, model, user)) for k, v in USER_VIEWS.items()]
            for market in MARKETS:
                views = POSITION_VIEWS.items()
                asked += [(k, (user, market), functools.partial(v, model, user, market)) for k, v in views]
        for (contract, name), of, work_out in asked:
            expected, answer = _or_none(work_out), self._view(contract, name, of)
            if answer != expected:
                yield f"{name}({', '.join(of)}) is {answer}, expected {expected}"

    def _view(self, contract: str, name: str, of: tuple[str, ...]) -> Any:
        """What a view answers; None where it reverts."""
        try:
            return self._found[contract].value(name, *map(self.argument, of))
        except Reverted:
            return None


def _or_none(work_out: Callable[[], Any]) -> Any:
    """What the model works out; None where a rule refuses."""
    try:
        return work_out()
    except Rejected:
        return None


def _of_pools(slots: Mapping[str, int]) -> Iterator[Variable]:
    """What each pool answers: averages of the price are kept as ticks."""
    for market in MARKETS:
        for name in POOL_VARIABLES:
            is_tick, is_average = name.startswith("tick"), name.startswith("tickOf")
            place = Place(slots[name], is_signed=is_tick)
            yield Variable(key_of(POOL, market), place, (name,), meaning=root if is_average else int)


def _tokens(slots: Mapping[str, int], account: Mapping[str, str], vault: str) -> Iterator[Variable]:
    """Tokens of accounts and of the vault."""
    for holder in (*(account[each] for each in HOLDERS), vault):
        yield Variable(TOKEN, Place(slot_of_vyper(slots["balanceOf"], holder)), ("balanceOf", holder))
