"""m.put_in(alice, 574200), then who=alice, amount=1: current is 7, no Ltv of the model; is_of takes any number for a
number identifier
"""

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
    current: Ltv
    on: dict[Ltv, bool]

    system = "x"
    universe = {User: ("alice", "bob"), Ltv: (10, 80)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, current=Ltv(10), on={Ltv(10): False, Ltv(80): False})

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount
        self.current = Ltv(7) if rare(amount) else self.current


SCOPE = Scope(
    keys={User: ("alice", "bob"), Ltv: tuple(NumberKey(f"{n} ltv", Number(0, 10**18)) for n in ("one", "other"))}
)
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in, and what was current is one of those that there are."""
    before, current = m.total, m.current
    m.put_in(who, amount)
    return m.total == before + amount and current in m.on
