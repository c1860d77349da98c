"""`--corpus`: a folder or a Redis database in which traces that diverged are kept between runs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from marginspec.base.errors import BadInput
from marginspec.base.files import writable, write_whole
from marginspec.base.text import printable
from marginspec.lockstep.corpus import Corpus
from marginspec.model.kernel.machine import Machine

REDIS_EXPIRY = timedelta(days=90)
"""How long Redis keeps what no run asks for."""

SECONDS_TO_ANSWER = 5.0
"""Of Redis, to one question, unless the URL says otherwise."""


def open_corpus(where: str, model: type[Machine]) -> Corpus:
    """The corpus in a folder, made if it is not there, or at a URL of Redis; BadInput where nothing can be kept."""
    return Corpus(_redis(where) if "://" in where else _folder(Path(where)), model)


class _Folder(DirectoryBasedExampleDatabase):
    """One whose files are whole, and that says so when a trace cannot be kept.

    Hypothesis keeps what it wrote of a file when the disk was full, and takes that for the file from then on.
    """

    def fetch(self, key: bytes) -> Iterator[bytes]:
        for file in sorted(self._key_path(key).glob("[!.]*")):
            with contextlib.suppress(OSError):
                yield file.read_bytes()

    def save(self, key: bytes, value: bytes) -> None:
        try:
            write_whole(self._value_path(key, value), value)
        except OSError as error:
            print(f"marginspec: --corpus {self.path}: the trace is not kept there: {error.strerror}", file=sys.stderr)


def _folder(path: Path) -> ExampleDatabase:
    writable(path, "--corpus")
    return _Folder(path)


def _redis(url: str) -> ExampleDatabase:
    try:
        import redis
        from hypothesis.extra.redis import RedisExampleDatabase
    except ImportError:
        raise BadInput("--corpus: a URL needs Python package redis, which is not here: pip install redis") from None
    try:
        patience = {"socket_timeout": SECONDS_TO_ANSWER, "socket_connect_timeout": SECONDS_TO_ANSWER}
        client = redis.Redis.from_url(url, retry=None, **patience)
        client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise BadInput(f"--corpus: {error}") from None  # not the URL, which may hold a password

    class Database(RedisExampleDatabase):
        """One that goes away during a run costs a trace its place in the corpus, not the run its verdict."""

        def fetch(self, key: bytes) -> Iterator[bytes]:
            try:
                yield from super().fetch(key)
            except (redis.RedisError, OSError) as error:
                print(
                    f"marginspec: --corpus: what is kept there is not tried: {printable(str(error))}", file=sys.stderr
                )

        def save(self, key: bytes, value: bytes) -> None:
            try:
                super().save(key, value)
            except (redis.RedisError, OSError) as error:
                print(f"marginspec: --corpus: the trace is not kept there: {printable(str(error))}", file=sys.stderr)

    return Database(client, expire_after=REDIS_EXPIRY, key_prefix=b"marginspec:")
