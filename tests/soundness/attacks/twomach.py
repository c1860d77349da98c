"""False, though it was proved once: The quotes of two with the same total are the same."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, Small, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.model.kernel.numbers import constant
from marginspec.properties.law import Chapter, anything
from marginspec.properties.relaxation import AnyNatural, Relaxation, simulates, simulations
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    fee: Small = constant()

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, fee=5)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount

    def quote(self, other: "M") -> int:
        """Quote."""
        return other.fee if rare(other.total) else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, other: M) -> Any:
        """The price is a number."""
        return anything(AnyNatural)


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, other: M, who: User, amount: Amount) -> Any:
    """The quotes of two with the same total are the same."""
    m.put_in(who, amount)
    other.total = m.total
    return m.quote(m) == m.quote(other)


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
