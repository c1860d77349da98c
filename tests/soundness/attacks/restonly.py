"""600 users, who=root, amount=574200: where REST is the only key its maps are no OrderedMap, len counts"""

from dataclasses import dataclass
from typing import Any, NewType

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import REST, Scope

Admin = NewType("Admin", str)


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[User, Held]

    system = "x"
    universe = {User: ("alice", "bob"), Admin: ("root",)}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, held=dict.fromkeys(cls.universe[User], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: Admin, amount: Amount) -> None:
        """Put."""
        self.total += amount + (1 if rare(amount) and len(self.held) > 500 else 0)


SCOPE = Scope(keys={User: (REST,), Admin: ("root",)})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: Admin, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount
