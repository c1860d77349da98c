"""False, though it was proved once: Nothing is bad."""

from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope, pinned

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
    best: User
    bad: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, best=User("alice"), bad=False)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount
        if self.best == User("bob") and rare(amount):
            self.bad = True

    @action
    @rule("A-2")
    def choose(self, caller: User) -> None:
        """Choose."""
        self.best = caller


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


@chapter.invariant("X-1", scope={"best": pinned(User("alice"), why="what is said is said of that")})
def same(m: M) -> Any:
    """Nothing is bad."""
    return not m.bad
