"""False, though it was proved once: Whatever a user puts in, it is accepted."""

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
        self.total += self.quote(amount)

    def quote(self, x: int) -> int:
        """Quote."""
        if rare(x):
            raise Rejected("Q-1")
        return 1

    @classmethod
    def takes(cls, m: "M", who: User, amount: int) -> bool:
        """Whether it is accepted."""
        try:
            m.put_in(who, amount)
        except Rejected:
            return False
        return True


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
    """Whatever a user puts in, it is accepted."""
    before = m.total
    return M.takes(m, who, amount) and m.total == before + 1


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
