"""A campaign is one run, whoever does its chunks and however often it is stopped; what is not done is no pass."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from command import Command, Done, refused

from marginspec.__main__ import main
from marginspec.lockstep import chunks
from marginspec.mutation import planted
from marginspec.report.live import LiveCampaign, live_page

SYSTEM = "morpho-blue"
STEPS = ("--steps", "900")
FOLDER = Path("out") / "campaign" / SYSTEM
BUG = "withdraw-for-anybody"


@pytest.fixture
def here(in_process: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Runs the command in a folder of its own; chunks are so short that a run has six."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chunks, "CHUNK_STEPS", 150)
    return functools.partial(in_process, main)


def document(done: Done) -> dict[str, Any]:
    """What is written, without what differs between a campaign and a run that is not kept."""
    told: dict[str, Any] = json.loads(done.stdout)
    return {name: value for name, value in told.items() if name not in ("campaign", "steps_per_second", "more_runs")}


def chunk(number: int) -> Path:
    return FOLDER / f"chunk-{number:06}.json"


def test_it_finds_what_one_run_finds_and_goes_on_where_it_stopped(here: Command) -> None:
    once = here("fuzz", SYSTEM, *STEPS, "--json")
    done = here("campaign", "start", SYSTEM, *STEPS, "--json")
    assert done.returncode == once.returncode
    assert document(done) == document(once)
    assert json.loads(done.stdout)["campaign"] == {"folder": str(FOLDER), "shard": None, "chunks": 6, "done": 6}
    chunk(1).unlink()
    chunk(4).write_text(chunk(4).read_text()[:-90])
    told = here("campaign", "status", SYSTEM, "--json")
    assert told.returncode == 3
    found = json.loads(told.stdout)
    assert (found["campaign"]["done"], found["steps"]) == (4, 600)
    assert found["below_floor"][-1] == "4 of 6 chunks are done"
    kept = {n: chunk(n).stat().st_mtime_ns for n in (0, 2, 3, 5)}
    again = here("campaign", "start", SYSTEM, "--json")
    assert document(again) == document(once)
    assert {n: chunk(n).stat().st_mtime_ns for n in kept} == kept


def test_shares_of_machines_are_one_run_when_their_files_are_put_together(here: Command, tmp_path: Path) -> None:
    for k in (1, 2):
        done = here("campaign", "start", SYSTEM, *STEPS, "--shard", f"{k}/2", "--folder", f"machine {k}", "--json")
        told = json.loads(done.stdout)
        assert told["campaign"] == {"folder": f"machine {k}/{SYSTEM}", "shard": f"{k}/2", "chunks": 3, "done": 3}
        assert told["steps"] == 450
    assert here("campaign", "status", SYSTEM, "--folder", "machine 1", "--json").returncode == 3
    for file in Path("machine 2", SYSTEM).glob("chunk-*.json"):
        shutil.copy(file, Path("machine 1", SYSTEM))
    together = here("campaign", "status", SYSTEM, "--folder", "machine 1", "--json")
    assert document(together) == document(here("fuzz", SYSTEM, *STEPS, "--json"))


def test_a_file_that_is_no_chunk_of_this_run_is_not_believed(here: Command) -> None:
    here("campaign", "start", SYSTEM, *STEPS)
    here("campaign", "start", SYSTEM, *STEPS, "--seed", "2", "--folder", "other")
    changed = json.loads(chunk(0).read_text())
    changed["counts"]["steps"] += 1000
    chunk(0).write_text(json.dumps(changed))
    shutil.copy(chunk(2), chunk(1))
    shutil.copy(Path("other", SYSTEM, "chunk-000003.json"), chunk(3))
    chunk(4).write_text("[" * 100_000)
    told = here("campaign", "status", SYSTEM, "--json")
    assert (told.returncode, json.loads(told.stdout)["campaign"]["done"]) == (3, 2)


def test_a_divergence_ends_it_and_is_there_the_next_time(here: Command) -> None:
    (bug,) = (each for each in planted.load(SYSTEM) if each.id == BUG)
    built = planted.build(bug)["Morpho"]
    Path("Morpho.json").write_text(json.dumps({"abi": built.abi, "bytecode": "0x" + built.bytecode.hex()}))
    done = here("campaign", "start", SYSTEM, *STEPS, "--artifact", "Morpho=Morpho.json", "--json")
    assert done.returncode == 1
    (row,) = document(done)["divergences"]
    assert here("replay", row["trace"], "--artifact", "Morpho=Morpho.json").returncode == 1
    again = here("campaign", "status", SYSTEM, "--json")
    assert (again.returncode, document(again)["divergences"]) == (1, document(done)["divergences"])


def test_a_page_tells_how_far_it_is_and_is_no_verdict(here: Command) -> None:
    here("campaign", "start", SYSTEM, *STEPS, "--shard", "1/2")
    done = here("campaign", "start", SYSTEM, *STEPS)
    page = FOLDER / "live.html"
    assert f"a page that renews itself: {page}" in done.stderr
    text = page.read_text()
    assert "6 of 6 done" in text
    assert "900 of 900:" in text
    assert "Nobody works on it now" in text
    assert "No divergence until now; this page is no verdict." in text
    assert "refresh" not in text
    before = page.read_text()
    here("campaign", "status", SYSTEM)
    assert page.read_text() == before


def test_what_a_page_shows_of_others_stays_text() -> None:
    evil = "<script>alert(1)</script>"
    told = LiveCampaign(
        *(evil, evil, evil, 3, 1, 150, 450, 10.0, 100, 50, 900, evil, evil, True),
        *({evil: 0, "SUP-1": 1}, {}, [(evil, evil)], "javascript:alert(1)"),
    )
    text = live_page(told)
    assert "<script" not in text
    assert "javascript:" not in text
    assert 'http-equiv="refresh"' in text
    assert "Diverged" in text
    assert "1 of 2 met" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("start", SYSTEM, "--seed", "2"), "its campaign has seed 1, not 2; give another --folder"),
        (("start", SYSTEM, "--steps", "901"), "its campaign has steps 900, not 901; give another --folder"),
        (("start", SYSTEM, "--artifact", "Morpho=m.json"), "its campaign has artifacts [], not ['Morpho=m.json']"),
        (("start", SYSTEM, "--shard", "3/2"), "--shard '3/2': expected K/N, e.g. 2/4, with K from 1 to N"),
        (("start", SYSTEM, "--shard", "9/9"), "--shard 9/9: the run has 6 chunks of"),
        (("status", SYSTEM, "--folder", "elsewhere"), "no chunk of a campaign is done there"),
        (("stop", SYSTEM, "--folder", "elsewhere"), "no campaign was started there"),
        (("start", "reference", "--folder", "damaged"), "no plan of a campaign; remove it, or give another --folder"),
        (("pause", SYSTEM), "'start', 'status', 'stop'"),
    ],
    ids=["seed", "steps", "artifact", "share", "no chunk", "nothing done", "nothing to stop", "plan", "what"],
)
def test_what_cannot_be_meant_is_one_line(here: Command, arguments: tuple[str, ...], said: str) -> None:
    here("campaign", "start", SYSTEM, *STEPS, "--shard", "1/6")
    Path("damaged", "reference").mkdir(parents=True)
    Path("damaged", "reference", "campaign.json").write_text('{"schema": "marginspec/campaign/1", "steps": -1}')
    refused(here("campaign", *arguments), said)


def test_it_is_stopped_or_killed_and_loses_no_chunk_that_was_done(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "marginspec", "campaign"]
    options = ["--steps", "4000000", "--json"]

    def started() -> "subprocess.Popen[str]":
        running = subprocess.Popen(
            [*command, "start", SYSTEM, *options], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        return running

    running = started()
    while not any(tmp_path.glob("out/campaign/*/chunk-*.json")):
        assert running.poll() is None
        time.sleep(0.1)
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    kept = {file: file.read_bytes() for file in tmp_path.glob("out/campaign/*/chunk-*.json")}
    running = started()
    while not (tmp_path / FOLDER / "campaign.json").is_file():
        time.sleep(0.1)
    time.sleep(2)
    assert subprocess.run([*command, "stop", SYSTEM], cwd=tmp_path, check=False, capture_output=True).returncode == 0
    told = json.loads(running.communicate(timeout=60)[0])
    assert running.returncode == 3
    assert "ended early: the campaign was stopped" in told["below_floor"]
    assert told["steps"] >= 20_000 * len(kept)
    assert {file: file.read_bytes() for file in kept} == kept
