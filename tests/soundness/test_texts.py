"""Python that an unknown cannot follow: refused as text or found out when it runs, but no proof.

Each law is a file of its own: one refusal must not hide another. True siblings of them are in `test_laws.py`.
"""

from pathlib import Path

import pytest
from altered import Case, false, verdicts, wrong

EMPTY = """        if amount == 0:
            raise Rejected("DEP-2")"""
AFTER_ACTIONS = "    @regime\n    def shared"
FIRST_FIELD = "    total: AmountHeld\n"
FIRST_VALUE = "return cls(total=0"
MODULE = "FUNDS = 10**24\n"
MODEL_NAMES = "import VAULT, Account, Amount, Vault, User\n"
LAW_NAMES = "from marginspec.properties.law import Chapter, Step, assume\n"

KINDS: dict[str, list[Case]] = {}

# --- Hashes ----------------------------------------------------------------------------------------------------------

NEVER_EMPTY = false("""
@chapter.theorem()
def never_refused_as_empty(vault: Vault, caller: User, amount: Amount) -> Any:
    '''No deposit is refused by DEP-2.'''
    return refusal(vault.deposit, caller, amount) != "DEP-2"
""")
REFUSAL = ((LAW_NAMES, LAW_NAMES.replace("assume", "assume, refusal")),)

KINDS["the hash of an unknown"] = [
    Case(
        "the rule looks into a set",
        (NEVER_EMPTY,),
        model=((EMPTY, EMPTY.replace("amount == 0", "amount in {0, 7}")),),
        chapter=REFUSAL,
    ),
    Case(
        "the rule looks into a map of fees",
        (NEVER_EMPTY,),
        model=((EMPTY, EMPTY.replace("amount == 0", "{0: True, 7: True}.get(amount, False)")),),
        chapter=REFUSAL,
    ),
    Case(
        "the law counts different numbers",
        (
            false("""
@chapter.lemma()
def two_amounts_differ(vault: Vault, one: Amount, two: Amount) -> Any:
    '''Two amounts are never the same.'''
    return len({one, two}) == 2
"""),
        ),
    ),
    Case(
        "the law looks into a frozen set",
        (
            false("""
@chapter.lemma()
def neither_three_nor_four(vault: Vault, amount: Amount) -> Any:
    '''No amount is three or four.'''
    return amount not in frozenset((3, 4))
"""),
        ),
    ),
    Case(
        "the law keeps numbers as keys",
        (
            false("""
@chapter.lemma()
def never_met_before(vault: Vault, one: Amount, two: Amount) -> Any:
    '''An amount is never the one before.'''
    met = dict.fromkeys((one,), True)
    return two not in met
"""),
        ),
    ),
]

# --- Memory ----------------------------------------------------------------------------------------------------------

ONE_TIER = false("""
@chapter.lemma()
def one_tier(vault: Vault, amount: Amount) -> Any:
    '''Every amount is of the first tier.'''
    return tier(amount) == 1
""")
TIER = ((MODEL_NAMES, "import VAULT, Account, Amount, User, Vault, tier\n"),)

KINDS["what outlives a run"] = [
    Case(
        "a cached function",
        (ONE_TIER,),
        model=(
            (
                MODULE,
                f"""{MODULE}
import functools


@functools.lru_cache(maxsize=None)
def tier(amount: int) -> int:
    return 1 if amount > 10 else 2

""",
            ),
        ),
        chapter=TIER,
    ),
    Case(
        "a map of the module",
        (ONE_TIER,),
        model=(
            (
                MODULE,
                f"""{MODULE}
KNOWN: dict[str, int] = {{}}


def tier(amount: int) -> int:
    if "tier" not in KNOWN:
        KNOWN["tier"] = 1 if amount > 10 else 2
    return KNOWN["tier"]

""",
            ),
        ),
        chapter=TIER,
    ),
    Case(
        "a default value that is changed",
        (ONE_TIER,),
        model=(
            (
                MODULE,
                f"""{MODULE}

def tier(amount: int, seen: list[int] = []) -> int:
    if not seen:
        seen.append(1 if amount > 10 else 2)
    return seen[0]

""",
            ),
        ),
        chapter=TIER,
    ),
    Case(
        "a global that is assigned",
        (ONE_TIER,),
        model=(
            (
                MODULE,
                f"""{MODULE}
FOUND = 0


def tier(amount: int) -> int:
    global FOUND
    if FOUND == 0:
        FOUND = 1 if amount > 10 else 2
    return FOUND

""",
            ),
        ),
        chapter=TIER,
    ),
    Case(
        "an attribute of the class",
        (
            false("""
@chapter.theorem()
def never_marked(vault: Vault, caller: User, amount: Amount) -> Any:
    '''A deposit of any size is marked as large.'''
    vault.deposit(caller, amount)
    return vault.marked()
"""),
        ),
        model=(
            (EMPTY, f"{EMPTY}\n        if not hasattr(Vault, 'mark'):\n            Vault.mark = amount > 10"),
            (AFTER_ACTIONS, f"    def marked(self) -> bool:\n        return Vault.mark\n\n{AFTER_ACTIONS}"),
        ),
    ),
]

# --- What Python says of a number ------------------------------------------------------------------------------------


