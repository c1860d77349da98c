"""False, though it was proved once: Whatever a user puts in is accepted."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Rejected, action, rule
from marginspec.properties.law import Chapter, refusal
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
        self.total += self.quote(amount)

    def quote(self, x: int) -> int:
        """Quote."""
        return self.base(x)

    def base(self, x: int) -> int:
        """Base."""
        if rare(x):
            raise Rejected("Q-1")
        return 1


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Basic(Machine):
    """Basic."""

    @simulates("X-B")
    def base(self, x: int) -> Any:
        """The base is one."""
        return 1


basic = Relaxation(Basic)


class Easy(Machine):
    """Easy."""

    @simulates("X-T", over=basic, total=True)
    def quote(self, x: int) -> Any:
        """The price is one."""
        return 1


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """Whatever a user puts in is accepted."""
    return refusal(m.put_in, who, amount) is None


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
_more = chapter.add(simulations(basic, M, "any", SCOPE))
