"""What calls share: code, storage, time; and what is undone where a call reverts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from marginspec.equivalence.evm.words import Word

Place = tuple[int, int]
"""An address and a storage key."""


@dataclass
class Accounts:
    """All accounts, as one transaction finds and leaves them.

    code: of an address, empty where there is no contract. load: a storage word as it was before. time: of the block.
    gas: what is left, asked anew each time. storage: every word that was read or written; written: which of them.
    steps: instructions so far. ran: where they are, by the code; None where nobody asks.
    """

    code: Callable[[int], bytes]
    load: Callable[[Place], Word]
    time: Word
    gas: Callable[[], Word]
    storage: dict[Place, Word] = field(default_factory=dict)
    written: set[Place] = field(default_factory=set)
    transient: dict[Place, Word] = field(default_factory=dict)
    steps: int = 0
    ran: dict[bytes, set[int]] | None = None

    def read(self, place: Place) -> Word:
        """SLOAD."""
        if place not in self.storage:
            self.storage[place] = self.load(place)
        return self.storage[place]

    def write(self, place: Place, word: Word) -> None:
        """SSTORE."""
        self.read(place)
        self.storage[place] = word
        self.written.add(place)

    def marked(self) -> tuple[dict[Place, Word], dict[Place, Word]]:
        """What `back` takes."""
        return dict(self.storage), dict(self.transient)

    def back(self, mark: tuple[dict[Place, Word], dict[Place, Word]]) -> None:
        """Undo what was written since."""
        storage, self.transient = mark
        # What was read for the first time since then is as it was before anything happened.
        self.storage = {place: storage[place] if place in storage else self.load(place) for place in self.storage}
