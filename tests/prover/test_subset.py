"""The subset of Python of models and laws: what is outside is refused with file, line and what to write instead."""

# ruff: noqa: E501 - tables of changes to other files

import importlib
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from marginspec.cli.init import SCAFFOLD
from marginspec.prover.subset import RULES, Outside, outside, rules
from marginspec.systems.registry import NAMES, shipped

REPOSITORY = Path(__file__).parents[2]

Vault = Callable[..., list[Outside]]

MODEL, LAWS = "model.py", "laws.py"
ZERO_AMOUNT = 'if amount == 0:\n            raise Rejected("DEP-2")'
DEPOSIT = "        self._move(caller, STRONGBOX, amount)\n        self.deposits[caller] += amount\n"
FUNDS = "FUNDS = 10**24\n"
FIELD = "    total: AmountHeld\n"
LAW = '''

@chapter.theorem("STRONGBOX-5")
def told(strongbox: Strongbox, caller: User, who: User, amount: Amount) -> Any:
    """Something."""
{body}
'''


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """The scaffold, in a folder of its own, with changed texts; returns what is outside."""
    known = set(sys.modules)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.chdir(tmp_path)

    def change(*changes: tuple[str, str, str]) -> list[Outside]:
        folder = tmp_path / "vault"
        folder.mkdir()
        for name in ("__init__.py", MODEL, LAWS):
            (folder / name).write_text((SCAFFOLD / name).read_text())
        for file, old, new in changes:
            path = folder / file
            text = path.read_text() if path.exists() else ""
            assert old in text, old
            path.write_text(text.replace(old, new, 1) if old else text + new)
        laws = importlib.import_module("vault.laws")
        return outside(laws.Strongbox, laws.chapter.properties)

    yield change
    for name in set(sys.modules) - known:
        if name.partition(".")[0] in ("vault", "common"):
            del sys.modules[name]


def law(body: str, before: str = "") -> tuple[str, str, str]:
    """A change that adds a law."""
    lines = "\n".join(f"    {line}" for line in body.split("\n"))
    return LAWS, "", before + LAW.format(body=lines)


def action(body: str) -> tuple[str, str, str]:
    """A change of what `deposit` does first."""
    lines = "\n".join(f"        {line}" for line in body.split("\n"))
    return MODEL, f"        {ZERO_AMOUNT}\n", f"{lines}\n        {ZERO_AMOUNT}\n"


def top(text: str) -> tuple[str, str, str]:
    """A change of the model's constants."""
    return MODEL, FUNDS, f"{FUNDS}{text}\n"


def field(text: str) -> tuple[str, str, str]:
    """A change of the fields of the model."""
    return MODEL, FIELD, f"{FIELD}    {text}\n"


def class_(text: str) -> tuple[str, str, str]:
    """A change of the body of the model's class."""
    lines = "\n".join(f"    {line}" for line in text.split("\n"))
    return MODEL, "    @regime\n    def shared", f"{lines}\n\n    @regime\n    def shared"


# --- What is shipped is inside ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_is_shipped_is_inside_and_looked_at_fast(name: str) -> None:
    system = shipped(name)
    begin = time.process_time()
    assert [str(found) for found in outside(system.model, system.chapter.properties)] == []
    assert time.process_time() - begin < 5  # a third of a second where nothing else runs


def test_the_scaffold_is_inside(vault: Vault) -> None:
    assert vault() == []


def test_the_tutorial_is_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "tutorial_vault"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name in (MODEL, LAWS):
        (package / name).write_text((REPOSITORY / "docs" / "tutorial" / name).read_text())
    monkeypatch.syspath_prepend(tmp_path)
    laws = importlib.import_module("tutorial_vault.laws")
    assert outside(laws.Vault, laws.chapter.properties) == []


TERMS = [
    (MODEL, "Rejected, action", "Record, Rejected, action"),
    top("@dataclass\nclass Terms(Record):\n    fee: Amount = 0\n"),
    (
        MODEL,
        "    balance: dict[Account, AmountHeld]\n",
        "    balance: dict[Account, AmountHeld]\n    terms: dict[User, Terms]\n",
    ),
]

