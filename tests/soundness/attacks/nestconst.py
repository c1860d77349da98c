"""False, though it was proved once: The fee of a rare amount is at most the amount that there is."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, Small, User, rare

from marginspec.model.kernel import Machine, Record, action, rule
from marginspec.model.kernel.numbers import constant
from marginspec.properties.law import Chapter
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
        return cls(total=0, market=Market(size=0, fee=500))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """The fee of a rare amount is at most the amount that there is."""
    before = m.total
    m.put_in(who, amount)
    return not rare(amount) or m.market.fee + before <= m.total - amount + 100
