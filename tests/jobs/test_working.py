"""Workers over the sandbox's world, with a real Redis: only what is beyond the wire is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from saq import Job, Status
from saq.queue.redis import RedisQueue

from service.app import App
from service.core.rules.language import RuleSet
from service.governor import RENEWAL_SECONDS
from service.jobs.queue import ATTEMPTS, Pace, evaluation, queue_at
from service.jobs.slots import Slot
from service.jobs.worker import Labour
from service.jobs.working import AgainError, Working
from service.monitor import Late
from service.observe import Outside
from service.sandbox.scene import HARBOUR, NORTHSIDE, SUNDAY_MORNING, scene
from service.store.leases import TERM
from tests.eventually import eventually
from tests.redis_server import RedisServer, redis_server
from tests.watching import Recorder
from tests.web.world import Near, app_over

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
URL = "https://beats.example/5f1a-secret"
HURRIED = Pace(deadline=60, silent=2, sweep=1, again=0.2, again_at_most=0.5, grace=3)
CLINICS = (HARBOUR, NORTHSIDE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def near() -> Near:
    return Near(scene())


@pytest.fixture
async def app(near: Near, tmp_path: Path) -> AsyncIterator[App]:
    async with app_over(near, tmp_path, heartbeat_url=SecretStr(URL)) as opened:
        yield opened


@pytest.fixture(autouse=True)
async def queue(server: RedisServer) -> AsyncIterator[RedisQueue]:
    """One of the test's own, empty."""
    queue = queue_at(SecretStr(server.url))
    await queue.redis.flushdb()
    yield queue
    await queue.disconnect()


@dataclass(slots=True)
class Pings:
    count: int = 0

    def transport(self) -> httpx.MockTransport:
        def answer(_: httpx.Request) -> httpx.Response:
            self.count += 1
            return httpx.Response(200)

        return httpx.MockTransport(answer)


@asynccontextmanager
async def at_work(app: App, server: RedisServer, pace: Pace = HURRIED) -> AsyncIterator[Labour]:
    """A worker of its own, with connections of its own, for as long as the block lasts."""
    labour = Labour(app, queue_at(SecretStr(server.url)), pace=pace)
    async with labour.running():
        yield labour


async def statuses(app: App, clinic: str) -> list[str]:
    """What came of the clinic's runs, oldest first."""
    runs = (await app.store.runs.runs([clinic])).items
    return [run.status for run in sorted(runs, key=lambda run: run.id)]


def asked(app: App, clinic: str, due: datetime | None = None, **options: Any) -> Job:
    """A job for a clinic that is due now."""
    due = due or app.clock()
    return replace(evaluation(clinic, due, at=0, every=HOUR, pace=HURRIED), **{"scheduled": 0, **options})


def context(job: Job, queue: RedisQueue) -> Any:
    job.queue = queue
    return {"job": job}


# --- putting jobs into the queue ----------------------------------------------------------------------------------------


async def test_each_clinic_has_one_job_a_slot_however_many_workers_put_it_there(app: App, queue: RedisQueue) -> None:
    workers = [Working(app, queue) for _ in range(5)]
    put = await asyncio.gather(*(worker.fill() for worker in workers))
    assert sum(put) >= 5  # two clinics in this slot and the last, and the look at what came of this one
    assert await queue.count("incomplete") == 5
    assert await workers[0].fill() == 0


async def test_jobs_are_begun_when_the_clinic_is_due(app: App, queue: RedisQueue) -> None:
    await Working(app, queue, epoch_of=lambda instant: instant.timestamp()).fill()
    jobs = [job async for job in queue.iter_jobs()]
    slot = Slot.at(SUNDAY_MORNING, HOUR)
    found = {(job.kwargs["clinic"], job.scheduled) for job in jobs if job.function == "evaluate" and job.kwargs}
    assert found == {(clinic, each.due(clinic).timestamp()) for clinic in CLINICS for each in (slot.before, slot)}


async def test_the_next_slots_jobs_are_there_before_it_begins(app: App, near: Near, queue: RedisQueue) -> None:
    working = Working(app, queue)
    await working.fill()
    near.world.advance(Slot.at(SUNDAY_MORNING, HOUR).ends - SUNDAY_MORNING - MINUTE)
    assert await working.fill() == 3


async def test_a_clinic_that_comes_is_not_kept_waiting_for_the_next_slot(app: App, queue: RedisQueue) -> None:
    working = Working(app, queue)
    file = app.settings.rules_dir / f"{NORTHSIDE}.yaml"
    text = file.read_text("utf-8")
    file.unlink()
    await working.fill()
    file.write_text(text, "utf-8")
    assert await working.fill() == 2


async def test_a_redis_that_lost_everything_is_filled_again(app: App, queue: RedisQueue) -> None:
    working = Working(app, queue)
    await working.fill()
    await queue.redis.flushdb()
    assert await working.fill() == 5


