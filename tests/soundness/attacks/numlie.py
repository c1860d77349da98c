"""M.genesis(), who=alice, amount=574200: a Ltv, returned as a User, is the key of a plain dict; a SymKey hashes
otherwise than 80
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
        local = {self.key_of(ltv): 1 for ltv in self.on}
        self.total += amount + (local.get(self.key_of(Ltv(80)), 0) if rare(amount) else 0)

    def key_of(self, ltv: Ltv) -> User:
        """As a key."""
        return ltv


SCOPE = Scope(
    keys={User: ("alice", "bob"), Ltv: tuple(NumberKey(f"{n} ltv", Number(0, 10**18)) for n in ("one", "other"))}
)
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount
