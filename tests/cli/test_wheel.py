"""What a user installs works outside of any clone: no checkout, no node_modules, another folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`marginspec` of a wheel, in an environment with the dependencies of this one and without its clone."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    source = folder / "source"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("\0"):
        if name and (REPOSITORY / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, source / name, follow_symlinks=False)
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run(wheel, check=True)
    shutil.rmtree(source)
    environment = folder / "environment"
    venv.create(environment, with_pip=False)
    (packages,) = (environment / "lib").glob("python*/site-packages")
    (built,) = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--no-compile", "--target", str(packages), str(built)], check=True)
    # As a path, so that what makes the clone importable there is not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (environment / "bin" / "yices-smt2").symlink_to(Path(sys.executable).parent / "yices-smt2")
    return environment / "bin" / "python"


def done(program: Path, where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A verb, run in a folder by somebody who has nothing else."""
    keep = ("PATH", "LANG", "HOME", "MARGINSPEC_CACHE", "XDG_CACHE_HOME")
    environment = {name: os.environ[name] for name in keep if name in os.environ}
    command = [str(program), "-P", "-m", "marginspec", *arguments]
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_is_what_runs(program: Path, tmp_path: Path) -> None:
    told = [str(program), "-P", "-c", "import marginspec.base.text as it; print(it.__file__)"]
    file = subprocess.run(told, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert file.startswith(str(program.parents[1]))


def test_verbs_work_outside_of_a_clone(program: Path, tmp_path: Path) -> None:
    compared = done(program, tmp_path, "fuzz", "morpho-blue", "--steps", "2000", "--json")
    document = json.loads(compared.stdout)
    assert (document["divergences"], document["steps"]) == ([], 2000), compared.stderr
    checked = done(program, tmp_path, "check", "reference", "--steps", "300", "--budget", "25", "--json")
    assert checked.returncode == 3, checked.stderr
    assert json.loads(checked.stdout)["fuzz"]["divergences"] == []
    assert done(program, tmp_path, "init", "vault").returncode == 0
    assert done(program, tmp_path, "rules", "vault").returncode == 0
    (tmp_path / "check.json").write_text(checked.stdout)
    reported = done(program, tmp_path, "report", "check.json", "--out", "report.html")
    assert reported.returncode == 3, reported.stderr
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_what_needs_more_says_what_to_install_in_one_line(program: Path, tmp_path: Path) -> None:
    for arguments in (("fuzz", "morpho-blue", "--target", "anvil"), ("fuzz", "morpho-blue", "--target", "sdk")):
        refused = done(program, tmp_path, *arguments, "--steps", "100")
        assert refused.returncode == 2
        (line,) = [line for line in refused.stderr.splitlines() if line.startswith("marginspec: ")]
        assert "npm" in line or "anvil" in line
