"""What caps put out of reach: claimed only where no diary could be shown to prove it."""

from __future__ import annotations

import math

import pytest

from service.core.doctor.examination import examine
from service.core.doctor.model import Finding, Severity
from service.core.doctor.provable import JUDGED, Proofs
from service.core.metrics import asking
from service.core.roster import Roster
from service.core.rules.language import Measure, Metric
from service.sandbox.scene import HARBOUR
from service.sandbox.world import World
from tests.core.doctor.made import file_with, found, healthy
from tests.core.made import seen
from tests.core.worlds import book, seeded
from tests.core.worlds import found as random_clinic

SHORT = 6
SEEDS = [*range(SHORT), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(SHORT, 250))]
WITHIN = (1, 5, 14)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_diary_is_ever_shown_to_prove_more_than_is_said_to_be_provable(seed: int) -> None:
    chance = seeded(seed)
    world = random_clinic(chance, hiding=True)
    reading = world.read()
    proofs = Proofs(reading, world.service, Roster.of(reading, world.now))
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        world.clinic.appointments = [
            span for person in world.clinic.people for span in book(world.clinic, person, world.now, chance, share)
        ]
        ask = asking(seen(world.read(), world.now, service=world.service))
        for metric in JUDGED - {Metric.SLOTS_OPENED}:
            for within in WITHIN:
                bounds, reach = ask(Measure(metric, within)).bounds, proofs.reach(Measure(metric, within))
                if math.isfinite(bounds.low):
                    assert bounds.low <= reach.most + 1e-9, (metric, within)
                    assert bounds.high >= reach.least - 1e-9, (metric, within)


def limited(cap: int | None = None, limit: int | None = None, condition: str = "{utilisation: {below: 60%}}") -> list[Finding]:
    """What is said of one condition of a podiatry rule under these limits."""

    def change(world: World) -> None:
        settings = world.clinics[HARBOUR].settings
        settings.segment_cap, settings.daily_limit = cap, limit

    every = examine(healthy(change, file_with("{utilisation: {below: 60%}}", condition)))
    told = [each for each in every if each.severity is not Severity.FINE and "Fill podiatry" in each.sentence]
    return [each for name in ("unprovable", "out_of_reach") for each in told if each.check == name]


PROVABLE = [
    pytest.param({"cap": 3}, "{utilisation: {at_least: 95%}}", id="full under a cap: a full diary shows no start at all"),
    pytest.param({"cap": 1}, "{utilisation: {at_least: 100%}}", id="full under the lowest cap"),
    pytest.param({"cap": 3}, "{days_to_next_opening: {at_most: 1}}", id="an opening soon"),
    pytest.param({"limit": 5}, "{open_slots: {at_most: 0}}", id="nothing to book under a daily limit"),
    pytest.param({"limit": 5}, "{utilisation: {at_least: 80%}}", id="fairly full under a daily limit"),
    pytest.param({}, "{open_slots: {at_least: 60}}", id="many openings without limits"),
    pytest.param({"cap": 1}, "{not: {open_slots: {at_least: 5}}}", id="few openings"),
    pytest.param({"cap": 1}, "{expected_open_slots: {at_least: 60}}", id="what rests on history too is not judged"),
]


@pytest.mark.parametrize(("limits", "condition"), PROVABLE)
def test_what_can_be_proven_is_not_complained_about(limits: dict[str, int], condition: str) -> None:
    assert limited(**limits, condition=condition) == []


UNPROVABLE = [
    pytest.param({"cap": 1}, "{utilisation: {below: 60%}}", "unprovable", "out of reach", id="open under a low cap"),
    pytest.param({"cap": 2}, "{open_slots: {at_least: 60}}", "unprovable", "surely more than", id="many openings under a cap"),
    pytest.param({"limit": 5}, "{utilisation: {at_least: 95%}}", "unprovable", "surely more than 90%", id="full under a limit"),
    pytest.param({"cap": 1}, "{slots_opened: {at_least: 5}}", "unprovable", "slots opened", id="a cluster under a cap of one"),
    pytest.param({"cap": 1}, "{not: {open_slots: {below: 60}}}", "unprovable", "ruled out", id="the negation of one"),
    pytest.param({}, "{open_slots: {at_least: 500}}", "out_of_reach", "present roster", id="more than the roster holds"),
    pytest.param({"cap": 3}, "{open_slots: {at_least: 500}}", "out_of_reach", "present roster", id="the cap is not to blame"),
]


@pytest.mark.parametrize(("limits", "condition", "check", "says"), UNPROVABLE)
def test_a_condition_that_no_diary_could_prove_must_be_mended(
    limits: dict[str, int], condition: str, check: str, says: str
) -> None:
    (finding,) = limited(**limits, condition=condition)
    assert (finding.check, finding.severity) == (check, Severity.MUST_FIX)
    assert says in finding.sentence


def test_a_dead_alternative_is_told_but_does_not_kill_the_rule() -> None:
    condition = "{any: [{open_slots: {at_least: 60}}, {days_to_next_opening: {at_most: 1}}]}"
    assert [each.severity for each in limited(cap=1, condition=condition)] == [Severity.LOOK_AT]


def test_the_cap_itself_and_what_it_leaves_undecided_today_are_told() -> None:
    def change(world: World) -> None:
        world.clinics[HARBOUR].settings.segment_cap = 1

    seen = healthy(change)
    assert ["at most 1 start per" in each.sentence for each in found(seen, "caps")] == [True]
    assert any("utilisation over 14 days" in each.sentence for each in found(seen, "undecided"))
