"""Some of the damaged inputs that `make hostile` gives to the verbs, and that it would tell what is wrong."""

import random
from pathlib import Path

import pytest

from tools.hostile.damage import damaged
from tools.hostile.inputs import Input, inputs
from tools.hostile.run import CODES, Attempt, attempt, problems, without_proofs

SEED = 2


@pytest.fixture(scope="module")
def known() -> dict[str, Input]:
    return inputs()


def test_damaged_inputs_end_as_the_contract_says(known: dict[str, Input], tmp_path: Path) -> None:
    found = {}
    with without_proofs():
        for kind, given in known.items():
            tried = attempt({kind: given}, SEED, 1)
            _, wrong = problems(tried, tmp_path)
            found |= {(kind, tried.command): wrong} if wrong else {}
    assert found == {}


def test_what_is_not_damaged_is_taken(known: dict[str, Input], tmp_path: Path) -> None:
    refused = {}
    with without_proofs():
        for kind, given in known.items():
            if kind.startswith("document of"):
                continue  # a second each, and what the tests of reports show
            tried = Attempt(kind, 0, given.commands[0], {**given.beside, given.name: given.file(given.content)}, CODES)
            code, wrong = problems(tried, tmp_path)
            if wrong or code in (2, 4):
                refused[kind] = (code, wrong)
    # A service that ends when it has said what it has to say.
    assert refused.keys() == {"answers of a service"}


def test_every_kind_of_input_is_changed_and_a_seed_repeats_it(known: dict[str, Input]) -> None:
    for given in known.values():
        several = [damaged(given.content, random.Random(seed)) for seed in (1, 1, 2, 3)]
        assert several[0] == several[1]
        assert len({given.content, *several}) > 2


@pytest.mark.parametrize(
    ("command", "files", "said"),
    [
        (("rules", "morpho-blue"), {}, "exit code 0"),
        (("init", "venue"), {}, "a file outside out/: venue/"),
        (("export", "t.json", "--out", "."), {"t.json": None}, "a file outside out/: t.itf.json"),
    ],
    ids=["code", "folder", "file"],
)
def test_what_is_wrong_is_told(
    command: tuple[str, ...], files: dict[str, None], said: str, known: dict[str, Input], tmp_path: Path
) -> None:
    codes = (1,) if said.startswith("exit") else CODES
    given = dict.fromkeys(files, known["trace"].content)
    _, wrong = problems(Attempt("", 0, command, given, codes), tmp_path)
    assert any(line.startswith(said) for line in wrong)
    assert not list(tmp_path.iterdir())
