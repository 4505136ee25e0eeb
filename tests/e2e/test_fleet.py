"""Workers, Redis and PostgreSQL are killed while campaigns are paused: nothing is lost, and nothing done twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.core.errors import StoreError
from service.store.store import Store
from tests.eventually import eventually
from tests.fleet.fleet import Fleet, fleet
from tests.fleet.town import SERVICES, rule_file, slug, write_rules

CAMPAIGNS = 4
GROUP = 4
"""Clinics that are sold out at a time."""

SPEED = 60.0
EVERY = "15m"
"""A quarter of an hour of this world takes 15 s."""

NOW = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)
PATIENCE = 90.0


@asynccontextmanager
async def running(folder: Path, clinics: int) -> AsyncIterator[Fleet]:
    """Two workers that have evaluated every clinic once."""
    with fleet(folder, clinics, CAMPAIGNS, speed=SPEED, now=NOW, every=EVERY) as made:
        made.start_worker()
        made.start_worker()
        async with made.store() as store:
            await eventually(lambda: all_have_run(store, made.clinics), PATIENCE)
        yield made


async def all_have_run(store: Store, clinics: Iterable[str]) -> bool:
    try:
        runs = [(await store.runs.runs([clinic])).items for clinic in clinics]
    except StoreError:
        return False
    return all(any(run.status == "finished" for run in each) for each in runs)


def stop_ads(made: Fleet, clinics: range) -> None:
    """Somebody edits the rule files of these clinics, and wants their ads for physiotherapy paused."""
    write_rules(made.folder / "rules", clinics, CAMPAIGNS, stopped=True)


def of_physio(clinics: range) -> list[str]:
    """The platforms' ids of the campaigns that are for physiotherapy."""
    files = (rule_file(n, CAMPAIGNS) for n in clinics)
    return [entry["id"] for each in files for entry in each["campaigns"].values() if entry["service"] == SERVICES[0]]


async def changes_begun(store: Store, clinics: range) -> bool:
    """Whether a change of one of these clinics is on its way."""
    return any([await store.intents.open(slug(n)) for n in clinics])


async def each_is_paused_once(made: Fleet, clinics: range) -> None:
    """Wait until every campaign that should be is paused; each was changed once."""

    async def paused() -> bool:
        held = made.town.told("held")
        return all(held[id_]["status"] == "PAUSED" for id_ in of_physio(clinics))

    await eventually(paused, PATIENCE)
    held = made.town.told("held")
    assert {id_: held[id_]["changes"] for id_ in of_physio(clinics)} == dict.fromkeys(of_physio(clinics), 1), made.logs()


async def nothing_is_lost(made: Fleet) -> None:
    """Every change is settled, every chain holds, no run is left open, and what was recorded is what the platforms did."""

    async def settled() -> bool:
        async with made.store() as store:
            return not any([await store.intents.open(clinic) for clinic in made.clinics])

    await eventually(settled, PATIENCE)
    made.stop_workers()
    held = made.town.told("held")
    async with made.store() as store:
        for n, clinic in enumerate(made.clinics):
            assert (await store.ledger.verify(clinic)).ok
            records = (await store.ledger.records(chains=[clinic], limit=500)).items
            kinds = [record.kind for record in records]
            applied = sum(held[id_]["changes"] for id_ in of_physio(range(n, n + 1)))
            assert kinds.count("change.applied") == applied
            assert kinds.count("change.intended") == sum(
                kinds.count(f"change.{how}") for how in ("applied", "failed", "superseded")
            )
            assert await store.runs.unfinished(clinic) == ()


async def goes_on(made: Fleet) -> None:
    """Wait until every clinic has had a run that began after this was asked."""
    since = made.clock()

    async def again() -> bool:
        try:
            async with made.store() as store:
                runs = [(await store.runs.runs([clinic], limit=3)).items for clinic in made.clinics]
        except StoreError:
            return False
        done = ("finished", "incomplete")  # whose key was revoked is read no more, and kept as it is
        return all(any(run.status in done and run.started_at >= since for run in each) for each in runs)

    await eventually(again, PATIENCE)


Blow = Callable[[Fleet], None]


def kill_a_worker(made: Fleet) -> None:
    made.kill_worker(made.workers[0])
    made.start_worker()


def kill_redis(made: Fleet) -> None:
    made.redis.kill()
    made.redis.start()  # and it has lost all it knew


def crash_postgresql(made: Fleet) -> None:
    made.postgres.stop("immediate")
    made.postgres.start()


BLOWS: tuple[Blow, ...] = (kill_a_worker, kill_redis, crash_postgresql)


async def test_whatever_is_killed_while_campaigns_are_paused_each_is_paused_once(tmp_path: Path) -> None:
    async with running(tmp_path, len(BLOWS) * GROUP) as made:
        for n, blow in enumerate(BLOWS):
            group = range(n * GROUP, (n + 1) * GROUP)
            stop_ads(made, group)
            async with made.store() as store:
                await eventually(lambda store=store, group=group: changes_begun(store, group), PATIENCE)  # type: ignore[misc] # bound now
            blow(made)
            await each_is_paused_once(made, group)
        await goes_on(made)  # a run that was cut off is closed by the clinic's next
        await nothing_is_lost(made)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
async def test_blows_at_any_moment(tmp_path: Path, seed: int) -> None:
    """Several in a row, at random moments, a fifth of the clinics' keys revoked."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    groups = 5
    async with running(tmp_path, groups * GROUP) as made:
        last = range((groups - 1) * GROUP, groups * GROUP)
        made.town.told("revoke", last.start, last.stop)
        for n in range(groups - 1):
            group = range(n * GROUP, (n + 1) * GROUP)
            stop_ads(made, group)
            for _ in range(3):
                await asyncio.sleep(chance.uniform(0.5, 8.0))
                chance.choice(BLOWS)(made)
            await each_is_paused_once(made, group)
        await goes_on(made)
        await nothing_is_lost(made)
