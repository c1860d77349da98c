"""Runs that compared too little to say `holds`, and texts that promise more than was seen."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from altered import NAME, Changes, change, write
from command import Command

EMPTY = """        if amount == 0:
            raise Rejected("DEP-2")"""
ASSERTED = 'assert amount != 0, "zero amount"\n    assert extcall TOKEN.transferFrom'

STEPS = ("--steps", "900")


@dataclass(frozen=True)
class Run:
    """A run of `fuzz`. more: what the contract has besides. holds: whether it is to end well."""

    what: str
    arguments: tuple[str, ...] = STEPS
    model: Changes = ()
    contract: Changes = ()
    more: str = ""
    service: str = ""
    holds: bool = False


# --- A service that executes nothing ---------------------------------------------------------------------------------

SERVICE = """
import json, sys

state = {{}}
for line in sys.stdin:
    asked = json.loads(line)
    if asked["op"] == "describe":
        inputs = [name for name in asked["variables"] if name.startswith("balance")]
        answer = {{"name": "idle", "actions": {actions}, "quotes": {quotes}, "inputs": inputs}}
        answer["observations"] = ["total"]
    elif asked["op"] == "load":
        state.update(asked["state"])
        answer = {{}}
    elif asked["op"] == "apply":
        enough = int(state.get(f"balance[{{asked['arguments']['caller']}}]", 0)) >= int(asked["arguments"]["amount"])
        answer = {{"outcome": "accepted", "returns": []}} if {accepts} else {{"outcome": "rejected", "reason": "TOK-2"}}
    else:
        answer = {{"observations": {{"total": state.get("total", "0")}}}}
    print(json.dumps(answer), flush=True)
"""


def service(actions: str, quotes: str, accepts: str) -> str:
    """A service in the place of the contract, which knows what it was told."""
    return SERVICE.format(actions=actions, quotes=quotes, accepts=accepts)


IDLE = [
    Run("it quotes rightly", service=service('["transfer"]', '["transfer"]', "enough")),
    Run("it refuses all", service=service('["transfer"]', '["transfer"]', "False")),
    Run("it accepts all", service=service('["transfer"]', '["transfer"]', "True")),
    Run("it says that it executes", service=service('["deposit", "withdraw"]', "[]", "enough")),
    Run("it has no actions", service=service("[]", "[]", "enough")),
]

# --- Too little ------------------------------------------------------------------------------------------------------

REFUSES_ALL = (
    (EMPTY, EMPTY.replace("amount == 0", "amount >= 0")),
    (ASSERTED, ASSERTED.replace("amount != 0", "amount > max_value(uint128)")),
)

LITTLE = [
    Run("one step", ("--steps", "1")),
    Run("three steps", ("--steps", "3")),
    Run("an action that is never drawn", model=(("@action(weight=3)", "@action(weight=0)"),)),
    Run("model and contract refuse every deposit", model=REFUSES_ALL[:1], contract=REFUSES_ALL[1:]),
    Run("the usual number of steps", holds=True),
]

# --- Functions that no action calls ----------------------------------------------------------------------------------

UNMODELLED = [
    Run(
        "one that takes all",
        more="""
@external
def rescue(to: address):
    assert extcall TOKEN.transfer(to, staticcall TOKEN.balanceOf(self))
""",
    ),
    Run(
        "one that pays what is said, or ten",
        more="""
@external
def pay(to: address, amount: uint256 = 10):
    assert extcall TOKEN.transfer(to, amount)
""",
    ),
    Run(
        "one without a name",
        more="""
@external
@payable
def __default__():
    self.total = 0
""",
    ),
    Run(
        "one that forgives what is owed",
        more="""
@external
@nonreentrant
def forget(who: address):
    self.deposits[who] = 0
""",
    ),
    Run(
        "one that only reads",
        more="""
@external
@view
def twice() -> uint256:
    return 2 * self.total
""",
        holds=True,
    ),
]


def ended(here: Command, run: Run) -> tuple[int, str]:
    """How `fuzz` ends, and what it says."""
    folder = write(Path.cwd(), run.model)
    change(folder / "contracts" / f"{NAME}.vy", run.contract)
    if run.more:
        with (folder / "contracts" / f"{NAME}.vy").open("a") as file:
            file.write(f"\n{run.more}")
    target: tuple[str, ...] = ()
    if run.service:
        Path("service.py").write_text(run.service)
        target = ("--target", f"{sys.executable} {Path('service.py').resolve()}")
    done = here("fuzz", NAME, *run.arguments, *target)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    "run",
    [
        *(pytest.param(run, id=f"a service: {run.what}") for run in IDLE),
        *(pytest.param(run, id=f"too little: {run.what}") for run in LITTLE),
        *(pytest.param(run, id=f"a function: {run.what}") for run in UNMODELLED),
    ],
)
def test_what_was_not_compared_does_not_hold(run: Run, here: Command) -> None:
    code, said = ended(here, run)
    assert (code == 0) == run.holds, said


# --- Vectors ---------------------------------------------------------------------------------------------------------

REFUSALS = {
    "one number more": "amount in (0, 7)",
    "one remainder": "amount == 0 or amount % 1000 == 13",
    "one power": "amount == 0 or amount == 2**77",
    "one number for one user": 'amount == 0 or (caller == "newcomer" and amount == 5)',
}


@pytest.mark.parametrize("condition", REFUSALS.values(), ids=REFUSALS.keys())
def test_vectors_show_what_the_contract_accepts_and_the_model_refuses(condition: str, here: Command) -> None:
    write(Path.cwd(), ((EMPTY, EMPTY.replace("amount == 0", condition)),))
    done = here("vectors", NAME, "--steps", "400", "--out", "made")
    # Where no amount was found that goes there, the path is open, which is no pass either.
    assert done.returncode in (1, 3), done.stdout


def test_vectors_of_equals_hold_and_say_what_they_are(here: Command) -> None:
    write(Path.cwd())
    done = here("vectors", NAME, "--steps", "400", "--out", "made")
    assert done.returncode == 0, done.stdout
    assert "a path is a way through the decisions" in done.stdout
