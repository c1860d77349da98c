"""The verbs say what a run cannot have seen, and do not hold below the floor."""

import functools
import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Command, refused

SWEEP = """

@external
def sweep(to: address):
    assert extcall TOKEN.transfer(to, staticcall TOKEN.balanceOf(self))
"""
OVERLOAD = """

@external
def sweep(to: address, amount: uint256 = 7):
    assert extcall TOKEN.transfer(to, amount)
"""
FALLBACK = """

@external
@payable
def __default__():
    self.total += 1
"""
NOTHING = """
import json, sys
state = {}
for line in sys.stdin:
    asked = json.loads(line)
    if asked["op"] == "describe":
        inputs = [name for name in asked["variables"] if name.startswith("balance")]
        answer = {"name": "nothing", "actions": ["transfer"], "quotes": ["transfer"], "observations": ["total"]}
        answer["inputs"] = inputs
    elif asked["op"] == "load":
        state |= asked["state"]
        answer = {}
    elif asked["op"] == "apply":
        has = int(state[f"balance[{asked['arguments']['caller']}]"]) >= int(asked["arguments"]["amount"])
        answer = {"outcome": "accepted", "returns": []} if has else {"outcome": "rejected", "reason": "TOK-2"}
    else:
        answer = {"observations": {"total": state["total"]}}
    print(json.dumps(answer), flush=True)
"""


NUMBERS = itertools.count(1)


@pytest.fixture
def vault(here: Command) -> Path:
    """A system as `init` writes it, each with a name of its own: Python imports a name once."""
    name = f"safe{next(NUMBERS)}"
    assert here("init", name).returncode == 0
    return Path(name)


@pytest.fixture
def fuzz(here: Command, vault: Path) -> Command:
    return functools.partial(here, "fuzz", str(vault), "--steps", "900")


def added(vault: Path, text: str) -> None:
    file = vault / "contracts" / f"{vault}.vy"
    file.write_text(file.read_text() + text)


def changed(vault: Path, *changes: tuple[str, str]) -> None:
    file = vault / "model.py"
    for old, new in changes:
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new, 1))


def document(done: Any) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# --- Every action -----------------------------------------------------------------------------------------------------


def test_what_init_writes_holds_and_says_what_was_seen(fuzz: Command) -> None:
    done = fuzz("--json")
    found = document(done)
    assert done.returncode == 0
    assert found["actions"].keys() == {"deposit", "withdraw", "transfer"}
    assert all(count["accepted"] and count["refused"] for count in found["actions"].values())
    assert (found["unmodelled"], found["below_floor"], found["never_refused"]) == ([], [], [])
    assert found["not_modelled"].keys() == {
        "token.approve(address,uint256)",
        "token.transferFrom(address,address,uint256)",
    }
    assert "not modelled: token.approve(address,uint256) (called in the set-up" in fuzz().stdout


def test_one_step_does_not_hold(here: Command, vault: Path) -> None:
    done = here(
        "check", str(vault), "--steps", "1", "--junit", "junit.xml", "--sarif", "found.sarif", "--summary", "s.md"
    )
    assert done.returncode == 3
    assert "verdict: incomplete" in done.stdout
    assert "never accepted" in done.stdout
    assert "enough seen" in Path("s.md").read_text()
    assert 'errors="' in Path("junit.xml").read_text()
    assert "FLOOR" in Path("found.sarif").read_text()
    assert here("fuzz", str(vault), "--steps", "1").returncode == 3
    assert here("fuzz", str(vault), "--steps", "1", "--laws-only").returncode == 3


def test_an_action_that_is_never_drawn_is_named(fuzz: Command, vault: Path) -> None:
    changed(vault, ("@action(weight=3)", "@action(weight=0)"))
    done = fuzz()
    assert done.returncode == 3
    assert "never accepted or refused" in done.stdout


def test_a_service_that_executes_nothing_reaches_nothing(fuzz: Command, tmp_path: Path) -> None:
    (tmp_path / "nothing.py").write_text(NOTHING)
    done = fuzz("--target", f"{sys.executable} {tmp_path / 'nothing.py'}", "--json")
    found = document(done)
    assert done.returncode == 3
    assert found["comparisons"] > 0
    assert not any(found["rules"].values())
    assert "executed no call that was accepted" in found["below_floor"][1]
    assert "deposits[]" in found["unobserved"]


