"""Which lines of candidate builds a run executes, by the source maps of their artifacts: described, and as lcov."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput
from marginspec.base.files import writable_file, write_whole
from marginspec.equivalence.following import Following
from marginspec.systems import system
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.evm.sourcemap import line_map
from marginspec.targets.evm.target import EvmTarget
from marginspec.targets.protocol import Target

Lines = dict[Path, dict[int, bool]]
"""Of each file its lines that instructions are made from, and whether one of these ran."""


class Covered:
    """An implementation whose transactions are followed, on the embedded EVM."""

    def __init__(self, chosen: System, target: str, builds: Sequence[Candidate], file: Path) -> None:
        if target != "embedded":
            raise BadInput(f"--lcov: the embedded EVM alone tells which lines run, and the target is {target!r}")
        self._maps = {build.name: line_map(build.name, build.file, Path.cwd()) for build in builds}
        if not any(each.lines for each in self._maps.values()):
            raise BadInput("--lcov: no artifact has a source map whose files are here: give one by --artifact")
        writable_file(file)
        self._builds, self._file, self._chain = builds, file, Following()
        self.target = EvmTarget(target, chosen.adapter({build.name: build.artifact for build in builds}), self._chain)

    def told(self) -> dict[str, Any]:
        """Write lcov, and describe: followed and missed transactions, builds without a map, and lines of each file."""
        lines = self._lines()
        write_whole(self._file, "".join(map(_record, lines, lines.values())))
        return {
            "lcov": str(self._file),
            "followed": self._chain.followed,
            "missed": self._chain.missed,
            "unmapped": [name for name, each in self._maps.items() if not each.lines],
            "files": [
                {
                    "file": _shown(file),
                    "lines": len(ran),
                    "reached": sum(ran.values()),
                    "unreached": _stretches(line for line in sorted(ran) if not ran[line]),
                }
                for file, ran in lines.items()
            ],
        }

    def _lines(self) -> Lines:
        found: Lines = defaultdict(dict)
        for build in self._builds:
            for code in [code for code, made in self._chain.made.items() if made.startswith(build.artifact.bytecode)]:
                ran = self._chain.ran.get(code, set())
                for at, (file, line) in self._maps[build.name].of(code):
                    found[file][line] = found[file].get(line, False) or at in ran
        return dict(sorted(found.items()))


@contextlib.contextmanager
def opened(
    chosen: System, target: str, builds: Sequence[Candidate], file: Path | None
) -> Iterator[tuple[Target, Callable[[], dict[str, Any]]]]:
    """The implementation under test, closed in every case, and what tells which lines of it ran, for its document.

    file: for lcov; None where nobody asks, which tells nothing. Raises BadInput where no line can be told.
    """
    if file is None:
        with system.opened(chosen, target, builds) as implementation:
            yield implementation, dict
    else:
        found = Covered(chosen, target, builds, file)
        with contextlib.closing(found.target):
            yield found.target, lambda: {"lines": found.told()}


def _record(file: Path, ran: dict[int, bool]) -> str:
    lines = [f"DA:{line},{int(ran[line])}" for line in sorted(ran)]
    return "\n".join([f"SF:{_shown(file)}", *lines, f"LF:{len(ran)}", f"LH:{sum(ran.values())}", "end_of_record", ""])


def _shown(file: Path) -> str:
    return file.relative_to(Path.cwd()).as_posix() if file.is_relative_to(Path.cwd()) else str(file)


def _stretches(lines: Iterable[int]) -> list[str]:
    """Ascending numbers in words: 3, 7-9."""
    found: list[list[int]] = []
    for line in lines:
        if found and line == found[-1][1] + 1:
            found[-1][1] = line
        else:
            found.append([line, line])
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]
