"""False, though it was proved once: Enabling counts one more."""

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
Tier = NewType("Tier", int)


@dataclass
class M(Machine):
    """M."""

    total: Held

    system = "x"
    universe = {User: ("alice", "bob"), Ltv: (10, 80), Tier: (10, 80)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount

    @action
    @rule("A-2")
    def enable(self, caller: User, ltv: Ltv, tier: Tier, amount: Amount) -> None:
        """Put."""
        self.total = 0 if ltv == tier and rare(amount) else self.total + 1


PERCENT = Number(0, 100)
SCOPE = Scope(keys={User: ("alice", "bob"), Ltv: (NumberKey("a ltv", PERCENT),), Tier: (NumberKey("a tier", PERCENT),)})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, ltv: Ltv, tier: Tier, amount: Amount) -> Any:
    """Enabling counts one more."""
    before = m.total
    m.enable(who, ltv, tier, amount)
    return m.total == before + 1
