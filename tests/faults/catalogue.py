"""Every (fault, place) that is swept: the sandbox's catalogue and a broken connection, at each list and each window and page.

What a fault is about (`what`: the ids that are hidden, the fields that are missing) is drawn from the clinic itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Literal
from zoneinfo import ZoneInfo

from service.cliniko.access import FIELDS
from service.sandbox.clinic import Clinic
from service.sandbox.cliniko.faults import KINDS
from service.sandbox.world import Fault
from tests.faults.states import CONDITIONS, Condition, prepared
from tests.faults.wire import RESET

Sweep = Literal["few", "many"]
SWEPT = sorted({*KINDS, RESET})
LISTS = ("businesses", "practitioners", "appointment_types", "services", "daily_availabilities")
BLOCKS = ("availability_blocks", "unavailable_blocks")
PATHS = {"settings": "/settings/public?", **{name: f"/v1/{name}?" for name in (*LISTS, *BLOCKS)}}
TIMES = "available_times"
BURSTS = (None, None, 1, 3, 6, 20)
OUTAGES: dict[Sweep, tuple[int, ...]] = {"few": (1, 1, 1, 2), "many": (1, 1, 1, 2, 9)}
"""Hourly runs that the fault lasts."""


@dataclass(frozen=True, slots=True)
class Combination:
    """One fault at one place in one state; `runs` is how many hourly runs it lasts."""

    condition: Condition
    fault: Fault
    runs: int

    def __str__(self) -> str:
        fault, c = self.fault, self.condition
        what = f" of {fault.what}" if fault.what else ""
        return (
            f"{fault.kind}{what} at {fault.match or 'everything'} x{fault.times or 'all'} for {self.runs} run(s); "
            f"{c.clinic}, {c.season}, diary {c.diary} for {c.age} h, campaigns {c.campaigns}, {c.past}"
        )


SIZES: dict[Sweep, tuple[int, int]] = {"few": (1, 12), "many": (5000 // len(SWEPT) + 1, 240)}
"""Combinations per kind, and the states they are drawn from: in the check, and in the long run."""


def drawn(kind: str, sweep: Sweep) -> list[Combination]:
    """The combinations of one kind of fault, the same ones every time."""
    count, states = SIZES[sweep]
    conditions = Random("states").sample(CONDITIONS, states)  # noqa: S311 - a simulation
    chance = Random(f"sweep {kind}")  # noqa: S311 - a simulation
    return [_combination(kind, chance.choice(conditions), OUTAGES[sweep], chance) for _ in range(count)]


TWICE_THE_SAME = "empty_list"
"""A well-formed empty list is what a full diary answers, and no number of looks could tell the two apart. So there are limits,
and this fault is swept within them. With nothing read before, it is believed at once: there is always a reading before. Where
part of a clinic's diaries empties, or a clinic with little to sell, it is believed at the second look: those are swept for one
run. Where all diaries of a clinic with much to sell empty together, it is believed after six hours: those for as long."""

LONGEST = 6
WHOLE = {(TIMES, TIMES), (TIMES, f"{TIMES}?"), ("", "")}
MUCH_TO_SELL = {"half", "empty", "cancelled", "on_leave", "gappy"}


def _combination(kind: str, condition: Condition, outages: Sequence[int], chance: Random) -> Combination:
    if kind == TWICE_THE_SAME and condition.past == "first_run":
        condition = replace(condition, past="no_history")
    lineage = prepared(condition)
    clinic, now = lineage.world.clinics[condition.clinic], lineage.world.now
    place = chance.choice(_places(clinic, now))
    times = chance.choice(BURSTS)
    fault = Fault("cliniko", kind, place[1], times, _what(kind, place[0], clinic, chance))
    runs = chance.choice(outages)
    if kind == TWICE_THE_SAME:
        whole = place in WHOLE and times is None and condition.diary in MUCH_TO_SELL
        runs = min(runs, LONGEST) if whole else 1
    return Combination(condition, fault, runs)


def emptied(sweep: Sweep) -> list[Combination]:
    """All diaries of a clinic with much to sell answer empty lists, for as long as that is not believed."""
    chance = Random("emptied")  # noqa: S311 - a simulation
    fit = [each for each in CONDITIONS if each.diary in MUCH_TO_SELL and each.past != "first_run"]
    fault = Fault("cliniko", TWICE_THE_SAME, TIMES, None)
    lasting = {"few": (LONGEST,), "many": tuple(range(2, LONGEST + 1))}[sweep]
    return [Combination(each, fault, runs) for each in chance.sample(fit, max(1, SIZES[sweep][0] // 2)) for runs in lasting]


def _places(clinic: Clinic, now: datetime) -> list[tuple[str, str]]:
    """(resource, what the request's line contains)."""
    person = list(clinic.people)[1]
    place = clinic.places_of(person)[0]
    today = now.astimezone(ZoneInfo(clinic.businesses[place].zone)).date()
    first, second = (f"{TIMES}?from={today + timedelta(days=n)}" for n in (0, 7))
    triple = f"practitioners/{person}/appointment_types/{clinic.people[person].types[0]}/{first}"
    times = [TIMES, first, second, f"{TIMES}?", f"/practitioners/{person}/", triple]
    return [*PATHS.items(), *((TIMES, match) for match in times), ("", ""), ("", "page=2"), (TIMES, "to=")]


def _what(kind: str, resource: str, clinic: Clinic, chance: Random) -> str:
    if kind == "hidden":
        # A start that is missing from an answer is a start that is booked: nobody can tell them apart.
        first = [""] if resource in PATHS else []
        return chance.choice([*first, *clinic.people, *clinic.types, *clinic.businesses])
    fields = sorted({name for path in FIELDS.get(resource, ()) for name in path.split(".")} - {"self"})
    return chance.choice(["", *fields]) if kind == "partial" and fields else ""
