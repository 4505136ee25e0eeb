"""The heat map's cells: what is not known never looks full, closed or free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.core.heat import By, Look, Row, group
from service.core.model import Diaries, Unseen
from service.core.observation import Observation
from tests.core.made import NOW, OPEN, SERVICE, alone, at, diaries, every, lead, office, sold, weekly

WORKDAYS, WEEKEND = range(5), (5, 6)


def rows(reading: Diaries, by: By = By.PRACTITIONER) -> Sequence[Row]:
    return group(Observation.of(reading, NOW), SERVICE, sold(reading), by).rows


def looks(reading: Diaries, by: By = By.PRACTITIONER) -> list[Look]:
    """The looks of the only row's fourteen days, from Monday on."""
    [row] = rows(reading, by)
    return [cell.look for cell in row.cells]


@pytest.mark.parametrize("by", list(By))
def test_a_day_shows_its_openings_a_sold_out_one_that_it_is_full_and_one_without_hours_that_it_is_closed(by: By) -> None:
    [row] = rows(alone([at(0, "09:00"), at(0, "10:00")]), by)
    assert (row.cells[0].look, row.cells[0].openings) == (Look.OPEN, 2)
    assert row.cells[0].sold == pytest.approx(1 / 3), "of three rostered hours two are open"
    assert [row.cells[n].look for n in range(1, 7)] == [Look.FULL] * 4 + [Look.CLOSED] * 2
    assert row.cells[1].sold == 1


def test_a_day_that_nobody_answered_for_is_unknown_and_never_full() -> None:
    found = looks(alone(Unseen.FAILED, office()))
    assert [found[n] for n in WORKDAYS] == [Look.UNKNOWN] * 5
    assert [found[n] for n in WEEKEND] == [Look.CLOSED] * 2


def test_without_any_answer_or_roster_no_day_is_called_closed() -> None:
    assert set(looks(alone(Unseen.NOT_FOUND, ()))) == {Look.UNKNOWN}


def test_who_is_not_known_of_is_unknown_beside_whom_is_and_leaves_the_others_as_they_are() -> None:
    ana, ben = ("city", "ana", "first"), ("quay", "ben", "first")
    reading = diaries({ana: [at(0, "09:00")], ben: Unseen.NOT_FOUND}, office())
    [known, unknown] = rows(reading)
    assert {cell.look for cell in unknown.cells} == {Look.UNKNOWN}
    assert [known.cells[n].look for n in WEEKEND] == [Look.CLOSED] * 2
    assert {cell.look for cell in rows(reading, By.LOCATION)[1].cells} == {Look.UNKNOWN}


def test_behind_a_cap_there_are_at_least_so_many() -> None:
    capped = alone([at(0, "09:00")], weekly("ana", "city", (0, "09:00", "12:00")), bookings=replace(OPEN, segment_cap=1))
    [row] = rows(capped)
    assert (row.cells[0].look, row.cells[0].openings) == (Look.AT_LEAST, 1)


def test_what_lead_time_hides_is_too_soon_and_not_full() -> None:
    assert looks(alone((), bookings=lead(24)))[:2] == [Look.TOO_SOON, Look.FULL]


def test_every_practitioner_and_every_location_has_a_row_of_its_own() -> None:
    ana, ben = ("city", "ana", "first"), ("quay", "ben", "first")
    reading = diaries({ana: [at(0, "09:00")], ben: every(60, 1, "09:00", "11:00")}, [*office(), *office("ben", "quay")])
    people, places = rows(reading), rows(reading, By.LOCATION)
    assert [row.name for row in people] == ["Ana", "Ben"]
    assert [row.name for row in places] == ["City", "Quay"]
    assert [row.cells for row in people] == [row.cells for row in places], "each works at one place, alone"
    [whole] = rows(reading, By.SERVICE)
    assert [cell.openings for cell in whole.cells] == [
        a.openings + b.openings for a, b in zip(people[0].cells, people[1].cells, strict=True)
    ]


def test_a_service_that_is_not_sold_online_has_no_rows() -> None:
    assert rows(diaries({})) == ()
