"""False, though it was proved once: Nothing is bad."""

from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter, anything
from marginspec.properties.relaxation import (
    AnyNatural,
    Relaxation,
    simulates,
    simulations,
)
from marginspec.properties.scope import Scope

Account = NewType("Account", str)
User = NewType("User", Account)
Amount = Annotated[int, Number(0, 2**128 - 1, "units", typical=(1, 10**6))]
Held = Annotated[int, Number(0, UNBOUNDED, "units", typical=(1, 10**6))]
Small = Annotated[int, Number(0, 100, "parts")]


def rare(x: int) -> bool:
    """Hardly ever."""
    return (x * 7919 + 104729) % 999983 == 271828


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
