"""What a node has answered, kept in a file as it comes: whoever is interrupted need not ask again.

JSON lines. The first says what was read: other answers would be to other questions. Every other is `[question,
answer]`; a line that is cut off, as a killed process leaves it, is dropped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput

SCHEMA = "marginspec/audit-state/1"


class AnswerFile:
    """The answers in a file, by question. `known` is how many there were at first."""

    def __init__(self, file: Path, about: Mapping[str, str]) -> None:
        """Open or begin a file. about: what identifies the reading.

        Raises `BadInput` when the file is of another reading, is none, cannot be written, or is in use.
        """
        self.file = file
        self._answers: dict[str, Any] = {}
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._out = file.open("a+b")
        except OSError as error:
            raise BadInput(f"--state {file}: {error.strerror}; give a file that can be written") from None
        try:
            self._lock()
            self._load({"schema": SCHEMA, **about})
        except BaseException:
            self._out.close()
            raise
        self.known = len(self._answers)

    def __contains__(self, question: str) -> bool:
        return question in self._answers

    def __getitem__(self, question: str) -> Any:
        return self._answers[question]

    def keep(self, answers: Iterable[tuple[str, Any]]) -> None:
        """Add answers; they are in the file when this returns. Raises `BadInput` when the disk is full."""
        lines = []
        for question, answer in answers:
            self._answers[question] = answer
            lines.append(json.dumps([question, answer], separators=(",", ":")) + "\n")
        self._write("".join(lines))

    def close(self) -> None:
        """Let another reading have the file."""
        with contextlib.suppress(OSError):  # what does not fit was told of
            self._out.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BadInput(f"--state {self.file}: another audit is at work on it") from None

    def _load(self, header: Mapping[str, str]) -> None:
        self._out.seek(0)
        text = self._out.read()
        complete = text.rfind(b"\n") + 1
        first, *rest = text[:complete].splitlines() or [b""]
        if first:
            self._must_be(header, self._parsed(first, 1))
            for number, line in enumerate(rest, 2):
                row = self._parsed(line, number)
                if not isinstance(row, list) or len(row) != 2 or not isinstance(row[0], str):
                    raise self._malformed(number)
                self._answers[row[0]] = row[1]
        elif text and not header_begins(header, text):
            raise self._malformed(1)
        self._out.truncate(complete)
        if not first:
            self._write(json.dumps(header) + "\n")

    def _must_be(self, header: Mapping[str, str], found: Any) -> None:
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            raise self._malformed(1)
        for name, value in header.items():
            if found.get(name) != value:
                hint = "give another --state, or none"
                raise BadInput(f"--state {self.file}: of another reading, its {name} is not {value}; {hint}")

    def _parsed(self, line: bytes, number: int) -> Any:
        try:
            return json.loads(line)
        except (ValueError, RecursionError):
            raise self._malformed(number) from None

    def _malformed(self, number: int) -> BadInput:
        return BadInput(f"--state {self.file}: line {number} is not of an audit; remove the file or give another")

    def _write(self, text: str) -> None:
        try:
            self._out.write(text.encode())
            self._out.flush()
        except OSError as error:
            raise BadInput(f"--state {self.file}: {error.strerror}; what was answered before is kept there") from None


def header_begins(header: Mapping[str, str], text: bytes) -> bool:
    """Whether a file without a complete line is one that was cut off in its first, and not somebody's own."""
    return json.dumps(header).encode().startswith(text)