def of_a_number(name: str, law: str, body: str) -> Case:
    """A false law about one number."""
    text = f"@chapter.lemma()\ndef {name}(vault: Vault, x: Amount) -> Any:\n    '''{law}'''\n{body}"
    return Case(name.replace("_", " "), (false(text),))


KINDS["what an unknown answers without a decision"] = [
    of_a_number("its_type_by_isinstance", "One is no int.", "    return not isinstance(x, int) or x != 1"),
    of_a_number("its_type_by_type", "Two is of another type.", "    return type(x) is not int or x != 2"),
    of_a_number("a_truth_by_identity", "Three is not truly three.", "    return (x == 3) is not True"),
    of_a_number("its_digits", "No number reads 4.", "    return str(x) != '4'"),
    of_a_number("its_digits_formatted", "No number is shown as 5.", '    return f"{x}" != "5"'),
    of_a_number("its_representation", "No number is written 5.", "    return repr(x) != '5'"),
    of_a_number("its_hash", "No number has the hash 6.", "    return hash(x) != 6"),
    of_a_number("equal_to_a_float", "Seven is not seven point nought.", "    return x != 7.0"),
    of_a_number("times_a_float", "Nothing is lost in a float.", "    return x * 1.0 == x"),
    of_a_number("divided_truly", "Halves and their doubles are the same.", "    return int(x / 2 * 2) == x"),
    of_a_number(
        "matched",
        "Nine matches no int.",
        "    match x:\n        case int():\n            return x != 9\n    return True",
    ),
    of_a_number("itself_by_identity", "Ten is not ten.", "    return not (x + 0 is x) or x != 10"),
    of_a_number("how_many_bits", "No number has four bits.", "    return x.bit_length() != 4"),
]

# --- Errors that are swallowed ---------------------------------------------------------------------------------------

KINDS["an error of the executor that is swallowed"] = [
    of_a_number(
        "by_exception",
        "The last digit of every number is nought.",
        "    try:\n        digit = x % 10\n    except Exception:\n        digit = 0\n    return digit == 0",
    ),
    of_a_number(
        "around_a_text",
        "Every number reads 4, where it can be read.",
        "    try:\n        text = str(x)\n    except Exception:\n        return True\n    return text == '4'",
    ),
    of_a_number(
        "by_everything",
        "Every number is small, where that can be told.",
        "    try:\n        return float(x) < 1000.0\n    except BaseException:\n        return True",
    ),
    of_a_number(
        "without_a_name",
        "Every number has few digits, where they can be counted.",
        "    try:\n        return len(str(x)) < 4\n    except:  # noqa: E722\n        return True",
    ),
    Case(
        "by the standard library",
        (
            false("""
@chapter.lemma()
def suppressed(vault: Vault, x: Amount) -> Any:
    '''Every number has few digits.'''
    with contextlib.suppress(BaseException):
        return len(str(x)) < 4
    return True
"""),
        ),
        chapter=((LAW_NAMES, f"import contextlib\n\n{LAW_NAMES}"),),
    ),
]

# --- Enumerations ----------------------------------------------------------------------------------------------------

OPEN = false("""
@chapter.theorem()
def always_open(vault: Vault) -> Any:
    '''The vault is never closed.'''
    return vault.mode == OPEN
""")
CLOSE = f"    @action\n    def close(self, caller: User) -> None:\n        self.mode = CLOSED\n\n{AFTER_ACTIONS}"


def modes(what: str, definition: str, kind: str = "Mode", keys: bool = True) -> Case:
    """A vault that is open or closed, of some kind of type."""
    universe = ("        User: (", f"        {kind}: (OPEN, CLOSED),\n        User: (")
    scope = ('User: ("actor", "other", REST)}', f'User: ("actor", "other", REST), {kind}: (OPEN, CLOSED)}}')
    return Case(
        what,
        (OPEN,),
        model=(
            (MODULE, f"{MODULE}\n{definition}\n"),
            (FIRST_FIELD, f"    mode: {kind}\n{FIRST_FIELD}"),
            (FIRST_VALUE, "return cls(mode=OPEN, total=0"),
            ("accounts, users = cls.universe.values()", "accounts, users = cls.universe[Account], cls.universe[User]"),
            (AFTER_ACTIONS, CLOSE),
            *((universe,) if keys else ()),
        ),
        chapter=(
            (MODEL_NAMES, f"import CLOSED, OPEN, VAULT, Account, Amount, {kind + ', ' if keys else ''}User, Vault\n"),
            *((scope,) if keys else ()),
        ),
    )


ENUM = """import enum


class Mode(enum.{0}):
    OPEN = {1}
    CLOSED = {2}


OPEN, CLOSED = Mode.OPEN, Mode.CLOSED
"""

KINDS["a state that is no number"] = [
    modes("an enumeration of numbers", ENUM.format("IntEnum", "0", "1")),
    modes("an enumeration of texts", ENUM.format("StrEnum", '"open"', '"closed"')),
    modes("an enumeration", ENUM.format("Enum", "0", "1")),
    modes("a type of identifiers", 'Mode = NewType("Mode", str)\nOPEN, CLOSED = Mode("open"), Mode("closed")\n'),
    modes("a truth value", "OPEN, CLOSED = True, False\n", "bool", keys=False),
]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{kind}: {case.what}") for kind, cases in KINDS.items() for case in cases]
)
def test_what_cannot_be_followed_is_no_proof(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not wrong(case, verdicts(case, tmp_path, monkeypatch, together=False))
