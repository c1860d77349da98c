"""False, though it was proved once: A ltv is small, when a user puts in a rare amount."""

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
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount

    @action
    @rule("A-2")
    def enable(self, caller: User, ltv: Ltv) -> None:
        """Put."""
        self.on[ltv] = True


SCOPE = Scope(keys={User: ("alice", "bob"), Ltv: tuple(NumberKey(f"{n} ltv", Number(0, 50)) for n in ("one", "other"))})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, ltv: Ltv, amount: Amount) -> Any:
    """A ltv is small, when a user puts in a rare amount."""
    before = m.total
    m.put_in(who, amount)
    return not rare(amount) or ltv + before <= 50 + m.total - amount
