"""`marginspec audit`: its document, its exit codes, and that an interrupted reading goes on where it was."""

import contextlib
import functools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from command import Command, Done, refused

from marginspec.results.run_files import read_run
from marginspec.systems.morpho_blue.book import LIQUIDATE
from marginspec.systems.registry import shipped
from marginspec.systems.sample import sample_book
from marginspec.targets.evm.book import selector

COMMAND = (sys.executable, "-m", "marginspec", "audit")
ACCOUNTS = {"morpho-blue": 60, "reference": 20}
NOT_KEPT = ("eth_chainId", "eth_getBlockByNumber", "eth_getCode")
SMALL = 20
FIELDS = {
    "schema",
    "system",
    "target",
    "chain",
    "address",
    "block",
    "hash",
    "from_block",
    "time",
    "state",
    "requests",
    "accounts",
    "positions",
    "compared",
    "different",
    "differences",
    "not_evaluated",
    "invariants",
    "bounds",
    "violated",
    "totals",
    "evaluated",
    "liquidatable",
    "closest",
    "bad_debt",
    "verdict",
    "seconds",
}


@pytest.fixture(scope="module")
def deployed() -> Iterator[dict[str, tuple[str, str]]]:
    """URL and address of a generated book of each system."""
    with contextlib.ExitStack() as stack:
        books = {name: sample_book(shipped(name).sample, size, seed=1) for name, size in ACCOUNTS.items()}
        yield {name: stack.enter_context(book) for name, book in books.items()}


@pytest.fixture
def audit(here: Command) -> Command:
    """Runs `audit`."""
    return functools.partial(here, "audit")


class Proxy:
    """Stands between the command and a node: notes what is asked, and fails when it is told to.

    Takes no more than SMALL requests at once, so that a reading has many. lives: so many are answered, by default all.
    stuck: set when one comes after that, which then waits instead of being refused. lies: what is answered to calls, by
    how their data begins, so many times. reorganised: after so many answers the block is gone, and calls return
    nothing.
    """

    def __init__(self, url: str) -> None:
        self.asked: list[str] = []
        self.lives = 1 << 30
        self.stuck: threading.Event | None = None
        self.lies: dict[str, dict[str, Any]] = {}
        self.times = 1 << 30
        self.reorganised: int | None = None
        self._gone = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if len(asked) > SMALL:
                    self._answer(413, b"too large")
                elif proxy.lives <= 0:
                    if proxy.stuck is not None:
                        proxy.stuck.set()
                        proxy._gone.wait(60)
                    self.close_connection = True
                else:
                    proxy.lives -= 1
                    proxy.asked += [json.dumps([each["method"], each["params"]]) for each in asked]
                    answers = requests.post(url, json=asked, timeout=60).json()
                    data = {each["id"]: each["params"][0]["data"] for each in asked if each["method"] == "eth_call"}
                    for number, each in enumerate(answers):
                        told = [lie for start, lie in proxy.lies.items() if data.get(each["id"], "").startswith(start)]
                        if told and proxy.times > 0:
                            proxy.times -= 1
                            answers[number] = {"id": each["id"], **told[0]}
                    if proxy.reorganised is not None and (1 << 30) - proxy.lives > proxy.reorganised:
                        none = {"eth_getBlockByNumber": None, "eth_call": "0x"}
                        for number, each in enumerate(asked):
                            if each["method"] in none:
                                answers[number] = {"id": each["id"], "result": none[each["method"]]}
                    self._answer(200, json.dumps(answers).encode())

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._gone.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def proxied(deployed: dict[str, tuple[str, str]]) -> Iterator[tuple[Proxy, str]]:
    """A proxy to the book of Morpho Blue, and the address there."""
    url, address = deployed["morpho-blue"]
    with contextlib.closing(Proxy(url)) as proxy:
        yield proxy, address


def document(done: Done) -> dict[str, Any]:
    """The JSON document of a run, without what differs between two runs that find the same."""
    found: dict[str, Any] = json.loads(done.stdout)
    return {name: value for name, value in found.items() if name not in ("seconds", "requests", "target", "state")}


