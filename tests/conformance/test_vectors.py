"""Conformance vectors: what they are made of, and that files, consumers and implementations agree about them."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from marginspec.base.errors import BadInput
from marginspec.conformance.explorer import Explorer
from marginspec.conformance.recorder import closes, is_whole
from marginspec.conformance.run import made_of
from marginspec.conformance.search import chosen
from marginspec.conformance.selection import Chosen
from marginspec.conformance.vectors import Vector, failures, read, vectors_of, write
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call, Machine
from marginspec.model.reference import Reference
from marginspec.mutation.planted import build, load
from marginspec.systems.registry import shipped
from marginspec.targets.evm.chain import Embedded
from marginspec.targets.evm.target import EvmTarget

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples" / "vectors"
STEPS = 600

Document = dict[str, Any]
Change = Callable[[Any], Any]

SERVICE = """
import json, sys
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.model.kernel import Call

machine = MorphoBlue.genesis()
for line in sys.stdin:
    asked, answer = json.loads(line), {}
    if asked["op"] == "reset":
        machine = MorphoBlue.genesis()
    elif asked["op"] == "apply":
        given = {n: int(v) if isinstance(v, str) and v.isdigit() else v for n, v in asked["arguments"].items()}
        outcome = machine.apply(Call(asked["action"], given))
        answer = {"outcome": "accepted" if outcome.accepted else "rejected", "reason": outcome.rule}
        answer["returns"] = [str(value + len(sys.argv) - 1) for value in outcome.returns]
    else:
        values = [v if isinstance(v, bool) else str(v) for v in machine.flatten()]
        answer = {"observations": dict(zip(machine.names(), values))}
    print(json.dumps(answer), flush=True)
