"""What an adapter does not look at keeps a run from holding, however good the contracts are."""

from typing import Any

import pytest
from eth_abi.abi import encode

from marginspec.base.errors import BadInput
from marginspec.model.kernel.machine import Call
from marginspec.systems.template.adapter import DEPLOYER, StrongboxAdapter
from marginspec.targets.evm.chain import Chain, Embedded
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Limits

MAKES_ANOTHER = bytes.fromhex("69600160005360016000f3600052600a60166000f050600160005360016000f3")
"""Creation code that creates a contract, whose code is one byte, and returns such code."""

CALLS = [
    Call("deposit", {"caller": "depositor", "amount": 700}),
    Call("withdraw", {"caller": "depositor", "amount": 300}),
    Call("transfer", {"caller": "depositor", "receiver": "newcomer", "amount": 7}),
    Call("transfer", {"caller": "newcomer", "receiver": "depositor", "amount": 7}),
    Call("deposit", {"caller": "newcomer", "amount": 700}),
    Call("withdraw", {"caller": "newcomer", "amount": 300}),
]


def seen(adapter: StrongboxAdapter, calls: list[Call] = CALLS) -> Limits:
    target = EvmTarget("embedded", adapter, Embedded())
    assert all(target.apply(call).accepted for call in calls)
    target.observe()
    return target.limits()


class Inattentive(StrongboxAdapter):
    def returns(self, call: Call, data: bytes) -> tuple[int, ...]:
        return ()


class Rounding(StrongboxAdapter):
    def decode(self, time: int, words: list[int]) -> list[Any]:
        return super().decode(time, [word >> 8 << 8 for word in words])


class Astray(StrongboxAdapter):
    def encode(self, call: Call) -> tuple[str, str, bytes]:
        sender, _, data = super().encode(call)
        return sender, "0x" + "ab" * 20, data


class WithFactory(StrongboxAdapter):
    def deploy(self, chain: Chain) -> None:
        super().deploy(chain)
        chain.deploy(DEPLOYER, MAKES_ANOTHER)


class WithAnother(StrongboxAdapter):
    def deploy(self, chain: Chain) -> None:
        super().deploy(chain)
        chain.deploy(DEPLOYER, self.contracts["strongbox"].bytecode + encode(["address"], [self._address["token"]]))


def test_nothing_is_lacking_where_all_is_looked_at() -> None:
    limits = seen(StrongboxAdapter({}))
    assert limits.unmodelled == ()
    assert limits.unobserved.keys() == {"events", "numbers of blocks"}


def test_what_a_function_returns_has_to_matter() -> None:
    assert seen(Inattentive({})).unmodelled == ("what token.transfer(address,uint256) returns",)


def test_every_byte_that_changes_has_to_matter() -> None:
    limits = seen(Rounding({}))
    assert limits.unmodelled == tuple(
        f"part of a word of {name} that changes and that nothing compares" for name in ("strongbox", "token")
    )


def test_a_call_goes_to_a_contract() -> None:
    with pytest.raises(BadInput, match=r"Astray: deposit goes to 0xabababab.*, where there is no contract"):
        seen(Astray({}))


def test_what_a_contract_of_the_set_up_makes_is_told() -> None:
    assert seen(WithFactory({})).unmodelled == (
        "contract 3 of the set-up, which the adapter's `contracts` does not have",
        "contracts that the set-up makes beside those that it deploys",
    )


def test_another_contract_of_the_same_code_has_to_be_called_too() -> None:
    assert seen(WithAnother({})).unmodelled == ("strongbox at address 2 of 2, where nothing is called",)


def test_who_is_never_tried_as_a_caller_is_told() -> None:
    alone = [call for call in CALLS if call.arguments["caller"] == "depositor"]
    told = {name: why for name, why in seen(StrongboxAdapter({}), alone).unobserved.items() if name.startswith("who")}
    assert told == dict.fromkeys(
        (
            "who may call strongbox.deposit(uint256)",
            "who may call strongbox.withdraw(uint256)",
            "who may call token.transfer(address,uint256)",
        ),
        "every call came from one sender",
    )


def test_an_action_that_lets_time_pass_may_name_its_argument_as_it_likes() -> None:
    target = EvmTarget("embedded", StrongboxAdapter({}), Embedded())
    assert target.apply(Call("advance_time", {"by": 7})).accepted
