"""The buffer theorem beside what happens: whether accounts that met its premises lost nothing (chapter 8).

An account at or above maintenance, met by a move of at most `delta` before it is closed or back at maintenance, is
worth at least nothing at the marks: that is the promise. Each time an account falls below maintenance is an episode:
its premises held throughout, or one of them was the first to fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from marginspec.model.reference.notation import PPM, AccountId
from marginspec.model.reference.venue import ETH
from marginspec.properties.reference.buffer import net_worth
from marginspec.simulation.crowd import MARKET, CrowdedVenue

GAP, BREAKER, LATE, TRADED, SHARED = REASONS = (
    "one accepted price beyond delta",
    "the circuit breaker held the price",
    "not back at maintenance before a move of delta",
    "it traded meanwhile",
    "a loss of others was shared with it",
)
"""How a premise fails."""


@dataclass
class Episode:
    """One time that an account is below maintenance, amounts in quote.

    anchor: the mark at which it was last at maintenance. seen: the most that it owed beyond what it had while the
    premises held. kept, lost: what others paid for it while they held, and after one had failed. failed: which one,
    empty while none has.
    """

    anchor: int
    seen: int = 0
    kept: int = 0
    lost: int = 0
    failed: str = ""


@dataclass
class Promise:
    """What came of the episodes that are over. bound: what the theorem allows as a loss where its premises held.

    held: episodes throughout which they did. realised: what was owed, or paid by others, while they held, quote.
    outside: for each premise that failed, in how many episodes it was the first, and what others paid in them or nobody
    has yet.
    """

    bound: int = 0
    held: int = 0
    realised: int = 0
    outside: dict[str, list[int]] = field(default_factory=lambda: {reason: [0, 0] for reason in REASONS})


class PromiseKeeper:
    """Follows the accounts that are below maintenance, from price to price."""

    def __init__(self, venue: CrowdedVenue) -> None:
        self._venue = venue
        self._delta = venue.market_terms[MARKET].delta
        self._open: dict[AccountId, Episode] = {}
        self._shared: set[str] = set()
        self.promise = Promise()

    def traded(self, account: str) -> None:
        """An account traded by its owner's will."""
        self._fail(account, TRADED)

    def shared(self, accounts: Iterable[str]) -> None:
        """Accounts paid for a loss of others, after the last price."""
        for account in accounts:
            self._fail(account, SHARED)
            self._shared.add(account)

    def _fail(self, account: str, reason: str) -> None:
        episode = self._open.get(account)  # type: ignore[call-overload]
        if episode is not None and not episode.failed:
            episode.failed = reason

    def priced(self, before: int, unsafe: Iterable[AccountId], tripped: bool) -> None:
        """A price was accepted, or none was. before: the mark until then. tripped: the breaker held prices back."""
        mark = self._venue.assets[ETH].mark
        below = [name for name in unsafe if not self._venue.is_maintained(name)]
        for name in below:
            episode = self._open.get(name)
            if episode is None:
                episode = self._open[name] = Episode(before, failed=SHARED if name in self._shared else "")
            if not episode.failed and abs(mark - episode.anchor) * PPM > episode.anchor * self._delta:
                at_once = abs(mark - before) * PPM > before * self._delta
                episode.failed = BREAKER if tripped else GAP if at_once else LATE
            if not episode.failed:
                episode.seen = max(episode.seen, self._owed(name))
        self._shared.clear()

    def _owed(self, account: AccountId) -> int:
        return max(0, -net_worth(self._venue, account))

    def paid(self, account: AccountId, amount: int) -> None:
        """Others paid for an account."""
        episode = self._open[account]
        if episode.failed:
            episode.lost += amount
        else:
            episode.kept += amount

    def settled(self, unsafe: Iterable[AccountId]) -> None:
        """Everybody has done what they do at a price. unsafe: who may still be liquidated."""
        below = {name for name in unsafe if not self._venue.is_maintained(name)}
        for name in [each for each in self._open if each not in below]:
            self._close(self._open.pop(name))

    def finish(self) -> Promise:
        """What came of all episodes, those that are still open included."""
        for name, episode in self._open.items():
            self.paid(name, self._owed(name))
            self._close(episode)
        self._open.clear()
        return self.promise

    def _close(self, episode: Episode) -> None:
        self.promise.realised += max(episode.seen, episode.kept)
        if episode.failed:
            count = self.promise.outside[episode.failed]
            count[0] += 1
            count[1] += episode.lost
        else:
            self.promise.held += 1
