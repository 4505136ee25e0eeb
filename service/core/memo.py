"""What was computed before, by everything it was computed from. Pure: it changes how long things take, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
U = TypeVar("U")

MOST = 20_000
"""So many results are kept before all are let go."""

MOST_THINGS = 4_096
"""So many things are kept beside what was made of them: many times what the rules of one clinic consist of."""


@dataclass(slots=True)
class Memo:
    """Tables of results, each for one kind of question."""

    _tables: dict[Hashable, dict[Any, Any]] = field(default_factory=dict)

    def table(self, *question: Hashable) -> dict[Any, Any]:
        """The results known of one kind of question; whoever asks adds to it."""
        return self._tables.setdefault(question, {})

    def trim(self) -> None:
        """Let go of what is known once it takes much room."""
        if len(self) > MOST:
            self._tables.clear()

    def __len__(self) -> int:
        return sum(map(len, self._tables.values()))


def once_each(make: Callable[[T], U]) -> Callable[[T], U]:
    """`make`, done once for each thing and not for each value: what is immutable and deep takes longer to compare than to make.

    What was made is kept beside the thing it was made of, whose identity nothing else can have meanwhile.
    """
    known: dict[int, tuple[T, U]] = {}

    def made(thing: T) -> U:
        found = known.get(id(thing))
        if found is None:
            if len(known) >= MOST_THINGS:
                known.clear()
            found = known[id(thing)] = thing, make(thing)
        return found[1]

    return made
