"""What contracts, traces and files say is shown as text: it never controls a terminal, nor ends a line or the verb."""

import copy
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Command, refused

from marginspec.base.files import write_whole
from marginspec.base.process import Output
from marginspec.base.text import printable, safe, visible
from marginspec.lockstep.trace import document, trace_of
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call

HOSTILE = "\x1b[31mred\u202e\n::error::x[/x]\ud800"


def texts_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every text in a document."""
    if isinstance(value, str):
        yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from texts_in(part, (*path, key))


def recorded() -> dict[str, Any]:
    supply = {"caller": "supplier", "market": "A", "assets": 7, "shares": 0, "on_behalf": "supplier"}
    trace = document(MorphoBlue, trace_of(MorphoBlue, "embedded", 1, [Call("supply", supply)], None))
    return {**trace, "divergence": {"rule": "x", "field": "x", "model": "x", "target": "x"}}


TEXTS = [path for path in texts_in(recorded()) if path[:2] != ("genesis", "prelude") and "positions" not in str(path)]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: ".".join(map(str, path)))
def test_no_text_of_a_trace_reaches_the_terminal_as_it_is(path: tuple[Any, ...], here: Command) -> None:
    trace: Any = copy.deepcopy(recorded())
    inner = trace
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = HOSTILE
    Path("trace.json").write_text(json.dumps(trace))
    done = here("replay", "trace.json")
    said = done.stdout + done.stderr
    assert done.returncode in (0, 1, 2)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert not any(line.startswith("::") for line in said.splitlines())


def test_what_is_shown_is_made_visible() -> None:
    assert printable(HOSTILE) == "\\u001b[31mred\\u202e\\u000a::error::x[/x]\\ud800"
    assert safe("a [/x] [red]b[/]") == r"a \[/x] \[red]b\[/]"
    assert visible("a\n\tb\x07") == "a\n\tb\\u0007"
    assert len(safe("x" * 10_000)) == 4_001


def test_what_is_no_markup_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Output().print("p[/red]/vault \x1b]0;title\x07")
    assert capsys.readouterr().out == "p[/red]/vault \\u001b]0;title\\u0007\n"


def test_a_folder_may_be_called_like_markup(here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "p[" / "red]"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert here("init", "oddly_placed").returncode == 0
    monkeypatch.chdir(tmp_path)
    try:
        assert here("rules", "p[/red]/oddly_placed").returncode == 0
        assert here("fuzz", "p[/red]/oddly_placed", "--steps", "50").returncode in (0, 3)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "oddly_placed"]:
            del sys.modules[name]


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tool = 3", None),
        ("[tool]\nmarginspec = 3", "tool.marginspec must be a table"),
        ("a = " + "[" * 3_000, "not TOML: nested too deeply"),
        ("[tool.marginspec]\nsteps = 0x" + "f" * 5_000, "not TOML: Exceeds the limit"),
        ("[tool.marginspec]\nsteps = -1", "steps must be"),
        ("\x00", "not TOML"),
    ],
    ids=["a number", "no table", "deep", "a huge number", "a negative number", "no text"],
)
def test_settings_of_odd_form_are_one_line(text: str, said: str | None, here: Command) -> None:
    Path("pyproject.toml").write_text(text)
    verb = ["check", "morpho-blue"]
    if said is None:
        assert here(*verb, "--steps", "1", "--budget", "1").returncode == 3
    else:
        refused(here(*verb), said)


@pytest.mark.parametrize("text", ["a = " + "[" * 3_000, "x = 0x" + "f" * 5_000, "\x00"])
def test_parameters_of_odd_form_are_one_line(text: str, here: Command) -> None:
    Path("preset.toml").write_text(text)
    refused(here("bounds", "preset.toml"), "preset.toml")


@pytest.mark.parametrize("verb", [["report", "--out", "x.html"], ["replay"], ["fuzz"]], ids=lambda verb: verb[0])
def test_links_that_lead_to_each_other_are_one_line(verb: list[str], here: Command) -> None:
    Path("one").symlink_to("other")
    Path("other").symlink_to("one")
    refused(here(verb[0], "one", *verb[1:]), "one")
    assert not Path("x.html").exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "new" / "file"
    write_whole(file, "before\ud800")
    assert file.read_text() == "before\\ud800"
    assert file.stat().st_mode & 0o777 == 0o666 & ~_umask()
    (tmp_path / "link").symlink_to(file)
    write_whole(tmp_path / "link", "after")
    assert (file.read_text(), (tmp_path / "link").is_symlink()) == ("before\\ud800", False)
    assert [path.name for path in file.parent.iterdir()] == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device of Linux")
def test_a_disk_that_is_full_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("before")
    monkeypatch.setattr(Path, "write_bytes", lambda self, content: _on_full_disk(content))
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "after")
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _on_full_disk(content: bytes) -> None:
    with open("/dev/full", "wb", 0) as full:
        full.write(content)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
