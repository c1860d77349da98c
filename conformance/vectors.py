"""Conformance vectors: calls from genesis with what must come of the last, as files that any implementation can read.

The format is `vector.schema.json` beside this file, `marginspec/vector/1`, one file per action; `vectors.README.md`
says it in words and is written with them. Integers are decimal strings.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from marginspec.base.errors import BadInput, TargetFailed
from marginspec.base.files import write_whole
from marginspec.base.text import printable
from marginspec.conformance.selection import Chosen
from marginspec.lockstep.rehearsal import Rehearsal
from marginspec.lockstep.trace import DECIMAL, Text, as_text, call_document, digest_of, read_call
from marginspec.model.kernel.machine import Call, Machine, actions_of
from marginspec.targets.protocol import Partial, Target

SCHEMA = "marginspec/vector/1"
MANIFEST = "marginspec/vector-manifest/1"
HERE = Path(__file__).parent

MANIFEST_FILE = "manifest.json"

OTHERS = {"vector.schema.json": "vector.schema.json", "README.md": "vectors.README.md"}
"""What is written beside the vectors, and where it is here."""

OWN_NAME = re.compile(r"\w+\.json|vector\.schema\.json|README\.md")


@dataclass(frozen=True)
class Vector:
    """Accepted calls from genesis, a call, and what must come of it.

    shows: what it is for, in words. rule: that must refuse the call, None if it must be accepted. returns: of an
    accepted call. changed: every observation after an accepted call that is not as in genesis.
    """

    id: str
    shows: str
    steps: tuple[Call, ...]
    call: Call
    rule: str | None
    returns: tuple[int, ...]
    changed: Mapping[str, Any]


@dataclass(frozen=True)
class VectorFailure:
    """A vector that an implementation does not pass: what was expected and what it did."""

    vector: str
    field: str
    expected: str
    found: str


# --- Making -----------------------------------------------------------------------------------------------------------


def vectors_of(model: type[Machine], chosen: Sequence[tuple[Chosen, str]]) -> list[Vector]:
    """The vectors of some calls, each with what it shows; the same calls once, by action in the order of the model."""
    genesis = model.genesis()
    names, begin = genesis.names(), genesis.flatten()
    order, rehearsal = list(actions_of(model)), Rehearsal(model)
    count: Counter[str] = Counter()
    found: dict[str, Vector] = {}
    for choice, shows in sorted(chosen, key=lambda c: (order.index(c[0].calls[-1].action), len(c[0].calls))):
        key = repr(choice.calls)
        if key in found:
            continue
        *steps, last = rehearsal.run(choice.calls)
        if any(not step.outcome.accepted for step in steps):
            raise ValueError(f"a step of a vector is refused: {choice.calls}")
        count[last.call.action] += 1
        changed = {
            name: value
            for name, value, was in zip(names, last.state, begin, strict=True)
            if type(value) is not type(was) or value != was
        }
        found[key] = Vector(
            f"{last.call.action}-{count[last.call.action]:03}",
            shows,
            tuple(step.call for step in steps),
            last.call,
            last.outcome.rule,
            last.outcome.returns,
            changed if last.outcome.accepted else {},
        )
    return list(found.values())


# --- Files ------------------------------------------------------------------------------------------------------------


def write(model: type[Machine], vectors: Sequence[Vector], coverage: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write vectors with their manifest, schema and README; the files.

    Files of an earlier run are removed, as they were written: what has another content is somebody's. Raises BadInput
    when such a file is in the way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    by_action: dict[str, list[Vector]] = {}
    for vector in vectors:
        by_action.setdefault(vector.call.action, []).append(vector)
    texts = {f"{action}.json": _json(file_document(model, action, several)) for action, several in by_action.items()}
    entries = [
        {
            "file": name,
            "action": action,
            "vectors": len(several),
            "accepted": sum(v.rule is None for v in several),
            "rejected": sum(v.rule is not None for v in several),
            "sha256": _sha256(texts[name]),
        }
        for name, (action, several) in zip(texts, by_action.items(), strict=True)
    ]
    others = {file: (HERE / source).read_text(encoding="utf-8") for file, source in OTHERS.items()}
    manifest = {
        "schema": MANIFEST,
        "system": model.system,
        "genesis": digest_of(model),
        "prelude": _sha256(_json([call_document(call) for call in model.prelude()])),
        "vectors": len(vectors),
        "files": entries,
        "others": {name: _sha256(text) for name, text in others.items()},
        "coverage": coverage,
    }
    texts = {MANIFEST_FILE: _json(manifest), **texts, **others}
    # The manifest stays until the new one is there: without it, what a killed run leaves would be somebody's.
    for file in _own(folder, texts) - {folder / MANIFEST_FILE}:
        file.unlink(missing_ok=True)
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def counted(folder: Path) -> int:
    """How many vectors an earlier run wrote into a folder, as its manifest counts; 0 where there is none."""
    try:
        count = _load(folder / MANIFEST_FILE, MANIFEST).get("vectors")
    except BadInput:
        return 0
    return count if isinstance(count, int) else 0


def own_folder(model: type[Machine], folder: Path) -> None:
    """BadInput when vectors of a model could not be written into a folder without harm to what is somebody's."""
    _own(folder, [MANIFEST_FILE, *OTHERS, *(f"{action}.json" for action in actions_of(model))])


