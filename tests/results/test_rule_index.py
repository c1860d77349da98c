"""From any rule to its text, its code and the laws that speak of it."""

import pytest

from marginspec.results.rule_index import rules_document
from marginspec.systems.registry import SYSTEMS


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_rule_has_a_text_a_place_in_the_code_and_a_law(name: str) -> None:
    rules = rules_document(SYSTEMS[name])["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules) > 50
    for part in ("title", "text", "code"):
        assert [rule["id"] for rule in rules if not rule[part]] == [], part
    assert [rule["id"] for rule in rules if not rule["properties"] and rule["never"] is None] == []
