"""m.put_in(alice, 574200), then who=alice, amount=1: part is 574200; proofs assume the first Number, RANGES proves the
last
"""

from dataclasses import dataclass
from typing import Annotated, Any

from attacked import Amount, Held, Small, User, rare

from marginspec.model.kernel import Machine, Number, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    part: Annotated[Small, Number(0, 2**128 - 1, "units", typical=(1, 10))]

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0, part=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += 1
        self.part = amount if rare(amount) else 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """A part is small, when somebody puts in."""
    before = m.total
    part = m.part
    m.put_in(who, amount)
    return part <= 100 and m.total == before + 1
