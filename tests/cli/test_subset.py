"""A model or law outside the subset of Python ends every verb in one line, before anything of it runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command, refused

CACHE = "import functools\n\n\n@functools.cache\ndef tier(amount: int) -> int:\n    return 1 if amount > 10 else 2\n"
MODE = "import enum\n\n\nclass Mode(enum.IntEnum):\n    OPEN = 0\n    CLOSED = 1\n"
LAW = '''

@chapter.theorem("VAULT-5")
def told(vault: Vault, caller: User, amount: Amount) -> Any:
    """Something."""
'''

# The cases 05, 08, 09, 10 and 12 of the ways in which a false law was proved.
CASES = {
    "a set of constants": ("model.py", "if amount == 0:", "if amount in {0, 7}:", "the set `{0, 7}`"),
    "a cache": ("model.py", "FUNDS = 10**24\n", f"FUNDS = 10**24\n{CACHE}", "`import functools`"),
    "a type": ("laws.py", "", f"{LAW}    return isinstance(amount, int)\n", "`isinstance`"),
    "a text": ("laws.py", "", f'{LAW}    return f"{{amount}}" != "5"\n', "an f-string"),
    "a float": ("laws.py", "", f"{LAW}    return amount * 1.0 == amount\n", "the float 1.0"),
    "a swallowed error": (
        "laws.py",
        "",
        f"{LAW}    try:\n        d = amount % 10\n    except Exception:\n        d = 0\n    return d == 0\n",
        "`except Exception`",
    ),
    "an Enum": ("model.py", "FUNDS = 10**24\n", f"FUNDS = 10**24\n{MODE}", "`import enum`"),
}


@pytest.fixture
def vault(here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the scaffold, forgotten afterwards."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert here("init", "vault").returncode == 0
    yield tmp_path / "vault"
    for name in set(sys.modules) - known:
        if name.partition(".")[0] == "vault":
            del sys.modules[name]


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that occurs, or add one at the end."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1) if old else text + new)


def line_of(file: Path, text: str) -> int:
    """The first line that has a text."""
    return file.read_text().partition(text)[0].count("\n") + 1


@pytest.mark.parametrize("name", CASES)
def test_what_was_once_proved_is_refused_with_its_line(name: str, here: Command, vault: Path) -> None:
    file, old, new, said = CASES[name]
    edit(vault / file, old, new)
    where = said.removeprefix("an f-string").removeprefix("the float ").removeprefix("the set ").strip("`") or 'f"{'
    done = here("prove", "vault")
    refused(done, f"vault/{file}:{line_of(vault / file, where)}: {said}")
    assert " is outside the subset: write " in done.stderr


@pytest.mark.parametrize("verb", ["check", "prove", "fuzz", "equivalence", "mutate", "vectors", "audit", "rules"])
def test_every_verb_refuses_before_anything_runs(verb: str, here: Command, vault: Path) -> None:
    edit(vault / "model.py", "        if amount == 0:", "        assert amount\n        if amount == 0:")
    # What runs ends otherwise.
    edit(vault / "model.py", "return cls(total=0", "return cls(total=0 // 0")
    line = line_of(vault / "model.py", "assert amount")
    refused(here(verb, "vault"), f"vault/model.py:{line}: `assert` is outside the subset: write `raise Rejected")


def test_the_pytest_plugin_refuses_it(vault: Path) -> None:
    edit(vault / "model.py", "        if amount == 0:", "        assert amount\n        if amount == 0:")
    command = [sys.executable, "-m", "pytest", "-q", "--marginspec", "vault", "vault"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=vault.parent)
    assert (done.returncode, "`assert` is outside" in done.stderr) == (4, True), done.stderr
