"""False, though it was proved once: Enabling counts one more."""

from dataclasses import dataclass
from typing import Any, NewType

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import NumberKey, Scope

Ltv = NewType("Ltv", int)
Tier = NewType("Tier", int)


@dataclass
class M(Machine):
    """M."""

    total: Held

    system = "x"
    universe = {User: ("alice", "bob"), Ltv: (10, 80), Tier: (10, 80)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount

    @action
    @rule("A-2")
    def enable(self, caller: User, ltv: Ltv, tier: Tier, amount: Amount) -> None:
        """Put."""
        self.total = 0 if ltv == tier and rare(amount) else self.total + 1


PERCENT = Number(0, 100)
SCOPE = Scope(keys={User: ("alice", "bob"), Ltv: (NumberKey("a ltv", PERCENT),), Tier: (NumberKey("a tier", PERCENT),)})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, ltv: Ltv, tier: Tier, amount: Amount) -> Any:
    """Enabling counts one more."""
    before = m.total
    m.enable(who, ltv, tier, amount)
    return m.total == before + 1
