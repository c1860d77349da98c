"""A counterexample as a test for pytest: one Python file that makes the calls on model and implementation."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from marginspec.results.schema import Document

WIDTH = 120
INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")

TRACE = '''\
"""A counterexample of marginspec: passes where the implementation does what the model does, and fails where not.

{usage}
"""

{found}

import os

from marginspec.systems.system import opened
from marginspec.systems.registry import system
from marginspec.lockstep.comparison import LockStep
from marginspec.lockstep.rehearsal import rehearse
from marginspec.lockstep.trace import digest_of
from marginspec.model.kernel.machine import Call
from marginspec.targets.evm.artifact import candidates

SYSTEM = system({system})
TARGET = {target}
ARTIFACTS = {artifacts}

# The state in which runs of the model begin: of another, the calls below might show nothing.
GENESIS = "{digest}"

# Each call with the rule by which the model refuses it, None where it accepts.
CALLS = [
{calls}]


def test_{function}() -> None:
    steps = rehearse(SYSTEM.model, [call for call, _ in CALLS])
    assert digest_of(SYSTEM.model) == GENESIS
    assert [step.outcome.rule for step in steps] == [rule for _, rule in CALLS]

    named = {{name: os.environ.get(f"MARGINSPEC_{{name.upper()}}", file) for name, file in ARTIFACTS.items()}}
    builds = candidates([f"{{name}}={{file}}" for name, file in named.items() if file])
    with opened(SYSTEM, TARGET, builds) as implementation:
        difference = LockStep(SYSTEM.model, implementation).run(steps, recheck=True)
    assert difference is None
'''

CONTRACTS = """\
A build takes the place of a contract in ARTIFACTS when the environment variable MARGINSPEC_ and its name, in capitals,
says its file: a JSON artifact of Foundry, Hardhat, Truffle, solc or Vyper. Without one, the contract is as shipped."""

LAW = '''\
"""A counterexample of marginspec: fails as long as these integers break a law, and passes where they do not.

The integers are those of a proof. They make a state of the model that satisfies what the law assumes of it; whether any
sequence of calls leads there is not said. What is not named does not matter to the proof.
"""

from marginspec.systems.counterexample import breaks
from marginspec.systems.registry import system

SYSTEM = system({system})

# {law}
LAW = {id}

COUNTEREXAMPLE = {{
{values}}}


def test_{function}() -> None:
    assert not breaks(SYSTEM, LAW, COUNTEREXAMPLE)
'''


def of_trace(name: str, trace: Document, target: str, artifacts: Mapping[str, str]) -> str:
    """The file of a trace, `marginspec/trace/1`, called `name`.

    target: what to open, as `--target` names it. artifacts: the file of each contract that a build can replace, "" for
    the shipped one.
    """
    named = "".join(f"    {_literal(contract)}: {_literal(file)},\n" for contract, file in artifacts.items())
    return TRACE.format(
        usage=CONTRACTS if artifacts else "The implementation is the TARGET below.",
        found=_found(trace["divergence"]),
        system=_literal(trace["system"]),
        target=_literal(target),
        artifacts=f"{{\n{named}}}" if named else "{}",
        digest=trace["genesis"]["digest"],
        calls="".join(_call(step) for step in trace["steps"]),
        function=identifier(name),
    )


def of_law(name: str, system: str, proof: Document) -> str:
    """The file of a refuted law, a row of `properties` of `marginspec/prove/1`, called `name`."""
    values = proof["counterexample"].items()
    return LAW.format(
        system=_literal(system),
        id=_literal(proof["id"]),
        law=_plain(proof["law"]),
        values="".join(f"    {_literal(key)}: {_literal(value)},\n" for key, value in values),
        function=identifier(name),
    )


def identifier(name: str) -> str:
    """A name as part of one in Python."""
    return "_".join(re.findall("[A-Za-z0-9]+", name)).lower()


def _found(found: Document | None) -> str:
    if found is None:
        return "# recorded without a difference"
    where = f"# found:  {_plain(found['rule'])}, {_plain(found['field'])}"
    return f"{where}\n# model:  {_plain(found['model'])}\n# target: {_plain(found['target'])}"


def _call(step: Document) -> str:
    arguments = [f"{_literal(name)}: {_literal(value)}" for name, value in step["arguments"].items()]
    action, rule = _literal(step["action"]), _literal(step["rule"])
    line = f"    (Call({action}, {{{', '.join(arguments)}}}), {rule}),\n"
    if len(line) <= WIDTH:
        return line
    inside = "".join(f"                {argument},\n" for argument in arguments)
    call = f"        Call(\n            {action},\n            {{\n{inside}            }},\n        ),\n"
    return f"    (\n{call}        {rule},\n    ),\n"


def _literal(value: Any) -> str:
    """A value as Python writes it, in printable ASCII; decimal strings as the integers that they are."""
    if isinstance(value, str) and value.isascii():
        return value if INTEGER.fullmatch(value) else json.dumps(value)
    return ascii(value)


def _plain(said: str) -> str:
    """Any text as one line of printable ASCII, for a comment."""
    return ascii(said)[1:-1]
