"""The tutorial does what it says: its commands run, in order, and print what it shows; its excerpts are the files."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from marginspec.base.errors import BadInput
from marginspec.mutation.mutants import mutants_of
from marginspec.mutation.run import read_equivalents
from tools.tutorial import BLOCK, run

REPOSITORY = Path(__file__).parents[2]
TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
FILES = REPOSITORY / "docs" / "tutorial"

EXCERPT = re.compile(r"(?ms)^```(python|vyper|markdown)\n(.*?)^```$")

VARIES = (
    # What a run comes upon first, how it is shrunk, and which integers a solver chooses.
    (r"(?m)(^ +\d+ \w+\(.*\n)+", "calls\n"),
    (r"(?m)^(divergence|replay: diverges) .*", r"\1"),
    (r"out/traces/\S+", "trace"),
    (r"(?m)^  not reached: .*\n", ""),
    (r"(is broken, replayed on the model, by) .*", r"\1"),
    # What an earlier run of these tests proved.
    (r", \d+ of them proved before, from the same texts", ""),
    # Whether a second opinion came in time.
    (r"(yices|cvc5)\?", r"\1"),
    # Counts and seconds, and what tables make of their widths.
    (r"\d[\d,.]*", "#"),
    (r"[━─]+", "-"),
    (r" +", " "),
)


def stable(text: str) -> list[str]:
    """The lines of the tutorial without what may differ from run to run."""
    for pattern, instead in VARIES:
        text = re.sub(pattern, instead, text)
    return text.splitlines()


def test_the_commands_run_in_order_and_print_what_stands_there(tmp_path: Path) -> None:
    text = TUTORIAL.read_text()
    assert len(BLOCK.findall(text)) > 10
    now = run(text, REPOSITORY, tmp_path)
    assert stable(now) == stable(text), "record it: python -m tools.tutorial docs/tutorial.md"
    # What the story hangs on, where the comparison above is lax.
    assert re.search(r"\d withdraw\(.*\nreplay: diverges at step [2-4], ", now)
    assert re.search(r"VAULT-3 is broken, .*\bassets = \d+, back = \d+", now)
    assert re.search(r"replay: [2-4] steps, no difference on the build that is here", now)


def test_the_excerpts_are_the_files() -> None:
    excerpts = [text for _, text in EXCERPT.findall(TUTORIAL.read_text())]
    assert len(excerpts) > 4
    files = [path.read_text() for path in sorted(FILES.iterdir()) if path.is_file()]
    assert [excerpt for excerpt in excerpts if not any(excerpt in file for file in files)] == []


def test_a_command_that_ends_otherwise_than_it_should_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="`false` ended with code 1"):
        run("```console\n$ false\n```", REPOSITORY, tmp_path)


def test_what_is_shown_is_what_was_printed(tmp_path: Path) -> None:
    shown = run("before\n```console exit=3\n$ echo $MARGINSPEC\nold\n$ exit 3\n```\nafter\n", Path("/there"), tmp_path)
    assert shown == "before\n```console exit=3\n$ echo $MARGINSPEC\n/there\n$ exit 3\n```\nafter\n"


def test_the_changes_that_are_called_equivalent_exist() -> None:
    spec = spec_from_file_location("tutorial.model", FILES / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        changes = {mutant.id: mutant.change for mutant in mutants_of(module.Vault)}
    known = read_equivalents(FILES / "spec.equivalent.toml")
    assert known
    assert {id: changes.get(id) for id in known} == {id: each.change for id, each in known.items()}
