"""Tipping points as people read them: what changes by how much, how it reads then, what the rules want then."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.decide.model import Reading, RuleState
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import Reason, State
from service.core.rules.language import Measure, Metric
from service.core.why.account import account
from service.core.why.model import Part
from service.core.why.question import question
from service.core.why.tipping import tipping
from service.rulefiles.source import check
from tests.core.why.made import HOUR, NOON, ONE, Made, run

HEAD = """version: 1
clinic: quay
name: The Quay
currency: AUD
notify: [desk]
google_ads: {customer_id: "1234567890"}
services: {physio: {appointment_types: [First]}}
campaigns:
  one: {platform: google, id: "1", service: physio, base_budget: 60.00, floor: 10.00, ceiling: 90.00}
rules:
"""
FULL = "utilisation: {at_least: 95%}"
TWO_MORE = "{open_slots: {at_least: 5, within: 7d}}"
LATCH = f"- {{name: Full, when: {{{FULL}}}, until: {{any: [{{utilisation: {{below: 88%}}}}, {TWO_MORE}]}}, then: pause}}"
BASE = "(no rule matches: base budget)"
AT_BASE = f"then running at 60.00 AUD {BASE}"
RUNNING, OFF = State(running=True, budget=Decimal("60.00")), State(running=False, budget=Decimal("60.00"))
ON = {"physio/Full": RuleState(on_since=NOON - 5 * HOUR, seen_at=NOON - HOUR)}
UTILISATION, NEXT = Measure(Metric.UTILISATION), Measure(Metric.DAYS_TO_NEXT_OPENING)
WEEK = Measure(Metric.OPEN_SLOTS, 7)
NONE = Reading(Bounds(14, 14, float("inf")))


def exactly(value: float) -> Reading:
    return Reading(Bounds.exactly(value))


def between(low: float, high: float) -> Reading:
    return Reading(Bounds(None, low, high), Reason.DATA_INCOMPLETE)


def knowing(
    rules: str, readings: dict[Measure, Reading], here: State = RUNNING, states: dict[str, RuleState] | None = None
) -> Made:
    return Made(run(check(HEAD + "".join(f"  {line}\n" for line in rules.splitlines()), "quay.yaml"), here, states), readings)


def said(made: Made) -> list[str]:
    found = tipping(made.inputs, made.outlook(), ONE)
    assert found is not None
    return list(found.sentences)


LADDER = """- name: Ladder
  bands:
    by: {metric: utilisation, margin: 8%}
    steps: [{at_least: 90%, budget: floor}, {otherwise: 130%}]"""
SENTENCES = [
    pytest.param(
        knowing(LATCH, {UTILISATION: exactly(91.234), WEEK: exactly(3)}, OFF, ON),
        [f"Two more openings in the next 7 days (at least 5) would lift the pause: {AT_BASE}",
         f"Utilisation over 14 days 3.3 points lower (below 88%) would lift the pause: {AT_BASE}"],
        id="two more openings lift the pause",
    ),
    pytest.param(
        knowing(LATCH, {UTILISATION: exactly(89), WEEK: exactly(4)}, RUNNING, ON),
        [f"One more opening in the next 7 days (at least 5) would call off the pause: {AT_BASE}",
         f"Utilisation over 14 days 1.1 points lower (below 88%) would call off the pause: {AT_BASE}"],
        id="a pause that is only wanted is called off",
    ),
    pytest.param(
        knowing(f"- {{name: Full, when: {{{FULL}}}, then: pause}}", {UTILISATION: exactly(94)}),
        ["Utilisation over 14 days 1 point higher (at least 95%) would pause it (“Full”)"],
        id="one point, not one points",
    ),
    pytest.param(
        knowing(f"- {{name: Full, when: {{{FULL}}}, then: pause}}", {UTILISATION: exactly(94.5)}, OFF),
        ["Utilisation over 14 days 0.5 points higher (at least 95%) would leave it paused (“Full”)"],
        id="what is paused stays paused",
    ),
    pytest.param(
        knowing("- {name: Far, when: {days_to_next_opening: {at_least: 3}}, then: pause}", {NEXT: exactly(1)}),
        ["A next opening in 3 days instead of tomorrow would pause it (“Far”)"],
        id="the next opening later",
    ),
    pytest.param(
        knowing("- {name: Far, when: {days_to_next_opening: {at_least: 1}}, then: {budget: floor}}", {NEXT: NONE}),
        [f"A next opening today instead of none in the next 14 days would make it 60.00 AUD a day instead of 10.00 AUD {BASE}"],
        id="an opening where there is none",
    ),
    pytest.param(
        knowing("- {name: Far, when: {days_to_next_opening: {at_least: 14}}, then: {budget: floor}}", {NEXT: exactly(12)}),
        [("No opening in the next 14 days instead of the next in 12 days would make it 10.00 AUD a day instead of "
          "60.00 AUD (“Far”)")],
        id="no opening where there is one",
    ),
    pytest.param(
        knowing(LADDER, {UTILISATION: exactly(85)}, states={"physio/Ladder": RuleState(band="at_least 90")}),
        ["Utilisation over 14 days 3.1 points lower (below 82%) would make it 78.00 AUD a day instead of 10.00 AUD (“Ladder”)"],
        id="a ladder's step is left past its margin",
    ),
    pytest.param(
        knowing(f"- {{name: Full, when: {{{FULL}}}, for: 2h, then: pause}}", {UTILISATION: exactly(94.95)}),
        ["Utilisation over 14 days 0.1 points higher (at least 95%), lasting 2h, would pause it (“Full”)"],
        id="a change that has to last",
    ),
    pytest.param(
        knowing(
            f"- {{name: Full, when: {{{FULL}}}, for: 3h, then: pause}}", {UTILISATION: exactly(94.95)},
            states={"physio/Full": RuleState(seen_at=NOON - 9 * HOUR)},
        ),
        ["Utilisation over 14 days 0.1 points higher (at least 95%), lasting 3h, would pause it (“Full”)"],
        id="a change that has to last after hours without a run",
    ),
    pytest.param(
        knowing("- {name: Mid, when: {open_slots: {between: [2, 5], within: 7d}}, then: {budget: floor}}", {WEEK: exactly(3)}),
        [f"Two fewer openings in the next 7 days (1) would make it 60.00 AUD a day instead of 10.00 AUD {BASE}",
         f"Three more openings in the next 7 days (6) would make it 60.00 AUD a day instead of 10.00 AUD {BASE}"],
        id="both ends of between",
    ),
    pytest.param(
        knowing(
            f"- {{name: Full, when: {{{FULL}}}, for: 4h, then: pause}}", {UTILISATION: exactly(96)},
            states={"physio/Full": RuleState(true_since=NOON - 3 * HOUR, maybe_since=NOON - 3 * HOUR, seen_at=NOON - HOUR)},
        ),
        ["In 1 hour, if no reading changes, the rules want it paused (“Full”)"],
        id="what time alone will turn",
    ),
    pytest.param(
        knowing("- {name: Night, then: pause, active: {hours: '14:00-20:00'}}", {}),
        ["In 13 hours, if no reading changes, the rules want it paused (“Night”)"],
        id="a rule that is not looked at yet",
    ),
    pytest.param(
        knowing("- {name: Room, when: {open_slots: {above: 2, within: 7d}}, then: {budget: 130%}}", {WEEK: between(1, 4)}, OFF),
        ["Two more openings in the next 7 days (above 2) would make it 78.00 AUD a day instead of 60.00 AUD (“Room”)"],
        id="bounds move as a whole",
    ),
    pytest.param(
        knowing(f"- {{name: Full, when: {{{FULL}}}, then: pause}}", {UTILISATION: between(90, 96)}, RUNNING),
        [("Once utilisation over 14 days is known for sure (now between 90% and 96%), the rules can decide: "
          "running at 60.00 AUD or paused"),
         "Utilisation over 14 days 5 points higher (at least 95%) would pause it (“Full”)"],
        id="a metric that would decide once it is known",
    ),
    pytest.param(
        knowing(f"- {{name: Full, when: {{{FULL}}}, then: pause}}", {UTILISATION: Reading(UNBOUNDED, Reason.CLOSED)}), [],
        id="a closed clinic has no tipping point",
    ),
    pytest.param(knowing("- {name: Always, then: {budget: 50%}}", {}), [], id="a rule without a condition has none"),
]  # fmt: skip


@pytest.mark.parametrize(("made", "sentences"), SENTENCES)
def test_what_would_change_is_said_with_the_nearest_first(made: Made, sentences: list[str]) -> None:
    assert said(made) == sentences


COUNTED = [
    ("open_hours: {at_least: 5h, within: 1d}", Measure(Metric.OPEN_HOURS, 1), 4, "1 more open hour today"),
    ("working_hours: {below: 3h}", Measure(Metric.WORKING_HOURS), 4.5, "1.6 fewer rostered hours in the next 14 days"),
    ("full_days: {at_least: 2}", Measure(Metric.FULL_DAYS), 1, "One more full day in the next 14 days"),
    ("slots_opened: {at_least: 15, since: 48h}", Measure(Metric.SLOTS_OPENED, since=timedelta(hours=48)), 1,
     "14 more slots opened in the last 2d over 14 days"),
    ("expected_open_slots: {above: 3, confidence: 80%}", Measure(Metric.EXPECTED_OPEN_SLOTS, confidence=Decimal(80)), 2.5,
     "0.6 more openings expected to stay unfilled over 14 days, with 80% confidence"),
    ("expected_utilisation: {above: 3%, confidence: 80%}", Measure(Metric.EXPECTED_UTILISATION, confidence=Decimal(80)), 2.5,
     "Expected utilisation over 14 days, with 80% confidence, 0.6 points higher"),
    ("coverage: {below: 50%}", Measure(Metric.COVERAGE), 60, "Coverage over 14 days 10.1 points lower"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "measure", "value", "begins"), COUNTED, ids=[each[0] for each in COUNTED])
def test_every_metric_has_its_words(condition: str, measure: Measure, value: float, begins: str) -> None:
    readings = {measure: exactly(value), Measure(Metric.WORKING_HOURS, 1): exactly(8)}
    (sentence,) = said(knowing(f"- {{name: R, when: {{{condition}}}, then: pause}}", readings))
    assert sentence.startswith(begins + " (")


def test_no_more_can_be_open_than_is_rostered() -> None:
    readings = {Measure(Metric.OPEN_HOURS): exactly(4), Measure(Metric.WORKING_HOURS): exactly(6)}
    assert said(knowing("- {name: R, when: {open_hours: {at_least: 7h}}, then: pause}", readings)) == []


def test_a_campaign_that_its_platform_does_not_show_has_no_answer() -> None:
    made = knowing("- {name: R, then: pause}", {})
    unseen = replace(made.inputs, snapshot=replace(made.inputs.snapshot, campaigns={}))
    assert tipping(unseen, made.outlook(), ONE) is None


PARTS = """- {name: Tell, when: {utilisation: {above: 1%}}, notify: desk}
- {name: Night, then: pause, active: {hours: "22:00-23:00"}}
- {name: Slow, when: {utilisation: {above: 50%}}, for: 8h, then: {budget: floor}}
- {name: No, when: {utilisation: {above: 99%}}, then: {budget: floor}}
- {name: Full, when: {utilisation: {above: 90%}}, then: {budget: 50%}, until: {utilisation: {below: 96%}}}
- {name: Yes, when: {utilisation: {above: 60%}}, then: {budget: 50%}}
- {name: Also, then: {budget: 50%}}"""


def test_every_rule_has_a_part_in_the_proposal_and_a_sentence() -> None:
    made = knowing(PARTS, {UTILISATION: exactly(95)}, states=ON)
    asking = question(made.inputs, made.outlook(), ONE)
    assert asking is not None
    assert [(each.rule, each.part, each.sentence) for each in account(asking)] == [
        ("Tell", Part.TELLS, "tells desk and never decides"),
        ("Night", Part.ASLEEP, "this is not its time (`active`)"),
        ("Slow", Part.WAITS, "has held for 0h of the 8h that its `for` asks: utilisation over 14 days is 95% (above 50%)"),
        ("No", Part.NO_MATCH, "utilisation over 14 days is 95% (above 99%)"),
        ("Full", Part.NO_MATCH, "its `until` holds: utilisation over 14 days is 95% (below 96%)"),
        ("Yes", Part.DECIDES, "“Yes”: utilisation over 14 days is 95% (above 60%)"),
        ("Also", Part.OVERRULED, "“Also” applies always"),
    ]


def test_a_rule_that_nobody_can_judge_may_decide() -> None:
    made = knowing(f"- {{name: Full, when: {{{FULL}}}, then: pause}}", {UTILISATION: between(90, 96)})
    asking = question(made.inputs, made.outlook(), ONE)
    assert asking is not None
    (part,) = account(asking)
    assert (part.part, part.sentence) == (
        Part.POSSIBLE, "cannot tell: utilisation over 14 days is between 90% and 96% (at least 95%)"
    )  # fmt: skip
