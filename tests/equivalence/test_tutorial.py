"""The vault of the tutorial: with nothing written but its model, its bug is found, as calls that replay."""

import shutil
from pathlib import Path

import pytest
from command import Command

from marginspec.__main__ import main

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial"


def test_the_bug_of_the_vault_is_found(in_process: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert in_process(main, "init", "vault").returncode == 0
    shutil.copy(TUTORIAL / "vault.vy", "vault/contracts")
    for name in ("model.py", "laws.py", "spec.md", "spec.equivalent.toml"):
        shutil.copy(TUTORIAL / name, "vault")
    done = in_process(main, "equivalence", "vault", "--action", "withdraw")
    assert done.returncode == 1
    assert "withdraw: the model refuses by WDR-3, the contract accepts" in done.stdout
    (trace,) = Path("out/traces").glob("*.json")
    assert in_process(main, "replay", str(trace), "--system", "vault").returncode == 1
