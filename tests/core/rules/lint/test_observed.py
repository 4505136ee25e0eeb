"""What is found only in the light of the clinic: how far its metrics swing, and what its booking limits hide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.core.rules.language import Metric
from service.core.rules.lint.checks import lint
from service.core.rules.lint.measured import swing
from service.core.rules.lint.model import Check, Observed
from service.sandbox.reading import diaries
from service.sandbox.scene import HARBOUR, scene
from tests.core.rules.lint.planted import HEAD, Planted, found, problems
from tests.support import shipped

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

Readings = list[tuple[datetime, float]]

# --- how far a metric swings --------------------------------------------------------------------------------------------


def days(*each: list[float]) -> Readings:
    """Readings three hours apart on consecutive days."""
    return [(START + n * DAY + m * 3 * HOUR, value) for n, values in enumerate(each) for m, value in enumerate(values)]


QUIET = [50.0] * 8
LIVELY = [50.0, 50, 54, 54, 54, 50, 50, 50]


@pytest.mark.parametrize(
    ("readings", "size"),
    [
        pytest.param(days(*[LIVELY] * 7), 4, id="the same every day"),
        pytest.param(days(*[LIVELY] * 7)[::-1], 4, id="in whatever order"),
        pytest.param(days(*[LIVELY] * 6, [0.0, *[100.0] * 7]), 4, id="one odd day is one day"),
        pytest.param(days(*[QUIET] * 4, *[LIVELY] * 4), 2, id="half of the days"),
        pytest.param(days(*[[60.0 - n] * 8 for n in range(8)]), 1, id="down by one at every midnight"),
        pytest.param(days(*[LIVELY] * 6), None, id="six days are too few"),
        pytest.param(days(*[LIVELY] * 6, LIVELY[:5]), None, id="five readings are no day"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_a_swing_is_that_of_half_of_the_days(readings: Readings, size: float | None) -> None:
    assert swing(readings) == size


LATCH = """\
- name: Full
  when: {utilisation: {at_least: 95%}}
  until: {utilisation: {below: 88%}} #! gap-within-swing
  then: {budget: floor}
"""
LADDER = """\
- name: Ladder
  bands:
    by: {metric: utilisation, margin: 7%} #! margin-within-swing
    steps: [{at_least: 90%, budget: floor}, {otherwise: base}]
"""
OPENINGS = """\
- name: Ladder
  bands:
    by: {metric: open_slots, margin: 7} #! margin-within-swing
    steps: [{at_most: 4, budget: floor}, {otherwise: base}]
"""
SLIGHT = LADDER.replace("7%", "2%")


def swinging(size: float, metric: Metric = Metric.UTILISATION, service: str = "physio") -> Observed:
    return Observed({(service, metric): size})


@pytest.mark.parametrize(
    ("rules", "seen", "expected"),
    [
        pytest.param(LATCH, swinging(9), True, id="a gap of 7 in a swing of 9"),
        pytest.param(LATCH, swinging(7), False, id="a gap of 7 in a swing of 7"),
        pytest.param(LADDER, swinging(9), True, id="a margin of 7 in a swing of 9"),
        pytest.param(LADDER, swinging(6.5), False, id="a margin of 7 in a swing of 6.5"),
        pytest.param(OPENINGS, swinging(9, Metric.OPEN_SLOTS), True, id="a margin of 7 openings in a swing of 9"),
        pytest.param(OPENINGS, swinging(8, Metric.OPEN_SLOTS), False, id="openings go a whole one past the margin"),
        pytest.param(SLIGHT, swinging(1.5), False, id="a clinic steadier than most needs less"),
        pytest.param(SLIGHT, swinging(1.5, service="podiatry"), True, id="another service says nothing about this one"),
        pytest.param(LADDER, swinging(9, Metric.EXPECTED_UTILISATION), False, id="nor does another metric"),
        pytest.param(
            LADDER.replace("utilisation,", "utilisation, within: 7d,"), swinging(9), False, id="nor the fortnight for a week"
        ),
    ],
)
def test_thresholds_are_held_against_the_clinics_own_swing(rules: str, seen: Observed, expected: bool) -> None:
    planted = Planted("", rules)
    assert found(planted.marked, seen) == (planted.expected if expected else [])


def test_a_finding_says_whether_the_swing_was_seen_or_must_be_expected() -> None:
    (observed,) = problems(Planted("", LADDER).marked, swinging(9))
    assert "on half of the last days utilisation over 14 days moved by 9% or more" in observed.message
    assert observed.advice == "write margin: 9%, or more"
    (usual,) = problems(Planted("", SLIGHT).marked)
    assert "must be expected to move by 5% within a day" in usual.message


# --- what booking limits hide -------------------------------------------------------------------------------------------


def harbour(cap: int | None) -> Observed:
    """Harbour with at most so many starts shown at a time."""
    world = scene()
    world.clinics[HARBOUR].settings.segment_cap = cap
    services = tuple(shipped(HARBOUR).services.values())
    return Observed(diaries=diaries(world.clinics[HARBOUR], services, world.now), now=world.now)


SOLD = HEAD.replace("[Podiatry]", "[Initial podiatry consultation]").replace(
    "[Physiotherapy]", "[Initial physiotherapy consultation]"
)
HIDDEN = [
    pytest.param(
        "- {name: Room, when: {utilisation: {below: 60%}}, then: {budget: 120%}} #! unprovable", id="emptiness under a cap"
    ),
    pytest.param(
        """\
- name: Booked solid
  when: {utilisation: {at_least: 95%}}
  until: {any: [{utilisation: {below: 60%}}, {slots_opened: {at_least: 40}}]} #! unprovable
  then: {budget: floor}
""",
        id="an until under a cap",
    ),
    pytest.param(
        """\
- name: Ladder
  bands:
    by: {metric: open_slots, margin: 4}
    steps:
      - {at_least: 200, budget: 130%} #! unprovable
      - {at_least: 5, budget: 110%}
      - {otherwise: base}
""",
        id="a step under a cap",
    ),
]


@pytest.mark.parametrize("rules", HIDDEN)
def test_a_threshold_that_the_limits_put_out_of_reach_is_found_at_its_line(rules: str) -> None:
    text = Planted("", rules).marked.replace(HEAD, SOLD)
    assert set(found(text, harbour(cap=1))) == set(Planted("", rules).expected)
    assert found(text, harbour(cap=None)) == found(text) == []


def test_nothing_is_found_in_the_shipped_file_of_a_clinic_without_limits() -> None:
    assert lint(shipped(HARBOUR), harbour(cap=None)) == ()
    assert {finding.check for finding in lint(shipped(HARBOUR), harbour(cap=1))} == {Check.UNPROVABLE}
