"""Laws that are false of their models and were proved once: each file of `attacks/` is a model and such a law, X-1."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from marginspec.prover.dependencies import Dependencies
from marginspec.prover.prove import Prover
from marginspec.prover.subset.check import outside

ATTACKS = sorted(Path(__file__).with_name("attacks").glob("*.py"))

LIMITED = {
    "helper": "only where these are not refused: quote",
    "numkey2": "only these: Ltv one ltv (0 to 50), other ltv (0 to 50)",
}
"""Of which it is proved what it says, within a limit that is printed with it."""


DECLARED = {
    "alikekind": "alice, bob are not alike: some are no Keeper",
    "argdef": "does not say the type of its x",
    "keyname2": "paths of variables are written so",
    "numkey": "needs a space",
    "overgiven": "is over a relaxation that speaks of some states only",
    "resttwo": "an identifier cannot be called rest 2",
    "totalover": "says what is refused, over a relaxation that does not",
    "twokinds": "may be the same number",
}
"""What is refused when it is declared, with what is said."""


MISUSED = {"swapargs", "otherdefault"}
"""Of which a replaced method takes other arguments than the model's own."""

OUTSIDE = {
    *("assumeaction", "assumehelper", "constalias", "everycount", "flatcmp", "flatlist", "liveview", "logcount"),
    *("maxbook", "namesof", "numlie", "subrecord", "termattr", "viewseq"),
}
"""What is written outside of the subset, which is checked before anything is proved."""


def loaded(file: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A file as a module that can be found by its name, as the subset demands."""
    name = f"marginspec_attack_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


# A third here, all of them with the long tests.
SOME = [pytest.param(file, id=file.stem, marks=[pytest.mark.long] * (n % 3 > 0)) for n, file in enumerate(ATTACKS)]


@pytest.mark.parametrize("file", SOME)
def test_a_false_law_is_not_proved(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if file.stem in DECLARED:
        with pytest.raises(ValueError, match=DECLARED[file.stem]):
            loaded(file, monkeypatch)
        return
    module = loaded(file, monkeypatch)
    (law,) = (claim for claim in module.chapter.properties if claim.id == "X-1")
    if file.stem in MISUSED:
        with pytest.raises(ValueError, match="takes other arguments than the model's own"):
            Prover(module.M).prove(law)
        return
    if file.stem in OUTSIDE:
        assert outside(module.M, module.chapter.properties)
        return
    if file.stem == "fakegiven":
        with pytest.raises(ValueError, match="two properties are called X-I"):
            Dependencies(module.M, module.chapter.properties)
        return
    found = Prover(module.M).prove(law)
    if file.stem in LIMITED:
        assert found.verdict == "proved"
        assert LIMITED[file.stem] in found.scope
    else:
        assert found.verdict in ("refuted", "unknown"), found.scope
        assert found.reason or found.counterexample
