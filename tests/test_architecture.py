"""The house stands as planned: who imports whom, what is installed, what is pinned, what is named nowhere."""

import json
import re
import subprocess
import sys
import tomllib
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
ROOMS = (
    "spec",
    "model",
    "base",
    "properties",
    "targets",
    "prover",
    "lockstep",
    "systems",
    "conformance",
    "mutation",
    "upgrade",
    "results",
    "report",
    "cli",
    "contracts",
)
INSTALLED = Path(kernel.__file__).parents[2]

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


def in_rooms(root: Path, paths: Iterator[Path]) -> dict[str, bytes]:
    """The files below the rooms of `root`, by their name there."""
    found = {path.relative_to(root): path for path in paths}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in found.items()
        if name.parts[0] in ROOMS and "__pycache__" not in name.parts
    }


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


def test_a_model_needs_nothing_but_the_standard_library() -> None:
    graph = grimp.build_graph("marginspec", include_external_packages=True, cache_dir=None)
    modules = graph.find_descendants("marginspec.model")
    assert modules
    for module in sorted(modules):
        for imported in graph.find_modules_directly_imported_by(module):
            top = imported.split(".")[0]
            assert top in sys.stdlib_module_names or top == "marginspec", f"{module} imports {imported}"


def test_what_is_installed_is_what_is_here() -> None:
    here = in_rooms(REPOSITORY, files())
    there = in_rooms(INSTALLED, (path for path in INSTALLED.rglob("*") if path.is_file()))
    assert here.keys() - there.keys() == set(), "add them to package-data in pyproject.toml"
    assert there.keys() - here.keys() == set(), "installed, but not here any more: run `make setup`"
    assert [name for name in here if here[name] != there[name]] == [], "run `make setup`"


def test_nothing_but_the_rooms_is_installed() -> None:
    assert INSTALLED != REPOSITORY, "the tests want a package that is installed, not editable: run `make setup`"
    assert {path.name for path in INSTALLED.iterdir()} - {"__pycache__"} <= set(ROOMS)


@pytest.mark.parametrize("room", [room.removeprefix("marginspec.") for room in PROJECT["tool"]["mypy"]["packages"]])
def test_types_of_every_room_of_code_are_checked(room: str) -> None:
    assert (INSTALLED / room / "py.typed").is_file()


def test_every_room_of_code_is_named_to_the_type_checker() -> None:
    with_code = {name.split("/")[0] for name in in_rooms(REPOSITORY, files()) if name.endswith(".py")}
    assert {f"marginspec.{room}" for room in with_code} == set(PROJECT["tool"]["mypy"]["packages"])


def test_constraints_pin_exactly_what_is_needed() -> None:
    needed = closure(["marginspec[dev]", *PROJECT["build-system"]["requires"]])
    del needed["marginspec"]
    pinned = pins()
    assert needed.keys() - pinned.keys() == set(), "add them to constraints.txt"
    assert pinned.keys() - needed.keys() == set(), "constraints.txt pins what nothing needs"
    assert {name: v for name, v in needed.items() if pinned[name] != v} == {}, "run `make setup`"


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