# --- Every function ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (SWEEP, ["sweep(address)"]),
        (OVERLOAD, ["sweep(address)", "sweep(address,uint256)"]),
        (FALLBACK, ["fallback()"]),
    ],
    ids=["sweep", "overloads", "fallback"],
)
def test_a_function_that_no_action_calls_is_named_and_may_be_allowed(
    text: str, named: list[str], fuzz: Command, vault: Path
) -> None:
    added(vault, text)
    named = [f"{vault}.{name}" for name in named]
    done = fuzz("--json")
    assert done.returncode == 3
    assert document(done)["unmodelled"] == named
    assert f"incomplete: unmodelled, no action calls them: {', '.join(named)}" in fuzz().stdout
    allowed = [part for name in named for part in ("--allow-unmodelled", name)]
    shown = fuzz(*allowed)
    assert shown.returncode == 0
    assert f"unmodelled, and allowed here: {', '.join(named)}" in shown.stdout
    Path("marginspec.toml").write_text(f"allow-unmodelled = {json.dumps(named)}\n")
    again = document(fuzz("--json"))
    assert (again["unmodelled"], again["allowed_unmodelled"], again["below_floor"]) == (named, named, [])


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (
            "    self.total += amount\n",
            "    self.total += amount\n    self.deposits[empty(address)] += 1\n",
            "storage of {} that nothing compares",
        ),
        ("@external\ndef deposit(", "@external\n@payable\ndef deposit(", "ether sent to {}.deposit(uint256)"),
        (
            "    self.total += amount\n",
            "    self.total += amount\n    child: address = create_minimal_proxy_to(self)\n",
            "contracts that calls create",
        ),
    ],
    ids=["credits another", "payable", "creates"],
)
def test_what_calls_do_beside_the_actions_is_named(old: str, new: str, named: str, fuzz: Command, vault: Path) -> None:
    file = vault / "contracts" / f"{vault}.vy"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    done = fuzz("--json")
    assert (done.returncode, document(done)["unmodelled"]) == (3, [named.format(vault)])


def test_what_is_not_compared_has_a_reason(fuzz: Command, vault: Path) -> None:
    file = vault / "adapter.py"
    text = "        self.slots = [self._slot(*place) for place in self._places]\n"
    assert text in file.read_text()
    file.write_text(file.read_text().replace(text, text + "        self.not_compared = {'all': self.slots}\n"))
    refused(fuzz(), "not_compared: say in not_modelled why all is not compared", compiling=True)


def test_to_allow_another_function_does_not_help(fuzz: Command, vault: Path) -> None:
    added(vault, SWEEP)
    assert fuzz("--allow-unmodelled", f"{vault}.sweep(uint256)", "--allow-unmodelled", "sweep").returncode == 3


def test_check_and_its_report_name_it(here: Command, vault: Path) -> None:
    added(vault, SWEEP)
    done = here("check", str(vault), "--steps", "900", "--json")
    assert done.returncode == 3
    Path("check.json").write_text(done.stdout)
    assert here("report", "check.json", "--system", str(vault), "--out", "report.html").returncode == 3
    assert f"{vault}.sweep(address)" in Path("report.html").read_text()
    assert here("check", str(vault), "--steps", "900", "--allow-unmodelled", f"{vault}.sweep(address)").returncode == 0


def test_an_adapter_that_names_no_contracts_is_told_so(fuzz: Command, vault: Path) -> None:
    file = vault / "adapter.py"
    file.write_text(file.read_text().replace("self.contracts", "self._contracts"))
    done = fuzz()
    assert done.returncode == 3
    assert "Adapter has no `contracts`" in done.stdout


# --- What the model hides ---------------------------------------------------------------------------------------------


def test_a_constant_that_changes_is_one_line(fuzz: Command, vault: Path) -> None:
    field = "    calls: dict[User, AmountHeld] = constant(default_factory=dict)\n\n    @classmethod"
    changed(
        vault,
        ("from marginspec.model", "from marginspec.model.kernel.numbers import constant\nfrom marginspec.model"),
        ("    @classmethod", field),
        (
            "        if amount == 0:",
            "        self.calls[caller] = self.calls.get(caller, 0) + 1\n        if amount == 0:",
        ),
    )
    refused(fuzz(), "`self.calls` is changed is outside the subset: write a field that is no constant", compiling=True)


# --- diff and vectors -------------------------------------------------------------------------------------------------


def test_diff_says_what_it_cannot_have_seen(here: Command, vault: Path) -> None:
    added(vault, SWEEP)
    done = here("diff", str(vault), "shipped", "shipped", "--steps", "40")
    assert done.returncode == 0
    assert "no difference; in 40 steps and" in done.stdout
    assert f"unmodelled in the head, no action calls them: {vault}.sweep(address)" in done.stdout
    few = document(here("diff", str(vault), "shipped", "shipped", "--steps", "40", "--json"))
    assert few["unmodelled"]["base"] == [f"{vault}.sweep(address)"]
    assert few["actions"].keys() == {"deposit", "withdraw", "transfer"}


def test_vectors_say_what_a_path_is_and_what_no_vector_shows(here: Command, vault: Path) -> None:
    added(vault, SWEEP)
    made = here("vectors", str(vault), "--steps", "400", "--out", "made")
    assert made.returncode == 0
    assert "a path is a way through the decisions" in made.stdout
    assert f"no vector says anything of this: unmodelled, no action calls them: {vault}.sweep(address)" in made.stdout
    run = here("vectors", str(vault), "--run", "made")
    assert run.returncode == 0
    assert "every vector in the folder passed" in run.stdout
    assert f"{vault}.sweep(address)" in run.stdout


def test_a_value_that_is_refused_among_others_gets_a_vector(here: Command, vault: Path) -> None:
    changed(vault, ("        if amount == 0:", "        if amount in (0, 7):"))
    done = here("vectors", str(vault), "--steps", "400", "--out", "made", "--json")
    assert (done.returncode, document(done)["verdict"]) == (1, "broken")
