"""What the model does not have: tokens that call back, feeds that say anything, many accounts, events, other calls."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_utils.abi import event_abi_to_log_topic

from marginspec.lockstep.campaign import run
from marginspec.lockstep.generate import SEQUENCE_STEPS
from marginspec.model.kernel.machine import Call, actions_of
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import SELL, AccountId, CounterpartyId, User
from marginspec.systems.reference.adapter import DEPLOYER, NUMBERS, ReferenceAdapter, word
from marginspec.systems.reference.build import compile_vyper, sources
from marginspec.targets.evm.artifact import artifact
from marginspec.targets.evm.chain import Embedded, Reverted
from marginspec.targets.evm.reasons import reason
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Answer

# Of a block, on the chains that such a venue would run on.
BLOCK_GAS = 30_000_000


class Venue:
    """The contracts after the model's prelude, some of them changed: `changes` of a contract are pairs (old, new)."""

    def __init__(self, **changes: list[tuple[str, str]]) -> None:
        files = sources()
        for name, pairs in changes.items():
            for old, new in pairs:
                assert files[f"{name}.vy"].count(old) == 1, old
                files[f"{name}.vy"] = files[f"{name}.vy"].replace(old, new)
        built = compile_vyper(files)
        self.built = {name: artifact(name, data, name) for name, data in built.items()}
        self.adapter, self.chain = ReferenceAdapter({name: self.built[name] for name in changes}), Embedded()
        self.target = EvmTarget("embedded", self.adapter, self.chain)

    def do(self, action: str, **arguments: Any) -> Answer:
        return self.target.apply(Call(action, arguments))

    def call(self, sender: str, contract: str, function: str, *words: int) -> bytes:
        """Past the adapter: anybody calls a function of the venue with words."""
        data = self.built[contract].selectors()[function] + b"".join(map(word, words))
        return self.chain.transact(sender, self.adapter.venue, data)

    def seen(self, name: str) -> Any:
        return self.target.observe()[Reference.blank().names().index(name)]


def deposit(venue: Venue, amount: int = 10**6) -> Answer:
    return venue.do("deposit", account="trader", token="USD", amount=amount)


# --- Tokens --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way_in", ["fund_insurance(uint256)", "update_price(uint256)", "fees()"])
def test_a_token_that_calls_back_does_not_get_in(way_in: str) -> None:
    again = f'    if amount == 7:\n        raw_call(msg.sender, concat(method_id("{way_in}"), convert(1, bytes32)))\n'
    move = "    self._move(owner, to, amount)\n"
    venue = Venue(token=[(move, again + move)])
    before = venue.target.observe()
    assert not deposit(venue, 7).accepted
    assert venue.target.observe() == before
    assert deposit(venue, 8).accepted


# --- Sources -------------------------------------------------------------------------------------------------

