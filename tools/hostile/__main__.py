"""`python -m tools.hostile [--seed N] [--inputs N] [--repeat NUMBER]`: damaged inputs, given to the verbs.

What goes wrong is shown with what repeats it, and kept in out/hostile/. Exit code 1 if anything does.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from marginspec.base import process
from marginspec.base.ending import end_with_parent
from tools.hostile.inputs import inputs
from tools.hostile.run import attempt, problems, without_proofs

KEPT = Path("out") / "hostile"

SECONDS_AT_MOST = 600.0
"""Whatever the machine is busy with; who waits for something that never comes spends no processor time."""


def main() -> int:
    """Try them, in as many processes as there are processors; what hangs in C ends its process, with where it was."""
    parser = argparse.ArgumentParser(prog="python -m tools.hostile")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, metavar="NUMBER")
    parser.add_argument("--share", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.repeat is not None:
        return _try(given.seed, range(given.repeat, given.repeat + 1))
    if given.share is not None:
        first, step = map(int, given.share.split("/"))
        return _try(given.seed, range(first, given.inputs, step))
    workers = os.cpu_count() or 1
    command = [sys.executable, "-m", "tools.hostile", "--seed", str(given.seed), "--inputs", str(given.inputs)]
    shares = [
        subprocess.Popen([*command, "--share", f"{n}/{workers}"], preexec_fn=end_with_parent) for n in range(workers)
    ]
    return max(share.wait() != 0 for share in shares)


def _try(seed: int, numbers: range) -> int:
    known, tried, codes, wrong = inputs(), Counter[str](), Counter[int | None](), 0
    with (
        without_proofs(),
        tempfile.TemporaryDirectory() as folder,
        process.progress("damaged inputs", len(numbers)) as advance,
    ):
        for done, number in enumerate(numbers, 1):
            case = attempt(known, seed, number)
            faulthandler.dump_traceback_later(SECONDS_AT_MOST, exit=True)
            code, found = problems(case, Path(folder))
            faulthandler.cancel_dump_traceback_later()
            tried[case.kind] += 1
            codes[code] += 1
            if found:
                wrong += 1
                place = KEPT / f"{seed}-{number}"
                for name, content in case.files.items():
                    (place / name).parent.mkdir(parents=True, exist_ok=True)
                    (place / name).write_bytes(content)
                print(
                    f"{number}, {case.kind}: marginspec {' '.join(case.command)}\n  " + "\n  ".join(found), flush=True
                )
            advance(done)
    print(json.dumps({"inputs": sum(tried.values()), "wrong": wrong, "codes": codes, "kinds": tried}), file=sys.stderr)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
