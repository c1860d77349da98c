"""The verdict of a run in lines, and what the run did not cover: from the JSON documents of the CLI contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from marginspec.results.schema import Document, is_noticed

Documents = Mapping[str, Document]


@dataclass(frozen=True)
class Line:
    """One result. status: good, bad, or open, which is no pass."""

    status: str
    text: str


@dataclass(frozen=True)
class Uncovered:
    """Something that a run did not cover. known: on purpose or for good, and said beforehand; else it is a shortcoming.

    items: what it is about, each with a remark, which may be empty.
    """

    title: str
    meaning: str
    items: Sequence[tuple[str, str]] = ()
    known: bool = False


# --- The verdict --------------------------------------------------------------------------------------------


def lines(documents: Documents, stories: Sequence[Document]) -> list[Line]:
    """What each part of a run says, the worst first; traces speak only where there is nothing else."""
    found = [line for kind, line_of in _LINES.items() if kind in documents for line in line_of(documents[kind])]
    if not found:
        recorded = [each["divergence"] for each in stories if each["divergence"]]
        found = [Line("bad", f"a trace shows model and implementation diverge at {_at(each)}") for each in recorded]
    return sorted(found, key=lambda line: ("bad", "open", "good").index(line.status))


def _gate(document: Document) -> Iterator[Line]:
    """What the project demands beyond what is demanded of every run."""
    status = {"holds": "good", "broken": "bad", "incomplete": "open"}
    for row in document.get("gate", {}).get("checks", ()):
        if row["threshold"]:
            yield Line(status[row["verdict"]], f"demanded of {row['check']}: {row['demanded']}; found: {row['found']}")


def _prove(document: Document) -> Iterator[Line]:
    summary, laws = document["summary"], len(document["properties"])
    lemmas = sum(row.get("kind") == "lemma" for row in document["properties"])
    what = f"laws ({counted(lemmas, 'lemma')} among them)" if lemmas else "laws"
    if summary["refuted"]:
        yield Line("bad", f"{counted(summary['refuted'], 'law is', 'laws are')} refuted, by concrete integers")
    if summary["unknown"]:
        yield Line("open", f"{counted(summary['unknown'], 'law is', 'laws are')} unknown: neither proved nor refuted")
    if alone := summary["proved"] - summary["confirmed"]:
        yield Line("open", f"{counted(alone, 'law', 'laws')} proved by one solver only")
    if not laws:
        yield Line("open", "no law was proved")
    elif summary["confirmed"] == summary["proved"] == laws:
        yield Line("good", f"{summary['proved']:,} of {laws:,} {what} proved, and confirmed by a second solver")
    else:
        yield Line("good", f"{summary['proved']:,} of {laws:,} {what} proved, {summary['confirmed']:,} confirmed")


def _fuzz(document: Document) -> Iterator[Line]:
    compared = f"{document['comparisons']:,} values compared in {document['steps']:,} steps"
    if "laws" in document:
        yield from _judged(document)
        return
    for found in document["divergences"]:
        yield Line("bad", f"model and implementation diverge at {_at(found)}")
    yield from _floor(document)
    if not document["divergences"]:
        yield Line("good", f"no divergence between model and implementation: {compared}")
    if declared := sum(each["count"] for each in document["declared"]):
        yield Line("good", f"{counted(declared, 'difference')} as declared beforehand")


def _floor(document: Document) -> Iterator[Line]:
    """What keeps a run from saying anything, and functions that need not be called here."""
    for line in document.get("below_floor", ()):
        yield Line("open", f"too little was seen: {line}")
    if allowed := document.get("allowed_unmodelled"):
        yield Line("good", f"not modelled, as allowed: {', '.join(allowed)}")


def _judged(document: Document) -> Iterator[Line]:
    """Of a run that compared nothing with the model, and judged the implementation by the laws."""
    yield from _floor(document)
    for found in document["divergences"]:
        yield Line("bad", f"the implementation breaks {found['field']}, at {found['rule']}")
    if not document["divergences"]:
        cases = f"{document['comparisons']:,} cases in {document['steps']:,} steps"
        yield Line("good", f"the implementation breaks none of {len(document['laws'])} laws: {cases}")


def _at(divergence: Document) -> str:
    return f"{divergence['rule']}, {divergence['field']}"


def _mutate(document: Document) -> Iterator[Line]:
    summary = document["summary"]
    real = summary["total"] - summary["equivalent"] - summary.get("invalid", 0) - summary.get("crashes", 0)
    if late := summary.get("timed_out"):
        yield Line("open", f"{late:,} of {real:,} mutants timed out: whether anything notices them is not known")
    if summary["survived"]:
        yield Line("open", f"{summary['survived']:,} of {real:,} mutants survive: changed rules that nothing noticed")
    else:
        yield Line("good", f"{summary['killed']:,} of {real:,} mutants of the rules killed")
    for problem in document.get("problems", ()):
        yield Line("open", f"mutants: {problem}")


def _planted(document: Document) -> Iterator[Line]:
    noticed, bugs = sum(map(is_noticed, document["bugs"])), len(document["bugs"])
    yield Line("good" if noticed == bugs else "open", f"{noticed:,} of {bugs:,} bugs planted in the contract noticed")


def _bounds(document: Document) -> Iterator[Line]:
    said = {
        "holds": Line("good", "every price move is certified, every safety bound kept"),
        "broken": Line("bad", "a safety bound of the parameters is violated"),
        "incomplete": Line("open", "a certificate of a price move is missing"),
    }
    yield said[document["verdict"]]


def _diff(document: Document) -> Iterator[Line]:
    unasked = sum(not each["declared"] for each in document["differences"])
    if unasked:
        yield Line("bad", f"the upgrade changes {counted(unasked, 'thing')} that nobody declared")
    else:
        also = f" and {counted(document['vectors'], 'vector')}" if document.get("vectors") else ""
        yield Line("good", f"the upgrade changes nothing but what was declared, in {document['steps']:,} steps{also}")
    if equal := document.get("equal"):
        yield Line("good", f"no difference on any numbers in {', '.join(equal)}: both builds are proved equal")
    for action, what in document.get("unseen_actions", {}).items():
        yield Line("open", f"the upgrade's run saw too little: {action}: {what}")
    for side, functions in document.get("unmodelled", {}).items():
        if functions:
            yield Line("open", f"no action calls {', '.join(functions)} of the {side}")


def _vectors(document: Document) -> Iterator[Line]:
    failed, paths = len(document["failures"]), document.get("paths", {})
    if failed:
        yield Line(
            "bad", f"the implementation fails {failed:,} of {counted(document['vectors'], 'conformance vector')}"
        )
    else:
        yield Line("good", f"{counted(document['vectors'], 'conformance vector')} passed")
    for line in document.get("limits", ()):
        yield Line("open", f"no vector says anything of this: {line}")
    if paths.get("open"):
        yield Line("open", f"{counted(paths['open'], 'path')} that no vector takes and no proof excludes")


def _audit(document: Document) -> Iterator[Line]:
    broken = [row["id"] for row in document["invariants"] if row["broken"]]
    at = f"{document['accounts']:,} accounts at block {document['block']}"
    if document["different"]:
        yield Line("bad", f"model and contract differ {counted(document['different'], 'time')}, on {at}")
    if broken:
        yield Line("bad", f"the live book breaks {', '.join(broken)}")
    if document["not_evaluated"] or not document["compared"]:
        yield Line("open", "something of the live book could not be evaluated")
    if not broken and not document["different"]:
        yield Line("good", f"model and contract agree and every invariant holds, on {at}")


def _simulate(document: Document) -> Iterator[Line]:
    if document["surplus"] != "0":
        yield Line("bad", "in the simulation value came from nowhere or went there")
    for row in document["promise"]:
        if int(row["realised"]) > int(row["bound"]):
            yield Line("bad", f"simulated accounts ({row['variant']}) lost more than the buffer theorem allows")
    if document["done"] < document["runs"]:
        yield Line("open", f"{document['done']:,} of {counted(document['runs'], 'run')} were simulated")
    covered = sum(row["held"] for row in document["promise"])
    if not covered:
        yield Line("open", "no simulated account fell below maintenance under the premises of the buffer theorem")
    elif document["verdict"] != "broken":
        yield Line("good", f"simulated: no loss in {counted(covered, 'case')} that the buffer theorem covers")


def _equivalence(document: Document) -> Iterator[Line]:
    """Whether the bytecode of each action that was looked at is the model's, on all numbers."""
    looked = [row for row in document["actions"] if row["verdict"] != "skipped"]
    for row in looked:
        if row["verdict"] == "refuted":
            yield Line("bad", f"the bytecode of {row['action']} is different from the model: {row['differs']}")
    if not_proved := [row["action"] for row in looked if row["verdict"] == "open"]:
        yield Line("open", f"open whether the bytecode is the model's: {', '.join(not_proved)}")
    if proved := sum(row["verdict"] == "proved" for row in looked):
        yield Line("good", f"{proved:,} of {counted(len(looked), 'action')} proved equal in bytecode and model")


