"""Nothing a run works on or comes to is lost on its way through the store."""

from __future__ import annotations

import types
from dataclasses import is_dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import service.core.decide.model as decide_model
import service.core.model as core_model
from service.core.decide.model import Standing
from service.core.errors import StoreError
from service.core.ledger import canonical
from service.core.logic import Bounds
from service.core.rules import language
from service.core.rules.language import All, Any, Compare, Condition, Measure, Metric, Not, Op, RuleSet
from service.store.documents import Document, dump, load
from tests.store import samples

st.register_type_strategy(
    Bounds,
    st.lists(st.floats(allow_nan=False), min_size=3, max_size=3).map(sorted).map(lambda v: Bounds(v[1], v[0], v[2])),
)


def _compare() -> st.SearchStrategy[Condition]:
    number = st.decimals(allow_nan=False, allow_infinity=False)
    return st.builds(Compare, st.builds(Measure, st.sampled_from(Metric)), st.sampled_from(Op), number, st.none() | number)


def _nested(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    terms = st.lists(inner, max_size=3).map(tuple)
    return st.builds(All, terms) | st.builds(Any, terms) | st.builds(Not, inner)


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(_compare(), _nested, max_leaves=5)
for each in (All, Any, Not):
    term = CONDITIONS if each is Not else st.lists(CONDITIONS, max_size=3).map(tuple)
    st.register_type_strategy(each, st.builds(each, term))
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))


def _types(*modules: types.ModuleType) -> list[type]:
    named = [(module.__name__, kind) for module in modules for kind in vars(module).values()]
    return [kind for name, kind in named if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == name]


@pytest.mark.parametrize("kind", _types(core_model, decide_model, language), ids=lambda kind: kind.__name__)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_type_comes_back_as_it_was(kind: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(kind))
    back: object = load(kind, dump(kind, value))
    assert back == value
    assert canonical(back) == canonical(value)
    assert dump(kind, back) == dump(kind, value)


@pytest.mark.parametrize(
    "value",
    [
        samples.inputs(),
        samples.outcome(),
        samples.change(),
        samples.rules(),
        samples.snapshot(readable=False),
        samples.STOOD_DOWN,
    ],
    ids=lambda value: type(value).__name__,
)
def test_whole_values_come_back_as_they_were(value: object) -> None:
    back = load(type(value), dump(type(value), value))
    assert back == value
    assert canonical(back) == canonical(value)


def test_a_document_that_is_no_such_value_is_refused_without_quoting_it() -> None:
    with pytest.raises(StoreError) as caught:
        load(Standing, '{"expected": "secret"}')
    assert "secret" not in str(caught.value)


def test_a_value_that_is_not_of_its_type_is_refused() -> None:
    with pytest.raises(StoreError, match="cannot be stored"):
        dump(Standing, Standing(since="yesterday"))  # type: ignore[arg-type] # the point


def test_equal_texts_are_one_document() -> None:
    assert Document.of(dump(RuleSet, samples.rules())) == Document.of(dump(RuleSet, samples.rules()))
