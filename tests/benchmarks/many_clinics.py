"""Many clinics of 20 campaigns and 8 rules in the middle of their lives: everything a run depends on but the diaries.

Run as a script with a number of clinics, it decides once for each, in a process of its own, and prints what that took.
"""

from __future__ import annotations

import json
import math
import pickle
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from time import process_time

from service.core.decide.model import Hold, Reading, RunInputs, change_of
from service.core.decide.people import changed
from service.core.decide.proposals import worth_of
from service.core.engine import decide
from service.core.logic import UNBOUNDED, Bounds
from service.core.model import (
    AppointmentType,
    Campaign,
    Diaries,
    Location,
    OnlineBookings,
    Reason,
    Snapshot,
    State,
    Verdict,
)
from service.core.outlook import Outlook
from service.core.rules.language import CampaignEntry, CostPerBooking, Measure, Metric, RuleSet
from service.core.rules.walk import measures
from service.rulefiles.source import check

CLINIC = "riverside-clinic"
SERVICES = ("physio", "podiatry", "massage", "dietetics")
CAMPAIGNS = 20
NOW = datetime(2026, 11, 23, 22, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIVED = 40
"""Hours that a clinic has been governed before it is measured: longer than a raise has to be wanted."""

KINDS = 12
"""Clinics that live differently; all others are copies of these under names of their own."""

READ = Diaries(
    OnlineBookings(enabled=True, lead=HOUR, segment_cap=None, daily_limit=None),
    (Location("1", "Riverside", "Australia/Sydney", online=True),),
    (),
    (AppointmentType("1", "Initial", HOUR, None, group=False, online=True),),
    (), (), (), (), (),
)  # fmt: skip
"""No diary: metrics are given. The location says which clock is the clinic's."""

Given = Mapping[str, Mapping[Measure, Reading]]
"""What every metric reads, by service."""


def rules() -> RuleSet:
    """Eight rules of every kind, each about every campaign, and a campaign that nobody may touch."""
    names = [f"{SERVICES[n % 4]}-{n}" for n in range(CAMPAIGNS)]
    campaigns = {
        name: {"platform": ("google", "meta")[n % 2], "id": f"{7000 + n}", "service": SERVICES[n % 4]}
        | {"base_budget": 40 + n, "floor": 10, "ceiling": 120, "protect": n == CAMPAIGNS - 1}
        for n, name in enumerate(names)
    }
    steps = [
        {"at_least": "90%", "budget": "floor"},
        {"at_least": "75%", "budget": "70%"},
        {"at_least": "40%", "budget": "100%"},
    ]
    written: list[dict[str, object]] = [
        {
            "name": "Booked solid",
            "when": {"utilisation": {"at_least": "95%"}, "days_to_next_opening": {"at_least": 3}},
            "until": {"any": [{"utilisation": {"below": "88%"}}, {"days_to_next_opening": {"at_most": 1}}]},
            "for": "2h",
            "then": "pause",
        },
        {
            "name": "Cancellation cluster",
            "when": {"slots_opened": {"at_least": 5}, "open_slots": {"at_least": 5, "within": "7d"}},
            "stabilise": "2h",
            "then": {"budget": "130%"},
        },
        {
            "name": "Days without an opening",
            "when": {"all": [{"full_days": {"at_least": 8}}, {"not": {"slots_opened": {"above": 2}}}]},
            "then": {"budget": "50%"},
        },
        {
            "name": "Tell marketing",
            "when": {"any": [{"open_hours": {"above": "60h"}}, {"coverage": {"below": "70%"}}]},
            "notify": "marketing",
        },
        {
            "name": "Slack ahead",
            "when": {"expected_open_slots": {"at_least": 55, "confidence": "80%"}},
            "for": "3h",
            "then": {"budget": "150%"},
        },
        {
            "name": "Nearly full",
            "when": {"any": [{"utilisation": {"above": "92%"}}, {"open_slots": {"at_most": 3}}]},
            "until": {"all": [{"utilisation": {"below": "85%"}}, {"open_slots": {"above": 6}}]},
            "then": {"budget": "60%"},
        },
        {
            "name": "Worth filling",
            "when": {"utilisation": {"between": ["30%", "45%"]}},
            "then": {"budget": {"cost_per_booking": 12.5}},
        },
        {
            "name": "Ladder",
            "bands": {"by": {"metric": "utilisation", "margin": "8%"}, "steps": [*steps, {"otherwise": "130%"}]},
        },
    ]
    services = {name: {"appointment_types": [f"Initial {name}"]} for name in SERVICES}
    head = {"version": 1, "clinic": CLINIC, "name": "Riverside", "currency": "AUD", "mode": "enforce", "daily_cap": 1500}
    accounts = {"google_ads": {"customer_id": "345-678-9012"}, "meta": {"ad_account_id": "act_7029384756"}}
    about = [{**rule, "campaigns": names} for rule in written]
    whole = {**head, **accounts, "notify": ["marketing"], "services": services, "campaigns": campaigns, "rules": about}
    return check(json.dumps(whole), f"{CLINIC}.yaml")


def readings(fullness: Mapping[str, float], chance: Random, asked: tuple[Measure, ...]) -> Given:
    """What every metric reads where services are so full; now and then part of a service was not seen, or none of it."""
    return {service: _service(full, chance, asked) for service, full in fullness.items()}


def _service(full: float, chance: Random, asked: tuple[Measure, ...]) -> Mapping[Measure, Reading]:
    hidden = chance.choices((0.0, chance.uniform(2, 12), math.inf), (80, 16, 4))[0]
    return {measure: _reading(measure, full, hidden) for measure in asked}


def _reading(measure: Measure, full: float, hidden: float) -> Reading:
    if math.isinf(hidden):
        return Reading(UNBOUNDED, Reason.DATA_INCOMPLETE)
    value = _value(measure.metric, full)
    if not hidden:
        return Reading(Bounds.exactly(value), None, *_spread(measure, value))
    return Reading(Bounds(value, max(value - hidden, 0), value + hidden), Reason.DATA_INCOMPLETE, *_spread(measure, value))


def _value(metric: Metric, full: float) -> float:
    room = 100 - full
    return {
        Metric.UTILISATION: full,
        Metric.OPEN_SLOTS: float(round(room * 1.2)),
        Metric.OPEN_HOURS: room * 1.1,
        Metric.DAYS_TO_NEXT_OPENING: float(round(max(full - 80, 0) / 3)),
        Metric.FULL_DAYS: float(round(full / 10)),
        Metric.SLOTS_OPENED: float(round(max(room - 40, 0) / 5)),
        Metric.EXPECTED_OPEN_SLOTS: room,
        Metric.COVERAGE: 100.0,
    }[metric]


def _spread(measure: Measure, value: float) -> tuple[Bounds | None, Bounds | None]:
    if measure.confidence is None:
        return None, None
    return Bounds.exactly(value * 0.8), Bounds.exactly(value * 1.2)


def outlook_of(given: Given, file: RuleSet) -> Outlook:
    """What the rules may ask: what is given."""

    def worth(entry: CampaignEntry, action: CostPerBooking) -> Reading:
        slots = given[entry.service][Measure(Metric.EXPECTED_OPEN_SLOTS, action.within)]
        unknown = slots.bounds == UNBOUNDED
        return worth_of(replace(slots, bounds=Bounds(None, 0, math.inf)) if unknown else slots, file.campaigns, entry, action)

    return Outlook({service: known.__getitem__ for service, known in given.items()}, worth, {})


def begun(file: RuleSet, number: int) -> RunInputs:
    """A clinic that is met for the first time; in every third a person keeps one campaign from being touched."""
    cent = Decimal("0.01")
    shown = {
        name: Campaign(each.platform, each.id, name, State(running=True, budget=each.base.quantize(cent)), "AUD", cent)
        for name, each in file.campaigns.items()
    }
    held = Hold("1", CLINIC, NOW + 9 * HOUR, "a new website", "marketing", NOW - LIVED * HOUR, campaign="physio-4")
    at = NOW - LIVED * HOUR
    return RunInputs(
        run="0", clinic=CLINIC, now=at, engine="", rules=file, snapshot=Snapshot(CLINIC, at, READ, dict(shown)),
        holds=(held,) if number % 3 == 0 else (),
    )  # fmt: skip


def lived(file: RuleSet, number: int) -> tuple[RunInputs, Given]:
    """A clinic at the run to be measured, after decisions that were carried out, and what its metrics read now."""
    chance = Random(number)  # noqa: S311 - a seeded world
    asked = (*measures(file), Measure(Metric.OPEN_SLOTS), Measure(Metric.EXPECTED_OPEN_SLOTS))
    fullness = {service: chance.uniform(35, 99) for service in SERVICES}
    inputs = begun(file, number)
    for hour in range(LIVED):
        inputs = _an_hour_on(inputs, readings(fullness, chance, asked), hour)
        fullness = {name: min(max(full + chance.gauss(0, 4), 30), 100) for name, full in fullness.items()}
    return inputs, readings(fullness, chance, asked)


def _an_hour_on(inputs: RunInputs, given: Given, hour: int) -> RunInputs:
    """The next run's inputs, what this one decided being done; halfway somebody else changes one campaign's budget."""
    outcome = decide(inputs, outlook_of(given, inputs.rules))
    states, standings = {}, dict(outcome.standings)
    for each in outcome.decisions:
        if each.verdict is Verdict.APPLY:
            change = change_of(each)
            states[each.campaign] = change.after
            standings[each.campaign] = changed(standings[each.campaign], change, change.after, each.rule, each.at)
    if hour == LIVED // 2:
        states["massage-2"] = State(running=True, budget=Decimal("77.00"))
    at, shown = inputs.now + HOUR, inputs.snapshot.campaigns
    campaigns = {
        name: replace(each, state=states.get(name, each.state)) for name, each in shown.items() if isinstance(each, Campaign)
    }
    seen = Snapshot(CLINIC, at, READ, dict(campaigns))
    return replace(inputs, run=f"{hour + 1}", now=at, snapshot=seen, rule_states=outcome.rule_states, standings=standings)


def clinics(count: int) -> Iterator[tuple[RunInputs, Given]]:
    """So many clinics, each made when asked for and sharing nothing with another, as if it came out of a database."""
    file = rules()
    stored = [pickle.dumps(lived(file, number)) for number in range(KINDS)]
    for number in range(count):
        inputs, given = pickle.loads(stored[number % KINDS])  # noqa: S301 - written above
        yield replace(inputs, run=f"run{number}"), given


def main() -> None:
    """Decide once for each of as many clinics as asked for; prints seconds of the processor, the most memory, and verdicts."""
    spent, verdicts = 0.0, Counter[str]()
    for inputs, given in clinics(int(sys.argv[1])):
        view = outlook_of(given, inputs.rules)
        began = process_time()
        outcome = decide(inputs, view)
        spent += process_time() - began
        verdicts.update(each.reason for each in outcome.decisions)
    print(json.dumps({"seconds": spent, "mebibytes": most_memory(), "reasons": verdicts}))


def most_memory() -> float:
    """The most memory this process has had, in MiB; `ru_maxrss` would begin with that of the process which started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


if __name__ == "__main__":
    main()
