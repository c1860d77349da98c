"""RUN, what `report` is given: JSON documents that the verbs wrote, and traces; read, checked, each kind once."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import jsonschema

from marginspec.base.errors import BadInput
from marginspec.base.package import ROOT
from marginspec.base.process import BROKEN, HOLDS, INCOMPLETE, VERDICTS
from marginspec.base.text import printable
from marginspec.results.documents import fuzz_code, prove_code
from marginspec.results.schema import Document, is_noticed

SCHEMAS = ROOT / "report" / "documents.schema.json"
TRACE = "marginspec/trace/1"
TOLD_APART = "give files of one run, or a folder that holds nothing else"


@dataclass(frozen=True)
class InputFile:
    """A file that was read: its schema, and its SHA-256 in hexadecimal."""

    file: Path
    schema: str
    digest: str


@dataclass
class RunFiles:
    """What the files hold. documents: by kind (`prove`, `fuzz`, …), of a check both its parts as well.

    traces: files of traces that were given themselves. left_out: files of a folder that are no part of a run.
    """

    system: str = ""
    documents: dict[str, Document] = field(default_factory=dict)
    sources: list[InputFile] = field(default_factory=list)
    traces: list[Path] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)


def read_run(given: Sequence[Path]) -> RunFiles:
    """Read files, and the JSON files of folders. BadInput: unreadable, malformed, unknown, twice, or of two systems."""
    run = RunFiles()
    origin: dict[str, Path] = {}
    for file, named in _files(given):
        text, document = _json(file)
        schema = str(document.get("schema")) if isinstance(document, dict) else "None"
        if not named and schema != TRACE and schema not in kinds():
            run.left_out.append(file)
            continue
        if schema == TRACE:
            run.traces.append(file)
        elif schema in kinds():
            _check(file, document, schema)
            for kind, part in _parts(kinds()[schema], document):
                if kind in origin:
                    raise BadInput(
                        f"{_shown(file)}: a second {kind} document beside {_shown(origin[kind])}: {TOLD_APART}"
                    )
                origin[kind], run.documents[kind] = file, part
        else:
            said = printable(schema, 60)
            raise BadInput(f"{_shown(file)}: schema {said!r}: a report is made of {', '.join((*kinds(), TRACE))}")
        _same_system(run, file, document["fuzz"] if schema == "marginspec/check/1" else document)
        run.sources.append(InputFile(file, schema, hashlib.sha256(text).hexdigest()))
    if not run.sources:
        raise BadInput(f"{', '.join(_shown(path) for path in given)}: no document of marginspec: write one with --json")
    return run


def _files(given: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Every file, and whether it was named itself."""
    seen: set[str] = set()
    for path in given:
        for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            if os.path.realpath(file) not in seen:
                seen.add(os.path.realpath(file))
                yield file, file == path


def _json(file: Path) -> tuple[bytes, Any]:
    try:
        text = file.read_bytes()
        return text, clean(json.loads(text.decode(), parse_constant=_no_number))
    except OSError as error:
        raise BadInput(f"{_shown(file)}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{_shown(file)}: not UTF-8 text, so not JSON") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"{_shown(file)}: not JSON: {error.msg} in {where}; was it cut off?") from None
    except (RecursionError, ValueError):
        raise BadInput(f"{_shown(file)}: no document: nested too deeply, or numbers that JSON does not have") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def clean(value: Any) -> Any:
    """A JSON value without control and bidirectional-override characters: texts of contracts are untrusted."""
    if isinstance(value, str):
        return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(name): clean(item) for name, item in value.items()}
    return value


def _check(file: Path, document: Any, schema: str) -> None:
    problem = jsonschema.exceptions.best_match(_validator(kinds()[schema]).iter_errors(document))
    if problem is not None:
        raise BadInput(f"{_shown(file)}: {problem.json_path}: {printable(problem.message)}")


def _parts(kind: str, document: Document) -> Iterator[tuple[str, Document]]:
    yield kind, document
    if kind == "check":
        for part in ("prove", "fuzz", "mutate", "equivalence"):
            if part in document:
                yield from _parts(part, document[part])
    if kind == "mutate" and "planted" in document:
        yield "planted", {"bugs": document["planted"]}


def _same_system(run: RunFiles, file: Path, document: Document) -> None:
    system = str(document.get("system"))
    if run.system not in ("", system):
        first = _shown(run.sources[0].file)
        raise BadInput(f"{_shown(file)} is about {printable(system, 60)!r}, {first} about {run.system!r}: {TOLD_APART}")
    run.system = system


