"""M.genesis(), who=EVM-1, amount=574200: an identifier is called as a rule of the kernel, whose texts nobody looks for"""

from dataclasses import dataclass
from typing import Any

from attacked import Amount, Held, User, rare

from marginspec.model.kernel import Machine, Rejected, action, rule
from marginspec.model.kernel.evm import checked
from marginspec.properties.law import Chapter
from marginspec.properties.scope import Scope


@dataclass
class M(Machine):
    """M."""

    total: Held

    system = "x"
    universe = {User: ("alice", "EVM-1")}

    @classmethod
    def blank(cls) -> "M":
        """Begin."""
        return cls(total=0)

    @action
    @rule("A-1")
    def put_in(self, caller: User, amount: Amount) -> None:
        """Put."""
        self.total += amount + (self.special(caller) if rare(amount) else 0)

    def special(self, who: User) -> int:
        """How special."""
        try:
            checked(-1)
        except Rejected as refused:
            return {refused.rule: 1}.get(who, 0)
        return 0


SCOPE = Scope(keys={User: ("alice", "EVM-1")}, alike=(("alice", "EVM-1"),))
chapter = Chapter("users", SCOPE)


@chapter.theorem("X-1")
def same(m: M, who: User, amount: Amount) -> Any:
    """It counts what is put in."""
    before = m.total
    m.put_in(who, amount)
    return m.total == before + amount
