"""Contracts on a development node (anvil) over JSON-RPC: one that we start, or one that is already running."""

import atexit
import contextlib
import ipaddress
import itertools
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from typing import Any

from web3 import HTTPProvider
from web3.types import RPCEndpoint

from marginspec.base.ending import end_with_parent
from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.process import still
from marginspec.base.text import printable
from marginspec.targets.evm.build import package
from marginspec.targets.evm.chain import GAS, GENESIS_TIME, READER, Reverted, Slot
from marginspec.targets.evm.session import NodeSession
from marginspec.targets.evm.wire import Refused, in_order, numbered

# What web3 imports raises it to 100,000; then nested JSON from outside ends the process, not just the parse.
sys.setrecursionlimit(1000)

TIMEOUT, ANSWER_SECONDS = 10.0, 30.0
"""Seconds to wait for the next bytes of an answer, and for all of it."""

# So large that no block is ever half full: then a base fee of zero stays zero and senders need no balance.
BLOCK_GAS = 2**40

PUBLIC_CHAINS = (
    *(1, 10, 14, 25, 30, 56, 100, 122, 130, 137, 143, 146, 169, 250, 252, 288, 324, 480, 999, 1088, 1101, 1284, 1329),
    *(2222, 4326, 5000, 7777777, 8217, 8453, 9745, 13371, 17000, 34443, 42161, 42220, 43111, 43114, 48900, 57073),
    *(59144, 60808, 80002, 80094, 81457, 84532, 167000, 421614, 534352, 560048, 660279, 747474, 11155111, 11155420),
)
"""Networks on which something is worth something, and their public tests: no transaction goes there."""

Request = tuple[str, list[Any]]
LATEST_BLOCK: Request = ("eth_getBlockByNumber", ["latest", False])

# Connection errors are OSError, answers that are not JSON ValueError, deep ones RecursionError; web3 sorts a batch
# without checking its types.
_NO_ANSWER = (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError)


