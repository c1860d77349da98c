"""What each verb writes with `--json`, and its exit code, are as recorded: scripts and CI of others read them.

Fields may be added, never renamed or removed within a schema number. `python tests/cli/test_recordings.py` records.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from marginspec.__main__ import main

REPOSITORY = Path(__file__).parents[2]
RECORDED = REPOSITORY / "tests" / "recordings"

GIVEN = ("examples/book.csv", "spec/presets/balanced.toml", "spec/presets/conservative.toml", "findings/sdk/SDK-3.json")
"""Copied to where the verbs run."""

COMMANDS = {
    "init": "init strongroom",
    "rules": "rules morpho-blue",
    "bounds": "bounds balanced.toml",
    "prove": "prove morpho-blue --only MB-LIQ-1 --only MB-HLT-5",
    "fuzz": "fuzz morpho-blue --steps 400 --seed 3",
    "fuzz-laws-only": "fuzz reference --steps 200 --laws-only",
    "check": "check strongroom --steps 2000",
    "mutate": "mutate strongroom --steps 500 --no-proofs",
    "vectors": "vectors strongroom --steps 500",
    "replay": "replay SDK-3.json --target sdk",
    "export": "export SDK-3.json --target sdk --out tests",
    "diff": "diff reference balanced.toml conservative.toml --book book.csv --price ETH=2000 --price BTC=40000",
    "diff-builds": "diff strongroom shipped shipped --steps 500",
    "simulate": "simulate reference --accounts 20 --runs 2 --path gbm --hours 26",
    "audit": "audit morpho-blue --accounts 20",
    "report": "report SDK-3.json --out report.html",
    "config": "config",
    "unknown": "prove nothing",
}

VOLATILE = {
    "seconds",
    "steps_per_second",
    "cases",
    "sha256",
    "digest",
    "time",
    "hash",
    "state",
    "rechecked",
    "cached",
    "provenance",
}
"""Keys whose values differ from run to run, or with what no reader of a document counts on."""


def done(command: str) -> dict[str, Any]:
    """Exit code, what is written as JSON, and the errors, of a command that runs in this folder."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    arguments, sys.argv = sys.argv, ["marginspec", *command.split(), "--json"]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        sys.argv = arguments
    said = [
        line for line in err.getvalue().splitlines() if not re.match(r"marginspec: [a-z ]+: [\d,]+ of|.*\(once\)", line)
    ]
    return {"code": code, "document": steady(json.loads(out.getvalue() or "null")), "errors": said if code == 2 else []}


def steady(value: Any) -> Any:
    """A document without what is volatile, and places in files without their lines."""
    if isinstance(value, dict):
        return {key: steady(each) for key, each in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return [steady(each) for each in value]
    return re.sub(r"(\.\w+):\d+", r"\1", value) if isinstance(value, str) else value


def all_done(folder: Path) -> dict[str, dict[str, Any]]:
    """Every command, in order: the later ones use what the first wrote."""
    before = Path.cwd()
    for name in GIVEN:
        shutil.copy(REPOSITORY / name, folder)
    (folder / "node_modules").symlink_to(REPOSITORY / "node_modules")
    os.chdir(folder)
    try:
        return {name: done(command) for name, command in COMMANDS.items()}
    finally:
        os.chdir(before)


def extends(now: Any, then: Any, at: str = "") -> list[str]:
    """Where something is not as it was, but for fields of objects that are new."""
    if isinstance(then, dict) and isinstance(now, dict):
        gone = [f"{at}.{key} is gone" for key in then.keys() - now.keys()]
        return gone + [line for key in then.keys() & now.keys() for line in extends(now[key], then[key], f"{at}.{key}")]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [line for n, pair in enumerate(zip(now, then, strict=True)) for line in extends(*pair, f"{at}[{n}]")]
    return [] if now == then else [f"{at}: {str(then)[:80]} was, {str(now)[:80]} is"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return all_done(tmp_path_factory.mktemp("recordings"))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_verb_writes_what_it_wrote(name: str, ran: dict[str, dict[str, Any]]) -> None:
    assert extends(ran[name], json.loads((RECORDED / f"{name}.json").read_text())) == []


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for name, found in all_done(Path(scratch)).items():
            (RECORDED / f"{name}.json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
