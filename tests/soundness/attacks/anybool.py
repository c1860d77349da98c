"""anything(bool) stands for a number"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, anything
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
        self.total += self.quote(amount)

    def quote(self, x: int) -> int:
        """Quote."""
        return 7 if rare(x) else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is nought or one."""
        return anything(bool)


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """Whatever a user puts in, it counts at most one."""
    before = m.total
    m.put_in(who, amount)
    return m.total <= before + 1


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
