"""A live book is read whole, agrees with contracts that follow the model, and differs where they do not."""

import contextlib
import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call
from marginspec.model.reference import Reference
from marginspec.model.reference.notation import AccountId
from marginspec.results.account_audit import audited
from marginspec.systems.morpho_blue.adapter import MorphoBlueAdapter
from marginspec.systems.morpho_blue.book import LIQUIDATE, RATE
from marginspec.systems.reference.adapter import ReferenceAdapter, shipped_contracts
from marginspec.systems.registry import shipped
from marginspec.systems.sample import sample_book
from marginspec.targets.evm.answers import AnswerFile
from marginspec.targets.evm.book import Book, Reader, contract_at, locate, selector
from marginspec.targets.evm.chain import Reverted
from marginspec.targets.evm.rpc import Node, start_anvil
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.evm.wire import Refused, Request, Wire

ACCOUNTS = {"morpho-blue": 120, "reference": 40}
ABOUT = {"system": "morpho-blue", "block": "7"}

both = pytest.mark.parametrize("system", ACCOUNTS)


@pytest.fixture(scope="module")
def deployed() -> Iterator[dict[str, tuple[str, str]]]:
    """URL and address of a generated book of each system."""
    with contextlib.ExitStack() as stack:
        books = {name: sample_book(shipped(name).sample, size, seed=7) for name, size in ACCOUNTS.items()}
        yield {name: stack.enter_context(book) for name, book in books.items()}


class Watched(Wire):
    """A wire that remembers what it was asked, and may answer otherwise than the node."""

    def __init__(self, url: str, instead: Callable[[Request, Any], Any] = lambda asked, answer: answer) -> None:
        super().__init__(url)
        self.asked: list[str] = []
        self._instead = instead

    def ask(self, asked: Sequence[Request]) -> list[Any]:
        answers = super().ask(asked)
        self.asked += [json.dumps(each) for each in asked[: len(answers)]]
        return [self._instead(*each) for each in zip(asked, answers, strict=False)]


def read(wire: Wire, system: str, address: str, file: Path) -> tuple[Book, list[bytes | Reverted]]:
    """A book and the contract's answers to its questions, as `audit` reads them."""
    block = locate(wire, None)
    with contextlib.closing(AnswerFile(file, ABOUT)) as answers:
        reader = Reader(wire, answers, contract_at(wire, address, block), block, 0, lambda *_: None)
        book = shipped(system).book(reader)
        return book, reader.calls([question.ask for question in book.questions], "health")


def results(system: str, book: Book, said: Sequence[bytes | Reverted]) -> dict[str, Any]:
    """What an audit says of it."""
    return audited(shipped(system), book, said, closest=1000)


# --- A book that is as it should be -----------------------------------------------------------------------------------


