"""The house stands as planned: who imports whom, what is installed, what is pinned, what is named nowhere."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.metadata import requires, version
from pathlib import Path

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from marginspec.model import kernel

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PACKAGE = REPOSITORY / "src" / "marginspec"
ROOMS = {path.name for path in PACKAGE.iterdir() if path.is_symlink()}

# In two parts each, so that this file does not name them either.
REGISTRIES = [
    host + "." + domain
    for host, domain in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("deb.debian", "org"),
        ("proxy.golang", "org"),
    ]
]


def files() -> Iterator[Path]:
    """Every file that a commit would hold, ignored ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    assert paths, "git lists no file"
    return (path for path in paths if path.is_file())


def in_rooms() -> dict[str, bytes]:
    """What a commit would hold in the rooms, by its name below the repository."""
    found = {path.relative_to(REPOSITORY): path for path in files()}
    return {name.as_posix(): path.read_bytes() for name, path in found.items() if name.parts[0] in ROOMS}


def pins() -> dict[str, str]:
    """What constraints.txt pins, by normalised name."""
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): pinned for name, pinned in pairs}


def closure(first: list[str]) -> dict[str, str]:
    """Installed versions of all that `first` needs here, itself included."""
    found: dict[str, str] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    todo = [Requirement(text) for text in first]
    while todo:
        wanted = todo.pop()
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in done:
            continue
        done.add(key)
        found[key[0]] = version(wanted.name)
        for text in requires(wanted.name) or []:
            needed = Requirement(text)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in wanted.extras or {""}):
                todo.append(needed)
    return found


def test_imports_go_downward_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-logo", "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Contracts: {len(PROJECT['tool']['importlinter']['contracts'])} kept, 0 broken." in done.stdout


def sources() -> dict[str, str]:
    """The code of the rooms, by its name below the repository; a system to begin with is its user's."""
    return {
        name: text.decode()
        for name, text in in_rooms().items()
        if name.endswith(".py") and not name.startswith("systems/template/")
    }


def test_no_room_is_large() -> None:
    lines: Counter[str] = Counter()
    for name, text in sources().items():
        lines[name.split("/")[0]] += text.count("\n")
    assert lines["cli"] <= 1800, "a verb gathers options and shows a document: what it works out belongs below"
    assert {room: n for room, n in lines.items() if n > lines.total() / 5} == {}


def test_a_class_has_one_meaning() -> None:
    # Of two protocols, each has markets and positions; and a lemma of one is told of by its own words.
    named = {
        name: {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)}
        for name, text in sources().items()
        if not name.startswith("model/")
    }
    files: dict[str, list[str]] = defaultdict(list)
    for name, classes in named.items():
        for each in classes:
            files[each].append(name)
    assert {each: where for each, where in files.items() if len(where) > 1} == {}


def test_a_model_needs_nothing_but_the_standard_library() -> None:
    graph = grimp.build_graph("marginspec", include_external_packages=True, cache_dir=None)
    modules = graph.find_descendants("marginspec.model")
    assert modules
    for module in sorted(modules):
        for imported in graph.find_modules_directly_imported_by(module):
            top = imported.split(".")[0]
            assert top in sys.stdlib_module_names or top == "marginspec", f"{module} imports {imported}"


def test_every_room_is_a_link_so_that_the_checkout_is_the_package() -> None:
    assert {name: os.readlink(PACKAGE / name) for name in ROOMS} == {name: f"../../{name}" for name in ROOMS}
    assert {path.name for path in PACKAGE.iterdir()} - ROOMS - {"__pycache__"} == {"__main__.py"}
    assert Path(kernel.__file__).resolve() == REPOSITORY / "model" / "kernel" / "__init__.py", "run `make setup`"
    with_code = {name.split("/")[0] for name in in_rooms() if name.endswith(".py")}
    assert with_code == {path.name for path in REPOSITORY.iterdir() if (path / "py.typed").is_file()}


def test_what_a_user_installs_is_what_is_here(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for path in files():
        there = copy / path.relative_to(REPOSITORY)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, there)
    for name in ROOMS:
        (copy / "src" / "marginspec" / name).symlink_to(f"../../{name}")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(copy)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
        there = {name.removeprefix("marginspec/"): archive.read(name) for name in names}
    assert there.keys() >= {"__main__.py", "marginspec_pytest.py"}
    here = {
        **in_rooms(),
        **{path.name: path.read_bytes() for path in files() if path.parent in (PACKAGE, PACKAGE.parent)},
    }
    assert here.keys() - there.keys() == set(), "add them to package-data in pyproject.toml"
    assert there.keys() - here.keys() == set()
    assert here == there


def test_constraints_pin_exactly_what_is_needed() -> None:
    needed = closure(["marginspec[dev]", *PROJECT["build-system"]["requires"]])
    del needed["marginspec"]
    pinned = pins()
    assert needed.keys() - pinned.keys() == set(), "add them to constraints.txt"
    assert pinned.keys() - needed.keys() == set(), "constraints.txt pins what nothing needs"
    assert {name: v for name, v in needed.items() if pinned[name] != v} == {}, "run `make setup`"


@pytest.mark.parametrize("extra", ["risk", "cluster", "eels"])
def test_what_an_extra_needs_is_pinned_apart(extra: str) -> None:
    lines = (REPOSITORY / f"constraints-{extra}.txt").read_text().splitlines()
    apart = {canonicalize_name(line.split("==")[0]) for line in lines if line and not line.startswith("#")}
    wanted = {canonicalize_name(name) for name in PROJECT["project"]["optional-dependencies"][extra]}
    assert wanted - pins().keys() - apart == set(), f"add them to constraints-{extra}.txt"
    assert apart & pins().keys() == set(), "constraints.txt pins them already"


def test_the_engine_that_simm_is_tested_with_is_pinned_apart() -> None:
    lines = (REPOSITORY / "constraints-simm.txt").read_text().splitlines()
    apart = {canonicalize_name(line.split("==")[0]) for line in lines if line and not line.startswith("#")}
    assert apart == {canonicalize_name(name) for name in PROJECT["project"]["optional-dependencies"]["simm"]}


def test_npm_packages_are_pinned_and_their_lock_is_whole() -> None:
    package = json.loads((REPOSITORY / "package.json").read_text())
    locked = json.loads((REPOSITORY / "package-lock.json").read_text())["packages"]
    assert locked[""]["dependencies"] == package["dependencies"]
    for name, pinned in package["dependencies"].items():
        assert locked[f"node_modules/{name}"]["version"] == pinned
    # A lock written where a registry lacks a platform lacks it too, and npm then refuses to install from it.
    for entry in locked.values():
        for name in entry.get("optionalDependencies", {}):
            assert f"node_modules/{name}" in locked, f"package-lock.json has lost {name}: take it from git's history"
        assert "resolved" not in entry


def test_no_file_names_the_host_of_a_package_registry() -> None:
    found = re.compile("|".join(map(re.escape, REGISTRIES)).encode(), re.IGNORECASE)
    assert [path.name for path in files() if found.search(path.read_bytes())] == []
