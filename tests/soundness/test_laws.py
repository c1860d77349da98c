"""False laws that must not be proved, by kind of cause, among true ones that must be."""

from pathlib import Path

import pytest
from altered import Case, false, true, verdicts, wrong

# Places in the scaffold's model.
MOVED = """        self.balance[sender] -= amount
        self.balance[receiver] += amount"""
EMPTY = """        if amount == 0:
            raise Rejected("DEP-2")"""
ENOUGH = """        if self.deposits[caller] < amount:
            raise Rejected("WDR-3")
"""
PULL = "        self._move(caller, VAULT, amount)\n"
AFTER_ACTIONS = "    @regime\n    def shared"
FIRST_FIELD = "    total: AmountHeld\n"
FIRST_VALUE = "return cls(total=0"
MODULE = "FUNDS = 10**24\n"

LAW_IMPORTS = "from marginspec.properties.law import Chapter, Step, assume\n"


def action(text: str) -> tuple[str, str]:
    """One more action of the model."""
    return AFTER_ACTIONS, f"{text.strip(chr(10))}\n\n{AFTER_ACTIONS}"


def module(text: str) -> tuple[str, str]:
    """More in the module of the model."""
    return MODULE, f"{MODULE}{text}"


def field(name: str, kind: str, first: str) -> tuple[tuple[str, str], ...]:
    """One more number in the state."""
    return (FIRST_FIELD, f"    {name}: {kind}\n{FIRST_FIELD}"), (FIRST_VALUE, f"return cls({name}={first}, total=0")


def imports(law: str = "", also: str = "") -> tuple[tuple[str, str], ...]:
    """More that the laws import: names of the room of laws, other lines."""
    names = f"from marginspec.properties.law import Chapter, Step, assume{law and ', ' + law}\n"
    return ((LAW_IMPORTS, f"{names}{also}"),)


KINDS: dict[str, list[Case]] = {}

# --- Two that are one ------------------------------------------------------------------------------------------------

GIFT = """
    @action
    def gift(self, caller: User, receiver: User, amount: Amount) -> None:
        mine, theirs = self.deposits[caller], self.deposits[receiver]
        if mine < amount:
            raise Rejected("GFT-1")
        self.deposits[caller] = mine - amount
        self.deposits[receiver] = theirs + amount
"""
GIFT_IN_PLACE = """
    @action
    def gift(self, caller: User, receiver: User, amount: Amount) -> None:
        if self.deposits[caller] < amount:
            raise Rejected("GFT-1")
        self.deposits[caller] -= amount
        self.deposits[receiver] += amount
"""
NOBODY_MINTS = """
@chapter.theorem()
def tokens_are_as_many(vault: Vault, step: Step) -> Any:
    '''The tokens of all accounts are as many after an action as before it.'''
    held = sum(vault.balance.values())
    step.take(vault)
    return held == sum(vault.balance.values())
"""
SHARES_STAY = """
@chapter.invariant()
def shares_add_up(vault: Vault) -> Any:
    '''What users have put in is the total.'''
    return vault.total == sum(vault.deposits.values())
"""

KINDS["a sender who is the receiver"] = [
    Case(
        "both balances are read before either is written",
        (false(NOBODY_MINTS),),
        model=(
            (
                MOVED,
                """        rest, more = self.balance[sender] - amount, self.balance[receiver] + amount
        self.balance[sender] = rest
        self.balance[receiver] = more""",
            ),
        ),
    ),
    Case("a gift of a deposit, both read first", (false(SHARES_STAY),), model=(action(GIFT),)),
    Case("a gift of a deposit, in place", (true(SHARES_STAY), true(NOBODY_MINTS)), model=(action(GIFT_IN_PLACE),)),
    Case(
        "as the scaffold has it",
        (
            false("""
@chapter.theorem()
def a_transfer_costs_its_amount(vault: Vault, caller: User, receiver: Account, amount: Amount) -> Any:
    '''Whoever sends something has that much less.'''
    before = vault.balance[caller]
    vault.transfer(caller, receiver, amount)
    return vault.balance[caller] == before - amount
"""),
            false("""
@chapter.theorem(given=(deposits_add_up,))
def two_have_no_more_than_all(vault: Vault, first: User, second: User) -> Any:
    '''What two users have put in is at most the total.'''
    return vault.deposits[first] + vault.deposits[second] <= vault.total
"""),
            true("""
@chapter.theorem()
def a_transfer_to_another_costs_its_amount(vault: Vault, caller: User, receiver: Account, amount: Amount) -> Any:
    '''Whoever sends something to another has that much less.'''
    assume(receiver != caller)
    before = vault.balance[caller]
    vault.transfer(caller, receiver, amount)
    return vault.balance[caller] == before - amount
"""),
            true("""
@chapter.theorem(given=(deposits_add_up,))
def two_users_have_no_more_than_all(vault: Vault, first: User, second: User) -> Any:
    '''What two different users have put in is at most the total.'''
    assume(first != second)
    return vault.deposits[first] + vault.deposits[second] <= vault.total
"""),
            true(NOBODY_MINTS),
        ),
    ),
]

