"""False, though it was proved once: A ltv is the cap, when a user puts in a rare amount."""

from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter
from marginspec.properties.scope import NumberKey, Scope

Account = NewType("Account", str)
User = NewType("User", Account)
Amount = Annotated[int, Number(0, 2**128 - 1, "units", typical=(1, 10**6))]
Held = Annotated[int, Number(0, UNBOUNDED, "units", typical=(1, 10**6))]
Small = Annotated[int, Number(0, 100, "parts")]


def rare(x: int) -> bool:
    """Hardly ever."""
    return (x * 7919 + 104729) % 999983 == 271828


Ltv = NewType("Ltv", int)


@dataclass
class M(Machine):
    """M."""

    total: Held
    cap: Small

    system = "x"
    universe = {User: ("alice", "bob"), Ltv: (10, 80)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, cap=50)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total = self.total * 2 + amount

    @action
    @rule("A-2")
    def take(self, caller: User, ltv: Ltv) -> None:
        """Put."""
        self.total = 0


SCOPE = Scope(keys={User: ("alice", "bob"), Ltv: (NumberKey("cap", Number(0, 100)),)})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, ltv: Ltv, amount: Amount) -> Any:
    """A ltv is the cap, when a user puts in a rare amount."""
    m.put_in(who, amount)
    return not rare(amount) or ltv == m.cap
