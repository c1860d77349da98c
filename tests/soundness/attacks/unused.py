"""False, though it was proved once: Whatever two users put in, it counts the same."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, anything
from marginspec.properties.relaxation import UNUSED, AnyNatural, Relaxation, simulates, simulations
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
        self.total += self.quote(self.stage(amount))

    def stage(self, x: int) -> int:
        """Stage."""
        return x

    def quote(self, x: int) -> int:
        """Quote."""
        return 1 if rare(x) else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-S")
    def stage(self, x: int) -> Any:
        """The stage is left out."""
        return UNUSED

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is a number."""
        return anything(AnyNatural, "price")


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, one: Amount, two: Amount) -> Any:
    """Whatever two users put in, it counts the same."""
    other = m.clone()
    m.put_in(who, one)
    other.put_in(who, two)
    return m.total == other.total


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
