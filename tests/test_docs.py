"""The pages of docs/ build as a site, and every link between them leads somewhere."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
