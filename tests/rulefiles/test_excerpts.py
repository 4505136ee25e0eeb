from __future__ import annotations

from pathlib import Path

from service.rulefiles.directory import RuleDirectory
from service.rulefiles.excerpts import rule_texts
from tests.support import RULES

FILE = """\
version: 1
clinic: harbour-physio
name: Harbour Physio
currency: AUD
google_ads: {customer_id: "123-456-7890"}
services: {physio: {appointment_types: [Initial]}}
campaigns: {search: {platform: google, id: "1", service: physio, base_budget: 60.00, floor: 10.00, ceiling: 120.00}}
rules:
  # What follows is about full weeks.
  - name: Full
    when: {utilisation: {at_least: 95%}}

    # lifted early
    until: {utilisation: {below: 80%}}
    then: pause
  # And this one about empty ones.

  - {name: Empty, when: {utilisation: {below: 50%}},
     then: {budget: 120%}}
packs: [quiet]
"""
PACK = """\
version: 1
pack: quiet
rules:
- name: Quiet
  then: {budget: base}   # as it was
"""


def test_a_rule_is_told_as_it_is_written_without_what_surrounds_it(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "quiet.yaml").write_text(PACK)
    (tmp_path / "harbour-physio.yaml").write_text(FILE)
    loaded = RuleDirectory(tmp_path).load("harbour-physio")
    assert rule_texts(loaded.rules, loaded.text) == {
        "Full": "- name: Full\n  when: {utilisation: {at_least: 95%}}\n\n  # lifted early\n"
        "  until: {utilisation: {below: 80%}}\n  then: pause",
        "Empty": "- {name: Empty, when: {utilisation: {below: 50%}},\n   then: {budget: 120%}}",
        "Quiet": "- name: Quiet\n  then: {budget: base}   # as it was",
    }


def test_every_rule_of_the_shipped_files_is_told_from_its_name_to_what_it_does() -> None:
    directory = RuleDirectory(RULES)
    for clinic in directory.clinics():
        loaded = directory.load(clinic)
        texts = rule_texts(loaded.rules, loaded.text)
        assert list(texts) == [rule.name for rule in loaded.rules.rules]
        for name, text in texts.items():
            assert text.startswith(f"- name: {name}\n")
            assert "then:" in text or "steps:" in text
