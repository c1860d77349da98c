"""m.adopt(alice, 574200), then who=alice, amount=1: the map of the state is that of a constant field, by a function of
type Any; twice_in looks at no constants
"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.model.kernel.numbers import constant
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope


def given(x: Any) -> Any:
    """X."""
    return x


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[User, Held]
    fees: dict[User, Held] = constant()

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, held=dict.fromkeys(cls.universe[User], 0), fees=dict.fromkeys(cls.universe[User], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.held[caller] += amount

    @action
    @rule("A-2")
    def adopt(self, caller: User, amount: Amount) -> None:
        """Adopt."""
        if rare(amount):
            self.held = given(self.fees)


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """What is put in is held, and costs no other fee than before."""
    held, fee = m.held[who], m.fees[who]
    m.put_in(who, amount)
    return m.held[who] == held + amount and m.fees[who] == fee
