"""The inverse of an adapter's `decode`: which bits of which storage word hold each number of a state.

Nobody writes it down. `decode` is asked what it makes of words in which single bytes differ; what that shows of a
number is then held against `decode` on many other words. It is a finding about the adapter, no proof; the replay of
every witness looks at it again.
"""

from __future__ import annotations

import functools
import random
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args

from marginspec.base.errors import BadInput
from marginspec.equivalence.evm.words import MAX, MODULUS, Word, unsigned
from marginspec.model.kernel.machine import Machine
from marginspec.model.kernel.record import plain
from marginspec.prover.arbitrary import fields_of
from marginspec.prover.symbolic import Value
from marginspec.targets.evm.chain import Chain
from marginspec.targets.evm.target import Adapter

BYTES = 32
TRIALS = 40
"""Random words for each number, on which what was found is held against `decode`."""


@dataclass(frozen=True)
class StoredNumber:
    """Where a variable of the state is: in `bits` bits of a word, above `shift` others. is_signed: in two's complement.

    is_flag: a truth value, stored as 0 or 1.
    """

    word: int
    shift: int
    bits: int
    is_signed: bool = False
    is_flag: bool = False

    @property
    def low(self) -> int:
        """The least that it can hold."""
        return -(1 << (self.bits - 1)) if self.is_signed else 0

    @property
    def high(self) -> int:
        """The most that it can hold."""
        return 1 if self.is_flag else (1 << (self.bits - self.is_signed)) - 1

    def read(self, word: int) -> int | bool:
        """What `decode` is expected to make of a word."""
        part = word >> self.shift & ((1 << self.bits) - 1)
        if self.is_flag:
            return part != 0
        return part - (1 << self.bits) if self.is_signed and part > self.high else part

    def written(self, value: Value) -> Word:
        """The part of a word that holds a value."""
        part = unsigned(value) if self.is_signed and self.bits == 256 else self._narrow(value)
        return part * (1 << self.shift)

    def _narrow(self, value: Value) -> Value:
        return value if not self.is_signed or value >= 0 else value + (1 << self.bits)


@dataclass(frozen=True)
class Encoding:
    """Storage words, in the order of an adapter's `slots`, from the values of a state.

    numbers: where each number is, by its place in the state's `flatten`. time: the place of the block's time, None
    where the state has none. base: the words as deployed. identifiers: the places of what is no number.
    """

    numbers: dict[int, StoredNumber]
    time: int | None
    base: list[int]
    identifiers: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def word(self, at: int, value: Callable[[int], Value]) -> Word:
        """The storage word at a place among the slots: numbers, truth values as 0 or 1, all else as deployed.

        value: of a variable, by its place in the state.
        """
        stored = {place: self.numbers[place] for place in self.variables(at)}
        taken = sum(((1 << each.bits) - 1) << each.shift for each in stored.values())
        word: Word = self.base[at] & ~taken
        for place, each in stored.items():
            word = word + each.written(value(place))
        return word

    def variables(self, at: int) -> list[int]:
        """The places of the numbers that a word holds."""
        return self._held.get(at, [])

    @functools.cached_property
    def _held(self) -> dict[int, list[int]]:
        held: dict[int, list[int]] = {}
        for place, stored in self.numbers.items():
            held.setdefault(stored.word, []).append(place)
        return held


def encoding_of(adapter: Adapter, chain: Chain, model: type[Machine]) -> Encoding:
    """Find out where an adapter reads what; raises BadInput for a number that is not simply in one word."""
    base, time, names = chain.read(adapter.slots), chain.time(), model.blank().names()
    finder = _Finder(adapter, base, time, names, model)
    numbers, clock, identifiers = dict[int, StoredNumber](), None, dict[int, tuple[int, ...]]()
    later = adapter.decode(time + 1, base)
    for place, name in enumerate(names):
        if plain(type_of(model, name)) not in (int, bool):
            identifiers[place] = tuple(finder.reached[place])
        elif later[place] == finder.shown[place] + 1 and not finder.reached[place]:
            clock = place
        else:
            numbers[place] = finder.found(place)
    return Encoding(numbers, clock, base, identifiers)


class _Finder:
    """What `decode` makes of other words. reached: by place in the state, the bytes of each word that matter to it."""

    def __init__(self, adapter: Adapter, base: list[int], time: int, names: list[str], model: type[Machine]) -> None:
        self._adapter, self._base, self._time, self._names, self._model = adapter, base, time, names, model
        self.shown = adapter.decode(time, base)
        self._name = type(adapter).__name__
        if len(self.shown) != len(names):
            raise BadInput(f"{self._name}.decode: {len(self.shown)} values, and the model's state has {len(names)}")
        self.reached: defaultdict[int, defaultdict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        for word in range(len(base)):
            self._reach(word)

    def _decoded(self, word: int, content: int) -> list[Any]:
        words = list(self._base)
        words[word] = content
        return self._adapter.decode(self._time, words)

    def _reach(self, word: int) -> None:
        empty = self._decoded(word, 0)
        for byte in range(BYTES):
            for content in (0xFF, 0x01):
                for place, value in enumerate(self._decoded(word, content << 8 * byte)):
                    if value != empty[place]:
                        self.reached[place][word].add(byte)

    def found(self, place: int) -> StoredNumber:
        """Where a number is."""
        words = self.reached[place]
        if len(words) != 1:
            raise self._misfit(place, f"is in {len(words)} storage words, expected one")
        ((word, reached),) = words.items()
        low, high = min(reached), max(reached)
        bits, is_flag = 8 * (high - low + 1), plain(type_of(self._model, self._names[place])) is bool
        for is_signed in (False, True):
            stored = StoredNumber(word, 8 * low, bits, is_signed and not is_flag, is_flag)
            if self._agrees(place, stored):
                return stored
        raise self._misfit(place, "is no plain number in storage")

    def _agrees(self, place: int, stored: StoredNumber) -> bool:
        if stored.is_flag:  # it is only ever 0 or 1
            flags = (self._decoded(stored.word, flag << stored.shift)[place] for flag in (0, 1))
            return list(flags) == [False, True]
        draw = random.Random(place)
        contents = [0, MAX, 1 << 255, self._base[stored.word]]
        contents += [draw.randrange(MODULUS) >> draw.randrange(256) for _ in range(TRIALS)]
        return all(self._decoded(stored.word, each)[place] == stored.read(each) for each in contents)

    def _misfit(self, place: int, why: str) -> BadInput:
        return BadInput(f"{self._name}.decode: {self._names[place]} {why}")


def type_of(model: type[Machine], name: str) -> Any:
    """The annotated type of a variable of a state, by its name."""
    kind: Any = model
    for step in re.findall(r"\[[^]]*\]|[^.\[\]]+", name):
        kind = get_args(plain(kind))[1] if step.startswith("[") else fields_of(plain(kind))[step]
    return kind