class Node:
    """A `Chain` behind JSON-RPC. anvil's traps are handled here and nowhere else.

    Every change of state ends with one batch that reads the new block's time and the words last asked for, so that
    `read` and `time` mostly need no request. Requests that depend on each other are never batched: anvil runs a
    batch concurrently. Block numbers rise from transaction to transaction, which they do not in `Embedded`.

    Every method raises `TargetFailed` when the node stops answering, or answers with anything but results.
    """

    def __init__(self, url: str, process: subprocess.Popen[bytes] | None = None) -> None:
        """Take over the node at `url`; `process` is the node if it is ours to stop. Errors: see `connect`."""
        self.url = _loopback(url)
        self._process = process
        self._undo: list[Request] = []
        self._slots: list[Slot] = []
        self._reads: list[Request] = []
        self._words: list[int] = []
        self._time = self._marked_time = GENESIS_TIME
        self._mark: Any = None
        # Proxies from the environment would carry requests to another machine, and so would a redirection.
        self._session, self._asked = NodeSession(ANSWER_SECONDS), 0
        self._session.trust_env = False
        # No retries: a transaction must not be sent twice, and a dead node is to be reported at once.
        self._http = HTTPProvider(
            self.url,
            {"timeout": TIMEOUT, "allow_redirects": False, "headers": {"Content-Type": "application/json"}},
            session=self._session,
            exception_retry_configuration=None,
        )
        atexit.register(self.close)
        try:
            self._identify()
            self._prepare()
        except BaseException:
            self.close()
            raise

    # --- Chain ---------------------------------------------------------------------------------------------------

    def deploy(self, sender: str, code: bytes) -> str:
        transaction = {"from": sender, "data": "0x" + code.hex(), "gas": hex(GAS), "gasPrice": "0x0"}
        self._execute(transaction)
        address = self._keep(transaction).get("contractAddress")
        if not isinstance(address, str):
            raise self._failed("a receipt lacks the address of the created contract")
        return address

    def transact(self, sender: str, to: str, data: bytes) -> bytes:
        # A receipt carries neither the returned bytes nor a revert's: ask first, and send only what succeeds.
        transaction = {
            "from": sender,
            "to": to,
            "data": "0x" + data.hex(),
            "gas": hex(GAS),
            "gasPrice": "0x0",
        }
        result = self._execute(transaction)
        self._keep(transaction)
        return result

    def call(self, to: str, data: bytes) -> bytes:
        return self._execute({"from": READER, "to": to, "data": "0x" + data.hex(), "gas": hex(GAS)})

    def read(self, slots: list[Slot]) -> list[int]:
        if slots != self._slots:
            self._slots = slots.copy()
            self._reads = [("eth_getStorageAt", [address, hex(slot), "latest"]) for address, slot in slots]
            self._look()
        return self._words.copy()

    def advance(self, seconds: int) -> None:
        # Not evm_increaseTime: anvil accepts and ignores it while a time stamp interval is set.
        self._ask("evm_setNextBlockTimestamp", self._time + seconds)
        self._ask("evm_mine")
        self._look()

    def time(self) -> int:
        return self._time

    def mark(self) -> None:
        self._mark, self._marked_time = self._ask("evm_snapshot"), self._time

    def altered(self) -> None:
        return None

    def contracts(self) -> None:
        return None

    def has_code(self, address: str) -> bool:
        return str(self._ask("eth_getCode", address, "latest")) not in ("0x", "None")

    def back(self) -> None:
        assert self._mark is not None, "back() without mark()"
        if self._ask("evm_revert", self._mark) is not True:
            raise self._failed("it has forgotten the snapshot")
        self._mark = self._ask("evm_snapshot")  # a snapshot is spent by reverting to it
        self._look()
        if self._time != self._marked_time:
            raise self._failed(f"evm_revert led to time {self._time}, not back to {self._marked_time}")

    def close(self) -> None:
        """Stop the node that we started; leave one that was running as we found it. May be repeated."""
        atexit.unregister(self.close)
        undo, self._undo = self._undo, []
        with contextlib.suppress(TargetFailed):
            for method, parameters in undo:
                self._ask(method, *parameters)
        self._session.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    # --- Set-up --------------------------------------------------------------------------------------------------

    def _identify(self) -> None:
        """Refuse anything but a development node, before the first request that changes something."""
        try:
            (version,) = self._answers([("web3_clientVersion", [])])
        except TargetFailed:
            hint = "start one with `anvil`, or use --target anvil"
            raise TargetFailed(f"no Ethereum node answers at {self.url}: {hint}") from None
        if not str(version).lower().startswith("anvil/"):
            found = printable(str(version), 60)
            raise BadInput(f"the node at {self.url} is {found}, not anvil: transactions go to development nodes only")
        chain = self._ask("eth_chainId")
        if chain in map(hex, PUBLIC_CHAINS):
            hint = "transactions go to development chains only; a fork takes `anvil --chain-id 31337`"
            raise BadInput(f"the node at {self.url} says that it is of the public chain {int(chain, 16)}: {hint}")

    def _prepare(self) -> None:
        """Mine on demand, take any sender, charge nothing, keep time still, begin at the model's first moment."""
        if self._process is None:
            self._remember()
        else:
            self._ask("anvil_setLoggingEnabled", False)
        self._ask("evm_setIntervalMining", 0)  # ends automatic mining too, which is asynchronous: reads would be stale
        self._ask("anvil_autoImpersonateAccount", True)
        self._ask("evm_setBlockGasLimit", hex(BLOCK_GAS))
        self._ask("anvil_setNextBlockBaseFeePerGas", "0x0")
        self._ask("anvil_setBlockTimestampInterval", 0)
        self._ask("evm_setTime", GENESIS_TIME)
        self._ask("evm_mine")
        self._look()
        if self._time != GENESIS_TIME:
            hint = f"start it with `anvil --timestamp {GENESIS_TIME}`, or use --target anvil"
            raise BadInput(f"the node at {self.url} cannot be set to time {GENESIS_TIME}: {hint}")

    def _remember(self) -> None:
        """Note how to give a running node back to its owner."""
        method, parameters = LATEST_BLOCK
        block = self._ask(method, *parameters)
        if not isinstance(block, dict):
            raise self._failed("it reports no latest block")
        interval, automatic = self._ask("anvil_getIntervalMining"), self._ask("anvil_getAutomine")
        self._undo = [
            ("evm_revert", [self._ask("evm_snapshot")]),
            ("anvil_autoImpersonateAccount", [False]),
            ("evm_setBlockGasLimit", [block.get("gasLimit")]),
            ("anvil_setNextBlockBaseFeePerGas", [block.get("baseFeePerGas")]),
            ("anvil_removeBlockTimestampInterval", []),
            ("evm_setIntervalMining", [interval]) if interval else ("evm_setAutomine", [automatic]),
        ]

    # --- Execution -----------------------------------------------------------------------------------------------

    def _execute(self, transaction: dict[str, str]) -> bytes:
        """Run without keeping, at the time of the latest block, which is also that of the next."""
        (answer,) = self._answers([("eth_call", [transaction, "latest"])])
        if not isinstance(answer, Refused):
            return self._bytes(answer)
        if answer.code == 3:
            raise Reverted(self._bytes(answer.data or "0x"))
        if answer.message.startswith("EVM error "):
            raise Reverted(b"", halt=answer.message.removeprefix("EVM error "))
        raise self._failed(f"eth_call: {answer.message}")

    def _keep(self, transaction: dict[str, str]) -> dict[str, Any]:
        """Mine a transaction that `_execute` has found to succeed; its receipt."""
        asked_at = self._time
        sent = self._ask("eth_sendTransaction", transaction)
        self._ask("evm_mine")
        receipt = self._look(("eth_getTransactionReceipt", [sent]))[0]
        if not isinstance(receipt, dict) or receipt.get("status") != "0x1":
            raise self._failed("a transaction did not succeed although its eth_call did")
        if self._time != asked_at:
            raise self._failed(f"a transaction was mined at time {self._time}, its eth_call ran at {asked_at}")
        return receipt

    def _look(self, *more: Request) -> list[Any]:
        """Read time and words of the latest state; the results of `more`, asked along with them."""
        results = self._batch([*more, LATEST_BLOCK, *self._reads])
        try:
            self._time = int(results[len(more)]["timestamp"], 16)
            self._words = [int(word, 16) for word in results[len(more) + 1 :]]
        except (TypeError, ValueError, KeyError):
            raise self._failed("it reports no block time, or no storage") from None
        return results[: len(more)]

    # --- Requests ------------------------------------------------------------------------------------------------

    def _ask(self, method: str, *parameters: Any) -> Any:
        return self._batch([(method, list(parameters))])[0]

    def _batch(self, asked: list[Request]) -> list[Any]:
        """The results of requests that do not depend on each other."""
        answers = self._answers(asked)
        for (method, _), answer in zip(asked, answers, strict=True):
            if isinstance(answer, Refused):
                raise self._failed(f"{method}: {answer.message}")
        return answers

    def _answers(self, asked: list[Request]) -> list[Any]:
        """The result or `Refused` of each request, by the ids of the answers, at which web3 does not look."""
        sent = numbered(asked, self._asked)
        self._http.request_counter = itertools.count(self._asked)
        self._asked += len(asked)
        requests = [(RPCEndpoint(method), parameters) for method, parameters in asked]
        try:
            if len(requests) == 1:
                answers: Any = [self._http.make_request(*requests[0])]
            else:
                answers = self._http.make_batch_request(requests)
        except _NO_ANSWER as error:
            raise self._failed(f"it stopped answering ({type(error).__name__})") from None
        found = in_order(answers, sent)
        still(f"the node at {self.url}", self._asked)
        if found is None:
            raise self._failed(f"{asked[0][0]}: no JSON-RPC answer, or one to another request")
        return found

    def _bytes(self, data: Any) -> bytes:
        try:
            return bytes.fromhex(data[2:])
        except (TypeError, ValueError):
            raise self._failed("eth_call: the returned bytes are not hexadecimal") from None

    def _failed(self, what: str) -> TargetFailed:
        return TargetFailed(f"the node at {self.url} failed: {printable(what)}")


