"""False, though it was proved once: Enabling counts nothing."""

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
    on: dict[Ltv, bool]

    system = "x"
    universe = {User: ("alice", "bob"), Ltv: (10, 80)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, on={Ltv(10): False, Ltv(80): False})

    @action
    @rule("A-2")
    def enable(self, caller: User, ltv: Ltv, amount: Amount) -> None:
        """Put."""
        self.on[ltv] = True
        self.total += 1 if rare(amount) and self.on.get(Ltv(80), False) else 0


SCOPE = Scope(
    keys={
        User: ("alice", "bob"),
        Ltv: tuple(NumberKey(f"{n} ltv", Number(0, 10**18)) for n in ("one", "other")),
    }
)
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, ltv: Ltv, amount: Amount) -> Any:
    """Enabling counts nothing."""
    before = m.total
    m.enable(who, ltv, amount)
    return m.total == before
