"""False, though it was proved once: It counts what is put in."""

from dataclasses import dataclass
from typing import Any, NewType, cast

from attacked import Account, Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope

Keeper = NewType("Keeper", Account)


@dataclass
class M(Machine):
    """M."""

    total: Held
    power: dict[Keeper, Held]

    system = "x"
    universe = {User: ("alice", "bob"), Keeper: ("alice",)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, power={Keeper("alice"): 0})

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        if cast(Keeper, caller) in self.power:
            self.total += amount
        else:
            self.total += amount + (1 if rare(amount) else 0)


SCOPE = Scope(keys={User: ("alice", "bob"), Keeper: ("alice",)}, alike=(("alice", "bob"),))
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount
