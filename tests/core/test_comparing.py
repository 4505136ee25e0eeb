"""Which earlier readings a run needs: asked for all at once, and fewer times, they are the same."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from service.core.comparing import Stretch, further, merged
from tests.store.samples import HOUR, NOW

HOURS = st.integers(0, 60).map(lambda hours: NOW - hours * HOUR)
STRETCHES = st.lists(st.tuples(HOURS, HOURS).map(sorted).map(tuple), max_size=8)


def needed_of(taken: set[int], stretches: Iterable[Stretch]) -> set[int]:
    """Those within each stretch, and the last one before it."""
    at = {n: NOW - n * HOUR for n in taken}
    found = set[int]()
    for first, last in stretches:
        before = [n for n in taken if at[n] < first]
        found |= {n for n in taken if first <= at[n] <= last} | ({min(before)} if before else set())
    return found


@given(taken=st.sets(st.integers(0, 80), max_size=40), stretches=STRETCHES)
def test_stretches_that_overlap_are_asked_for_as_one(taken: set[int], stretches: list[Stretch]) -> None:
    assert needed_of(taken, merged(stretches)) == needed_of(taken, stretches)


def test_of_very_many_readings_that_show_nothing_few_stretches_are_left() -> None:
    assert len(merged(further(NOW - n * HOUR / 60) for n in range(5000))) == 1
