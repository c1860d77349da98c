"""A counterexample as a test for Foundry: one Solidity file that needs nothing but forge.

It creates the contracts, makes the calls and asserts what the model says of them. It carries the code that the
counterexample was found with; an environment variable for each contract puts another build in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from marginspec.report import solidity
from marginspec.report.solidity import Text, Values, capital, elementary, integer, laid_out, literal, plain
from marginspec.results.schema import Document, is_open

PREFIX = "MARGINSPEC_"

HEAD = """\
// SPDX-License-Identifier: UNLICENSED
pragma solidity ^0.8.13;

// {system}: a counterexample, written by marginspec.
//
{found}
//
// The test passes where the contracts do what the model does, and fails where they do not. They are created from the
// code in library Recorded below: {recorded}.
//
// Another build takes the place of one when an environment variable names it: by its name in this project, or by a JSON
// artifact of Foundry, Hardhat or Truffle, which foundry.toml must allow to be read (fs_permissions). Variables:
// {variables}.
//
//     {example} forge test
"""

CHEATCODES = """
interface Vm {
    function assertEq(int256 left, int256 right, string calldata error) external pure;
    function assertEq(uint256 left, uint256 right, string calldata error) external pure;
    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);
    function expectRevert(bytes calldata reason) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function prank(address sender) external;
    function setEvmVersion(string calldata version) external;
    function warp(uint256 time) external;
}
"""

CREATING = """
    /// Create a contract: of the build that an environment variable names, if it does, else of the code given.
    function _create(string memory variable, bytes memory code, bytes memory arguments) private returns (address made) {
        string memory build = vm.envOr(variable, string(""));
        if (bytes(build).length != 0) code = vm.getCode(build);
        code = abi.encodePacked(code, arguments);
        vm.prank(DEPLOYER);
        assembly {
            made := create(0, add(code, 32), mload(code))
        }
        require(made != address(0), "a constructor reverts");
    }
"""

ASKING = """
    /// One word of what a getter returns.
    function _word(address from, bytes memory question, uint256 index) private view returns (uint256 word) {
        (bool answered, bytes memory answer) = from.staticcall(question);
        require(answered && answer.length >= 32 * (index + 1), "a getter does not answer");
        assembly {
            word := mload(add(add(answer, 32), mul(32, index)))
        }
    }