# --- a clinic -----------------------------------------------------------------------------------------------------------


async def test_a_worker_evaluates_every_clinic_at_once_and_when_it_is_due_again(
    app: App, near: Near, server: RedisServer, queue: RedisQueue
) -> None:
    recorder = Recorder()
    app.monitor.watchers.append(recorder)
    async with at_work(app, server):
        await all_had(app, 1)
        near.world.advance(HOUR)
        await queue.redis.flushdb()  # what is put there now is due, by a clock that was moved
        await Working(app, queue).fill()
        await all_had(app, 2)
    late = [fact.seconds for fact in recorder.facts if isinstance(fact, Late)]
    assert len(late) == 4
    assert all(0 <= seconds < 3600 for seconds in late)


async def had(app: App, clinic: str, runs: int) -> bool:
    found = await statuses(app, clinic)
    assert len(found) <= runs, found
    return found == ["finished"] * runs


async def all_had(app: App, runs: int) -> None:
    """Wait until every clinic has had so many runs, and none had more."""
    for clinic in CLINICS:

        async def enough(clinic: str = clinic) -> bool:
            return await had(app, clinic, runs)

        await eventually(enough)


async def test_a_job_too_many_does_nothing(app: App, queue: RedisQueue) -> None:
    working = Working(app, queue)
    job = asked(app, HARBOUR)
    due = app.clock().isoformat()
    assert await working.evaluate(context(job, queue), clinic=HARBOUR, due=due) == "finished"
    assert await working.evaluate(context(job, queue), clinic=HARBOUR, due=due) == "done"
    assert await statuses(app, HARBOUR) == ["finished"]


async def test_missed_hours_are_not_caught_up(app: App, queue: RedisQueue) -> None:
    long_ago = app.clock() - HOUR
    working, job = Working(app, queue), asked(app, HARBOUR, long_ago)
    assert await working.evaluate(context(job, queue), clinic=HARBOUR, due=long_ago.isoformat()) == "overtaken"
    assert await statuses(app, HARBOUR) == []


async def test_what_failed_is_tried_again_until_it_works(app: App, near: Near, server: RedisServer, queue: RedisQueue) -> None:
    near.crashing.add(HARBOUR)
    await queue.enqueue(asked(app, HARBOUR, key="mine"))
    async with at_work(app, server):

        async def failed_twice() -> bool:
            job = await queue.job("mine")
            return job is not None and job.attempts >= 2

        await eventually(failed_twice)
        near.crashing.clear()
        await eventually(lambda: had(app, HARBOUR, 1))
    job = await queue.job("mine")
    assert job is not None
    assert job.result in {"finished", "done"}
    assert "hunter2" not in str(job.to_dict())


async def test_a_clinic_that_another_has_is_tried_again_when_its_lease_must_have_run_out(app: App, queue: RedisQueue) -> None:
    await app.store.leases.acquire(HARBOUR, "another", TERM, app.clock())
    job = asked(app, HARBOUR)
    with pytest.raises(AgainError, match="under way"):
        await Working(app, queue).evaluate(context(job, queue), clinic=HARBOUR, due=app.clock().isoformat())
    assert job.next_retry_delay() == TERM.total_seconds() + RENEWAL_SECONDS


async def test_what_a_person_must_mend_is_left_until_the_next_hour(app: App, queue: RedisQueue) -> None:
    (app.settings.rules_dir / f"{HARBOUR}.yaml").write_text("version: 7\n", "utf-8")
    job = asked(app, HARBOUR)
    assert await Working(app, queue).evaluate(context(job, queue), clinic=HARBOUR, due=app.clock().isoformat()) == "refused"


async def test_how_long_a_failed_job_waits_grows_and_has_an_end() -> None:
    job = evaluation(HARBOUR, SUNDAY_MORNING, at=0, every=HOUR)
    longest = []
    for attempts in range(1, ATTEMPTS):
        job.attempts = attempts
        longest.append(max(job.next_retry_delay() for _ in range(300)))
    assert longest[0] <= 30
    assert 300 < max(longest) <= 600


# --- all clinics --------------------------------------------------------------------------------------------------------


async def test_a_slot_is_good_when_every_clinic_has_had_its_run_and_only_then_it_is_pinged(
    app: App, near: Near, queue: RedisQueue
) -> None:
    pings = Pings()
    working = Working(app, queue, transport=pings.transport())
    slot = Slot.at(app.clock(), HOUR)
    near.world.advance(slot.ends - app.clock())
    near.crashing.add(NORTHSIDE)
    for clinic in CLINICS:
        job = asked(app, clinic, slot.due(clinic))
        due = slot.due(clinic).isoformat()
        try:
            await working.evaluate(context(job, queue), clinic=clinic, due=due)
        except AgainError:
            near.crashing.clear()
            assert not await working.close(context(job, queue), number=slot.number)
            assert pings.count == 0
            await working.evaluate(context(job, queue), clinic=clinic, due=due)
    assert await working.close(context(job, queue), number=slot.number)
    assert pings.count == 1
    assert not await working.close(context(job, queue), number=slot.number + 1)


