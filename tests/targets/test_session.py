"""A node that trickles, floods or nests its answers is an error in time, not a run that never ends."""

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from marginspec.base import process
from marginspec.base.errors import BadInput, TargetFailed
from marginspec.targets.evm import rpc, session
from marginspec.targets.evm.rpc import Node
from marginspec.targets.evm.session import NodeSession
from marginspec.targets.evm.wire import Wire

Send = Callable[[BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def serving(send: Send) -> Iterator[str]:
    """The URL of a server that sends this for an answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            with contextlib.suppress(OSError):
                send(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def whole(body: bytes) -> Send:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return send


def trickle(handler: BaseHTTPRequestHandler) -> None:
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    for _ in range(1000):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def test_a_whole_answer_is_read() -> None:
    with serving(whole(b'{"result": 7}')) as url, NodeSession(5.0) as here:
        assert here.post(url, data="{}", timeout=5.0).json() == {"result": 7}


def test_an_answer_that_trickles_ends_in_time() -> None:
    with serving(trickle) as url, NodeSession(0.3) as here, pytest.raises(requests.exceptions.ReadTimeout):
        here.post(url, data="{}", timeout=5.0)


def test_an_answer_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MOST_BYTES", 2**20)
    refused = pytest.raises(requests.exceptions.ConnectionError, match="more than 1 MiB")
    with serving(whole(b" " * 2**21)) as url, NodeSession(30.0) as here, refused:
        here.post(url, data="{}", timeout=5.0)


@pytest.mark.parametrize(
    "send", [trickle, whole(b"[" * 100_000), whole(b"{"), whole(b"")], ids=["slow", "deep", "cut", "none"]
)
def test_who_compares_with_a_node_ends_with_one_line(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "ANSWER_SECONDS", 0.3)
    with serving(send) as url, pytest.raises(TargetFailed, match="no Ethereum node answers at"):
        Node(url)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, json.dumps([{"id": 0}]), "null", ""], ids=["deep", "empty", "null", "none"]
)
def test_who_reads_a_node_ends_with_one_line(text: str) -> None:
    with serving(whole(text.encode())) as url, pytest.raises(TargetFailed, match="the node at"):
        Wire(url).ask([("eth_chainId", [])])


def answering(change: Callable[[dict[str, Any]], object], at: int) -> Send:
    """What anvil says when it is asked who it is; the answer to the n-th request is changed."""
    asked = itertools.count()

    def send(handler: BaseHTTPRequestHandler) -> None:
        body = handler.body  # type: ignore[attr-defined]
        each = body[0] if isinstance(body, list) else body
        result = {"web3_clientVersion": "anvil/v1.0.0", "eth_chainId": "0x7a69"}.get(each["method"], "0x0")
        answer = {"jsonrpc": "2.0", "id": each["id"], "result": result}
        if next(asked) >= at:
            change(answer)
        whole(json.dumps([answer] if isinstance(body, list) else answer).encode())(handler)

    return send


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer.pop("id"),
        lambda answer: answer.update(id=answer["id"] + 1),
        lambda answer: answer.update(id=str(answer["id"])),
        lambda answer: answer.update(id=bool(answer["id"])),
        lambda answer: answer.update(id=None),
        lambda answer: answer.update(id=0),
        lambda answer: answer.pop("result"),
    ],
    ids=["missing", "of another request", "a text", "a truth value", "null", "always the same", "no result"],
)
def test_an_answer_to_another_request_is_none(change: Callable[[dict[str, Any]], object]) -> None:
    with serving(answering(change, 1)) as url, pytest.raises(TargetFailed, match="eth_chainId: no JSON-RPC answer"):
        Node(url)
    with serving(answering(change, 1)) as url:
        wire = Wire(url)
        assert wire.ask([("eth_chainId", [])]) == ["0x7a69"]
        with pytest.raises(TargetFailed, match="eth_chainId: no JSON-RPC answer"):
            wire.ask([("eth_chainId", [])])


@pytest.mark.parametrize("chain", [1, 8453, 11155111])
def test_no_transaction_goes_to_a_public_chain_whatever_it_calls_itself(chain: int) -> None:
    asked = []

    def send(handler: BaseHTTPRequestHandler) -> None:
        body = handler.body  # type: ignore[attr-defined]
        method = body["method"]
        asked.append(method)
        result = {"web3_clientVersion": "anvil/v1.0.0", "eth_chainId": hex(chain)}.get(method, "0x0")
        whole(json.dumps({"jsonrpc": "2.0", "id": body["id"], "result": result}).encode())(handler)

    with serving(send) as url, pytest.raises(BadInput, match=f"it is of the public chain {chain}: "):
        Node(url)
    assert asked == ["web3_clientVersion", "eth_chainId"]


def test_a_slow_node_is_told_of_where_nothing_else_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "SECONDS_BETWEEN_PROGRESS", 1e9)
    with serving(answering(lambda answer: None, 9)) as url:
        wire = Wire(url)
        wire.ask([("eth_chainId", [])])
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(process, "SECONDS_BETWEEN_PROGRESS", 0.0)
        wire.ask([("eth_chainId", [])])
        assert capsys.readouterr().err == f"marginspec: answers of the node at {url}: 2 so far\n"
