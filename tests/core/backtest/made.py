"""A small clinic to try rules on: one service, four campaigns at 60.00 AUD, and readings made by hand every hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.core.backtest import Candidate, Moment, Replay, Report, Setting
from service.core.model import Diaries, Unreadable, Unseen
from service.core.rules.language import RuleSet
from service.rulefiles.source import check
from tests.core.made import NOW, OFFSET, alone, at, diaries

HOUR = timedelta(hours=1)
LENIENT = """
guardrails:
  stabilise: {raise: 0h}
  cooldown: 0h
  max_changes_per_day: 24
  edit_budget: {edits: 100, per: 7d}
  blast_radius: 100%
"""
FULL = """
rules:
  - {name: Full, when: {open_slots: {at_most: 0}}, then: pause}
  - {name: Slack, when: {open_slots: {at_least: 3}}, then: {budget: 150%}}
"""

Shown = Diaries | Unreadable
DOWN = Unreadable("cliniko", "503 for an hour")
NOBODY_KNOWS = alone(Unseen.FAILED)


def openings(count: int, now: datetime = NOW) -> Diaries:
    """A reading that shows so many appointments of an hour each: three fit into a day."""
    starts = [at(1 + n // 3, f"{9 + n % 3:02}:00") for n in range(count)]
    return diaries({("city", "ana", "first"): [start for start in starts if start > now]}, today=(now + OFFSET).date())


def rules(text: str = FULL, guardrails: str = LENIENT, campaigns: int = 1, clinic: str = "made") -> RuleSet:
    """A rule file for it."""
    head = "version: 1\nclinic: made\nname: Made\ncurrency: AUD\ngoogle_ads: {customer_id: 123-456-7890}\n"
    one = '{{platform: google, id: "{n}", service: physio, base_budget: 60.00, floor: 10.00, ceiling: 120.00}}'
    listed = "".join(f"  ad-{n}: {one.format(n=n)}\n" for n in range(campaigns))
    services = "services:\n  physio: {appointment_types: [First, Standard]}\n"
    return check(f"{head}{services}campaigns:\n{listed}{text}{guardrails}".replace("made", clinic), f"{clinic}.yaml")


def moments(readings: Sequence[Shown], start: datetime = NOW) -> list[Moment]:
    """An hour apart."""
    return [Moment(f"run{n}", start + n * HOUR, reading) for n, reading in enumerate(readings)]


def replayed(files: Sequence[RuleSet], seen: Sequence[Moment], **setting: object) -> Replay:
    """The moments, put through these files."""
    own = Setting(seen[0].at, seen[-1].at, **setting)  # type: ignore[arg-type] # fields of Setting
    replay = Replay([Candidate(file) for file in files], own)
    for moment in seen:
        replay.see(moment)
    return replay


def report(readings: Sequence[Shown], file: RuleSet | None = None, **setting: object) -> Report:
    """What one file would have done."""
    return replayed([file or rules()], moments(readings), **setting).reports()[0]
