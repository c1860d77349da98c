"""Every usual build output is read; everything else is one line that says what is wrong and where."""

import hashlib
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from marginspec.base.errors import BadInput
from marginspec.targets.evm.artifact import Artifact, candidates, load_artifact

ABI = [
    {"type": "function", "name": "transfer", "inputs": [{"type": "address"}, {"type": "uint256"}], "outputs": []},
    {"type": "event", "name": "Transfer", "inputs": []},
]
CODE = "6080604052"
CONTRACT = {"abi": ABI, "evm": {"bytecode": {"object": CODE}}}
FORMATS: dict[str, Any] = {
    "foundry": {"abi": ABI, "bytecode": {"object": f"0x{CODE}", "linkReferences": {}}, "deployedBytecode": {}},
    "hardhat": {"contractName": "Token", "abi": ABI, "bytecode": f"0x{CODE}", "deployedBytecode": "0x60"},
    "truffle": {"contractName": "Token", "abi": ABI, "bytecode": f"0x{CODE}", "networks": {}},
    "truffle without prefix": {"abi": ABI, "bytecode": CODE},
    "solc standard JSON": {"contracts": {"a.sol": {"Token": CONTRACT}, "b.sol": {"Other": {"abi": []}}}},
    "one contract of solc": CONTRACT,
    "vyper -f combined": {"abi": ABI, "bytecode": f"0x{CODE}", "bytecode_runtime": "0x60"},
    "vyper standard JSON": {"contracts": {"Token.vy": {"Token": CONTRACT}}},
}
MALFORMED: dict[str, tuple[Any, str]] = {
    "a list": ([1], "expected a JSON object"),
    "a number": (7, "expected a JSON object"),
    "no interface": ({"bytecode": CODE}, "field abi is missing"),
    "an interface that is no list": ({"abi": {}, "bytecode": CODE}, "field abi is missing or not a list of objects"),
    "an interface of numbers": ({"abi": [1], "bytecode": CODE}, "field abi is missing or not a list of objects"),
    "no bytecode": ({"abi": ABI}, "no creation bytecode"),
    "bytecode of an interface": ({"abi": ABI, "bytecode": "0x"}, "no creation bytecode"),
    "bytecode of an abstract contract": ({"abi": ABI, "bytecode": {"object": ""}}, "no creation bytecode"),
    "bytecode that is a number": ({"abi": ABI, "bytecode": 1}, "no creation bytecode"),
    "bytecode without object": ({"abi": ABI, "bytecode": {}}, "no creation bytecode"),
    "evm that is a list": ({"abi": ABI, "evm": []}, "no creation bytecode"),
    "unlinked libraries": ({"abi": ABI, "bytecode": f"0x60__${'a' * 34}$__00"}, "unlinked libraries"),
    "unlinked old libraries": ({"abi": ABI, "bytecode": f"60__{'Library_'.ljust(36, '_')}__00"}, "unlinked libraries"),
    "bytecode that is no hexadecimal": ({"abi": ABI, "bytecode": "0xzz"}, "not hexadecimal"),
    "half a byte": ({"abi": ABI, "bytecode": "0x608"}, "not hexadecimal"),
    "solc output without the contract": ({"contracts": {"a.sol": {"Other": CONTRACT}}}, "0 contracts named Token"),
    "solc output with two of the name": (
        {"contracts": {"a.sol": {"Token": CONTRACT}, "b.sol": {"Token": CONTRACT}}},
        "2 contracts named Token",
    ),
    "contracts that is a list": ({"contracts": []}, "not solc's standard JSON output"),
    "contracts of numbers": ({"contracts": {"a.sol": 1}}, "not solc's standard JSON output"),
    "a contract that is a number": ({"contracts": {"a.sol": {"Token": 1}}}, "artifact"),
    "a contract that is text": ({"contracts": {"a.sol": {"Token": "text"}}}, "artifact"),
}


def written(folder: Path, data: Any) -> Path:
    """An artifact file."""
    path = folder / "Token.json"
    path.write_text(json.dumps(data))
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_every_usual_build_output_gives_the_same_contract(kind: str, tmp_path: Path) -> None:
    found = load_artifact("Token", written(tmp_path, FORMATS[kind]))
    assert found == Artifact("Token", ABI, bytes.fromhex(CODE))
    assert found.selectors() == {"transfer": bytes.fromhex("a9059cbb")}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_artifact_is_one_line_that_names_the_file_and_the_problem(kind: str, tmp_path: Path) -> None:
    data, problem = MALFORMED[kind]
    path = written(tmp_path, data)
    with pytest.raises(BadInput) as error:
        load_artifact("Token", path)
    said = str(error.value)
    assert problem in said
    assert str(path) in said
    assert "\n" not in said


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b'{"abi": [', b"[" * 100_000])
def test_a_file_that_is_not_json_is_one_line_that_says_so(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "Token.json"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="not JSON") as error:
        load_artifact("Token", path)
    assert "\n" not in str(error.value)


def test_reaching_a_node_leaves_nested_input_to_be_refused() -> None:
    importlib.import_module("marginspec.targets.evm.rpc")
    assert sys.getrecursionlimit() == 1000


def test_a_file_that_cannot_be_read_is_one_line_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file or directory"):
        load_artifact("Token", tmp_path / "absent.json")
    with pytest.raises(BadInput, match="Is a directory"):
        load_artifact("Token", tmp_path)


def test_the_option_is_split_at_its_first_equals_sign_and_its_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "a=b.json"
    file.write_text(json.dumps({"abi": [], "bytecode": "0x6001"}))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    (found,) = candidates([f"Token={file}"])
    file.write_text("something else")
    assert (found.name, found.file, found.artifact.bytecode, found.sha256) == ("Token", file, b"\x60\x01", digest)
    assert found.option == f"Token={file}"


def test_a_contract_has_one_candidate(tmp_path: Path) -> None:
    file = tmp_path / "token.json"
    file.write_text(json.dumps({"abi": [], "bytecode": "0x6001"}))
    with pytest.raises(BadInput, match="given twice"):
        candidates([f"Token={file}", f"Token={file}"])


@pytest.mark.parametrize("option", ["", "Morpho", "Morpho=", "=file.json"])
def test_an_option_that_is_no_pair_is_one_line_with_an_example(option: str) -> None:
    with pytest.raises(BadInput, match=r"expected NAME=FILE, for example Morpho="):
        candidates([option])
