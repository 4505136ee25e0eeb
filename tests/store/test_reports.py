"""What is kept for the reports comes back as it was, the first look of a day wins, and what is old goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.core.reports.seen import CampaignSeen, DaySeen, DiarySeen, Kept, RunSeen, ServiceSeen
from service.store.reports import packed_day, packed_run, read_day, read_runs
from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, NOW, inputs, outcome, snapshot

DAY = timedelta(days=1)
SEARCH = CampaignSeen("google", "7", "search", "physio", "60.00", "Australia/Sydney", ours=True, running=False, budget="60.00")
PHYSIO = ServiceSeen("physio", 740000, [3] * 14, [3] * 14, [2] * 14, [480] * 14, full=False, least=70.0, most=70.0)
LOOK = DaySeen(
    "physio", date(2026, 11, 22), "Australia/Sydney", (DiarySeen("1", ["c"] * 14, [480] * 14, [None] * 14),), {"1": "Zoë"}
)


def run_seen(at: int = 0) -> RunSeen:
    return RunSeen(NOW + at * HOUR, (SEARCH,), ("812.33",), (PHYSIO,))


async def record(store: Store, fence: int, run: str, hours: int, *days: DaySeen) -> None:
    at = NOW + hours * HOUR
    await store.runs.begin(run, CLINIC, at)
    made = inputs(run, now=at, snapshot=snapshot(at), standings={})
    await store.runs.record(made, outcome(run, decisions=()), fence, Kept(run_seen(hours), days))


async def test_runs_of_a_period_come_back_oldest_first(store: Store, fence: int) -> None:
    for hours in (2, 0, 1):
        await record(store, fence, f"run-{hours}", hours)
    assert read_runs(await store.reports.runs(CLINIC, NOW, NOW + 2 * HOUR)) == [run_seen(0), run_seen(1)]
    assert await store.reports.runs("northside-allied", NOW, NOW + 9 * HOUR) == []


async def test_the_first_look_of_a_day_wins(store: Store, fence: int) -> None:
    await record(store, fence, "run-1", 0, LOOK)
    await record(store, fence, "run-2", 1, replace(LOOK, zone="UTC"), replace(LOOK, day=LOOK.day + DAY))
    found = [read_day(body) for body in await store.reports.days(CLINIC, LOOK.day, LOOK.day + 2 * DAY)]
    assert found == [LOOK, replace(LOOK, day=LOOK.day + DAY)]


async def test_what_is_old_is_forgotten_and_the_rest_is_kept(store: Store, fence: int) -> None:
    await record(store, fence, "run-1", 0, LOOK)
    await record(store, fence, "run-2", 72, replace(LOOK, day=LOOK.day + 3 * DAY))
    assert await store.retention.forget_seen("northside-allied", NOW + 90 * HOUR) == 0
    assert await store.retention.forget_seen(CLINIC, NOW + 48 * HOUR) == 2
    assert await store.retention.forget_seen(CLINIC, NOW + 48 * HOUR) == 0
    assert read_runs(await store.reports.runs(CLINIC, NOW, NOW + 99 * HOUR)) == [run_seen(72)]
    assert len(await store.reports.days(CLINIC, date.min, date.max)) == 1


TEXT = st.sampled_from(["search", "Zoë\n=1", "", "\N{SNOWMAN}"])
MONEY = st.integers(0, 10**7).map(lambda cents: f"{cents / 100:.2f}")
COUNTS = st.integers(0, 50).map(lambda n: [n + k for k in range(14)])
CAMPAIGNS = st.builds(
    CampaignSeen, st.sampled_from(["google", "meta"]), TEXT, TEXT, TEXT, MONEY,
    st.just("UTC"), ours=st.booleans(), running=st.none() | st.booleans(), budget=st.none() | MONEY,
)  # fmt: skip
SERVICES = st.builds(
    ServiceSeen, TEXT, st.integers(1, 800_000), COUNTS, COUNTS, COUNTS, COUNTS, st.none() | st.booleans(),
    st.none() | st.floats(0, 100), st.none() | st.floats(0, 100),
)  # fmt: skip


@given(seen=st.lists(st.tuples(CAMPAIGNS, st.none() | MONEY), max_size=3), services=st.lists(SERVICES, max_size=2))
def test_nothing_of_a_run_is_lost(seen: list[tuple[CampaignSeen, str | None]], services: list[ServiceSeen]) -> None:
    run = RunSeen(NOW.astimezone(UTC), tuple(c for c, _ in seen), tuple(m for _, m in seen), tuple(services))
    later = replace(run, at=run.at + HOUR, months=tuple("1.00" for _ in seen))
    assert read_runs([packed_run(run), packed_run(later)]) == [run, later]


def test_nothing_of_a_day_is_lost() -> None:
    assert read_day(packed_day(LOOK)) == LOOK


def test_campaigns_that_are_as_before_are_read_once() -> None:
    first, second = read_runs([packed_run(run_seen(0)), packed_run(run_seen(1))])
    assert first.campaigns is second.campaigns
