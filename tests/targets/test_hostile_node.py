"""A node that answers wrongly once is told of, or it does not matter: it is neither a finding nor an error of ours."""

import contextlib
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.lockstep.campaign import run
from marginspec.systems.registry import shipped
from marginspec.targets.evm.rpc import start_anvil
from tools.hostile.damage import damaged

REQUESTS = 170
"""As many as it takes to set the contracts up and compare a few calls."""


class Proxy:
    """Stands before a node, and damages one answer of each connection."""

    def __init__(self, url: str) -> None:
        proxy = self
        self.left, self.draw = 0, random.Random()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = requests.post(url, data=body, headers={"Content-Type": "application/json"}, timeout=60).content
                proxy.left -= 1
                if proxy.left == 0:
                    answer = damaged(answer, proxy.draw)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def damage(self, seed: int) -> None:
        """Damage an answer from now on."""
        self.draw = random.Random(seed)
        self.left = self.draw.randrange(1, REQUESTS)


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with contextlib.closing(start_anvil()) as node:
        between = Proxy(node.url)
        yield between
        between.server.shutdown()
        between.server.server_close()


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20))])
def test_one_damaged_answer_is_told_of_or_does_not_matter(seed: int, proxy: Proxy) -> None:
    proxy.damage(seed)
    chosen, found, said = shipped("morpho-blue"), [], ""
    try:
        with contextlib.closing(chosen.open(proxy.url)) as target:
            found = run(chosen.model, target, 5, 1).divergences
    except (BadInput, TargetFailed) as told:
        said = str(told)
    assert said.isprintable()
    assert found == []


def test_a_node_that_answers_rightly_agrees(proxy: Proxy) -> None:
    proxy.left = 0
    chosen = shipped("morpho-blue")
    with contextlib.closing(chosen.open(proxy.url)) as target:
        assert run(chosen.model, target, 5, 1).divergences == []
