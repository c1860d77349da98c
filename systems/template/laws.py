"""What is claimed of Strongbox. The docstring is the law in English, the function is the same law on any state.

`prove` runs these functions on unknown integers; what they return must be true in every case that they do not
`assume` away, whoever its users are, the same or different ones. A case ends where an action is refused: laws speak
of what is accepted.
"""

from typing import Any

from marginspec.properties.law import Chapter, Step, assume
from marginspec.properties.scope import Scope

from .model import STRONGBOX, Account, Amount, Strongbox, User

# All the users that no law and no action names, as one account that carries their sums.
REST = User(Account("rest"))

# Users differ in nothing but their names; more of them are added where a law and its actions speak of more.
SCOPE = Scope(
    keys={Account: ("actor", "other", STRONGBOX, REST), User: ("actor", "other", REST)},
)

chapter = Chapter("any number of users, any amounts up to 2^128", SCOPE)


# Otherwise somebody's withdrawal is refused one day, or never ends.
@chapter.invariant("STRONGBOX-1")
def deposits_add_up(strongbox: Strongbox) -> Any:
    """The deposits of all users sum to the total."""
    return sum(strongbox.deposits.values()) == strongbox.total


@chapter.invariant("STRONGBOX-2")
def what_is_owed_is_there(strongbox: Strongbox) -> Any:
    """The strongbox holds at least the total of its deposits."""
    return strongbox.balance[STRONGBOX] >= strongbox.total


@chapter.theorem("STRONGBOX-3")
def round_trip_never_profits(strongbox: Strongbox, caller: User, amount: Amount, back: Amount) -> Any:
    """Whoever puts something in, having nothing there, and takes something out again, gets no more than that."""
    assume(strongbox.deposits[caller] == 0)
    strongbox.deposit(caller, amount)
    strongbox.withdraw(caller, back)
    return back <= amount


@chapter.theorem("STRONGBOX-4")
def nobody_takes_what_is_of_others(strongbox: Strongbox, step: Step, who: User) -> Any:
    """No action lowers what anybody but its caller has put in."""
    assume(step.argument("caller") != who)
    before = strongbox.deposits[who]
    step.take(strongbox)
    return strongbox.deposits[who] >= before