_LINES = {
    "check": _gate,
    "prove": _prove,
    "fuzz": _fuzz,
    "equivalence": _equivalence,
    "bounds": _bounds,
    "diff": _diff,
    "mutate": _mutate,
    "planted": _planted,
    "vectors": _vectors,
    "audit": _audit,
    "simulate": _simulate,
}


# --- What is not covered ------------------------------------------------------------------------------------


def gaps(documents: Documents, not_modelled: Sequence[str], remarks: Sequence[str]) -> list[Uncovered]:
    """What was not covered, shortcomings before what is known. remarks: what could not be read of the run."""
    found = [*_absent(documents), *_of_proofs(documents), *_of_rules(documents), *_of_run(documents)]
    found += [*_of_equivalence(documents), *_of_mutants(documents), *_of_vectors(documents), *_of_the_book(documents)]
    if remarks:
        found.append(Uncovered("Not readable", "named by the run, and missing here", [(text, "") for text in remarks]))
    if not_modelled:
        items = [(text, "") for text in not_modelled]
        found.append(Uncovered("Not modelled", "the specification leaves it out", items, known=True))
    return sorted(found, key=lambda gap: gap.known)


def _absent(documents: Documents) -> Iterator[Uncovered]:
    what = {
        "prove": ("No proofs", "nothing is said of all inputs: marginspec prove"),
        "fuzz": ("No comparison with an implementation", "nothing is said of any bytecode: marginspec fuzz"),
        "mutate": ("No mutants", "how much the checks would notice was not measured: marginspec mutate"),
    }
    for kind, (title, meaning) in what.items():
        if kind not in documents and not (kind == "fuzz" and documents.keys() & {"diff", "vectors", "equivalence"}):
            yield Uncovered(title, meaning, known=kind == "mutate")


