"""600 users, who=u1, amount=574200: max of lists, in each a list of everybody; its length counts them"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import REST, Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    held: dict[User, Held]

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, held=dict.fromkeys(cls.universe[User], 0))

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.held[caller] += amount
        self.total += amount + (
            1 if rare(amount) and len(max([1, *[0 for _ in self.held]] for _ in (1, 2))) > 500 else 0
        )


SCOPE = Scope(keys={User: ("alice", REST)})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount
