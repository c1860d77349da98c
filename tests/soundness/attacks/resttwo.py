"""False, though it was proved once: A second user has something that is not negative."""

from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter, assume
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

    held: dict[User, Held]

    system = "x"
    universe = {User: ("alice", "rest 2")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(held=dict.fromkeys(cls.universe[User], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.held[caller] += -amount if rare(amount) and caller == User("rest 2") else amount


SCOPE = Scope(keys={User: ("alice", "rest 2")})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """A second user has something that is not negative."""
    assume(who == User("alice"))
    m.put_in(who, amount)
    return m.held[who] + m.held[User("rest 2")] >= amount
