"""What an edit of the rule file would do is said before it does it: resume, pause, another budget, left behind, forgotten."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from service.core.decide.edits import effects
from service.core.engine import conclude
from service.core.model import Mode, State
from service.core.rules.language import Percent, Rule, RuleSet
from tests.core.decide.test_left import NAME, RULES, WATCHING, WITHOUT, paused
from tests.support import Governed


@pytest.fixture(scope="module")
def clinic() -> Governed:
    """Harbour's physiotherapy is sold out, and both its campaigns are paused by a rule that is latched."""
    return paused()


def said(clinic: Governed, edited: RuleSet) -> list[str]:
    return list(effects(clinic.inputs(), edited))


def rule(**changes: object) -> RuleSet:
    """The file with its first rule, the one that paused, changed."""
    return replace(RULES, rules=(replace(RULES.rules[0], **changes), *RULES.rules[1:]))  # type: ignore[arg-type] # fields of Rule


def test_the_same_file_changes_nothing(clinic: Governed) -> None:
    assert said(clinic, RULES) == []
    assert said(clinic, replace(RULES, digest="another")) == []


def test_a_rule_that_goes_resumes_what_it_paused_and_is_forgotten(clinic: Governed) -> None:
    found = said(clinic, replace(RULES, rules=RULES.rules[1:]))
    assert [text.partition(":")[0] for text in found[:2]] == ["will resume physio-search", "will resume physio-social"]
    assert found[2].startswith("forgets that “Booked solid” is on for physio since ")


def test_a_rule_renamed_while_latched_is_forgotten_and_nothing_moves_while_it_would_match_anyway(clinic: Governed) -> None:
    found = said(clinic, rule(name="Sold out"))
    assert len(found) == 1
    assert found[0].startswith("forgets that “Booked solid” is on for physio")


def test_another_action_is_told_with_both_budgets(clinic: Governed) -> None:
    everything = Rule("Less", tuple(RULES.campaigns), then=Percent(Decimal(40)))
    found = said(clinic, replace(RULES, rules=(RULES.rules[0], everything)))
    assert any(text == "will set 12.00 AUD a day (now 18.00 AUD) for podiatry-search: “Less” applies always" for text in found)


def test_what_a_guardrail_puts_off_is_told_too(clinic: Governed) -> None:
    everything = Rule("More", tuple(RULES.campaigns), then=Percent(Decimal(120)))
    (search,) = [text for text in said(clinic, replace(RULES, rules=(RULES.rules[0], everything))) if "podiatry-search" in text]
    assert "not at once: " in search


@pytest.mark.parametrize(
    ("edited", "why"),
    [(WITHOUT, "it is no longer in the rule file"), (WATCHING, "the mode is watch")],
    ids=["the file", "the mode"],
)
def test_a_campaign_that_would_be_left_changed_is_named(clinic: Governed, edited: RuleSet, why: str) -> None:
    expected = f"leaves {NAME} paused by the governor, because {why}: nobody puts it back by itself"
    assert expected in said(clinic, edited)


def test_a_budget_left_behind_is_named_with_its_amount(clinic: Governed) -> None:
    inputs = clinic.inputs()
    cut = replace(inputs.standings[NAME], paused_by_us=False, expected=State(running=True, budget=Decimal(36)))
    found = effects(replace(inputs, standings=inputs.standings | {NAME: cut}), WITHOUT)
    assert any(text.startswith(f"leaves {NAME} at 36 AUD a day") for text in found)


def test_what_is_said_comes_true(clinic: Governed) -> None:
    """The edit that is said to resume both does, in the run that uses it."""
    edited = replace(RULES, rules=RULES.rules[1:], mode=Mode.ENFORCE)
    outcome = conclude(replace(clinic.inputs(), rules=edited))
    targets = {name: outcome.proposals[name].target for name in ("physio-search", "physio-social")}
    assert all(target is not None and target.running for target in targets.values())


def test_what_only_a_guardrail_changes_is_told(clinic: Governed) -> None:
    more = replace(RULES, rules=(RULES.rules[0], Rule("More", tuple(RULES.campaigns), then=Percent(Decimal(60)))))
    assert not any("podiatry-search" in text for text in said(clinic, more))
    entry = RULES.campaigns["podiatry-search"]
    lower = replace(more, campaigns=RULES.campaigns | {"podiatry-search": replace(entry, ceiling=Decimal(10))})
    assert any(text.startswith("will set 5.00 AUD a day (now 18.00 AUD) for podiatry-search") for text in said(clinic, lower))


def test_a_campaign_of_ours_that_is_protected_from_now_on_is_left_behind(clinic: Governed) -> None:
    safe = replace(RULES, campaigns=RULES.campaigns | {NAME: replace(RULES.campaigns[NAME], protect=True)})
    assert any(text.startswith(f"leaves {NAME} paused by the governor, because it is protected") for text in said(clinic, safe))


def test_a_latching_rule_that_moves_to_another_service_forgets(clinic: Governed) -> None:
    feet = tuple(name for name, entry in RULES.campaigns.items() if entry.service == "podiatry")
    assert any(text.startswith("forgets that “Booked solid” is on for physio") for text in said(clinic, rule(campaigns=feet)))
