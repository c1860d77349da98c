"""Every usual build output is read; everything else is one line that says what is wrong and where."""

import hashlib
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from marginspec.base.errors import BadInput
from marginspec.cli.init import SCAFFOLD
from marginspec.targets.evm.artifact import Artifact, candidates, load_artifact
from marginspec.targets.evm.vyper import compile_folder

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
    "solc --combined-json": {
        "contracts": {"a.sol:Token": {"abi": ABI, "bin": CODE}, "a.sol:B": {"abi": [], "bin": ""}}
    },
    "older solc --combined-json": {"contracts": {"a.sol:Token": {"abi": json.dumps(ABI), "bin": CODE}}},
    "Foundry's build-info": {"id": "1", "input": {}, "output": {"contracts": {"a.sol": {"Token": CONTRACT}}}},
    "Hardhat 2's build-info": {
        "_format": "hh-sol-build-info-1",
        "solcVersion": "0.8.19",
        "input": {"sources": {}},
        "output": {"contracts": {"a.sol": {"Token": CONTRACT}, "b.sol": {"Other": {"abi": []}}}, "sources": {}},
    },
    "Hardhat 3's output": {
        "_format": "hh3-sol-build-info-output-1",
        "output": {"contracts": {"project/a.sol": {"Token": CONTRACT}}},
    },
    "Hardhat 3": {"_format": "hh3-artifact-1", "contractName": "Token", "abi": ABI, "bytecode": f"0x{CODE}"},
    "vyper -f combined_json": {"src/Token.vy": {"abi": ABI, "bytecode": f"0x{CODE}"}, "version": "v0.4.3"},
    "Ape": {"contractName": "Token", "abi": ABI, "deploymentBytecode": {"bytecode": f"0x{CODE}"}},
    "EthPM": {
        "manifest": "ethpm/3",
        "contractTypes": {"Token": {"abi": ABI, "deploymentBytecode": {"bytecode": f"0x{CODE}"}}, "B": {"abi": []}},
    },
    "vyper standard JSON": {"contracts": {"Token.vy": {"Token": CONTRACT}}},
}
VYPER = Path(sys.executable).with_name("vyper")
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
    "long names of old libraries": (
        {"abi": ABI, "bytecode": f"60__{'contracts/libraries/Interest.sol:Interest'[:38]}00"},
        "unlinked libraries (contracts/libraries/Interest.sol:Inter): link them first",
    ),
    "solc output without the contract": (
        {"contracts": {"a.sol": {"Other": CONTRACT}}},
        "0 contracts named Token, expected 1; it has a.sol:Other",
    ),
    "solc output with two of the name": (
        {"contracts": {"a.sol": {"Token": CONTRACT}, "b.sol": {"Token": CONTRACT}}},
        "2 contracts named Token, expected 1; it has a.sol:Token, b.sol:Token",
    ),
    "many others": ({"contracts": {"a.sol": {f"C{n}": CONTRACT for n in range(10)}}}, "a.sol:C7 and 2 more"),
    "no contracts": ({"contracts": {}}, "there is no contract in it"),
    "a manifest without contracts": ({"manifest": "ethpm/3", "contractTypes": {}}, "there is no contract in it"),
    "contracts that is a list": ({"contracts": []}, "what stands in the place of contracts is no object"),
    "contract types that are a list": ({"contractTypes": []}, "what stands in the place of contracts is no object"),
    "contracts of numbers": ({"contracts": {"a.sol": 1}}, "what stands in the place of contracts is no object"),
    "output of output": ({"output": {"output": {"output": 1}}}, "field abi is missing"),
    "an interface that is bad text": ({"abi": "[", "bytecode": CODE}, "field abi is missing"),
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


@pytest.mark.parametrize("form", ["combined_json", "abi,bytecode"])
def test_what_the_compiler_itself_writes_is_read(form: str, tmp_path: Path) -> None:
    source = SCAFFOLD / "contracts" / "strongbox.vy"
    done = subprocess.run([VYPER, "-f", form, source], capture_output=True, text=True, check=True)
    path, (shipped, _) = tmp_path / "out.json", compile_folder(source.parent)
    abi, _, code = done.stdout.partition("\n")
    path.write_text(done.stdout if form == "combined_json" else f'{{"abi": {abi}, "bytecode": "{code.strip()}"}}')
    assert load_artifact("strongbox", path) == shipped["strongbox"]


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


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "Token.json"
    path.write_text("\ufeff" + json.dumps(FORMATS["hardhat"]))
    assert load_artifact("Token", path).bytecode == bytes.fromhex(CODE)


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