# --- The one of whom a law speaks is who acts ------------------------------------------------------------------------

KINDS["somebody who is the caller"] = [
    Case(
        "as the scaffold has it",
        (
            false("""
@chapter.invariant()
def empty_handed(vault: Vault, who: User) -> Any:
    '''No user ever puts anything in.'''
    return vault.deposits[who] == 0
"""),
            false("""
@chapter.theorem()
def deposits_never_move(vault: Vault, step: Step, who: User) -> Any:
    '''No action changes what a user has put in.'''
    before = vault.deposits[who]
    step.take(vault)
    return vault.deposits[who] == before
"""),
            false("""
@chapter.theorem()
def a_deposit_costs_nobody(vault: Vault, caller: User, who: User, amount: Amount) -> Any:
    '''A deposit leaves the tokens of a user alone.'''
    before = vault.balance[who]
    vault.deposit(caller, amount)
    return vault.balance[who] == before
"""),
            true("""
@chapter.theorem()
def a_deposit_costs_no_other(vault: Vault, caller: User, who: User, amount: Amount) -> Any:
    '''A deposit leaves the tokens of another user alone.'''
    assume(who != caller)
    before = vault.balance[who]
    vault.deposit(caller, amount)
    return vault.balance[who] == before
"""),
        ),
    ),
    Case(
        "roles are pinned, with a reason that is none",
        (
            false("""
@chapter.invariant(scope={"caller": pinned("actor", why="acts"), "who": pinned("other", why="does not act")})
def pinned_and_empty_handed(vault: Vault, who: User) -> Any:
    '''No user ever puts anything in.'''
    return vault.deposits[who] == 0
"""),
        ),
        chapter=(("import Scope\n", "import Scope, pinned\n"),),
    ),
]

# --- Names -----------------------------------------------------------------------------------------------------------

KINDS["one name for two things"] = [
    Case(
        "as the scaffold has it",
        (
            false("""
@chapter.theorem()
def any_total(vault: Vault, total: Amount) -> Any:
    '''The total is any number that one likes.'''
    return vault.total == total
"""),
            false("""
@chapter.theorem()
def bounded_by_what_is_given(vault: Vault, step: Step, amount: Amount) -> Any:
    '''An action raises the total by no more than an amount, whichever that is.'''
    before = vault.total
    step.take(vault)
    return vault.total <= before + amount
"""),
            false("""
@chapter.theorem()
def two_deposits_are_alike(vault: Vault, step: Step, then: Step) -> Any:
    '''Two deposits have the same amount.'''
    assume(step.action == "deposit" and then.action == "deposit")
    step.take(vault)
    before = vault.total
    then.take(vault)
    return vault.total - before == step.argument("amount")
"""),
            true("""
@chapter.theorem()
def a_deposit_adds_its_amount(vault: Vault, caller: User, total: Amount) -> Any:
    '''A deposit raises the total by its amount.'''
    before = vault.total
    vault.deposit(caller, total)
    return vault.total == before + total
"""),
        ),
    ),
    Case(
        "an owner in the state, and one in the law",
        (
            false("""
@chapter.theorem()
def everybody_is_the_owner(vault: Vault, owner: User) -> Any:
    '''Whoever is named owns the vault.'''
    return vault.owner == owner
"""),
            true("""
@chapter.theorem()
def the_owner_stays(vault: Vault, step: Step, owner: User) -> Any:
    '''No action gives the vault to another owner.'''
    assume(vault.owner == owner)
    step.take(vault)
    return vault.owner == owner
"""),
        ),
        model=field("owner", "User", "users[0]"),
    ),
]

