"""A check as JUnit XML: a case for every law, one for the lock-step run, one for every threshold."""

from __future__ import annotations

import io
import re

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from marginspec.report.gate import place_text
from marginspec.results.schema import Document

# What XML 1.0 cannot hold, even escaped.
_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(document: Document) -> str:
    """JUnit XML of a `marginspec/check/1` document.

    A failure is a law that is refuted, a divergence, or a threshold that is missed; an error is what is unknown or was
    not seen.
    """
    system, found = document["prove"]["system"], document["findings"]
    xml = JUnitXml(_fit(f"marginspec check {system}"))
    xml.add_testsuite(_laws(system, document["prove"], found))
    xml.add_testsuite(_lock_step(system, document["fuzz"], found))
    if thresholds := [row for row in document["gate"]["checks"] if row["threshold"]]:
        xml.add_testsuite(_thresholds(system, thresholds))
    xml.update_statistics()  # type: ignore[no-untyped-call]
    stream = io.BytesIO()
    xml.write(stream, pretty=True)
    return stream.getvalue().decode()


def _fit(text: str) -> str:
    return _UNFIT.sub("\ufffd", text)


def _case(system: str, suite: str, name: str, seconds: float) -> TestCase:
    return TestCase(_fit(name), classname=f"marginspec.{system}.{suite}", time=round(seconds, 3))


def _laws(system: str, document: Document, found: list[Document]) -> TestSuite:
    suite = TestSuite("laws")
    wrong = {finding["id"]: finding for finding in found if finding["kind"] in ("refuted", "unknown", "unconfirmed")}
    for row in document["properties"]:
        case = _case(system, "laws", f"{row['id']} {row['law']}", row["seconds"])
        if (finding := wrong.get(row["id"])) is not None:
            kind = Failure if finding["kind"] == "refuted" else Error
            case.result = [_result(kind, finding)]
        suite.add_testcase(case)
    return suite


def _lock_step(system: str, document: Document, found: list[Document]) -> TestSuite:
    suite = TestSuite("lock-step")
    seconds = document["steps"] / document["steps_per_second"] if document["steps_per_second"] else 0.0
    name = f"{document['steps']} steps against {document['target']}, seed {document['seed']}"
    case = _case(system, "lock-step", name, seconds)
    kinds: dict[str, type[Failure] | type[Error]] = {"divergence": Failure, "lacking": Error}
    case.result = [_result(kinds[finding["kind"]], finding) for finding in found if finding["kind"] in kinds]
    suite.add_testcase(case)
    for name in ("steps", "comparisons", "accepted", "rejected"):
        suite.add_property(name, str(document[name]))
    for declared in document["declared"]:
        # Never hidden, though it fails nothing.
        suite.add_property(_fit(f"declared {declared['id']}"), _fit(f"{declared['count']} times: {declared['reason']}"))
    return suite


def _thresholds(system: str, rows: list[Document]) -> TestSuite:
    suite = TestSuite("gate")
    for row in rows:
        case = _case(system, "gate", f"{row['check']}: {row['demanded']}", 0.0)
        if row["verdict"] != "holds":
            case.result = [Failure(_fit(row["found"]), type_="threshold")]
        suite.add_testcase(case)
    return suite


def _result(kind: type[Failure] | type[Error], finding: Document) -> Failure | Error:
    result = kind(_fit(finding["text"]), type_=finding["kind"])
    lines = [
        *([finding["title"]] if "title" in finding else []),
        finding["text"],
        *(call["text"] for call in finding.get("calls", ())),
    ]
    lines += [f"trace: {finding['trace']}"] if "trace" in finding else []
    lines += [f"{place['what']}: {place_text(place)}" for place in finding["places"]]
    result.text = _fit("\n".join(lines))
    return result
