"""a number key is called like a variable of a map by number keys"""

from dataclasses import dataclass
from typing import Any, NewType

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import NumberKey, Scope

Ltv = NewType("Ltv", int)


@dataclass
class M(Machine):
    """M."""

    total: Held
    early: dict[Ltv, bool]
    on: dict[Ltv, bool]

    system = "x"
    universe = {User: ("alice", "bob"), Ltv: (0, 1)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, early={Ltv(0): False, Ltv(1): False}, on={Ltv(0): False, Ltv(1): False})

    @action
    @rule("A-1")
    def put_in(self, caller: User, one: Ltv, two: Ltv, amount: Amount) -> None:
        """Put."""
        if rare(amount) and one == 0 and two == 1 and self.on[two] and not self.on[one]:
            self.total += 1

    @action
    @rule("A-2")
    def enable(self, caller: User, one: Ltv) -> None:
        """Enable."""
        self.on[one] = True


SCOPE = Scope(
    keys={User: ("alice", "bob"), Ltv: (NumberKey("one ltv", Number(0, 1)), NumberKey("on[one ltv]", Number(0, 1)))}
)
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, one: Ltv, two: Ltv, amount: Amount) -> Any:
    """It counts nothing."""
    before = m.total
    m.put_in(who, one, two, amount)
    return m.total == before
