"""Where a function of a candidate build stands in its source, by the source map that its artifact carries.

Foundry's artifacts, Truffle's, and standard JSON output (solc, Vyper) carry one when they were asked for it; Hardhat's
do not. A map says which stretches of which file the bytecode was made from. The function is looked for by name in that
file's text, and believed only if the map has a stretch inside it: a file that has changed since, or another contract's
function of the same name, is no answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A definition in Solidity, or in Vyper.
_DEFINITION = re.compile(rb"\b(?:function|def)\s+(\w+)\s*\(")


@dataclass(frozen=True)
class MappedFile:
    """What an artifact says of one source file: its path as the compiler knew it, and its stretches in the map."""

    path: str
    stretches: frozenset[tuple[int, int]]


def function_lines(name: str, artifact: Path, root: Path) -> dict[str, tuple[Path, int]]:
    """File and line (from 1) of each function of contract `name`; empty where the artifact cannot tell.

    root: where the paths of sources begin; failing that, they begin in some folder above the artifact.
    """
    try:
        return _function_lines(name, artifact, root)
    except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return {}  # whatever the artifact says of its sources, it only shows where to look


def _function_lines(name: str, artifact: Path, root: Path) -> dict[str, tuple[Path, int]]:
    source = _source(name, json.loads(artifact.read_text("utf-8-sig")))
    file = _file(source.path, artifact, root)
    if file is None:
        return {}
    text = file.read_bytes()
    starts = [*_DEFINITION.finditer(text)]
    ends = [found.start() for found in starts[1:]] + [len(text)]
    found: dict[str, tuple[Path, int]] = {}
    for definition, end in zip(starts, ends, strict=True):
        if any(definition.start() <= begin and begin + length <= end for begin, length in source.stretches):
            found.setdefault(definition[1].decode(), (file, text.count(b"\n", 0, definition.start()) + 1))
    return found


def _file(path: str, artifact: Path, root: Path) -> Path | None:
    above = [folder / path for folder in artifact.resolve().parents]
    return next((file for file in (root / path, *above) if file.is_file()), None)


def _source(name: str, data: Mapping[str, Any]) -> MappedFile:
    """The file of contract `name`; raises anything where the artifact does not say which, or has no map."""
    data = data.get("output", data)  # of a build-info
    file, number, compact = _standard(name, data) if "contracts" in data else _single(name, data)
    return MappedFile(file, _stretches(compact, number))


def _standard(name: str, data: Mapping[str, Any]) -> tuple[str, int, str]:
    """Standard JSON output, which numbers its sources itself."""
    ((file, contract),) = [(f, c[name]) for f, c in data["contracts"].items() if name in c]
    compact = contract["evm"]["deployedBytecode"]["sourceMap"]
    if isinstance(compact, dict):  # Vyper
        compact = compact["pc_pos_map_compressed"]
    return file, int(data["sources"][file]["id"]), compact


def _single(name: str, data: Mapping[str, Any]) -> tuple[str, int, str]:
    if "deployedSourceMap" in data:  # Truffle
        _, _, number = data["ast"]["src"].split(":")
        return data["ast"]["absolutePath"], int(number), data["deployedSourceMap"]
    compact = data["deployedBytecode"]["sourceMap"]
    metadata = data["metadata"]
    settings = (json.loads(metadata) if isinstance(metadata, str) else metadata)["settings"]
    ((file, _),) = settings["compilationTarget"].items()
    return file, int(data["id"]), compact


def _stretches(compact: str, number: int) -> frozenset[tuple[int, int]]:
    """Start and length, in bytes, of each stretch of a file. An empty field is that of the entry before."""
    found, fields = set(), ["-1", "-1", "-1"]
    for entry in compact.split(";"):
        given = entry.split(":")[:3]
        fields = [new or old for new, old in zip(given + [""] * (3 - len(given)), fields, strict=True)]
        start, length, file = map(int, fields)
        if file == number:
            found.add((start, length))
    return frozenset(found)
