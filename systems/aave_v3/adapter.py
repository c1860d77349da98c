"""How the actions of Aave v3 become calls of its contracts, and their storage what the model calls its state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marginspec.model.deployed.aave_v3 import AaveV3
from marginspec.model.deployed.aave_v3.notation import CONFIGURATOR, TREASURY, Account, Asset, Operator, User
from marginspec.model.deployed.aave_v3.parameters import ASSETS, EFFICIENCY, MODES
from marginspec.model.kernel import Call
from marginspec.systems.aave_v3.deployment import (
    BITS,
    CLAIM,
    DEBT,
    ORACLE,
    POOL,
    STRATEGY,
    TOKEN,
    WITHOUT_LIMIT,
    Deployment,
    asset_key,
    document,
    shipped_contracts,
    words,
)
from marginspec.systems.aave_v3.unmodelled import ALLOWANCES, not_modelled
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Chain, Slot
from marginspec.targets.evm.interface import replaced_by
from marginspec.targets.evm.storage import Storage
from marginspec.targets.evm.tables import DEPLOYER, TableAdapter, Variable

USERS: tuple[User, ...] = AaveV3.universe[User]
ACCOUNTS: tuple[Account, ...] = AaveV3.universe[Account]
OPERATORS: tuple[Operator, ...] = AaveV3.universe[Operator]
VARIABLE_RATE, NO_REFERRAL = 2, 0

# Contract and function of each action; tokens and claims are those of the asset.
FUNCTIONS = {
    "supply": (POOL, "supply"),
    "withdraw": (POOL, "withdraw"),
    "set_collateral": (POOL, "setUserUseReserveAsCollateral"),
    "transfer_claim": (CLAIM, "transfer"),
    "borrow": (POOL, "borrow"),
    "repay": (POOL, "repay"),
    "repay_with_claims": (POOL, "repayWithATokens"),
    "set_mode": (POOL, "setUserEMode"),
    "liquidate": (POOL, "liquidationCall"),
    "mint_to_treasury": (POOL, "mintToTreasury"),
    "configure": (POOL, "setConfiguration"),
    "set_price": (ORACLE, "setAssetPrice"),
    "fund": (TOKEN, "mint(address,uint256)"),
    "donate": (TOKEN, "transfer"),
}

REASONS = {
    "AMT-1": "26",
    "RES-1": "27",
    "RES-2": "29",
    "RES-3": "28",
    "SUP-2": "51",
    "WDR-2": "32",
    "COL-2": "43",
    "COL-3": "62",
    "BOR-2": "30",
    "BOR-3": "50",
    "BOR-5": "34",
    **dict.fromkeys(("BOR-6", "HLT-4"), "57"),
    **dict.fromkeys(("BOR-7", "HLT-2"), "35"),
    "BOR-8": "36",
    "REP-3": "40",
    "REP-4": "39",
    **dict.fromkeys(("MOD-2", "MOD-4", "MOD-5"), "58"),
    "LIQ-3": "45",
    "LIQ-4": "46",
    "LIQ-5": "47",
    "CLM-3": "24",
    "CLM-5": "25",
    **dict.fromkeys(("TOK-2", "TOK-4"), "ERC20: transfer amount exceeds balance"),
    "CFG-2": "10",
    "EVM-1": "Panic(0x11)",
    "EVM-2": "Panic(0x12)",
}

# Variables of a reserve: the contract's name for each, and which of the fields of `getReserveData` it is.
RESERVE = {
    "liquidity_index": ("liquidityIndex", 1),
    "liquidity_rate": ("currentLiquidityRate", 2),
    "debt_index": ("variableBorrowIndex", 3),
    "debt_rate": ("currentVariableBorrowRate", 4),
    "stable_rate": ("currentStableBorrowRate", 5),
    "updated_at": ("lastUpdateTimestamp", 6),
    "accrued": ("accruedToTreasury", 12),
}


KNOWN = sum((1 << bits) - 1 << first for first, bits in BITS.values())
"""The bits of the word of terms that a term of the model has; of the others none is ever set."""


def _term(name: str) -> Callable[[int], Any]:
    """What a term of a reserve is, of the word that has all of them; the word, where that has more."""
    first, bits = BITS[name]

    def meaning(word: int) -> Any:
        if word & ~KNOWN:
            return word
        value = word >> first & (1 << bits) - 1
        if name == "mode":
            return MODES[value] if value < len(MODES) else value
        return bool(value) if bits == 1 else value

    return meaning


def _flag(asset: Asset, bit: int) -> Callable[[int], Any]:
    """Whether a user has a flag for an asset, of the word that has all of them and nothing else."""
    place = 2 * ASSETS.index(asset) + bit
    return lambda word: bool(word >> place & 1) if word < 4 ** len(ASSETS) else word


def _mode(number: int) -> Any:
    return MODES[number] if number < len(MODES) else number


class AaveV3Adapter(TableAdapter):
    """See `marginspec.targets.evm.target.Adapter`. replaced: candidate builds, by contract (`--artifact NAME=FILE`)."""

    model, functions, reasons = AaveV3, FUNCTIONS, REASONS

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        super().__init__(replaced_by(shipped_contracts(), replaced, "aave-v3"))
        # Of the shipped ones: what a candidate has beside them is nothing that anybody has thought of.
        self.not_modelled = not_modelled(shipped_contracts(), set(FUNCTIONS.values()))
        self.not_compared: dict[str, list[Slot]] = {}

    def deploy(self, chain: Chain) -> None:
        """The pool and its reserves; every user lets it take tokens."""
        account: dict[str, str] = {
            name: f"0x{number:040x}" for number, name in enumerate((*ACCOUNTS, *OPERATORS), 0xA0001)
        }
        made = Deployment(chain, self.contracts, account[TREASURY], account[CONFIGURATOR])
        self.contracts, found = made.contracts, made.found
        self._token = {asset: found[asset_key(TOKEN, asset)].address for asset in ASSETS}
        self._words = words()
        layouts = {name: Storage(layout) for name, layout in document()["layouts"].items()}
        allowed = []
        for asset in ASSETS:
            token = found[asset_key(TOKEN, asset)]
            for user in USERS:
                token.transact(account[user], "approve", found[POOL].address, WITHOUT_LIMIT)
                place = layouts[TOKEN].place("_allowances", account[user], found[POOL].address)
                allowed.append((token.address, place.slot))
        self.not_compared = {ALLOWANCES: allowed}
        known = dict(_variables(layouts, account, self._token, {a: found[asset_key(CLAIM, a)].address for a in ASSETS}))
        self._know(chain, found, account, [known[name] for name in AaveV3.blank().names()[1:]])

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        """Sender, contract and data; what the world does, the deployer sends."""
        given = dict(call.arguments)
        sender = self._account[given["caller"]] if "caller" in given else DEPLOYER
        contract, function = FUNCTIONS[call.action]
        key = asset_key(contract, given["asset"]) if contract in (TOKEN, CLAIM) else contract
        found = self._found[key]
        return sender, found.address, found.interface.call(function, *self._arguments(call.action, given))

    def _arguments(self, action: str, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """What the function of an action takes."""
        asset = self._token.get(given.get("asset", ""), "")
        people = {
            name: self._account[given[name]] for name in ("on_behalf", "receiver", "user", "account") if name in given
        }
        match action:
            case "supply":
                return asset, given["amount"], people["on_behalf"], NO_REFERRAL
            case "withdraw":
                return asset, given["amount"], people["receiver"]
            case "set_collateral":
                return asset, given["use"]
            case "transfer_claim":
                return people["receiver"], given["amount"]
            case "borrow":
                return asset, given["amount"], VARIABLE_RATE, NO_REFERRAL, self._account[given["caller"]]
            case "repay":
                return asset, given["amount"], VARIABLE_RATE, people["on_behalf"]
            case "repay_with_claims":
                return asset, given["amount"], VARIABLE_RATE
            case "set_mode":
                return (MODES.index(given["mode"]),)
            case "liquidate":
                return self._token[given["collateral"]], asset, people["user"], given["amount"], given["as_claim"]
            case "mint_to_treasury":
                return ([asset],)
            case "configure":
                return asset, (self._words[given["asset"]][given["preset"]],)
            case "set_price":
                return asset, given["price"]
            case "fund":
                return people["account"], given["amount"]
            case _:
                return self._found[asset_key(CLAIM, given["asset"])].address, given["amount"]

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        """The numbers that a function returns."""
        contract, function = FUNCTIONS[call.action]
        key = asset_key(contract, call.arguments["asset"]) if contract in (TOKEN, CLAIM) else contract
        return tuple(int(each) for each in self._found[key].interface.results(function, data))

    def constants(self, chain: Chain) -> dict[str, Any]:
        """What the contracts have of units, rates and modes of efficiency."""
        found: dict[str, Any] = {}
        for asset in ASSETS:
            strategy, name = self._found[asset_key(STRATEGY, asset)], f"curves[{asset}]"
            (word,) = self._found[POOL].value("getConfiguration", self._token[asset])
            found[f"unit[{asset}]"] = 10 ** (word >> BITS["decimals"][0] & 0xFF)
            slope1 = strategy.value("getVariableRateSlope1")
            found |= {
                f"{name}.optimal": strategy.value("OPTIMAL_USAGE_RATIO"),
                f"{name}.base": strategy.value("getBaseVariableBorrowRate"),
                f"{name}.slope1": slope1,
                f"{name}.slope2": strategy.value("getVariableRateSlope2"),
                f"{name}.stable_slope1": strategy.value("getStableRateSlope1"),
                f"{name}.stable_slope2": strategy.value("getStableRateSlope2"),
                f"{name}.stable_offset": strategy.value("getBaseStableBorrowRate") - slope1,
            }
        for mode in EFFICIENCY:
            ltv, threshold, bonus, *_ = self._found[POOL].value("getEModeCategoryData", MODES.index(mode))
            if threshold:
                found |= {
                    f"efficiency[{mode}].{n}": v for n, v in (("ltv", ltv), ("threshold", threshold), ("bonus", bonus))
                }
        return found

    def getters(self, chain: Chain) -> list[Any]:
        """The same by the contracts' getters, and what their views compute where that is not what the model does."""
        shown = super().getters(chain)
        return shown + list(self._wrong_views(shown))

    def _wrong_views(self, shown: list[Any]) -> Iterator[str]:
        """The views that are not what the model makes of the same state."""
        model = AaveV3.blank()
        model.load(shown)
        for user in USERS:
            collateral, debt, ltv, threshold, health = self._stands(model, user)
            told = self._found[POOL].ask("getUserAccountData", self._account[user])
            if (told[0], told[1], told[3], told[4], told[5]) != (collateral, debt, threshold, ltv, health):
                yield f"getUserAccountData({user}) is {told}, expected {(collateral, debt, threshold, ltv, health)}"
        for asset in ASSETS:
            for user in USERS:
                for kind, expected in ((CLAIM, model.claim_of(asset, user)), (DEBT, model.debt_of(asset, user))):
                    told = self._found[asset_key(kind, asset)].value("balanceOf", self._account[user])
                    if told != expected:
                        yield f"{kind} of {asset}: balanceOf({user}) is {told}, expected {expected}"

    def _stands(self, model: AaveV3, user: User) -> tuple[int, int, int, int, int]:
        collateral, debt, ltv, health, _ = model.account_data(user)
        return collateral, debt, ltv, model.average_threshold(user), health


