"""The actions of a run, for the page: how often each was taken, and how its bytecode stands to the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marginspec.report.equivalence import stands_on
from marginspec.results.schema import Document, equivalence_text

STATUS = {"proved": "good", "refuted": "bad", "open": "open"}


def action_rows(documents: Mapping[str, Document]) -> Iterator[Document]:
    """What is known of each action: of those that no proof looked at, that they were sampled, if they were.

    taken: how often it was accepted and refused, None without a run.
    """
    sampled = documents.get("fuzz", {}).get("actions", {})
    proofs = {row["action"]: row for row in documents.get("equivalence", {}).get("actions", ())}
    for action in dict.fromkeys([*sampled, *proofs]):
        taken, row = sampled.get(action), proofs.get(action, {"verdict": "skipped"})
        known: dict[str, Any] = {
            "bytecode": "sampled" if taken and any(taken.values()) else "not looked at",
            "repeat": "",
            "notes": [],
        }
        if row["verdict"] != "skipped":
            notes = [*filter(None, [row["differs"]]), *row["open"]]
            known = {"bytecode": equivalence_text(row), "repeat": row.get("repeat", ""), "notes": notes}
        yield {"action": action, "taken": taken, "status": STATUS.get(row["verdict"], ""), **known}


def deployed_code(documents: Mapping[str, Document]) -> Document:
    """The actions that are proved of the deployed code, and what that stands on."""
    found = documents.get("equivalence", {"actions": ()})
    proved = [row["action"] for row in found["actions"] if row["verdict"] == "proved"]
    return {"actions": proved, "stands_on": stands_on(found)}


def both_stand_on(documents: Mapping[str, Document]) -> list[str]:
    """What it stands on that two builds are proved equal to the model."""
    found = documents.get("diff", {})
    proofs = found.get("equivalence", {}).values()
    return list(dict.fromkeys(line for proof in proofs for line in stands_on(proof, found["equal"])))
