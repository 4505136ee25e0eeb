"""The first rows of several groups, such as the newest of several clinics.

Asked for all groups at once, a database reads and sorts every row that any of them has, or reads past all rows of the others.
So of each group the first are found, by its index, and of these the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, select, union_all

FEW = 20
"""So many groups cost less to look up one by one than what is in between them costs to read past."""

COMPOUND = 400
"""Queries that are put together at once; SQLite takes 500."""


def firsts(
    keys: Select[Any], groups: Iterable[ColumnElement[bool]], limit: int | BindParameter[int], *, descending: bool = True
) -> Select[Any]:
    """The last column of `keys` (the id) of the first rows of these groups, in the order of all its columns."""

    def first(query: Select[Any]) -> Select[Any]:
        columns = query.selected_columns
        return query.order_by(*(each.desc() if descending else each.asc() for each in columns)).limit(limit)

    each = [select(first(keys.where(group)).subquery()) for group in groups]
    found = select(union_all(*_compound(each)).subquery())
    names = first(found).subquery().c
    return select([*names][-1])


def _compound(queries: Sequence[Select[Any]]) -> list[Select[Any]]:
    return [select(union_all(*queries[n : n + COMPOUND]).subquery()) for n in range(0, len(queries), COMPOUND)]
