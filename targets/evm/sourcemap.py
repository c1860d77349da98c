"""Where a function of a candidate build stands in its source, by the source map that its artifact carries.

Foundry's artifacts, Truffle's, and standard JSON output (solc, Vyper) carry one when they were asked for it; Hardhat's
do not. A map says which stretches of which file the bytecode was made from. The function is looked for by name in that
file's text, and believed only if the map has a stretch inside it: a file that has changed since, or another contract's
function of the same name, is no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marginspec.targets.evm.code import instructions

# A definition in Solidity, or in Vyper.
_DEFINITION = re.compile(rb"\b(?:function|def)\s+(\w+)\s*\(")


Stretch = tuple[int, int, int]
"""Start and length, in bytes, and the number of the file, -1 for none."""


@dataclass(frozen=True)
class SourceMap:
    """What an artifact says of a contract: its file, the paths of files by their numbers, as the compiler knew them,
    and the stretch that each instruction of its runtime code is made from, of Vyper that each byte is."""

    path: str
    paths: Mapping[int, str]
    stretches: list[Stretch]
    of_bytes: bool = False


@dataclass(frozen=True)
class LineMap:
    """File and line (from 1) that each instruction of runtime code, or each byte, is made from, None where none is.

    Empty where an artifact cannot tell.
    """

    lines: list[tuple[Path, int] | None]
    of_bytes: bool = False

    def of(self, code: bytes) -> Iterator[tuple[int, tuple[Path, int]]]:
        """The place of each instruction of some code, with its file and line; nothing of those that have none."""
        places = range(len(code)) if self.of_bytes else instructions(code)
        for at, line in zip(places, self.lines, strict=False):  # what follows code is data
            if line is not None:
                yield at, line


def function_lines(name: str, artifact: Path, root: Path) -> dict[str, tuple[Path, int]]:
    """File and line (from 1) of each function of contract `name`; empty where the artifact cannot tell.

    root: where the paths of sources begin; failing that, they begin in some folder above the artifact.
    """
    try:
        return _function_lines(name, artifact, root)
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return {}  # whatever the artifact says of its sources, it only shows where to look


def line_map(name: str, artifact: Path, root: Path) -> LineMap:
    """What an artifact says of contract `name`. root: as of `function_lines`."""
    try:
        found = _source(name, json.loads(artifact.read_text("utf-8-sig")))
        files = {number: _file(path, artifact, root) for number, path in found.paths.items()}
        texts = {number: file.read_bytes() for number, file in files.items() if file is not None}
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return LineMap([])
    lines: dict[Stretch, tuple[Path, int] | None] = {}
    for start, length, number in set(found.stretches):
        file, text = files.get(number), texts.get(number, b"")
        inside = file is not None and 0 <= start < start + length <= len(text)
        lines[start, length, number] = (file, text.count(b"\n", 0, start) + 1) if file and inside else None
    return LineMap([lines[stretch] for stretch in found.stretches], found.of_bytes)


def _function_lines(name: str, artifact: Path, root: Path) -> dict[str, tuple[Path, int]]:
    source = _source(name, json.loads(artifact.read_text("utf-8-sig")))
    file = _file(source.path, artifact, root)
    if file is None:
        return {}
    text = file.read_bytes()
    own = {(start, length) for start, length, number in source.stretches if source.paths.get(number) == source.path}
    starts = [*_DEFINITION.finditer(text)]
    ends = [found.start() for found in starts[1:]] + [len(text)]
    found: dict[str, tuple[Path, int]] = {}
    for definition, end in zip(starts, ends, strict=True):
        if any(definition.start() <= begin and begin + length <= end for begin, length in own):
            found.setdefault(definition[1].decode(), (file, text.count(b"\n", 0, definition.start()) + 1))
    return found


def _file(path: str, artifact: Path, root: Path) -> Path | None:
    above = [folder / path for folder in artifact.resolve().parents]
    return next((file for file in (root / path, *above) if file.is_file()), None)


def _source(name: str, data: Mapping[str, Any]) -> SourceMap:
    """What an artifact says of contract `name`; raises anything where it does not say, or has no map."""
    data = data.get("output", data)  # of a build-info
    file, paths, compact = _standard(name, data) if "contracts" in data else _single(name, data)
    if isinstance(compact, dict):  # Vyper
        return SourceMap(file, paths, _stretches(compact["pc_pos_map_compressed"]), of_bytes=True)
    return SourceMap(file, paths, _stretches(compact))


def _standard(name: str, data: Mapping[str, Any]) -> tuple[str, dict[int, str], Any]:
    """Standard JSON output, which numbers its sources itself."""
    ((file, contract),) = [(f, c[name]) for f, c in data["contracts"].items() if name in c]
    compact = contract["evm"]["deployedBytecode"]["sourceMap"]
    return file, {int(source["id"]): path for path, source in data["sources"].items()}, compact


def _single(name: str, data: Mapping[str, Any]) -> tuple[str, dict[int, str], str]:
    """An artifact of one contract, which knows the number of its own file alone."""
    if "deployedSourceMap" in data:  # Truffle
        _, _, number = data["ast"]["src"].split(":")
        return data["ast"]["absolutePath"], {int(number): data["ast"]["absolutePath"]}, data["deployedSourceMap"]
    compact = data["deployedBytecode"]["sourceMap"]
    metadata = data["metadata"]
    settings = (json.loads(metadata) if isinstance(metadata, str) else metadata)["settings"]
    ((file, _),) = settings["compilationTarget"].items()
    return file, {int(data["id"]): file}, compact


def _stretches(compact: str) -> list[Stretch]:
    """The stretch of each instruction. An empty field is that of the entry before."""
    found, fields = list[Stretch](), ["-1", "-1", "-1"]
    for entry in compact.split(";"):
        given = entry.split(":")[:3]
        fields = [new or old for new, old in zip(given + [""] * (3 - len(given)), fields, strict=True)]
        start, length, number = map(int, fields)
        found.append((start, length, number))
    return found
