"""What travels with marginspec in the place of Morpho's npm package is what that package compiles to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marginspec.systems.morpho_blue import adapter
from tools.contracts import document


@pytest.mark.long
def test_the_contracts_that_travel_are_those_of_the_package() -> None:
    file = Path(adapter.__file__).with_name("contracts.json")
    assert json.loads(file.read_text()) == document(), (
        "run python -m tools.contracts systems/morpho_blue/contracts.json"
    )
