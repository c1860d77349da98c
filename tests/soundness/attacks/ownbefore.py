"""a property with a `before` of its own, in a chapter without"""

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


def nought(m: M) -> Any:
    """Nothing is ever counted."""
    return m.total == 0


_one = chapter.add([Property("X-1", "Nothing is ever counted.", "invariant", nought, (), (), "two users", few, SCOPE)])
