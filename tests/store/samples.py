"""Values of every type the store keeps, with each variant of each union at least once."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from service.core.decide.model import (
    Change,
    DayForecast,
    Decision,
    Hold,
    PastChange,
    PastProposal,
    Proposal,
    Reading,
    Restraint,
    RuleState,
    RunInputs,
    RunOutcome,
    ServiceForecast,
    Standing,
    StoodDown,
    TraceLine,
)
from service.core.logic import UNBOUNDED, Bounds, Truth
from service.core.model import (
    AppointmentType,
    Block,
    Campaign,
    Diaries,
    Location,
    Mode,
    Offer,
    OnlineBookings,
    Platform,
    Practitioner,
    Probe,
    Reason,
    Snapshot,
    State,
    Unreadable,
    Unseen,
    Verdict,
    WeeklyHours,
)
from service.core.roster import DayNumbers
from service.core.rules.language import (
    All,
    Amount,
    Any,
    Bands,
    CampaignEntry,
    Compare,
    CostPerBooking,
    GoogleAccount,
    Guardrails,
    Measure,
    MetaAccount,
    Metric,
    Named,
    NamedBudget,
    Not,
    Op,
    Pause,
    Percent,
    Rule,
    RuleSet,
    Service,
    Step,
    Window,
)

CLINIC = "harbour-physio"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SIXTY = State(running=True, budget=Decimal("60.00"))
NINETY = State(running=True, budget=Decimal("90.00"))
PAUSED = State(running=False, budget=Decimal("60.00"))


def rules(digest: str = "d1") -> RuleSet:
    full = Compare(Measure(Metric.UTILISATION), Op.AT_LEAST, Decimal(95))
    band = Compare(Measure(Metric.OPEN_SLOTS, within=7), Op.BETWEEN, Decimal(2), Decimal("5.5"))
    sure = Compare(Measure(Metric.EXPECTED_OPEN_SLOTS, since=72 * HOUR, confidence=Decimal(80)), Op.BELOW, Decimal("1E+1"))
    steps = (
        Step(Op.AT_LEAST, Decimal(90), NamedBudget(Named.FLOOR)),
        Step(Op.ABOVE, Decimal(50), Amount(Decimal("35.00"))),
        Step(None, None, Percent(Decimal(130))),
    )
    every_rule = (
        Rule("Booked solid", ("search",), All((full, Not(Any((band, sure))))), 2 * HOUR, Any((sure,)), then=Pause(), line=12),
        Rule("Ladder", ("search", "social"), bands=Bands(Measure(Metric.COVERAGE), Decimal(8), steps), stabilise=2 * HOUR),
        Rule("Fill", ("social",), then=CostPerBooking(Decimal("45.00"), within=7), notify="marketing"),
    )
    limits = Guardrails(change_window=Window(days=(0, 4), starts=420))
    entry = CampaignEntry(
        "search", Platform.GOOGLE, "9876543210", "physio", Decimal("60.00"), Decimal("10.00"), Decimal("120.00"), limits
    )
    social = replace(entry, name="social", platform=Platform.META, id="23850000000000001", protect=True)
    return RuleSet(
        CLINIC, "Harbour Physio – Zoë", digest, "AUD", Mode.ENFORCE,
        {"physio": Service("physio", ("Initial", "Standard"), ("City",), None, ("Hydro pod",))},
        {"search": entry, "social": social}, every_rule, Guardrails(), GoogleAccount("1234567890"),
        MetaAccount("act_1029384756"), ("marketing",), Decimal("200.00"), None,
    )  # fmt: skip


def diaries() -> Diaries:
    offer = Offer("place", "who", "what")
    first, last = date(2026, 11, 22), date(2026, 11, 28)
    return Diaries(
        OnlineBookings(enabled=True, lead=2 * HOUR, segment_cap=1, daily_limit=None),
        (Location("place", "City", "Australia/Sydney", online=True),),
        (Practitioner("who", "Ana Silva", online=True),),
        (AppointmentType("what", "Initial", timedelta(minutes=45), None, group=False, online=True),),
        (offer,),
        (WeeklyHours("place", "who", 1, 540, 750),),
        (Block("place", "who", NOW, NOW + HOUR),),
        (Block(None, "who", NOW + HOUR, NOW + 2 * HOUR),),
        (Probe(offer, first, last, (NOW, NOW + HOUR)), Probe(offer, first, last, None, Unseen.NOT_FOUND)),
    )


def snapshot(taken_at: datetime = NOW, *, readable: bool = True) -> Snapshot:
    search = Campaign(
        Platform.GOOGLE, "9876543210", "Search", SIXTY, "AUD", Decimal("0.01"), Decimal("1E+1"), Decimal(300), "", "budgets/7"
    )
    seen = diaries() if readable else Unreadable("cliniko", "503 for an hour")
    return Snapshot(CLINIC, taken_at, seen, {"search": search, "social": Unreadable("meta", "token expired")})


def standing() -> Standing:
    return Standing(
        SIXTY, NOW - HOUR, State(running=True, budget=None), paused_by_us=True, caused_by="dec-0",
        changes=(PastChange(NOW - 2 * HOUR, SIXTY, PAUSED),), proposals=(PastProposal(NOW - HOUR, NINETY),),
    )  # fmt: skip


STOOD_DOWN = replace(standing(), stood_down=StoodDown(Reason.DRIFT, NOW, NINETY))
REMEMBERED = RuleState(true_since=NOW - 3 * HOUR, on_since=NOW - HOUR, band="at_least 80", seen_at=NOW)


def decision(id_: str = "dec-1", run: str = "run-1", **changes: object) -> Decision:
    made = Decision(
        id_, run, CLINIC, NOW, "search", Platform.GOOGLE, "9876543210", "physio", SIXTY, PAUSED, NINETY, Verdict.APPLY,
        Reason.STEP_LIMITED, "Raised by half of base at most.", (Restraint(Reason.STEP_LIMITED, "Raised by half of base."),),
        "Ladder", ("Fill",), "dec-0", "d1",
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type] # any field


def hold(id_: str = "hold-1", **changes: object) -> Hold:
    made = Hold(id_, CLINIC, NOW + 24 * HOUR, "photo shoot", "ana", NOW, "search", None)
    return replace(made, **changes)  # type: ignore[arg-type] # any field


def inputs(run: str = "run-1", **changes: object) -> RunInputs:
    made = RunInputs(
        run, CLINIC, NOW, "0.1.0", rules(), snapshot(), (snapshot(NOW - 24 * HOUR), snapshot(NOW - 25 * HOUR)),
        {"physio/Ladder": RuleState(), "physio/Gone": RuleState()}, {"search": standing()}, (hold(),), None, NOW - HOUR,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type] # any field


def outcome(run: str = "run-1", **changes: object) -> RunOutcome:
    reading = Reading(Bounds(None, 0, math.inf), Reason.DATA_INCOMPLETE)
    day = DayForecast("2026-11-22", Bounds.exactly(3), Bounds(45.5, 0, 90), 480)
    metrics = {"open_slots": reading, "utilisation": Reading(UNBOUNDED), "coverage": Reading(Bounds.exactly(100 / 3))}
    proposal = Proposal("search", PAUSED, "Ladder", ("Fill",), "The ladder says so.", None, certain=False)
    keep = Proposal("social", None, None, (), "Cannot be read.", Reason.PLATFORM_UNREADABLE)
    kept = decision(
        "dec-2", run, campaign="social", platform=Platform.META, before=None, desired=None, after=None, rule=None,
        verdict=Verdict.KEEP, reason=Reason.PLATFORM_UNREADABLE, restraints=(), overruled=(), caused_by=None,
    )  # fmt: skip
    made = RunOutcome(
        run,
        {"physio": ServiceForecast("physio", (day,), metrics, "openings_now")},
        {"physio": (TraceLine("Ladder", "coverage >= 90%", reading, Truth.UNKNOWN),)},
        {"search": proposal, "social": keep},
        (decision("dec-1", run), kept),
        {"physio/Ladder": REMEMBERED},
        {"search": STOOD_DOWN, "social": Standing()},
        names={"practitioner/hydro pod": ("7", "9")},
        numbers=DayNumbers(monday=("7", "8"), shown=("7",)),
    )
    return replace(made, **changes)  # type: ignore[arg-type] # any field


def change(id_: str = "chg-1", **changes: object) -> Change:
    made = Change(id_, "dec-1", "run-1", CLINIC, "search", Platform.GOOGLE, "9876543210", SIXTY, NINETY)
    return replace(made, **changes)  # type: ignore[arg-type] # any field
