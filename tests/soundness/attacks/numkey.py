"""False, though it was proved once: A ltv is the cap, when a user puts in a rare amount."""

from dataclasses import dataclass
from typing import Any, NewType

from attacked import Amount, Held, Small, User, rare

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import NumberKey, Scope

Ltv = NewType("Ltv", int)


@dataclass
class M(Machine):
    """M."""

    total: Held
    cap: Small

    system = "x"
    universe = {User: ("alice", "bob"), Ltv: (10, 80)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, cap=50)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total = self.total * 2 + amount

    @action
    @rule("A-2")
    def take(self, caller: User, ltv: Ltv) -> None:
        """Put."""
        self.total = 0


SCOPE = Scope(keys={User: ("alice", "bob"), Ltv: (NumberKey("cap", Number(0, 100)),)})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, ltv: Ltv, amount: Amount) -> Any:
    """A ltv is the cap, when a user puts in a rare amount."""
    m.put_in(who, amount)
    return not rare(amount) or ltv == m.cap