# --- the end ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Gate:
    """The outside of clinics that is not reached before somebody opens the gate."""

    near: Near
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, rules: RuleSet) -> Outside:
        outside = self.near(rules)
        return replace(outside, diaries=GatedDiaries(self, outside.diaries))


@dataclass(slots=True)
class GatedDiaries:
    gate: Gate
    behind: Any

    async def read(self, services: Any) -> Any:
        self.gate.reached.set()
        await self.gate.open.wait()
        return await self.behind.read(services)


def gated(app: App, near: Near) -> tuple[App, Gate]:
    gate = Gate(near)
    return replace(app, governor=replace(app.governor, outside=gate)), gate


async def test_a_worker_that_is_stopped_ends_what_it_has_begun(
    app: App, near: Near, server: RedisServer, queue: RedisQueue
) -> None:
    slow, gate = gated(app, near)
    async with at_work(slow, server):
        await asyncio.wait_for(gate.reached.wait(), 30)
        asyncio.get_running_loop().call_later(0.5, gate.open.set)
    assert [await statuses(app, clinic) for clinic in CLINICS] == [["finished"], ["finished"]]
    assert await queue.count("active") == 0


async def test_what_takes_longer_is_put_back_and_another_worker_ends_it(
    app: App, near: Near, server: RedisServer, queue: RedisQueue
) -> None:
    slow, gate = gated(app, near)
    async with at_work(slow, server, replace(HURRIED, grace=1)):
        await asyncio.wait_for(gate.reached.wait(), 30)
    assert await queue.count("active") == 0
    async with at_work(app, server):
        for clinic in CLINICS:

            async def done(clinic: str = clinic) -> bool:
                return "finished" in await statuses(app, clinic)

            await eventually(done)
    for clinic in CLINICS:
        assert (await app.store.ledger.verify(clinic)).ok


async def test_a_job_whose_worker_is_not_heard_of_is_another_workers(app: App, server: RedisServer, queue: RedisQueue) -> None:
    job = asked(app, HARBOUR, key="mine")
    await queue.enqueue(job)
    taken = await queue.dequeue(1)  # by a worker that dies now
    assert taken is not None
    taken.attempts, taken.started = 1, 0
    await taken.update(status=Status.ACTIVE)
    async with at_work(app, server):
        await eventually(lambda: had(app, HARBOUR, 1))


async def test_a_run_that_takes_longer_than_a_silent_worker_is_waited_for_is_left_to_its_worker(
    app: App, near: Near, server: RedisServer
) -> None:
    slow, gate = gated(app, near)
    async with at_work(slow, server), at_work(slow, server):
        await asyncio.wait_for(gate.reached.wait(), 30)
        await asyncio.sleep(HURRIED.silent + 2 * HURRIED.sweep)
        gate.open.set()
        await all_had(app, 1)


async def test_what_takes_too_long_is_ended_and_tried_again(app: App, near: Near, server: RedisServer) -> None:
    slow, gate = gated(app, near)
    async with at_work(slow, server, replace(HURRIED, deadline=1)):
        await asyncio.wait_for(gate.reached.wait(), 30)
        await asyncio.sleep(1.5)
        gate.open.set()

        async def done() -> bool:
            return "finished" in await statuses(app, HARBOUR)

        await eventually(done)


# --- Redis is away ------------------------------------------------------------------------------------------------------


async def test_a_worker_outlives_its_redis_and_what_that_knew(app: App, near: Near, tmp_path: Path) -> None:
    with redis_server(tmp_path / "one") as server:
        async with at_work(app, server) as labour:
            await all_had(app, 1)
            server.kill()
            await asyncio.sleep(2)
            assert labour.trouble() == ""
            server.start()
            near.world.advance(HOUR)

            async def scheduled() -> bool:
                queue = queue_at(SecretStr(server.url))
                try:
                    return await Working(app, queue).fill() > 0
                finally:
                    await queue.disconnect()

            await eventually(scheduled)
            await all_had(app, 2)
            assert set(await labour.waiting()) == {"queued", "active", "scheduled"}


async def test_a_run_under_way_when_redis_goes_away_ends_as_it_would_have(app: App, near: Near, tmp_path: Path) -> None:
    slow, gate = gated(app, near)
    with redis_server(tmp_path / "one") as server:
        async with at_work(slow, server):
            await asyncio.wait_for(gate.reached.wait(), 30)
            server.kill()
            gate.open.set()

            async def done() -> bool:
                return "finished" in [*await statuses(app, HARBOUR), *await statuses(app, NORTHSIDE)]

            await eventually(done)
            server.start()
            await all_had(app, 1)
