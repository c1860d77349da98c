"""what is given belongs to no chapter"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, action, rule
from marginspec.properties.law import Chapter, Property, Step
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held

    system = "x"
    universe = {User: ("alice", "bob")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        if rare(amount):
            self.total += 1

    @action
    @rule("A-2")
    def rest_a_while(self, caller: User) -> None:
        """Nothing."""
        self.total += 0


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


def few(m: M, step: Step) -> Any:
    """No put."""
    return step.action != "put_in"


def any_step(m: M, step: Step) -> bool:
    """Any."""
    return True


def nought(m: M) -> Any:
    """Nothing is ever counted."""
    return m.total == 0


def same(m: M, who: User) -> Any:
    """Nothing was counted."""
    m.rest_a_while(who)
    return m.total == 0


GIVEN = Property("X-8", "Nothing is ever counted.", "invariant", nought, (), (), "two users", few, SCOPE)
_one = chapter.add(
    [Property("X-1", "Nothing was counted.", "theorem", same, (GIVEN,), (), "two users", any_step, SCOPE)]
)
