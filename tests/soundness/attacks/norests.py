"""a property that does not say what it rests on"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, Property, Step
from marginspec.properties.relaxation import (
    Relaxation,
    simulates,
    simulations,
)
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
        return 1 if rare(x) else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is nought."""
        return 0


easy = Relaxation(Easy)


def any_step(m: M, step: Step) -> bool:
    """Any."""
    return True


def same(m: M, who: User, amount: Amount) -> Any:
    """It counts nothing."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before


_one = chapter.add([Property("X-1", "It counts nothing.", "theorem", same, (), (), "two users", any_step, SCOPE, easy)])
_sims = chapter.add(simulations(easy, M, "any", SCOPE))
