"""False, though it was proved once: Whatever a user puts in, one is counted and nothing goes wrong."""

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
    bad: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, bad=False)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        try:
            self.total += self.quote(amount)
        except Rejected:
            self.bad = True

    def quote(self, x: int) -> int:
        """Quote."""
        if rare(x):
            raise Rejected("Q-1")
        return 1


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is one."""
        return 1


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """Whatever a user puts in, one is counted and nothing goes wrong."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + 1


@chapter.invariant("X-2", relaxed=easy)
def fine(m: M) -> Any:
    """Nothing ever goes wrong."""
    return not m.bad


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
