"""False, though it was proved once: Something that is false."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, assume
from marginspec.properties.relaxation import Relaxation, no_less, simulates, simulations
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
        self.total += amount

    def quote(self) -> int:
        """Quote."""
        return 5 if self.total < 5 else self.total


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


class Easy(Machine):
    """Easy."""

    watched: User | None = None

    @simulates("X-T")
    def quote(self) -> Any:
        """The price is a number."""
        return no_less(5) if self.watched == User("alice") else no_less(0)


easy = Relaxation(Easy)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, other: User, amount: Amount) -> Any:
    """Something that is false."""
    assume(who == User("alice"))
    assume(other == User("bob"))
    m.put_in(who, amount)
    m.watched = who
    one = m.quote()
    m.watched = other
    two = m.quote()
    return not rare(amount) or one > two


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
