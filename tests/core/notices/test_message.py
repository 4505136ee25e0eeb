"""Many notices as one message: in order, bounded, on lines of their own, whatever they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.notices.message import LONGEST, MOST, REPETITION, subject, text
from service.core.notices.model import TITLES, About, Notice, NoticeKind
from service.core.notices.timing import AGAIN_AFTER, ATTEMPTS, QuietHours, again_after
from service.core.notices.wording import Words

NOW = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORDS = Words(About("quay", "Quay Physio", "AUD", ("marketing",)), "Australia/Sydney")


def notice(sentence: str, kind: NoticeKind = NoticeKind.APPLIED, hours: float = 0, todo: str = "") -> Notice:
    return Notice(kind, NOW - hours * HOUR, ("marketing",), sentence, todo)


def test_questions_come_first_and_the_newest_of_each_kind() -> None:
    notices = [notice("old", hours=2), notice("new", hours=1), notice("may I?", NoticeKind.AWAITING_APPROVAL, 3, "say yes")]
    assert text(notices, WORDS, NOW) == (
        "Waiting for your yes or no:\n- Mon 23 Nov 06:00 AEDT: may I?\n  To do: say yes\n\n"
        "Changed:\n- Mon 23 Nov 08:00 AEDT: new\n- Mon 23 Nov 07:00 AEDT: old"
    )
    assert subject(notices, WORDS) == "Quay Physio: waiting for your yes or no (1), changed (2)"


def test_more_than_a_message_holds_are_counted() -> None:
    found = text([notice(f"n{n}.", hours=n) for n in range(MOST + 12)], WORDS, NOW)
    assert ("n0." in found, f"n{MOST - 1}." in found, f"n{MOST}." in found) == (True, True, False)
    assert found.endswith("And 12 more: `governor audit show --chain quay`.")


def test_what_may_be_a_repetition_what_is_old_and_where_to_answer_are_said() -> None:
    found = text([notice("x", hours=25), notice("y")], WORDS, NOW, repeated=True, address="https://governor.example")
    first, _, second, *_ = found.splitlines()
    assert first == REPETITION
    assert second == "This could not be sent before: the oldest of it is of Sun 22 Nov 08:00 AEDT, 25 hours ago."
    assert found.endswith("\n\nSee and answer: https://governor.example")
    assert "ago" not in text([notice("x", hours=23)], WORDS, NOW)


ANYTHING = st.builds(
    notice, st.text(max_size=2000), st.sampled_from(NoticeKind), st.floats(0, 500), st.just("") | st.text(max_size=80)
)


@given(st.lists(ANYTHING, min_size=1, max_size=60), st.booleans())
def test_a_message_is_bounded_and_nothing_in_it_forges_a_line(notices: list[Notice], repeated: bool) -> None:
    found = text(notices, WORDS, NOW, repeated=repeated)
    assert len(found) < LONGEST + 1500
    lines = found.split("\n")
    known = {"", REPETITION, *(f"{title}:" for title in TITLES.values())}
    assert all(each in known or each.startswith(("- ", "  To do:", "And ", "This could not")) for each in lines)
    assert 1 <= sum(each.startswith("- ") for each in lines) <= MOST
    assert all(each.isprintable() or each == "" for each in subject(notices, WORDS).split(" "))


# --- when ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "local", "quiet"),
    [
        ("21:00-07:00", "20:59", False),
        ("21:00-07:00", "21:00", True),
        ("21:00-07:00", "00:00", True),
        ("21:00-07:00", "06:59", True),
        ("21:00-07:00", "07:00", False),
        ("12:00 - 13:30", "13:29", True),
        ("12:00 - 13:30", "11:59", False),
        ("00:00-23:59", "23:59", False),
    ],
)
@pytest.mark.parametrize("zone", ["Australia/Sydney", "America/St_Johns", "UTC"])
def test_quiet_hours_are_those_of_the_clinics_clock(hours: str, local: str, zone: str, *, quiet: bool) -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - here alone

    at = datetime.strptime(f"2026-11-22 {local}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone))
    assert QuietHours.of(hours).covers(at.astimezone(UTC), zone) is quiet


@pytest.mark.parametrize("wrong", ["", "21-7", "24:00-07:00", "21:00", "21:60-07:00", "07:00-07:00", "21:00-07:00 UTC"])
def test_quiet_hours_that_are_none_are_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="such as 21:00-07:00"):
        QuietHours.of(wrong)


def test_attempts_come_further_and_further_apart_and_end_within_a_day() -> None:
    waits = [again_after(tries) for tries in range(1, ATTEMPTS + 3)]
    assert waits == [*AGAIN_AFTER, None, None, None]
    assert list(AGAIN_AFTER) == sorted(AGAIN_AFTER)
    assert sum(AGAIN_AFTER, timedelta(0)) < timedelta(days=1)


def test_what_waits_for_an_answer_is_never_what_is_left_out() -> None:
    asked = notice("may I?", NoticeKind.AWAITING_APPROVAL, 9, "say yes")
    refused = notice("line 3", NoticeKind.RULES_REJECTED, 8)
    found = text([*(notice("x" * 400, hours=n) for n in range(9)), refused, asked], WORDS, NOW)
    assert found.index("may I?") < found.index("line 3") < found.index("xxx")
    assert "more: `governor audit show" in found
    assert len(found) < 2000, "so that every chat takes it in one piece"
