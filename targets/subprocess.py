"""An implementation behind a process that speaks JSON lines: any language, all of the rules or a part of them.

The tool writes one JSON object per line, the service answers each with one line, and nothing else, on its standard
output. Integers are decimal strings in both directions, identifiers are strings, truth values are JSON's. Names of
quantities are those of the model's `Machine.names()`, e.g. `positions[A][borrower].collateral`.

`{"op": "describe", "model": …, "constants": {name: value}, "variables": [names]}`, once: the quantities of the model,
    with the values of those that never change. Answer:
    `name`          what to call the implementation;
    `actions`       the actions that it takes; it is never asked for others;
    `observations`  the quantities that it keeps and reports;
    `inputs`        (optional) the quantities that it needs to be told of and does not change, such as time and prices;
    `quotes`        (optional) those of `actions` of which it computes the results only, without executing them.
`{"op": "load", "state": {name: value}}`: take these values over. Quantities not named keep theirs; the first `load`
    names every observation and input. Answer: `{}`.
`{"op": "apply", "action": …, "arguments": {name: value}}`: execute. Answer: `{"outcome": "accepted", "returns": […]}`
    or `{"outcome": "rejected", "reason": …}`, the reason being the ID of the model's rule, unless the adapter maps
    others. It may add `"changed": {name: value}`, the observations that changed; then it is not asked to `observe`,
    which saves a round trip per step. What it forgets to name is found when the sequence ends, by `observe`.
`{"op": "observe"}`: answer `{"observations": {name: value}}`, all of them.

A service that cannot go on answers `{"error": text}` or exits; the last line of its standard error is shown. It must
exit when its standard input ends. It is untrusted: what it says is checked, and shown only as printable text.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from marginspec.base.ending import end_group_with_this
from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.process import still
from marginspec.base.text import printable
from marginspec.model.kernel.machine import Call, Machine, Outcome, actions_of
from marginspec.model.kernel.record import Record
from marginspec.targets.protocol import Answer, Declared, Limits

SECONDS_TO_ANSWER = 10.0
GRACE = 1.0
LONGEST_LINE = 1 << 24
LAST_WORDS = 4096
_DECIMAL = re.compile(r"-?[0-9]{1,200}")
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Service:
    """A process that answers one line of JSON with another. Whatever else it does is `TargetFailed`, and ends it."""

    def __init__(self, command: Sequence[str], folder: Path | None = None, patience: float = SECONDS_TO_ANSWER) -> None:
        """Start `command` in `folder`; it has `patience` seconds for each answer. `BadInput` when it does not start."""
        self._patience, self._answered = patience, 0
        self._shown = f"service {printable(' '.join(command), 80)!r}"
        try:
            # A session of its own, so that whatever it starts (npx does) can be ended with it.
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except (OSError, IndexError, ValueError) as error:
            reason = printable(getattr(error, "strerror", None) or str(error))
            raise BadInput(f"cannot start {self._shown}: {reason}; give a command that runs here") from None
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        self._stdin, self._stdout, self._in, self._out = stdin, stdout, stdin.fileno(), stdout.fileno()
        os.set_blocking(self._in, False)
        self._writable, self._readable = select.poll(), select.poll()
        self._writable.register(self._in, select.POLLOUT)
        self._readable.register(self._out, select.POLLIN)
        # Its processes would outlive this one when that is killed, and go on with whatever they were told last.
        self._guard = end_group_with_this(self._process.pid)
        self._last_words = b""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and return the answer."""
        deadline = time.monotonic() + self._patience
        self._send(_encode(request).encode() + b"\n", deadline)
        line = self._receive(deadline)
        self._answered += 1
        still(self._shown, self._answered)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise self.failed(f"answered with what is no JSON object: {line[:80].decode(errors='replace')!r}")
        if "error" in answer:
            raise self.failed(f"gave up: {answer['error']}")
        return answer

    def failed(self, what: str) -> TargetFailed:
        """End the process; the error to raise, with the last line that it wrote to its standard error."""
        self.close()
        lines = self._last_words.decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return TargetFailed(f"{self._shown} {printable(what)}" + (f"; it said: {printable(last)}" if last else ""))

    def close(self) -> None:
        """End the process: by the end of its input, or by force when that is not enough. May be called again."""
        process = self._process
        if self._stdin.closed:
            return
        self._stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
        with self._guard:
            self._guard.kill()
        with contextlib.suppress(ProcessLookupError):  # what it started, which may not have ended with it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._stdout.close()
        self._listener.join(GRACE)

    def _listen(self) -> None:
        """Keep the end of the standard error, and keep the service from blocking on it."""
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            while chunk := stream.read(LAST_WORDS):
                self._last_words = (self._last_words + chunk)[-LAST_WORDS:]

    def _send(self, data: bytes, deadline: float) -> None:
        if self._stdin.closed:
            raise TargetFailed(f"{self._shown} was ended before")
        while data:
            self._wait(self._writable, deadline)
            try:
                data = data[os.write(self._in, data) :]
            except BrokenPipeError:
                raise self._exited() from None

    def _receive(self, deadline: float) -> bytes:
        received, chunk = bytearray(), b""
        while b"\n" not in chunk:
            if len(received) > LONGEST_LINE:
                raise self.failed(f"answered with a line of more than {LONGEST_LINE} bytes")
            self._wait(self._readable, deadline)
            chunk = os.read(self._out, 1 << 16)
            if not chunk:
                raise self._exited()
            received += chunk
        line, rest = bytes(received).split(b"\n", 1)
        if rest:
            raise self.failed(f"answered with more than one line: {rest[:80].decode(errors='replace')!r}")
        return line

    def _wait(self, pipe: select.poll, deadline: float) -> None:
        if not pipe.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise self.failed(f"did not answer within {self._patience:g} seconds")

    def _exited(self) -> TargetFailed:
        try:
            return self.failed(f"exited with status {self._process.wait(GRACE)}")
        except subprocess.TimeoutExpired:
            return self.failed("closed its input or output without exiting")


