"""No crash, no second process and no database that refuses loses a notice, or repeats one without saying so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from service.app import App
from service.core.ledger import Kind
from service.core.notices.deriving import derived
from service.core.notices.model import About
from service.core.notices.timing import CLAIMED_FOR
from service.revisions import in_force
from service.sandbox.scene import HARBOUR, NORTHSIDE, scene
from service.store.outbox import Outcome, Position, Waiting
from service.store.store import Store
from tests.clinic import HOUR, MINUTE
from tests.jobs.heard import ON_ITS_WAY, POINTS, Heard, killed_at, told
from tests.web.world import Near, app_over

CLINICS = (HARBOUR, NORTHSIDE)


@dataclass(slots=True)
class Office:
    """Two clinics that tell one channel, and what was recorded of them, in words that nothing else says."""

    app: App
    near: Near
    heard: Heard
    recorded: list[str] = field(default_factory=list)

    async def record(self, clinic: str = HARBOUR) -> None:
        word = f"word{len(self.recorded):03}x"
        self.recorded.append(word)
        problem = {"file": "a.yaml", "line": 1, "message": word, "advice": ""}
        body = {"digest": word, "problems": [problem]}
        await self.app.store.ledger.append(clinic, Kind.RULES_REJECTED, body, self.app.clock())

    async def rest(self) -> None:
        """Nothing happens any more, and all goes well."""
        for _ in range(3):
            self.near.world.advance(CLAIMED_FOR + MINUTE)
            await told(self.app)

    def lost(self) -> list[str]:
        return [word for word in self.recorded if self.heard.count(word) == 0]

    def unmarked_repetitions(self) -> list[str]:
        """What arrived more often than once, and not only in messages that say so."""
        unmarked = [each for each in self.heard.messages if not each.marked]
        return [word for word in self.recorded if sum(word in each.text for each in unmarked) > 1]


@asynccontextmanager
async def office_in(directory: Path) -> AsyncIterator[Office]:
    near, heard = Near(scene()), Heard()
    async with app_over(near, directory) as opened:
        app = heard.by(opened)
        for clinic in CLINICS:
            await in_force(app.store, app.directory, clinic, app.clock())
        await told(app)
        yield Office(app, near, heard)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.sampled(2)
async def test_a_process_that_dies_loses_nothing_and_repeats_only_what_was_on_its_way(office: Office, point: str) -> None:
    await office.record()
    assert await killed_at(point, office.app)
    await office.rest()
    assert (office.lost(), office.unmarked_repetitions()) == ([], [])
    again = [word for word in office.recorded if office.heard.count(word) > 1]
    assert bool(again) is (point in {"after send", "before settle"})
    assert any(each.marked for each in office.heard.messages) is (point in ON_ITS_WAY)


async def repeatedly_killed(directory: Path, points: list[str]) -> None:
    async with office_in(directory) as office:
        for n, point in enumerate(points):
            await office.record(CLINICS[n % 2])
            await killed_at(point, office.app)
            office.near.world.advance(MINUTE * (n % 3) * 6)
        await office.rest()
        assert (office.lost(), office.unmarked_repetitions()) == ([], [])


FEW = st.lists(st.sampled_from(POINTS), min_size=2, max_size=3)


@settings(max_examples=2, suppress_health_check=list(HealthCheck))
@given(points=FEW)
async def test_nor_does_one_that_dies_again_and_again(points: list[str]) -> None:
    with TemporaryDirectory() as directory:
        await repeatedly_killed(Path(directory), points)


@pytest.mark.soak
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(points=st.lists(st.sampled_from(POINTS), min_size=2, max_size=10))
async def test_nor_in_the_long_form(points: list[str]) -> None:
    with TemporaryDirectory() as directory:
        await repeatedly_killed(Path(directory), points)


async def test_a_message_that_every_process_dies_of_is_given_up(office: Office) -> None:
    await office.record()
    deaths = 0
    while await killed_at("before send", office.app):
        deaths += 1
        office.near.world.advance(CLAIMED_FOR + MINUTE)
    assert deaths == 8
    assert await office.app.store.outbox.due(office.app.clock() + HOUR) == ()


async def test_two_processes_share_the_work_and_repeat_nothing(office: Office, tmp_path: Path) -> None:
    async with app_over(office.near, tmp_path) as opened:
        other = office.heard.by(opened)
        for _ in range(4):
            await asyncio.gather(*(office.record(clinic) for clinic in CLINICS))
            await asyncio.gather(told(office.app), told(other))
        await office.rest()
    assert {word: office.heard.count(word) for word in office.recorded} == dict.fromkeys(office.recorded, 1)
    assert not any(each.marked for each in office.heard.messages)


async def test_of_two_that_have_read_the_same_records_one_puts_them_into_the_outbox(office: Office) -> None:
    await office.record()
    outbox, now = office.app.store.outbox, office.app.clock()
    [position] = await outbox.behind()
    [record] = await outbox.records(position)
    notices, memory = derived(record, position.memory, About(HARBOUR, channels=("marketing",)))
    waiting, after = [Waiting(record.seq, 0, "marketing", each) for each in notices], Position(HARBOUR, record.seq, memory)
    assert [await outbox.advance(position, after, waiting, now), await outbox.advance(position, after, [], now)] == [
        True,
        False,
    ]
    await office.rest()
    assert office.heard.count(office.recorded[0]) == 1


async def test_a_claim_that_was_taken_over_is_not_settled_by_whoever_had_it(office: Office) -> None:
    await office.record()
    outbox, now = office.app.store.outbox, office.app.clock()
    await told(office.heard.by(office.app, "another"))
    [slow] = await outbox.claim(HARBOUR, "marketing", "slow", now, urgent=False)
    later = now + CLAIMED_FOR
    [taken] = await outbox.claim(HARBOUR, "marketing", "new", later, urgent=False)
    assert (slow.repeated, taken.repeated, taken.tries) == (False, True, 2)
    await outbox.settle("slow", Outcome(again={slow.id: now}), later)
    assert await outbox.claim(HARBOUR, "marketing", "third", later, urgent=False) == ()


REFUSALS = {
    "what is to be told": "BEFORE INSERT ON notice",
    "that it is being sent": "BEFORE UPDATE ON notice WHEN NEW.status = 'sending'",
    "that it was sent": "BEFORE UPDATE ON notice WHEN NEW.status = 'sent'",
    "how far it has come": "BEFORE UPDATE ON notice_position",
}


async def execute(store: Store, statement: str) -> None:
    async with store._database.writing() as conn:
        await conn.execute(text(statement))


@pytest.mark.parametrize("refused", REFUSALS)
async def test_a_database_that_refuses_something_loses_nothing(office: Office, refused: str) -> None:
    await office.record()
    await execute(office.app.store, f"CREATE TRIGGER full {REFUSALS[refused]} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    await told(office.app)
    assert office.heard.count(office.recorded[0]) == (refused == "that it was sent")
    await execute(office.app.store, "DROP TRIGGER full")
    await office.rest()
    assert (office.lost(), office.unmarked_repetitions()) == ([], [])


async def test_nothing_is_told_of_a_ledger_from_before(office: Office) -> None:
    from tests.store.test_migrations import to  # noqa: PLC0415 - the way there and back

    url = office.app.settings.database_url
    await office.record()
    await to(url, "0011", down=True)
    await to(url, "head")
    assert await office.heard.after(office.app) == []
    await office.record()
    [message] = await office.heard.after(office.app)
    assert (office.recorded[0] in message.text, office.recorded[1] in message.text) == (False, True)
