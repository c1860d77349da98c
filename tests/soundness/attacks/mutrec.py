"""False, though it was proved once: Whatever a user puts in, it counts nothing."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Record, action, rule
from marginspec.properties.law import Chapter, anything
from marginspec.properties.relaxation import AnyNatural, Relaxation, simulates, simulations
from marginspec.properties.scope import Scope


@dataclass
class Order(Record):
    """Order."""

    size: Held


@dataclass
class M(Machine):
    """M."""

    total: Held
    order: Order

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, order=Order(size=0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        order = self.order.clone()
        order.size = 0
        first = self.quote(order)
        order.size = amount
        self.total += self.quote(order) - first

    def quote(self, order: Order) -> int:
        """Quote."""
        return 1 if rare(order.size) else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, order: Order) -> Any:
        """The price is a number."""
        return anything(AnyNatural, "price")


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, one: Amount) -> Any:
    """Whatever a user puts in, it counts nothing."""
    before = m.total
    m.put_in(who, one)
    return m.total == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
