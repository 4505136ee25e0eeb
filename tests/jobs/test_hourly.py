"""The hourly loop in virtual time: sleeping moves the world's clock, and nothing here waits."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from service.app import App
from service.core.rules.language import RuleSet
from service.jobs.hourly import NAP_SECONDS, QUIET, Hourly, following
from service.observe import Outside
from service.sandbox.scene import HARBOUR, NORTHSIDE, SUNDAY_MORNING, scene
from service.store.leases import TERM
from tests.web.world import Gate, Near, app_over

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
URL = "https://beats.example/5f1a-secret"


class EndOfTimeError(Exception):
    """The story is over."""


@dataclass(slots=True)
class Time:
    """Sleeping takes no time of ours; at `end` the loop is stopped. `meanwhile` happens during each sleep."""

    near: Near
    end: datetime
    naps: list[float] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.near.world.advance(timedelta(seconds=seconds))
        self.meanwhile()
        await asyncio.sleep(0)
        if self.near.world.now >= self.end:
            raise EndOfTimeError


@dataclass(slots=True)
class Beats:
    """Who watches the loop: the instants of the pings, and what it answers."""

    near: Near
    status: int = 200
    at: list[datetime] = field(default_factory=list)

    def transport(self) -> httpx.MockTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            assert str(request.url) == URL
            self.at.append(self.near.world.now)
            return httpx.Response(self.status)

        return httpx.MockTransport(answer)


@pytest.fixture
def near() -> Near:
    return Near(scene())


@pytest.fixture
async def app(near: Near, tmp_path: Path) -> AsyncIterator[App]:
    async with app_over(near, tmp_path, heartbeat_url=URL) as opened:
        yield opened


async def loop_until(app: App, near: Near, end: datetime, beats: Beats | None = None, time: Time | None = None) -> Hourly:
    """Run the loop until an instant of the world."""
    time = time or Time(near, end)
    hourly = Hourly(app, sleep=time.sleep, transport=(beats or Beats(near)).transport())
    with pytest.raises(EndOfTimeError):
        await hourly.forever()
    return hourly


async def started(app: App, clinic: str) -> list[datetime]:
    return sorted(run.started_at for run in (await app.store.runs.runs([clinic])).items)


async def test_every_clinic_is_evaluated_at_once_and_then_once_an_hour(app: App, near: Near) -> None:
    hourly = await loop_until(app, near, SUNDAY_MORNING + 2.5 * HOUR)
    for clinic in (HARBOUR, NORTHSIDE):
        assert await started(app, clinic) == [SUNDAY_MORNING + n * HOUR for n in range(3)]
    assert hourly.next_at == SUNDAY_MORNING + 3 * HOUR


async def test_each_good_pass_is_pinged(app: App, near: Near) -> None:
    beats = Beats(near)
    await loop_until(app, near, SUNDAY_MORNING + 1.5 * HOUR, beats)
    assert beats.at == [SUNDAY_MORNING, SUNDAY_MORNING + HOUR]


@pytest.mark.parametrize("status", [500, 302, 404])
async def test_a_ping_that_fails_stops_nothing_and_does_not_show_the_address(
    app: App, near: Near, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    await loop_until(app, near, SUNDAY_MORNING + 1.5 * HOUR, Beats(near, status))
    assert len(await started(app, HARBOUR)) == 2
    said = capsys.readouterr()
    assert "heartbeat_not_delivered" in said.out + said.err
    assert "5f1a-secret" not in said.out + said.err


class Silent(httpx.AsyncBaseTransport):
    """A watcher that takes the ping and says nothing, or says it for ever."""

    def __init__(self, *, drips: bool) -> None:
        self.drips = drips

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002 - httpx's signature
        if self.drips:
            return httpx.Response(200, stream=Drip())
        await asyncio.Event().wait()
        raise AssertionError


class Drip(httpx.AsyncByteStream):
    """A body without an end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"."
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("drips", "delivered"), [(True, True), (False, False)], ids=["an endless body", "no answer"])
async def test_a_watcher_that_is_slow_to_answer_does_not_hold_up_the_loop(
    app: App, near: Near, capsys: pytest.CaptureFixture[str], *, drips: bool, delivered: bool
) -> None:
    time = Time(near, SUNDAY_MORNING + 1.5 * HOUR)
    hourly = Hourly(app, sleep=time.sleep, ping_seconds=0.05, transport=Silent(drips=drips))
    async with asyncio.timeout(60):
        with pytest.raises(EndOfTimeError):
            await hourly.forever()
    assert len(await started(app, HARBOUR)) == 2
    said = capsys.readouterr()
    assert ("heartbeat_not_delivered" not in said.out + said.err) is delivered


