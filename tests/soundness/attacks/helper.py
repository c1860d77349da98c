"""False, though it was proved once: After somebody put in something every quote can be had and is the total."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Rejected, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.relaxation import Relaxation, simulates, simulations
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
        self.total += amount

    def quote(self, x: int) -> int:
        """Quote."""
        if rare(x):
            raise Rejected("Q-1")
        return self.total


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is the total."""
        return self.total


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount, x: Amount) -> Any:
    """After somebody put in something every quote can be had and is the total."""
    before = m.total
    m.put_in(who, amount)
    return m.quote(x) == before + amount


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
