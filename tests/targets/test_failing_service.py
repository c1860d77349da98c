"""A process of its own that hangs, lies, dies or answers what is none: one line, the exit code, and nothing lost."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# It prices by the model, so that what it answers is right until it does what it is told to do.
SERVICE = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from fractions import Fraction
from marginspec.model.risk.black import black

how, answered = sys.argv[1], 0
wad = lambda text: int(Fraction(text) * 10**18)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        global answered
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["options"]
        names = "forward", "strike", "volatility"
        found = [black(*(wad(o[name]) for name in names), o["seconds"], wad(o["discount"])) for o in asked]
        prices = [{"call": p.call / 1e18, "put": p.put / 1e18} for p in found]
        answered += len(asked)
        if answered > 200:
            if how == "hangs":
                time.sleep(60)
            if how == "dies":
                os._exit(9)
            if how == "lies":
                prices[-1]["call"] *= 1.01
            if how in ("NaN", "Infinity"):
                prices[50]["call"] = float(how.lower())
        body = json.dumps({"prices": prices}).encode()
        if answered > 200 and how == "malformed":
            body = body[:-20]
        self.send_response(200)
        length = len(body) + 9 if answered > 200 and how == "cut off" else len(body)
        self.send_header("content-length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def running(how: str, folder: Path) -> Iterator[str]:
    file = folder / "service.py"
    file.write_text(SERVICE)
    with subprocess.Popen([sys.executable, str(file), how], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("how", "code", "compared", "line"),
    [
        ("hangs", 4, 200, "gave no answer: ReadTimeout"),
        ("dies", 4, 200, "gave no answer: ConnectionError"),
        ("cut off", 4, 200, "gave no answer: ChunkedEncodingError"),
        ("malformed", 4, 200, "/options answered no JSON"),
        ("NaN", 4, 200, "NaN is no number"),
        ("Infinity", 4, 200, "Infinity is no number"),
        ("lies", 1, 300, ""),
    ],
)
def test_a_service_that_fails_is_one_line_and_what_was_compared_is_told(
    how: str, code: int, compared: int, line: str, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "tools.risk",
        "--kind",
        "option",
        "--count",
        "400",
        "--patience",
        "1",
        "--jobs",
        "1",
    ]
    with running(how, tmp_path) as url:
        done = subprocess.run(
            [*command, "--url", url], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
        )
    document = json.loads(done.stdout)
    assert done.returncode == code, done.stderr
    assert (document["asked"], document["questions"]) == (400, compared)
    assert document["figures"] == 2 * compared - (how == "lies")
    assert line in document["failed"]
    told = [each for each in done.stderr.splitlines() if "questions:" not in each]
    assert len(told) == (code == 4)
    if how == "lies":
        assert document["off"]["rule"] == "OPT-4"
        assert document["verdict"] == "broken"
    else:
        assert line in told[0]
        assert document["off"] is None
        assert document["verdict"] == "incomplete"
