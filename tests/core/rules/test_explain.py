"""Each rule as one sentence that a marketing manager understands, with the money it means."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given

from service.cli.rules import rules as command
from service.core.rules.explain import changed_guardrails, explained
from service.core.rules.language import UNITS, Guardrails, Op, RaiseAndCut, Window
from service.core.rules.walk import comparisons
from service.core.rules.wording import stated
from service.rulefiles.source import check
from tests.rulefiles.generated import files, written
from tests.rulefiles.quay import clinic
from tests.support import RULES, shipped

HEAD = (
    clinic("90.00")
    + """rules:
  - {name: One, """
)


def said(text: str) -> str:
    rules = check(HEAD + text + "}\n", "quay.yaml")
    return explained(rules.rules[0], rules)


FULL = "when: {utilisation: {at_least: 95%}}"
SENTENCES = [
    (f"{FULL}, then: pause", "Every campaign: when utilisation over 14 days is at least 95%, pause."),
    (f"service: physio, {FULL}, for: 2h, then: {{budget: floor}}",
     "a and b: when utilisation over 14 days is at least 95%, and has been so for 2h, run on its floor (10.00 AUD)."),
    (f"campaigns: [c], {FULL}, until: {{open_slots: {{above: 3, within: 7d}}}}, then: {{budget: 50%}}",
     ("c: when utilisation over 14 days is at least 95%, run on 50% of base (20.00 AUD), "
     "and stay so until open slots over 7 days is above 3.")),
    ("service: physio, then: {budget: 130%}", "a and b: always, run on 130% of base (a 78.00 AUD, b 52.00 AUD)."),
    ("campaigns: [a], then: {budget: 33.333%}", "a: always, run on 33.333% of base (19.99 AUD)."),
    ("service: physio, then: {budget: 20%}",
     "a and b: always, run on 20% of base: a 12.00 AUD, b 10.00 AUD (its floor)."),
    ("campaigns: [a], then: {budget: 5%}", "a: always, run on 5% of base: 10.00 AUD (its floor)."),
    ("campaigns: [a], then: {budget: 900%}", "a: always, run on 900% of base: 90.00 AUD (its ceiling)."),
    ("when: {utilisation: {at_least: 97.25%}, open_hours: {below: 7.25h}}, then: pause",
     ("Every campaign: when utilisation over 14 days is at least 97.25% and open hours over 14 days is below 7.25 h, pause.")),
    ("when: {not: {utilisation: {between: [20%, 50%]}}}, then: pause",
     "Every campaign: when utilisation over 14 days is not between 20% and 50%, pause."),
    ("campaigns: [a], then: {budget: 35.00}, stabilise: 2h",
     "a: always, run on 35.00 AUD a day, raises of its own waiting 2h instead of the guardrail's time."),
    ("campaigns: [a], then: {budget: {cost_per_booking: 45.00, within: 1d}}",
     "a: always, run on what openings expected to stay unfilled over 1 day are worth at 45.00 AUD a booking."),
    ("when: {any: [{full_days: {between: [2, 5]}}, {not: {coverage: {below: 80%}}}]}, notify: marketing",
     ("Every campaign: when full days over 14 days is between 2 and 5 or coverage over 14 days is at least 80%, "
     "tell marketing, and change nothing.")),
    ("when: {open_hours: {below: 5h}, any: [{full_days: {above: 2}}, {open_slots: {at_most: 1}}]}, then: pause",
     ("Every campaign: when open hours over 14 days is below 5 h and (full days over 14 days is above 2 or open slots over "
     "14 days is at most 1), pause.")),
    ("when: {not: {all: [{full_days: {above: 2}}, {open_slots: {at_most: 1}}]}}, then: pause, notify: marketing",
     ("Every campaign: when it is not so that (full days over 14 days is above 2 and open slots over 14 days is at most 1), "
     "pause, telling marketing when it begins.")),
    ('active: {days: weekdays, hours: "07:00-20:00", public_holidays: AU-NSW}, then: pause',
     "Every campaign: always, looked at only on weekdays from 07:00 to 20:00, not on public holidays of AU-NSW, pause."),
    ("campaigns: [a], bands: {by: {metric: utilisation, margin: 8%}, steps: [{above: 90%, budget: floor}, {otherwise: base}]}",
     ("a: by utilisation over 14 days, the first that holds: above 90% run on its floor (10.00 AUD); otherwise run on its "
     "base budget (60.00 AUD); a step is left only 8% past it.")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), SENTENCES, ids=[text[:30] for text, _ in SENTENCES])
def test_a_rule_is_one_plain_sentence(text: str, sentence: str) -> None:
    assert said(text) == sentence


@given(files())
def test_every_rule_has_a_sentence_that_names_all_its_thresholds(data: dict[str, Any]) -> None:
    rules = check(written(data), "quay.yaml")
    for rule in rules.rules:
        sentence = explained(rule, rules)
        assert sentence.endswith(".")
        for each in (*comparisons(rule.when), *comparisons(rule.until)):
            assert stated(each.threshold, UNITS[each.measure.metric]) in sentence
            assert each.op is not Op.BETWEEN or " and " in sentence


def test_guardrails_that_are_not_the_default_are_named_beside_it() -> None:
    rails = replace(
        Guardrails(),
        stabilise=RaiseAndCut(timedelta(hours=12), timedelta(0)),
        change_window=Window((5, 6), 420, 1200),
    )
    assert list(changed_guardrails(Guardrails())) == []
    assert list(changed_guardrails(rails)) == [
        "stabilise is 12h for raises and 0h for cuts (default 24h for raises and 0h for cuts)",
        "change_window is on weekends from 07:00 to 20:00",
    ]


def test_the_command_says_every_rule_of_every_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOVERNOR_RULES_DIR", str(RULES))
    told = CliRunner().invoke(command, ["explain"], catch_exceptions=False)
    assert told.exit_code == 0
    for rules in map(shipped, ("harbour-physio", "northside-allied")):
        assert all(explained(rule, rules) in told.stdout for rule in rules.rules)


def test_the_command_prints_json_of_one_file() -> None:
    told = CliRunner().invoke(command, ["explain", str(RULES / "northside-allied.yaml"), "--json"], catch_exceptions=False)
    (file,) = json.loads(told.stdout)["files"]
    assert (file["clinic"], [each["rule"] for each in file["rules"]]) == ("northside-allied", ["Booked solid", "Ladder"])
    assert file["guardrails"] == []
