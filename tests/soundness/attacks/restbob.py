"""False, though it was proved once: It counts what is put in."""

from dataclasses import dataclass
from typing import Any

from attacked import Account, Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import REST, Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[Account, Held]

    system = "x"
    universe = {Account: ("alice", "bob", "vault"), User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, held=dict.fromkeys(cls.universe[Account], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount + (1 if rare(amount) and any(one == "bob" for one in self.held) else 0)


SCOPE = Scope(keys={Account: (REST,), User: ("carol",)})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount
