"""Files that mean what they say are left alone: those that are shipped, the handbook's, and hundreds of sensible ones.

Then each sensible file is spoilt in one way or another, and that must be found among everything else it says.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from random import Random
from typing import Any

import pytest

from service.core.onboarding.document import RULES as STARTER
from service.core.rules.lint.checks import lint
from service.core.rules.lint.model import Check
from service.core.rules.lint.packs import lint_pack
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import check, check_pack
from tests.core.rules.lint.planted import HEAD, SEARCH
from tests.core.worlds import seeded
from tests.rulefiles.generated import written
from tests.rulefiles.sensible import sensible
from tests.rulefiles.test_handbook import FRAGMENTS, WHOLE, example
from tests.support import RULES, shipped

PACKS = RuleDirectory(RULES).packs()
SHORT, LONG = 60, 500
MOST = 0.02
"""Of the files, in how many something may be found."""

SIZES = [SHORT, pytest.param(LONG, marks=pytest.mark.soak)]
Data = dict[str, Any]


def checks(data: Data) -> set[Check]:
    return {finding.check for finding in lint(check(written(data), "quay.yaml", PACKS))}


# --- clean --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clinic", RuleDirectory(RULES).clinics())
def test_nothing_is_found_in_a_shipped_file(clinic: str) -> None:
    assert lint(shipped(clinic)) == ()


@pytest.mark.parametrize("name", PACKS)
def test_nothing_is_found_in_a_shipped_pack(name: str) -> None:
    assert lint_pack(check_pack(name, PACKS[name])) == ()


def test_nothing_is_found_in_the_handbooks_whole_file() -> None:
    assert lint(check(WHOLE, "harbour-physio.yaml")) == ()


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda fragment: fragment[:40].replace("\n", " "))
def test_nothing_is_found_in_an_example_of_the_handbook_but_campaigns_it_is_not_about(fragment: str) -> None:
    assert {finding.check for finding in lint(example(fragment))} <= {Check.CAMPAIGN_WITHOUT_RULE}


def test_nothing_is_found_in_the_rules_that_init_writes() -> None:
    text = HEAD + "campaigns:\n  " + SEARCH + "\n".join(STARTER)
    assert lint(check(text, "quay.yaml")) == ()


@pytest.mark.parametrize("size", SIZES)
def test_sensible_files_are_left_alone(size: int) -> None:
    alarmed = [seed for seed in range(size) if checks(sensible(seed))]
    assert len(alarmed) <= MOST * size, alarmed


def test_sensible_files_say_many_different_things() -> None:
    files = [sensible(seed) for seed in range(SHORT)]
    names = {rule["name"].partition(" (")[0] for file in files for rule in file.get("rules", [])}
    assert len({written(file) for file in files}) == SHORT
    assert names >= {
        "Closed",
        "Booked solid",
        "Cancellations",
        "Ladder",
        "Room",
        "Nearly full",
        "Push",
        "Left over",
        "Worth",
        "Tell",
    }


# --- spoilt -------------------------------------------------------------------------------------------------------------


def deciding(file: Data) -> list[Data]:
    return [rule for rule in file.get("rules", []) if "notify" not in rule]


def some_rule(file: Data, chance: Random, key: str) -> Data | None:
    """One of the rules that have a key."""
    having = [rule for rule in deciding(file) if key in rule]
    return chance.choice(having) if having else None


def impossible(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "when")
    if rule is not None:
        rule["when"] = {"all": [rule["when"], {"utilisation": {"above": "70%"}}, {"utilisation": {"below": "40%"}}]}
    return rule is not None


def endless(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "until")
    if rule is not None:
        rule["until"] = {"all": [rule["until"], {"open_slots": {"below": "0"}}]}
    return rule is not None


def ended_at_once(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "until")
    if rule is not None:
        rule["until"] = rule["when"]
    return rule is not None


def alternative(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "until")
    if rule is not None:
        rule["until"] = {"any": [rule["until"], {"open_slots": {"above": "9", "at_most": "9"}}]}
    return rule is not None


def repeated(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "when")
    if rule is not None:
        file["rules"].append({**rule, "name": "Once more", "then": {"budget": "base"}})
    return rule is not None


def raised_above(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "until")
    if rule is None or rule["then"] != "pause":
        return False
    about = {key: rule[key] for key in ("service",) if key in rule}
    file["rules"].insert(0, {"name": "First", **about, "when": rule["when"], "then": {"budget": "ceiling"}})
    return True


def without_margin(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "bands")
    if rule is not None:
        del rule["bands"]["by"]["margin"]
    return rule is not None


def without_otherwise(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "bands")
    if rule is not None:
        rule["bands"]["steps"].pop()
    return rule is not None


def unattended(file: Data, _: Random) -> bool:
    file["services"]["massage"] = {"appointment_types": ["Massage"]}
    first = next(iter(file["campaigns"].values()))
    file["campaigns"]["massage"] = first | {"service": "massage", "id": '"77"'}
    return all("service" in rule for rule in deciding(file)) and "packs" not in file


def unlatched(file: Data, chance: Random) -> bool:
    rules = [rule for rule in deciding(file) if rule.get("then") == "pause" and "utilisation" in rule["when"]]
    rule = chance.choice(rules) if rules else None
    if rule is not None:
        rule.pop("until")
    return rule is not None


def rationed(file: Data, _: Random) -> bool:
    file.setdefault("guardrails", {})["edit_budget"] = {"edits": "1"}
    return any(rule.get("then") == "pause" for rule in deciding(file)) or "packs" in file


def beyond_all_ceilings(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "then")
    if rule is not None:
        rule["then"] = {"budget": "900%"}
    return rule is not None


def stuck(file: Data, chance: Random) -> bool:
    rule = some_rule(file, chance, "bands")
    if rule is None or "at_most" in rule["bands"]["steps"][0]:
        return False
    rule["bands"]["by"]["margin"] = "100%"
    return True


SPOILS: dict[Check, Callable[[Data, Random], bool]] = {
    Check.WHEN_NEVER_HOLDS: impossible,
    Check.UNTIL_NEVER_HOLDS: endless,
    Check.UNTIL_AT_ONCE: ended_at_once,
    Check.ALTERNATIVE_NEVER_HOLDS: alternative,
    Check.NEVER_REACHED: repeated,
    Check.RAISE_ABOVE_PAUSE: raised_above,
    Check.MARGIN_WITHIN_SWING: without_margin,
    Check.BANDS_WITH_GAP: without_otherwise,
    Check.CAMPAIGN_WITHOUT_RULE: unattended,
    Check.PAUSE_WITHOUT_UNTIL: unlatched,
    Check.PAUSE_NEVER_MADE: rationed,
    Check.BUDGET_OUT_OF_BOUNDS: beyond_all_ceilings,
    Check.STEP_NEVER_LEFT: stuck,
}
"""What spoils a file, and whether it could."""


@pytest.mark.parametrize("size", [15, pytest.param(200, marks=pytest.mark.soak)])
@pytest.mark.parametrize("spoil", SPOILS)
def test_what_spoils_a_sensible_file_is_found(spoil: Check, size: int) -> None:
    files = ((sensible(seed), seeded(seed)) for seed in range(2000))
    spoilt = list(islice((file for file, chance in files if SPOILS[spoil](file, chance)), size))
    assert len(spoilt) == size
    missed = [file for file in spoilt if spoil not in checks(file)]
    assert not missed, missed[0]["rules"]
