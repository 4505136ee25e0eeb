"""Nothing a run works on or comes to is lost on its way through the store."""

from __future__ import annotations

import json
import math
import types
from dataclasses import is_dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import service.core.decide.model as decide_model
import service.core.model as core_model
from service.core.canonical import canonical
from service.core.decide.model import RunOutcome, Standing
from service.core.errors import StoreError
from service.core.logic import Bounds
from service.core.model import Offer, Probe, Unseen
from service.core.rules import language
from service.core.rules.language import All, Any, Compare, Condition, Measure, Metric, Not, Op, RuleSet
from service.store.documents import Document, dump, load
from service.store.outcomes import losses, restored
from service.store.packing import offers_of, pack, unpack
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


EXAMPLES = settings(max_examples=max(2, settings().max_examples // 50), suppress_health_check=list(HealthCheck))
"""Few: what a run works on takes a second to make up."""

CONDITIONS: st.SearchStrategy[Condition] = st.recursive(_compare(), _nested, max_leaves=5)
for each in (All, Any, Not):
    term = CONDITIONS if each is Not else st.lists(CONDITIONS, max_size=3).map(tuple)
    st.register_type_strategy(each, st.builds(each, term))
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(Decimal, st.decimals(allow_nan=False, allow_infinity=False))
st.register_type_strategy(float, st.floats(allow_nan=False))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))


def _types(*modules: types.ModuleType) -> list[type]:
    named = [(module.__name__, kind) for module in modules for kind in vars(module).values()]
    return [kind for name, kind in named if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == name]


@pytest.mark.parametrize("kind", _types(core_model, decide_model, language), ids=lambda kind: kind.__name__)
@settings(EXAMPLES)
@given(data=st.data())
def test_every_type_comes_back_as_it_was(kind: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(kind))
    back: object = load(kind, dump(kind, value))
    assert back == value
    assert canonical(back) == canonical(value)
    assert dump(kind, back) == dump(kind, value)


@settings(EXAMPLES)
@given(outcome=st.from_type(RunOutcome))
def test_an_outcome_is_its_canonical_text_and_what_that_does_not_tell(outcome: RunOutcome) -> None:
    text = canonical(outcome)
    lost = losses(json.loads(text), outcome)
    back = restored(text.encode(), lost)
    assert (back, canonical(back)) == (outcome, text)
    assert [*back.forecasts] == [*outcome.forecasts]  # in the order of the rule file


def test_little_of_an_outcome_is_not_in_its_text() -> None:
    outcome = samples.outcome()
    values, orders = json.loads(losses(json.loads(canonical(outcome)), outcome))
    metrics = ["forecasts", "physio", "metrics"]
    assert values == [
        [[*metrics, "open_slots", "bounds", "high"], math.inf],
        [[*metrics, "utilisation", "bounds", "high"], math.inf],
        [[*metrics, "utilisation", "bounds", "low"], -math.inf],
        [["traces", "physio", 0, "reading", "bounds", "high"], math.inf],
    ]
    assert orders == [[metrics, ["open_slots", "utilisation", "coverage"]]]


def test_an_outcome_stored_as_it_was_at_first_is_read_as_well() -> None:
    outcome = samples.outcome()
    assert restored(canonical(outcome).encode(), dump(RunOutcome, outcome)) == outcome


OFFERS = st.builds(Offer, *(st.sampled_from("abc") for _ in range(3)))
STARTS = st.lists(st.datetimes(timezones=st.just(UTC)), max_size=6).map(sorted).map(tuple)
WHOLE_MINUTES = STARTS.map(lambda starts: tuple(start.replace(second=0, microsecond=0) for start in starts))
DAYS = st.lists(st.dates(), min_size=2, max_size=2).map(sorted)


def _probes(starts: st.SearchStrategy[tuple[datetime, ...]]) -> st.SearchStrategy[list[Probe]]:
    unseen = st.none() | st.sampled_from(Unseen)
    made = st.builds(
        lambda offer, days, starts, why: Probe(offer, days[0], days[1], starts, why), OFFERS, DAYS, st.none() | starts, unseen
    )
    return st.lists(made, max_size=5)


@given(probes=_probes(STARTS) | _probes(WHOLE_MINUTES), listed=st.lists(OFFERS, max_size=4))
def test_no_start_is_lost_or_moved_by_packing(probes: list[Probe], listed: list[Offer]) -> None:
    offers = (*listed, *offers_of(listed, probes))
    packed = json.loads(json.dumps(pack(probes, offers)))
    assert unpack(packed, offers) == tuple(probes)


def test_starts_are_packed_as_steps_of_minutes_and_finer_only_where_one_needs_it() -> None:
    offer, day = Offer("place", "who", "what"), samples.NOW.date()
    probe = Probe(offer, day, day, (samples.NOW, samples.NOW + samples.HOUR))
    assert pack([probe], [offer]) == {"unit": 60_000_000, "probes": [[0, "2026-11-22", 0, [480, 60]]]}
    second = replace(probe, starts=(samples.NOW + timedelta(seconds=1),))
    assert pack([second], [offer]) == {"unit": 1, "probes": [[0, "2026-11-22", 0, [28_801_000_000]]]}


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
