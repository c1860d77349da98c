"""replaced method with its parameters in another order"""

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
        self.total += self.quote(amount, 0)

    def quote(self, a: int, b: int) -> int:
        """Quote."""
        return 1 if rare(a) and b == 0 else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, b: int, a: int) -> Any:
        """The price is one if the first is rare and the second nought."""
        return 1 if rare(a) and b == 0 else 0


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """Whatever a user puts in, it counts nothing."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
