"""`marginspec simulate`: its text, its document, what it refuses, and the report that is made of it."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from command import Command, refused

REPOSITORY = Path(__file__).parents[2]
COMMAND = ("simulate", "reference", "--accounts", "40", "--runs", "2")
SHORT = "seconds,price\n" + "".join(f"{600 * n},{2000 - 12 * n}\n" for n in range(156))


@pytest.fixture
def prices(here: Command, tmp_path: Path) -> str:
    """A file of prices that fall for a day and more."""
    (tmp_path / "prices.csv").write_text(SHORT)
    return "prices.csv"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run of such prices wrote."""
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "prices.csv").write_text(SHORT)
    command = [sys.executable, "-m", "marginspec", *COMMAND, "--path", "prices.csv", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def test_it_says_what_became_of_the_accounts_in_eighty_columns(here: Command, prices: str) -> None:
    done = here(*COMMAND, "--path", prices)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    assert lines[0] == "prices.csv: 2 runs, 40 accounts, USD"
    assert any(line.startswith("bad debt") for line in lines)
    assert any(re.search(r"plain +allowed 0, seen 0, in [\d,]+ cases", line) for line in lines)
    assert lines[-1].startswith("verdict: holds")


def test_its_document_keeps_to_its_schema_and_makes_a_report(
    document: dict[str, Any], here: Command, tmp_path: Path
) -> None:
    schema = json.loads((REPOSITORY / "report" / "documents.schema.json").read_text())
    jsonschema.validate(document, {**schema, "$ref": "#/$defs/simulate"})
    assert (document["schema"], document["done"], document["verdict"]) == ("marginspec/simulate/1", 2, "holds")
    assert document["bad_debt"] == document["variants"][0]["figures"]["bad_debt"]
    assert len(document["path"]["sha256"]) == 64

    (tmp_path / "simulate.json").write_text(json.dumps(document))
    made = here("report", "simulate.json", "--out", "page.html")
    page = (tmp_path / "page.html").read_text()
    assert made.returncode == 0, made.stderr
    for title in ("Price paths", "Bad debt over time", "Bad debt with and without", "Reliability of predictions"):
        assert f"<strong>{title}" in page
    assert page.count("<svg") == 4
    assert "marginspec simulate reference --path prices.csv --runs 2 --accounts 40" in page


def test_a_loss_beyond_the_bound_is_broken_in_the_report_too_and_what_is_said_is_escaped(
    document: dict[str, Any], here: Command, tmp_path: Path
) -> None:
    document = copy.deepcopy(document)
    document["promise"][0]["realised"] = "1000000000000"
    document["verdict"] = "broken"
    document["path"]["told"] = "<script>alert(1)</script>"
    (tmp_path / "simulate.json").write_text(json.dumps(document))
    made = here("report", "simulate.json", "--out", "page.html")
    assert made.returncode == 1
    page = (tmp_path / "page.html").read_text()
    assert "lost more than the buffer theorem allows" in page
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_document_with_another_variant_is_refused(document: dict[str, Any], here: Command, tmp_path: Path) -> None:
    document = copy.deepcopy(document)
    document["variants"][0]["name"] = "magic"
    (tmp_path / "simulate.json").write_text(json.dumps(document))
    refused(here("report", "simulate.json", "--out", "page.html"), "'magic' is not one of")


def test_too_little_is_no_pass(here: Command, tmp_path: Path) -> None:
    (tmp_path / "calm.csv").write_text("seconds,price\n0,2000\n3600,2000\n7200,2000\n")
    done = here(*COMMAND, "--path", "calm.csv")
    assert done.returncode == 3
    assert "too little was seen; this is not a pass" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_what_was_interrupted_goes_on_where_it_stopped(sent: int, code: int, prices: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "marginspec", "simulate", "reference", "--accounts", "40", "--runs", "4"]
    command += ["--path", prices, "--json"]
    kept = tmp_path / "kept"

    def begin(*more: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "MARGINSPEC_CACHE": str(kept)}
        return subprocess.Popen(
            [*command, *more], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    with begin() as first:
        while first.poll() is None and not list(kept.glob("run-*.json")):
            time.sleep(0.02)
        first.send_signal(sent)
        said, _ = first.communicate(timeout=60)
    assert first.returncode == code
    if sent != signal.SIGKILL:
        partial = json.loads(said)
        assert partial["done"] < partial["runs"] == 4
        assert (partial["verdict"], partial["ended"]) == ("incomplete", f"interrupted by {signal.Signals(sent).name}")
    before = {file: file.stat().st_mtime_ns for file in kept.glob("run-*.json")}
    with begin() as again, begin("--no-cache") as anew:
        documents = [json.loads(each.communicate(timeout=60)[0]) for each in (again, anew)]
    assert again.returncode == anew.returncode == 0
    for each in documents:
        each["seconds"] = 0
    assert documents[0] == documents[1]
    assert documents[0]["done"] == len(list(kept.glob("run-*.json"))) == 4
    assert before
    assert {file: file.stat().st_mtime_ns for file in before} == before  # what was done was not done again


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["simulate", "morpho-blue"], "simulate takes reference alone"),
        (["simulate", "reference", "--path", "gmb"], "give gbm, jumps, garch, crash, or a file that ends in .csv"),
        (["simulate", "reference", "--path", "none.csv"], "none.csv: No such file or directory"),
        (["simulate", "reference", "--runs", "0"], "--runs"),
    ],
)
def test_bad_input_is_one_line(arguments: list[str], said: str, here: Command) -> None:
    refused(here(*arguments), said)
