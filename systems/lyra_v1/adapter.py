"""Lyra v1's contracts: how its actions become calls, and how their storage becomes an observation."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import abi_to_signature
from eth_utils.crypto import keccak

from marginspec.model.deployed.lyra_v1.ledger import (
    INTRUDER,
    MARKET,
    NOBODY,
    OWNER,
    SHORT_COLLATERAL,
    STRANGER,
    BoardId,
    Direction,
    Kind,
    PositionId,
    State,
    StrikeId,
    Trader,
)
from marginspec.model.deployed.lyra_v1.venue import (
    BOARDS,
    EXCHANGE_FEE,
    FORCED,
    GREEK,
    MINIMUM,
    PENALTY,
    SPOT,
    STRIKES,
    LyraV1,
)
from marginspec.model.kernel.machine import Call
from marginspec.model.kernel.record import Record
from marginspec.targets.evm.artifact import Artifact, artifact
from marginspec.targets.evm.chain import Chain, Reverted, Slot
from marginspec.targets.evm.interface import replaced_by
from marginspec.targets.evm.reasons import reason

PACKAGE = "@lyrafinance/protocol"
LIBRARIES = {"BlackScholes": "0x" + "b5" * 20, "GWAV": "0x" + "6a" * 20}
"""The addresses that shipped bytecode, and a candidate build, is linked with; a run puts those of its own there."""

PACKAGED = ("BlackScholes", "GWAV", "OptionGreekCache", "OptionToken", "TestBlackScholes")
ENVIRONMENT = ("SynthetixAdapter", "TestAddressResolver", "TestExchangeRates", "TestExchanger")
OWN = ("market",)

DEPLOYER = "0x" + "de" * 20
WORD = 2**256
SKEW_FLOOR, SKEW_CAP = 10**17, 10**19

BASE, QUOTE = b"sETH".ljust(32, b"\0"), b"sUSD".ljust(32, b"\0")
NUMBERS = {
    identifier: number
    for kind, first in ((Kind, 0), (Direction, 0), (BoardId, 1), (StrikeId, 1), (PositionId, 1))
    for number, identifier in enumerate(LyraV1.universe[kind], first)
}
"""What identifiers of the model are for the contracts."""

STATES: Sequence[str] = LyraV1.universe[State]
KINDS: Sequence[str] = LyraV1.universe[Kind]
POSITIONS: Sequence[str] = LyraV1.universe[PositionId]

REASONS = {
    "EVM-1": "Panic(0x11)",
    "EVM-2": "Panic(0x12)",
    "DEC-6": "SafeCast: value doesn't fit in an int256",
    "CRV-2": "ExpOverflow",
    "CRV-4": "LnNegativeUndefined",
    "CRV-5": "Overflow",
    "SPT-2": "RateIsInvalid",
    "OWN-5": "OnlyOwner",
    "OWN-6": "InvalidMinCollatParams",
    "OWN-7": "InvalidGreekCacheParameters",
    "OWN-8": "InvalidForceCloseParameters",
    "OWN-9": "InvalidPartialCollateralParameters",
    "CHE-3": "CannotUpdateExpiredBoard",
    "ENV-2": "market is full",
    "POS-3": "CannotAdjustInvalidPosition",
    "POS-4": "OnlyOwnerCanAdjustPosition",
    "POS-6": "FullyClosingWithNonZeroSetCollateral",
    "POS-7": "CannotOpenZeroAmount",
    "POS-9": "AdjustmentResultsInMinimumCollateralNotBeingMet",
    "POS-11": "OnlyOptionMarket",
    "POS-12": "AddingCollateralToInvalidPosition",
    "POS-14": "OnlyShortCollateral",
    "POS-15": "ERC721: owner query for nonexistent token",
    "LIQ-3": "PositionNotLiquidatable",
}

# Contract and function of each action; the order of arguments is the contract's.
FUNCTIONS = {
    "set_collateral_parameters": ("OptionGreekCache", "setMinCollateralParameters"),
    "set_greek_parameters": ("OptionGreekCache", "setGreekCacheParameters"),
    "set_force_close_parameters": ("OptionGreekCache", "setForceCloseParameters"),
    "set_penalty_parameters": ("OptionToken", "setPartialCollateralParams"),
    "ask_min_collateral": ("OptionGreekCache", "getMinCollateral"),
    "ask_shock_volatility": ("OptionGreekCache", "getShockVol"),
    "ask_prices": ("TestBlackScholes", "pricesDeltaStdVega_pub"),
    "update_greeks": ("OptionGreekCache", "updateBoardCachedGreeks"),
    "set_exposure": ("market", "setExposure"),
    "ask_force_close_price": ("market", "forceClosePrice"),
    "is_global_stale": ("OptionGreekCache", "isGlobalCacheStale"),
    "is_board_stale": ("OptionGreekCache", "isBoardCacheStale"),
    "open_position": ("market", "open"),
    "adjust_position": ("market", "adjust"),
    "add_collateral": ("market", "addCollateral"),
    "settle": ("market", "settle"),
    "ask_liquidatable": ("market", "canLiquidate"),
    "liquidate": ("market", "liquidate"),
    "ask_fees": ("OptionToken", "getLiquidationFees"),
}
SIGNED = {"open_position": (1,), "adjust_position": (0,), "ask_prices": (2, 3), "set_exposure": (1, 2, 3)}
"""Which results are signed, by action."""

_STRIKE = "(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256)"
_BOARD = "(uint256,uint256,uint256,bool,uint256[])"
_EXCHANGE = "(uint256,bytes32,bytes32,uint256,uint256)"
_TRADE = (
    f"(bool,bool,uint8,uint8,uint256,uint256,uint256,(uint256,uint256,uint256,uint256,uint256,uint256),{_EXCHANGE})"
)

_MARKET = "the market of the run alone calls it"
_SET_UP = "called in the set-up"
_NFT = "transfers and approvals of tokens are not modelled; a position's first holder keeps it"
_ADAPTER = "the adapter of the run: read for spot and exchange fees, as set up"

# What no action calls, and why.
NOT_MODELLED = {
    f"OptionGreekCache.addBoard({_BOARD},{_STRIKE}[])": f"{_SET_UP}, through the market, for both boards",
    f"market.addBoard({_BOARD},{_STRIKE}[])": f"{_SET_UP}, for both boards",
    "OptionGreekCache.addStrikeToBoard(uint256,uint256,uint256,uint256)": "boards have the strikes of the set-up",
    "OptionGreekCache.removeBoard(uint256)": "boards of a run stay listed after they expire",
    "OptionGreekCache.setBoardIv(uint256,uint256)": "volatilities do not move: averages have one entry",
    "OptionGreekCache.setStrikeSkew(uint256,uint256)": "skews do not move: averages have one entry",
    "OptionGreekCache.init(address,address,address)": _SET_UP,
    f"OptionGreekCache.updateStrikeExposureAndGetPrice({_STRIKE},{_TRADE},uint256,uint256,bool)": _MARKET,
    f"OptionToken.adjustPosition({_TRADE},uint256,address,uint256,uint256,uint256,bool)": _MARKET,
    f"OptionToken.liquidate(uint256,{_TRADE},uint256)": _MARKET,
    "OptionToken.addCollateral(uint256,uint256)": "accepted of the market alone; others are tried, and refused",
    "market.settle(uint256)": "the token refuses it of the market; accepted is what the pool of collateral asks",
    "OptionToken.init(address,address,address,address)": _SET_UP,
    "OptionToken.split(uint256,uint256,uint256,address)": "positions are not split; what each part needs is LYR-MIN-8",
    "OptionToken.merge(uint256[])": "positions are not merged",
    "failing oracles": "the spot price always comes, and is never flagged as invalid",
    "OptionToken.setURI(string)": "a text that nothing reads",
    **{
        f"OptionToken.{function}": _NFT
        for function in (
            "approve(address,uint256)",
            "safeTransferFrom(address,address,uint256)",
            "safeTransferFrom(address,address,uint256,bytes)",
            "setApprovalForAll(address,bool)",
            "transferFrom(address,address,uint256)",
        )
    },
    **{
        f"{contract}.{function}": "whoever owns the contracts owns them throughout a run"
        for contract in ("OptionGreekCache", "OptionToken", *ENVIRONMENT)
        for function in ("acceptOwnership()", "nominateNewOwner(address)")
    },
    **{
        f"SynthetixAdapter.{function}": "the market of a run exchanges nothing; what an exchange costs is LIQ-4"
        for function in (
            "exchangeFromExactBase(address,uint256)",
            "exchangeFromExactQuote(address,uint256)",
            f"exchangeToExactBase({_EXCHANGE},address,uint256)",
            f"exchangeToExactBaseWithLimit({_EXCHANGE},address,uint256,uint256)",
            f"exchangeToExactQuote({_EXCHANGE},address,uint256)",
            f"exchangeToExactQuoteWithLimit({_EXCHANGE},address,uint256,uint256)",
        )
    },
    **{
        f"SynthetixAdapter.{function}": _ADAPTER
        for function in (
            "initialize()",
            "setAddressResolver(address)",
            "setGlobalsForContract(address,bytes32,bytes32,address,bytes32)",
            "updateSynthetixAddresses()",
        )
    },
    "SynthetixAdapter.setGlobalPaused(bool)": "nothing is paused in a run",
    "SynthetixAdapter.setMarketPaused(address,bool)": "nothing is paused in a run",
    "TestAddressResolver.setAddresses(bytes32[],address[])": _SET_UP,
    "bounds of skews": "gwavSkewFloor and gwavSkewCap stay as in the set-up",
    "rates that are marked invalid": "of spot a run sets the number alone; zero is none",
    "arguments of errors": "an error is compared by its name",
    "OptionToken: ERC-721": "who has which token is compared; what is counted and indexed beside it is not",
}


def word(value: int) -> bytes:
    """An integer of either sign as one ABI word."""
    return (value % WORD).to_bytes(32, "big")


def signed(value: int) -> int:
    """A word as a signed integer."""
    return value - WORD if value >> 255 else value


@functools.cache
def shipped_contracts() -> dict[str, Artifact]:
    """Return the contracts of npm package `PACKAGE`, its mocks and our market, as `tools/lyra_contracts.py` wrote."""
    built = json.loads(Path(__file__).with_name("contracts.json").read_text(encoding="utf-8"))["contracts"]
    return {name: artifact(name, built[name], f"{PACKAGE}:{name}") for name in (*PACKAGED, *ENVIRONMENT, *OWN)}


@functools.cache
def error_names() -> Mapping[bytes, str]:
    """The contracts' errors by selector; the library of curves, which is part of others, has three of its own."""
    signatures = {"ExpOverflow()", "LnNegativeUndefined()", "Overflow()"}
    for contract in shipped_contracts().values():
        signatures |= {abi_to_signature(entry) for entry in contract.abi if entry["type"] == "error"}  # type: ignore[arg-type]
    return {keccak(text=signature)[:4]: signature.partition("(")[0] for signature in signatures}


