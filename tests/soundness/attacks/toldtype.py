"""a law tells a relaxation what is none of its type"""

from dataclasses import dataclass
from typing import Any

from attacked import Account, Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, anything, assume
from marginspec.properties.relaxation import (
    AnyNatural,
    Relaxation,
    simulates,
    simulations,
)
from marginspec.properties.scope import Scope

VAULT = Account("vault")


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[Account, Held]

    system = "x"
    universe = {Account: ("vault", "alice", "bob"), User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, held=dict.fromkeys(cls.universe[Account], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += self.quote(amount)

    def quote(self, x: int) -> int:
        """Quote."""
        return 1 if rare(x) else 0


SCOPE = Scope(keys={Account: ("vault", "alice", "bob"), User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    watched: User | None = None

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is a number."""
        return 0 if self.watched == VAULT else anything(AnyNatural)


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, receiver: Account, amount: Amount) -> Any:
    """Whatever a user puts in for the vault, it counts nothing."""
    assume(receiver == VAULT)
    m.watched = receiver
    before = m.total
    m.put_in(who, amount)
    return m.total == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
