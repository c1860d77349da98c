"""False, though it was proved once: Nothing is bad."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, anything
from marginspec.properties.relaxation import AnyNatural, Relaxation, simulates, simulations
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    on: bool
    bad: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, on=False, bad=False)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += self.quote(amount)
        if self.on and rare(amount):
            self.bad = True

    def quote(self, x: int) -> int:
        """Quote."""
        return 1 if rare(x) else 0

    @action
    @rule("A-2")
    def arm(self, caller: User) -> None:
        """Arm."""
        self.on = True

    @action
    @rule("A-3")
    def disarm(self, caller: User) -> None:
        """Disarm."""
        self.on = False


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


def off(m: M) -> bool:
    """It is off."""
    return not m.on


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is a number."""
        return anything(AnyNatural)


easy = Relaxation(Easy, given=off)


@chapter.invariant("X-1", relaxed=easy)
def same(m: M) -> Any:
    """Nothing is bad."""
    return not m.bad


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