@pytest.mark.parametrize(
    "address", ["5f1a-secret", "https://[5f1a-secret", "gopher://x/5f1a-secret", "https://\udc00/5f1a-secret"]
)
async def test_an_address_that_is_none_ends_nothing_and_is_not_shown(
    near: Near, tmp_path: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with app_over(near, tmp_path, heartbeat_url=SecretStr(address)) as app:
        time = Time(near, SUNDAY_MORNING + 1.5 * HOUR)
        with pytest.raises(EndOfTimeError):
            await Hourly(app, sleep=time.sleep).forever()
        assert len(await started(app, HARBOUR)) == 2
    said = capsys.readouterr()
    assert "heartbeat_not_delivered" in said.out + said.err
    assert "5f1a-secret" not in said.out + said.err + repr(app.settings)


async def test_a_clinic_that_fails_blocks_no_other_and_the_pass_is_not_pinged(app: App, near: Near) -> None:
    beats = Beats(near)
    near.crashing.add(HARBOUR)
    time = Time(near, SUNDAY_MORNING + 1.5 * HOUR, meanwhile=near.crashing.clear)
    await loop_until(app, near, time.end, beats, time)
    assert await started(app, NORTHSIDE) == [SUNDAY_MORNING, SUNDAY_MORNING + HOUR]
    assert await started(app, HARBOUR) == [SUNDAY_MORNING + HOUR]
    assert beats.at == [SUNDAY_MORNING + HOUR]


async def test_a_cliniko_outage_is_a_good_pass_whose_decisions_say_so(app: App, near: Near) -> None:
    beats = Beats(near)
    near.down.update({HARBOUR, NORTHSIDE})
    await loop_until(app, near, SUNDAY_MORNING + HOUR / 2, beats)
    assert beats.at == [SUNDAY_MORNING]
    page = await app.store.decisions.decisions()
    assert {each.reason for each in page.items} == {"cliniko_unreadable"}


async def test_a_clinic_that_another_worker_has_is_looked_after(app: App, near: Near) -> None:
    beats = Beats(near)
    await app.store.leases.acquire(HARBOUR, "another worker, alive", HOUR, near.world.now)
    await loop_until(app, near, SUNDAY_MORNING + HOUR / 2, beats)
    assert await started(app, HARBOUR) == []
    assert len(beats.at) == 1


async def test_a_clinic_whose_worker_died_is_evaluated_when_its_lease_has_run_out(app: App, near: Near) -> None:
    beats = Beats(near)
    await app.store.leases.acquire(HARBOUR, "another worker, killed", TERM, near.world.now)
    await loop_until(app, near, SUNDAY_MORNING + HOUR / 2, beats)
    assert await started(app, HARBOUR) == [SUNDAY_MORNING + TERM + MINUTE]
    assert beats.at == [SUNDAY_MORNING + TERM + MINUTE]


async def test_a_pass_that_overruns_is_followed_by_one_run_not_by_those_it_missed(app: App, near: Near) -> None:
    def slow(rules: RuleSet) -> Outside:
        if rules.clinic == HARBOUR and near.world.now < SUNDAY_MORNING + HOUR:
            near.world.advance(2.5 * HOUR)
        return near(rules)

    app = replace(app, governor=replace(app.governor, outside=slow))
    await loop_until(app, near, SUNDAY_MORNING + 4.5 * HOUR)
    assert await started(app, HARBOUR) == [SUNDAY_MORNING + hours * HOUR for hours in (2.5, 3, 4)]


async def test_a_clock_that_was_moved_is_noticed_within_a_nap(app: App, near: Near) -> None:
    moved = False

    def move() -> None:
        nonlocal moved
        if not moved:
            moved = True
            near.world.advance(8 * HOUR + 10 * MINUTE)

    time = Time(near, SUNDAY_MORNING + 8.9 * HOUR, meanwhile=move)
    await loop_until(app, near, time.end, time=time)
    first, second = await started(app, HARBOUR)
    assert first == SUNDAY_MORNING
    assert second - first == 8 * HOUR + 10 * MINUTE + timedelta(seconds=NAP_SECONDS)
    assert max(time.naps) <= NAP_SECONDS


async def test_a_clock_that_was_put_back_does_not_add_to_the_wait(app: App, near: Near) -> None:
    put_back = iter([-6 * HOUR])
    time = Time(near, SUNDAY_MORNING - 4.5 * HOUR, meanwhile=lambda: near.world.advance(next(put_back, timedelta(0))))
    await loop_until(app, near, time.end, time=time)
    starts = await started(app, HARBOUR)
    assert starts[0] == SUNDAY_MORNING - 5 * HOUR + timedelta(seconds=NAP_SECONDS)


async def test_a_pass_that_cannot_even_list_the_clinics_does_not_end_the_loop(app: App, near: Near) -> None:
    beats, rules = Beats(near), app.settings.rules_dir
    away = rules.with_name("away")
    rules.rename(away)
    time = Time(near, SUNDAY_MORNING + 1.5 * HOUR)
    time.meanwhile = lambda: shutil.copytree(away, rules, dirs_exist_ok=True)
    await loop_until(app, near, time.end, beats, time)
    assert beats.at == [SUNDAY_MORNING + HOUR]


# --- stopping -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def stopping(app: App, gate: Gate, grace: float) -> AsyncIterator[Hourly]:
    """A loop that is asked to stop while its first clinics are under way."""
    hourly = Hourly(replace(app, governor=replace(app.governor, outside=gate)), grace_seconds=grace)
    async with hourly.running():
        await gate.reached.wait()
        assert hourly.trouble() == ""
        yield hourly


async def test_a_clinic_under_way_may_finish_when_the_service_stops(app: App, near: Near) -> None:
    gate = Gate(near)
    async with stopping(app, gate, grace=30):
        asyncio.get_running_loop().call_later(0.05, gate.open.set)
    run = await app.store.runs.latest_run(HARBOUR)
    assert run is not None
    assert run.status == "finished"


async def test_no_further_clinic_is_begun_when_the_service_stops(app: App, near: Near) -> None:
    text = (app.settings.rules_dir / f"{NORTHSIDE}.yaml").read_text()
    names = [f"clinic-{n}" for n in range(6)]
    for name in names:
        (app.settings.rules_dir / f"{name}.yaml").write_text(text.replace(f"clinic: {NORTHSIDE}", f"clinic: {name}"))
        near.world.clinics[name] = near.world.clinics[NORTHSIDE]
    gate = Gate(near)
    async with stopping(app, gate, grace=30):
        asyncio.get_running_loop().call_later(0.05, gate.open.set)
    begun = [name for name in (*names, HARBOUR, NORTHSIDE) if await app.store.runs.latest_run(name)]
    assert begun == names[:4]


async def test_a_clinic_that_does_not_finish_in_time_is_cut_off_and_settled_by_the_next_run(app: App, near: Near) -> None:
    gate = Gate(near)
    async with stopping(app, gate, grace=0.05) as hourly:
        pass
    assert hourly.trouble() == "the hourly loop is not running"
    assert [run.clinic for run in await app.store.runs.unfinished()] == [HARBOUR, NORTHSIDE]
    report = await app.governor.run(HARBOUR)
    assert report.status == "finished"
    assert [run.status for run in (await app.store.runs.runs([HARBOUR])).items] == ["finished", "failed"]


async def test_a_sleeping_loop_stops_at_once(app: App) -> None:
    asleep = asyncio.Event()

    async def forever(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    hourly = Hourly(app, sleep=forever, transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    async with asyncio.timeout(10), hourly.running():
        await asleep.wait()
    assert hourly.trouble() != ""


async def test_a_loop_shows_signs_of_life_while_it_sleeps_and_while_it_works(app: App, near: Near) -> None:
    hourly = await loop_until(app, near, SUNDAY_MORNING + 50 * MINUTE)
    assert near.world.now - hourly.heartbeat <= timedelta(seconds=NAP_SECONDS)
    assert timedelta(seconds=NAP_SECONDS) < QUIET


@pytest.mark.parametrize(
    ("minutes", "following_minutes"),
    [(0, 60), (59, 60), (60, 120), (61, 120), (119, 120), (500, 540), (-30, 60)],
)
def test_the_next_pass_keeps_its_minute_of_the_hour(minutes: int, following_minutes: int) -> None:
    due = datetime(2026, 11, 22, 8, 17, tzinfo=UTC)
    assert following(due, HOUR, due + minutes * MINUTE) == due + following_minutes * MINUTE
