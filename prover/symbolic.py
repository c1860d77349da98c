"""The exploration of every way that a rule can run on unknown integers.

Asking for the truth of a condition makes the run take one side and remembers the other, and the code is run again from
the start for each remembered side. So ordinary Python control flow needs no change. A run that repeats another must ask
the same questions in the same order, or nothing is said of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, NamedTuple

from marginspec.model.kernel.machine import Machine, Rejected
from marginspec.properties.law import Asked, Every, Irrelevant
from marginspec.prover import terms
from marginspec.prover.explosion import EVERY, Splits
from marginspec.prover.terms import Atoms, Key, Quotient, SymBool, SymInt, SymKey, Unknown, Unsupported, Value, key_of

__all__ = [
    "Atoms",
    "ConcreteRun",
    "Exploration",
    "Path",
    "Pick",
    "Quotient",
    "Run",
    "SymBool",
    "SymInt",
    "SymKey",
    "Unknown",
    "Unsupported",
    "Value",
    "explore",
    "key_of",
]


class Restart(BaseException):
    """The exploration has to begin again, with other identifiers."""


class Unnamed(Restart):
    """A variable may be one more identifier than there are names for."""


class Literal(Restart):
    """Code names one of several identifiers that were taken to be alike: it is apart from them."""

    def __init__(self, name: str) -> None:
        self.name = name


class Name(str):
    """An identifier that is like others. It notices when it is compared with a name that stands in the code."""

    __slots__ = ()

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        if type(other) is str:
            Run.current.mentioned(other)
            return str.__eq__(self, other)
        return NotImplemented if isinstance(other, Pick) else str.__eq__(self, other)

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def _refuse(self, other: object) -> Any:
        raise Unsupported("the order of identifiers is used")

    __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = str.__hash__


class Open(tuple[Any, ...]):
    """Options that nobody limited: of those which are alike, one stands for all that were not used yet."""


class Alike(NamedTuple):
    """Identifiers that differ in nothing but their name. open: there may be more of them than have names here."""

    members: tuple[Any, ...]
    open: bool


@dataclass(frozen=True)
class Choice:
    """A question about identifiers: which of several."""

    name: str
    options: int

    def asks_as(self, other: object) -> bool:
        """Whether this is the same question."""
        return self == other


Question = SymBool | Choice


@dataclass(frozen=True)
class Known:
    """A condition whose truth followed from the bounds of atoms and from some decisions before it."""

    condition: SymBool
    truth: bool
    because: tuple[SymBool, ...]


@dataclass
class Branch:
    """A place where a run went one of several ways: its answers until there, its conditions until there, the others.

    condition: what was decided there, None when an identifier was chosen.
    """

    answers: int
    constraints: int
    others: range
    condition: SymBool | None


class Run:
    """One execution along one sequence of answers.

    answers: every answer given so far, in order; questions: what they answer. A run that begins with those of another
    repeats it up to there; constraints: the conditions that hold on account of them. state: what it began with, as it
    is now; before: its variables then; actions, refused: how many were accepted, and how many not. named: the
    identifiers that the code names. alike: groups of identifiers that differ in
    nothing but their name; apart: those of them that the code names. of_all: which sums are of everybody, also of those
    who have no name; sums: what each had besides numbers of theirs.
    """

    current: Run
    explores = True

    def __init__(
        self,
        answers: Sequence[int],
        atoms: Atoms,
        constraints: Sequence[SymBool] = (),
        questions: Sequence[Question] = (),
        alike: Sequence[Alike] = (),
        apart: frozenset[str] = frozenset(),
        known: dict[Any, Known] | None = None,
    ) -> None:
        self.atoms = atoms
        self.answers = list(answers)
        self.questions: list[Question] = list(questions)
        self.constraints = list(constraints)
        self.branches: list[Branch] = []
        self.picks: dict[str, Any] = {}
        self.alike, self.apart = alike, apart
        self._names = frozenset(str.__str__(m) for group in alike for m in group.members)
        self.known: dict[Any, Known] = {} if known is None else known
        self.failed: BaseException | None = None
        self.state: Any = None
        self.before: Sequence[Any] = ()
        self.actions = self.refused = 0
        self.named: set[str] = set()
        self._repeated = 0
        self._used: set[str] = set(apart)
        self._left: dict[str, Sequence[Any]] = {}
        self._narrowed = 0
        self.acting = 0
        self.anythings: list[str] = []
        self.of_all: set[Any] = set()
        self.sums: list[Any] = []
        # What is asked is kept, so that nothing else takes its identity.
        self._answered: dict[Any, tuple[str, Value, Asked | None]] = {}
        self._functions: dict[int, tuple[tuple[Any, ...], int | None]] = {}
        self._function_numbers: dict[tuple[Any, ...], int] = {}
        self._bounds: dict[Key, tuple[int | None, int | None]] = {}
        self._atom_bounds: dict[int, tuple[int, int]] = {}
        self._unequal: set[Key] = set()
        self._never: dict[Key, set[int]] = {}
        self._about: dict[Key, list[SymBool]] = {}
        self._about_atom: dict[int, list[SymBool]] = {}

    # --- Answers -----------------------------------------------------------------------------------------------------

    def _repeat(self, question: Question) -> int | None:
        """The answer that was given to a question when it was asked before; None when it is new."""
        place = self._repeated
        if place >= len(self.answers):
            return None
        if not question.asks_as(self.questions[place]):
            raise Unsupported("the code asks other questions when it is run again: something outlives the run")
        self._repeated = place + 1
        return self.answers[place]

    def _answer(self, question: Question, answer: int) -> int:
        self._repeated += 1
        self.answers.append(answer)
        self.questions.append(question)
        return answer

    def complete(self) -> None:
        """Raise Unsupported when something was swallowed, or answers were left over."""
        if self.failed is not None:
            raise self.failed
        if self._repeated < len(self.answers):
            raise Unsupported("the code asks fewer questions when it is run again: something outlives the run")

    def take(self, state: Machine, happen: Callable[[], Any]) -> Any:
        """Let an action happen that the code takes, and count it if it is accepted."""
        self.acting += 1
        try:
            result = happen()
        except Rejected:
            self.refused += 1
            raise
        finally:
            self.acting -= 1
        self.actions += 1
        return result

    # --- Identifiers -------------------------------------------------------------------------------------------------

    def choose(self, options: int, name: str = "") -> int:
        """Take one of several ways; the others are explored in later runs."""
        if options == 1:
            return 0
        question = Choice(name, options)
        if (answer := self._repeat(question)) is not None:
            return answer
        self.branches.append(Branch(len(self.answers), len(self.constraints), range(1, options), None))
        return self._answer(question, 0)

    def pick(self, name: str, options: Sequence[Any]) -> Any:
        """One of several identifiers; the same name is the same pick.

        Of identifiers that are alike, one that was used already or, for all the others, the first that was not.
        """
        if name not in self.picks:
            left = self._representatives(self._left.get(name, options), options)
            picked = left[self.choose(len(left), name)]
            if picked is None:
                self.failed = Unnamed(name)
                raise self.failed
            self.picks[name] = picked
            self._used |= {picked} if isinstance(picked, str) else set()
        return self.picks[name]

    def _representatives(self, left: Sequence[Any], options: Sequence[Any]) -> list[Any]:
        """The identifiers to look at; None where there may be one more."""
        found = list(left)
        for group in self.alike if isinstance(options, Open) else ():
            if any(_among(option, group) for option in options):
                fresh = [option for option in left if _among(option, group) and option not in self._used]
                if not fresh and group.open:
                    found.append(None)
                for member in fresh[1:]:
                    found.remove(member)
        return found

    def is_pick(self, name: str, options: Sequence[Any], one: Any) -> bool:
        """Whether a pick is one given identifier, without asking which other it is."""
        if name in self.picks:
            return bool(self.picks[name] == one)
        left = self._left.get(name, options)
        option = next((option for option in left if option is one or option == one), None)
        if option is None:
            return False
        self._used.add(option)
        others = [other for other in left if other is not option]
        if not self._representatives(others, options):
            self.pick(name, options)
            return True
        if self.choose(2, f"{name} is {option if isinstance(option, str) else option.key}") == 0:
            self._left[name] = others
            return False
        self.picks[name] = option
        return True

    def mentioned(self, name: str) -> None:
        """Code names an identifier. Raises Literal when it was taken to be like others."""
        self.named.add(name)
        if name in self._names and name not in self.apart:
            self.failed = Literal(name)
            raise self.failed

    def chosen(self) -> dict[str, Any]:
        """The identifiers picked; of one that only was found not to be some others, the first that it may be."""
        return {**{name: left[0] if left else "another" for name, left in self._left.items()}, **self.picks}

    # --- Numbers -----------------------------------------------------------------------------------------------------

    def unknown(self, unknown: Unknown, identifier: bool = False) -> Value:
        """A number of which only the bounds are known."""
        return self.atoms.unknown(unknown, identifier)

    def anything(self, low: int, high: int, asked: Asked | None = None) -> Value:
        """An unknown: the one that answered the same question before, or another."""
        key = None if asked is None else self._question(asked)
        if key is None or key not in self._answered:
            # Runs differ in what they ask for, so the name says how wide it is.
            wide = f"{'-' * (low < 0)}{low.bit_length()} to {'-' * (high < 0)}{high.bit_length()} bits"
            name = f"anything {len(self.anythings) + 1} of {wide}"
            self._answered[key] = name, self.unknown(Unknown(name, low, high)), asked
        name, value, _ = self._answered[key]
        self.anythings.append(name)
        return value

    def _question(self, asked: Asked) -> tuple[int, int] | None:
        """What tells a question from others; None where nothing does."""
        if id(asked.of) not in self._functions:
            parts = _told_apart(asked.of)
            number = None if parts is None else self._function_numbers.setdefault(parts, len(self._function_numbers))
            self._functions[id(asked.of)] = asked.of, number
        _, number = self._functions[id(asked.of)]
        return None if number is None else (number, asked.number)

    def decide(self, condition: SymBool) -> bool:
        """The truth of a condition on this run: known from bounds or earlier decisions, else both ways are explored."""
        if (answer := self._repeat(condition)) is not None:
            return bool(answer)
        self._belongs(condition)
        truth = self._known(condition)
        return bool(self._answer(condition, self._choose(condition) if truth is None else truth))

    def _choose(self, condition: SymBool) -> bool:
        """The side that is taken first of a condition that may be true and false."""
        self.branches.append(Branch(len(self.answers), len(self.constraints), range(1), condition))
        self.constraints.append(condition)
        return True

    def _belongs(self, condition: SymBool) -> None:
        for part in condition.parts:
            if isinstance(part, SymInt) and part.atoms is not self.atoms:
                raise Unsupported("a condition of another exploration is used: something outlives the run")

    def others(self) -> Iterator[Run]:
        """The runs that take another way at one of the branches of this one, the last branch first."""
        for branch in reversed(self.branches):
            constraints = self.constraints[: branch.constraints]
            if branch.condition is not None:
                constraints.append(branch.condition.negated())
            for other in reversed(branch.others):
                yield self.like(
                    [*self.answers[: branch.answers], other],
                    self.atoms,
                    constraints,
                    self.questions[: branch.answers + 1],
                    self.alike,
                    self.apart,
                    self.known,
                )

    def like(self, *parts: Any) -> Run:
        """Another run of the same kind."""
        return Run(*parts)

    def settle(self, claim: Any) -> Any:
        """A claim without what is already known on this run: True, False, or the conditions that remain to be shown."""
        if claim is None:
            raise Unsupported("a law returned nothing")
        remain = []
        for condition in claims_of(claim):
            if condition is True:
                continue
            if not isinstance(condition, SymBool):
                return False
            self._belongs(condition)
            if condition.constant() is False:
                return False
            if self._known(condition) is not True:
                remain.append(condition)
        return tuple(remain) or True

    # --- What is known ----------------------------------------------------------------------------------------------

    def _narrow(self, condition: SymBool) -> None:
        """Bounds from a condition that holds."""
        base, offset, sign = condition.term.split()
        self._about.setdefault(base.key, []).append(condition)
        if (atom := base.atom()) is not None:
            self._about_atom.setdefault(atom, []).append(condition)
        low, high = self._bounds.get(base.key, (None, None))
        limit = -offset * sign  # sign * base + offset <= 0 (or = 0, or != 0)
        if condition.kind == "ne":
            self._unequal.add(condition.term.key)
            self._never.setdefault(base.key, set()).add(limit)
        if condition.kind == "eq" or (condition.kind == "le" and sign > 0):
            high = limit if high is None else min(high, limit)
        if condition.kind == "eq" or (condition.kind == "le" and sign < 0):
            low = limit if low is None else max(low, limit)
        self._hold(base, low, high)

    def _hold(self, base: SymInt, low: int | None, high: int | None) -> None:
        """Keep bounds, without what the term is known not to be at their ends."""
        if never := self._never.get(base.key):
            least, most = self.atoms.bounds(base)
            low, high = least if low is None else low, most if high is None else high
            while low in never:
                low += 1
            while high in never:
                high -= 1
        self._bounds[base.key] = (low, high)
        if (atom := base.atom()) is not None:
            least, most = self.atoms.bounds(base)
            self._atom_bounds[atom] = (least if low is None else low, most if high is None else high)

    def _known(self, condition: SymBool) -> bool | None:
        if (constant := condition.constant()) is not None:
            return constant
        for held in self.constraints[self._narrowed :]:
            self._narrow(held)
        self._narrowed = len(self.constraints)
        truth = self._by_bounds(condition)
        if truth is not None:
            self._remember(condition, truth)
        return truth

    def _by_bounds(self, condition: SymBool) -> bool | None:
        term = condition.term
        base, offset, sign = term.split()
        low, high = self._bounds.get(base.key, (None, None))
        wide_low, wide_high = self.atoms.bounds(base, self._atom_bounds)
        low = wide_low if low is None else max(low, wide_low)
        high = wide_high if high is None else min(high, wide_high)
        low, high = (low + offset, high + offset) if sign > 0 else (offset - high, offset - low)
        if condition.kind == "le":
            return True if high <= 0 else False if low > 0 else None
        apart = low > 0 or high < 0 or term.key in self._unequal or _negative(term) in self._unequal
        equal = True if low == high == 0 else False if apart else None
        return equal if equal is None or condition.kind == "eq" else not equal

    def _remember(self, condition: SymBool, truth: bool) -> None:
        """Keep what was taken for known, with what it followed from: a solver is asked later whether it does."""
        base, _, _ = condition.term.split()
        because = list(self._about.get(base.key, ()))
        for atom in {a for m in base.terms for a in m}:
            because += self._about_atom.get(atom, ())
        key = (condition.kind, condition.term.key, truth, frozenset(map(id, because)))
        if key not in self.known:
            self.known[key] = Known(condition, truth, tuple(because))


def _told_apart(parts: Sequence[Any]) -> tuple[Any, ...] | None:
    """What tells such parts from others, without asking whether numbers are equal; None where nothing does."""
    key: list[Any] = []
    for part in parts:
        if type(part) in (int, bool, str):
            key += [type(part), part]
        elif type(part) in (SymInt, SymKey):
            key.append(part.key)
        elif type(part) in (SymBool, Pick, Name, FunctionType):
            key.append(id(part))
        else:
            return None
    return tuple(key)


def shown(name: str) -> str:
    """The name of an unknown as people read it: without the colon that tells arguments from fields of a state."""
    return name.rstrip(":").replace(":", ".", 1)


def _among(option: Any, group: Alike) -> bool:
    return any(option is member for member in group.members)


def _negative(term: SymInt) -> Key:
    return frozenset((m, -c) for m, c in term.terms.items())


def _ask(condition: SymBool) -> bool:
    return Run.current.decide(condition)


def _note(error: Unsupported) -> None:
    """Remember that a run could not be followed, should its code swallow the error."""
    if (run := getattr(Run, "current", None)) is not None and run.failed is None:
        run.failed = error


terms.ask, terms.note = _ask, _note


def claims_of(claim: Any) -> tuple[Any, ...]:
    """The conditions that a claim consists of."""
    return claim.conditions if isinstance(claim, Every) else (claim,)


class Pick:
    """One of several identifiers; which one is chosen when it first matters."""

    def __init__(self, name: str, options: Sequence[Any]) -> None:
        self._name, self._options = name, options

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return str

    @property
    def options(self) -> Sequence[Any]:
        """What it may be: on the current run one identifier, once it was chosen."""
        chosen = self.known()
        return self._options if chosen is None else (chosen,)

    def value(self) -> Any:
        """The identifier on the current run."""
        return Run.current.pick(self._name, self._options)

    def known(self) -> Any:
        """The identifier if it was chosen already, else None."""
        return Run.current.picks.get(self._name)

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        if type(other) is Pick:
            other = other.value()
        elif type(other) is str:
            Run.current.mentioned(other)
        return Run.current.is_pick(self._name, self._options, other)

    def __ne__(self, other: object) -> Any:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.value())

    def _refuse(self, *others: object) -> Any:
        raise Unsupported("an identifier is used as a text, or its order")

    __str__ = __repr__ = __format__ = __len__ = __iter__ = __contains__ = __getitem__ = __bool__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __mul__ = __mod__ = __rmod__ = _refuse


@dataclass
class Path:
    """One way to run: what was decided on it, and what came out (None when it ended without a result).

    reason: why the result is False without the law having said so. claim: the result before what is known was left out.
    final: the state after it. actions: how many were accepted on it. anythings: the names of what was left open. sums:
    what sums of everybody had besides their numbers.
    """

    constraints: list[SymBool]
    picks: dict[str, Any]
    result: Any
    ended: type[BaseException] | None = None
    reason: str = ""
    answers: list[int] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    claim: Any = None
    final: Sequence[Any] = ()
    actions: int = 0
    anythings: Sequence[str] = ()
    sums: Sequence[Any] = ()

    @property
    def claims(self) -> tuple[SymBool, ...]:
        """What is left to prove of the result."""
        return self.result if isinstance(self.result, tuple) else ()


@dataclass
class Exploration:
    """All ways to run. known: what was taken for known on them. apart: of alike identifiers, those that code names."""

    atoms: Atoms = field(default_factory=Atoms)
    paths: list[Path] = field(default_factory=list)
    known: dict[Any, Known] = field(default_factory=dict)
    apart: frozenset[str] = frozenset()


class ConcreteRun(Run):
    """One execution on plain integers: a path of an exploration, re-run with the numbers of a witness."""

    explores = False

    def __init__(self, picks: Mapping[str, Any], numbers: Mapping[str, int], anythings: Sequence[str] = ()) -> None:
        super().__init__((), Atoms())
        self.picks, self._left_open = dict(picks), iter(anythings)
        self._numbers = numbers

    def pick(self, name: str, options: Sequence[Any]) -> Any:
        if name not in self.picks:
            self.picks[name] = self.picks.get(shown(name), options[0])
        return self.picks[name]

    def is_pick(self, name: str, options: Sequence[Any], one: Any) -> bool:
        return bool(self.pick(name, options) == one)

    def unknown(self, unknown: Unknown, identifier: bool = False) -> Value:
        given = self._numbers.get(unknown.name, self._numbers.get(shown(unknown.name)))
        return unknown.default() if given is None else given

    def anything(self, low: int, high: int, asked: Any = None) -> Value:
        """The number of what the path left open there: an unknown of its own, or one that it had before."""
        return self.unknown(Unknown(next(self._left_open, ""), low, high))

    def run(self, body: Callable[[], Any]) -> Any:
        """What `body` returns."""
        Run.current = self
        return body()


def explore(
    body: Callable[[], Any],
    ends: tuple[type[BaseException], ...] = (Irrelevant, Rejected),
    limit: int = 20_000,
    alike: Sequence[Alike] = (),
    apart: frozenset[str] = frozenset(),
    after: Callable[[Run, Path], None] = lambda run, path: None,
    first: Callable[..., Run] = lambda atoms, **options: Run((), atoms, **options),
) -> Exploration:
    """Run `body` once for every combination of decisions. Exceptions in `ends` end a path.

    after: called at the end of each run; may add to its path. first: makes the first run. Raises Unsupported when there
    are more than `limit` paths, Unnamed when there are too few identifiers.
    """
    while True:
        try:
            return _explore(body, ends, limit, alike, apart, after, first)
        except Literal as literal:
            apart |= {literal.name}


def _explore(
    body: Callable[[], Any],
    ends: tuple[type[BaseException], ...],
    limit: int,
    alike: Sequence[Alike],
    apart: frozenset[str],
    after: Callable[[Run, Path], None],
    first: Callable[..., Run],
) -> Exploration:
    found, splits = Exploration(apart=apart), Splits()
    todo = [first(found.atoms, alike=alike, apart=apart, known=found.known)]
    while todo:
        run = Run.current = todo.pop()
        if len(found.paths) % EVERY == 0:
            run.branches = splits.branches()
        found.paths.append(path := _run(run, body, ends, after))
        splits.took(path.picks)
        if len(found.paths) > limit:
            raise Unsupported(f"more than {limit:,} paths{splits}")
        todo += run.others()
    return found


def _run(
    run: Run, body: Callable[[], Any], ends: tuple[type[BaseException], ...], after: Callable[[Run, Path], None]
) -> Path:
    path = Path(run.constraints, {}, None)
    try:
        try:
            path.claim = body()
            run.complete()
            path.result = run.settle(path.claim)
        except ends as end:
            run.complete()
            path.ended = type(end)
        after(run, path)
    except Unsupported as reason:
        # The law does not hold where it cannot be followed, unless nothing gets here.
        path.result, path.ended, path.reason = False, None, str(reason)
    except NameError:
        raise  # a slip of the pen, whatever the numbers
    except Exception as error:
        path.result, path.ended, path.reason = False, None, f"the code fails: {type(error).__name__}: {_text(error)}"
    if isinstance(run.failed, Restart):
        raise run.failed
    path.picks, path.answers, path.questions, path.sums = run.chosen(), run.answers, run.questions, run.sums
    return path


def _text(error: Exception) -> str:
    try:
        return " ".join(str(error).split())
    except Unsupported:
        return "of an unknown number"
