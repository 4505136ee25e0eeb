"""Once a day: what was kept for as long as the settings say is let go of, in steps too short for anybody to wait for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog

from service.app import App

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many runs' inputs and outcomes, looks, documents that nothing needed any more, and rows for reports were removed."""

    runs: int
    looks: int
    documents: int
    seen: int = 0


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
    log.info("forgotten", runs=runs, looks=looks, seen=seen, documents=documents)
    return Forgotten(runs, looks, documents, seen)


async def _steps(step: Callable[[], Awaitable[int]], goes_on: Callable[[], bool]) -> int:
    done = 0
    while goes_on() and (some := await step()):
        done += some
    return done
