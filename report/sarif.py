"""A check as SARIF 2.1.0: what is wrong, where it stands, and the calls that lead to it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any

from marginspec.results.schema import Document

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"

MEANINGS = {
    "specification": "the rule",
    "model": "the rule in the model",
    "law": "the law",
    "contract": "the contract's function",
}

PROJECT, PACKAGE = "%SRCROOT%", "MARGINSPEC"
"""Bases of paths: where the run was started, which is the repository in CI, and the installed package."""


def sarif(document: Document, version: str, project: str, package: str) -> str:
    """SARIF of a `marginspec/check/1` document. version: of marginspec. project, package: URI of the folder that it was
    run in, and of the one that it is installed in.

    A result stands at the first place of its finding, the contract's function where the candidate build carries a
    source map, else the rule in the specification; the others are related locations, linked from its text.
    """
    found = document["findings"]
    ids = list(dict.fromkeys(finding["id"] for finding in found))
    run = {
        "tool": {
            "driver": {
                "name": "marginspec",
                "version": version,
                "semanticVersion": version,
                "rules": [_rule(id, next(f for f in found if f["id"] == id)) for id in ids],
            }
        },
        "originalUriBaseIds": {
            PROJECT: {"uri": f"{project}/", "description": {"text": "Where marginspec was run."}},
            PACKAGE: {"uri": f"{package}/", "description": {"text": "The installed package marginspec."}},
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, ids, document["prove"]["system"]) for finding in found],
        "invocations": [{"executionSuccessful": True}],
        "properties": {
            "system": document["prove"]["system"],
            "target": document["fuzz"]["target"],
            "verdict": document["verdict"],
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _rule(id: str, finding: Document) -> dict[str, Any]:
    named = "; ".join(finding.get("titles") or finding["rules"]) or finding["id"]
    texts = {
        "refuted": "A law of the model is refuted.",
        "unknown": "A law of the model is neither proved nor refuted.",
        "unconfirmed": "A law of the model is proved by one solver only.",
        "divergence": f"The implementation differs from the model, at {named}.",
        "unreached": f"A run had to reach {named} and did not.",
        "lacking": "A run saw too little of the implementation.",
        "different": "The bytecode of an action is not the model's: integers show it.",
        "open": "Nobody knows of all numbers whether the bytecode of an action is the model's.",
        "survived": f"A change of the model at {named} goes unnoticed.",
        "declared": "The implementation differs from the model in a way that is declared.",
    }
    return {
        "id": id,
        "shortDescription": {"text": texts[finding["kind"]]},
        "defaultConfiguration": {"level": finding["level"]},
    }


def _result(finding: Document, ids: Sequence[str], system: str) -> dict[str, Any]:
    first, *others = finding["places"] or [None]
    # Only texts with links are read as such: brackets of an untrusted text must not become one.
    said = f"{finding['title']}. {finding['text']}" if "title" in finding else finding["text"]
    text = re.sub(r"([\\\[\]])", r"\\\1", said)
    if others:
        links = (f"[{MEANINGS[place['what']]}]({n})" for n, place in enumerate(others, 1))
        text += f". See {', '.join(links)}."
    told = finding["text"] if finding["kind"] == "lacking" else finding.get("key")
    key = json.dumps([system, finding["id"], finding["kind"], told])
    result: dict[str, Any] = {
        "ruleId": finding["id"],
        "ruleIndex": ids.index(finding["id"]),
        "level": finding["level"],
        "message": {"text": text},
        "partialFingerprints": {"marginspec/v1": hashlib.sha256(key.encode()).hexdigest()},
    }
    if first is not None:
        result["locations"] = [_location(first)]
    if others:
        result["relatedLocations"] = [
            {"id": n, **_location(place), "message": {"text": MEANINGS[place["what"]]}}
            for n, place in enumerate(others, 1)
        ]
    if calls := finding.get("calls"):
        result["codeFlows"] = [{"threadFlows": [{"locations": [_call(call) for call in calls]}]}]
        judged = {name: finding[name] for name in ("severity", "impact", "likelihood") if name in finding}
        result["properties"] = {"trace": finding["trace"], "rules": finding["rules"], **judged}
    return result


def _location(place: Document) -> dict[str, Any]:
    base = {"project": PROJECT, "marginspec": PACKAGE}.get(place["base"])
    artifact = {"uri": _uri(place["file"]), "uriBaseId": base} if base else {"uri": f"file:///{_uri(place['file'])}"}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": place["line"]}}}


def _uri(path: str) -> str:
    """A path as the path of a URI."""
    return re.sub(r"[^A-Za-z0-9._~/+@=,-]", lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), path)


def _call(call: Document) -> dict[str, Any]:
    location: dict[str, Any] = _location(call["places"][0]) if call["places"] else {}
    return {"location": {**location, "message": {"text": call["text"]}}}