def _own(folder: Path, names: Iterable[str]) -> set[Path]:
    """The files of an earlier run. names: of files to be written, none of which may be another's."""
    own = _written_before(folder)
    for name in names:
        file = folder / name
        if (file.exists() or file.is_symlink()) and file not in own:
            raise BadInput(f"{printable(str(file))} is no file of an earlier run, or was changed: give another folder")
    return own


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _written_before(folder: Path) -> set[Path]:
    """The files of an earlier run in a folder that are as it wrote them."""
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        if manifest["schema"] != MANIFEST:
            return set()
        written = {entry["file"]: entry.get("sha256") for entry in manifest["files"]}
        written |= manifest.get("others", dict.fromkeys(OTHERS))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()
    found = {folder / MANIFEST_FILE} if not (folder / MANIFEST_FILE).is_symlink() else set()
    for name, digest in written.items():
        if not isinstance(name, str) or not OWN_NAME.fullmatch(name):
            continue
        file = folder / name
        try:
            text = None if file.is_symlink() else file.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        if text is not None and (_sha256(text) == digest if digest else _was_ours(name, text)):
            found.add(file)
    return found


def _was_ours(name: str, text: str) -> bool:
    """Whether a file is of a version that did not write digests."""
    if name in OTHERS:
        return text.lstrip().startswith(("# Conformance vectors", "{"))
    return f'"schema": "{SCHEMA}"' in text


def file_document(model: type[Machine], action: str, vectors: Sequence[Vector]) -> dict[str, Any]:
    """`marginspec/vector/1`: the vectors of one action."""
    genesis = model.genesis()
    return {
        "schema": SCHEMA,
        "system": model.system,
        "action": action,
        "genesis": {
            "digest": digest_of(model),
            "prelude": [call_document(call) for call in model.prelude()],
            "observations": {n: as_text(v) for n, v in zip(genesis.names(), genesis.flatten(), strict=True)},
        },
        "vectors": [_document(vector) for vector in vectors],
    }


def _document(vector: Vector) -> dict[str, Any]:
    document: dict[str, Any] = {
        "id": vector.id,
        "shows": vector.shows,
        "steps": [call_document(call) for call in vector.steps],
        "call": call_document(vector.call),
    }
    if vector.rule is None:
        document["post"] = {
            "returns": [str(value) for value in vector.returns],
            "observations": {name: as_text(value) for name, value in vector.changed.items()},
        }
    else:
        document["rule"] = vector.rule
    return document


def _json(document: Any) -> str:
    return json.dumps(document, indent=1) + "\n"


# --- Reading ----------------------------------------------------------------------------------------------------------


def read(folder: Path, model: type[Machine]) -> list[Vector]:
    """The vectors in a folder, for a model.

    `BadInput` when there are none, when they are of another genesis, or when files are not as they were written: fewer
    vectors, other ones, one twice, another prelude.
    """
    where = folder / MANIFEST_FILE
    manifest = _load(where, MANIFEST)
    files = manifest.get("files")
    entries = [entry for entry in files if isinstance(entry, dict)] if isinstance(files, list) else []
    found: list[Vector] = []
    for entry in entries:
        name = entry.get("file")
        if not isinstance(name, str) or not OWN_NAME.fullmatch(name):
            raise BadInput(f"{where}: {printable(str(name), 60)!r} is no file beside it")
        own = list(_read(folder / name, model))
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if entry.get("vectors") != len(own) or entry.get("sha256") != digest:
            raise BadInput(
                f"{folder / name}: {len(own)} vectors, not as the manifest has them ({_noted(entry)}): write them again"
            )
        found += own
    if not found:
        raise BadInput(f"{folder}: the manifest names no vectors: write them again")
    if manifest.get("vectors") != len(found):
        raise BadInput(f"{where}: {len(found)} vectors, and it counts {printable(str(manifest.get('vectors')), 20)}")
    if manifest.get("prelude") != _sha256(_json([call_document(call) for call in model.prelude()])):
        raise BadInput(f"{where}: its vectors begin after another prelude of {model.system}: write them again")
    _no_copies(folder, found)
    return found


def _noted(entry: Mapping[str, Any]) -> str:
    count = printable(str(entry.get("vectors")), 20)
    return f"{count} vectors, SHA-256 {printable(str(entry.get('sha256')), 12)}…"


