"""What a run works on and what it comes to: inputs, proposals, decisions, and what is remembered between runs.

`RunInputs` is everything a run depends on and `RunOutcome` everything it concludes, so that a stored run can be computed
again. What is remembered (`RuleState`, `Standing`) goes in and comes out as values. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from service.core.errors import GovernorError
from service.core.logic import Bounds, Truth
from service.core.model import History, Platform, Reason, Shares, Snapshot, State, Unreadable, Verdict
from service.core.pace import Look, Pace
from service.core.roster import NO_NUMBERS, DayNumbers
from service.core.rules.language import RuleSet

UNLEARNT = Pace(date.min)
"""The booking pace of a clinic that was never looked at."""

# --- remembered between runs --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleState:
    """What one rule remembers about one service.

    `true_since`: its condition has been seen to hold at every run since; `maybe_since`: it has not been seen to fail since.
    `on_since`: its latch is on since. `band`: its ladder's step, as `Step.key` names it. `seen_at`: the last run that looked.
    `matched`: it was last seen to match, so that whoever is to be told has been told; while nobody can tell it stays as it was.
    `maybe_off`: a latch that is on may as well be off, and `maybe_bands` are the steps that a ladder may be at instead ("" for
    none): what was not seen of an hour may have turned them, and that is not forgotten until a later hour settles it.
    """

    true_since: datetime | None = None
    maybe_since: datetime | None = None
    on_since: datetime | None = None
    band: str | None = None
    seen_at: datetime | None = None
    matched: bool = False
    maybe_off: bool = False
    maybe_bands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, both ends included."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class PastChange:
    """A change of ours that a platform confirmed.

    `significant`: it is an edit as the edit budget counts them; `counted` is the budget that the next change is measured
    against (`decide.significance`). Of a change that was remembered without them the careful thing is assumed. `shares` is
    what it left each part of a divided budget with. `made` is when the platform may date it (None: at `at`).
    """

    at: datetime
    before: State
    after: State
    significant: bool = True
    counted: Decimal | None = None
    shares: Shares = ()
    made: Span | None = None


@dataclass(frozen=True, slots=True)
class PastProposal:
    """What the rules wanted at an earlier run."""

    at: datetime
    target: State


@dataclass(frozen=True, slots=True)
class StoodDown:
    """Somebody else's hand on a campaign: which reason, since when it has been as it is, and what was seen.

    `status`: a pause or resume was part of it, at some time. `by`, `via` and `logged_at` are whose hand it was, by what means
    and when, as the platform's change history tells ("" and None: it does not, or was not asked).
    """

    reason: Reason
    since: datetime
    seen: State
    status: bool = False
    by: str = ""
    via: str = ""
    logged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What is remembered of one ad set of a campaign whose budget is divided.

    `weight` is what a person gave it last, by which the budget is divided; `expected` and `previous` are as in `Standing`.
    """

    id: str
    weight: Decimal
    expected: Decimal
    previous: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TooLow:
    """A budget that the platform refused for what the account's day had cost by then, and when that day is over."""

    budget: Decimal
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the governor remembers about one campaign.

    `of` is the campaign itself, `<platform>/<id>`: the name in the file may be given to another.
    `expected` is how it should read: our last write, or how it was taken on (first sight, `readopt`); None before first
    sight. `previous` is how it read before our last write, which a platform may go on showing for some minutes.
    `paused_by_us` says whether a pause in force is ours to end; `caused_by` is the decision that made the present state
    and `by_rule` the rule behind it. `clear_until` is up to when the platform's change history has told of no pause or resume
    but ours. `base` is the base budget the file last gave it, `left_at` since when it has carried a
    change of ours while no longer governed (`left_changed`). `parts` are the ad sets a budget is divided among. `too_low` is
    what its platform refused last because of the day's spend.
    """

    expected: State | None = None
    since: datetime | None = None
    previous: State | None = None
    paused_by_us: bool = False
    caused_by: str | None = None
    by_rule: str | None = None
    of: str = ""
    stood_down: StoodDown | None = None
    base: Decimal | None = None
    left_at: datetime | None = None
    clear_until: datetime | None = None
    changes: tuple[PastChange, ...] = ()
    proposals: tuple[PastProposal, ...] = ()
    parts: tuple[Part, ...] = ()
    too_low: TooLow | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A person's word to leave something alone until `until` (None: until ended).

    `clinic` None covers everything the service governs; else `campaign` or `service` may narrow it. `of` is the campaign
    itself, `<platform>/<id>`, whatever the file calls it later (None: not known of a hold from before).
    """

    id: str
    clinic: str | None
    until: datetime | None
    reason: str
    by: str
    made_at: datetime
    campaign: str | None = None
    service: str | None = None
    of: str | None = None


