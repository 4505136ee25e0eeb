"""Sets of time, compared with sets of seconds."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from service.core.intervals import Spans, after, covers, intersect, length, subtract, union

ANY_SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)
SETS = ANY_SPANS.map(union)


def seconds(spans: Spans) -> set[int]:
    return {at for start, end in spans for at in range(start, end)}


def is_canonical(spans: Spans) -> bool:
    return all(start < end for start, end in spans) and all(a[1] < b[0] for a, b in pairwise(spans))


@given(ANY_SPANS)
def test_a_union_covers_what_any_span_covers_in_canonical_form(spans: list[tuple[int, int]]) -> None:
    found = union(spans)
    assert seconds(found) == {at for start, end in spans for at in range(start, end)}
    assert is_canonical(found)


@given(SETS, SETS)
def test_an_intersection_is_the_time_in_both(left: Spans, right: Spans) -> None:
    found = intersect(left, right)
    assert seconds(found) == seconds(left) & seconds(right)
    assert is_canonical(found)


@given(SETS, SETS)
def test_a_difference_is_the_time_in_the_first_alone(left: Spans, right: Spans) -> None:
    found = subtract(left, right)
    assert seconds(found) == seconds(left) - seconds(right)
    assert is_canonical(found)


@given(SETS, st.integers(0, 60))
def test_the_rest_after_an_instant_its_length_and_what_it_covers(spans: Spans, instant: int) -> None:
    assert seconds(after(spans, instant)) == {at for at in seconds(spans) if at >= instant}
    assert length(spans) == len(seconds(spans))
    assert covers(spans, instant) == (instant in seconds(spans))


def test_touching_spans_become_one() -> None:
    assert union([(20, 30), (0, 10), (10, 20)]) == ((0, 30),)


def test_an_empty_span_is_no_time() -> None:
    assert union([(5, 5), (9, 3)]) == ()