def connect(url: str) -> Node:
    """A `Node` for the anvil that runs at `url`, which gets its state and settings back on `close`.

    Raises `BadInput` when the URL is malformed or not of this machine, when the node is not anvil, or when its time
    cannot be set; `TargetFailed` when nothing answers.
    """
    return Node(url)


def start_anvil() -> Node:
    """A `Node` with an anvil of its own, on a free port; it ends with `close`, or with this process.

    On Linux it ends even if this process is killed, and with the thread that started it. Raises `BadInput` when anvil
    is not installed, `TargetFailed` when it does not start.
    """
    # Without prune-history, anvil leaves folders of old states in the user's home.
    flags = f"--host 127.0.0.1 --port 0 --no-mining --prune-history --hardfork cancun --timestamp {GENESIS_TIME}"
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [_anvil(), *flags.split()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt from the terminal is ours to handle
            preexec_fn=end_with_parent,
        )
        try:
            return Node(_address(process, output.fileno()), process)
        except BaseException:
            process.kill()
            process.wait()
            raise


def _anvil() -> str:
    """The program, from its npm package for this machine."""
    machine = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    if machine is None or sys.platform not in ("linux", "darwin"):
        raise BadInput(f"no anvil for {sys.platform} on {platform.machine()}: start a node yourself and give its URL")
    return str(package(f"@foundry-rs/anvil-{sys.platform}-{machine}") / "bin" / "anvil")


def _address(process: subprocess.Popen[bytes], output: int) -> str:
    """Wait until anvil says where it listens: it picks the port, so that no other process can have taken it."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        said = os.pread(output, 1 << 16, 0).decode(errors="replace")  # pread: the file position is shared with anvil
        if found := re.search(r"Listening on (\S+:\d+)\s", said):
            return f"http://{found[1]}"
        if ended:
            raise TargetFailed(f"anvil ended with status {process.returncode}: {printable(said.strip()[-200:])}")
        time.sleep(0.01)
    raise TargetFailed(f"anvil did not start within {TIMEOUT:.0f} s")


def _loopback(url: str) -> str:
    """The URL, if it is one of this machine: plain enough that no two parsers read it differently."""
    shape = re.fullmatch(r"(https?)://(\[[0-9a-fA-F:.]+\]|[^\s/\\?#@:\[\]%]+)(?::(\d{1,5}))?/?", url)
    if shape is None or not url.isprintable() or int(shape[3] or 0) > 65535:
        raise BadInput(f"not a node's URL: {printable(url, 100)}: give one like http://127.0.0.1:8545")
    host = shape[2].strip("[]")
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise BadInput(f"{printable(host, 100)} is not this machine: give a local anvil, be it a fork of a live chain")
    return url
