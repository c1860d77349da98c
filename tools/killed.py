"""`python -m tools.killed [--seed N] [--moments N] [--only VERB]`: `kill -9` at random moments of every verb.

After each: nothing of it is left running, no file is cut off, and the same command ends as it does undisturbed. What
goes wrong is shown. Exit code 1 if anything does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from marginspec.base import process
from marginspec.base.cache import _folder
from marginspec.base.files import PARTIAL
from tools.hostile.inputs import DIFF, PRICES, inputs

SECONDS_TO_END = 10.0
"""Of what a killed process started."""

BUILD = ("--artifact", "Morpho=Morpho.json")

VERBS: Mapping[str, tuple[str, ...]] = {
    "check": ("check", "venue", "--steps", "300", "--junit", "out/junit.xml", "--sarif", "out/x.sarif"),
    "fuzz": ("fuzz", "morpho-blue", "--steps", "2000", "--corpus", "corpus", *BUILD),
    "prove": ("prove", "venue", "--emit-smt2", "out/smt2"),
    "fuzz of a node": ("fuzz", "venue", "--steps", "300", "--target", "anvil"),
    "replay": ("replay", "t.json"),
    "mutate": ("mutate", "venue", "--no-planted", "--no-proofs", "--steps", "100"),
    "vectors": ("vectors", "venue", "--out", "out/v", "--steps", "500"),
    "diff": (*DIFF, "--book", "book.csv", *PRICES),
    "diff of builds": ("diff", "morpho-blue", "shipped", "Morpho=Morpho.json", "--steps", "1000"),
    "export": ("export", "t.json", "--out", "out"),
    "report": ("report", "d.json", "--out", "out/r.html"),
    "rules": ("rules", "morpho-blue"),
    "audit": ("audit", "morpho-blue", "--accounts", "40"),
    "campaign": ("campaign", "start", "venue", "--steps", "40000"),
    "simulate": ("simulate", "reference", "--accounts", "20", "--runs", "2", "--path", "gbm", "--hours", "26"),
    "equivalence": ("equivalence", "venue"),
    "bounds": ("bounds", "preset.toml"),
}
"""Short runs, one at least of each verb that takes long enough to be killed."""


def main() -> int:
    """Kill in turn, so that every verb is killed as often as any other."""
    parser = argparse.ArgumentParser(prog="python -m tools.killed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--moments", type=int, default=100)
    parser.add_argument("--only", choices=[*VERBS])
    given = parser.parse_args()
    verbs = [given.only] if given.only else [*VERBS]
    draw, wrong = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory() as folder, process.progress("kills", given.moments) as advance:
        template = Path(folder) / "template"
        _fill(template)
        undisturbed = {verb: _undisturbed(VERBS[verb], template) for verb in verbs}
        for number in range(given.moments):
            verb = verbs[number % len(verbs)]
            code, seconds = undisturbed[verb]
            after = draw.uniform(0.0, seconds)
            place = Path(folder) / "place"
            shutil.copytree(template, place)
            for problem in _killed(VERBS[verb], place, after, code):
                wrong += 1
                print(f"{verb}, after {after:.2f} of {seconds:.2f} s: {problem}", flush=True)
            shutil.rmtree(place)
            advance(number + 1)
    print(json.dumps({"moments": given.moments, "wrong": wrong, "verbs": undisturbed}), file=sys.stderr)
    return int(wrong > 0)


def _fill(place: Path) -> None:
    """The files that verbs read, a system of one's own, and a cache with all that is compiled and nothing proved."""
    known = inputs()
    files = {name: known[kind] for name, kind in (("Morpho.json", "broken build"), ("t.json", "trace"))}
    files |= {"book.csv": known["book"], "preset.toml": known["preset"], "d.json": known["document of bounds"]}
    place.mkdir()
    for name, given in files.items():
        (place / name).write_bytes(given.content)
    (place / "tmp").mkdir()
    cache = _folder()
    assert cache is not None
    shutil.copytree(cache, place / "cache", ignore=shutil.ignore_patterns("proof-*"))
    assert _run(("init", "venue"), place) == 0


def _undisturbed(command: tuple[str, ...], template: Path) -> tuple[int, float]:
    """The exit code of a command, and how long it takes."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "place"
        shutil.copytree(template, place)
        started = time.monotonic()
        return _run(command, place), time.monotonic() - started


def _environment(place: Path) -> dict[str, str]:
    own = {"HOME": str(place), "TMPDIR": str(place / "tmp"), "MARGINSPEC_CACHE": str(place / "cache")}
    return {**os.environ, **own}


def _run(command: tuple[str, ...], place: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "marginspec", *command],
        cwd=place,
        env=_environment(place),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode if "Traceback" not in done.stderr else process.INTERNAL


def _killed(command: tuple[str, ...], place: Path, after: float, code: int) -> Iterator[str]:
    """What is wrong once a command was killed, and did the same again."""
    with subprocess.Popen(
        [sys.executable, "-m", "marginspec", *command],
        cwd=place,
        env=_environment(place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(after)
        running.kill()
    deadline = time.monotonic() + SECONDS_TO_END
    while (left := _at_work_in(place)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for pid in left:
        yield f"{_command_of(pid)} is left running"
        os.kill(pid, signal.SIGKILL)
    yield from _cut_off(place, "after the kill")
    if (again := _run(command, place)) != code:
        yield f"the next run ends with code {again}, not {code}"
    yield from _cut_off(place, "after the next run")


def _at_work_in(place: Path) -> list[int]:
    """The processes of a folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if each.readlink().is_relative_to(place) and int(each.parent.name) != os.getpid():
                found.append(int(each.parent.name))
    return found


def _command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:80]
    return str(pid)


def _cut_off(place: Path, when: str) -> Iterator[str]:
    """Files that are empty, or JSON that does not end; those that say that they are not whole aside."""
    for file in place.rglob("*"):
        name = file.relative_to(place)
        if not file.is_file() or name.parts[0] in ("tmp", "venue") or name.name.endswith(PARTIAL):
            continue
        text = file.read_bytes()
        if not text:
            yield f"{name} is empty {when}"
        elif file.suffix in (".json", ".sarif") or name.parts[0] == "corpus":
            try:
                json.loads(text)
            except ValueError:
                yield f"{name} is cut off {when}"
        elif file.suffix == ".html" and not text.rstrip().endswith(b"</html>"):
            yield f"{name} is cut off {when}"


if __name__ == "__main__":
    sys.exit(main())