class Answer(StrEnum):
    """How a question to a person stands.

    The last three end it: nobody answered in time, or nothing could be done in time about a yes; it is no longer the question;
    what was approved is done.
    """

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to a person: may this campaign go to `target`, by the guarded steps that lead there.

    `id` is that of the decision that asked first, and stays while the question does. `before` is how the campaign was then,
    `rules` a digest of all in the rule file that bears on it. `about` is what a person was told besides, that is asked about
    whatever the mode: an answer does not cover what was not known when it was given. `by`, `at` and `why` tell of the answer.
    """

    id: str
    clinic: str
    campaign: str
    of: str
    before: State
    target: State
    rules: str
    asked_at: datetime
    answer: Answer = Answer.PENDING
    by: str = ""
    at: datetime | None = None
    why: str = ""
    about: tuple[Reason, ...] = ()


# --- concluded by a run -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric's value with, where it is not exact, the reason token of what kept it from being so.

    `lower` and `upper` are the one-sided quantiles at the confidence asked for; None where none was.
    """

    bounds: Bounds
    cause: Reason | None = None
    lower: Bounds | None = None
    upper: Bounds | None = None


@dataclass(frozen=True, slots=True)
class DayForecast:
    """One local day of a service: openings, and open and working minutes (working unmasked); unbounded where unknown."""

    day: str
    openings: Bounds
    open_minutes: Bounds
    working_minutes: int


class Blind(StrEnum):
    """What can hide free time, or make what is shown doubtful."""

    BOOKINGS_OFF = "bookings_off"
    RENAMED = "renamed"
    UNKNOWN_NAME = "unknown_name"
    SWITCHED_OFF = "switched_off"
    NOT_FOUND = "not_found"
    FAILED = "failed"
    DOUBTED = "doubted"
    CONTRADICTED = "contradicted"
    LEAD_TIME = "lead_time"
    SEGMENT_CAP = "segment_cap"
    DAILY_LIMIT = "daily_limit"
    OUTSIDE_HOURS = "outside_hours"
    COARSE_STARTS = "coarse_starts"
    DAY_NUMBERS = "day_numbers"


@dataclass(frozen=True, slots=True)
class Caveat:
    """One thing that a forecast cannot see, or doubts, in a sentence that says where and how much."""

    kind: Blind
    sentence: str


@dataclass(frozen=True, slots=True)
class ServiceForecast:
    """The 14-day forecast of one service: its days (none where nothing is known) and every metric at its default parameters.

    `rung` is the rung of the booking-pace model that the `expected_*` metrics stand on; `caveats` what the forecast cannot see.
    """

    service: str
    days: tuple[DayForecast, ...]
    metrics: dict[str, Reading]
    rung: str
    caveats: tuple[Caveat, ...] = ()


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One condition as evaluated: its text, its metric's value, and what it came to."""

    rule: str
    text: str
    reading: Reading
    truth: Truth