class ServiceTarget:
    """A service as a target, see `marginspec.targets.protocol.Partial`. As it is, for services that know rule IDs.

    A mirror of what the service holds makes loading cheap: only differences are sent, and only before the next call.
    """

    recheck_every = 1
    """Sequences from one `recheck` to the next: what a service forgets to name has no other witness."""

    def __init__(self, model: type[Machine], service: Service) -> None:
        self._service = service
        genesis = model.blank()
        names = genesis.names()
        constants = {name: _wire(value) for name, value in leaves(genesis, "")}
        for name in names:
            del constants[name]
        request = {"op": "describe", "model": model.__name__, "constants": constants, "variables": names}
        for call in model.prelude():
            genesis.apply(call)
        self._genesis: list[Any] = genesis.flatten()
        self._place = {name: place for place, name in enumerate(names)}
        self._describe(service.ask(request), model)
        self._mirror: list[Any] = [None] * len(self._genesis)
        self._pending: list[Any] | None = None

    def _describe(self, answer: Mapping[str, Any], model: type[Machine]) -> None:
        known: dict[str, Mapping[str, Any]] = {
            "actions": actions_of(model),
            "quotes": actions_of(model),
            "observations": self._place,
            "inputs": self._place,
        }
        described = {"quotes": [], "inputs": []} | dict(answer)
        for key, names in known.items():
            if not isinstance(described.get(key), list):
                raise self._service.failed(f"describes no list of {key}")
            for name in described[key]:
                if not isinstance(name, str) or name not in names:
                    raise self._service.failed(f"describes {key} with {name!r}, which the model does not have")
        if not described["actions"] or not described["observations"]:
            raise self._service.failed("describes no action or no observation: there is nothing to compare")
        held = described["observations"] + described["inputs"]
        if len(set(held)) != len(held):
            raise self._service.failed("describes a quantity twice")
        self.name = printable(str(answer.get("name", "service")), 60)
        self._actions, self._quotes = frozenset(described["actions"]), frozenset(described["quotes"])
        self.observed: list[int] = sorted(self._place[name] for name in described["observations"])
        self._observations = frozenset(described["observations"])
        self._held = [(name, self._place[name]) for name in held]

    # --- Target --------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        self.load(self._genesis)

    def apply(self, call: Call) -> Answer:
        self._synchronise()
        arguments = {name: _wire(value) for name, value in call.arguments.items()}
        answer = self._service.ask({"op": "apply", "action": call.action, "arguments": arguments})
        changed = answer.get("changed")
        for name, value in self._values(self._all() if changed is None else changed):
            self._mirror[self._place[name]] = value
        outcome, returns, reason = answer.get("outcome"), answer.get("returns"), answer.get("reason")
        if outcome == "accepted" and isinstance(returns, list):
            return Answer(True, tuple(self._integer(value) for value in returns))
        if outcome == "rejected" and isinstance(reason, str):
            return Answer(False, reason=printable(reason))
        raise self._service.failed(f"answered a call with {_encode(answer)[:200]}")

    def observe(self) -> list[Any]:
        mirror = self._mirror
        return [mirror[place] for place in self.observed]

    def recheck(self) -> list[Any]:
        self._synchronise()
        values = dict(self._values(self._all()))
        if values.keys() != self._observations:
            missing = min(self._observations - values.keys(), default="")
            raise self._service.failed(f"does not observe {missing}, which it describes")
        by_place = {self._place[name]: value for name, value in values.items()}
        return [by_place[place] for place in self.observed]

    def expected_reason(self, rule: str) -> str:
        return rule

    def close(self) -> None:
        self._service.close()

    # --- Partial -------------------------------------------------------------------------------------------------

    def implements(self, before: Machine, call: Call, outcome: Outcome) -> bool:
        return call.action in self._actions

    def executes(self, call: Call) -> bool:
        return call.action not in self._quotes

    def declared(
        self,
        before: Machine,
        call: Call,
        outcome: Outcome,
        answer: Answer,
        fields: Mapping[str, tuple[Any, Any]],
    ) -> Declared | None:
        return None

    def load(self, state: list[Any]) -> None:
        self._pending = state

    def limits(self) -> Limits:
        """What the service does not show; its adapter may state more."""
        return Limits(hidden=tuple(name for name in self._place if name not in self._observations))

    # --- The wire ------------------------------------------------------------------------------------------------

    def _synchronise(self) -> None:
        state, mirror = self._pending, self._mirror
        if state is None:
            return
        self._pending = None
        differing = {name: _wire(state[place]) for name, place in self._held if state[place] != mirror[place]}
        if differing:
            self._service.ask({"op": "load", "state": differing})
            self._mirror = state.copy()

    def _all(self) -> Any:
        return self._service.ask({"op": "observe"}).get("observations")

    def _values(self, given: Any) -> Iterator[tuple[str, Any]]:
        """Checked observations out of an answer."""
        if not isinstance(given, dict):
            raise self._service.failed("answered without observations")
        for name, value in given.items():
            if name not in self._observations:
                raise self._service.failed(f"observes {name!r}, which it does not describe")
            kind = type(self._genesis[self._place[name]])
            if kind is int:
                yield name, self._integer(value)
            elif type(value) is not kind:
                raise self._service.failed(f"observes {name}, a {kind.__name__}, as {_encode(value)[:80]}")
            else:
                yield name, printable(value) if kind is str else value

    def _integer(self, value: Any) -> int:
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise self._service.failed(f"answered {_encode(value)[:80]} where an integer as a decimal string is due")
        return int(value)


def _wire(value: Any) -> str | bool:
    return str(value) if type(value) is int else value


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Everything in a state, constants included, named as `Machine.names()` names what varies."""
    if isinstance(value, Record):
        for name in value.__dataclass_fields__:  # type: ignore[attr-defined]
            yield from leaves(getattr(value, name), f"{path}.{name}" if path else name)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}[{key}]")
    else:
        yield path, value
