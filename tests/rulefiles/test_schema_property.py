"""The editor's schema and the loader agree: what the loader accepts the schema accepts, and both refuse a broken shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.core.errors import RuleFileError
from service.rulefiles.source import check
from tests.rulefiles.generated import at, changed, files, places, written
from tests.rulefiles.test_schema import complaints

JUNK: tuple[Any, ...] = ("nonsense !", [], {}, "", ["x", ["y"]], {"a": "b"})
"""Stand-ins of the wrong shape: whoever finds one where a mapping, a list, a number or a word belongs should say so."""


LOADERS_OWN = (
    # names that another part of the file declares, and what they mean there
    r"there is no (service|campaign|channel) ",
    r"is outside what the campaign's floor and ceiling allow",
    r"the file has no `(google_ads|meta)`",
    r"is the same \w+ campaign as",
    r"two rules are named",
    r"is `.*` in a file named",
    r"knows no region",
    # one value against another
    r"is (above|below) the base budget",
    r"less than all floors together",
    r"ends the wrong way round",
    r"ends before it starts",
    r"this step is never reached",
    r"a step below `otherwise` is never reached",
    r"the steps of a ladder go one way",
    r"lists `.*` twice",  # ignoring case, and however it is quoted
    r"write a whole number from 0 to ([1-9]|1[0-3])$",  # no more days than `within`
    # how a number or a truth is spelled, of which an editor is shown only the value
    r"has more than \d decimals",
    r"`\d+\.0+` is not; |cannot be `\d+\.0+`",
    r"customer_id` cannot be `\d{1,9}`",
    r"cannot be `(True|TRUE|False|FALSE)`: use lower-case",
)
"""What the loader refuses and no schema can."""


def refusals(text: str) -> list[str]:
    try:
        check(text, "quay.yaml")
    except RuleFileError as error:
        return [f"{problem.message}; {problem.advice}" for problem in error.problems]
    return []


def loads(text: str) -> bool:
    return not refusals(text)


def agree(text: str) -> bool:
    """Whether loader and schema take a file alike, as far as a schema can tell."""
    said, marked = refusals(text), complaints(text)
    if not said:
        return not marked
    return bool(marked) or all(any(re.search(own, each) for own in LOADERS_OWN) for each in said)


@given(files())
def test_what_the_generator_makes_is_accepted_by_both(data: dict[str, Any]) -> None:
    check(written(data), "quay.yaml")
    assert complaints(written(data)) == []


@given(files(), st.data())
def test_whatever_the_loader_accepts_the_schema_accepts(data: dict[str, Any], draw: st.DataObject) -> None:
    """Also of files that something is wrong with: any part replaced by any other part, or by junk."""
    path = draw.draw(st.sampled_from([path for path in places(data) if path]))
    other = draw.draw(st.one_of(st.sampled_from(JUNK), st.sampled_from(places(data)).map(lambda found: at(data, found))))
    text = written(changed(data, path, other))
    assert complaints(text) == [] or not loads(text)


@given(files(), st.data())
def test_an_unknown_key_is_refused_by_both_wherever_the_keys_are_given(data: dict[str, Any], draw: st.DataObject) -> None:
    own_names = {("services",), ("campaigns",)}
    mappings = [path for path in places(data) if isinstance(at(data, path), dict) and path not in own_names]
    path = draw.draw(st.sampled_from(mappings))
    text = written(changed(data, path, at(data, path) | {"surprise": "5"}))
    assert complaints(text)
    assert not loads(text)


@given(files(), st.data())
def test_a_value_of_another_shape_is_refused_by_both(data: dict[str, Any], draw: st.DataObject) -> None:
    path = draw.draw(st.sampled_from([path for path in places(data) if path]))
    value = at(data, path)
    other = draw.draw(st.sampled_from([junk for junk in JUNK if type(junk) is not type(value)]))
    assume(path != ("name",) and path[-1] != "name")  # any words are a name
    assume(not (len(path) > 1 and path[-2] == "appointment_types"))
    text = written(changed(data, path, other))
    assert not loads(text)
    assert complaints(text)


WORDS = ("true", "True", "FALSE", "null", "Null", "~", "yes", "pause", "floor", "base", "keep", "google", "weekdays", "mon")
NUMBERS = ("0", "1", "5", "15", "24", "25", "95", "007", "0.5", "12.5", "-1", "101", "100000", "100001", "1000000000")
UNITS = (
    "0%",
    "0.5%",
    "1%",
    "007%",
    "49.5%",
    "50%",
    "50.5%",
    "99%",
    "99.5%",
    "100%",
    "100.0%",
    "100.5%",
    "1000%",
    "1000.5%",
    "5 %",
)
LENGTHS = (
    "0h", "1h", "1.5h", "23h", "24h", "72h", "73h", "336h", "337h", "1440h", "1441h", "8760h", "8761h", "90m",
    "0d", "1d", "01d", "3d", "4d", "14d", "15d", "60d", "61d", "365d", "366d", "14 days",
)  # fmt: skip
LONG = ("x" * 63, "x" * 64, "y" * 200, "z" * 201, "a b", "a--b", "AUD", "AU-NSW", "act_1", "0.00", "0.000", "999999999.99")
PLAIN = (*WORDS, *NUMBERS, *UNITS, *LENGTHS, *LONG)
QUOTED = (*map(json.dumps, PLAIN), '"  "', '"\\u0007"', '"07:00-20:00"', '"20:00-07:00"', '"24:00-24:00"', '" weekdays"')
SCALARS = st.sampled_from((*PLAIN, *QUOTED))


def spelled_otherwise(value: str) -> st.SearchStrategy[str]:
    """The same text in quotes, or with blanks around it in quotes."""
    bare = value.strip('"')
    return st.sampled_from([json.dumps(text) for text in (bare, f" {bare}", f"{bare} ", f" {bare} ")])


def scalars(data: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [path for path in places(data) if isinstance(at(data, path), (str, bool))]


@given(files(), st.data())
def test_a_value_written_otherwise_is_taken_or_refused_by_both(data: dict[str, Any], draw: st.DataObject) -> None:
    path = draw.draw(st.sampled_from(scalars(data)))
    old = at(data, path)
    new = draw.draw(SCALARS if isinstance(old, bool) else st.one_of(SCALARS, spelled_otherwise(old)))
    text = written(changed(data, path, new))
    assert agree(text), (refusals(text), complaints(text))


EVERY_PLACE: dict[str, Any] = {
    "version": "1", "clinic": "quay", "name": "The Quay", "currency": "AUD", "mode": "enforce", "notify": ["marketing"],
    "daily_cap": "500", "google_ads": {"customer_id": '"123-456-7890"'},
    "services": {"physio": {"appointment_types": ["First visit"]}},
    "campaigns": {
        "one": {"platform": "google", "id": '"1"', "service": "physio", "base_budget": "60.00", "floor": "1.00"}
        | {"ceiling": "120", "protect": "false"}
    },
    "rules": [
        {
            "name": "Full",
            "campaigns": ["one"],
            "when": {"utilisation": {"at_least": "95%"}, "open_slots": {"above": "5", "within": "7d"}},
            "for": "2h",
            "until": {"any": [{"open_hours": {"at_most": "9h"}}, {"slots_opened": {"at_least": "5", "since": "24h"}}]},
            "stabilise": "2h",
            "notify": "marketing",
            "then": "pause",
        },
        {
            "name": "Later",
            "service": "physio",
            "when": {"expected_open_slots": {"between": ["1", "9"], "confidence": "80%"}, "full_days": {"below": "5"}},
            "then": {"budget": "130%"},
        },
        {"name": "Worth it", "then": {"budget": {"cost_per_booking": "45.00", "within": "14d"}}},
        {
            "name": "Ladder",
            "bands": {
                "by": {"metric": "utilisation", "margin": "8%"},
                "steps": [{"at_least": "90%", "budget": "floor"}, {"otherwise": "base"}],
            },
        },
    ],
    "guardrails": {
        "stabilise": {"raise": "24h"}, "max_step": {"raise": "50%", "cut": "99%"}, "dead_band": "5%", "cooldown": "6h",
        "max_changes_per_day": "3", "edit_budget": {"edits": "2", "per": "7d"}, "drift_expires": "7d", "fallback": "keep",
        "fallback_after": "24h", "blast_radius": "50%",
        "change_window": {"days": "weekdays", "hours": "07:00-20:00", "public_holidays": "AU-NSW"},
    },
}  # fmt: skip
"""A file with every kind of value that there is."""


def disagreements(path: tuple[Any, ...], values: Iterable[str]) -> list[tuple[str, list[str], list[str]]]:
    """The values that only loader or schema takes at a place, with what both say."""
    texts = {value: written(changed(EVERY_PLACE, path, value)) for value in values}
    return [(value, refusals(text), complaints(text)) for value, text in texts.items() if not agree(text)]


PLACES = pytest.mark.parametrize("path", scalars(EVERY_PLACE), ids=lambda path: ".".join(map(str, path)))


@PLACES
@pytest.mark.sampled(4)
def test_some_of_all_that_may_be_written_there_is_taken_or_refused_by_both(path: tuple[Any, ...]) -> None:
    old = at(EVERY_PLACE, path).strip('"')
    some = Random(repr(path)).sample((*PLAIN, *QUOTED), 6)  # noqa: S311 - the same ones every time
    assert disagreements(path, [old, json.dumps(old), f'" {old}"', "true", "~", "-1", *some]) == []


@pytest.mark.soak
@PLACES
def test_all_that_may_be_written_there_is_taken_or_refused_by_both(path: tuple[Any, ...]) -> None:
    assert disagreements(path, (*PLAIN, *QUOTED)) == []


@given(files(), st.data())
def test_a_part_left_out_is_missed_by_both_or_by_neither(data: dict[str, Any], draw: st.DataObject) -> None:
    path = draw.draw(st.sampled_from([path for path in places(data) if path and isinstance(at(data, path[:-1]), dict)]))
    around = at(data, path[:-1])
    text = written(changed(data, path[:-1], {key: value for key, value in around.items() if key != path[-1]}))
    assert agree(text), (refusals(text), complaints(text))
