"""A risk service over HTTP, as a target: what it answers is untrusted, and whatever else it does is `TargetFailed`.

A user's own service may have other names. A mapping file says which, TOML with two tables of texts: `[paths]` from the
paths of `risk_service.py` to its own, `[fields]` from the names of fields there to its own.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

import requests

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.text import printable

SECONDS_TO_ANSWER = 30.0
SECONDS_TO_START = 60.0
LONGEST_ANSWER = 1 << 26
RISK, FRAMEWORKS, SIMM = (
    Path(__file__).with_name(name) for name in ("risk_service.py", "frameworks_service.py", "simm_service.py")
)
"""Our own services."""


class ServiceRefused(Exception):  # noqa: N818 - an answer, not a failure
    """The service refuses a request as one that has no answer."""


@dataclass(frozen=True)
class ServiceNames:
    """What a service calls paths and fields that are called otherwise here."""

    paths: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


def names_from(file: Path) -> ServiceNames:
    """The names of a mapping file; BadInput says what is wrong with it."""
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"--names {file}: {printable(str(error), 120)}") from None
    if unknown := sorted(found.keys() - {"paths", "fields"}):
        raise BadInput(f"--names {file}: {unknown[0]}: expected tables paths and fields")
    for table, names in found.items():
        if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
            raise BadInput(f"--names {file}: {table} is no table of texts")
        if len(set(names.values())) < len(names):
            raise BadInput(f"--names {file}: {table} has one name for two")
    return ServiceNames(found.get("paths", {}), found.get("fields", {}))


class RiskService:
    """A service by its URL."""

    def __init__(self, url: str, names: ServiceNames | None = None, patience: float = SECONDS_TO_ANSWER) -> None:
        """url: `http://…`, without a path of its own or with one. patience: seconds for each answer, all of it."""
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"--url {printable(url, 80)!r}: expected http://HOST:PORT")
        self._url, self._names, self._patience = url.rstrip("/"), names or ServiceNames(), patience
        self._back = {own: ours for ours, own in self._names.fields.items()}
        self._session = requests.Session()
        self._session.trust_env = False

    def again(self) -> RiskService:
        """The same service by a connection of its own, for another process."""
        return RiskService(self._url, self._names, self._patience)

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What the service answers; ServiceRefused where it refuses, TargetFailed for anything that is no answer."""
        url = self.url(path)
        text = None if body is None else json.dumps(_renamed(body, self._names.fields))
        status, answer = self._exchange(url, text)
        if status in (400, 422):
            raise ServiceRefused(printable(answer.decode("utf-8", "replace"), 200))
        if status != 200:
            self._fail(path, f"answered with status {status}")
        try:
            found = json.loads(answer, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            self._fail(path, f"answered no JSON: {printable(str(error), 120)}")
        return _renamed(found, self._back)

    def url(self, path: str) -> str:
        """Where the service has a path."""
        return self._url + self._names.paths.get(path, path)

    def _exchange(self, url: str, text: str | None) -> tuple[int, bytes]:
        ends, parts, size = time.monotonic() + self._patience, [], 0
        headers = {"content-type": "application/json"}
        try:
            with self._session.request(
                "GET" if text is None else "POST", url, data=text, headers=headers, stream=True,
                timeout=self._patience, allow_redirects=False,
            ) as response:  # fmt: skip
                for part in response.iter_content(1 << 16):
                    parts.append(part)
                    size += len(part)
                    if size > LONGEST_ANSWER:
                        self._fail(url, f"answered with more than {LONGEST_ANSWER} bytes")
                    if time.monotonic() > ends:
                        self._fail(url, f"had not ended its answer after {self._patience:g} s")
                return response.status_code, b"".join(parts)
        except (requests.RequestException, ValueError) as error:
            self._fail(url, f"gave no answer: {type(error).__name__}")

    def _fail(self, where: str, what: str) -> NoReturn:
        raise TargetFailed(f"risk service {printable(self._url, 80)}: {printable(where, 80)} {what}")

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(name, name): _renamed(each, names) for name, each in value.items()}
    return [_renamed(each, names) for each in value] if isinstance(value, list) else value


@contextlib.contextmanager
def started(file: Path = RISK) -> Iterator[RiskService]:
    """Our service on a free port, stopped in every case. file: it, or an altered one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(file), "--port", str(port)]
    # A file, for a pipe that nobody reads stops who writes to it.
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=words, start_new_session=True)
        service = RiskService(f"http://127.0.0.1:{port}")
        try:
            _wait(process, service, words)
            yield service
        finally:
            service.close()
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], service: RiskService, words: IO[bytes]) -> None:
    ends = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            service.ask("/health")
            return
        except TargetFailed as failed:
            if process.poll() is not None:
                words.seek(0)
                last = (words.read().decode("utf-8", "replace").strip().splitlines() or [""])[-1]
                hint = ": make risk installs what it needs" if "ModuleNotFoundError" in last else ""
                raise TargetFailed(f"the risk service ended: {printable(last, 120)}{hint}") from None
            if time.monotonic() > ends:
                raise failed
            time.sleep(0.2)