# --- What is outside --------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, list[tuple[str, str, str]]]] = {
    # Statements.
    "assert": ("assert", [action("assert amount > 0")]),
    "match": ("match", [action("match amount:\n    case 0:\n        return")]),
    "with": ("statement", [action('with open("x") as f:\n    pass')]),
    "yield": ("statement", [law("yield amount")]),
    "del": ("del", [action("del self.deposits[caller]")]),
    "global": ("global", [top("count = 0"), action("global count\ncount = 1")]),
    "nonlocal": ("global", [law("n = 0\ndef f() -> None:\n    nonlocal n\n    n = amount\nf()\nreturn n == 0")]),
    "an import inside": ("import-here", [action("import functools")]),
    "a class inside": ("class-here", [action("class Once:\n    done = False")]),
    "except Exception": ("try", [law("try:\n    d = amount % 10\nexcept Exception:\n    d = 0\nreturn d == 0")]),
    "except nothing named": ("try", [law("try:\n    d = amount % 10\nexcept:\n    d = 0\nreturn d == 0")]),
    "except BaseException": ("try", [action("try:\n    amount += 1\nexcept BaseException:\n    pass")]),
    "except by another name": ("try", [top("Refused = Exception"), action("try:\n    amount += 1\nexcept Refused:\n    pass")]),
    "except several": ("try", [action("try:\n    amount += 1\nexcept (Rejected, TypeError):\n    pass")]),
    "except*": ("try", [action("try:\n    amount += 1\nexcept* Rejected:\n    pass")]),
    "finally": ("try", [action("try:\n    amount += 1\nfinally:\n    return")]),
    "raise of another": ("raise", [action('raise ValueError("DEP-9")')]),
    "a computed rule": ("raise", [action('raise Rejected("DEP-" + "9")')]),
    "Rejected as a value": ("raise", [action('refusal = Rejected("DEP-9")')]),
    "after a return": ("dead", [law("return True\nreturn strongbox.total == amount")]),
    "after a refusal": ("dead", [action('raise Rejected("DEP-9")\namount += 1')]),
    "after two returns": ("dead", [law("if amount == 0:\n    return True\nelse:\n    return True\nreturn amount == 1")]),
    "after an endless loop": ("dead", [law("while True:\n    return True\nreturn amount == 1")]),
    "under if False": ("dead", [law("if False:\n    return strongbox.total == amount\nreturn True")]),
    "an argument of no type": ("argument", [(LAWS, "", "\n\n@chapter.theorem(\"STRONGBOX-5\")\ndef told(strongbox: Strongbox, amount) -> Any:\n    \"\"\"Something.\"\"\"\n    return amount >= 0\n")]),
    "an argument with a default": ("argument", [(MODEL, "def deposit(self, caller: User, amount: Amount)", "def deposit(self, caller: User, amount: Amount = 0)")]),
    "a place of what is flat": ("flat", [law("return strongbox.flatten()[0] == amount")]),
    "a part of what is flat": ("flat", [law("first, *_ = strongbox.flatten()\nreturn first == amount")]),
    "what is flat, counted": ("flat", [law("return sum(strongbox.flatten()) == amount")]),
    "what is flat, listed": ("flat", [law("return [v for v in strongbox.flatten()][0] == amount")]),
    "what is flat, returned": ("flat", [(MODEL, "    @action", "    def numbers(self) -> list[int]:\n        return self.flatten()\n\n    @action"), law("return strongbox.numbers()[0] == amount")]),
    "what is flat, beside a list": ("flat", [law("return strongbox.flatten() == [amount]")]),
    "a view that is kept": ("view", [action("held = self.deposits.values()")]),
    "views that are compared": ("view", [law("return strongbox.deposits.values() == strongbox.deposits.values()")]),
    "a number of any type": ("any", [law("return given(amount).total == amount", "\n\ndef given(x: Any) -> Any:\n    return x\n")]),
    # Expressions.
    "a float": ("float", [action("amount *= 1.0")]),
    "a quotient": ("float", [action("amount = amount / 2")]),
    "a set": ("set", [action("if amount in {0, 7}:\n    return")]),
    "a set of a generator": ("set", [action("seen = {u for u in self.deposits}")]),
    "set()": ("name", [action("seen = set((amount,))")]),
    "frozenset of numbers": ("value", [top("SMALL = frozenset((1, 2))"), action("if amount in SMALL:\n    return")]),
    "an f-string": ("text", [law('return f"{amount}" != "5"')]),
    "str": ("name", [law('return str(amount) != "4"')]),
    "format": ("attribute", [law('return "{}".format(amount) != "4"')]),
    "percent": ("order", [law('return "%d" % amount != "4"')]),
    "bytes": ("literal", [action('label = b"x"')]),
    "is True": ("is", [law("return (amount == 3) is not True")]),
    "is a number": ("is", [law("return amount is not 3".replace("3", "FUNDS"), "from .model import FUNDS\n")]),
    "in a map by a number": ("in", [law("return amount not in strongbox.deposits")]),
    "in a letter": ("in", [law('return who in "other"')]),
    "a number as a key": ("key", [law("seen = {amount: 1}\nreturn seen[amount] == 1")]),
    "a number kept by key": ("key", [law("seen = {}\nseen[amount] = 1\nreturn True")]),
    "dict.fromkeys of numbers": ("key", [law("seen = dict.fromkeys([amount, 7], 1)\nreturn len(seen) == 2")]),
    "a map of a comprehension": ("key", [law("return len({v: 1 for v in strongbox.deposits.values()}) == 2")]),
    "a table by a number": ("key", [top("TIER = {0: 1, 7: 2}"), action("amount = TIER[amount]")]),
    "a table, asked": ("key", [top("TIER = {0: 1, 7: 2}"), action("amount = TIER.get(amount, 0)")]),
    "a pair with a number as a key": ("key", [law("seen = {(who, amount): 1}\nreturn True")]),
    "get by an argument of a step": ("key", [
        (LAWS, "before = strongbox.deposits[who]", 'before = strongbox.deposits.get(step.argument("amount"), 0)')
    ]),
    "a number made an identifier": ("key", [
        top('Key = NewType("Key", int)'),
        law("seen = {}\nseen[Key(amount)] = 1\nreturn True", "from .model import Key\n"),
    ]),
    "a number given for an identifier": ("key", [
        law("return told_(amount)", "def told_(user: User) -> Any:\n    seen = {user: 1}\n    return seen[user] == 1\n")
    ]),
    "a key of no type": ("key", [
        law("return told_(amount)", "def told_(user: Any) -> Any:\n    seen = {user: 1}\n    return seen[user] == 1\n")
    ]),
    "a key of a lambda": ("key", [law("put = lambda k: {k: 1}\nreturn put(amount) == put(7)")]),
    "a key that comes later": ("key", [
        law("seen = {}\ndef put() -> None:\n    seen[key] = 1\nkey = who\nkey = amount\nput()\nreturn True")
    ]),
    "a key that comes later in a function": ("key", [
        law("seen = {}\ndef put() -> None:\n    for n in (1, 2):\n        if n > 1:\n            seen[key] = 1\n        key = amount\nput()\nreturn True")
    ]),
    "a key in a list that grows": ("key", [
        law("held = []\nfor n in (1, 2):\n    held = [held]\nreturn {held[0]: 1} == {}")
    ]),
    "a cast to an identifier": ("key", [
        (LAWS, "from typing import Any", "from typing import Any, cast"),
        law("seen = {cast(User, amount): 1}\nreturn len(seen) == 1"),
    ]),
    "an unknown exponent": ("power", [action("amount = 2**amount")]),
    "a negative exponent": ("power", [action("amount = amount**-1")]),
    "a matrix product": ("operator", [action("amount = amount @ amount")]),
    "an unknown shift": ("shift", [action("amount = 1 << amount")]),
    "an unknown mask": ("mask", [action("amount = amount & self.total")]),
    "a complement": ("mask", [action("amount = ~amount")]),
    "identifiers in order": ("order", [law("return caller < who")]),
    "identifiers added": ("order", [law("return caller + who != who")]),
    "the least identifier": ("order", [law("return min((caller, who)) == caller")]),
    "the length of an identifier": ("order", [law("return len(who) == 5")]),
    "the letters of an identifier": ("order", [law('return all(letter != "o" for letter in who)')]),
    "a letter of an identifier": ("order", [law('return who[0] != "o"')]),
    "a method of a text": ("attribute", [law('return who.upper() != "OTHER"')]),
    "a condition that is a number": ("condition", [law("return (amount == 3) != 2")]),
    "a list times a number": ("repeat", [law("return len([0] * amount) == amount")]),
    # Names.
    "hash": ("name", [law("return hash(amount) != 6")]),
    "hash by another name": ("name", [law("h = hash\nreturn h(amount) != 6")]),
    "hash of the module": ("name", [top("h = hash"), action("amount = h(amount)")]),
    "hash in a list": ("name", [law("return [hash][0](amount) != 6")]),
    "hash after a comprehension": ("name", [law("n = [hash for hash in (1,)]\nreturn hash(amount) != 6")]),
    "isinstance": ("name", [law("return not isinstance(amount, int) or amount != 1")]),
    "type": ("name", [law("return type(amount) is not int or amount != 2")]),
    "getattr": ("name", [action('getattr(self, "_move")(caller, STRONGBOX, amount)')]),
    "getattr of builtins": ("import", [top("import builtins"), action('h = getattr(builtins, "hash")')]),
    "vars": ("name", [action('vars(self)["total"] = 0')]),
    "eval": ("name", [law('return eval("hash(amount)") != 6')]),
    "print": ("name", [action("print(amount)")]),
    "open": ("name", [action('open("x")')]),
    "int of": ("name", [law("return int(amount == 1) == 0")]),
    "round": ("name", [law("return round(amount, -1) == amount")]),
    "__dict__": ("dunder", [action('self.__dict__["seen"] = 1')]),
    "__class__": ("dunder", [law("return amount.__class__ == 3")]),
    "a method of numbers": ("attribute", [law("return amount.bit_length() < 9")]),
    "an attribute of an unknown": ("attribute", [law("return amount.terms == 3")]),
    "random": ("import", [top("import random"), action("amount = random.randint(0, 1)")]),
    "time": ("import", [top("from time import time"), action("if time() > 0:\n    return")]),
    "Fraction": ("import", [top("from fractions import Fraction"), action("amount = Fraction(amount)")]),
    "math": ("import", [top("import math"), action("amount = math.isqrt(amount)")]),
    "star import": ("import", [(MODEL, "from dataclasses import dataclass", "from dataclasses import *")]),
    "the kernel's own": ("name", [
        top("from marginspec.model.kernel.machine import per_model"),
        action("per_model(Strongbox)"),
    ]),
    # State.
    "functools.cache": ("import", [
        top("import functools\n\n\n@functools.cache\ndef tier(amount: int) -> int:\n    return 1 if amount > 10 else 2\n"),
        law("return tier(amount) == 1", "from .model import tier\n"),
    ]),
    "a memo in a default": ("default", [
        top("def tier(amount: int, known: list[int] = []) -> int:\n    return len(known)\n"),
        action("amount = tier(amount)"),
    ]),
    "a memo of the module": ("constant", [top("SEEN = [0]"), action("SEEN[0] = amount")]),
    "a memo of the module, added to": ("constant", [top("SEEN = [0]"), action("SEEN.append(amount)")]),
    "a memo of the module, by another name": ("constant", [top("SEEN = [0]"), action("s = SEEN\ns[0] = amount")]),
    "a memo of the module, given": ("constant", [
        top("SEEN = [0]\n\n\ndef note(where: list[int], amount: int) -> None:\n    where[0] = amount\n"),
        action("note(SEEN, amount)"),
    ]),
    "a memo of the module, returned": ("constant", [
        top("SEEN = [0]\n\n\ndef seen() -> list[int]:\n    return SEEN\n"),
        action("seen()[0] = amount"),
    ]),
    "a memo of the module, kept": ("alias", [
        top('CAPS: "dict[User, int]" = {User(Account("newcomer")): 5}'),
        action("self.deposits = CAPS"),
    ]),
    "an iterator of the module": ("value", [top("STEPS = iter((1, 2, 3))"), action("for step in STEPS:\n    return")]),
    "a record of the module": ("value", [
        top("@dataclass\nclass Terms(Record):\n    fee: Amount = 0\n\n\nTERMS = Terms()"),
        (MODEL, "Rejected, action", "Record, Rejected, action"),
        action("TERMS.fee = amount"),
    ]),
    "a function's attribute": ("hidden", [
        top("def tier(amount: int) -> int:\n    tier.last = amount\n    return amount\n"),
        action("amount = tier(amount)"),
    ]),
    "a hidden attribute": ("hidden", [action("self._seen = amount")]),
    "an attribute of the class": ("hidden", [action("Strongbox.seen = amount")]),
    "a class attribute": ("hidden", [class_("seen = 0")]),
    "a field of no dataclass": ("hidden", [
        top("class Base(Machine):\n    seen: Amount = 0\n"),
        (MODEL, "class Strongbox(Machine)", "class Strongbox(Base)"),
        action("self.seen = amount"),
    ]),
    "a method put on a state": ("hidden", [law("strongbox.deposit = lambda caller, amount: None\nreturn True")]),
    "a constant's item": ("constant", [
        (MODEL, "Rejected, action", "Rejected, action, constant"),
        (MODEL, "    balance: dict[Account, AmountHeld]\n", "    balance: dict[Account, AmountHeld]\n    caps: dict[User, Amount] = constant(default_factory=dict)\n"),
        action("self.caps[caller] = amount"),
    ]),
    "a constant's item, by another name": ("constant", [
        (MODEL, "Rejected, action", "Rejected, action, constant"),
        (MODEL, "    balance: dict[Account, AmountHeld]\n", "    balance: dict[Account, AmountHeld]\n    caps: dict[User, Amount] = constant(default_factory=dict)\n"),
        action("caps = self.caps\ncaps[caller] = amount"),
    ]),
    "a constant's record, in a helper": ("constant", [
        (MODEL, "Rejected, action", "Record, Rejected, action, constant"),
        top("@dataclass\nclass Terms(Record):\n    fee: Amount = 0\n\n\ndef poke(terms: Terms, fee: int) -> None:\n    terms.fee = fee\n"),
        (MODEL, "    balance: dict[Account, AmountHeld]\n", "    balance: dict[Account, AmountHeld]\n    terms: dict[User, Terms] = constant(default_factory=dict)\n"),
        action("poke(self.terms[caller], amount)"),
    ]),
    "a constant itself": ("constant", [
        (MODEL, "Rejected, action", "Rejected, action, constant"),
        (MODEL, "    balance: dict[Account, AmountHeld]\n", "    balance: dict[Account, AmountHeld]\n    cap: Amount = constant(default=5)\n"),
        action("self.cap = amount"),
    ]),
    "one map in two places": ("alias", [field("backup: dict[User, Amount]"), action("self.backup = self.deposits")]),
    "one new map in two places": ("alias", [
        field("backup: dict[User, Amount]"),
        action("copy = self.deposits.copy()\nself.backup = copy\nself.deposits = copy"),
    ]),
    "the last action": ("history", [action("if self.last is not None:\n    return")]),
    "the state before": ("history", [action("amount += self.previous.total")]),
    "one record under two keys": ("alias", [*TERMS, action("one = Terms(1)\nself.terms = {caller: one, STRONGBOX: one}")]),
    "one record in a comprehension": ("alias", [*TERMS, action("one = Terms(1)\nself.terms = {u: one for u in self.deposits}")]),
    "one record for all keys": ("alias", [*TERMS, action("self.terms = dict.fromkeys(self.deposits, Terms(1))")]),
    "one record by two names": ("alias", [*TERMS, action("one = Terms(1)\ntwo = one\nself.terms[caller] = two")]),
    "one record of two targets": ("alias", [*TERMS, action("one = two = Terms(1)\nself.terms[caller] = two")]),
    "one record of a list": ("alias", [*TERMS, action("all_ = [Terms(1)]\nself.terms[caller] = all_[0]")]),
    "one record in a loop": ("alias", [*TERMS, action("one = Terms(1)\nfor user in self.terms:\n    self.terms[user] = one")]),
    "one record by a lambda": ("alias", [*TERMS, action("one = Terms(1)\nmake = lambda: one\nself.terms[caller] = make()")]),
    "one record by a helper": ("alias", [*TERMS, class_("def _put(self, user: User, terms: Terms) -> None:\n    self.terms[user] = terms"), action("one = Terms(1)\nself._put(caller, one)")]),
    "one record by a loop's target": ("alias", [*TERMS, action("for self.terms[caller] in self.terms.values():\n    pass")]),
    "who may exist": ("attribute", [action('if caller in self.universe:\n    return')]),
    # Definitions.
    "a decorator of one's own": ("decorator", [
        top("def often(method: object) -> object:\n    return method\n"),
        (MODEL, '    @rule("DEP-1")', '    @often\n    @rule("DEP-1")'),
    ]),
    "a decorator over a law": ("law", [
        law("return True", "import functools\n\n\ndef twice(f):\n    @functools.wraps(f)\n    def g(strongbox: Strongbox) -> Any:\n        return True\n    return g\n"),
        (LAWS, "def told(", "@twice\ndef told("),
    ]),
    "a lambda as a law": ("law", [
        (LAWS, "", '\nf = lambda strongbox: True\nf.__doc__ = "So."\nchapter.theorem("STRONGBOX-5")(f)\n')
    ]),
    "a partial as a law": ("law", [
        (LAWS, "", '\nimport functools\nf = functools.partial(deposits_add_up)\nf.__doc__ = "So."\nchapter.theorem("STRONGBOX-5")(f)\n')
    ]),
    "a law made in a function": ("law", [
        (LAWS, "", '\ndef make(n):\n    @chapter.theorem("STRONGBOX-5")\n    def so(strongbox: Strongbox) -> Any:\n        """So."""\n        return n\n\n\nmake(1)\n')
    ]),
    "a law made by exec": ("law", [
        (LAWS, "", "\nexec('def so(strongbox: Strongbox) -> Any:\\n    \"So.\"\\n    return hash(1)')\nchapter.theorem('STRONGBOX-5')(so)\n")
    ]),
    "a closure": ("nested", [
        top("def maker(n: int) -> object:\n    def inner(x: int) -> int:\n        return x + n\n    return inner\n\n\nadd = maker(3)"),
        action("amount = add(amount)"),
    ]),
    "a helper of another package": ("name", [
        ("../common.py", "", "def tier(amount: int) -> int:\n    return hash(amount)\n"),
        top("from common import tier"),
        action("amount = tier(amount)"),
    ]),
    "a helper's module that does something": ("module", [
        ("helper.py", "", "from .model import Strongbox\n\nsetattr(Strongbox, 'extra', 1)\n\nTIER = 3\n"),
        (LAWS, "from .model import", "from .helper import TIER\nfrom .model import"),
    ]),
    "a method replaced from outside": ("source", [
        ("helper.py", "", "from .model import Strongbox\n\n\ndef nothing(self, caller, amount):\n    return None\n\n\nStrongbox._move = nothing\n"),
        ("__init__.py", "", "\nfrom . import helper\n"),
    ]),
    "__hash__": ("dunder", [class_("def __hash__(self) -> int:\n    return 1")]),
    "__eq__": ("dunder", [class_("def __eq__(self, other: object) -> bool:\n    return True")]),
    "__getattr__": ("dunder", [class_("def __getattr__(self, name: str) -> int:\n    return 1")]),
    "__post_init__": ("dunder", [class_("def __post_init__(self) -> None:\n    self.total = 0")]),
    "clone of one's own": ("method", [class_('def clone(self) -> "Strongbox":\n    return self')]),
    "a dataclass without ==": ("decorator", [(MODEL, "@dataclass\n", "@dataclass(eq=False)\n")]),
    "a base that is no record": ("class", [
        top("class Base:\n    def deposit(self) -> None:\n        hash(self)\n"),
        (MODEL, "class Strongbox(Machine)", "class Strongbox(Machine, Base)"),
    ]),
    "a metaclass": ("class", [
        top("class Meta(type):\n    pass\n"),
        (MODEL, "class Strongbox(Machine)", "class Strongbox(Machine, metaclass=Meta)"),
    ]),
    "a method defined twice": ("twice", [class_("@action\ndef transfer(self, caller: User, receiver: Account, amount: Amount) -> None:\n    return")]),
    "a conditional definition": ("module", [top("if FUNDS > 3:\n    def tier(amount: int) -> int:\n        return 1")]),
    "a loop of the module": ("module", [top("for _ in range(3):\n    pass")]),
    "a patch in the module": ("module", [(MODEL, "", "\nStrongbox.deposit = Strongbox.withdraw\n")]),
    "a dunder of the module": ("dunder", [top("__dir__ = len")]),
    # Types of fields.
    "a field that is not compared": ("field", [
        (MODEL, "import dataclass\n", "import dataclass, field\n"),
        (MODEL, "    balance: dict[Account, AmountHeld]\n", "    balance: dict[Account, AmountHeld]\n    seen: Amount = field(default=0, compare=False)\n"),
    ]),
    "a field declared by a helper": ("field", [
        (MODEL, "import dataclass\n", "import dataclass, field\n"),
        top("def hidden() -> Amount:\n    return field(default=0, compare=False)\n"),
        (MODEL, "    balance: dict[Account, AmountHeld]\n", "    balance: dict[Account, AmountHeld]\n    seen: Amount = hidden()\n"),
    ]),
    "an identifier with a mind of its own": ("identifier", [
        top("class Odd(str):\n    def __eq__(self, other: object) -> bool:\n        return True\n\n    __hash__ = str.__hash__\n"),
        (LAWS, "import STRONGBOX,", "import STRONGBOX, Odd,"),
        (LAWS, 'User: ("actor",', 'User: (Odd("actor"),'),
    ]),
    "a field called as a method of maps": ("method", [field("values: Amount")]),
    "a field called as a method of texts": ("method", [field("title: Amount")]),
    "__getattr__ of a module": ("dunder", [top("def __getattr__(name: str) -> int:\n    return 1\n")]),
    "an Enum": ("field", [
        (MODEL, FUNDS, f"{FUNDS}\n\nimport enum\n\n\nclass Mode(enum.IntEnum):\n    OPEN = 0\n\n"),
        field("mode: Mode"),
    ]),
    "a list": ("field", [field("seen: list[Amount]")]),
    "a set of users": ("field", [field("seen: set[User]")]),
    "an optional": ("field", [field("seen: Amount | None")]),
    "a float field": ("field", [field("seen: float")]),
    "a text": ("field", [field("seen: str")]),
    "a bare number": ("field", [field("seen: int")]),
    "a map by number": ("field", [field("seen: dict[int, Amount]")]),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_outside_is_refused_with_its_line(name: str, vault: Vault, tmp_path: Path) -> None:
    rule, changes = REFUSED[name]
    found = vault(*changes)
    by_rule = [one for one in found if one.rule == rule]
    assert by_rule, [str(one) for one in found]
    begun = {name: (SCAFFOLD / name).read_text().splitlines() for name in (MODEL, LAWS)}
    where = {one.file: (tmp_path / one.file).read_text().splitlines()[one.line - 1] for one in by_rule}
    is_new = any(line not in begun.get(Path(file).name, []) for file, line in where.items())
    assert is_new or rule in ("source", "class", "identifier", "twice"), where
    for one in found:
        assert (tmp_path / one.file).is_file(), one
        lines = (tmp_path / one.file).read_text().splitlines()
        assert 1 <= one.line <= len(lines)
        assert one.instead == RULES[one.rule].instead
        assert "\n" not in str(one)
        assert str(one).startswith(f"{one.file}:{one.line}: ")


