"""The pages of docs/ build as a site, every link leads somewhere, and what is counted in them is so."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from marginspec.model.kernel.machine import actions_of, regimes_of
from marginspec.results.rule_index import rules_document
from marginspec.systems.registry import NAMES, shipped

REPOSITORY = Path(__file__).parents[1]
ZENSICAL = Path(sys.executable).with_name("zensical")


def built(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ZENSICAL, "build", "--strict"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "docs", tmp_path / "docs")
    shutil.copy(REPOSITORY / "zensical.toml", tmp_path)
    return tmp_path


def test_every_page_is_built_and_no_link_is_dead(folder: Path) -> None:
    done = built(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    pages = {path.stem for path in (folder / "docs").glob("*.md")}
    assert {path.parent.name for path in (folder / "out" / "site").glob("*/index.html")} == pages - {"index"}


def test_a_dead_link_is_an_error(folder: Path) -> None:
    with (folder / "docs" / "index.md").open("a") as page:
        page.write("[nowhere](nowhere.md)\n")
    assert built(folder).returncode != 0


def test_every_recipe_is_from_the_file_that_it_names() -> None:
    page = (REPOSITORY / "docs" / "modelling.md").read_text()
    snippets = re.findall(r"^From `([^`]*)`:\n\n```python\n(.*?)\n```$", page, re.MULTILINE | re.DOTALL)
    assert len(snippets) == page.count("```python") > 0
    for file, snippet in snippets:
        assert f"{snippet}\n" in (REPOSITORY / file).read_text(), f"{file}: {snippet}"


def test_the_trusted_base_is_as_long_as_it_says() -> None:
    table = (REPOSITORY / "prover" / "SOUNDNESS.md").read_text()
    rows = re.findall(r"^\| (`[^:]*): [^|]* \| ([0-9,]+) \|$", table, re.MULTILINE)
    assert len(rows) == 7
    for files, said in rows:
        found = 0
        for name in re.findall(r"`([^`]*)`", files):
            path = next(p for p in (REPOSITORY / "prover" / name, REPOSITORY / name) if p.exists())
            texts = [path] if path.is_file() else sorted(path.rglob("*.py"))
            assert texts
            found += sum(len(text.read_text().splitlines()) for text in texts)
        assert abs(found - int(said.replace(",", ""))) <= 0.05 * found, files


@pytest.mark.parametrize("name", NAMES)
def test_the_catalogue_counts_what_each_system_has(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \| [^|]* \| (.*) \|$", (REPOSITORY / "README.md").read_text(), re.MULTILINE)
    chosen = shipped(name)
    assert chosen.planted is not None
    found = (
        len(rules_document(chosen)["rules"]),
        len(chosen.chapter.properties),
        len(actions_of(chosen.model)),
        len(regimes_of(chosen.model)),
        len(tomllib.loads(chosen.planted.read_text())["bug"]),
    )
    assert tuple(int(cell) for cell in row.split(" | ")) == found