# --- Refusals in what is claimed -------------------------------------------------------------------------------------

SURPLUS = """
    def surplus(self) -> int:
        if self.balance[VAULT] < self.total:
            raise Rejected("SUR-1")
        return self.balance[VAULT] - self.total

    def parts(self, who: User) -> int:
        if self.total == 0:
            raise Rejected("SUR-2")
        return 100 * self.deposits[who] // max(self.total, 1)

    @action
    def sweep(self, caller: User, amount: Amount) -> None:
        self._move(VAULT, caller, amount)
"""

KINDS["a claim that refuses"] = [
    Case(
        "a helper that refuses where it is bad, and an action that makes it so",
        (
            false("""
@chapter.invariant()
def never_short(vault: Vault) -> Any:
    '''The vault has what it owes.'''
    return vault.surplus() >= 0
"""),
            false("""
@chapter.theorem()
def not_short_afterwards(vault: Vault, step: Step) -> Any:
    '''After any action the vault has what it owes.'''
    step.take(vault)
    return vault.surplus() >= 0
"""),
            false("""
@chapter.theorem()
def parts_are_parts(vault: Vault, who: User) -> Any:
    '''The part that a user has can be told, and is not negative.'''
    return vault.parts(who) >= 0
"""),
            false("""
@chapter.theorem()
def assumed_to_answer(vault: Vault) -> Any:
    '''The vault has what it owes, being asked whether it does.'''
    assume(vault.surplus() >= 0)
    return vault.balance[VAULT] >= vault.total
"""),
            true("""
@chapter.theorem()
def it_refuses_where_it_is_short(vault: Vault) -> Any:
    '''What is left over can be told just where the vault has what it owes.'''
    return (refusal(vault.surplus) is None) == (vault.balance[VAULT] >= vault.total)
"""),
            true("""
@chapter.theorem()
def where_it_answers_it_is_not_negative(vault: Vault) -> Any:
    '''What is left over, where it can be told, is not negative.'''
    return accepted(vault.surplus) >= 0
"""),
        ),
        model=(action(SURPLUS),),
        chapter=imports("accepted, refusal"),
    ),
]

# --- Ranges ----------------------------------------------------------------------------------------------------------

LEVEL = """
    @action
    def lift(self, caller: User, by: Amount) -> None:
        self.level += by
"""
LEVEL_KEPT = """
    @action
    def lift(self, caller: User, by: Amount) -> None:
        if self.level + by > 10:
            raise Rejected("LVL-1")
        self.level += by
"""
WITHIN = """
@chapter.theorem()
def level_within(vault: Vault) -> Any:
    '''The level is at most ten.'''
    return vault.level <= 10
"""
SMALL = "Annotated[int, Number(0, 10)]"

KINDS["a range that nobody keeps"] = [
    Case(
        "more may be taken out than was put in",
        (
            false("""
@chapter.theorem()
def no_debt(vault: Vault, user: User) -> Any:
    '''Nobody has put in less than nothing.'''
    return vault.deposits[user] >= 0
"""),
        ),
        model=((ENOUGH, ""),),
    ),
    Case("a level that is lifted without end", (false(WITHIN),), model=(*field("level", SMALL, "0"), action(LEVEL))),
    Case("a level that begins too high", (false(WITHIN),), model=field("level", SMALL, "11")),
    Case(
        "a total that is said to stay below a limit",
        (
            false("""
@chapter.theorem()
def total_fits(vault: Vault) -> Any:
    '''The total fits in 128 bits.'''
    return vault.total < 2**128
"""),
        ),
        model=((FIRST_FIELD, "    total: Amount\n"),),
    ),
    Case("a level that is kept", (true(WITHIN),), model=(*field("level", SMALL, "0"), action(LEVEL_KEPT))),
]

# --- Everybody else --------------------------------------------------------------------------------------------------

CAP = (
    PULL,
    f"""        if self.deposits[caller] + amount > 1000:
            raise Rejected("CAP-1")
{PULL}""",
)
CAPPED = """
@chapter.invariant()
def capped(vault: Vault, user: User) -> Any:
    '''Nobody has put in more than a thousand.'''
    return vault.deposits[user] <= 1000
"""
TOTAL_CAPPED = """
@chapter.theorem(given=(deposits_add_up, capped))
def total_capped(vault: Vault) -> Any:
    '''All together have put in at most three thousand.'''
    return vault.total <= 3000
"""