@both
def test_every_account_of_a_generated_book_is_found_and_the_contract_agrees(
    system: str, deployed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    url, address = deployed[system]
    with contextlib.closing(Watched(url)) as wire:
        book, said = read(wire, system, address, tmp_path / "state")
    found = results(system, book, said)
    assert found["verdict"] == "holds"
    # The lender that makes the markets of Morpho is one more.
    assert found["accounts"] == ACCOUNTS[system] + (system == "morpho-blue")
    assert found["differences"] == found["not_evaluated"] == []
    assert [each["id"] for each in found["invariants"]] == [
        claim.id for claim in shipped(system).chapter.properties if claim.kind == "invariant"
    ]
    assert all(each["cases"] for each in found["invariants"])


@both
def test_a_generated_book_has_what_an_audit_is_for(
    system: str, deployed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    """Both sides of the limit, bad debt, and each way in which the contract can answer."""
    url, address = deployed[system]
    with contextlib.closing(Watched(url)) as wire:
        book, said = read(wire, system, address, tmp_path / "state")
    found = results(system, book, said)
    assert 0 < found["liquidatable"] < found["evaluated"] == len(found["closest"])
    assert found["bad_debt"]
    answers = {(q.what, book.answer(q, answer)) for q, answer in zip(book.questions, said, strict=True)}
    if system == "morpho-blue":
        assert answers == {
            ("liquidate", "position is healthy"),
            ("liquidate", "accepted"),
            ("withdraw_collateral", "insufficient collateral"),
            ("withdraw_collateral", "accepted"),
        }
    else:
        assert ("liquidate", "LIQ-5") in answers
        assert sum(what == "liquidate" and "," in answer for what, answer in answers) > 1


@both
def test_accounts_closest_to_liquidation_come_first(
    system: str, deployed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    url, address = deployed[system]
    with contextlib.closing(Watched(url)) as wire:
        book, said = read(wire, system, address, tmp_path / "state")
    rows = results(system, book, said)["closest"]
    assert [float(row["health"]) for row in rows] == sorted(float(row["health"]) for row in rows)
    assert all(row["healthy"] == (int(row["has"]) >= int(row["needs"])) for row in rows)


@both
def test_what_was_answered_is_not_asked_again(
    system: str, deployed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    url, address = deployed[system]
    with contextlib.closing(Watched(url)) as wire:
        first = results(system, *read(wire, system, address, tmp_path / "state"))
        assert len(wire.asked) == len(set(wire.asked)) > 100
        wire.asked.clear()
        again = results(system, *read(wire, system, address, tmp_path / "state"))
    assert again == first
    # Which chain and block it is, and whether the contract is there: on that depends whether the answers are of use.
    assert [json.loads(each)[0] for each in wire.asked] == ["eth_chainId", "eth_getBlockByNumber", "eth_getCode"]


@both
def test_a_node_that_takes_little_at_once_is_asked_for_less(
    system: str, deployed: dict[str, tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, address = deployed[system]
    post = Wire._post

    def small(self: Wire, sent: Sequence[Request]) -> list[Any] | None:
        return None if len(sent) > 40 else post(self, sent)

    def few_blocks(asked: Request, answer: Any) -> Any:
        method, parameters = asked
        wide = method == "eth_getLogs" and int(parameters[0]["toBlock"], 16) > int(parameters[0]["fromBlock"], 16) + 4
        return Refused(-32005, "query exceeds the range of 5 blocks", None) if wide else answer

    with contextlib.closing(Watched(url)) as wire:
        plain = results(system, *read(wire, system, address, tmp_path / "plain"))
    monkeypatch.setattr(Wire, "_post", small)
    with contextlib.closing(Watched(url, few_blocks)) as wire:
        assert results(system, *read(wire, system, address, tmp_path / "small")) == plain


# --- The state of the model -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def nodes() -> Iterator[tuple[Node, str]]:
    """A node and its URL."""
    with contextlib.closing(start_anvil()) as node:
        yield node, node.url


def test_the_state_read_of_morpho_blue_is_the_state_that_the_model_reaches(tmp_path: Path) -> None:
    model = MorphoBlue.genesis()
    calls = [
        Call("set_fee", {"caller": "owner", "market": "A", "new_fee": 10**17}),
        Call("set_fee_recipient", {"caller": "owner", "new_fee_recipient": "liquidator"}),
        Call("supply", {"caller": "supplier", "market": "A", "assets": 10**9, "shares": 0, "on_behalf": "supplier"}),
        Call("supply_collateral", {"caller": "borrower", "market": "A", "assets": 10**9, "on_behalf": "borrower"}),
        Call(
            "borrow",
            {
                "caller": "borrower",
                "market": "A",
                "assets": 7 * 10**8,
                "shares": 0,
                "on_behalf": "borrower",
                "receiver": "borrower",
            },
        ),
        Call("advance_time", {"seconds": 10**7}),
        Call("accrue_interest", {"caller": "supplier", "market": "A"}),
        Call("supply_collateral", {"caller": "supplier", "market": "B", "assets": 5, "on_behalf": "borrower"}),
        Call("advance_time", {"seconds": 10**6}),
    ]
    with nodes() as (node, url), contextlib.closing(Wire(url)) as wire:
        adapter = MorphoBlueAdapter({})
        target = EvmTarget("anvil", adapter, node)
        for call in calls:
            assert model.apply(call).accepted
            assert target.apply(call).accepted
        morpho, _ = adapter.slots[0]
        book, said = read(wire, "morpho-blue", morpho, tmp_path / "state")
    state: Any = book.state
    opened = [name for name, market in model.markets.items() if market.last_update]
    assert state.now == model.now
    assert [p.lltv for p in state.params.values()] == [model.params[name].lltv for name in opened]
    assert [m.flatten() for m in state.markets.values()] == [model.markets[name].flatten() for name in opened]
    for name, found in zip(opened, state.positions.values(), strict=True):
        assert _held(found) == _held(model.positions[name])
    assert list(state.price.values()) == [model.price[name] for name in opened]
    assert {lltv for lltv, on in state.is_lltv_enabled.items() if on} == {
        lltv for lltv, on in model.is_lltv_enabled.items() if on
    }
    assert results("morpho-blue", book, said)["verdict"] == "holds"


def _held(positions: dict[Any, Any]) -> Counter[tuple[int, ...]]:
    return Counter(tuple(p.flatten()) for p in positions.values() if any(p.flatten()))


def test_the_state_read_of_the_reference_venue_is_the_state_that_the_model_reaches(tmp_path: Path) -> None:
    model = Reference.genesis()
    with nodes() as (node, url), contextlib.closing(Wire(url)) as wire:
        adapter = ReferenceAdapter({})
        EvmTarget("anvil", adapter, node)
        book, _ = read(wire, "reference", adapter.venue, tmp_path / "state")
    state: Any = book.state
    names = dict(zip(state.accounts, Reference.universe[AccountId], strict=True))
    assert [state.account_terms[name].isolated for name in names] == [
        model.account_terms[own].isolated for own in names.values()
    ]
    for field in dataclasses.fields(Reference):
        found, expected = getattr(state, field.name), getattr(model, field.name)
        if field.name in ("accounts", "orders"):
            continue
        if field.name in ("governor", "guardian", "account_terms", "transfer_fee", "token_fault"):
            continue  # addresses, and what is not read
        if field.name == "balance":
            found, expected = ({t: held["venue"] for t, held in each.items()} for each in (found, expected))
        assert found == expected, field.name
    for name, own in names.items():
        assert state.accounts[name] == model.accounts[own]
        assert all(state.orders[market][name] == model.orders[market][own] for market in model.orders)


# --- A book that is not -----------------------------------------------------------------------------------------------


def test_a_venue_with_another_constant_differs_from_the_model(tmp_path: Path) -> None:
    """Collateral counts 2.0001 % less for initial margin, not 2 %: one bit of the deployed bytecode."""
    contracts, _ = shipped_contracts()
    code = contracts["venue"].bytecode
    haircut_gap = b"\x61" + (20_000).to_bytes(2, "big")
    assert haircut_gap in code
    wrong = dataclasses.replace(
        contracts["venue"], bytecode=code.replace(haircut_gap, b"\x61" + (20_001).to_bytes(2, "big"))
    )
    with nodes() as (node, url), contextlib.closing(Wire(url)) as wire:
        adapter = ReferenceAdapter({"venue": wrong})
        EvmTarget("anvil", adapter, node)
        found = results("reference", *read(wire, "reference", adapter.venue, tmp_path / "state"))
    assert found["verdict"] == "broken"
    # The accounts that have collateral in an asset.
    assert {each["question"] for each in found["differences"]} == {"health_of"}
    assert len(found["differences"]) == 3


def reverts(asked: Request, answer: Any) -> Refused:
    return Refused(3, "execution reverted", "0x")


def halts(asked: Request, answer: Any) -> Refused:
    return Refused(-32000, "invalid opcode: INVALID", None)


def one_more_share(asked: Request, answer: Any) -> str:
    total = int(answer[66:130], 16) + 1
    return f"{answer[:66]}{total:064x}{answer[130:]}"


def one_share_less(asked: Request, answer: Any) -> str:
    total = int(answer[66:130], 16) - 1
    return f"{answer[:66]}{total:064x}{answer[130:]}"


def accepts(asked: Request, answer: Any) -> str:
    return "0x"


@pytest.mark.parametrize(
    ("function", "instead", "verdict", "what"),
    [
        ("market(bytes32)", one_more_share, "incomplete", "not_evaluated"),
        ("market(bytes32)", one_share_less, "broken", "invariants"),
        (LIQUIDATE, accepts, "broken", "differences"),
        ("price()", reverts, "incomplete", "not_evaluated"),
        ("price()", halts, "incomplete", "not_evaluated"),
        (RATE, reverts, "incomplete", "not_evaluated"),
        ("balanceOf(address)", reverts, "incomplete", "not_evaluated"),
    ],
    ids=["total", "less", "liquidation", "price", "price-halts", "rate", "token"],
)
def test_what_is_wrong_with_a_book_is_told_and_is_no_pass(
    function: bytes | str,
    instead: Callable[[Request, Any], Any],
    verdict: str,
    what: str,
    deployed: dict[str, tuple[str, str]],
    tmp_path: Path,
) -> None:
    """The answers to one function are not those of the contract."""
    wanted = "0x" + (selector(function) if isinstance(function, str) else function).hex()

    def changed(asked: Request, answer: Any) -> Any:
        method, parameters = asked
        return instead(asked, answer) if method == "eth_call" and parameters[0]["data"].startswith(wanted) else answer

    url, address = deployed["morpho-blue"]
    with contextlib.closing(Watched(url, changed)) as wire:
        found = results("morpho-blue", *read(wire, "morpho-blue", address, tmp_path / "state"))
    assert found["verdict"] == verdict
    shown = found[what] if what != "invariants" else [each["id"] for each in found[what] if each["broken"]]
    assert shown == ["MB-INV-2"] if what == "invariants" else shown
    others = {"differences", "not_evaluated"} - {what}
    assert not any(found[other] for other in others)


def replaced(at: int, value: int, of: int | None = None) -> Callable[[Any], str]:
    """The same answer with another number at one place; of: only where that stands there."""

    def changed(answer: Any) -> str:
        start = 2 + 64 * at
        if of is not None and int(answer[start : start + 64], 16) != of:
            return str(answer)
        return f"{answer[:start]}{value:064x}{answer[start + 64 :]}"

    return changed


MARK, LOW, TIME, VOLATILITY, HAIRCUT, SPREAD = 0, 1, 3, 5, 6, 7


@pytest.mark.parametrize(
    ("system", "function", "instead", "rule"),
    [
        ("reference", "markets(uint256)", (5, 0, None), "MRG-11"),
        ("reference", "parameters(uint256,uint256)", (0, 0, 50_000), "MRG-12"),
        ("reference", "parameters(uint256,uint256)", (0, 0, 100_000), "MRG-12"),
        ("reference", "parameters(uint256,uint256)", (0, 10**6, 10_000), "MRG-12"),
        ("reference", "ramp_to(uint256,uint256)", (0, 10**6, 500), "MRG-12"),
        ("reference", "parameters(uint256,uint256)", (0, 55_000, 50_000), "MRG-13"),
        ("reference", "asset_terms(uint256)", (5, 0, None), "MRG-14"),
        ("reference", "asset_terms(uint256)", (5, 700_000, None), "COL-9"),
        ("reference", "asset_terms(uint256)", (2, 1, None), "COL-3"),
        ("reference", "market_terms(uint256)", (1, 500_000, None), "MRG-14"),
        ("reference", "assets(uint256)", (HAIRCUT, 0, None), "COL-9"),
        ("reference", "assets(uint256)", (HAIRCUT, 600_001, None), "COL-9"),
        ("reference", "assets(uint256)", (LOW, 2**50, None), "ORC-1"),
        ("reference", "assets(uint256)", (LOW, 1, None), "ORC-2"),
        ("reference", "assets(uint256)", (2, 1, None), "ORC-1"),
        ("reference", "assets(uint256)", (2, 2**61, None), "ORC-2"),
        ("reference", "assets(uint256)", (TIME, 2**41, None), "ORC-1"),
        ("reference", "assets(uint256)", (SPREAD, 200_001, None), "PRM-7"),
        ("reference", "assets(uint256)", (VOLATILITY, 2**20, None), "range"),
        ("morpho-blue", "market(bytes32)", (5, 26 * 10**16, None), "OWN-8"),
        ("morpho-blue", "market(bytes32)", (4, 2**40, None), "ACC-2"),
        ("morpho-blue", "price()", (0, 0, None), "HLT-2"),
    ],
    ids=str,
)
def test_what_is_stored_is_judged_by_the_safety_bounds(
    system: str,
    function: str,
    instead: tuple[int, int, int | None],
    rule: str,
    deployed: dict[str, tuple[str, str]],
    tmp_path: Path,
) -> None:
    wanted = "0x" + selector(function).hex()

    def changed(asked: Request, answer: Any) -> Any:
        method, parameters = asked
        return (
            replaced(*instead)(answer) if method == "eth_call" and parameters[0]["data"].startswith(wanted) else answer
        )

    url, address = deployed[system]
    with contextlib.closing(Watched(url, changed)) as wire:
        found = results(system, *read(wire, system, address, tmp_path / "state"))
    assert found["verdict"] == "broken"
    assert rule in {each["rule"] for each in found["violated"]}


def test_a_ratio_of_one_is_told(deployed: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    def changed(asked: Request, answer: Any) -> Any:
        if asked[0] != "eth_getLogs":
            return answer
        return [
            {**each, "data": each["data"][:-64] + f"{10**18:064x}"} if len(each["data"]) == 2 + 5 * 64 else each
            for each in answer
        ]

    url, address = deployed["morpho-blue"]
    with contextlib.closing(Watched(url, changed)) as wire:
        found = results("morpho-blue", *read(wire, "morpho-blue", address, tmp_path / "state"))
    assert {each["rule"] for each in found["violated"]} == {"OWN-7"}
    assert found["verdict"] == "broken"


@pytest.mark.parametrize("shares", ["borrow", "supply"])
def test_an_account_that_no_event_names_is_missed(
    shares: str, deployed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    url, address = deployed["morpho-blue"]
    with contextlib.closing(Watched(url)) as wire:
        book, _ = read(wire, "morpho-blue", address, tmp_path / "whole")
    state: Any = book.state
    market, who, amount = next(
        (market, account, getattr(p, f"{shares}_shares"))
        for market, held in state.positions.items()
        for account, p in held.items()
        if getattr(p, f"{shares}_shares") and account.startswith("0x") and account != state.fee_recipient
    )

    def silent(asked: Request, answer: Any) -> Any:
        if asked[0] != "eth_getLogs":
            return answer
        return [each for each in answer if not any(topic.endswith(who[2:]) for topic in each["topics"])]

    with contextlib.closing(Watched(url, silent)) as wire:
        found = results("morpho-blue", *read(wire, "morpho-blue", address, tmp_path / "part"))
    assert found["verdict"] == "incomplete"
    told = {each["what"]: each["why"] for each in found["not_evaluated"]}
    assert f"{amount} belong to accounts" in told[f"{shares} shares of market {market}"]


@pytest.mark.parametrize(
    ("code", "events", "said"),
    [
        ("0x60", None, "not read, and the contract was there"),
        ("0x", None, ""),
        (Refused(-32000, "missing trie node", None), None, "not read, and the contract was there"),
        (Refused(-32000, "missing trie node", None), [], ""),
        (Refused(-32000, "missing trie node", None), Refused(-32000, "pruned", None), "the node does not say"),
    ],
    ids=str,
)
def test_whether_older_events_were_missed_is_asked_of_the_node(
    code: Any, events: Any, said: str, deployed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    url, address = deployed["morpho-blue"]
    told = {"eth_getCode": code} | ({} if events is None else {"eth_getLogs": events})
    wire = Watched(url, lambda asked, real: told.get(asked[0], real))
    with contextlib.closing(wire), contextlib.closing(AnswerFile(tmp_path / "state", ABOUT)) as answers:
        reader = Reader(wire, answers, address, locate(wire, None), 9, lambda *_: None)
        gaps = reader.unread(("SetOwner(address)",))
    assert [gap.what for gap in gaps] == ["events before block 9"] * bool(said)
    assert all(said in gap.why for gap in gaps)


# --- Nodes and files that cannot be trusted ---------------------------------------------------------------------------


def test_nothing_but_questions_can_be_sent() -> None:
    wire = Wire("http://127.0.0.1:1")
    with pytest.raises(ValueError, match="questions only"):
        wire.ask([("eth_sendTransaction", [{}])])  # type: ignore[list-item]


def test_a_node_of_another_machine_may_be_read_and_its_key_is_never_shown() -> None:
    assert Wire("https://user:word@node.example:8545/v2/key?token=secret").name == "https://node.example:8545"


@pytest.mark.parametrize("url", ["ws://127.0.0.1:8545", "http://", "http://127.0.0.1:port", "http://[::1", "file:///x"])
def test_what_is_no_url_of_a_node_is_refused(url: str) -> None:
    with pytest.raises(BadInput, match="not a node's URL"):
        Wire(url)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"number": "0x1", "hash": "0x0", "timestamp": "0x1"},
        {"number": "one", "hash": "0x" + "0" * 64, "timestamp": "0x1"},
        {"number": "0x" + "f" * 5000, "hash": "0x" + "0" * 64, "timestamp": "0x1"},
    ],
)
def test_a_block_that_is_none_is_the_nodes_failure(answer: Any, deployed: dict[str, tuple[str, str]]) -> None:
    url, _ = deployed["reference"]
    wire = Watched(url, lambda asked, real: answer if "Block" in asked[0] else real)
    with contextlib.closing(wire), pytest.raises(TargetFailed):
        locate(wire, None)


def test_a_block_that_is_replaced_while_it_is_read_is_the_nodes_failure(
    deployed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    url, address = deployed["reference"]
    later: dict[str, Any] = {}
    wire = Watched(url, lambda asked, real: {**real, **later} if "Block" in asked[0] else real)
    with contextlib.closing(wire), contextlib.closing(AnswerFile(tmp_path / "state", ABOUT)) as answers:
        reader = Reader(wire, answers, address, locate(wire, None), 0, lambda *_: None)
        reader.unchanged()
        later["hash"] = "0x" + "1" * 64
        with pytest.raises(TargetFailed, match="was replaced while it was read"):
            reader.unchanged()
        wire._instead = lambda asked, real: None if "Block" in asked[0] else real
        with pytest.raises(TargetFailed, match="is gone since it was read"):
            reader.unchanged()


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "0x0",
        "zero",
        7,
        Refused(3, "execution reverted", "0x0"),
        Refused(-32000, "header not found", None),
    ],
)
def test_an_answer_that_is_none_is_the_nodes_failure_and_is_not_kept(
    answer: Any, deployed: dict[str, tuple[str, str]], tmp_path: Path
) -> None:
    url, address = deployed["morpho-blue"]
    wire = Watched(url, lambda asked, real: answer if asked[0] == "eth_call" else real)
    with contextlib.closing(wire), pytest.raises(TargetFailed, match="eth_call at block"):
        read(wire, "morpho-blue", address, tmp_path / "state")
    assert len((tmp_path / "state").read_text().splitlines()) == 1


def test_a_line_that_was_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    file = tmp_path / "state"
    with contextlib.closing(AnswerFile(file, ABOUT)) as answers:
        answers.keep([("one", "0x01"), ("two", "0x02")])
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with contextlib.closing(AnswerFile(file, ABOUT)) as answers:
            kept = [question for question in ("one", "two") if question in answers]
            assert answers.known == len(kept) == max(0, whole[:length].count(b"\n") - 1)
            answers.keep((question, "0x03") for question in ("one", "two") if question not in kept)
        with contextlib.closing(AnswerFile(file, ABOUT)) as answers:
            assert answers.known == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("something else\n", "line 1 is not of an audit"),
        ("something else", "line 1 is not of an audit"),
        ("{}\n", "line 1 is not of an audit"),
        ("[" * 100_000 + "\n", "line 1 is not of an audit"),
        ('HEADER\n["call"]\n', "line 2 is not of an audit"),
        ('HEADER\n["call", "0x"]\nnull\n', "line 3 is not of an audit"),
        ("OTHER\n", "of another reading, its block is not 7"),
    ],
)
def test_a_file_that_is_not_of_this_reading_is_refused_and_left_as_it_is(text: str, said: str, tmp_path: Path) -> None:
    header = json.dumps({"schema": "marginspec/audit-state/1", **ABOUT})
    text = text.replace("HEADER", header).replace("OTHER", header.replace("7", "8"))
    file = tmp_path / "state"
    file.write_text(text)
    with pytest.raises(BadInput, match=said):
        AnswerFile(file, ABOUT)
    assert file.read_text() == text


def test_two_audits_do_not_write_one_file(tmp_path: Path) -> None:
    with contextlib.closing(AnswerFile(tmp_path / "state", ABOUT)), pytest.raises(BadInput, match="another audit"):
        AnswerFile(tmp_path / "state", ABOUT)
