"""A book, read from a node and audited: `marginspec/audit/1`."""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.process import BROKEN, VERDICTS
from marginspec.results.account_audit import audited
from marginspec.systems.system import System
from marginspec.targets.evm.answers import AnswerFile
from marginspec.targets.evm.book import Book, Reader, Report, contract_at, locate
from marginspec.targets.evm.wire import Wire


def audit_document(
    chosen: System,
    url: str,
    address: str,
    number: int | None,
    first: int,
    state: Path | None,
    folder: Path,
    closest: int,
    report: Report,
) -> dict[str, Any]:
    """What an audit finds at a block, the latest if None, in events from block `first` on.

    state: where answers are kept; if None, in a file of that folder. A finding is read once more, from other answers.
    """
    started = time.perf_counter()
    with contextlib.closing(Wire(url)) as wire:
        block = locate(wire, number)
        address = contract_at(wire, address, block)
        about = {
            "system": chosen.name,
            "chain": str(block.chain),
            "address": address,
            "block": str(block.number),
            "hash": block.hash,
            "from_block": str(first),
        }
        later = f"-from-{first}" if first else ""
        own = f"{chosen.name}-{block.chain}-{address}-{block.number}-{block.hash[2:10]}{later}.jsonl"
        file = state or folder / own
        with contextlib.closing(AnswerFile(file, about)) as answers:
            reader = Reader(wire, answers, address, block, first, report)
            try:
                found = _found(chosen, reader, closest)
            except TargetFailed as failed:
                raise TargetFailed(f"{failed}; go on with --block {block.number}, answers are in {file}") from None
        if found["verdict"] == VERDICTS[BROKEN]:
            with (
                tempfile.TemporaryDirectory() as elsewhere,
                contextlib.closing(AnswerFile(Path(elsewhere) / own, about)) as anew,
            ):
                again = Reader(wire, anew, address, block, first, lambda what, *done: report(f"{what} again", *done))
                if _found(chosen, again, closest) != found:
                    raise wire.failed(
                        f"it does not say the same twice: no verdict; remove {file}, whose answers differ"
                    )
    return {
        "schema": "marginspec/audit/1",
        **about,
        "target": wire.name,
        "time": str(block.time),
        "state": str(file),
        "requests": {"asked": reader.asked, "kept": answers.known},
        **found,
        "seconds": round(time.perf_counter() - started, 3),
    }


def _found(chosen: System, reader: Reader, closest: int) -> dict[str, Any]:
    book = _whole(chosen, reader)
    said = reader.calls([question.ask for question in book.questions], "health")
    reader.unchanged()
    return audited(chosen, book, said, closest)


def _whole(chosen: System, reader: Reader) -> Book:
    try:
        assert chosen.book is not None, "audit has looked"
        book = chosen.book(reader)
        if book.accounts == 0:
            raise BadInput(f"no account has anything in block {reader.block.number}: see --block and --from-block")
    except BadInput:
        # A block that is gone answers like a contract of another kind: then the node has failed, not who asked.
        reader.unchanged()
        raise
    return book
