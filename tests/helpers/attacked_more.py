"""More."""

from attacked import User

ADMIN = User("bob")
SPECIAL = {ADMIN: 1}


def special(who: User) -> int:
    """How special."""
    return {ADMIN: 1}.get(who, 0)
