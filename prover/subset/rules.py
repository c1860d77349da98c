"""What is outside the subset and what to write instead, and what of Python and its library is inside it.

`docs/subset.md` shows the same rules and lists; a test keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One kind of thing that may not be written. what: for a reader of the page. instead: what to write."""

    what: str
    instead: str


RULES: dict[str, Rule] = {
    # --- Statements ---
    "assert": Rule("`assert`", '`raise Rejected("ID")` in a model, `assume(…)` in a law'),
    "class-here": Rule("a class inside a function", "a class of the module"),
    "del": Rule("`del`", "set the value to 0: the keys of a state never change"),
    "global": Rule("`global` and `nonlocal`", "a field of the state"),
    "import-here": Rule("an import inside a function", "the import at the top of the file"),
    "match": Rule("`match`", "`if` and `elif`"),
    "raise": Rule("`raise` of anything else than a rule", '`raise Rejected("ID")` with the ID as a literal'),
    "try": Rule("`try` with anything else than `except Rejected`", "`except Rejected`, without `finally`"),
    "dead": Rule("a statement that is never reached", "nothing after `return`, `raise`, `break` and `continue`"),
    "statement": Rule("`with`, `async`, `await`, `yield`", "plain statements; a function returns a list"),
    # --- Expressions ---
    "float": Rule("floats and true division", "`//` or a kernel function that names its rounding"),
    "set": Rule("a set", "a tuple: `x in (a, b)` compares, a set hashes"),
    "text": Rule("an f-string, or a text made from values", "numbers and identifiers; a rule is a literal"),
    "literal": Rule("bytes, complex numbers, `...`", "integers, bools, None and texts"),
    "is": Rule("`is` with anything else than None", "`==`, or the condition itself"),
    "in": Rule("`in` a map or set by a number, or in what is not known to be a tuple or list", "`x in (a, b)`"),
    "key": Rule("a number, or something of unknown type, as the key of a map", "an identifier, annotated as one"),
    "power": Rule("`**` with an exponent that is no natural constant", "a constant exponent, or a loop"),
    "shift": Rule("`<<` and `>>` by what is no natural constant", "a constant, or `*` and `//` by a power of 2"),
    "mask": Rule("`&`, `|`, `^` of unknown numbers, and `~`", "a constant mask on one side, or `and`, `or`, `not`"),
    "operator": Rule("`@`", "`+ - * // %` on integers"),
    "order": Rule("an identifier that is ordered, added, counted, iterated or called", "`==` and `!=`"),
    "flat": Rule(
        "a part of what `flatten` gives, or a function that returns it",
        "`==` and `!=` of two of these",
    ),
    "view": Rule("what `keys`, `values` and `items` give, kept or compared", "a loop over it, or `list` of it"),
    "any": Rule("a value given for an argument that may be of any type", "a type for that argument; a machine has one"),
    "condition": Rule("a condition that is compared with a number", "the condition itself, or `1 if … else 0`"),
    "repeat": Rule("a list or tuple that is multiplied", "a comprehension"),
    # --- Names ---
    "name": Rule("a function or object that is not listed", "what docs/subset.md lists"),
    "attribute": Rule("an attribute that is no field or method", "a declared field, a method or an item of a map"),
    "dunder": Rule("a name with two underscores at its beginning", "a name without"),
    "value": Rule("a module's own object that is no constant", "a field of the state, or an integer, text or tuple"),
    # --- State ---
    "hidden": Rule("state that is no declared field", "a field of the dataclass"),
    "constant": Rule("a change to what is constant, given or of the module", "a field that is no constant"),
    "alias": Rule("one map or record in two places of the state", "`.copy()` or `.clone()` of it"),
    "history": Rule(
        "the last action or the state before it, in a rule or law", "a field of the state; regimes may ask"
    ),
    "default": Rule("a default value that can change", "None, a number or a tuple"),
    # --- Definitions ---
    "decorator": Rule("a decorator that is not the kernel's", "one of `@action`, `@rule`, `@regime`, `@dataclass`"),
    "argument": Rule("an argument of a law or action without a type, or with a default", "`name: Type`"),
    "law": Rule("a law that is no function of a module", "`def` at the left margin of a module"),
    "nested": Rule("a function made inside another one", "a function of the module"),
    "source": Rule("code whose source is not what runs", "the definition in a file, changed by nothing"),
    "twice": Rule("one name defined twice", "two names"),
    "class": Rule("a class that is no record or machine", "a dataclass whose base is Record or Machine"),
    "method": Rule(
        "a name of the kernel's, or of Python's numbers, texts and maps, for a field or method", "another name"
    ),
    "field": Rule("a field of another type", "int with a Number, bool, a NewType of str, a Record, or a dict of these"),
    "identifier": Rule("an identifier that is no plain text or number", "a text, or a NumberKey in a scope"),
    "module": Rule("a statement of a module that is no definition", "imports, constants, classes and functions"),
    "import": Rule("an import of a library that is not listed, or of `*`", "what docs/subset.md lists, by name"),
}

BUILTINS = (
    *("NotImplementedError", "abs", "all", "any", "bool", "dict", "divmod", "enumerate", "len", "list", "max"),
    *("min", "range", "reversed", "sorted", "sum", "super", "tuple", "zip"),
)
"""Of Python's own functions and types, those that may be used on unknowns."""

LIBRARIES = ("__future__", "collections.abc", "dataclasses", "typing")
"""Modules of the standard library that a model may import from."""

FROM_LIBRARIES = {
    "typing": ("cast",),
}
"""What of them a rule or law may call; the rest is for annotations and definitions."""

KERNEL: dict[str, tuple[str, ...]] = {
    "marginspec.model.kernel.fixed": ("*",),
    "marginspec.model.kernel.evm": ("*",),
    "marginspec.model.kernel.machine": ("Call", "Rejected"),
    "marginspec.properties.law": ("Step", "accepted", "anything", "assume", "every", "implies", "refusal"),
    "marginspec.properties.relaxation": ("*",),
    "marginspec.properties.ranges": ("within",),
}
"""The functions of the kernel and of laws that may be used on unknowns; `*`: all that are public."""

TRUSTED = (
    "marginspec.model.kernel",
    "marginspec.properties.law",
    "marginspec.properties.scope",
    "marginspec.properties.ranges",
    "marginspec.properties.relaxation",
)
"""Modules that are not looked into: `prover/SOUNDNESS.md` counts them among what is trusted."""

DECORATORS = ("action", "regime", "rule", "simulates", "dataclass", "classmethod", "staticmethod", "property")
CLAIMS = ("composition", "invariant", "lemma", "ranges", "theorem")
DATACLASS_OPTIONS = ("kw_only", "slots")
FIELD_OPTIONS = ("default", "default_factory")

MAP_METHODS = ("copy", "get", "items", "keys", "values")
LIST_METHODS = ("append", "copy", "extend", "index")
TUPLE_METHODS = ("index",)
STATE_METHODS = ("clone", "flatten")
STEP_ATTRIBUTES = ("action", "argument", "take")
HISTORY = ("last", "previous", "reach")
TEXT_METHODS = ("endswith", "format", "join", "removeprefix", "removesuffix", "replace", "split", "startswith")
"""Of texts, where no unknown can be: in the constants of a module."""

CLASS_CONSTANTS = ("never", "system", "universe")
"""What the body of a machine may say besides fields and methods."""
