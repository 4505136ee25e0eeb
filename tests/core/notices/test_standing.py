"""What stands for long is told when it begins, daily while it lasts, and when it is over; and nothing twice within a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.ledger import Head, Kind, write
from service.core.model import Unreadable
from service.core.notices.deriving import derived
from service.core.notices.model import About, Memory, Notice, NoticeKind, ToTell
from service.core.notices.standing import DAILY

START, HOUR = datetime(2026, 11, 22, 22, 0, tzinfo=UTC), timedelta(hours=1)
ABOUT = About("quay", "Quay", "AUD", ("marketing",))
MISSING, BACK = NoticeKind.READINGS_MISSING, NoticeKind.READINGS_BACK


def told(readable: list[bool]) -> list[tuple[int, Notice]]:
    """The notices of hourly runs that could or could not read Cliniko, by hour."""
    memory, found = Memory(), []
    for hour, fine in enumerate(readable):
        unread = () if fine else (Unreadable("cliniko", "503"),)
        body = {"tell": ToTell("UTC", unread=unread)}
        notices, memory = derived(write("quay", Head(hour), Kind.PLAN, body, START + hour * HOUR), memory, ABOUT)
        found += [(hour, each) for each in notices]
    return found


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=6))
def test_an_outage_is_told_from_its_second_run_daily_and_when_it_is_over(series: list[tuple[bool, int]]) -> None:
    readable = [fine for fine, times in series for _ in range(times)]
    found = told(readable)
    missing = [hour for hour, each in found if each.kind is MISSING]
    assert all(not readable[hour] and not readable[hour - 1] for hour in missing if hour)
    first = [n for n, fine in enumerate(readable) if not fine and n and not readable[n - 1] and (n == 1 or readable[n - 2])]
    assert set(first) <= set(missing)
    for one, other in pairwise(missing):
        assert other - one >= 24 or any(readable[one:other])
    lasting = [n for n in range(1, len(readable)) if not any(readable[n - 1 : n + 1])]
    assert all(any(n - 24 < hour <= n for hour in missing) for n in lasting)
    back = [hour for hour, each in found if each.kind is BACK]
    over = [n for n in range(2, len(readable)) if readable[n] and not readable[n - 1] and not readable[n - 2]]
    assert back == over


def test_a_reminder_may_be_a_little_early() -> None:
    assert timedelta(hours=23) < DAILY < timedelta(hours=24)


@pytest.mark.parametrize("kind", [Kind.RUN_STARTED, Kind.HOLD, Kind.UNHOLD, Kind.READOPT, Kind.RESTORE, Kind.KEY_CREATED])
def test_other_records_are_worth_nothing_and_change_nothing(kind: Kind) -> None:
    memory = Memory("Australia/Sydney", told={"left x": START})
    assert derived(write("quay", Head(), kind, {"x": 1}, START), memory, ABOUT) == ([], memory)


def test_a_plan_of_an_earlier_version_says_nothing_of_how_things_stand() -> None:
    before, memory = derived(
        write("quay", Head(), Kind.PLAN, {"tell": ToTell(unread=(Unreadable("meta", "x"),))}, START), Memory(), ABOUT
    )
    assert before == []
    assert derived(write("quay", Head(1), Kind.PLAN, {"run": "r"}, START + HOUR), memory, ABOUT) == ([], memory)


def plan(hour: int, unread: tuple[Unreadable, ...], read: tuple[str, ...], memory: Memory) -> tuple[list[Notice], Memory]:
    body = {"tell": ToTell("UTC", unread=unread, read=read)}
    return derived(write("quay", Head(hour), Kind.PLAN, body, START + hour * HOUR), memory, ABOUT)


def test_diaries_are_not_back_because_all_of_cliniko_is_down_and_are_once_they_are() -> None:
    diaries, cliniko = Unreadable("diaries of physio", "503"), Unreadable("cliniko", "503")
    memory, kinds = Memory(), []
    for hour, unread, read in [
        (0, (diaries,), ("cliniko",)),
        (1, (diaries,), ("cliniko",)),
        (2, (cliniko,), ()),
        (3, (), ("cliniko", "diaries of physio")),
    ]:
        notices, memory = plan(hour, unread, read, memory)
        kinds.append([each.kind for each in notices])
    assert kinds == [[], [MISSING], [], [BACK]]


def test_what_is_asked_for_no_longer_is_not_back() -> None:
    google = Unreadable("google", "503")
    _, memory = plan(0, (google,), ("cliniko",), Memory())
    first, memory = plan(1, (google,), ("cliniko",), memory)
    assert [each.kind for each in first] == [MISSING]
    after, memory = plan(2, (), ("cliniko",), memory)
    assert (after, memory.troubles) == ([], {})


def test_runs_that_are_killed_again_and_again_are_told() -> None:
    memory, found = Memory(), []
    for hour in range(3):
        record = write("quay", Head(hour), Kind.RUN_FAILED, {"run": "r", "message": "interrupted"}, START + hour * HOUR)
        notices, memory = derived(record, memory, ABOUT)
        found.append([each.kind for each in notices])
    assert found == [[], [NoticeKind.RUN_FAILED], []]
