"""`python -m tools.session FILE`: run the commands of the README's session, and keep what a terminal shows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.mutation import planted

SYSTEM = "morpho-blue"
BUG = "healthy-only-strictly"
CANDIDATE = Path("out") / "candidate" / "Morpho.json"

CHECK = f"marginspec check {SYSTEM}"
FUZZ = f"marginspec fuzz {SYSTEM} --artifact Morpho={CANDIDATE}"
REPEAT = "  repeat it: "


def record(file: Path) -> int:
    """Check the system, compare a candidate build that has a planted bug, repeat what is found."""
    _build_candidate()
    shown = [_run(CHECK, process.HOLDS), _run(FUZZ, process.BROKEN)]
    (repeat,) = [line.removeprefix(REPEAT) for line in shown[-1].splitlines() if line.startswith(REPEAT)]
    shown.append(_run(repeat, process.BROKEN))
    file.write_text("\n".join(shown))
    return process.HOLDS


def _build_candidate() -> None:
    (bug,) = [each for each in planted.load(SYSTEM) if each.id == BUG]
    (contract,) = planted.build(bug).values()
    CANDIDATE.parent.mkdir(parents=True, exist_ok=True)
    CANDIDATE.write_text(json.dumps({"abi": contract.abi, "bytecode": f"0x{contract.bytecode.hex()}"}))


def _run(command: str, expected: int) -> str:
    """The command's line and all that it prints as its result, provided that it ends as expected."""
    program = [sys.executable, "-P", "-m", "marginspec"]
    done = subprocess.run([*program, *command.split()[1:]], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != expected:
        raise BadInput(f"{command}: ended with code {done.returncode} instead of {expected}, so there is no session")
    return f"$ {command}\n{done.stdout}"


def main() -> None:
    """Record into the file that is named."""
    process.run(lambda: record(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
