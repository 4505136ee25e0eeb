"""What is made once: for each thing, whatever else equals it, and however much is remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.core.memo import MOST_THINGS, once_each


@dataclass(frozen=True, slots=True)
class Thing:
    number: int


def test_it_is_made_once_for_each_thing_and_again_for_one_that_only_equals_it() -> None:
    made: list[Thing] = []
    doubled = once_each(doubling(made))
    first, second = Thing(4), Thing(4)
    assert [doubled(first), doubled(first), doubled(second), doubled(second)] == [8, 8, 8, 8]
    assert len(made) == 2


def test_things_that_are_gone_are_never_taken_for_new_ones_and_not_all_are_kept() -> None:
    made: list[Thing] = []
    doubled = once_each(doubling(made))
    early = Thing(-1)
    assert doubled(early) == -2
    assert all(doubled(Thing(number)) == 2 * number for number in range(MOST_THINGS))
    assert [doubled(early), doubled(early)] == [-2, -2]
    assert len(made) == MOST_THINGS + 2


def doubling(made: list[Thing]) -> Callable[[Thing], int]:
    def double(thing: Thing) -> int:
        made.append(thing)
        return 2 * thing.number

    return double
