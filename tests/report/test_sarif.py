"""SARIF of a check is valid by the standard's schema, and points at rule, model and contract."""

import json
from typing import Any

import jsonschema
import pytest

from marginspec.report.sarif import sarif
from marginspec.targets.evm.build import package

SCHEMA = json.loads((package("@microsoft/jest-sarif") / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json").read_text())

CONTRACT = {"what": "contract", "base": "project", "file": "src/My Vault.sol", "line": 7}
RULE = {"what": "specification", "base": "marginspec", "file": "spec/vault.md", "line": 3}
MODEL = {"what": "model", "base": "marginspec", "file": "model/vault.py", "line": 12}
ELSEWHERE = {"what": "model", "base": None, "file": "home/somebody/model.py", "line": 1}

DIVERGENCE = {
    "id": "VLT-1",
    "kind": "divergence",
    "level": "error",
    "text": "withdraw, returns: model (1,), target (2,)",
    "rules": ["VLT-1"],
    "titles": ["VLT-1 Shares round down"],
    "places": [CONTRACT, RULE, MODEL],
    "key": ["withdraw", "returns"],
    "trace": "out/traces/vault.json",
    "calls": [{"text": "deposit(assets=1)", "places": [CONTRACT]}, {"text": "advance_time(seconds=1)", "places": []}],
}


def finding(kind: str, level: str, *places: dict[str, Any], text: str = "says why") -> dict[str, Any]:
    return {"id": f"{kind}-1", "kind": kind, "level": level, "text": text, "rules": [], "places": list(places)}


EVERY_KIND = [
    DIVERGENCE,
    finding("refuted", "error", MODEL),
    finding("unknown", "warning", MODEL),
    finding("unconfirmed", "warning", MODEL),
    finding("unreached", "warning", RULE, MODEL),
    finding("survived", "warning", RULE),
    finding("declared", "note", RULE),
]


def log(*findings: dict[str, Any]) -> dict[str, Any]:
    """The SARIF log of a check that found these, valid by the schema."""
    document = {
        "prove": {"system": "vault"},
        "fuzz": {"target": "embedded"},
        "verdict": "broken",
        "findings": list(findings),
    }
    written = json.loads(sarif(document, "0.1.0", "file:///home/somebody/project", "file:///opt/marginspec"))
    jsonschema.Draft4Validator.check_schema(SCHEMA)
    jsonschema.Draft4Validator(SCHEMA).validate(written)
    return dict(written)


def results(*findings: dict[str, Any]) -> list[dict[str, Any]]:
    return list(log(*findings)["runs"][0]["results"])


def where(location: dict[str, Any]) -> tuple[str, str | None, int]:
    physical = location["physicalLocation"]
    artifact = physical["artifactLocation"]
    return artifact["uri"], artifact.get("uriBaseId"), physical["region"]["startLine"]


def test_the_schema_refuses_what_is_no_sarif() -> None:
    assert not jsonschema.Draft4Validator(SCHEMA).is_valid({"version": "2.1.0", "runs": [{"results": [{}]}]})


def test_a_check_that_found_nothing_has_no_results() -> None:
    assert results() == []


def test_every_kind_of_finding_is_a_result_with_a_place_and_a_rule_of_its_own() -> None:
    run = log(*EVERY_KIND)["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [result["level"] for result in run["results"]] == [each["level"] for each in EVERY_KIND]
    for result, found in zip(run["results"], EVERY_KIND, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == found["id"]
        assert len(result["locations"]) == 1


def test_a_divergence_stands_at_the_contract_and_links_the_rule_and_the_model() -> None:
    (result,) = results(DIVERGENCE)
    assert where(result["locations"][0]) == ("src/My%20Vault.sol", "%SRCROOT%", 7)
    assert [where(related) for related in result["relatedLocations"]] == [
        ("spec/vault.md", "MARGINSPEC", 3),
        ("model/vault.py", "MARGINSPEC", 12),
    ]
    for related in result["relatedLocations"]:
        assert f"]({related['id']})" in result["message"]["text"]


def test_without_a_place_in_the_contract_it_stands_at_the_rule() -> None:
    (result,) = results({**DIVERGENCE, "places": [RULE, MODEL]})
    assert where(result["locations"][0]) == ("spec/vault.md", "MARGINSPEC", 3)


def test_a_file_that_is_nowhere_below_a_base_has_a_whole_uri() -> None:
    (result,) = results(finding("refuted", "error", ELSEWHERE))
    assert where(result["locations"][0]) == ("file:///home/somebody/model.py", None, 1)


def test_a_trace_is_a_code_flow_call_by_call() -> None:
    (result,) = results(DIVERGENCE)
    (flow,) = result["codeFlows"]
    calls = [step["location"] for step in flow["threadFlows"][0]["locations"]]
    assert [call["message"]["text"] for call in calls] == ["deposit(assets=1)", "advance_time(seconds=1)"]
    assert where(calls[0])[0] == "src/My%20Vault.sol"


@pytest.mark.parametrize("hostile", ["[click](https://example.invalid)", "\\[", "a]b[c", "\u202e\x00<script>"])
def test_an_untrusted_text_cannot_become_a_link(hostile: str) -> None:
    (result,) = results({**DIVERGENCE, "text": hostile})
    text = result["message"]["text"].partition(". See [")[0]
    plain = text.replace("\\\\", "").replace("\\[", "").replace("\\]", "")
    assert "[" not in plain
    assert "]" not in plain


def test_the_same_finding_has_the_same_fingerprint_and_another_has_another() -> None:
    first, again, other = results(
        DIVERGENCE, {**DIVERGENCE, "text": "told otherwise"}, {**DIVERGENCE, "key": ["withdraw", "outcome"]}
    )
    assert first["partialFingerprints"] == again["partialFingerprints"] != other["partialFingerprints"]
