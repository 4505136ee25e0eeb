"""Once a day: what was kept for as long as the settings say is let go of, in steps too short for anybody to wait for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial

import structlog

from service.app import App

KEEP_NOTICES = timedelta(days=30)
"""How long it can be looked up in the outbox what was told; the ledger has what it was made of for good."""

_DONE = "forgotten"
"""The note that it was done today: where each pass is a process of its own, nothing else remembers."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many were removed: inputs and outcomes of runs, looks, documents, old notices, and rows that reports are made of."""

    runs: int
    looks: int
    documents: int
    notices: int
    seen: int


async def forget_old(app: App, goes_on: Callable[[], bool] = lambda: True) -> Forgotten:
    """Remove what is older than the settings keep it; ends early, between two steps, where `goes_on` says so.

    Runs, decisions and the ledger stay. Raises StoreError.
    """
    settings, retention, now = app.settings, app.store.retention, app.clock()
    oldest, first = now - settings.keep_snapshots, (now - settings.keep_looks).date()
    runs = looks = seen = 0
    for clinic in await app.store.rules.clinics():
        runs += await _steps(partial(retention.forget_runs, clinic, oldest, now), goes_on)
        seen += await _steps(partial(retention.forget_seen, clinic, now - settings.keep_reports), goes_on)
        looks += await _steps(partial(retention.forget_looks, clinic, first), goes_on)
    documents = await _steps(partial(retention.forget_documents, oldest), goes_on)
    notices = await _steps(partial(retention.forget_notices, now - KEEP_NOTICES), goes_on)
    log.info("forgotten", runs=runs, looks=looks, seen=seen, documents=documents, notices=notices)
    return Forgotten(runs, looks, documents, notices, seen)


async def forget_once_a_day(app: App) -> Forgotten | None:
    """As `forget_old`, for whoever is started anew for each pass; None where it was done already since midnight (UTC).

    It is noted when it is done: one that was cut short goes on with the next pass. Raises StoreError.
    """
    notes, now = app.store.notes, app.clock()
    if await notes.get(_DONE, now) is not None:
        return None
    found = await forget_old(app)
    await notes.put(_DONE, now.isoformat(), _midnight_after(now), now)
    return found


def _midnight_after(now: datetime) -> datetime:
    return datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)


async def _steps(step: Callable[[], Awaitable[int]], goes_on: Callable[[], bool]) -> int:
    done = 0
    while goes_on() and (some := await step()):
        done += some
    return done