# --- Results ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ACCOUNTS)
def test_a_book_that_agrees_holds_as_a_document_and_as_text(
    system: str, deployed: dict[str, tuple[str, str]], audit: Command, tmp_path: Path
) -> None:
    url, address = deployed[system]
    done = audit(system, "--target", url, "--address", address, "--json", "--closest", "3")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found.keys() == FIELDS
    assert found["schema"] == "marginspec/audit/1"
    assert found["verdict"] == "holds"
    assert (found["target"], found["address"], found["chain"]) == (url, address.lower(), "31337")
    assert len(found["closest"]) == 3
    assert Path(found["state"]).parent == Path("out") / "audit"
    assert (tmp_path / found["state"]).is_file()
    assert found["requests"]["asked"] > 100
    assert found["requests"]["kept"] == 0

    (tmp_path / "audit.json").write_text(done.stdout)
    assert list(read_run([tmp_path / "audit.json"]).documents) == ["audit"], "what a report is made of"

    again = audit(system, "--target", url, "--address", address)
    assert again.returncode == 0
    said = again.stdout
    assert "read: 0 requests, " in said
    assert found["closest"][0]["account"] in said
    assert "all agree" in said
    assert "all hold" in said
    assert "verdict: holds: model and contract agree" in said


def test_a_generated_book_needs_no_node_and_a_seed_repeats_it(audit: Command) -> None:
    runs = [audit("reference", "--accounts", "20", "--seed", seed, "--json") for seed in ("5", "5", "6")]
    assert [run.returncode for run in runs] == [0, 0, 0]
    first, same, other = map(document, runs)
    assert first == same
    assert first["closest"] != other["closest"]


def test_what_the_contract_says_otherwise_is_code_1_and_shown_as_plain_text(
    proxied: tuple[Proxy, str], audit: Command
) -> None:
    proxy, address = proxied
    text = b"[bold]trust me[/]\x1b[31m"
    data = f"0x08c379a0{32:064x}{len(text):064x}{text.hex():0<64}"
    proxy.lies = {"0x" + LIQUIDATE.hex(): {"error": {"code": 3, "message": "execution reverted", "data": data}}}
    done = audit("morpho-blue", "--target", proxy.url, "--address", address)
    assert done.returncode == 1
    assert "model position is healthy, contract [bold]trust me[/]\\u001b[31m\n" in done.stdout
    assert "\x1b" not in done.stdout
    assert "verdict: broken" in done.stdout


def test_what_the_node_says_once_and_not_again_is_no_finding(proxied: tuple[Proxy, str], audit: Command) -> None:
    proxy, address = proxied
    proxy.lies = {"0x" + LIQUIDATE.hex(): {"error": {"code": 3, "message": "execution reverted", "data": "0x"}}}
    proxy.times = 1
    done = audit("morpho-blue", "--target", proxy.url, "--address", address)
    refused(done, f"the node at {proxy.url} failed: it does not say the same twice: no verdict; remove out/audit/", 4)
    # Who goes on with the wrong answer learns the same; who removes it, what holds.
    assert audit("morpho-blue", "--target", proxy.url, "--address", address).returncode == 4
    (file,) = Path("out/audit").iterdir()
    file.unlink()
    assert audit("morpho-blue", "--target", proxy.url, "--address", address).returncode == 0


def test_what_cannot_be_evaluated_is_code_3(proxied: tuple[Proxy, str], audit: Command) -> None:
    proxy, address = proxied
    proxy.lies = {"0x" + selector("price()").hex(): {"result": "0x"}}
    done = audit("morpho-blue", "--target", proxy.url, "--address", address)
    assert done.returncode == 3
    assert done.stdout.count("its oracle does not answer price()") == 3
    assert "verdict: incomplete" in done.stdout


