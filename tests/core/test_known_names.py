"""A rename in Cliniko changes nothing by itself, and is told until the rule file says the new name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from service.core.caveats import caveats
from service.core.decide.model import Blind
from service.core.known_names import learnt, recalled
from service.core.model import Diaries
from service.core.observation import Observation
from service.core.offers import sold_offers
from service.core.rules.language import Service
from tests.core.made import CITY, FIRST, NOW, QUAY, STANDARD, at, diaries, office, sold

POD = "Hydro pod"
SERVICE = Service("physio", ("First", "Standard"), ("City",), exclude_practitioners=(POD,))
HOURS = [*office("ana"), *office("ben")]
READING = diaries({("city", person, "first"): [at(1, "09:00")] for person in ("ana", "ben")}, HOURS)
READING = replace(READING, practitioners=(READING.practitioners[0], replace(READING.practitioners[1], name=POD)))

RENAMES: dict[str, Callable[[Diaries], Diaries]] = {
    "the first type": lambda d: replace(d, types=(replace(FIRST, name="Erstgespräch"), STANDARD)),
    "a location": lambda d: replace(d, locations=(replace(CITY, name="Harbour City"), QUAY)),
    "excluded equipment": lambda d: replace(d, practitioners=(d.practitioners[0], replace(d.practitioners[1], name="Pod 1"))),
}


def after(reading: Diaries) -> Service:
    """The service as a run knows it that saw everything under the names of the file before."""
    names = learnt([SERVICE], READING, {})
    names = learnt([SERVICE], reading, names)  # and one that saw the new names
    return recalled({"physio": SERVICE}, names)["physio"]


def told(reading: Diaries, service: Service) -> list[tuple[Blind, str]]:
    found = caveats(Observation.of(reading, NOW), service, sold(reading, service))
    return [(each.kind, each.sentence) for each in found if each.kind in {Blind.RENAMED, Blind.UNKNOWN_NAME}]


@pytest.mark.parametrize("rename", RENAMES.values(), ids=RENAMES)
def test_what_is_renamed_counts_as_before_and_is_told(rename: Callable[[Diaries], Diaries]) -> None:
    reading = rename(READING)
    assert sold_offers(reading, SERVICE) != sold_offers(READING, SERVICE)
    assert sold_offers(reading, after(reading)) == sold_offers(READING, SERVICE)
    ((kind, sentence),) = told(reading, after(reading))
    assert kind is Blind.RENAMED
    assert "as before: write that into the rule file" in sentence


def test_nothing_is_told_while_every_name_is_there() -> None:
    assert told(READING, after(READING)) == []


def test_one_of_two_that_share_a_name_may_be_renamed() -> None:
    pods = (replace(READING.practitioners[0], name=POD), READING.practitioners[1])
    names = learnt([SERVICE], replace(READING, practitioners=pods), {})
    reading = replace(READING, practitioners=(pods[0], replace(pods[1], name="Hydro pool 2")))
    for _ in range(2):
        names = learnt([SERVICE], reading, names)
        known = recalled({"physio": SERVICE}, names)["physio"]
        assert sold_offers(reading, known) == ()
        assert [sentence for _, sentence in told(reading, known)] == [
            "“Hydro pod” is called “Hydro pool 2” in Cliniko by now, and is left out as before: write that into the rule file"
        ]


def test_what_takes_another_name_of_the_file_counts_under_that() -> None:
    reading = replace(READING, types=(replace(FIRST, name="Standard"),))
    known = after(reading)
    assert sold_offers(reading, known) == sold_offers(reading, replace(SERVICE, appointment_types=("Standard",)))
    ((kind, sentence),) = told(reading, known)
    assert (kind, "no appointment type “First”" in sentence) == (Blind.UNKNOWN_NAME, True)


def test_a_name_that_has_gone_over_to_another_means_just_that() -> None:
    other = replace(STANDARD, id="other", name="First")
    reading = replace(READING, types=(replace(FIRST, name="First, old"), STANDARD, other))
    assert sold_offers(reading, after(reading)) == ()


def test_what_is_gone_altogether_is_told_and_counts_for_nothing() -> None:
    reading = replace(READING, practitioners=READING.practitioners[:1])
    ((kind, sentence),) = told(reading, after(reading))
    assert (kind, "nobody is left out for it" in sentence) == (Blind.UNKNOWN_NAME, True)
    without = replace(READING, types=(FIRST,))
    ((kind, sentence),) = told(without, after(without))
    assert kind is Blind.UNKNOWN_NAME
    assert "Cliniko has no appointment type “Standard”, so nothing is counted for it" in sentence


def test_names_that_the_file_no_longer_uses_are_forgotten() -> None:
    names = learnt([SERVICE], READING, {})
    assert names == {
        "appointment type/first": ("first",),
        "appointment type/standard": ("standard",),
        "location/city": ("city",),
        "practitioner/hydro pod": ("ben",),
    }
    assert learnt([Service("physio", ("First",))], READING, names) == {"appointment type/first": ("first",)}
