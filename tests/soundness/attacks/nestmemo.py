"""False, though it was proved once: A reset does not change the quote."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, Small, User, rare

from marginspec.model.kernel import Machine, Record, action, rule
from marginspec.model.kernel.numbers import constant
from marginspec.properties.law import Chapter, anything
from marginspec.properties.relaxation import AnyNatural, Relaxation, simulates, simulations
from marginspec.properties.scope import Scope


@dataclass
class Market(Record):
    """Market."""

    size: Held
    fee: Small = constant()


@dataclass
class M(Machine):
    """M."""

    total: Held
    market: Market

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, market=Market(size=0, fee=5))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount

    @action
    @rule("A-2")
    def reset(self, caller: User, amount: Amount) -> None:
        """Reset."""
        if rare(amount):
            self.market = Market(size=self.market.size, fee=7)

    def quote(self) -> int:
        """Quote."""
        return self.market.fee


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self) -> Any:
        """The price is a number."""
        return anything(AnyNatural)


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """A reset does not change the quote."""
    before = m.quote()
    m.reset(who, amount)
    return m.quote() == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
