"""`python -m tools.readme [DOCUMENT…]`: what the README states as fact, from what is kept in `findings/`.

The figures of JSON documents that are named are taken over first; then the README's generated blocks are renewed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marginspec.base import process
from marginspec.base.errors import BadInput
from marginspec.lockstep.comparison import Divergence
from marginspec.lockstep.trace import read
from marginspec.model.deployed.morpho_blue import MorphoBlue
from marginspec.report import figures
from marginspec.systems.morpho_blue.sdk_target import DIFFERENCES

README = Path("README.md")
FINDINGS = Path("findings")
FIGURES, SESSION, SDK = FINDINGS / "figures.json", FINDINGS / "session.txt", FINDINGS / "sdk"


def rendered(text: str, repository: Path = Path()) -> str:
    """The README's text, its generated blocks as `findings/` of a repository has them now."""
    for name, block in blocks(repository).items():
        begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise BadInput(f"{README}: expected one block between {begin.strip()} and {end.strip()}")
        text = f"{text.partition(begin)[0]}{begin}{block}{end}{text.partition(end)[2]}"
    return text


def blocks(repository: Path) -> Mapping[str, str]:
    """The generated blocks, by the comment that begins them."""
    return {
        "figures: make figures": figures.table(_figures(repository / FIGURES)),
        "session: make session": f"```console\n{(repository / SESSION).read_text()}```",
        "sdk: make findings": _differences(repository),
    }


def _figures(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _differences(repository: Path) -> str:
    lines = ["| trace | calls | difference | contract | SDK |", "|---|---|---|---|---|"]
    for declared, _ in DIFFERENCES:
        path = SDK / f"{declared.id}.json"
        trace = read(repository / path, MorphoBlue, [MorphoBlue.system])
        if trace.divergence is None:
            raise BadInput(f"{path}: shows no difference; `make findings` finds it again")
        calls = ", ".join(f"`{call.action}`" for call in trace.calls)
        contract, sdk = _sides(trace.divergence)
        lines.append(f"| [{declared.id}]({path}) | {calls} | {declared.reason} | {contract} | {sdk} |")
    return "\n".join(lines)


def _sides(found: Divergence) -> tuple[str, str]:
    """What the contract did, which the model predicted, and what the SDK did."""
    if found.field == "outcome":
        return f"refuses ({found.rule})", found.target
    if found.field == "reason":
        return f"refuses ({found.rule})", f"refuses (`{found.target}`)"
    return f"`{found.field}` {found.model}", found.target


def renew(documents: Sequence[str]) -> int:
    """Take figures over from documents, and write the README."""
    known = _figures(FIGURES)
    for name in documents:
        try:
            taken = figures.figures_of(json.loads(Path(name).read_text()))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise BadInput(f"{name}: no document that has figures, as that of bench or mutate") from None
        for system, found in taken.items():
            known[system] = dict(sorted({**known.get(system, {}), **found}.items()))
        print(figures.table(taken))
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
    README.write_text(rendered(README.read_text()))
    return process.HOLDS


def main() -> None:
    """Take over the documents that are named."""
    process.run(lambda: renew(sys.argv[1:]))


if __name__ == "__main__":
    main()
