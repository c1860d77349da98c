"""False, though it was proved once: To arm and then put in counts nothing."""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.relaxation import Relaxation, simulates, simulations
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    on: bool

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, on=False)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += self.quote(amount)

    def quote(self, x: int) -> int:
        """Quote."""
        return 1 if self.on and rare(x) else 0

    @action
    @rule("A-2")
    def arm(self, caller: User) -> None:
        """Arm."""
        self.on = True

    @action
    @rule("A-3")
    def disarm(self, caller: User) -> None:
        """Disarm."""
        self.on = False


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


def off(m: M) -> bool:
    """It is off at first."""
    return not m.on


class Easy(Machine):
    """Easy."""

    @simulates("X-T")
    def quote(self, x: int) -> Any:
        """The price is nought."""
        return 0


easy = Relaxation(Easy, given=off)


@chapter.theorem("X-1", relaxed=easy)
def same(m: M, who: User, amount: Amount) -> Any:
    """To arm and then put in counts nothing."""
    before = m.total
    m.arm(who)
    m.put_in(who, amount)
    return m.total == before


_sims = chapter.add(simulations(easy, M, "any", SCOPE))