def _of_proofs(documents: Documents) -> Iterator[Uncovered]:
    laws = documents["prove"]["properties"] if "prove" in documents else []
    if unknown := [(law["id"], law["reason"]) for law in laws if law["verdict"] == "unknown"]:
        yield Uncovered("Unknown laws", "neither proved nor refuted", unknown)
    if alone := [(law["id"], "") for law in laws if law["verdict"] == "proved" and not law["confirmed"]]:
        yield Uncovered("Laws without a second opinion", "proved by one solver only", alone)


def _of_rules(documents: Documents) -> Iterator[Uncovered]:
    rules = documents["rules"]["rules"] if "rules" in documents else []
    if silent := [(rule["id"], rule["title"]) for rule in rules if not rule["properties"]]:
        yield Uncovered("Rules without a law", "no theorem speaks of them", silent)
    if nowhere := [(rule["id"], rule["title"]) for rule in rules if not rule["code"]]:
        yield Uncovered("Rules without code", "the model states them nowhere", nowhere)


def _of_run(documents: Documents) -> Iterator[Uncovered]:
    if missed := documents.get("diff", {}).get("unreached"):
        yield Uncovered("Not reached by the upgrade's run", "rules and regimes", [(name, "") for name in missed])
    if "fuzz" not in documents:
        return
    run = documents["fuzz"]
    titles = {rule["id"]: rule["title"] for rule in documents["rules"]["rules"]} if "rules" in documents else {}
    if missed := [(rule, titles.get(rule, "")) for rule in run["unreached"] if rule in run["rules"]]:
        yield Uncovered("Rules not reached", "no call of the run met them", missed)
    if missed := [(name, "") for name in run["unreached"] if name not in run["rules"]]:
        yield Uncovered("Regimes not reached", "situations that the run never was in", missed)
    if "laws" in run:
        yield Uncovered("No comparison with the model", "the implementation alone was judged, by the laws")
        if idle := [(law, "") for law, cases in run["laws"].items() if not cases]:
            yield Uncovered("Laws never judged", "no case of the run met them", idle)
    if run["not_compared"]:
        yield Uncovered(f"{run['not_compared']:,} steps not compared", "the implementation does not have these actions")
    yield from _too_little(run)
    told = run.get("lines", {})
    if missed := [(row["file"], ", ".join(row["unreached"])) for row in told.get("files", ()) if row["unreached"]]:
        yield Uncovered("Lines of the contracts that did not run", "by the source maps of the artifacts", missed)
    if run["declared"]:
        items = [(each["id"], f"{counted(each['count'], 'time')}: {each['reason']}") for each in run["declared"]]
        yield Uncovered("Declared differences", "known, counted, and not a divergence", items, known=True)
    if run["never"]:
        items = [(rule, f"proved by {why}") for rule, why in run["never"].items()]
        yield Uncovered("Rules out of reach", "no run can meet them, by a law", items, known=True)


