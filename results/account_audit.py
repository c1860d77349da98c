"""What the model says of a live book that was read: health, invariants, bad debt, and where the contract differs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from typing import Any

from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS
from marginspec.model.kernel.machine import Rejected
from marginspec.properties.law import Irrelevant, Property, arguments_of
from marginspec.results.sanity import judgements, totals
from marginspec.systems.judgement import Total
from marginspec.systems.system import System
from marginspec.targets.evm.book import AccountHealth, Book, NotEvaluated
from marginspec.targets.evm.chain import Reverted

LISTED = 100
"""Of differences, and of the cases that break an invariant, so many are named; all are counted."""


def audited(chosen: System, book: Book, said: Sequence[bytes | Reverted], closest: int) -> dict[str, Any]:
    """What the model says of a book, and where the contract's answers differ: the results in `marginspec/audit/1`."""
    answers = [book.answer(question, answer) for question, answer in zip(book.questions, said, strict=True)]
    differences = [
        {"question": q.what, "account": q.account, "market": q.market, "model": q.expected, "contract": answer}
        for q, answer in zip(book.questions, answers, strict=True)
        if answer != q.expected
    ]
    asked = [question.what for question in book.questions]
    compared = totals(chosen, book.state)
    missing = {(total.law, total.case) for total in compared if total.missing > 0}
    invariants = [_invariant(claim, book, missing) for claim in chosen.chapter.properties if claim.kind == "invariant"]
    standings = sorted(book.standings, key=_health)
    judged = judgements(chosen, book.state)
    violated = [each for each in judged if not each.holds]
    gaps = [*book.gaps, *(NotEvaluated(t.what, _short_of(t)) for t in compared if t.missing > 0)]
    broken = bool(differences or violated) or any(each["broken"] for each in invariants)
    code = BROKEN if broken else INCOMPLETE if gaps or not asked else HOLDS
    return {
        "accounts": book.accounts,
        "positions": book.positions,
        "compared": {what: asked.count(what) for what in dict.fromkeys(asked)},
        "different": len(differences),
        "differences": differences[:LISTED],
        "not_evaluated": [{"what": gap.what, "why": gap.why} for gap in gaps],
        "invariants": invariants,
        "bounds": len(judged),
        "violated": [
            {
                "rule": each.rule,
                "subject": each.subject,
                "text": each.text,
                "left": str(each.left),
                "right": str(each.right),
            }
            for each in violated
        ],
        "totals": [{"what": t.what, "total": str(t.total), "read": str(t.read)} for t in compared],
        "evaluated": len(standings),
        "liquidatable": sum(each.has < each.needs for each in standings),
        "closest": [_standing(each) for each in standings[:closest]],
        "bad_debt": _bad_debt(standings),
        "verdict": VERDICTS[code],
    }


def _short_of(total: Total) -> str:
    return (
        f"the contract has {total.total}, the accounts that were read {total.read}: {total.missing} belong to accounts "
        "that no event since --from-block names"
    )


def _invariant(claim: Property, book: Book, missing: Collection[tuple[str, tuple[Any, ...]]]) -> dict[str, Any]:
    """A claim on every case of the state: for each account, each market, or each position, as it speaks of.

    missing: the laws and cases of which a part was not read: they are not judged.
    """
    cases = list(book.cases(tuple(arguments_of(claim.predicate).values())))
    cases = [case for case in cases if (claim.id, case) not in missing]
    broken = [case for case in cases if not _holds(claim, book, case)]
    return {
        "id": claim.id,
        "law": claim.law,
        "cases": len(cases),
        "broken": len(broken),
        "broken_by": [[str(name) for name in case] for case in broken[:LISTED]],
    }


def _holds(claim: Property, book: Book, case: tuple[Any, ...]) -> bool:
    """Whether a claim holds of a case; a refusal inside it is a failed claim."""
    try:
        return bool(claim.predicate(book.state, *case))
    except Irrelevant:
        return True
    except Rejected:
        return False


def _health(standing: AccountHealth) -> tuple[bool, Fraction]:
    """What there is of what is needed; without a need, whoever owes comes first."""
    return standing.needs != 0, Fraction(standing.has, standing.needs or 1)


def _standing(standing: AccountHealth) -> dict[str, Any]:
    return {
        "account": standing.account,
        "market": standing.market,
        "healthy": standing.has >= standing.needs,
        "has": str(standing.has),
        "needs": str(standing.needs),
        "unit": standing.unit,
        "health": f"{float(_health(standing)[1]):.6f}" if standing.needs else None,
        "bad_debt": str(standing.bad_debt),
    }


def _bad_debt(standings: Sequence[AccountHealth]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], list[int]] = {}
    for each in standings:
        if each.bad_debt:
            found.setdefault((each.market, each.unit), []).append(each.bad_debt)
    return [
        {"market": market, "unit": unit, "accounts": len(amounts), "amount": str(sum(amounts))}
        for (market, unit), amounts in found.items()
    ]