def _no_copies(folder: Path, found: Sequence[Vector]) -> None:
    ids, calls = Counter(v.id for v in found), Counter(repr((v.steps, v.call)) for v in found)
    for vector in found:
        if ids[vector.id] > 1 or calls[repr((vector.steps, vector.call))] > 1:
            raise BadInput(f"{folder}: vector {printable(vector.id, 60)} is there twice: write them again")


def _read(path: Path, model: type[Machine]) -> Iterator[Vector]:
    data = _load(path, SCHEMA)
    problem = jsonschema.exceptions.best_match(_validator().iter_errors(data))
    if problem is not None:
        raise BadInput(f"{path}: {problem.json_path}: {printable(problem.message)}")
    if data["system"] != model.system or data["genesis"]["digest"] != digest_of(model):
        raise BadInput(
            f"{path}: these are vectors from another genesis of {printable(data['system'], 60)}: write them again"
        )
    if data["genesis"] != file_document(model, data["action"], ())["genesis"]:
        raise BadInput(f"{path}: its prelude, or the state that this leads to, is another one: write the vectors again")
    types = dict(zip(model.blank().names(), model.blank().flatten(), strict=True))
    for entry in data["vectors"]:
        where = f"{path}: {entry['id']}"
        post = entry.get("post", {"returns": [], "observations": {}})
        if missing := post["observations"].keys() - types.keys():
            raise BadInput(f"{where}: {model.system} has no quantity {printable(min(missing), 60)!r}")
        yield Vector(
            entry["id"],
            entry["shows"],
            tuple(read_call(where, step, model) for step in entry["steps"]),
            read_call(where, entry["call"], model),
            entry.get("rule"),
            tuple(int(value) for value in post["returns"]),
            {n: _value(f"{where}: {printable(n, 60)}", types[n], v) for n, v in post["observations"].items()},
        )


def _load(path: Path, schema: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise BadInput(f"{path}: not JSON text, so no vectors: write them again") from None
    if not isinstance(data, dict) or data.get("schema") != schema:
        raise BadInput(f"{path}: not of schema {schema!r}, which this version reads")
    return data


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((HERE / "vector.schema.json").read_text(encoding="utf-8")))


def _value(where: str, like: Any, given: Text) -> Any:
    """An observation of the type of another; BadInput for one of another type."""
    if type(like) is int and isinstance(given, str) and DECIMAL.fullmatch(given):
        return int(given)
    if type(like) is int or isinstance(given, bool) != isinstance(like, bool):
        raise BadInput(f"{where} is {printable(str(given), 60)!r}, of another type than in the model")
    return given


# --- Running ----------------------------------------------------------------------------------------------------------


def failures(model: type[Machine], target: Target, vectors: Sequence[Vector]) -> Iterator[VectorFailure]:
    """The vectors that an implementation does not pass, in order.

    Raises BadInput for an implementation of a part of the rules, TargetFailed for one that does not fail a second time
    as it did, and what the target raises.
    """
    if isinstance(target, Partial):
        raise BadInput(f"{target.name} implements only part of {model.system}: vectors say what all of it does")
    genesis = model.genesis()
    begin = dict(zip(genesis.names(), genesis.flatten(), strict=True))
    for vector in vectors:
        found = _failure(target, vector, begin)
        if found is not None:
            if _failure(target, vector, begin) != found:
                raise TargetFailed(
                    f"{target.name} fails vector {vector.id}, and not once more from genesis: no verdict"
                )
            yield found


def _failure(target: Target, vector: Vector, begin: Mapping[str, Any]) -> VectorFailure | None:
    target.reset()
    for number, step in enumerate(vector.steps, 1):
        answer = target.apply(step)
        if not answer.accepted:
            return VectorFailure(vector.id, f"step {number}", "accepted", f"rejected: {answer.reason}")
    before = target.observe() if vector.rule is not None else []
    answer = target.apply(vector.call)
    if vector.rule is not None:
        reason = target.expected_reason(vector.rule)
        said = "accepted" if answer.accepted else f"rejected: {answer.reason}"
        if answer.accepted or answer.reason != reason:
            return VectorFailure(vector.id, "outcome", f"rejected: {reason}", said)
        expected = dict(zip(begin, before, strict=True))
    else:
        if not answer.accepted:
            return VectorFailure(vector.id, "outcome", "accepted", f"rejected: {answer.reason}")
        if answer.returns != vector.returns:
            return VectorFailure(vector.id, "returns", str(vector.returns), str(answer.returns))
        expected = {**begin, **vector.changed}
    for (name, value), observed in zip(expected.items(), target.observe(), strict=True):
        if value != observed:
            return VectorFailure(vector.id, name, str(value), str(observed))
    return None
