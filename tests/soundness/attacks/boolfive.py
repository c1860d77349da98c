"""False, though it was proved once: A truth value counts at most one."""

from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter
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
    flag: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, flag=5)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """A truth value counts at most one."""
    before = m.total + (1 if m.flag else 0)
    m.put_in(who, amount)
    return not rare(amount) or m.total + m.flag == before + amount
