"""False, though it was proved once: It counts nothing."""

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
    flag: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, flag=False)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        if rare(amount):
            self.quote(amount)
        else:
            self.total = 0

    def quote(self, x: int) -> int:
        """Quote."""
        return 1 if rare(x) else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


def calm(m: M, x: int) -> bool:
    """Something."""
    m.total = 0
    return True


class Easy(Machine):
    """Easy."""

    @simulates("X-T", given=calm)
    def quote(self, x: int) -> Any:
        """The price is a number."""
        return anything(AnyNatural)


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts nothing."""
    before = 0
    m.put_in(who, amount)
    return m.total == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
