"""A deployment at one block, read whole: who has an account is in its events, what they have is asked of its getters.

`systems/morpho_blue/book.py` and `systems/reference/book.py` make of it a state of their model, and the questions on
which model and contract are compared.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from eth_utils.crypto import keccak

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.text import printable
from marginspec.model.kernel import Machine
from marginspec.targets.evm.answers import AnswerFile
from marginspec.targets.evm.chain import READER, Reverted
from marginspec.targets.evm.wire import BATCH, Refused, Request, Wire

LOG_BLOCKS = 50_000
"""Of how many blocks events are asked at once, at first: many nodes take fewer."""

HALTS = (
    "EVM error ",
    "out of gas",
    "gas uint64 overflow",
    "invalid opcode",
    "invalid jump destination",
    "stack underflow",
    "stack limit reached",
    "write protection",
    "return data out of bounds",
)
"""How nodes begin to say that a contract stopped otherwise than by reverting: anvil, then those that follow geth."""

Report = Callable[[str, int, int], object]
"""Told what is being read, how much of it is there, and of how much."""


class Ask(NamedTuple):
    """A call that is executed and not kept."""

    to: str
    data: bytes
    sender: str = READER


class Log(NamedTuple):
    """An event: its signature, the indexed fields, and the others."""

    event: str
    indexed: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Block:
    """Which block of which chain; time in seconds."""

    chain: int
    number: int
    hash: str
    time: int


@dataclass(frozen=True)
class Question:
    """What the contract is asked of an account, and what the model expects it to answer."""

    what: str
    account: str
    market: str
    ask: Ask
    expected: str


@dataclass(frozen=True)
class AccountHealth:
    """What the model says of an account that owes: it is healthy as long as it has what it needs.

    Both in `unit`. market: empty where one account stands for all that it has. bad_debt: what a liquidation of all that
    it has leaves unpaid.
    """

    account: str
    market: str
    has: int
    needs: int
    bad_debt: int
    unit: str


@dataclass(frozen=True)
class NotEvaluated:
    """Something of which the model cannot be asked, and why."""

    what: str
    why: str


@dataclass
class Book:
    """A deployment's accounts as a state of its model.

    accounts, positions: how many have anything. cases: the identifiers in the state, by the types that a predicate
    takes. answer: a contract's answer in the words of `Question.expected`.
    """

    state: Machine
    accounts: int
    positions: int
    cases: Callable[[tuple[Any, ...]], Iterable[tuple[Any, ...]]]
    answer: Callable[[Question, bytes | Reverted], str]
    standings: list[AccountHealth] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    gaps: list[NotEvaluated] = field(default_factory=list)


def locate(wire: Wire, number: int | None) -> Block:
    """The block of this number, the latest when None. Raises `BadInput` when the node has none."""
    tag = "latest" if number is None else hex(number)
    answers: list[Any] = []
    requests: list[Request] = [("eth_chainId", []), ("eth_getBlockByNumber", [tag, False])]
    while len(answers) < len(requests):
        answers += wire.ask(requests[len(answers) :])
    if refused := [answer for answer in answers if isinstance(answer, Refused)]:
        raise wire.failed(refused[0].message)
    chain, block = answers
    if block is None and number is not None:
        raise BadInput(f"--block {number}: the node at {wire.name} has no such block")
    try:
        found = Block(int(chain, 16), int(block["number"], 16), str(block["hash"]), int(block["timestamp"], 16))
    except (TypeError, ValueError, KeyError):
        raise wire.failed("it reports no chain or no block") from None
    if re.fullmatch("0x[0-9a-f]{64}", found.hash) is None or max(found.chain, found.number, found.time) >= 1 << 64:
        raise wire.failed("it reports a block that is none")
    return found


def contract_at(wire: Wire, address: str, block: Block) -> str:
    """The address in lower case. Raises `BadInput` unless there is a contract at it in this block."""
    if re.fullmatch("0x[0-9a-fA-F]{40}", address) is None:
        raise BadInput(f"--address {printable(address, 50)}: not an address, 0x and 40 hexadecimal digits")
    (code,) = wire.ask([("eth_getCode", [address, hex(block.number)])])
    if isinstance(code, Refused):
        hint = "ask one that keeps old states"
        raise wire.failed(f"it has no state of block {block.number} ({printable(code.message, 80)}): {hint}")
    if code in (None, "0x"):
        raise BadInput(f"--address {address}: there is no contract in block {block.number}")
    return address.lower()


class Reader:
    """Reads a contract at one block. What `answers` has is not asked again; what is answered is there at once.

    asked: how many requests went to the node. Raises `TargetFailed` when the node fails.
    """

    def __init__(self, wire: Wire, answers: AnswerFile, address: str, block: Block, first: int, report: Report) -> None:
        """first: the block from which on to look for events."""
        self.address, self.block = address, block
        self.asked = 0
        self._wire, self._answers, self._first, self._report = wire, answers, first, report

    def logs(self, signatures: Collection[str]) -> list[Log]:
        """All events of these signatures up to the block, e.g. `EnableIrm(address)`."""
        return self._events(signatures, self._first, self.block.number)

    def _events(self, signatures: Collection[str], first: int, last: int) -> list[Log]:
        known = {"0x" + keccak(text=signature).hex(): signature for signature in signatures}
        topics = sorted(known)
        start, span, found = first, LOG_BLOCKS, []
        while start <= last:
            question = f"logs {start} {_digest(topics)}"
            if question not in self._answers:
                end = min(start + span - 1, last)
                rows = self._logs(topics, start, end)
                if rows is None:
                    span = (end - start + 1) // 2
                    continue
                self._answers.keep([(question, [end, rows])])
            try:
                end, rows = self._answers[question]
                if not start <= end <= last:
                    raise ValueError(end)
                found += [Log(known[t[0]], tuple(map(_bytes, t[1:])), _bytes(data)) for t, data in rows]
                start = end + 1
            except (TypeError, ValueError, KeyError, IndexError):
                raise self._malformed() from None
            self._report("blocks", min(start, last + 1) - first, last + 1 - first)
        return found

    def calls(self, asked: Sequence[Ask], what: str) -> list[bytes | Reverted]:
        """What each call returns, or that it reverts. what: a word for progress."""
        questions = ["call " + _digest(each.sender, each.to, each.data.hex()) for each in asked]
        missing = {q: each for q, each in zip(questions, asked, strict=True) if q not in self._answers}
        waiting, total = list(missing.items()), len(asked)
        self._report(what, total - len(waiting), total)
        while waiting:
            answers = self._wire.ask([self._request(each) for _, each in waiting[:BATCH]])
            self.asked += len(answers)
            kept, failed = [], []
            for (question, _), answer in zip(waiting, answers, strict=False):
                row = _kept(answer)
                if row is None:
                    failed.append(answer)
                else:
                    kept.append((question, row))
            self._answers.keep(kept)
            if failed:
                raise self._refused("eth_call", failed[0])
            waiting = waiting[len(answers) :]
            self._report(what, total - len(waiting), total)
        return [self._answer(question) for question in questions]

    def unchanged(self) -> None:
        """Raises `TargetFailed` when the chain has another block at this height by now, or none."""
        try:
            found = locate(self._wire, self.block.number)
        except BadInput:
            raise self._wire.failed(f"block {self.block.number} is gone since it was read") from None
        if found != self.block:
            raise self._wire.failed(f"block {self.block.number} was replaced while it was read")

    def unread(self, signatures: Collection[str]) -> list[NotEvaluated]:
        """What events before the first block that was asked about may name: nothing if the contract was not there.

        signatures: of events, of which a contract that is there has had one, as its constructor's.
        """
        before = min(self._first - 1, self.block.number)
        if before < 0:
            return []
        question = f"code {before}"
        if question not in self._answers:
            (code,) = self._wire.ask([("eth_getCode", [self.address, hex(before)])])
            self.asked += 1
            self._answers.keep([(question, None if isinstance(code, Refused) else code not in (None, "0x"))])
        there, what = self._answers[question], f"events before block {self._first}"
        if there is None:  # a node that keeps no old states may keep old events
            try:
                there = bool(self._events(signatures, 0, before))
            except TargetFailed:
                why = f"whether the contract was there in block {before} the node does not say; ask one that keeps it"
                return [NotEvaluated(what, why)]
        why = "not read, and the contract was there: who has no later event is missing; give an earlier --from-block"
        return [NotEvaluated(what, why)] if there else []

    def _logs(self, topics: list[str], start: int, end: int) -> list[Any] | None:
        """Topics and data of the events; None when the node does not take so many blocks."""
        wanted = {"address": self.address, "fromBlock": hex(start), "toBlock": hex(end), "topics": [topics]}
        (answer,) = self._wire.ask([("eth_getLogs", [wanted])])
        self.asked += 1
        if isinstance(answer, Refused):
            if start == end:
                raise self._refused("eth_getLogs", answer)
            return None
        try:
            rows = [[list(each["topics"]), each["data"]] for each in answer]
        except (TypeError, KeyError):
            rows = [[[], ""]]
        if not all(indexed and indexed[0] in topics and all(map(_is_hex, (*indexed, data))) for indexed, data in rows):
            raise self._wire.failed("eth_getLogs: not the events that it was asked for")
        return rows

    def _request(self, asked: Ask) -> Request:
        call = {"from": asked.sender, "to": asked.to, "data": "0x" + asked.data.hex()}
        return "eth_call", [call, hex(self.block.number)]

    def _answer(self, question: str) -> bytes | Reverted:
        row = self._answers[question]
        try:
            if isinstance(row, str):
                return _bytes(row)
            data, halt = row
            return Reverted(_bytes(data), halt=str(halt))
        except (TypeError, ValueError):
            raise self._malformed() from None

    def _malformed(self) -> BadInput:
        return BadInput(f"--state {self._answers.file}: an answer in it is none; remove the file or give another")

    def _refused(self, method: str, answer: Any) -> TargetFailed:
        said = answer.message if isinstance(answer, Refused) else "no bytes"
        return self._wire.failed(f"{method} at block {self.block.number}: {said}")


def _kept(answer: Any) -> str | list[str] | None:
    """An answer to a call as it stands in the file; None when it is none."""
    if isinstance(answer, str):
        return answer if _is_hex(answer) else None
    if not isinstance(answer, Refused):
        return None
    # A revert has code 3 or, in older nodes, this message.
    if answer.code == 3 or answer.message.startswith("execution reverted"):
        data = answer.data or "0x"
        return [data, ""] if _is_hex(data) else None
    return ["0x", answer.message.removeprefix(HALTS[0])] if answer.message.startswith(HALTS) else None


def _is_hex(text: Any) -> bool:
    return isinstance(text, str) and re.fullmatch("0x(?:[0-9a-fA-F]{2})*", text) is not None


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError(text)
    return bytes.fromhex(text[2:])


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


# --- The contract's interface --------------------------------------------------------------------------------------


def selector(signature: str) -> bytes:
    """The first bytes of call data for a function, e.g. `owner()`."""
    return keccak(text=signature)[:4]


def word(value: int | str) -> bytes:
    """An unsigned integer or an address as one ABI word."""
    return (int(value, 16) if isinstance(value, str) else value).to_bytes(32, "big")


def words(data: bytes) -> list[int]:
    """Unsigned integers from ABI words."""
    return [int.from_bytes(data[i : i + 32], "big") for i in range(0, len(data), 32)]


def signed(value: int) -> int:
    """An ABI word as an int256."""
    return value - (1 << 256) if value >> 255 else value


def address(value: int) -> str:
    """The address in an ABI word, in lower case."""
    return f"0x{value & (1 << 160) - 1:040x}"


def structures(
    reader: Reader, system: str, asked: Mapping[Any, tuple[str, bytes, int]], what: str
) -> dict[Any, list[int]]:
    """What getters of the contract itself answer: by key, from (signature, arguments, number of words).

    Raises `BadInput` when the contract does not have such a getter.
    """
    calls = [Ask(reader.address, selector(name) + arguments) for name, arguments, _ in asked.values()]
    found = {}
    for (key, (name, _, count)), answer in zip(asked.items(), reader.calls(calls, what), strict=True):
        if isinstance(answer, Reverted) or len(answer) != 32 * count:
            raise BadInput(f"--address {reader.address}: not a contract of {system}, it does not answer {name}")
        found[key] = words(answer)
    return found