def test_every_rule_is_tested() -> None:
    assert {rule for rule, _ in REFUSED.values()} >= set(RULES)


def test_the_page_says_the_same_rules_and_lists() -> None:
    page = (REPOSITORY / "docs" / "subset.md").read_text()
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in page.splitlines() if line.startswith("| `")]
    assert [tuple(cell.strip().replace("\\|", "|") for cell in row) for row in rows] == [
        (f"`{key}`", rule.what, rule.instead) for key, rule in RULES.items()
    ]
    words = " ".join(page.split())
    laws = rules.KERNEL["marginspec.properties.law"]
    lists = (rules.BUILTINS, rules.MAP_METHODS, rules.LIST_METHODS, rules.STATE_METHODS, rules.STEP_ATTRIBUTES, laws)
    for names in (*lists, rules.LIBRARIES, rules.HISTORY):
        assert ", ".join(f"`{name}`" for name in names) in words


# --- What is inside ---------------------------------------------------------------------------------------------------

ALLOWED: dict[str, list[tuple[str, str, str]]] = {
    "in a tuple": [action("if amount in (0, 7):\n    return")],
    "in a constant tuple": [top("SMALL = (1, 2)"), action("if amount not in SMALL:\n    return")],
    "a map by identifiers": [law("held = dict(strongbox.deposits)\nheld[who] = amount\nreturn held[who] == amount")],
    "get by an identifier": [law("return strongbox.deposits.get(who, 0) >= 0")],
    "an identifier in a map": [law("return who in strongbox.deposits")],
    "a pair of identifiers as a key": [law("seen = {(who, caller): 1}\nreturn len(seen) == 1")],
    "except Rejected": [law("try:\n    strongbox.deposit(caller, amount)\nexcept Rejected as refused:\n    return refused.rule != ''\nreturn True", "from marginspec.model.kernel import Rejected\n")],
    "remainders, powers, shifts, masks": [action("if amount % 10 == 3 and amount**2 > 2**64 and amount >> 8 == amount & 255:\n    return")],
    "conditions joined": [law("return (amount == 0) | (amount > 0)")],
    "helpers of Python": [law("low, high = divmod(abs(amount), 10)\nreturn every(x >= 0 for x in sorted([low, high, max(low, high), sum((low, high))]))", "from marginspec.properties.law import every\n")],
    "nested functions and lambdas": [law("def half(x: int) -> int:\n    return x // 2\ndouble = lambda x: x * 2\nreturn double(half(amount)) <= amount")],
    "a loop with an end": [law("n = 0\nwhile n < 3:\n    n += 1\nreturn n == 3")],
    "a list of one's own": [law("seen = []\nfor user in (who, caller):\n    seen.append(strongbox.deposits[user])\nreturn len(seen) == 2")],
    "a list returned": [law("return len(_held(strongbox)) > 0", "def _held(strongbox: Strongbox) -> list[int]:\n    held = [v for v in strongbox.deposits.values()]\n    held[0] = 1\n    return held\n")],
    "a copy kept": [field("backup: dict[User, Amount]"), action("self.backup = self.deposits.copy()")],
    "another record, made here": [
        (MODEL, "Rejected, action", "Record, Rejected, action"),
        top("@dataclass(slots=True)\nclass Terms(Record):\n    fee: Amount = 0\n"),
        (MODEL, "    balance: dict[Account, AmountHeld]\n", "    balance: dict[Account, AmountHeld]\n    terms: dict[User, Terms]\n"),
        action("self.terms[caller] = Terms(amount)"),
    ],
    "a property and a static method": [class_("@property\ndef spare(self) -> int:\n    return self.balance[STRONGBOX] - self.total\n\n@staticmethod\ndef twice(x: int) -> int:\n    return 2 * x"), action("if self.twice(self.spare) < 0:\n    return")],
    "the last action in a regime": [class_("@regime\ndef moved(self) -> bool:\n    return self.last is not None and self.previous.total != self.total")],
    "a helper module": [
        ("helper.py", "", "from marginspec.model.kernel.fixed import div_up\n\n\ndef tenth(x: int) -> int:\n    return div_up(x, 10)\n"),
        (MODEL, "from marginspec.model.kernel import", "from .helper import tenth\nfrom marginspec.model.kernel import"),
        action("amount = tenth(amount)"),
    ],
    "a table by identifiers": [top('CAPS = {User(Account("newcomer")): 5}'), action("if CAPS[caller] > amount:\n    return")],
    "an own base": [
        top("@dataclass\nclass Base(Machine):\n    fees: Amount = 0\n\n    def _earn(self, fee: int) -> None:\n        self.fees += fee\n"),
        (MODEL, "class Strongbox(Machine)", "class Strongbox(Base)"),
        (MODEL, "    total: AmountHeld\n    deposits: dict[User, AmountHeld]\n    balance: dict[Account, AmountHeld]\n", "    total: Amount = 0\n    deposits: dict[User, Amount] = field(default_factory=dict)\n    balance: dict[Account, Amount] = field(default_factory=dict)\n"),
        (MODEL, "import dataclass\n", "import dataclass, field\n"),
        action("self._earn(amount)"),
    ],
    "a step's argument": [(LAWS, "before = strongbox.deposits[who]", 'before = strongbox.deposits[who]\n    caller = step.argument("caller")\n    assume(caller is not None and strongbox.deposits[caller] >= 0)')],
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_near_and_inside_is_allowed(name: str, vault: Vault) -> None:
    assert [str(one) for one in vault(*ALLOWED[name])] == []
