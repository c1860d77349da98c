"""Questions to any Ethereum node over JSON-RPC, in batches; only reading, so that it need not be of this machine."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.process import still
from marginspec.base.text import printable

Method = Literal["eth_chainId", "eth_getBlockByNumber", "eth_getCode", "eth_getLogs", "eth_call"]
Request = tuple[Method, list[Any]]

READING = frozenset(get_args(Method))
TIMEOUT, ANSWER_SECONDS = 60.0, 120.0
"""Seconds to wait for the next bytes of an answer, and for all of it."""

BATCH = 500


@dataclass(frozen=True)
class Refused:
    """A node's error in the place of a result. data: what a reverted call returned, where the node says so."""

    code: int
    message: str
    data: str | None


class Wire:
    """A connection to one node. `name` is safe to show: a node's path, query and user may hold a secret.

    A batch that a node does not take is halved, and so are all later ones. Nothing is asked twice otherwise: who asks
    decides what to do when the node has gone.
    """

    def __init__(self, url: str) -> None:
        """Raises `BadInput` for what is no URL of a node."""
        # Here, because it takes as long as the rest of a start, which whoever reads no node need not wait.
        import requests

        from marginspec.targets.evm.session import NodeSession

        self.name = _name(url)
        self._url = url
        self._batch, self._asked = BATCH, 0
        self._session = NodeSession(ANSWER_SECONDS)
        self._errors = requests.exceptions
        # A proxy of the environment would carry requests for this machine to another.
        self._session.trust_env = not _is_loopback(url)

    def ask(self, asked: Sequence[Request]) -> list[Any]:
        """The result or `Refused` of each of the first requests, of as many as the node takes at once: one at least.

        Raises `TargetFailed` when the node does not answer, or not with JSON-RPC.
        """
        # Not an assertion: on this depends that no live chain is written to.
        if any(method not in READING for method, _ in asked):
            raise ValueError("a wire carries questions only")
        while True:
            sent = asked[: self._batch]
            answers = self._post(sent)
            if answers is not None:
                return answers
            self._batch = max(1, len(sent) // 2)

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def failed(self, what: str) -> TargetFailed:
        """The error for an answer that makes no sense."""
        return TargetFailed(f"the node at {self.name} failed: {printable(what)}")

    def _post(self, sent: Sequence[Request]) -> list[Any] | None:
        """The answers to a batch; None when the node did not take it, which of a single request is a failure."""
        body = numbered(sent, self._asked)
        self._asked += len(sent)
        try:
            with self._session.post(self._url, json=body, timeout=TIMEOUT, allow_redirects=False) as response:
                status, text = response.status_code, response.content
            answer = json.loads(text)
        except json.JSONDecodeError:
            answer = None
        except (self._errors.RequestException, ValueError, RecursionError) as error:
            raise self.failed(f"it does not answer ({type(error).__name__})") from None
        still(f"the node at {self.name}", self._asked)
        found = in_order(answer, body)
        if found is None and len(sent) == 1:
            raise self.failed(f"{sent[0][0]}: no JSON-RPC answer (HTTP status {status})")
        return found


def numbered(asked: Sequence[tuple[str, list[Any]]], first: int) -> list[dict[str, Any]]:
    """Requests as JSON-RPC has them. first: the number of the first, so that no two of a connection have the same."""
    return [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
        for number, (method, parameters) in enumerate(asked, first)
    ]


def in_order(answer: Any, sent: Sequence[Mapping[str, Any]]) -> list[Any] | None:
    """The result or `Refused` of each request, in their order; None unless there is exactly one for each."""
    if not isinstance(answer, list) or len(answer) != len(sent):
        return None
    found: dict[int, Any] = {}
    for each in answer:
        number = each.get("id") if isinstance(each, dict) else None
        if type(number) is not int or ("result" in each) == ("error" in each):
            return None
        found[number] = each["result"] if "result" in each else _refused(each["error"])
    numbers = [each["id"] for each in sent]
    return [found[number] for number in numbers] if found.keys() == set(numbers) else None


def _refused(error: Any) -> Refused:
    known = error if isinstance(error, dict) else {"message": str(error)}
    code, data = known.get("code"), known.get("data")
    return Refused(
        code if isinstance(code, int) else 0, str(known.get("message")), data if isinstance(data, str) else None
    )


def _name(url: str) -> str:
    """Scheme, host and port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        raise BadInput(f"not a node's URL: {printable(url, 40)}: give one like http://127.0.0.1:8545")
    shown = f"[{host}]" if ":" in host else host
    return printable(f"{parts.scheme}://{shown}" + (f":{port}" if port else ""), 100)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
