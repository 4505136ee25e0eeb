"""What lint finds, where in a file it is, and what may be known of the clinic beside its file. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from service.core.model import Diaries
from service.core.rules.language import Metric, Rule


class Check(StrEnum):
    """What a finding is called, in the order in which the checks are made; the handbook has a line for each."""

    RULE_ABOUT_NO_CAMPAIGN = "rule-about-no-campaign"
    CAMPAIGN_WITHOUT_RULE = "campaign-without-rule"
    BUDGET_OUT_OF_BOUNDS = "budget-out-of-bounds"
    BUDGET_WITHIN_DEAD_BAND = "budget-within-dead-band"
    STEP_WITHIN_DEAD_BAND = "step-within-dead-band"
    PAUSE_NEVER_MADE = "pause-never-made"
    DAILY_CAP_BELOW_BASE = "daily-cap-below-base"
    WHEN_NEVER_HOLDS = "when-never-holds"
    UNTIL_NEVER_HOLDS = "until-never-holds"
    ALTERNATIVE_NEVER_HOLDS = "alternative-never-holds"
    COMPARISON_SAYS_NOTHING = "comparison-says-nothing"
    RAISE_ABOVE_PAUSE = "raise-above-pause"
    OPPOSITE_WISHES = "opposite-wishes"
    NEVER_REACHED = "never-reached"
    BANDS_WITH_GAP = "bands-with-gap"
    STEP_NEVER_REACHED = "step-never-reached"
    STEP_NEVER_LEFT = "step-never-left"
    UNTIL_AT_ONCE = "until-at-once"
    UNTIL_OVERLAPS_WHEN = "until-overlaps-when"
    UNTIL_MISSES_CANCELLATIONS = "until-misses-cancellations"
    HOURS_UNDER_AN_HOUR = "hours-under-an-hour"
    FOR_OUTLASTS_ACTIVE = "for-outlasts-active"
    CHANGES_OUTSIDE_WINDOW = "changes-outside-window"
    PAUSE_WITHOUT_UNTIL = "pause-without-until"
    GAP_WITHIN_SWING = "gap-within-swing"
    MARGIN_WITHIN_SWING = "margin-within-swing"
    UNPROVABLE = "unprovable"


@dataclass(frozen=True, slots=True)
class Alternative:
    """The item `index` of the `any` that comes as number `number` in a condition, both from 0."""

    number: int
    index: int


Step = str | int | Alternative


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: a path of keys and indices into a rule, into a campaign of that name, or into the file."""

    rule: Rule | None = None
    campaign: str = ""
    path: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a file says and can hardly mean: which check found it, where, what is wrong, what to write instead.

    `wordless` is the name of a rule that therefore never gets its word, or not where it should.
    """

    check: Check
    place: Place
    message: str
    advice: str
    wordless: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of the clinic beside its file.

    `swings` says, by service and metric (over 14 days), how far the metric moves within a day on half of the days. `diaries`
    is the newest reading of Cliniko, `now` when it was taken.
    """

    swings: Mapping[tuple[str, Metric], float] = field(default_factory=dict)
    diaries: Diaries | None = None
    now: datetime | None = None


NOTHING_OBSERVED = Observed()
