"""Where demand does not change, shipped rules settle: no more than two significant edits a week for any campaign.

Patients book and cancel at a steady rate, a practitioner's week falls through now and then, and the fortnight that is looked at
moves on by a day each midnight; that is all. The rates reach from a diary that stays half empty to one that stays full. Edits
are counted from the changes by the books, which also refuse what breaks a guardrail: in the long run there are no more than two
a week for each campaign, and in any one week only moves that are never refused may be the third.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from service.core.backtest.model import CampaignReport, Candidate, Moment, Setting
from service.core.backtest.replay import Replay
from service.core.rules.language import CampaignEntry, Measure, Metric, RuleSet
from service.rulefiles.directory import RuleDirectory
from service.rulefiles.source import check
from service.sandbox.invented import ZONE, Invented
from tests.core.decide.books import Books, Line, Made
from tests.support import RULES, shipped

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
BEFORE = timedelta(days=14)
"""How long a clinic lives before it is governed, so that its diary is as full as it is going to be."""

FIRST = datetime(2026, 8, 24, tzinfo=UTC)
"""Summer time begins in Sydney within the weeks that follow."""

EDITS = 2
OPEN_SLOTS = Measure(Metric.OPEN_SLOTS)
PACK = """\
version: 1
clinic: quay
name: The Quay
currency: AUD
packs: [full-diary]
google_ads: {customer_id: "123-456-7890"}
services: {speech: {appointment_types: [Speech]}, massage: {appointment_types: [Massage]}}
campaigns:
  speech: {platform: google, id: "1", service: speech, base_budget: 60.00, floor: 10.00, ceiling: 120.00}
  massage: {platform: google, id: "2", service: massage, base_budget: 60.00, floor: 10.00, ceiling: 120.00}
"""
FILES: Mapping[str, RuleSet] = {
    **{clinic: shipped(clinic) for clinic in RuleDirectory(RULES).clinics()},
    "the pack": check(PACK, "quay.yaml", RuleDirectory(RULES).packs()),
}
SHORT = [("harbour-physio", 0.74, 0), ("northside-allied", 0.8, 0)]
RATES = [0.6, 0.68, 0.74, 0.8, 0.95]
LONG = [(clinic, rate, seed) for clinic in FILES for rate in RATES for seed in range(2)]
"""A clinic, how many patients book a practitioner in an hour, and a seed."""

WORLDS = [*((*world, 2) for world in SHORT), *(pytest.param(*world, 12, marks=pytest.mark.soak) for world in LONG)]


@dataclass(frozen=True, slots=True)
class Lived:
    """The lines of each campaign's books over some weeks."""

    weeks: int
    lines: Mapping[str, Sequence[Line]]


def live(clinic: str, rate: float, seed: int, weeks: int) -> Lived:
    """So many weeks of a clinic under its file."""
    rules = FILES[clinic]
    world = Invented(tuple(rules.services.values()), FIRST - BEFORE, seed, (rate, 0.0))
    replay = Replay([Candidate(rules)], Setting(FIRST, FIRST + weeks * WEEK))
    empty: dict[str, set[datetime]] = {service: set() for service in rules.services}
    for n, (at, diaries) in enumerate(world.hours((BEFORE + weeks * WEEK) // HOUR)):
        if at >= FIRST - 4 * 24 * HOUR:
            (replay.see if at >= FIRST else replay.recall)(Moment(str(n), at, diaries))
        if at >= FIRST:
            for service, full in fullness(replay):
                empty[service] |= {at} if full else set()
    found = replay.reports()[0].campaigns
    return Lived(weeks, {name: booked(rules.campaigns[name], each, empty) for name, each in found.items()})


def fullness(replay: Replay) -> Iterator[tuple[str, bool]]:
    ((course, _),) = replay._courses
    return ((service, each.full is True) for service, each in course.fullness.items())


def booked(entry: CampaignEntry, report: CampaignReport, empty: Mapping[str, set[datetime]]) -> list[Line]:
    """The changes of one campaign, entered in its books."""
    books = Books()
    for made in report.changes:
        books.enter(Made(made.at, made.before, made.after, made.after, made.rule, entry, ZONE, made.at in empty[entry.service]))
    return books.lines


@pytest.mark.parametrize(("clinic", "rate", "seed", "weeks"), WORLDS)
def test_where_demand_does_not_change_a_campaign_has_two_edits_a_week_at_most(
    clinic: str, rate: float, seed: int, weeks: int
) -> None:
    lived = live(clinic, rate, seed, weeks)
    for name, lines in lived.lines.items():
        edits = [line for line in lines if line.edit]
        assert len(edits) <= EDITS * weeks, name
        for line in edits:
            week = [other for other in edits if line.at <= other.at < line.at + WEEK]
            assert sum(not other.freely for other in week) <= EDITS, (name, week)
