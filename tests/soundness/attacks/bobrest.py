"""False, though it was proved once: It counts what is put in."""

from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter
from marginspec.properties.scope import REST, Scope

Account = NewType("Account", str)
User = NewType("User", Account)
Amount = Annotated[int, Number(0, 2**128 - 1, "units", typical=(1, 10**6))]
Held = Annotated[int, Number(0, UNBOUNDED, "units", typical=(1, 10**6))]
Small = Annotated[int, Number(0, 100, "parts")]


def rare(x: int) -> bool:
    """Hardly ever."""
    return (x * 7919 + 104729) % 999983 == 271828


SPECIAL = {User("bob"): 1}


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[User, Held]

    system = "x"
    universe = {User: ("alice", "bob", "carol")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, held=dict.fromkeys(cls.universe[User], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.held[caller] += amount
        self.total += amount + (1 if rare(amount) and caller in SPECIAL else 0)


SCOPE = Scope(keys={User: ("alice", REST)})
chapter = Chapter("users", SCOPE)


@chapter.invariant("X-1")
def same(m: M) -> Any:
    """It counts what is put in."""
    return m.total == sum(m.held.values())