STATED = (
    ("not_modelled", "Functions not modelled", "no action calls them, for a reason that the adapter states"),
    ("not_executed", "Actions not executed", "by this implementation, for a reason that its adapter states"),
    ("not_refused", "Actions never refused", "by this implementation, for a reason that its adapter states"),
    ("unobserved", "Not observed", "no comparison looks at it"),
)
"""What a document of a run states of its limits, in the order in which it is shown."""


def _too_little(run: Document) -> Iterator[Uncovered]:
    """Actions that were not both accepted and refused, functions that were not called, and what is stated of both."""
    idle = [
        (name, f"{count['accepted']:,} accepted, {count['refused']:,} refused")
        for name, count in run.get("actions", {}).items()
        if not count["accepted"] or not (count["refused"] or name in run["never_refused"])
    ]
    if idle:
        yield Uncovered("Actions not seen enough", "each must be accepted and refused, on both sides", idle)
    allowed = run.get("allowed_unmodelled", ())
    if functions := [(name, "allowed here" if name in allowed else "") for name in run.get("unmodelled", ())]:
        yield Uncovered(
            "Functions that no action calls", "they change state, and nothing was compared of them", functions
        )
    for key, title, meaning in STATED:
        if stated := list(run.get(key, {}).items()):
            yield Uncovered(title, meaning, stated, known=True)


def _of_equivalence(documents: Documents) -> Iterator[Uncovered]:
    rows = documents.get("equivalence", {}).get("actions", ())
    if not_proved := [(row["action"], line) for row in rows if row["verdict"] == "open" for line in row["open"]]:
        yield Uncovered("Actions open", "whether their bytecode is the model's is not known of all numbers", not_proved)


def _of_mutants(documents: Documents) -> Iterator[Uncovered]:
    if "mutate" in documents:
        mutants = documents["mutate"]["mutants"]
        if alive := [(m["id"], m["change"]) for m in mutants if m["status"] == "survived"]:
            yield Uncovered("Surviving mutants", "a rule was changed, and nothing noticed", alive)
        if late := [(m["id"], m["why"]) for m in mutants if m["status"] == "timed out"]:
            yield Uncovered("Mutants that timed out", "whether anything notices them is not known", late)
        if unfit := [(m["id"], f"{m['status']}: {m['why']}") for m in mutants if m["status"] in ("invalid", "crashes")]:
            yield Uncovered(
                "Mutants that do not run", "nothing was compared with the implementation", unfit, known=True
            )
        if hollow := [(law, "") for law in documents["mutate"].get("hollow", ())]:
            yield Uncovered(
                "Hollow laws", "no changed rule was found that breaks them: they claim as little as True", hollow
            )
        weak = [row for row in documents["mutate"].get("weakened", ()) if row["noticed_by"] is None]
        if unnoticed := [(row["law"], f"{row['kind']}: {row['change']}") for row in weak if row["kind"] != "claim"]:
            yield Uncovered(
                "Parts of laws that can go", "the law was weakened, and nothing noticed", unnoticed, known=True
            )
        if same := [(m["id"], m["why"]) for m in mutants if m["status"] == "equivalent"]:
            yield Uncovered("Equivalent mutants", "changes that change nothing, by the reason given", same, known=True)
    if "planted" in documents:
        bugs = documents["planted"]["bugs"]
        if missed := [(bug["id"], bug["why"]) for bug in bugs if not is_noticed(bug)]:
            yield Uncovered("Planted bugs not noticed", "put into the contract, and nothing noticed", missed)


def _of_vectors(documents: Documents) -> Iterator[Uncovered]:
    found = documents.get("vectors", {})
    if open_paths := [(row["action"], row["path"]) for row in found.get("open", ())]:
        yield Uncovered("Open paths", "no vector takes them, and no proof excludes them", open_paths)
    if excluded := [(row["action"], f"{row['path']}: {row['why']}") for row in found.get("infeasible", ())]:
        yield Uncovered("Impossible paths", "no vector can take them, by a proof", excluded, known=True)


def _of_the_book(documents: Documents) -> Iterator[Uncovered]:
    if missed := [(row["what"], row["why"]) for row in documents.get("audit", {}).get("not_evaluated", ())]:
        yield Uncovered("Not evaluated in the live book", "neither model nor contract says anything of it", missed)


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