"""


def explored(model: type[Machine]) -> Explorer:
    explorer = Explorer(model, 1)
    explorer.wander(STEPS)
    return explorer


def open_target(model: type[Machine]) -> EvmTarget:
    known = shipped(model.system)
    return EvmTarget("embedded", known.adapter({}), Embedded())


@pytest.fixture(scope="module")
def known() -> Explorer:
    return explored(MorphoBlue)


@pytest.fixture(scope="module")
def made(known: Explorer) -> list[Vector]:
    return vectors_of(MorphoBlue, chosen(known, lambda done: None, made_of(MorphoBlue)))


@pytest.fixture(scope="module")
def target() -> Iterator[EvmTarget]:
    opened = open_target(MorphoBlue)
    yield opened
    opened.close()


@pytest.fixture
def folder(made: Sequence[Vector], tmp_path: Path) -> Path:
    """Vectors of two actions, written."""
    write(MorphoBlue, [v for v in made if v.call.action in ("supply", "set_owner", "borrow")], {}, tmp_path)
    return tmp_path


# --- What they cover --------------------------------------------------------------------------------------------------


def test_vectors_take_every_path_that_is_known(known: Explorer, made: Sequence[Vector]) -> None:
    again = Explorer(MorphoBlue, 1)
    for vector in made:
        again.add([*vector.steps, vector.call])
    ways = {way for way in known.ways if is_whole(way)}
    assert len(ways) > 100
    assert ways <= again.ways


def test_every_step_is_accepted_and_the_last_call_does_what_is_written(made: Sequence[Vector]) -> None:
    assert {vector.rule is None for vector in made} == {True, False}
    machine = MorphoBlue.genesis()
    begin = dict(zip(machine.names(), machine.flatten(), strict=True))
    for vector in made:
        machine.load(list(begin.values()))
        for step in vector.steps:
            assert machine.apply(step).accepted
        before = machine.flatten()
        outcome = machine.apply(vector.call)
        assert (outcome.rule, outcome.returns) == (vector.rule, vector.returns)
        expected = before if vector.rule else [{**begin, **vector.changed}[name] for name in machine.names()]
        assert machine.flatten() == expected


def test_a_boundary_has_vectors_on_both_of_its_sides(made: Sequence[Vector]) -> None:
    shown = [vector.shows for vector in made if "the boundary of `" in vector.shows]
    at = {text.partition(" the boundary")[2] for text in shown if text.startswith("at ")}
    beside = {text.partition(" the boundary")[2] for text in shown if text.startswith(("-1 from", "+1 from"))}
    assert len(at) > 10
    assert len(beside & at) > 10


def test_a_gap_is_a_decision_that_no_run_took_the_other_way(known: Explorer) -> None:
    gaps = known.gaps()
    assert gaps
    assert not any(closes(gap, known.ways) for gap in gaps)
    few = Explorer(MorphoBlue, 1)
    few.add([Call("set_owner", {"caller": "owner", "new_owner": "supplier"})])
    fewer = [gap for gap in few.gaps() if closes(gap, known.ways)]
    (refused,) = [g for g in fewer if known.traced.recorder.spots[g.function].function == "_only_owner"]
    few.add([Call("set_owner", {"caller": "supplier", "new_owner": "supplier"})])
    assert refused not in few.gaps()


def test_the_copy_that_tells_its_paths_does_what_the_model_does(known: Explorer, made: Sequence[Vector]) -> None:
    machine = MorphoBlue.genesis()
    begin = machine.flatten()
    for vector in made[::7]:
        machine.load(begin)
        for step in vector.steps:
            machine.apply(step)
        outcome, paths = known.run(machine.flatten(), vector.call)
        assert (outcome.rule, outcome.returns) == (vector.rule, vector.returns)
        assert paths
        if vector.rule is None:
            machine.apply(vector.call)
            assert known.after() == machine.flatten()


# --- Implementations --------------------------------------------------------------------------------------------------


def test_the_bytecode_passes(made: Sequence[Vector], target: EvmTarget) -> None:
    assert list(failures(MorphoBlue, target, made)) == []


def test_the_contracts_of_the_reference_venue_pass() -> None:
    explorer = explored(Reference)
    shortest = sorted({str(w[0].calls()): w[0] for w in explorer.found.values()}.values(), key=lambda w: w.state.depth)
    made = vectors_of(Reference, [(Chosen(tuple(w.calls())), "a path") for w in shortest[:100]])
    target = open_target(Reference)
    assert list(failures(Reference, target, made)) == []
    target.close()


def test_a_planted_bug_fails_a_vector(made: Sequence[Vector]) -> None:
    bug = next(bug for bug in load("morpho-blue") if bug.rule == "HLT-3")
    target = EvmTarget(bug.id, shipped("morpho-blue").adapter(build(bug)), Embedded())
    found = list(failures(MorphoBlue, target, made))
    target.close()
    assert found
    assert all(failure.expected != failure.found for failure in found)


# --- Files ------------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_again_and_validates(made: Sequence[Vector], tmp_path: Path) -> None:
    write(MorphoBlue, made, {"paths": {}}, tmp_path)
    assert read(tmp_path, MorphoBlue) == list(made)
    schema = json.loads((tmp_path / "vector.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert sum(entry["vectors"] for entry in manifest["files"]) == len(made)
    for entry in manifest["files"]:
        jsonschema.validate(json.loads((tmp_path / entry["file"]).read_text()), schema)
    assert "must be rejected" in (tmp_path / "README.md").read_text()


def test_vectors_of_an_action_that_has_none_any_more_go(made: Sequence[Vector], tmp_path: Path) -> None:
    write(MorphoBlue, made, {}, tmp_path)
    (tmp_path / "notes.json").write_text("mine")
    write(MorphoBlue, [v for v in made if v.call.action == "supply"], {}, tmp_path)
    kept = {"README.md", "manifest.json", "notes.json", "supply.json", "vector.schema.json"}
    assert {file.name for file in tmp_path.iterdir()} == kept


def _observing(values: dict[str, Any]) -> dict[str, Any]:
    return {"returns": ["1", "1"], "observations": values}


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("manifest.json", lambda d: d | {"schema": "marginspec/trace/1"}, "not of schema"),
        ("manifest.json", lambda d: d | {"files": [{"file": "../supply.json"}]}, "no file beside it"),
        ("manifest.json", lambda d: d | {"files": [{"file": 7}]}, "no file beside it"),
        ("manifest.json", lambda d: d | {"files": 7}, "names no vectors"),
        ("manifest.json", lambda d: d | {"files": []}, "names no vectors"),
        ("manifest.json", lambda d: d | {"files": [{"file": "gone.json"}]}, "No such file"),
        ("supply.json", lambda d: [d], "not of schema"),
        ("supply.json", lambda d: d | {"vectors": []}, "$.vectors"),
        ("supply.json", lambda d: d | {"system": "reference"}, "another genesis of reference"),
        ("supply.json", lambda d: d | {"genesis": d["genesis"] | {"digest": "0" * 64}}, "another genesis"),
        ("supply.json", lambda d: _first(d, call={"action": "mint", "arguments": {}}), "no action 'mint'"),
        ("supply.json", lambda d: _first(d, call={"action": "supply", "arguments": {}}), "argument caller is missing"),
        ("supply.json", lambda d: _first(d, call=_argument(d, "assets", "-1")), "argument assets is out of range"),
        ("supply.json", lambda d: _first(d, call=_argument(d, "assets", True)), "argument assets must be an integer"),
        ("supply.json", lambda d: _first(d, call=_argument(d, "caller", "mallory")), "argument caller is none of"),
        ("supply.json", lambda d: _first(d, rule="ACT-1", post={"returns": [], "observations": {}}), "$.vectors[0]"),
        (
            "supply.json",
            lambda d: _first(d, rule=None, post={"returns": [], "observations": {"x\x1b[31m": "1"}}),
            "has no quantity",
        ),
        *(
            ("supply.json", lambda d, odd=odd: _first(d, rule=None, post=_observing(odd)), "of another type")
            for odd in ({"now": '"7"'}, {"now": True}, {"owner": False})
        ),
    ],
    ids=map(str, range(20)),
)
def test_a_file_that_holds_no_vectors_is_one_clear_line(folder: Path, name: str, change: Change, said: str) -> None:
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(BadInput) as refused:
        read(folder, MorphoBlue)
    assert said in str(refused.value)
    assert str(folder) in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"schema": ' + "1" * 5000 + "}", "\x00\xff"])
def test_what_is_no_json_is_one_clear_line(folder: Path, text: str) -> None:
    (folder / "supply.json").write_text(text, encoding="latin-1")
    with pytest.raises(BadInput, match=r"supply\.json: "):
        read(folder, MorphoBlue)


def _first(document: Document, **changes: object) -> Document:
    first = {k: v for k, v in {**document["vectors"][0], **changes}.items() if v is not None}
    return {**document, "vectors": [first, *document["vectors"][1:]]}


def _argument(document: Document, name: str, value: object) -> Document:
    call = document["vectors"][0]["call"]
    return {**call, "arguments": {**call["arguments"], name: value}}


# --- Files that are not as they were written --------------------------------------------------------------------------


def forged(folder: Path, name: str, change: Change) -> None:
    """A file is changed, and the manifest says what it then is."""
    path, manifest = folder / name, folder / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    told = json.loads(manifest.read_text())
    for entry in told["files"]:
        if entry["file"] == name:
            entry["vectors"] = len(json.loads(path.read_text())["vectors"])
            entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    told["vectors"] = sum(entry["vectors"] for entry in told["files"])
    manifest.write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("supply.json", lambda d: d | {"vectors": d["vectors"][:1]}, "1 vectors, not as the manifest has them"),
        ("supply.json", lambda d: d | {"vectors": d["vectors"] + d["vectors"][:1]}, "not as the manifest has them"),
        ("supply.json", lambda d: d | {"vectors": [d["vectors"][0]] * len(d["vectors"])}, "not as the manifest has"),
        ("supply.json", lambda d: _first(d, call=_argument(d, "assets", "12345")), "not as the manifest has them"),
        ("supply.json", lambda d: d | {"genesis": d["genesis"] | {"prelude": []}}, "prelude"),
        ("manifest.json", lambda d: d | {"files": d["files"][:1]}, "and it counts"),
        ("manifest.json", lambda d: d | {"vectors": None}, "and it counts None"),
        ("manifest.json", lambda d: d | {"prelude": "0" * 64}, "after another prelude"),
        ("manifest.json", lambda d: d | {"files": [{"file": "supply.json"}]}, "not as the manifest has them"),
        ("manifest.json", lambda d: d | {"files": [{"file": ".."}]}, "no file beside it"),
        ("manifest.json", lambda d: d | {"files": [{"file": "supply\0.json"}]}, "no file beside it"),
    ],
    ids=map(str, range(11)),
)
def test_what_was_cut_copied_or_changed_is_one_clear_line(folder: Path, name: str, change: Change, said: str) -> None:
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(BadInput, match=re.escape(said)) as refused:
        read(folder, MorphoBlue)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d | {"vectors": [d["vectors"][0]] * len(d["vectors"])}, "is there twice"),
        (lambda d: d | {"vectors": [*d["vectors"], d["vectors"][0] | {"id": "supply-999"}]}, "is there twice"),
        (lambda d: d | {"genesis": d["genesis"] | {"prelude": d["genesis"]["prelude"][:-1]}}, "prelude"),
        (lambda d: d | {"genesis": d["genesis"] | {"observations": {}}}, "the state that this leads to"),
    ],
    ids=map(str, range(4)),
)
def test_a_manifest_that_agrees_excuses_no_copies_and_no_other_prelude(folder: Path, change: Change, said: str) -> None:
    assert read(folder, MorphoBlue)
    forged(folder, "supply.json", change)
    with pytest.raises(BadInput, match=said):
        read(folder, MorphoBlue)


def test_only_what_was_written_here_is_removed(made: Sequence[Vector], folder: Path) -> None:
    outside = folder.parent / "outside.json"
    outside.write_text("mine")
    few = [vector for vector in made if vector.call.action == "supply"]
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "notes.json").write_text("mine")
    names = ["../outside.json", "notes.json", "..", "", ".", str(outside), "a\0b.json", 7]
    manifest["files"] += [{"file": name, "sha256": None} for name in names]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write(MorphoBlue, few, {}, folder)
    assert outside.read_text() == (folder / "notes.json").read_text() == "mine"
    assert not (folder / "borrow.json").exists()


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "supply.json", "vector.schema.json"])
def test_a_file_of_somebody_else_is_not_written_over(made: Sequence[Vector], tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(BadInput, match="is no file of an earlier run"):
        write(MorphoBlue, made, {}, tmp_path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "{}")]


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "supply.json"])
def test_a_link_is_not_followed(made: Sequence[Vector], folder: Path, name: str) -> None:
    elsewhere = folder.parent / "elsewhere"
    (folder / name).rename(elsewhere)
    (folder / name).symlink_to(elsewhere)
    before = elsewhere.read_text()
    with pytest.raises(BadInput, match="is no file of an earlier run"):
        write(MorphoBlue, made, {}, folder)
    assert elsewhere.read_text() == before


def test_a_file_that_was_edited_is_kept(made: Sequence[Vector], folder: Path) -> None:
    (folder / "borrow.json").write_text("edited")
    write(MorphoBlue, [vector for vector in made if vector.call.action == "supply"], {}, folder)
    assert (folder / "borrow.json").read_text() == "edited"


# --- Consumers --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def consumers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The command of each example."""
    out = tmp_path_factory.mktemp("consumer")
    modules = REPOSITORY / "node_modules"
    options = [
        "--target",
        "es2022",
        "--module",
        "nodenext",
        "--strict",
        "--types",
        "node",
        "--typeRoots",
        modules / "@types",
    ]
    subprocess.run(
        ["node", modules / "typescript/lib/tsc.js", EXAMPLES / "consume.ts", "--outDir", out, *options],
        check=True,
        timeout=120,
    )
    return {"consume.py": [sys.executable, str(EXAMPLES / "consume.py")], "consume.ts": ["node", f"{out}/consume.js"]}


@pytest.mark.parametrize("example", ["consume.py", "consume.ts"])
def test_an_example_passes_what_is_right_and_fails_what_is_not(
    example: str, consumers: dict[str, list[str]], folder: Path, tmp_path: Path
) -> None:
    service = tmp_path / "service.py"
    service.write_text(SERVICE)
    total = len(read(folder, MorphoBlue))
    command = [*consumers[example], str(folder), "--", sys.executable, str(service)]
    right = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (right.stdout, right.returncode) == (f"{total} passed, 0 failed\n", 0)
    wrong = subprocess.run([*command, "wrong"], capture_output=True, text=True, timeout=120)
    assert wrong.returncode == 1
    assert "must return " in wrong.stdout
    assert f"{total} passed" not in wrong.stdout


@pytest.mark.parametrize("example", ["consume.py", "consume.ts"])
def test_an_example_has_about_sixty_lines(example: str) -> None:
    assert len((EXAMPLES / example).read_text().splitlines()) < 75