def test_events_before_the_first_block_asked_about_are_missed_and_told(
    deployed: dict[str, tuple[str, str]], audit: Command
) -> None:
    url, address = deployed["morpho-blue"]
    arguments = ("morpho-blue", "--target", url, "--address", address)
    whole = json.loads(audit(*arguments, "--json").stdout)
    for first in (int(whole["block"]) - 25, int(whole["block"]) - 5):
        done = audit(*arguments, "--from-block", str(first), "--json")
        found = json.loads(done.stdout)
        assert (done.returncode, found["verdict"]) == (3, "incomplete")
        assert found["not_evaluated"][0]["what"] == f"events before block {first}"
        missing = [each["what"] for each in found["not_evaluated"][1:]]
        assert bool(missing) == (found["accounts"] < whole["accounts"]) == (first > 20), "whose shares are missing"
    # Before the contract was there, nothing can be missing.
    created = _created(url, address)
    done = audit(*arguments, "--from-block", str(created), "--json")
    assert (done.returncode, json.loads(done.stdout)["accounts"]) == (0, whole["accounts"])
    assert audit(*arguments, "--from-block", str(created + 1)).returncode == 3


def _created(url: str, address: str) -> int:
    """The block in which a contract had its first event."""
    wanted = {"address": address, "fromBlock": "0x0"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [wanted]}
    return min(int(each["blockNumber"], 16) for each in requests.post(url, json=asked, timeout=60).json()["result"])


@pytest.mark.parametrize("served", [2, 5, 12])
def test_a_block_that_is_gone_in_mid_read_is_the_nodes_failure(
    served: int, proxied: tuple[Proxy, str], audit: Command
) -> None:
    proxy, address = proxied
    proxy.reorganised = served
    refused(audit("morpho-blue", "--target", proxy.url, "--address", address), "is gone since it was read", 4)


# --- Interruptions ----------------------------------------------------------------------------------------------------


