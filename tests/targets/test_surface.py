"""No function that changes state is left out of a verdict without a word."""

from collections.abc import Mapping
from typing import Any

import pytest

from marginspec.base.errors import BadInput
from marginspec.systems.morpho_blue.adapter import MorphoBlueAdapter, shipped_contracts
from marginspec.systems.reference.adapter import ReferenceAdapter
from marginspec.targets.evm.artifact import Artifact
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.surface import Seen, Surface
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import limits_of

VAULT, TOKEN = "0x" + "aa" * 20, "0x" + "bb" * 20


def function(name: str, *types: str, mutability: str = "nonpayable") -> dict[str, Any]:
    inputs = [{"name": "", "type": kind} for kind in types]
    return {"type": "function", "name": name, "inputs": inputs, "outputs": [], "stateMutability": mutability}


def contract(name: str, *abi: dict[str, Any]) -> Artifact:
    return Artifact(name, list(abi), name.encode())


TRANSFER = function("transfer", "address", "uint256")
ERC20 = contract("token", TRANSFER, function("balanceOf", "address", mutability="view"))


class Adapter:
    """As much of one as is asked."""

    def __init__(self, *contracts: Artifact, not_modelled: Mapping[str, Any] | None = None) -> None:
        self.contracts = {each.name: each for each in contracts}
        self.not_modelled = not_modelled or {}


def surface(vault: Artifact, **declared: str) -> Surface:
    """A vault and a token, both deployed, the token's code with arguments behind it."""
    return Surface(Adapter(vault, ERC20, not_modelled=declared), {VAULT: b"vault", TOKEN: b"token" + bytes(64)})


def calls(vault: Artifact, *made: str) -> set[tuple[str, bytes]]:
    """Accepted calls, of functions by their full signatures."""
    return {(VAULT, vault.selectors()[name]) for name in made} | {(TOKEN, ERC20.selectors()["transfer"])}


def test_what_nobody_calls_is_named_and_what_only_reads_is_not() -> None:
    vault = contract("vault", function("deposit"), function("sweep", "address"), function("total", mutability="view"))
    known = surface(vault)
    seen = Seen(calls(vault, "deposit"))
    assert known.limits(seen).unmodelled == ("vault.sweep(address)",)
    assert limits_of(object()).unmodelled == ()


def test_an_overload_is_another_function() -> None:
    vault = contract("vault", function("deposit", "uint256"), function("deposit", "uint256", "address"))
    known = surface(vault)
    seen = Seen(calls(vault, "deposit(uint256)"))
    assert known.limits(seen).unmodelled == ("vault.deposit(uint256,address)",)
    with pytest.raises(BadInput, match=r"deposit is overloaded: name one of deposit\(uint256\), deposit\("):
        vault.selectors()["deposit"]


@pytest.mark.parametrize("mutability", ["payable", "nonpayable"])
def test_a_fallback_and_what_receives_are_functions(mutability: str) -> None:
    vault = contract(
        "vault",
        function("deposit"),
        {"type": "fallback", "stateMutability": mutability},
        {"type": "receive", "stateMutability": "payable"},
    )
    known = surface(vault)
    seen = Seen(calls(vault, "deposit"))
    assert known.limits(seen).unmodelled == ("vault.fallback()", "vault.receive()")
    seen.called |= {(VAULT, b"")}
    assert known.limits(seen).unmodelled == ("vault.fallback()",)
    seen.called |= {(VAULT, b"\1\2\3\4")}
    assert known.limits(seen).unmodelled == ()


def test_the_functions_of_a_proxy_and_of_what_is_behind_it_are_asked_for() -> None:
    logic = contract("logic", function("deposit"), function("upgradeTo", "address"))
    proxy = contract("proxy", function("setAdmin", "address"), {"type": "fallback", "stateMutability": "payable"})
    adapter = Adapter(proxy, logic)
    known = Surface(adapter, {VAULT: b"proxy", TOKEN: b"logic"})
    seen = Seen({(VAULT, logic.selectors()["deposit"])})
    assert known.limits(seen).unmodelled == ("proxy.setAdmin(address)", "logic.upgradeTo(address)")


def test_a_function_of_the_same_name_in_another_contract_is_not_meant() -> None:
    vault = contract("vault", TRANSFER)
    known = surface(vault)
    seen = Seen(calls(vault))
    assert known.limits(seen).unmodelled == ("vault.transfer(address,uint256)",)


def test_a_contract_that_nobody_named_is_told() -> None:
    vault = contract("vault", function("deposit"))
    known = Surface(Adapter(vault), {VAULT: b"vault", TOKEN: b"something else"})
    seen = Seen({(VAULT, vault.selectors()["deposit"])})
    (said,) = known.limits(seen).unmodelled
    assert said.startswith("contract 2 of the set-up")


def test_an_adapter_without_contracts_is_told_what_it_lacks() -> None:
    (said,) = Surface(object(), {VAULT: b"vault"}).limits(Seen()).unmodelled
    assert "object has no `contracts`" in said