LATEST = "abi_encode(self.price, self.confidence, self.time)"
LARGEST = "max_value(uint256)"
FAULTS = {
    "says nothing": "empty(uint256), empty(uint256), empty(uint256)",
    "has the largest numbers": f"{LARGEST}, {LARGEST}, {LARGEST}",
    "has the largest confidence": f"self.price, {LARGEST}, self.time",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_source_stops_nobody(fault: str) -> None:
    wrong = f"{LATEST}\n    if self.confidence == 7:\n        answer = abi_encode({FAULTS[fault]})"
    venue = Venue(feed=[(LATEST, wrong)])
    price = 2_010 * 10**6
    for source, confidence in (("first", 7), ("second", 0), ("third", 0)):
        assert venue.do("post", asset="ETH", source=source, price=price, confidence=confidence).accepted
    assert venue.do("update_price", caller="keeper", asset="ETH").accepted
    assert venue.seen("assets[ETH].mark") == price
    assert venue.do("post", asset="ETH", source="second", price=price, confidence=7).accepted
    assert venue.do("update_price", caller="keeper", asset="ETH") == Answer(False, reason="ORC-4")


# --- Accounts ------------------------------------------------------------------------------------------------


def test_as_many_accounts_as_there_may_be_can_be_settled_in_one_block() -> None:
    venue = Venue()
    maker, trader = (venue.adapter.encode(Call("redeem", {"account": a}))[0] for a in ("maker", "trader"))
    rich = 10**15
    venue.do("set_balance", token="USD", account="maker", amount=rich)
    venue.do("set_balance", token="USD", account="trader", amount=rich)
    assert venue.do("deposit", account="maker", token="USD", amount=rich).accepted
    assert venue.do("place_order", account="maker", market="ETH-PERP", side=SELL, size=10**9, price=0).accepted
    for number in range(len(venue.adapter.accounts) + 1, 257):
        venue.call(trader, "venue", "deposit", number, 0, 10**9)
        venue.call(trader, "venue", "trade", number, int(maker, 16), 0, 0, 10**5)
    with pytest.raises(Reverted) as raised:
        venue.call(trader, "venue", "deposit", 257, 0, 10**9)
    assert reason(raised.value) == "too many accounts"
    venue.chain.advance(60)
    assert venue.do("start_settlement", caller="governor").accepted
    assert venue.chain.evm.result.gas_used < BLOCK_GAS
    assert venue.seen("markets[ETH-PERP].open_interest") == 0


def test_a_token_or_a_market_that_does_not_exist_is_refused() -> None:
    venue = Venue()
    governor = venue.adapter.encode(Call("start_settlement", {"caller": "governor"}))[0]
    for function, arguments in {"deposit": (0, 3, 1), "place_order": (0, 2, 1, 1, 0), "set_cap": (0, 1)}.items():
        with pytest.raises(Reverted):
            venue.call(governor, "venue", function, *arguments)


def test_the_second_contract_is_nobodys_venue() -> None:
    venue = Venue()
    (data,) = decode(
        ["bytes32"], venue.chain.call(venue.adapter.venue, venue.built["venue"].selectors()["tokens"] + word(0))
    )
    assert int.from_bytes(data, "big") == int(venue.adapter.tokens["USD"], 16)
    alone = venue.chain.deploy(DEPLOYER, venue.built["resolution"].bytecode)
    for function, arguments in {"start_settlement": (), "update_price": (1,), "redeem": (0,)}.items():
        data = venue.built["resolution"].selectors()[function] + b"".join(map(word, arguments))
        with pytest.raises(Reverted):
            venue.chain.transact(DEPLOYER, alone, data)


def test_anybody_can_ask_what_an_account_has_and_needs() -> None:
    venue, model = Venue(), Reference.genesis()
    for account, terms in model.account_terms.items():
        owner = venue.adapter.encode(Call("start_settlement", {"caller": terms.owner}))[0]
        question = venue.built["venue"].selectors()["health_of"] + word(int(owner, 16)) + word(int(terms.isolated))
        answer = decode(["int256"] * 5, venue.chain.call(venue.adapter.venue, question))
        expected = model.equity(account), model.maintenance_margin(account), model.initial_margin(account)
        assert (answer[0], answer[1], answer[4]) == expected


# --- Events --------------------------------------------------------------------------------------------------

EVENTS = {
    "update_price": {"PriceAccepted", "BreakerTripped"},
    "move_price": {"PriceAccepted", "BreakerTripped"},
    "announce": {"Announced"},
    "set_cap": {"CapSet"},
    "set_open_interest_cap": {"OpenInterestCapSet"},
    "set_spread": {"SpreadSet"},
    "set_reduce_only": {"ReduceOnlySet"},
    "set_deposits_paused": {"DepositsPausedSet"},
    "set_guardian": {"GuardianSet"},
    "deposit": {"Deposited"},
    "withdraw": {"Withdrawn"},
    "fund_insurance": {"InsuranceFunded"},
    "collect_fees": {"FeesCollected"},
    "place_order": {"OrderPlaced"},
    "trade": {"Traded"},
    "liquidate": {"Liquidated"},
    "seize_collateral": {"CollateralSeized"},
    "cover": {"Covered"},
    "deleverage": {"Deleveraged"},
    "socialise": {"LossSocialised"},
    "start_settlement": {"SettlementStarted"},
    "fix_settlement": {"SettlementFixed"},
    "redeem": {"Redeemed"},
}


class Listening(EvmTarget):
    """A target that looks at the events of every call that it accepts."""

    def __init__(self, adapter: ReferenceAdapter, chain: Embedded) -> None:
        self.evm, self.of_the_venue = chain.evm, adapter
        built = compile_vyper(sources())
        events = [e for name in ("venue", "resolution") for e in built[name]["abi"] if e["type"] == "event"]
        self.events = {event_abi_to_log_topic(e).hex(): e for e in events}
        self.heard: dict[str, int] = {}
        super().__init__("embedded", adapter, chain)

    def apply(self, call: Call) -> Answer:
        answer = super().apply(call)
        if answer.accepted and call.action in EVENTS:
            said = self.said()
            (name,) = said.keys() & EVENTS[call.action]
            missing = [v for v in self.expected(call, answer) if v not in said[name]]
            assert missing == [], f"{call}: {name} says {said[name]}"
            self.heard[call.action] = self.heard.get(call.action, 0) + 1
        return answer

    def said(self) -> dict[str, list[Any]]:
        """The values of each event of the last transaction that the venue emitted."""
        found: dict[str, list[Any]] = {}
        for log in self.evm.result.logs:
            if int(log.address, 16) != int(self.of_the_venue.venue, 16):
                continue
            event = self.events[log.topics[0].removeprefix("0x")]
            kinds = [i["type"] for i in event["inputs"] if not i["indexed"]]
            values = [int(topic, 16) for topic in log.topics[1:]]
            values += [int(v, 16) if isinstance(v, str) else v for v in decode(kinds, log.data[1])]
            found[event["name"]] = [abs(v) for v in values]
        return found

    def expected(self, call: Call, answer: Answer) -> list[int]:
        """Numbers of the arguments and results, as the venue numbers identifiers."""
        accounts = self.of_the_venue.accounts.__getitem__
        tables: dict[Any, Callable[[Any], int]] = {
            AccountId: accounts,
            CounterpartyId: accounts,
        }
        tables |= {kind: known.__getitem__ for kind, known in NUMBERS.items()}
        expected = list(answer.returns)
        for (name, value), kind in zip(
            call.arguments.items(), actions_of(Reference)[call.action].arguments.values(), strict=True
        ):
            if kind is User and call.action != "move_price":
                expected.append(int(self.of_the_venue.encode(Call("start_settlement", {"caller": value}))[0], 16))
            elif kind in tables:
                expected.append(tables[kind](value))
            elif isinstance(value, int) and name != "move":
                expected.append(int(value))
        return expected


def test_every_accepted_action_is_an_event_with_its_arguments_and_results() -> None:
    target = Listening(ReferenceAdapter({}), Embedded())
    assert run(Reference, target, 30 * SEQUENCE_STEPS, 4).divergences == []
    assert set(EVENTS) - target.heard.keys() <= {
        "deleverage",
        "socialise",
        "seize_collateral",
        "fix_settlement",
        "redeem",
    }