class LyraV1Adapter:
    """See `marginspec.targets.evm.target.Adapter`. `replaced` puts candidate builds in the place of contracts."""

    model = LyraV1
    not_modelled: Mapping[str, str] = NOT_MODELLED

    def __init__(self, replaced: Mapping[str, Artifact]) -> None:
        shipped = shipped_contracts()
        self._builds = replaced_by(shipped, replaced, "lyra-v1")
        self.contracts = dict(self._builds)
        self._selectors = {name: contract.selectors() for name, contract in shipped.items()}
        self.slots: list[Slot] = []
        self.not_compared: dict[str, list[Slot]] = {}

    # --- Set-up -------------------------------------------------------------------------------------------------

    def deploy(self, chain: Chain) -> None:
        """Libraries, oracle, cache, token and market; parameters; then both boards."""
        self._chain, self._address = chain, dict[str, str]()
        self._accounts = {name: f"0x{i:040x}" for i, name in enumerate(LyraV1.universe[Trader], 0xA0001)}
        self._accounts |= {STRANGER: f"0x{0xB0001:040x}", INTRUDER: f"0x{0xB0002:040x}"}
        self._accounts |= {SHORT_COLLATERAL: f"0x{0xB0003:040x}", OWNER: DEPLOYER}
        for name in (*PACKAGED, *ENVIRONMENT):
            arguments = encode(["string", "string"], ["Lyra", "LYRA"]) if name == "OptionToken" else b""
            self._address[name] = chain.deploy(DEPLOYER, self._linked(name) + arguments)
        at = self._address
        parts = [at["SynthetixAdapter"], at["OptionGreekCache"], at["OptionToken"]]
        at["market"] = chain.deploy(DEPLOYER, self._linked("market") + encode(["address"] * 3, parts))
        self._oracle()
        self._parameters()
        self._boards()
        self._storage()

    def _linked(self, name: str) -> bytes:
        """Creation code with the addresses of the libraries, as which the contract is known from then on."""
        code = self._builds[name].bytecode
        for library, placeholder in LIBRARIES.items():
            if library in self._address:
                code = code.replace(bytes.fromhex(placeholder[2:]), bytes.fromhex(self._address[library][2:]))
        self.contracts[name] = dataclasses.replace(self._builds[name], bytecode=code)
        return code

    def _do(self, contract: str, function: str, types: Sequence[str], values: Sequence[Any]) -> None:
        data = self._selectors[contract][function] + encode(types, values)
        self._chain.transact(DEPLOYER, self._address[contract], data)

    def _oracle(self) -> None:
        """Synthetix' exchange rates and fees, and the adapter through which Lyra reads them."""
        at = self._address
        names = [n.ljust(32, b"\0") for n in (b"ExchangeRates", b"Exchanger", b"ProxySynthetix", b"DelegateApprovals")]
        locations = [at["TestExchangeRates"], at["TestExchanger"], DEPLOYER, DEPLOYER]
        self._do("TestAddressResolver", "setAddresses", ["bytes32[]", "address[]"], [names, locations])
        self._do("SynthetixAdapter", "initialize", [], [])
        self._do("SynthetixAdapter", "setAddressResolver", ["address"], [at["TestAddressResolver"]])
        types = ["address", "bytes32", "bytes32", "address", "bytes32"]
        terms = [at["market"], QUOTE, BASE, DEPLOYER, bytes(32)]
        self._do("SynthetixAdapter", "setGlobalsForContract", types, terms)
        self._chain.transact(DEPLOYER, at["TestExchangeRates"], self._rate(SPOT))
        self._chain.transact(DEPLOYER, at["TestExchanger"], self._fee(EXCHANGE_FEE))

    def _parameters(self) -> None:
        at = self._address
        market, oracle, token = at["market"], at["SynthetixAdapter"], at["OptionToken"]
        self._do("OptionGreekCache", "init", ["address"] * 3, [oracle, market, market])
        parts = [market, at["OptionGreekCache"], self._accounts[SHORT_COLLATERAL], oracle]
        self._do("OptionToken", "init", ["address"] * 4, parts)
        for action, parameters in (
            ("set_greek_parameters", GREEK),
            ("set_collateral_parameters", MINIMUM),
            ("set_force_close_parameters", FORCED),
            ("set_penalty_parameters", PENALTY),
        ):
            contract, function = FUNCTIONS[action]
            data = self._selectors[contract][function] + self._words(action, parameters.flatten())
            self._chain.transact(DEPLOYER, token if contract == "OptionToken" else at[contract], data)

    def _boards(self) -> None:
        """Both boards, each with its strikes, as the market lists them."""
        for board, terms in BOARDS.items():
            own = [(NUMBERS[strike], t) for strike, t in STRIKES.items() if t.board == board]
            strikes = [(number, t.price, t.skew, 0, 0, 0, 0, 0, NUMBERS[board]) for number, t in own]
            listed = (NUMBERS[board], terms.expiry, terms.iv, False, [number for number, _ in own])
            types = ["(uint256,uint256,uint256,bool,uint256[])", f"({','.join(['uint256'] * 9)})[]"]
            self._do("market", "addBoard", types, [listed, strikes])

    # --- Calls --------------------------------------------------------------------------------------------------

    def encode(self, call: Call) -> tuple[str, str, bytes]:
        """Sender, contract, and the function's selector followed by its arguments."""
        name, given = call.action, dict(call.arguments)
        if name == "set_spot":
            return DEPLOYER, self._address["TestExchangeRates"], self._rate(given["spot"])
        if name == "set_exchange_fee":
            return DEPLOYER, self._address["TestExchanger"], self._fee(given["fee"])
        caller = given.pop("caller", None)
        if name in ("add_collateral", "settle") and caller != MARKET:
            return self._to_token(name, caller, given)
        contract, function = FUNCTIONS[name]
        sender = DEPLOYER if caller in (None, MARKET) else self._accounts[caller]
        data = self._selectors[contract][function] + self._words(name, list(given.values()))
        return sender, self._address[contract], data

    def _to_token(self, action: str, caller: Any, given: Mapping[str, Any]) -> tuple[str, str, bytes]:
        """What somebody asks of the token without the market."""
        selectors, number = self._selectors["OptionToken"], NUMBERS[given["position"]]
        if action == "settle":
            data = selectors["settlePositions"] + encode(["uint256[]"], [[number]])
        else:
            data = selectors["addCollateral"] + word(number) + word(given["amount"])
        return self._accounts[caller], self._address["OptionToken"], data

    def _words(self, action: str, values: list[Any]) -> bytes:
        if action == "set_greek_parameters":
            values = [*values[:-1], SKEW_FLOOR, SKEW_CAP, values[-1]]
        return b"".join(word(NUMBERS[v] if isinstance(v, str) else v) for v in values)

    def _rate(self, spot: int) -> bytes:
        return self._selectors["TestExchangeRates"]["setRateAndInvalid"] + BASE + word(spot) + word(0)

    def _fee(self, fee: int) -> bytes:
        return self._selectors["TestExchanger"]["setFeeRateForExchange"] + BASE + QUOTE + word(fee)

    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        """The numbers that the contract returned."""
        below = SIGNED.get(call.action, ())
        found = (int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32))
        return tuple(signed(value) if at in below else value for at, value in enumerate(found))

    def expected_reason(self, rule: str) -> str:
        """The text, or the name of the error, with which the contracts refuse by a rule."""
        return REASONS[rule]

    def reason(self, reverted: Reverted) -> str:
        """Why a contract reverted: of an error of its own, the name alone."""
        return error_names().get(reverted.data[:4]) or reason(reverted)

    # --- Observations -------------------------------------------------------------------------------------------

    def _storage(self) -> None:
        """Slots in the order in which `decode` takes them, which is the order of the model's fields."""
        cache, token = self._address["OptionGreekCache"], self._address["OptionToken"]
        rates, fees = self._address["TestExchangeRates"], self._address["TestExchanger"]

        def mapped(slot: int, *keys: bytes) -> int:
            for key in keys:
                slot = int.from_bytes(keccak(key.rjust(32, b"\0") + word(slot)), "big")
            return slot

        def of_cache(*places: int) -> list[Slot]:
            return [(cache, place) for place in places]

        slots = [(rates, mapped(2, BASE)), (fees, mapped(2, BASE, QUOTE))]
        slots += of_cache(*range(26, 34))
        slots += of_cache(*range(6, 13), 15)
        slots += of_cache(*range(16, 26))
        slots += [(token, place) for place in range(19, 23)]
        slots += of_cache(*range(35, 43))
        for board in BOARDS:
            at = mapped(43, word(NUMBERS[board]))
            slots += of_cache(*(at + part for part in range(4, 11)))
        for strike in STRIKES:
            at = mapped(45, word(NUMBERS[strike]))
            slots += of_cache(*(at + part for part in range(4, 12)))
        self._first = len(slots)
        numbers = [word(NUMBERS[position]) for position in POSITIONS]
        for number in numbers:
            slots += [(token, mapped(17, number) + part) for part in range(1, 6)]
            slots.append((token, mapped(5, number)))
        self.slots = slots
        self._holders = {0: NOBODY, **{int(a, 16): name for name, a in self._accounts.items()}}

        traders = [bytes.fromhex(self._accounts[trader][2:]) for trader in LyraV1.universe[Trader]]
        listed = int.from_bytes(keccak(word(11)), "big")
        book = [mapped(17, number) for number in numbers] + [18, 11]
        book += [mapped(slot, number) for slot in (7, 10, 12) for number in numbers]
        book += [mapped(6, trader) for trader in traders]
        book += [mapped(9, trader, word(n)) for trader in traders for n in range(len(numbers))]
        book += [listed + n for n in range(len(numbers))]
        self.not_compared = {"OptionToken: ERC-721": [(token, slot) for slot in book]}

    def decode(self, time: int, words: list[int]) -> list[Any]:
        """Storage as the model has it."""
        out: list[Any] = [time, *map(self._number, range(self._first), words)]
        for at in range(self._first, len(words), 6):
            strike, kind, amount, collateral, state, holder = words[at : at + 6]
            empty = strike == state == 0
            out += [self._named(StrikeId, 1 if empty else strike, 1), self._named(Kind, kind, 0), amount, collateral]
            out += [self._named(State, state, 0), self._holders.get(holder, hex(holder))]
        return out

    def _number(self, place: int, value: int) -> int:
        return signed(value) if place in SIGNED_PLACES else value

    def _named(self, kind: Any, number: int, first: int) -> str:
        known = LyraV1.universe[kind]
        return str(known[number - first]) if first <= number < first + len(known) else hex(number)

    def getters(self, chain: Chain) -> list[Any]:
        """The same observations, as the contracts' own getters give them."""
        greek = self._ask(chain, "OptionGreekCache", "getGreekCacheParams")
        words = [self._ask(chain, "TestExchangeRates", "rateAndInvalid", BASE)[0]]
        words += self._ask(chain, "TestExchanger", "feeRateForExchange", BASE, QUOTE)
        words += [*self._ask(chain, "OptionGreekCache", "getMinCollatParams"), *greek[:7], greek[9]]
        words += self._ask(chain, "OptionGreekCache", "getForceCloseParams")
        words += self._ask(chain, "OptionToken", "getPartialCollatParams")
        words += self._ask(chain, "OptionGreekCache", "getGlobalCache")
        for board in BOARDS:
            words += self._cached(chain, board)[5:12]
        for strike in STRIKES:
            words += self._ask(chain, "OptionGreekCache", "getStrikeCache", word(NUMBERS[strike]))[4:]
        for position in POSITIONS:
            number = word(NUMBERS[position])
            found = self._ask(chain, "OptionToken", "getOptionPosition", number)
            held = found[5] == STATES.index("active")
            words += found[1:] + (self._ask(chain, "OptionToken", "ownerOf", number) if held else [0])
        return self.decode(chain.time(), words)

    def constants(self, chain: Chain) -> dict[str, Any]:
        """Terms of boards and strikes, as the cache has them."""
        found: dict[str, Any] = {}
        for board in BOARDS:
            expiry, iv = self._cached(chain, board)[3:5]
            found |= {f"board_terms[{board}].expiry": expiry, f"board_terms[{board}].iv": iv}
        for strike in STRIKES:
            _, number, *terms = self._ask(chain, "OptionGreekCache", "getStrikeCache", word(NUMBERS[strike]))[:4]
            found[f"strike_terms[{strike}].board"] = self._named(BoardId, number, 1)
            found |= dict(zip((f"strike_terms[{strike}].price", f"strike_terms[{strike}].skew"), terms, strict=True))
        return found

    def _ask(self, chain: Chain, contract: str, function: str, *arguments: bytes) -> list[int]:
        """The words that a getter returns."""
        data = chain.call(self._address[contract], self._selectors[contract][function] + b"".join(arguments))
        return [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]

    def _cached(self, chain: Chain, board: str) -> list[int]:
        """What the cache has of a board: expiry and volatility from the fourth word on."""
        return self._ask(chain, "OptionGreekCache", "getOptionBoardCache", word(NUMBERS[board]))


def _signed_places() -> frozenset[int]:
    """Which of the words before the positions are signed."""
    genesis: Record = LyraV1.blank()
    parts = ("delta", "vega", "value", "rate", "exposure")
    shown = [name for name in genesis.names()[1:] if not name.startswith("positions")]
    below = {at for at, name in enumerate(shown) if name.endswith(parts) and not name.endswith("].vega")}
    return frozenset(below)


SIGNED_PLACES = _signed_places()
