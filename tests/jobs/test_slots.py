"""When clinics are due: once in each slot, spread over it, the same for every worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import mean

from hypothesis import given
from hypothesis import strategies as st

from service.jobs.slots import SPREAD, Slot, next_due

HOUR = timedelta(hours=1)
instants = st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
periods = st.integers(60, 86_400).map(lambda seconds: timedelta(seconds=seconds))
names = st.from_regex(r"[a-z0-9]{1,20}(-[a-z0-9]{1,5})?", fullmatch=True)


@given(instants, periods, names)
def test_a_clinic_is_due_once_in_each_slot_a_period_apart(now: datetime, every: timedelta, clinic: str) -> None:
    slot = Slot.at(now, every)
    assert slot.begins <= now < slot.ends
    assert slot.begins <= slot.due(clinic) < slot.ends
    assert slot.due(clinic) - slot.before.due(clinic) == every
    assert now < next_due(clinic, now, every) <= now + every


def test_when_a_clinic_is_due_never_changes() -> None:
    """A worker of another version must not make a second run of the hour."""
    slot = Slot.at(datetime(2026, 11, 26, 9, 30, tzinfo=UTC), HOUR)
    assert slot.due("harbour-physio") == datetime(2026, 11, 26, 9, 29, 0, tzinfo=UTC)


def test_clinics_are_spread_evenly_over_nine_tenths_of_the_hour() -> None:
    slot = Slot.at(datetime(2026, 11, 26, 9, 30, tzinfo=UTC), HOUR)
    minutes = [(slot.due(f"clinic-{n}") - slot.begins) / timedelta(minutes=1) for n in range(10_000)]
    assert 26.5 < mean(minutes) < 27.5
    assert max(minutes) < 60 * SPREAD
    counts = [sum(n <= minute < n + 1 for minute in minutes) for n in range(54)]
    assert 185 * 0.65 < min(counts) <= max(counts) < 185 * 1.4  # none is a spike
