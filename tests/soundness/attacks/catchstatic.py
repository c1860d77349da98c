"""False, though it was proved once: Whatever a user puts in, it is accepted."""

from typing import Any

from attacked import Amount, Quoted, User, unrefused

from marginspec.model.kernel import Rejected
from marginspec.properties.law import Chapter
from marginspec.properties.relaxation import simulations
from marginspec.properties.scope import Scope

M = Quoted


class Look:
    """Look."""

    @staticmethod
    def takes(m: M, who: User, amount: int) -> bool:
        """Whether it is accepted."""
        try:
            m.put_in(who, amount)
        except Rejected:
            return False
        return True


SCOPE = Scope(keys={User: ("alice", "bob")})
chapter = Chapter("two users", SCOPE)


@chapter.theorem("X-1", relaxed=unrefused)
def same(m: M, who: User, amount: Amount) -> Any:
    """Whatever a user puts in, it is accepted."""
    before = m.total
    return Look.takes(m, who, amount) and m.total == before + 1


_sims = chapter.add(simulations(unrefused, M, "any", SCOPE))
