"""Names as people write them: which one was probably meant, how several read in a sentence. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from service.core.offers import fold

MOST_NAMED = 8
"""A longer list is not read."""


def near(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` was probably meant to be."""
    folded = {fold(each): each for each in names}
    found = difflib.get_close_matches(fold(name)[:200], folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def listed(names: Iterable[str]) -> str:
    """`A`, `A and B`, `A, B and C`; a long list ends in `and 7 more`."""
    every = list(dict.fromkeys(names))
    shown, rest = every[:MOST_NAMED], every[MOST_NAMED:]
    last = [f"{len(rest)} more"] if rest else [shown.pop()] if len(shown) > 1 else []
    return f"{', '.join(shown)} and {last[0]}" if last else "".join(shown)


def counted(count: int, thing: str) -> str:
    """`1 campaign`, `3 campaigns`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def verb(names: Iterable[str], one: str, several: str) -> str:
    """The form of a verb that goes with so many names."""
    return one if len(set(names)) == 1 else several