"""


def text(name: str, trace: Document, scene: Document) -> str:
    """The file. name: of the counterexample. trace: `marginspec/trace/1`. scene: see `marginspec.results.scenario`."""
    return "".join(_Contract(name, trace, scene).lines())


class _Contract:
    """The test contract and all that stands around it."""

    def __init__(self, name: str, trace: Document, scene: Document) -> None:
        self._words = re.findall("[A-Za-z0-9]+", name)
        self._trace, self._scene = trace, scene
        self._contracts: Document = scene["contracts"]
        self._label = {contract["address"]: label for label, contract in self._contracts.items()}
        self._address = {"0x" + "00" * 20: "address(0)"}
        self._address |= {address: f"address({label})" for address, label in self._label.items()}
        self._address |= {address: role.upper() for role, address in scene["people"].items()}
        self._interface = {contract["name"]: f"I{capital(contract['name'])}" for contract in self._contracts.values()}
        named = {name: struct["value"] for name, struct in scene["named"].items()}
        self._values = Values(self._address, named, scene["derived"])

    def lines(self) -> Iterator[str]:
        """The file, in pieces."""
        yield self._head() + CHEATCODES
        yield from self._structs()
        yield from self._interfaces()
        title = "".join(map(str.capitalize, self._words))
        yield f"\ncontract {'' if title[:1].isalpha() else 'Trace'}{title}Test {{\n"
        yield '    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));\n\n'
        for role, address in self._scene["people"].items():
            yield f"    address private constant {role.upper()} = {solidity.address(address)};\n"
        yield "\n"
        for label, contract in self._contracts.items():
            yield f"    {self._interface[contract['name']]} private {label};\n"
        for name, struct in self._scene["named"].items():
            yield f"    {solidity.struct_name(struct['type'])} private {name};\n"
        yield from self._test()
        yield from self._set_up()
        yield CREATING + (ASKING if self._scene["shown"] else "") + "}\n"
        yield from self._recorded()

    def _head(self) -> str:
        found, candidates = self._trace["divergence"], self._scene["candidates"]
        said = ["recorded without a difference"]
        if found is not None:
            where = f"{plain(found['rule'])}, {plain(found['field'])}"
            said = [f"found:  {where}", f"model:  {plain(found['model'])}", f"target: {plain(found['target'])}"]
        called = [step["contract"] for step in self._scene["steps"] if "contract" in step]
        name = (candidates or called or list(self._interface))[-1]
        recorded = "the contracts as marginspec runs them"
        return HEAD.format(
            system=self._trace["system"],
            found="\n".join(f"// {line}" for line in said),
            recorded=recorded + (f", with a candidate build of {', '.join(candidates)}" if candidates else ""),
            variables=", ".join(PREFIX + name.upper() for name in self._interface),
            example=f"{PREFIX}{name.upper()}={capital(name)}.sol:{capital(name)}",
        )

    # --- Declarations --------------------------------------------------------------------------------------------

    def _structs(self) -> Iterator[str]:
        entries = [entry for contract in self._contracts.values() for entry in contract["types"]]
        entries += [entry for call in self._calls() for entry in call["function"]["inputs"]]
        entries += [struct["type"] for struct in self._scene["named"].values()]
        known = {name: text for entry in entries for name, text in solidity.structs(entry).items()}
        yield from (f"\n{text}" for text in known.values())

    def _interfaces(self) -> Iterator[str]:
        functions: dict[str, dict[str, str]] = {name: {} for name in self._interface}
        for call in self._calls():
            declared = laid_out(solidity.function(call["function"]), indent=4)
            functions[call["contract"]][call["function"]["name"]] = declared
        for name, known in functions.items():
            body = "".join(f"\n    {declaration}" for declaration in known.values())
            yield f"\ninterface {self._interface[name]} {{{body}{chr(10) if body else ''}}}\n"

    def _calls(self) -> list[Document]:
        """Everything that is asked of a contract."""
        calls = [call for call in (*self._scene["set_up"], *self._scene["steps"]) if "to" in call]
        return [*calls, self._scene["shown"]] if self._scene["shown"] else calls

    # --- The test ------------------------------------------------------------------------------------------------

    def _test(self) -> Iterator[str]:
        steps, shown = self._scene["steps"], self._scene["shown"]
        yield f"\n    function test_{'_'.join(self._words).lower()}() public {{"
        for number, step in enumerate(steps, 1):
            refused = f", which rule {plain(step['rule'])} refuses" if step["rule"] else ""
            yield f"\n        // {number}. {plain(step['said'])}{refused}\n"
            if step["reason"] is not None:
                yield f"        vm.expectRevert({_revert(step['reason'])});\n"
            if number == len(steps) and shown is None and step["returns"] and elementary(step["function"]["outputs"]):
                yield from self._returning(step)
            else:
                yield from self._call(step)
        if shown is not None:
            yield from self._observing(shown)
        yield "    }\n"

    def _call(self, call: Document, results: str = "") -> Iterator[str]:
        if "time" in call:
            # Not later than before, but at a time: compilers may read the clock once and keep it.
            yield f"        vm.warp({integer(call['time'])});\n"
            return
        arguments = self._values.of(call["function"]["inputs"], call["values"])
        called = f"{results}{self._label[call['to']]}.{call['function']['name']}("
        yield f"        vm.prank({self._address[call['sender']]});\n"
        yield from _line((called, arguments, ");"))

    def _returning(self, step: Document) -> Iterator[str]:
        """A call whose results are what the model says."""
        outputs = step["function"]["outputs"]
        names = [entry["name"] or f"result{place}" for place, entry in enumerate(outputs, 1)]
        declared = ", ".join(f"{entry['type']} {name}" for entry, name in zip(outputs, names, strict=True))
        yield from self._call(step, f"({declared}) = " if len(outputs) > 1 else f"{declared} = ")
        for name, entry, value in zip(names, outputs, step["returns"], strict=True):
            found = name if entry["type"] in ("int256", "uint256") else f"uint256({name})"
            yield f'        vm.assertEq({found}, {integer(value)}, "{name} of {step["function"]["name"]}");\n'

    def _observing(self, shown: Document) -> Iterator[str]:
        """The observation that differs is what the model says."""
        function, expected, said = shown["function"], shown["expected"], shown["observation"]
        arguments = self._values.of(function["inputs"], shown["values"])
        getter = f"{self._interface[shown['contract']]}.{function['name']}"
        question: Text = ("abi.encodeCall(", [getter, ("(", arguments, ")")], ")")
        word: Text = ("_word(", [self._address[shown["to"]], question, str(shown["word"])], ")")
        signed = solidity.word_type(function["outputs"], shown["word"]).startswith("int")
        right = f"uint160({self._address[expected]})" if isinstance(expected, str) else integer(int(expected))
        yield f"\n        // {plain(said)}\n"
        yield from _line(("int256 found = int256(", [word], ");") if signed else ("uint256 found = ", [word], ";"))
        yield f"        vm.assertEq(found, {right}, {literal(said)});\n"

    # --- What comes before ---------------------------------------------------------------------------------------

    def _set_up(self) -> Iterator[str]:
        yield "\n    /// The state in which every run of the model begins.\n    function setUp() public {\n"
        yield f"        vm.setEvmVersion({literal(self._scene['evm'])});\n"
        yield f"        vm.warp({integer(self._scene['start'])});\n\n"
        for label, contract in self._contracts.items():
            name = contract["name"]
            given: Text = f'hex"{contract["encoded"]}"'  # a list of any length has no literal
            if not any(map(is_open, contract["types"])):
                arguments = self._values.of(contract["types"], contract["values"], alone=True)
                given = ("abi.encode(", arguments, ")") if arguments else '""'
            created = ("_create(", [f'"{PREFIX}{name.upper()}"', f"Recorded.{name}()", given], ")")
            yield from _line((f"{label} = {self._interface[name]}(", [created], ");"))
        for name, struct in self._scene["named"].items():
            yield from _line((f"{name} = ", [self._values.struct(struct["type"], struct["value"])], ";"))
        yield "\n"
        for call in self._scene["set_up"]:
            if call["said"]:
                yield f"        // {plain(call['said'])}\n"
            yield from self._call(call)
        yield "    }\n"

    def _recorded(self) -> Iterator[str]:
        yield "\n/// Creation code of the contracts that the counterexample was found with.\nlibrary Recorded {\n"
        code = {contract["name"]: contract["code"] for contract in self._contracts.values()}
        for name, digits in code.items():
            yield f"    function {name}() internal pure returns (bytes memory) {{\n"
            yield f'        return hex"{digits}";\n    }}\n'
        yield "}\n"


def _line(text: Text) -> Iterator[str]:
    yield f"        {laid_out(text, indent=8)}\n"


def _revert(reason: str) -> str:
    """What vm.expectRevert is given for a reason, as `marginspec.targets.evm.reasons` words it."""
    if panic := re.fullmatch(r"Panic\((0x[0-9a-f]+)\)", reason):
        return f'abi.encodeWithSignature("Panic(uint256)", {panic[1]})'
    return literal("" if reason == "empty" else reason)