@dataclass(frozen=True, slots=True)
class Restraint:
    """One guardrail's effect on a decision: the reason token and the sentence people read."""

    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the rules want for one campaign.

    `target` None means keep what is there, and `cause` says why. `rule` is the rule that decided (None: no rule matched),
    `overruled` those below it that would have matched. `certain` is False where an unknown rule left several outcomes.
    """

    campaign: str
    target: State | None
    rule: str | None
    overruled: tuple[str, ...]
    sentence: str
    cause: Reason | None = None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What one run decided for one campaign: exactly one per campaign and run.

    `before` is the state observed (None: unreadable), `desired` what the rules want, `after` what the guardrails let
    through. `restraints` are all guardrails that changed anything, in order; `reason` and `sentence` are the last one's.
    `asks` is the question that it puts to people (its own id, or that of the decision that asked first), `approved_by` who
    answered yes to the one that it carries out.
    """

    id: str
    run: str
    clinic: str
    at: datetime
    campaign: str
    platform: Platform
    platform_id: str
    service: str
    before: State | None
    desired: State | None
    after: State | None
    verdict: Verdict
    reason: Reason
    sentence: str
    restraints: tuple[Restraint, ...]
    rule: str | None
    overruled: tuple[str, ...]
    caused_by: str | None
    rules_digest: str
    rules_revision: str = ""
    asks: str | None = None
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A rule with a `notify` has turned true for a service: the channel to tell, and the facts that made it true."""

    channel: str
    rule: str
    service: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RunInputs:
    """Everything a run depends on. `baselines` are older snapshots, newest first, that `slots_opened` may compare with.

    `pace` is the clinic's booking pace as fitted from earlier looks, `looked` the local day of the newest look by service and
    location (`core.expectation.look_key`). `rule_states` is keyed `<service>/<rule>`, `standings` by campaign. `kill_switch`
    None means it could not be read. `holidays` are the public holidays around `now` of the regions that the rules name.
    `names` is what the names of the file were in Cliniko when they last were anything (`core.known_names`), `numbers` what
    earlier runs saw of how days are numbered. `histories` are the change histories of campaigns, by name, as far as they were
    asked for (`core.decide.histories`). `approvals` are the questions that people were asked and that still stand, by campaign.
    """

    run: str
    clinic: str
    now: datetime
    engine: str
    rules: RuleSet
    snapshot: Snapshot
    baselines: tuple[Snapshot, ...] = ()
    rule_states: dict[str, RuleState] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    kill_switch: bool | None = False
    cliniko_unreadable_since: datetime | None = None
    pace: Pace = UNLEARNT
    looked: dict[str, date] = field(default_factory=dict)
    holidays: dict[str, tuple[date, ...]] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: DayNumbers = NO_NUMBERS
    histories: dict[str, History | Unreadable] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """Everything a run concludes. `traces` is keyed by service; `rule_states` and `standings` replace the inputs'.

    `looks` is what the booking-pace model may learn from this run; of each local day only the first is kept. `notices` are
    the rules that turned true and want somebody told. `names` and `numbers` replace the inputs'. `approvals` are the
    inputs' as they stand now, those that ended with this run included, and the questions that it asks anew.
    """

    run: str
    forecasts: dict[str, ServiceForecast]
    traces: dict[str, tuple[TraceLine, ...]]
    proposals: dict[str, Proposal]
    decisions: tuple[Decision, ...]
    rule_states: dict[str, RuleState]
    standings: dict[str, Standing]
    looks: tuple[Look, ...] = ()
    notices: tuple[Notice, ...] = ()
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: DayNumbers = NO_NUMBERS
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A write to a platform: recorded as intended before it is sent, and settled afterwards.

    Where the budget is divided, `shares_before` and `shares_after` say what each part of it is to go from and to.
    """

    id: str
    decision: str
    run: str
    clinic: str
    campaign: str
    platform: Platform
    platform_id: str
    before: State
    after: State
    shares_before: Shares = ()
    shares_after: Shares = ()


def change_of(decision: Decision) -> Change:
    """The write that a decision asks for."""
    if decision.before is None or decision.after is None:
        raise GovernorError(f"decision {decision.id} is to be applied but does not say from what to what")
    return Change(
        id=f"{decision.id}-change",
        decision=decision.id,
        run=decision.run,
        clinic=decision.clinic,
        campaign=decision.campaign,
        platform=decision.platform,
        platform_id=decision.platform_id,
        before=decision.before,
        after=decision.after,
    )
