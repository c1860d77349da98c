"""What a pull request waits for: processor time of the gate in `examples/gate`, on a clean and a broken build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GATE = Path(__file__).parents[1] / "examples" / "gate"
BUG = "debt-rounds-down-in-health"
CHECK = ("check", "morpho-blue", "--artifact", "Morpho=out/Morpho.sol/Morpho.json", "--json")


def measure() -> dict[str, float]:
    """Run the gate on a clean build twice, then on a broken one; what was proved is kept after the first.

    Seconds of processor time: `clean_again`, and of the broken build `told`, up to the first line that tells of a
    divergence, and `broken`, to the end. Raises RuntimeError where a verdict is not the expected one.
    """
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "gate"
        shutil.copytree(GATE, project, ignore=shutil.ignore_patterns("out", "src"))
        _run(project, [sys.executable, "candidate.py"], 0)
        check = [sys.executable, "-m", "marginspec", *CHECK]
        _run(project, check, 0)
        again = _run(project, check, 0)
        _run(project, [sys.executable, "candidate.py", BUG], 0)
        told = _run(project, [sys.executable, "-m", "marginspec", "fuzz", *CHECK[1:]], 1)
        return {"clean_again": again, "told": told, "broken": _run(project, check, 1)}


def _run(project: Path, command: list[str], code: int) -> float:
    """Seconds of processor time that a command takes, with all that it starts."""
    before = _spent()
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}, not {code}: {done.stderr[-500:]}")
    return round(_spent() - before, 1)


def _spent() -> float:
    children = os.times()
    return children.children_user + children.children_system
