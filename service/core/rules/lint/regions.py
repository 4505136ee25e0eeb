"""Conditions as regions: sets of situations, written as boxes that may overlap. Pure.

Whether two conditions can hold together, or one implies the other, is then whether a region is empty, decided exactly as far as
`relations` knows the measures. A condition so knotted that it takes too many boxes raises `TooManyError`: then nothing is
found, which is better than something wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from service.core.rules.language import All, Any, Compare, Condition, Not
from service.core.rules.lint.axes import needs, slabs
from service.core.rules.lint.relations import Box, possible
from service.core.rules.lint.spans import ANY

Region = tuple[Box, ...]

EVERYWHERE: Region = ({},)
NOWHERE: Region = ()
MOST = 64
"""Boxes; nobody reads a condition that needs half of them."""


class TooManyError(Exception):
    """A region would take more than `MOST` boxes; never leaves this package."""


def empty(make: Callable[[], Region]) -> bool:
    """Whether a region surely has no situation in it."""
    try:
        return not make()
    except TooManyError:
        return False


def occupied(make: Callable[[], Region]) -> bool:
    """Whether a region surely has a situation in it."""
    try:
        return bool(make())
    except TooManyError:
        return False


def holds(condition: Condition | None) -> Region:
    """Where a condition certainly holds; no condition holds everywhere."""
    return EVERYWHERE if condition is None else _where(condition, wanted=True, sure=True)


def may_hold(condition: Condition | None) -> Region:
    """Where a condition holds or nobody can tell."""
    return EVERYWHERE if condition is None else _where(condition, wanted=True, sure=False)


def may_fail(condition: Condition | None) -> Region:
    """Where a condition fails or nobody can tell, as far as its metrics are defined: else nothing is moved at all."""
    return NOWHERE if condition is None else _where(condition, wanted=False, sure=False)


@lru_cache(maxsize=4096)
def _where(condition: Condition, *, wanted: bool, sure: bool) -> Region:
    match condition:
        case Compare():
            return _compared(condition, wanted=wanted, sure=sure)
        case Not():
            return _where(condition.term, wanted=not wanted, sure=sure)
        case All() | Any():
            parts = [_where(term, wanted=wanted, sure=sure) for term in condition.terms]
            return both(*parts) if isinstance(condition, All) == wanted else either(*parts)


def _compared(condition: Compare, *, wanted: bool, sure: bool) -> Region:
    found = slabs(condition, sure=sure == wanted)
    around = dict(needs(condition))
    if wanted:
        return _kept([around | dict(found)])
    return _kept([around | {axis: axis.clipped(part)} for axis, span in found for part in span.outside()])


def both(*regions: Region) -> Region:
    """The situations in all of these."""
    found = EVERYWHERE
    for region in sorted(regions, key=len):
        found = _kept(meet(one, other) for one in found for other in region)
    return found


def either(*regions: Region) -> Region:
    """The situations in any of these."""
    return _kept(box for region in regions for box in region)


def meet(one: Box, other: Box) -> Box:
    """The situations in both boxes."""
    return {axis: axis.clipped(one.get(axis, ANY).meet(other.get(axis, ANY))) for axis in {**one, **other}}


def _kept(boxes: Iterable[Box]) -> Region:
    """Those with a situation in them, without those that lie within another."""
    found: list[Box] = []
    for box in boxes:
        if possible(box) and not any(_inside(box, other) for other in found):
            found = [*(other for other in found if not _inside(other, box)), box]
            if len(found) > MOST:
                raise TooManyError
    return tuple(found)


def _inside(box: Box, other: Box) -> bool:
    return all(axis in box and box[axis].within(span) for axis, span in other.items())