def _variables(
    layouts: Mapping[str, Storage], account: Mapping[str, str], token: Mapping[Asset, str], claim: Mapping[Asset, str]
) -> Iterator[tuple[str, Variable]]:
    """Every variable of the model by its name, but for the time."""
    pool = layouts[POOL].place
    for asset in ASSETS:
        at = token[asset]
        yield f"price[{asset}]", Variable(ORACLE, layouts[ORACLE].place("prices", at), ("getAssetPrice", at))
        word = pool("_reserves", at, "configuration", "data")
        for name in set(BITS) - {"decimals"}:
            yield f"reserves[{asset}].terms.{name}", Variable(POOL, word, ("getConfiguration", at), 0, _term(name))
        for name, (field, part) in RESERVE.items():
            yield (
                f"reserves[{asset}].{name}",
                Variable(POOL, pool("_reserves", at, field), ("getReserveData", at), part),
            )
        for name, kind in (("supplied", CLAIM), ("borrowed", DEBT)):
            total = layouts[kind].place("_totalSupply")
            yield f"reserves[{asset}].{name}", Variable(asset_key(kind, asset), total, ("scaledTotalSupply",))
        held = layouts[TOKEN].place
        key = asset_key(TOKEN, asset)
        yield f"reserves[{asset}].idle", Variable(key, held("_balances", claim[asset]), ("balanceOf", claim[asset]))
        yield f"issued[{asset}]", Variable(key, held("_totalSupply"), ("totalSupply",))
        for user in USERS:
            yield (
                f"balance[{asset}][{user}]",
                Variable(key, held("_balances", account[user]), ("balanceOf", account[user])),
            )
            flags, getter = pool("_usersConfig", account[user], "data"), ("getUserConfiguration", account[user])
            yield f"is_borrowing[{asset}][{user}]", Variable(POOL, flags, getter, 0, _flag(asset, 0))
            yield f"is_collateral[{asset}][{user}]", Variable(POOL, flags, getter, 0, _flag(asset, 1))
        for name, kind, whose in (("claims", CLAIM, ACCOUNTS), ("debts", DEBT, USERS)):
            for holder in whose:
                yield from _holding(
                    f"{name}[{asset}][{holder}]", asset_key(kind, asset), layouts[kind], account[holder]
                )
    for user in USERS:
        place = pool("_usersEModeCategory", account[user])
        yield f"mode[{user}]", Variable(POOL, place, ("getUserEMode", account[user]), 0, _mode)


def _holding(name: str, key: str, layout: Storage, holder: str) -> Iterator[tuple[str, Variable]]:
    """A claim or a debt of somebody."""
    scaled, index = (layout.place("_userState", holder, part) for part in ("balance", "additionalData"))
    yield f"{name}.scaled", Variable(key, scaled, ("scaledBalanceOf", holder))
    yield f"{name}.kept_index", Variable(key, index, ("getPreviousIndex", holder))
