"""From looks to the booking pace of a clinic, about once a local day. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise

from service.core.days import HORIZON
from service.core.pace.learn import WEEK, Learner, learnt
from service.core.pace.looks import Look, Row, history
from service.core.pace.model import BUCKETS, NORMAL, WINDOWS, Pace, Place, Rung, ServicePace
from service.core.pace.spread import Missed, by_bucket, by_window, missed, quantiles

MEMORY = 10 * WEEK
"""How many days back looks are learnt from."""

OWN = 200
"""From how many past errors on a service's bands have their own shape rather than the clinic's."""

DIGITS = 4
"""Decimals kept: a ten-thousandth of an opening is far below what is known."""


def fit(looks: Iterable[Look], today: date) -> Pace:
    """The pace that the looks of the ten weeks up to `today` show; later looks are as if they did not exist.

    Deterministic, whatever the order of the looks.
    """
    last = today.toordinal()
    rows = history(looks, last - MEMORY + 1, last)
    if not rows:
        return Pace(today)
    first = min(day for seen in rows.values() for day in seen)
    learners = learnt(rows, first, last)
    misses = {(one.service, one.location): missed(one) for one in learners if one.ready}
    shapes = by_bucket(list(misses.values()))
    services = sorted({one.service for one in learners})
    return Pace(today, {name: _service([one for one in learners if one.service == name], misses, shapes) for name in services})


def _service(
    learners: Sequence[Learner], misses: dict[tuple[str, str], Missed], clinic: Sequence[Sequence[float]]
) -> ServicePace:
    known = [misses[one.service, one.location] for one in learners if one.ready]
    if not known:
        places = {one.location: _unlearnt(one) for one in learners}
        return ServicePace(Rung.OPENINGS_NOW, _looked(learners), places, (NORMAL,) * len(clinic), (NORMAL,) * len(WINDOWS))
    own = by_bucket(known)
    return ServicePace(
        Rung.PICKUP if len(known) == len(learners) else Rung.OPENINGS_NOW,
        _looked(learners),
        {one.location: _place(one, misses[one.service, one.location]) if one.ready else _unlearnt(one) for one in learners},
        tuple(
            quantiles(mine if len(mine) >= OWN else all_, BUCKETS.count(n))
            for n, (mine, all_) in enumerate(zip(own, clinic, strict=True))
        ),
        tuple(quantiles(values, window) for values, window in zip(by_window(known), WINDOWS, strict=True)),
    )


def _looked(learners: Iterable[Learner]) -> int:
    return len({day for one in learners for day, _ in one.rows})


def _place(learner: Learner, misses: Missed) -> Place:
    cells = [round(learner.shift(cell), DIGITS) for cell in range(WEEK * HORIZON)]
    return Place(
        _rounded(learner.kept),
        tuple(tuple(cells[start : start + HORIZON]) for start in range(0, WEEK * HORIZON, HORIZON)),
        _rounded(misses.variance),
        _rounded(misses.swing),
    )


def _unlearnt(learner: Learner) -> Place:
    """Too few looks: openings stay as they are, give or take what the few days seen changed."""
    came = [step for (_, before), (_, after) in pairwise(learner.rows) for step in _changes(before, after)]
    mean, square = (sum(x**power for x in came) / len(came) if came else 0.0 for power in (1, 2))
    variance = _rounded([square * n + (mean * n) ** 2 for n in range(HORIZON)])
    return Place((1.0,) * HORIZON, ((0.0,) * HORIZON,) * WEEK, variance)


def _changes(before: Row, after: Row) -> list[float]:
    return [b - a for a, b in zip(before[1:], after, strict=False) if a is not None and b is not None]


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(x, DIGITS) for x in values)
