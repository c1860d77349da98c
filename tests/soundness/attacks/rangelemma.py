"""m.put_in(alice, 574200), then who=alice, amount=1: part is 574200; a lemma with the predicate of `ranges` takes the
place of RANGES, which claims nothing of actions
"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, Small, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter
from marginspec.properties.ranges import every_field, ranges
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held
    part: Small

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


_lemma = chapter.lemma("X-L")(ranges("X-R", chapter, every_field).predicate)
