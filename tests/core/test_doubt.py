"""What is suddenly gone from a reading is believed at the second look, and only what is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.core.comparing import compared
from service.core.doubt import believed, doubted
from service.core.model import Block, Diaries, Offer, Probe, Unseen
from service.core.offers import sold_offers
from service.core.sighting import Sighting
from tests.core.made import BEN as BEN_HIMSELF
from tests.core.made import CITY, MONDAY, NOW, QUAY, SERVICE, alone, at, diaries, every, office, weekly

FOUR = [*every(60, 1, "09:00", "11:00"), at(2, "09:00")]
ANA, BEN = ("city", "ana", "first"), ("city", "ben", "first")
LEAVE = Block("city", "ana", at(3, "09:00"), at(3, "12:00"))
OVER = Block("city", "ana", NOW - timedelta(days=1), NOW - timedelta(hours=1))


def unseen(present: Diaries, earlier: Diaries | None) -> list[Unseen | None]:
    return [probe.unseen for probe in believed(present, NOW, earlier).probes]


def test_a_diary_emptied_within_the_hour_is_unobserved_once() -> None:
    assert unseen(alone([]), alone(FOUR)) == [Unseen.DOUBTED, None]
    assert unseen(alone([]), alone([])) == [None, None]


def test_without_an_earlier_reading_everything_is_believed() -> None:
    assert believed(alone([]), NOW, None) == alone([])


@pytest.mark.parametrize("left", [FOUR[:1], FOUR[-1:]])
def test_a_diary_that_still_shows_a_start_is_believed(left: list[datetime]) -> None:
    assert unseen(alone(left), alone(FOUR)) == [None, None]


def test_the_last_few_starts_may_go_within_an_hour() -> None:
    assert unseen(alone([]), alone(FOUR[:3])) == [None, None]


def test_a_few_from_each_of_several_diaries_together_are_many() -> None:
    hours = [*office(), *office("ben")]
    earlier, present = diaries({ANA: FOUR[:2], BEN: FOUR[:2]}, hours), diaries({ANA: [], BEN: []}, hours)
    assert unseen(present, earlier) == [Unseen.DOUBTED, None, Unseen.DOUBTED, None]


def test_starts_whose_time_has_come_are_no_loss() -> None:
    past = [NOW - timedelta(minutes=n) for n in (40, 30, 20, 10)]
    assert unseen(alone([]), alone(past)) == [None, None]


def test_what_could_not_be_read_stays_unread_for_its_own_reason() -> None:
    assert unseen(alone(Unseen.FAILED), alone(FOUR)) == [Unseen.FAILED, Unseen.FAILED]


@pytest.mark.parametrize("name", ["extra", "unavailable"])
def test_a_list_of_blocks_that_is_suddenly_empty_stays_as_it_was_but_for_what_is_over(name: str) -> None:
    earlier = replace(alone(FOUR), **{name: (LEAVE, OVER)})  # type: ignore[arg-type] # a field of blocks
    found = believed(alone(FOUR), NOW, earlier)
    assert getattr(found, name) == (LEAVE,)
    assert len(doubted(alone(FOUR), found)) == 1


def test_one_block_fewer_is_believed_at_the_second_look_or_where_a_start_shows_in_its_time() -> None:
    other = replace(LEAVE, practitioner="ben")
    earlier, present = replace(alone(FOUR), unavailable=(LEAVE, other)), replace(alone(FOUR), unavailable=(other,))
    assert set(believed(present, NOW, earlier).unavailable) == {LEAVE, other}
    assert believed(present, NOW, present) == present
    back = replace(alone([*FOUR, at(3, "10:00")]), unavailable=(other,))
    assert believed(back, NOW, earlier) == back


def test_one_weekdays_hours_fewer_are_believed_at_the_second_look() -> None:
    week, without_monday = alone(FOUR, office()), alone(FOUR, office(days=range(1, 5)))
    assert set(believed(without_monday, NOW, week).hours) == set(week.hours)
    shorter = alone(FOUR, [*weekly("ana", "city", (0, "09:00", "11:00")), *office(days=range(1, 5))])
    assert believed(shorter, NOW, week) == shorter


def test_another_zone_is_believed_at_the_second_look() -> None:
    moved = replace(alone(FOUR), locations=(replace(CITY, zone="Australia/Perth"), QUAY))
    found = believed(moved, NOW, alone(FOUR))
    assert found.locations == (CITY, QUAY)
    assert doubted(moved, found) == ("businesses",)
    assert believed(moved, NOW, moved) == moved


FAR = ("Pacific/Auckland", "Australia/Sydney", "America/Los_Angeles")


@pytest.mark.parametrize("zone", FAR)
@pytest.mark.parametrize(("day", "clock"), [(7, "08:00"), (6, "20:00"), (7, "00:15"), (6, "23:30")])
def test_a_week_that_is_full_is_believed_whatever_the_other_week_shows(zone: str, day: int, clock: str) -> None:
    first = datetime.combine(MONDAY + timedelta(days=day), time.fromisoformat(clock), ZoneInfo(zone)).astimezone(UTC)
    quarters = [first + n * timedelta(minutes=1) for n in range(6)]
    windows = [(MONDAY, MONDAY + timedelta(days=6)), (MONDAY + timedelta(days=7), MONDAY + timedelta(days=13))]
    shown = [quarters, ()] if day < 7 else [(), quarters]
    probes = tuple(Probe(Offer(*ANA), *days, tuple(starts)) for days, starts in zip(windows, shown, strict=True))
    reading = replace(alone([]), locations=(replace(CITY, zone=zone), QUAY), probes=probes)
    assert believed(reading, NOW + timedelta(hours=1), reading) == reading
    emptied = replace(reading, probes=tuple(replace(probe, starts=()) for probe in probes))
    assert [p.unseen for p in believed(emptied, NOW, reading).probes].count(Unseen.DOUBTED) == 1


def test_the_hours_of_somebody_still_offered_are_kept_once() -> None:
    both = diaries({ANA: FOUR, BEN: FOUR}, [*office(), *office("ben")])
    without = replace(both, hours=tuple(office()))
    assert set(believed(without, NOW, both).hours) == set(both.hours)
    assert believed(without, NOW, without).hours == without.hours
    gone = replace(without, offers=without.offers[:1])
    assert believed(gone, NOW, both).hours == gone.hours


ONLY_BEN = {"practitioners": (BEN_HIMSELF,), "types": (), "locations": (), "offers": (Offer(*BEN),)}


@pytest.mark.parametrize("missing", ONLY_BEN)
def test_what_is_suddenly_missing_from_a_list_is_still_sold_once_and_unobserved(missing: str) -> None:
    earlier = diaries({ANA: FOUR, BEN: FOUR}, [*office(), *office("ben")])
    lacking = replace(earlier, **{missing: ONLY_BEN[missing]})  # type: ignore[arg-type] # one of the lists
    present = replace(lacking, probes=tuple(probe for probe in earlier.probes if probe.offer in sold_offers(lacking, SERVICE)))
    found = believed(present, NOW, earlier)
    assert sold_offers(found, SERVICE) == sold_offers(earlier, SERVICE)
    unseen = {probe.offer for probe in found.probes if probe.unseen is Unseen.DOUBTED}
    assert unseen == set(sold_offers(earlier, SERVICE)) - set(sold_offers(lacking, SERVICE))
    assert len(doubted(present, found)) == 1
    assert believed(present, NOW, present) == present


def test_somebody_whose_online_booking_is_switched_off_is_not_missed() -> None:
    earlier = diaries({ANA: FOUR, BEN: FOUR}, [*office(), *office("ben")])
    off = tuple(replace(each, online=each.id != "ana") for each in earlier.practitioners)
    present = replace(earlier, practitioners=off, probes=tuple(p for p in earlier.probes if p.offer.practitioner != "ana"))
    assert believed(present, NOW, earlier) == present


# --- a whole clinic -----------------------------------------------------------------------------------------------------

HOUR = timedelta(hours=1)
ROTA = [*office(), *office("ben")]
TEN = {ANA: every(60, 1, "09:00", "14:00"), BEN: every(60, 1, "09:00", "14:00")}


def starts(**shown: list[datetime]) -> Diaries:
    """What is shown of Ana's and Ben's diaries."""
    return diaries({ANA: shown.get("ana", []), BEN: shown.get("ben", [])}, ROTA)


def believed_bare(*earlier: Diaries, hours: float = 1) -> bool:
    """Whether an empty clinic is believed to be full, by the readings before it, newest first, so many hours apart."""
    now = Sighting(NOW, starts())
    before = [Sighting(NOW - n * hours * HOUR, each) for n, each in enumerate(earlier, 1)]
    return now.counted(before).diaries == now.diaries


BARE, OPEN = starts(), starts(ana=TEN[ANA], ben=TEN[BEN])


@pytest.mark.parametrize("looks", range(9))
def test_a_clinic_that_emptied_together_is_believed_six_hours_after_it_was_first_seen(looks: int) -> None:
    """It was open, and empty at so many looks an hour apart before this one."""
    assert believed_bare(*[BARE] * looks, OPEN) == (looks >= 6)


def test_hours_count_and_not_looks() -> None:
    assert not believed_bare(*[BARE] * 6, OPEN, hours=0.5)
    assert believed_bare(*[BARE] * 3, OPEN, hours=2)


def test_a_look_that_saw_nothing_of_it_tells_nothing() -> None:
    failed = diaries({ANA: Unseen.FAILED, BEN: Unseen.FAILED}, ROTA)
    assert not believed_bare(BARE, failed, OPEN)


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (starts(ana=TEN[ANA] + every(60, 2, "09:00", "15:00")), "only one practitioner had any"),
        (starts(ana=TEN[ANA][:5], ben=TEN[BEN][:4]), "only nine openings"),
        (starts(ana=every(15, 1, "09:00", "11:00"), ben=every(15, 1, "09:00", "11:00")), "few openings, many starts"),
        (starts(ana=[NOW - n * HOUR for n in range(9)], ben=[NOW - n * HOUR for n in range(9)]), "their time has come"),
    ],
)
def test_a_clinic_with_little_left_to_sell_is_believed_at_the_second_look(before: Diaries, why: str) -> None:
    assert believed_bare(BARE, before), why


def test_a_clinic_that_sold_out_bit_by_bit_is_believed_at_the_second_look() -> None:
    assert believed_bare(BARE, starts(ana=TEN[ANA][:2]), OPEN)


def test_where_somebody_still_has_openings_the_others_are_believed_at_the_second_look() -> None:
    left = starts(ben=TEN[BEN][:1])
    now = Sighting(NOW, left)
    assert now.counted([Sighting(NOW - HOUR, left), Sighting(NOW - 2 * HOUR, OPEN)]).diaries == left


def test_an_empty_clinic_is_told_by_the_readings_of_six_hours_and_the_one_before() -> None:
    taken = [NOW - n * HOUR for n in range(1, 60)]
    day = [timedelta(hours=24)]
    assert compared(NOW, taken, day) == [0, 23, 24, 25, 26, 27]
    assert compared(NOW, taken, day, {NOW}) == [*range(7), 23, 24, 25, 26, 27]
    assert compared(NOW, taken, day, {taken[26]}) == [0, *range(23, 34)]
