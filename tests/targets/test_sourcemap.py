"""A function's line comes from the artifact's source map, or from nowhere."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marginspec.targets.evm.sourcemap import function_lines, line_map

SOURCE = """// SPDX: none — with a letter of more than one byte: é
contract Vault {
    function deposit(uint256 assets) external returns (uint256) {
        return assets;
    }

    function unused() internal {}

    function withdraw(
        uint256 shares
    ) external {}
}
"""
FILE = "src/Vault.sol"


def stretch(text: str, number: int = 4) -> str:
    """The stretch of a piece of the source, as an entry of a map."""
    return f"{len(SOURCE.partition(text)[0].encode())}:{len(text.encode())}:{number}:-:0"


MAP = ";".join([f"0:{len(SOURCE.encode())}:4:-:0", "", ":::i", stretch("return assets"), stretch("uint256 shares")])


def foundry(compact: str) -> dict[str, Any]:
    metadata = {"settings": {"compilationTarget": {FILE: "Vault"}}}
    return {"abi": [], "deployedBytecode": {"sourceMap": compact}, "metadata": metadata, "id": 4}


def foundry_with_raw_metadata(compact: str) -> dict[str, Any]:
    whole = foundry(compact)
    return {**whole, "metadata": json.dumps(whole["metadata"])}


def standard(compact: Any) -> dict[str, Any]:
    contract = {"evm": {"deployedBytecode": {"sourceMap": compact}}}
    return {"contracts": {"src/Other.sol": {"Other": {}}, FILE: {"Vault": contract}}, "sources": {FILE: {"id": 4}}}


def vyper(compact: str) -> dict[str, Any]:
    return standard({"pc_pos_map_compressed": compact})


def truffle(compact: str) -> dict[str, Any]:
    return {"ast": {"absolutePath": FILE, "src": "0:100:4"}, "deployedSourceMap": compact}


Form = Callable[[str], dict[str, Any]]
FORMS = (foundry, foundry_with_raw_metadata, standard, vyper, truffle)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / FILE).write_text(SOURCE)
    return tmp_path


def lines(project: Path, data: Any) -> dict[str, tuple[Path, int]]:
    artifact = project / "out" / "Vault.json"
    artifact.parent.mkdir(exist_ok=True)
    artifact.write_text(json.dumps(data))
    return function_lines("Vault", artifact, Path("/nowhere"))


@pytest.mark.parametrize("form", FORMS)
def test_functions_that_the_map_knows_have_their_lines_in_every_form(form: Form, project: Path) -> None:
    assert lines(project, form(MAP)) == {"deposit": (project / FILE, 3), "withdraw": (project / FILE, 9)}


def test_a_definition_in_vyper_is_found_too(project: Path) -> None:
    text = "total: uint256\n\n@external\ndef deposit(assets: uint256):\n    self.total += assets\n"
    (project / FILE).write_text(text)
    compact = f"{text.index('self')}:20:4:-"
    assert lines(project, vyper(compact)) == {"deposit": (project / FILE, 4)}


def test_a_source_that_changed_since_the_build_is_not_believed(project: Path) -> None:
    (project / FILE).write_text("// quite another file\n" * 3 + "function deposit() {}\n")
    assert lines(project, foundry(MAP)) == {}


def test_stretches_of_other_files_count_for_nothing(project: Path) -> None:
    compact = ";".join(stretch(text, number=5) for text in ("return assets", "uint256 shares"))
    assert lines(project, foundry(compact)) == {}


def test_a_source_that_is_not_there_gives_nothing(project: Path) -> None:
    (project / FILE).unlink()
    assert lines(project, foundry(MAP)) == {}


@pytest.mark.parametrize(
    "data",
    [
        {"abi": [], "bytecode": "0x00"},
        {"abi": [], "deployedBytecode": "0x00"},
        {"abi": [], "deployedBytecode": {"object": "0x00"}, "metadata": "{"},
        foundry("") | {"metadata": {"settings": {"compilationTarget": {}}}},
        foundry("a:b:c"),
        foundry("0:1:4") | {"id": None},
        {"contracts": {}},
        {"contracts": []},
        standard(None),
        standard({}),
    ],
    ids=[
        *("no deployed code", "code alone", "no map", "no target", "no numbers", "no file number"),
        *("no contracts", "a list", "null map", "empty map"),
    ],
)
def test_an_artifact_without_a_map_or_of_another_form_gives_nothing(data: Any, project: Path) -> None:
    assert lines(project, data) == {}


CODE = bytes.fromhex("5b60015b6000f3")  # JUMPDEST, PUSH1 1, JUMPDEST, PUSH1 0, RETURN
AT = {"whole": f"0:{len(SOURCE.encode())}:4:-:0", "assets": stretch("return assets"), "nothing": "-1:-1:-1:-:0"}


@pytest.mark.parametrize("form", [foundry, standard, truffle])
def test_an_entry_of_a_map_is_an_instruction_of_the_code(form: Form, tmp_path: Path) -> None:
    found = lines_of(form(";".join([AT["whole"], AT["assets"], "", AT["nothing"]])), tmp_path)
    assert found == {0: 1, 1: 4, 3: 4}


def test_an_entry_of_a_map_of_vyper_is_a_byte_of_the_code(tmp_path: Path) -> None:
    found = lines_of(vyper(";".join([AT["whole"], AT["assets"], "", AT["nothing"]])), tmp_path)
    assert found == {0: 1, 1: 4, 2: 4}


def test_a_stretch_that_is_not_in_the_file_has_no_line(tmp_path: Path) -> None:
    assert lines_of(foundry(";".join(["5000:3:4:-:0", "-5:3:4", "0:0:4", "0:5:9"])), tmp_path) == {}


def lines_of(data: dict[str, Any], folder: Path) -> dict[int, int]:
    """The line of each place of `CODE` that has one."""
    (folder / "src").mkdir()
    (folder / FILE).write_text(SOURCE)
    (folder / "Vault.json").write_text(json.dumps(data))
    found = dict(line_map("Vault", folder / "Vault.json", folder).of(CODE))
    assert {file for file, _ in found.values()} <= {folder / FILE}
    return {at: line for at, (_, line) in found.items()}