KINDS["everybody else as if they were one"] = [
    Case("a limit for each is none for all", (true(CAPPED), false(TOTAL_CAPPED)), model=(CAP,)),
    Case(
        "as the scaffold has it",
        (
            false("""
@chapter.theorem()
def few_users(vault: Vault) -> Any:
    '''There are at most three users.'''
    return sum(1 for each in vault.deposits.values()) <= 3
"""),
            false("""
@chapter.theorem(given=(deposits_add_up,))
def halves_lose_little(vault: Vault) -> Any:
    '''Half of each deposit, rounded down, is at most three less than all of it when doubled.'''
    return 2 * sum(each // 2 for each in vault.deposits.values()) >= vault.total - 3
"""),
            false("""
@chapter.theorem(given=(deposits_add_up,))
def the_largest_is_a_third(vault: Vault) -> Any:
    '''The largest deposit is at least a third of the total.'''
    return 3 * max(vault.deposits.values()) >= vault.total
"""),
            true("""
@chapter.theorem(given=(deposits_add_up,))
def nobody_has_more_than_all(vault: Vault, user: User) -> Any:
    '''Nobody has put in more than the total.'''
    return vault.deposits[user] <= vault.total
"""),
        ),
    ),
    Case(
        "an action that touches whom it does not name",
        (
            false("""
@chapter.theorem()
def a_dusting_takes_little(vault: Vault, caller: User) -> Any:
    '''Dusting takes at most three from the total.'''
    before = vault.total
    vault.dust(caller)
    return vault.total >= before - 3
"""),
        ),
        model=(
            action("""
    @action
    def dust(self, caller: User) -> None:
        for user in self.deposits:
            if self.deposits[user] > 0:
                self.deposits[user] -= 1
                self.total -= 1
"""),
        ),
    ),
]

# --- Texts that are followed, unlike their neighbours ----------------------------------------------------------------

KINDS["values that are followed"] = [
    Case(
        "a tuple in the place of a set",
        (
            true("""
@chapter.theorem()
def two_amounts_are_refused(vault: Vault, caller: User, amount: Amount) -> Any:
    '''A deposit of nothing, or of seven, is refused.'''
    assume(amount in (0, 7))
    return refusal(vault.deposit, caller, amount) == "DEP-2"
"""),
            true("""
@chapter.theorem()
def nothing_else_is_refused_so(vault: Vault, caller: User, amount: Amount) -> Any:
    '''No other deposit is refused by this rule.'''
    assume(amount != 0 and amount != 7)
    return refusal(vault.deposit, caller, amount) != "DEP-2"
"""),
            true("""
@chapter.lemma()
def arithmetic_is_exact(vault: Vault, x: Amount) -> Any:
    '''Quotient and remainder make up a number, and it is its own absolute value.'''
    return every((x // 7 * 7 + x % 7 == x, abs(x) == x, divmod(x, 4) == (x >> 2, x & 3)))
"""),
            true("""
@chapter.lemma()
def a_function_without_memory(vault: Vault, x: Amount) -> Any:
    '''Each amount is of one of two tiers.'''
    return every((tier(x) in (1, 2), tier(x) == tier(x)))
"""),
            true("""
@chapter.theorem(given=(deposits_add_up,))
def what_may_refuse_a_withdrawal(vault: Vault, caller: User, amount: Amount) -> Any:
    '''A withdrawal is refused by no rule but these.'''
    try:
        vault.withdraw(caller, amount)
    except Rejected as refused:
        return refused.rule in ("WDR-2", "WDR-3", "TOK-2")
    return vault.total >= 0
"""),
        ),
        model=(
            (EMPTY, EMPTY.replace("amount == 0", "amount in (0, 7)")),
            module("\n\ndef tier(amount: int) -> int:\n    return 1 if amount > 10 else 2\n"),
        ),
        chapter=(
            *imports("every, refusal", "from marginspec.model.kernel import Rejected\n"),
            ("import VAULT, Account, Amount, Vault, User\n", "import VAULT, Account, Amount, User, Vault, tier\n"),
        ),
    ),
]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{kind}: {case.what}") for kind, cases in KINDS.items() for case in cases]
)
def test_what_is_false_is_not_proved_and_what_is_true_is(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = verdicts(case, tmp_path, monkeypatch, together=True)
    assert not wrong(case, found)
