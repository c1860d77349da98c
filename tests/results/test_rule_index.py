"""From any rule to its text, its code and the laws that speak of it."""

import pytest

from marginspec.base.errors import BadInput
from marginspec.base.process import Output
from marginspec.report.terminal import show_rules
from marginspec.results.rule_index import rules_document
from marginspec.systems.registry import NAMES, shipped


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_has_a_text_a_place_in_the_code_and_a_law(name: str) -> None:
    rules = rules_document(shipped(name))["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) > 50
    for part in ("title", "text", "code"):
        assert [rule["id"] for rule in rules if not rule[part]] == [], part
    assert [rule["id"] for rule in rules if not rule["properties"] and rule["never"] is None] == []


def test_rules_are_wanted_by_id_or_pattern() -> None:
    found = rules_document(shipped("reference"), ["LIQ-8", "MRG-*"])["rules"]
    assert "LIQ-8" in (ids := [rule["id"] for rule in found])
    assert all(id == "LIQ-8" or id.startswith("MRG-") for id in ids)
    assert len(ids) > 2
    with pytest.raises(BadInput, match=r"reference has no rule LIG-8; did you mean LIQ-8\?"):
        rules_document(shipped("reference"), ["LIG-8"])


def test_a_rule_that_is_asked_for_is_shown_with_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    show_rules(rules_document(shipped("reference"), ["LIQ-8"]), Output(), in_full=True)
    shown = capsys.readouterr().out
    assert shown.startswith("LIQ-8 Penalty\n")
    assert "a penalty beyond equity would be paid by everybody else" in shown
    assert "REF-LIQ-8" in shown