@functools.cache
def kinds() -> dict[str, str]:
    """The schemas that a report reads, traces aside, and what each document is called."""
    found = {kind: rules.get("properties", {}).get("schema", {}) for kind, rules in _schemas()["$defs"].items()}
    return {schema["const"]: kind for kind, schema in found.items() if "const" in schema}


@functools.cache
def _schemas() -> dict[str, Any]:
    return dict(json.loads(SCHEMAS.read_text(encoding="utf-8")))


@functools.cache
def _validator(kind: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({**_schemas(), "$ref": f"#/$defs/{kind}"})


def _shown(path: Path) -> str:
    return printable(str(path))


def codes(run: RunFiles) -> Iterator[int]:
    """What each document says. Traces speak only where no document does: a difference in one may have been declared.

    A mutant that survives, or a planted bug that is not found, says that checks are weak, not that something is broken.
    """
    known = run.documents
    if "prove" in known:
        yield prove_code(dict(known["prove"]))
    if "fuzz" in known:
        yield fuzz_code(dict(known["fuzz"]), require_reach=False)
    for kind in ("check", "bounds", "vectors", "audit", "simulate", "equivalence"):
        if kind in known:
            yield next(code for code, verdict in VERDICTS.items() if verdict == known[kind]["verdict"])
    if "diff" in known:
        found = known["diff"]
        undeclared = any(not each["declared"] for each in found["differences"])
        broken = undeclared or found.get("verdict") == VERDICTS[BROKEN]
        yield BROKEN if broken else INCOMPLETE if found.get("ended") else HOLDS
    if "mutate" in known and "mutate" not in known.get("check", ()):  # else the check has judged it, by its threshold
        summary = known["mutate"]["summary"]
        known_weak = summary["survived"] or known["mutate"].get("problems")
        weak = known_weak or summary.get("timed_out") or known["mutate"].get("ended")
        yield INCOMPLETE if weak else HOLDS
    if "planted" in known:
        yield HOLDS if all(map(is_noticed, known["planted"]["bugs"])) else INCOMPLETE


def named_traces(run: RunFiles) -> list[Path]:
    """The traces that documents name: from where the verb was run, or beside the document."""
    names = [found["trace"] for found in run.documents.get("fuzz", {}).get("divergences", ())]
    names += [found["trace"] for found in run.documents.get("diff", {}).get("differences", ()) if found["trace"]]
    names += [found["trace"] for found in run.documents.get("equivalence", {}).get("actions", ()) if found["trace"]]
    folders = [Path(), *dict.fromkeys(source.file.parent for source in run.sources)]
    found = {}
    for name in names:
        places = [folder / name for folder in folders]
        file = next((place for place in places if place.is_file()), places[0])
        if all(os.path.realpath(file) != os.path.realpath(given) for given in run.traces):
            found[os.path.realpath(file)] = file
    return list(found.values())


def commands(run: RunFiles) -> Iterator[str]:
    """What repeats the run, as far as its documents say."""
    known, name = run.documents, shlex.quote(run.system)
    if "fuzz" in known:
        fuzz = known["fuzz"]
        verb = "check" if "check" in known else "fuzz"
        artifacts = "".join(f" --artifact {shlex.quote(each)}=FILE" for each in fuzz.get("artifacts", ()))
        target = shlex.quote(fuzz["target"])
        yield f"marginspec {verb} {name} --target {target} --seed {fuzz['seed']} --steps {fuzz['steps']}{artifacts}"
    if "prove" in known and "check" not in known:
        yield f"marginspec prove {name}"
    if "mutate" in known and {"seed", "steps"} <= known["mutate"].keys():
        proofs = "" if known["mutate"].get("properties", 1) else " --no-proofs"
        yield f"marginspec mutate {name} --seed {known['mutate']['seed']} --steps {known['mutate']['steps']}{proofs}"
    if "equivalence" in known and "check" not in known:
        yield f"marginspec equivalence {name}"
    if "bounds" in known:
        files = " ".join(shlex.quote(report["parameters"]) for report in known["bounds"]["reports"])
        yield f"marginspec bounds {files}"
    if "simulate" in known:
        said = known["simulate"]
        path = said["path"]
        terms = " ".join(f"--{each} {said['terms'][each]}" for each in ("accounts", "latency", "capacity"))
        hours = f" --hours {path['hours']}" if path["hours"] else ""
        where = f"--path {shlex.quote(path['name'])}{hours} --runs {said['runs']}"
        yield f"marginspec simulate {name} {where} {terms} --seed {said['seed']}"
