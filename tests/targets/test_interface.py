"""Calls and storage by the names of an interface and a layout."""

import pytest
from eth_utils.crypto import keccak

from marginspec.base.errors import BadInput
from marginspec.systems.perps_v2.deployment import document, shipped_contracts
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.interface import Interface, replaced_by, united
from marginspec.targets.evm.storage import Place, Storage, slot_of_vyper

ACCOUNT = "0x" + "00" * 19 + "0a"
STATE = Storage(document()["layouts"]["PerpsV2MarketState"])


def test_call_is_selector_and_arguments() -> None:
    data = Interface(shipped_contracts()["PerpsV2Market"]).call("modifyPosition", -1, 2)
    assert data == keccak(text="modifyPosition(int256,uint256)")[:4] + b"\xff" * 32 + (2).to_bytes(32, "big")


def test_overloaded_function_is_named_by_its_signature() -> None:
    manager = Interface(shipped_contracts()["FuturesMarketManager"])
    assert manager.call("payFee(uint256)", 1)[:4] == keccak(text="payFee(uint256)")[:4]
    with pytest.raises(BadInput, match="payFee is overloaded"):
        manager.call("payFee", 1)


def test_function_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadInput, match="there is no function fly"):
        Interface(shipped_contracts()["PerpsV2Market"]).call("fly")


def test_structs_are_sequences() -> None:
    state = Interface(shipped_contracts()["PerpsV2MarketState"])
    words = b"".join((each % 2**256).to_bytes(32, "big") for each in (1, 2, 3, 4, -5))
    assert state.results("positions", words) == ((1, 2, 3, 4, -5),)
    assert Interface(shipped_contracts()["PerpsV2MarketSettings"]).fields("setParameters", 1)[0] == "takerFee"


def test_creation_code_ends_with_the_arguments() -> None:
    contract = shipped_contracts()["SystemStatus"]
    code = Interface(contract).creation(ACCOUNT)
    assert code == contract.bytecode + bytes.fromhex(ACCOUNT[2:]).rjust(32, b"\0")


def test_proxy_has_the_functions_behind_it_once() -> None:
    behind = [shipped_contracts()[name] for name in ("PerpsV2MarketViews", "PerpsV2Market")]
    signatures = [function.signature for function in united("market", behind).functions()]
    assert len(signatures) == len(set(signatures))
    assert {"marketDebt()", "transferMargin(int256)"} <= set(signatures)


def test_candidate_of_no_contract_is_refused() -> None:
    shipped = shipped_contracts()
    with pytest.raises(BadInput, match="--artifact Vault: perps-v2 has AddressResolver"):
        replaced_by(shipped, {"Vault": shipped["PerpsV2Market"]}, "perps-v2")
    with pytest.raises(BadInput, match="not a build of PerpsV2Market, it lacks function"):
        replaced_by(shipped, {"PerpsV2Market": Artifact("PerpsV2Market", [], b"\0")}, "perps-v2")


def test_packed_variables_are_told_apart() -> None:
    size, skew = STATE.place("marketSize"), STATE.place("marketSkew")
    assert (size, skew) == (Place(11, 0, 16), Place(11, 16, 16, True))
    word = (2**128 - 7 << 128) + 9
    assert (size.of(word), skew.of(word)) == (9, -7)


def test_entries_of_maps_and_lists_are_where_solidity_has_them() -> None:
    first = int.from_bytes(keccak(bytes.fromhex(ACCOUNT[2:]).rjust(32, b"\0") + (15).to_bytes(32, "big")), "big")
    assert STATE.place("_positions", ACCOUNT, "size") == Place(first + 1, 16, 16, True)
    start = int.from_bytes(keccak((13).to_bytes(32, "big")), "big")
    assert STATE.place("_fundingSequence", 5) == Place(start + 2, 16, 16, True)


def test_entry_of_a_map_is_where_vyper_has_it() -> None:
    expected = keccak((4).to_bytes(32, "big") + bytes.fromhex(ACCOUNT[2:]).rjust(32, b"\0"))
    assert slot_of_vyper(4, ACCOUNT) == int.from_bytes(expected, "big")
