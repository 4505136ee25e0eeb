"""One pass over clinics, and one clinic of it: what the hourly loop, the workers and the command line share.

One clinic failing never blocks another, and a few are evaluated at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from service.app import App
from service.core.errors import GovernorError
from service.governor import Report

CONCURRENT = 4
"""How many clinics are evaluated at a time: each waits mostly for its own Cliniko account's request limit."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """A clinic that could not be evaluated, and why."""

    clinic: str
    error: Exception


async def evaluate_all(
    app: App, clinics: Iterable[str], *, dry_run: bool, done: Callable[[], object] | None = None
) -> list[Report | Failure]:
    """Evaluate each clinic once, in the order given; what goes wrong with one is its entry in the result.

    The next clinic is taken from `clinics` when there is a place for it, so whoever ends that iterable early ends the pass
    after the clinics under way. `done` is called after each of them.
    """
    waiting = enumerate(clinics)
    found: dict[int, Report | Failure] = {}

    async def worker() -> None:
        for place, clinic in waiting:
            found[place] = await evaluate(app, clinic, dry_run=dry_run)
            if done is not None:
                done()

    async with asyncio.TaskGroup() as workers:
        for _ in range(CONCURRENT):
            workers.create_task(worker())
    return [found[place] for place in sorted(found)]


async def evaluate(app: App, clinic: str, *, dry_run: bool) -> Report | Failure:
    """Evaluate one clinic once; what goes wrong is logged, and returned."""
    try:
        return await app.governor.run(clinic, dry_run=dry_run)
    except GovernorError as error:
        log.warning("evaluation_failed", clinic=clinic, error=str(error))
        return Failure(clinic, error)
    except Exception as error:
        log.exception("evaluation_crashed", clinic=clinic)
        return Failure(clinic, error)
