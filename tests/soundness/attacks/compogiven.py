"""composition on a relaxation that assumes something of a state"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Call, Machine, action, rule
from marginspec.properties.law import Chapter, Step
from marginspec.properties.relaxation import (
    Relaxation,
    simulates,
    simulations,
)
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    fresh: bool
    on: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, fresh=False, on=False)

    @action
    @rule("A-1")
    def sync(self, caller: User) -> None:
        """Sync."""
        self.fresh = True

    @action
    @rule("A-2")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        if not self.fresh and self.on and rare(amount):
            self.total += 1
        self.fresh = True

    @action
    @rule("A-3")
    def stale(self, caller: User) -> None:
        """Stale."""
        self.fresh = False

    @action
    @rule("A-4")
    def arm(self, caller: User) -> None:
        """Arm."""
        self.on = True

    def base(self) -> int:
        """Base."""
        return 0


SCOPE = Scope(keys={User: ("alice", "bob")})


def calm(m: M, step: Step) -> Any:
    """Fresh or no put."""
    return m.fresh or step.action != "put_in"


def off(m: M) -> bool:
    """It is off."""
    return not m.on


chapter = Chapter("two users", SCOPE, before=calm)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def base(self) -> Any:
        """It is nought."""
        return 0


easy = Relaxation(Easy, given=off)


@chapter.composition("X-C", relaxed=easy)
def first(m: M, step: Step) -> Step:
    """A put is a sync and a put."""
    return Step(Call("sync", {"caller": step.argument("caller")}))


@chapter.invariant("X-1")
def nought(m: M) -> Any:
    """Nothing is ever counted."""
    return m.total == 0


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
