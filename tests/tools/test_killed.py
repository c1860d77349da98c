"""`make killed` would tell what a killed run leaves behind."""

import subprocess
import sys
from pathlib import Path

from marginspec.base.files import PARTIAL
from tools.killed import VERBS, _at_work_in, _cut_off, _killed

FILES = {
    "out/whole.json": "{}",
    "out/cut.json": "{",
    "out/empty.xml": "",
    "out/cut.html": "<html>",
    "out/whole.html": "<html></html>\n",
    f"cache/.x.json.12{PARTIAL}": "{",
    "corpus/a/b": '{"schema"',
}


def test_what_is_cut_off_is_told(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert sorted(_cut_off(tmp_path, "now")) == [
        "corpus/a/b is cut off now",
        "out/cut.html is cut off now",
        "out/cut.json is cut off now",
        "out/empty.xml is empty now",
    ]


def test_what_is_left_running_is_found(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, stdin=subprocess.PIPE) as left:
        assert _at_work_in(tmp_path) == [left.pid]
        left.kill()
    assert _at_work_in(tmp_path) == []


def test_a_verb_that_was_killed_does_the_same_again_and_another_code_is_told(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    assert list(_killed(("rules", "morpho-blue"), tmp_path, 0.1, 0)) == []
    assert list(_killed(("rules", "no-such-system"), tmp_path, 0.1, 0)) == ["the next run ends with code 2, not 0"]


def test_every_verb_that_takes_long_is_killed() -> None:
    known = {"check", "fuzz", "prove", "replay", "mutate", "vectors", "diff", "export", "report", "audit", "bounds"}
    assert {command[0] for command in VERBS.values()} >= known