def test_what_is_stated_is_shown_with_its_reason_unless_it_is_called() -> None:
    vault = contract("vault", function("deposit"), function("pause"))
    known = surface(vault, **{"vault.pause()": "by the owner alone", "vault.gone()": "gone", "callbacks": "none"})
    seen = Seen(calls(vault, "deposit"))
    assert known.limits(seen).unmodelled == ()
    assert known.limits(seen).not_modelled == {"vault.pause()": "by the owner alone", "callbacks": "none"}
    seen.called |= calls(vault, "pause")
    assert known.limits(seen).not_modelled == {"callbacks": "none"}
    with pytest.raises(BadInput, match=r"say why vault.pause\(\) is not modelled"):
        surface(vault, **{"vault.pause()": " "})


def test_old_interfaces_say_it_in_another_field() -> None:
    entry = {"type": "function", "name": "total", "inputs": [], "constant": True}
    known = contract("vault", entry, {**entry, "name": "sweep", "constant": False})
    assert [each.signature for each in known.functions() if each.changes] == ["sweep()"]


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "function", "inputs": []},
        {"type": "function", "name": "f", "inputs": None},
        {"type": "function", "name": "f", "inputs": [{"type": "tuple"}]},
        {"type": "function", "name": 7, "inputs": []},
        {"type": "function", "name": "f", "inputs": [7]},
    ],
)
def test_an_interface_of_odd_form_is_one_line(entry: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"^artifact vault: .* in field abi is no function") as refused:
        contract("vault", entry).functions()
    assert str(refused.value).isprintable()


def test_a_build_that_adds_an_overload_is_called_as_before() -> None:
    shipped = shipped_contracts()["Morpho"]
    more = [function("setOwner", "address", "bool"), function("accrueInterest", "address", "uint256")]
    adapter = MorphoBlueAdapter({"Morpho": Artifact("Morpho", [*shipped.abi, *more], shipped.bytecode)})
    assert adapter._selectors["Morpho"] == shipped.selectors()
    other = [entry for entry in shipped.abi if entry.get("name") != "setOwner"]
    with pytest.raises(BadInput, match=r"not a build of Morpho, it lacks function setOwner\(address\)"):
        MorphoBlueAdapter({"Morpho": Artifact("Morpho", [*other, more[0]], shipped.bytecode)})


@pytest.mark.parametrize("adapter", [MorphoBlueAdapter, ReferenceAdapter])
def test_what_the_shipped_adapters_state_is_there(adapter: Any) -> None:
    known = adapter({})
    functions = {f"{name}.{f.signature}" for name, each in known.contracts.items() for f in each.functions()}
    assert {name for name in known.not_modelled if "(" in name} <= functions


def test_a_constant_that_is_another_in_the_contracts_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    target = EvmTarget("embedded", ReferenceAdapter({}), Embedded())
    assert {"asset_terms[ETH].unit", "market_terms[ETH-PERP].asset"} <= set(target.limits().constants)
    honest = ReferenceAdapter.constants
    other = {"asset_terms[ETH].unit": 7}
    monkeypatch.setattr(ReferenceAdapter, "constants", lambda self, chain: honest(self, chain) | other)
    with pytest.raises(
        BadInput, match=r"asset_terms\[ETH\].unit, a constant, is \d+ in the model and 7 in the contracts"
    ):
        EvmTarget("embedded", ReferenceAdapter({}), Embedded())
    monkeypatch.setattr(ReferenceAdapter, "constants", lambda self, chain: {"fee": 7})
    with pytest.raises(BadInput, match="the model has no fee"):
        EvmTarget("embedded", ReferenceAdapter({}), Embedded())


def test_what_is_handed_on_to_nobody_knows_whom_counts_for_nobody() -> None:
    proxy = contract("proxy", {"type": "fallback", "stateMutability": "payable"})
    logic, treasury = (contract(name, function("withdraw", "uint256")) for name in ("logic", "treasury"))
    deployed = {VAULT: b"proxy", TOKEN: b"logic", "0x" + "cc" * 20: b"treasury"}
    known = Surface(Adapter(proxy, logic, treasury), deployed)
    seen = Seen({(VAULT, logic.selectors()["withdraw"])})
    said = {name for name in known.limits(seen).unmodelled if "ether" not in name}
    assert said == {"logic.withdraw(uint256)", "treasury.withdraw(uint256)"}


def test_a_contract_that_nobody_named_is_told_also_where_it_is_called() -> None:
    vault = contract("vault", function("deposit"))
    known = Surface(Adapter(vault), {VAULT: b"vault", TOKEN: b"something else"})
    seen = Seen({(VAULT, vault.selectors()["deposit"]), (TOKEN, b"1234")})
    assert known.limits(seen).unmodelled == ("contract 2 of the set-up, which the adapter's `contracts` does not have",)
