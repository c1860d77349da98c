"""False, though it was proved once: Whatever a user puts in, it counts nothing."""

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

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += self.quote(amount) - self.base(amount)

    def base(self, x: int) -> int:
        """Base."""
        return 0

    def quote(self, x: int) -> int:
        """Quote."""
        return 1 if rare(x) else self.base(x)


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Basic(Machine):
    """Basic."""

    @simulates("X-B")
    def base(self, x: int) -> Any:
        """The base is a number."""
        return anything(AnyNatural, "base")


basic = Relaxation(Basic)


class Easy(Basic):
    """Easy."""

    @simulates("X-T", over=basic)
    def quote(self, x: int) -> Any:
        """The price is the base."""
        return self.base(x)


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """Whatever a user puts in, it counts nothing."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
_more = chapter.add(simulations(basic, M, "any", SCOPE))
