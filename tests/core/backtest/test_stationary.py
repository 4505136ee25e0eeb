"""Where demand does not change, shipped rules settle: no more than two significant edits a week for any campaign.

Patients book and cancel at a steady rate, a practitioner's week falls through now and then, and the fortnight that is looked at
moves on by a day each midnight; that is all. The rates reach from a diary that stays half empty to one that stays full. Edits
are counted from the changes by the books, which also refuse what breaks a guardrail.

The same weeks are lived three times. As shipped: never more than two edits in a week, but for moves that are never refused; of
that the files' own `edit_budget` would see to, whatever the rules. With nothing rationed (`edit_budget`,
`max_changes_per_day` and `cooldown` lifted) the rules themselves seldom want anything else: two edits a week on average
and six in the worst week. In that one a clinic that is full opens and fills up three times, because weeks fall
through. And with rules that flap: the measure finds them out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest

from service.core.backtest.model import CampaignReport, Candidate, Moment, Setting
from service.core.backtest.replay import Replay
from service.core.rules.language import CampaignEntry, Guardrails, Measure, Metric, Rule, RuleSet
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
WORST = 6
"""Edits in any seven days where nothing is rationed."""

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
SHORT = [("harbour-physio", 0.8, 0, 3), ("northside-allied", 0.8, 0, 1)]
RATES = [0.6, 0.68, 0.74, 0.8, 0.95]
LONG = [(clinic, rate, seed) for clinic in FILES for rate in RATES for seed in range(2)]
"""A clinic, how many patients book a practitioner in an hour, and a seed; in the short form also how many weeks."""

WORLDS = [*SHORT, *(pytest.param(*world, 12, marks=pytest.mark.soak) for world in LONG)]


Lines = Mapping[str, Sequence[Line]]
"""The books of each campaign over some weeks."""


@dataclass(frozen=True, slots=True)
class Lived:
    """The same weeks under a file as it is, with nothing rationed, and with rules that flap."""

    shipped: Lines
    unrationed: Lines
    flapping: Lines


@cache
def live(clinic: str, rate: float, seed: int, weeks: int) -> Lived:
    """So many weeks of a clinic under its file."""
    rules = FILES[clinic]
    files = [rules, unrationed(rules), flapping(unrationed(rules))]
    world = Invented(tuple(rules.services.values()), FIRST - BEFORE, seed, (rate, 0.0))
    replay = Replay([Candidate(file) for file in files], Setting(FIRST, FIRST + weeks * WEEK))
    empty: dict[str, set[datetime]] = {service: set() for service in rules.services}
    for n, (at, diaries) in enumerate(world.hours((BEFORE + weeks * WEEK) // HOUR)):
        if at >= FIRST - 4 * 24 * HOUR:
            (replay.see if at >= FIRST else replay.recall)(Moment(str(n), at, diaries))
        if at >= FIRST:
            for service, full in fullness(replay):
                empty[service] |= {at} if full else set()
    reports = [report.campaigns for report in replay.reports()]
    return Lived(
        *(
            {name: booked(file.campaigns[name], each, empty) for name, each in found.items()}
            for file, found in zip(files, reports, strict=True)
        )
    )


def unrationed(rules: RuleSet) -> RuleSet:
    """The file with nothing that limits how often a campaign is changed."""

    def lifted(rails: Guardrails) -> Guardrails:
        budget = replace(rails.edit_budget, edits=100)
        return replace(rails, edit_budget=budget, max_changes_per_day=24, cooldown=timedelta())

    entries = {name: replace(entry, guardrails=lifted(entry.guardrails)) for name, entry in rules.campaigns.items()}
    return replace(rules, campaigns=entries, guardrails=lifted(rules.guardrails))


def flapping(rules: RuleSet) -> RuleSet:
    """The file with rules that end as soon as their condition does, and ladders without a margin."""

    def curt(rule: Rule) -> Rule:
        return replace(rule, until=None, bands=rule.bands and replace(rule.bands, margin=Decimal(0)))

    return replace(rules, rules=tuple(map(curt, rules.rules)))


def settles(lines: Sequence[Line], weeks: int) -> bool:
    """Whether a campaign is edited no more than twice a week on average, and in no week more often than it may be."""
    edits = [line.at for line in lines if line.edit]
    weekly = (sum(at <= other < at + WEEK for other in edits) for at in edits)
    return len(edits) <= EDITS * weeks and max(weekly, default=0) <= WORST


def fullness(replay: Replay) -> Iterator[tuple[str, bool]]:
    course, _ = replay._courses[0]
    return ((service, each.full is True) for service, each in course.fullness.items())


def booked(entry: CampaignEntry, report: CampaignReport, empty: Mapping[str, set[datetime]]) -> list[Line]:
    """The changes of one campaign, entered in its books."""
    books = Books()
    for made in report.changes:
        books.enter(Made(made.at, made.before, made.after, made.after, made.rule, entry, ZONE, made.at in empty[entry.service]))
    return books.lines


@pytest.mark.parametrize(("clinic", "rate", "seed", "weeks"), WORLDS)
@pytest.mark.sampled(2)
def test_where_demand_does_not_change_a_campaign_has_two_edits_a_week_at_most(
    clinic: str, rate: float, seed: int, weeks: int
) -> None:
    for name, lines in live(clinic, rate, seed, weeks).shipped.items():
        edits = [line for line in lines if line.edit]
        assert len(edits) <= EDITS * weeks, name
        for line in edits:
            week = [other for other in edits if line.at <= other.at < line.at + WEEK]
            assert sum(not other.freely for other in week) <= EDITS, (name, week)


@pytest.mark.parametrize(("clinic", "rate", "seed", "weeks"), WORLDS)
def test_the_rules_settle_by_themselves_with_nothing_rationed(clinic: str, rate: float, seed: int, weeks: int) -> None:
    lived = live(clinic, rate, seed, weeks).unrationed
    assert [name for name, lines in lived.items() if not settles(lines, weeks)] == []


def test_rules_that_flap_are_found_out() -> None:
    lived = live(*SHORT[0]).flapping
    assert [name for name, lines in lived.items() if not settles(lines, SHORT[0][3])] == list(FILES[SHORT[0][0]].campaigns)
