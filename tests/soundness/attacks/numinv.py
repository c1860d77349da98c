"""False, though it was proved once: A ltv is not rare."""

from dataclasses import dataclass
from typing import Annotated, Any, NewType

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.model.kernel.numbers import UNBOUNDED
from marginspec.properties.law import Chapter
from marginspec.properties.scope import NumberKey, Scope

Account = NewType("Account", str)
User = NewType("User", Account)
Amount = Annotated[int, Number(0, 2**128 - 1, "units", typical=(1, 10**6))]
Held = Annotated[int, Number(0, UNBOUNDED, "units", typical=(1, 10**6))]
Small = Annotated[int, Number(0, 100, "parts")]


def rare(x: int) -> bool:
    """Hardly ever."""
    return (x * 7919 + 104729) % 999983 == 271828


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
    def enable(self, caller: User, ltv: Ltv) -> None:
        """Put."""
        self.on[ltv] = True
        self.total += 1


SCOPE = Scope(
    keys={
        User: ("alice", "bob"),
        Ltv: tuple(NumberKey(f"{n} ltv", Number(0, 10**18)) for n in ("one", "other")),
    }
)
chapter = Chapter("two users", SCOPE)


@chapter.invariant("X-1")
def same(m: M, ltv: Ltv) -> Any:
    """A ltv is not rare."""
    return not rare(ltv) and m.total >= 0
