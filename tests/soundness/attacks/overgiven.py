"""lemma over a relaxation that assumes something of a state"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
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
    on: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, on=False)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += self.quote(amount)

    @action
    @rule("A-2")
    def arm(self, caller: User) -> None:
        """Arm."""
        self.on = True

    def base(self) -> int:
        """Base."""
        return 0

    def quote(self, x: int) -> int:
        """Quote."""
        return 1 if self.on and rare(x) else self.base()


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


def off(m: M) -> bool:
    """It is off."""
    return not m.on


class Basic(Machine):
    """Basic."""

    @simulates("X-B")
    def base(self) -> Any:
        """The base is nought."""
        return 0


basic = Relaxation(Basic, given=off)


class Easy(Machine):
    """Easy."""

    @simulates("X-T", over=basic)
    def quote(self, x: int) -> Any:
        """The price is nought."""
        return 0


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """Whatever a user puts in, it counts nothing."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
_more = chapter.add(simulations(basic, M, "any", SCOPE))
