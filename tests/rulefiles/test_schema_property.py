"""The editor's schema and the loader agree: what the loader accepts the schema accepts, and both refuse a broken shape."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from service.core.errors import RuleFileError
from service.rulefiles.source import check
from tests.rulefiles.generated import at, changed, files, places, written
from tests.rulefiles.test_schema import complaints

JUNK: tuple[Any, ...] = ("nonsense !", [], {}, "", ["x", ["y"]], {"a": "b"})
"""Stand-ins of the wrong shape: whoever finds one where a mapping, a list, a number or a word belongs should say so."""


def loads(text: str) -> bool:
    try:
        check(text, "quay.yaml")
    except RuleFileError:
        return False
    return True


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
