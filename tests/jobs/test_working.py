"""Workers over the sandbox's world, with a real Redis: only what is beyond the wire is not there."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis.exceptions import ResponseError
from saq import Job, Status
from saq.queue.redis import RedisQueue

from service.app import App
from service.core.errors import StoreError
from service.governor import RENEWAL_SECONDS
from service.jobs.queue import ATTEMPTS, Pace, evaluation, queue_at
from service.jobs.slots import Slot
from service.jobs.worker import LEAVE_SECONDS, SAID_EVERY, Labour, Quiet
from service.jobs.working import AgainError, Working
from service.monitor import Late
from service.sandbox.scene import HARBOUR, NORTHSIDE, SUNDAY_MORNING, scene
from service.settings import WorkerSettings
from service.shared.connection import LOST
from service.store.leases import TERM
from tests.eventually import eventually
from tests.redis_server import GIVEN_UP, RedisServer, redis_server
from tests.watching import Recorder
from tests.web.world import Gate, Near, app_over

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
URL = "https://beats.example/5f1a-secret"
HURRIED = Pace(deadline=60, silent=6, sweep=1, again=0.2, again_at_most=0.5, grace=3)
CLINICS = (HARBOUR, NORTHSIDE)


pytestmark = GIVEN_UP


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
    queue = queue_at(SecretStr(server.url), "test")
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
    labour = Labour(app, queue_at(SecretStr(server.url), "test", pace), pace=pace)
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
    assert sum(put) == 6  # in this slot and the last two clinics, and the look at what came of it
    assert await queue.count("incomplete") == 6
    assert await workers[0].fill() == 0


async def test_two_installations_on_one_redis_leave_each_other_alone(app: App, server: RedisServer, queue: RedisQueue) -> None:
    other = queue_at(SecretStr(server.url), "another")
    assert await Working(app, other).fill() == await Working(app, queue).fill() == 6
    assert await other.count("incomplete") == 6
    await other.disconnect()


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
    assert await working.fill() == 6


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


async def all_had(app: App, runs: int, seconds: float = 30) -> None:
    """Wait until every clinic has had so many runs, and none had more."""
    for clinic in CLINICS:

        async def enough(clinic: str = clinic) -> bool:
            return await had(app, clinic, runs)

        await eventually(enough, seconds)


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


async def test_a_worker_takes_as_many_clinics_at_a_time_as_it_is_told(
    app: App, near: Near, server: RedisServer, queue: RedisQueue
) -> None:
    gate, one = Gate(near), app.settings.model_copy(update={"worker": WorkerSettings(concurrency=1)})
    single = replace(app, settings=one, governor=replace(app.governor, outside=gate))
    for clinic in CLINICS:
        await queue.enqueue(asked(app, clinic))
    async with at_work(single, server):
        await asyncio.wait_for(gate.reached.wait(), 30)
        await asyncio.sleep(1)  # in which the other would have been taken too
        assert len(await app.store.runs.unfinished()) == 1
        gate.open.set()
        await all_had(app, 1)


async def tried(queue: RedisQueue, key: str, times: int) -> Job:
    """A job, once it has failed so many times."""

    async def failed() -> Job | None:
        job = await queue.job(key)
        return job if job is not None and job.attempts >= times and job.error else None

    job = await eventually(failed)
    assert job is not None
    return job


async def test_what_failed_is_tried_again_until_it_works(app: App, near: Near, server: RedisServer, queue: RedisQueue) -> None:
    near.crashing.add(HARBOUR)
    await queue.enqueue(asked(app, HARBOUR, key="mine"))
    async with at_work(app, server):
        await tried(queue, "mine", 2)
        near.crashing.clear()
        await eventually(lambda: had(app, HARBOUR, 1))


async def test_what_nobody_foresaw_is_not_told_to_redis(app: App, near: Near, server: RedisServer, queue: RedisQueue) -> None:
    near.crashing.add(HARBOUR)
    await queue.enqueue(asked(app, HARBOUR, key="mine"))
    async with at_work(app, server):
        error = (await tried(queue, "mine", 1)).error or ""
    assert "ZeroDivisionError: see the log" in error
    assert "hunter2" not in error


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


async def test_a_worker_that_does_not_have_a_clinics_file_leaves_it_to_others(app: App, queue: RedisQueue) -> None:
    (app.settings.rules_dir / f"{HARBOUR}.yaml").unlink()
    job = asked(app, HARBOUR)
    with pytest.raises(AgainError, match=HARBOUR):
        await Working(app, queue).evaluate(context(job, queue), clinic=HARBOUR, due=app.clock().isoformat())


async def test_what_redis_cannot_be_told_of_a_job_ends_nothing(app: App, server: RedisServer) -> None:
    away = queue_at(SecretStr(server.url.replace(str(server.port), "1")), "test")
    job = asked(app, HARBOUR)
    job.queue = away
    await away.finish(job, Status.COMPLETE)
    await away.retry(job, "it failed")
    assert away.steady_since is None
    with pytest.raises(LOST):
        await away.sweep()


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
            assert not await working.close(context(job, queue), begins=slot.begins.isoformat(), seconds=3600)
            assert pings.count == 0
            await working.evaluate(context(job, queue), clinic=clinic, due=due)
    assert await working.close(context(job, queue), begins=slot.begins.isoformat(), seconds=3600)
    assert pings.count == 1
    assert not await working.close(context(job, queue), begins=slot.ends.isoformat(), seconds=3600)


# --- the end ------------------------------------------------------------------------------------------------------------


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
    await Working(app, queue).fill()
    await queue.redis.delete(*await queue.redis.keys("saq:*"))  # nothing but what follows is there to be done
    await queue.redis.set(f"{queue.namespace('full')}:{Slot.at(app.clock(), HOUR).number}", "x")
    await queue.enqueue(asked(app, HARBOUR, key="mine"))
    taken = await queue.dequeue(1)  # by a worker that dies now
    assert taken is not None
    taken.attempts, taken.started = 1, int(time.time() * 1000)
    await taken.update(status=Status.ACTIVE)
    async with at_work(app, server):

        async def taken_over() -> bool:
            job = await queue.job("mine")
            return job is not None and job.attempts > 1 and job.status == Status.COMPLETE

        await eventually(taken_over)


async def test_a_redis_that_hangs_for_long_takes_no_run_from_its_worker(app: App, near: Near, tmp_path: Path) -> None:
    slow, gate = gated(app, near)
    with redis_server(tmp_path / "one", durable=True) as server:
        async with at_work(slow, server), at_work(slow, server):
            await asyncio.wait_for(gate.reached.wait(), 30)
            with server.hanging():
                await asyncio.sleep(2 * HURRIED.silent)
            await asyncio.sleep(2 * HURRIED.sweep)
            gate.open.set()
            await all_had(app, 1)


async def test_a_redis_that_hangs_does_not_keep_a_worker_from_ending(app: App, near: Near, tmp_path: Path) -> None:
    slow, _ = gated(app, near)
    with redis_server(tmp_path / "one") as server, ExitStack() as hanging:
        pace = replace(HURRIED, grace=1)
        async with asyncio.timeout(30), at_work(slow, server, pace):
            await asyncio.sleep(0.5)
            hanging.enter_context(server.hanging())
            began = time.monotonic()
    assert time.monotonic() - began < pace.grace + LEAVE_SECONDS + 5


async def test_a_redis_that_refuses_is_asked_now_and_then(app: App, server: RedisServer, queue: RedisQueue) -> None:
    async with at_work(app, server) as labour:
        await all_had(app, 1)
        await labour.ready()
        await queue.redis.config_set("maxmemory", "1")
        try:

            async def refused() -> bool:
                with suppress(StoreError):
                    await labour.ready()
                    return False
                return True

            await eventually(refused)
            spent = time.process_time()
            await asyncio.sleep(2)
            assert time.process_time() - spent < 1.0  # and not as often as it can
        finally:
            await queue.redis.config_set("maxmemory", "0")
        await eventually(lambda: is_ready(labour))


async def is_ready(labour: Labour) -> bool:
    with suppress(StoreError):
        await labour.ready()
        return True
    return False


async def test_a_worker_that_is_there_before_its_rule_files_waits_for_them(app: App, server: RedisServer) -> None:
    rules = app.settings.rules_dir
    rules.rename(rules.with_name("away"))
    async with at_work(app, server, replace(HURRIED, schedule="* * * * * */1")) as labour:
        await asyncio.sleep(1.5)
        assert labour.trouble() == ""
        rules.with_name("away").rename(rules)
        await all_had(app, 1, 60)


async def test_what_was_given_up_is_put_there_anew(app: App, queue: RedisQueue) -> None:
    working = Working(app, queue)
    await working.fill()
    jobs = [job async for job in queue.iter_jobs()]
    await queue.finish(jobs[0], Status.FAILED)
    jobs[1].status, jobs[1].touched = Status.ABORTING, 0
    await queue.redis.set(jobs[1].id, queue.serialize(jobs[1]))  # whoever was taking it from its worker died
    await queue.redis.zrem(queue.namespace("incomplete"), jobs[1].id)
    await queue.redis.delete(*await queue.redis.keys("*:full:*"))
    assert await working.fill() == 2


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
                queue = queue_at(SecretStr(server.url), "test")
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


def test_what_is_wrong_with_redis_is_said_in_a_line_now_and_then() -> None:
    seconds = [0.0]
    quiet = Quiet(lambda: seconds[0])

    def line(error: Exception) -> str | None:
        record = logging.LogRecord("saq", logging.ERROR, "", 0, "Upkeep task failed", None, (type(error), error, None))
        return record.getMessage() if quiet(record) else None

    full = ResponseError("OOM command not allowed when used memory > 'maxmemory'.")
    assert line(full) == f"Redis refuses: ResponseError: {full}"
    assert line(ConnectionError("refused")) is None
    assert line(AgainError("logged where it failed")) is None
    assert line(ValueError("a defect")) == "Upkeep task failed"
    seconds[0] = SAID_EVERY
    assert line(ConnectionError("refused")) == "Redis cannot be reached: ConnectionError: refused"