def test_a_killed_audit_goes_on_without_asking_again_for_what_it_had(
    proxied: tuple[Proxy, str], audit: Command, tmp_path: Path
) -> None:
    proxy, address = proxied
    arguments = ("morpho-blue", "--target", proxy.url, "--address", address, "--json", "--state")
    whole = audit(*arguments, "whole.jsonl")
    all_asked = proxy.asked.copy()
    kept = [each for each in all_asked if json.loads(each)[0] not in NOT_KEPT]
    assert len(kept) == len(set(kept)) > 10 * SMALL

    for part in (4, 12):  # while positions are read, and while health is asked for
        proxy.asked.clear()
        proxy.lives, proxy.stuck = part, threading.Event()
        file = tmp_path / f"part-{part}.jsonl"
        running = subprocess.Popen([*COMMAND, *arguments, str(file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert proxy.stuck.wait(60)
        running.kill()
        running.communicate(timeout=60)
        before = proxy.asked.copy()
        assert 0 < len(before) < len(all_asked)

        proxy.asked.clear()
        proxy.lives, proxy.stuck = 1 << 30, None
        done = audit(*arguments, str(file))
        assert done.returncode == 0
        assert document(done) == document(whole)
        twice = [each for each in proxy.asked if each in before]
        assert {json.loads(each)[0] for each in twice} <= set(NOT_KEPT)
        assert {*before, *proxy.asked} == set(all_asked)
        again = [each for each in before if json.loads(each)[0] not in NOT_KEPT]
        assert json.loads(done.stdout)["requests"]["kept"] == len(again)


def test_a_node_that_dies_in_mid_run_is_code_4_and_the_next_run_goes_on(
    proxied: tuple[Proxy, str], audit: Command
) -> None:
    proxy, address = proxied
    proxy.lives = 8
    arguments = ("morpho-blue", "--target", proxy.url, "--address", address)
    done = audit(*arguments)
    refused(done, "it does not answer (ConnectionError); go on with --block ", 4)
    before = set(proxy.asked)
    proxy.asked.clear()
    proxy.lives = 1 << 30
    assert audit(*arguments).returncode == 0
    assert {json.loads(each)[0] for each in before & set(proxy.asked)} <= set(NOT_KEPT)


def test_answers_of_another_chain_are_not_taken_for_this_one(
    deployed: dict[str, tuple[str, str]], audit: Command, tmp_path: Path
) -> None:
    url, address = deployed["morpho-blue"]
    arguments = ("morpho-blue", "--target", url, "--address", address, "--state", "state")
    assert audit(*arguments).returncode == 0
    file = tmp_path / "state"
    header, rest = file.read_text().split("\n", 1)
    file.write_text(json.dumps({**json.loads(header), "hash": "0x" + "1" * 64}) + "\n" + rest)
    refused(audit(*arguments), "of another reading, its hash is not 0x")


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-system"], "unknown system 'no-such-system'"),
        (["morpho-blue", "--target", "http://127.0.0.1:1"], "--address: which contract is it?"),
        (["morpho-blue", "--target", "embedded"], "--target 'embedded': an audit reads a node"),
        (["morpho-blue", "--target", "ws://127.0.0.1:1", "--address", "0x"], "not a node's URL"),
        (["morpho-blue", "--address", "0x"], "--target anvil generates a book of its own"),
        (["reference", "--accounts", "257"], "this venue takes at most 256"),
        (["reference", "--accounts", "1"], "'--accounts'"),
        (["morpho-blue", "--target", "http://h", "--address", "0x", "--accounts", "20"], "for --target anvil"),
        (["morpho-blue", "--block", "-1"], "'--block'"),
        (["morpho-blue", "--block", "latest"], "'--block'"),
        (["morpho-blue", "--seed", "many"], "'--seed'"),
        (["--no-such-option"], "see `marginspec audit --help`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_argument_that_cannot_be_meant_is_one_line_and_code_2(
    arguments: list[str], said: str, audit: Command
) -> None:
    refused(audit(*arguments), said)


def test_an_unreachable_node_is_code_4(audit: Command) -> None:
    address = "0x" + "00" * 20
    refused(audit("morpho-blue", "--target", "http://127.0.0.1:1", "--address", address), "it does not answer", 4)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--block", "1000000"], 2, "--block 1000000: the node at http://127.0.0.1:"),
        (["--block", "1"], 4, "it has no state of block 1"),
        (["--address", "0x1234"], 2, "--address 0x1234: not an address"),
        (["--address", "0x" + "77" * 20], 2, "there is no contract in block"),
        (["--state", "/dev/null/x"], 2, "give a file that can be written"),
        (["--state", "other"], 2, "--state other: line 1 is not of an audit"),
        (["--from-block", "1000"], 2, "no account has anything in block"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_deployment_that_cannot_be_meant_is_one_line(
    arguments: list[str], code: int, said: str, deployed: dict[str, tuple[str, str]], audit: Command, tmp_path: Path
) -> None:
    (tmp_path / "other").write_text("a file of somebody's\n")
    url, address = deployed["morpho-blue"]
    refused(audit("morpho-blue", "--target", url, "--address", address, *arguments), said, code)


@pytest.mark.parametrize(("system", "other"), [("morpho-blue", "reference"), ("reference", "morpho-blue")])
def test_a_contract_of_another_kind_is_not_audited(
    system: str, other: str, deployed: dict[str, tuple[str, str]], audit: Command
) -> None:
    url, address = deployed[other]
    refused(audit(system, "--target", url, "--address", address), "not a contract of")


def test_events_that_lack_accounts_are_no_whole_book(deployed: dict[str, tuple[str, str]], audit: Command) -> None:
    url, address = deployed["reference"]
    done = audit("reference", "--target", url, "--address", address, "--from-block", "1000")
    refused(done, "name 0 of 20 accounts: give an earlier --from-block")


@pytest.mark.parametrize("answer", [b"", b"no JSON", b"{}", b"[]", b"[1]", b'[{"id": 0}]', b"[" * 100_000])
def test_a_node_that_answers_nonsense_is_code_4(answer: bytes, audit: Command) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        done = audit("morpho-blue", "--target", url, "--address", "0x" + "77" * 20)
        server.shutdown()
    assert done.returncode == 4
    assert "failed: " in done.stderr
