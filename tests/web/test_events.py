"""The ledger as it grows: what is told to whom, from where on, and until when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from service.core.decide.model import Hold
from service.core.ledger import Kind
from service.sandbox.scene import HARBOUR, NORTHSIDE
from service.store import tail
from service.web.api import events
from service.web.news import news_of
from tests.serving import served
from tests.web.conftest import Api

EVENTS = "/v1/events"


@dataclass(frozen=True, slots=True)
class Told:
    """One event as a client reads it."""

    id: int
    kind: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Watching:
    """A stream of events under way."""

    lines: AsyncIterator[str]

    async def next(self) -> Told:
        """The next event; comments are passed over."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(10):
            async for line in self.lines:
                if not line and "data" in fields:
                    return Told(int(fields["id"]), fields["event"], json.loads(fields["data"]))
                name, _, value = line.partition(": ")
                fields |= {name: value} if name in {"id", "event", "data"} else {}
        raise EOFError

    async def kinds(self, until: str) -> list[str]:
        """The kinds of events up to one of this kind."""
        found = [(await self.next()).kind]
        while found[-1] != until:
            found.append((await self.next()).kind)
        return found


@dataclass(frozen=True, slots=True)
class Live:
    """The story's API over a socket."""

    api: Api
    url: str

    @asynccontextmanager
    async def watch(self, key: str, *, after: int | None = None, **query: str) -> AsyncIterator[Watching]:
        headers = {"Authorization": f"Bearer {self.api.secrets[key]}"} | (
            {} if after is None else {"Last-Event-ID": str(after)}
        )
        async with (
            httpx.AsyncClient(base_url=self.url) as client,
            client.stream("GET", EVENTS, params=query, headers=headers) as it,
        ):
            assert it.status_code == 200
            assert it.headers["content-type"].startswith("text/event-stream")
            assert it.headers["cache-control"] == "no-store"
            lines = it.aiter_lines()
            assert await anext(lines) == ": the ledger as it grows"
            yield Watching(lines)

    async def run(self, clinic: str = HARBOUR) -> None:
        await self.api.ask("POST", f"/v1/clinics/{clinic}/evaluations", json={"dry_run": False})


@pytest.fixture
async def live(governed: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Live]:
    monkeypatch.setattr(news_of(governed.litestar.state), "every", 0.02)
    async with served(governed.litestar) as url:
        yield Live(governed, url)


async def test_a_run_is_told_record_by_record_as_the_ledger_has_it(live: Live) -> None:
    async with live.watch("harbour-viewer") as watching:
        await live.run()
        first = await watching.next()
        assert (first.kind, first.record["chain"]) == ("run.started", HARBOUR)
        kinds = await watching.kinds("run.finished")
        assert {"plan", "decision"} <= set(kinds)
        newest = (await live.api.get("/v1/audit", clinic=HARBOUR, limit=1))["items"][0]
        assert newest["kind"] == "run.finished"
        assert newest["seq"] == first.record["seq"] + len(kinds)


async def test_a_client_that_was_cut_off_is_told_what_it_missed_and_nothing_twice(live: Live) -> None:
    async with live.watch("admin") as watching:
        await live.run()
        seen = await watching.next()
    await live.run(NORTHSIDE)
    async with live.watch("admin", after=seen.id) as again:
        ids: list[int] = []
        kinds: list[str] = []
        while kinds.count("run.finished") < 2:
            told = await again.next()
            ids.append(told.id)
            kinds.append(told.kind)
    assert ids == sorted(set(ids))
    assert ids[0] > seen.id


async def test_a_client_that_is_cut_off_in_the_middle_of_very_much_loses_nothing(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "AT_ONCE", 3)
    for clinic in (HARBOUR, NORTHSIDE, HARBOUR):
        await live.run(clinic)
    whole = [(each["chain"], each["seq"]) for each in (await live.api.get("/v1/audit", limit=500))["items"]]
    found: list[tuple[str, int]] = []
    after, ids = 0, list[int]()
    while len(found) < len(whole):
        async with live.watch("admin", after=after) as watching:
            for _ in range(min(5, len(whole) - len(found))):
                told = await watching.next()
                found.append((told.record["chain"], told.record["seq"]))
                ids.append(after := told.id)
    assert ids == sorted(set(ids))
    assert sorted(found) == sorted(whole)


async def test_nothing_of_a_foreign_clinic_is_told(live: Live) -> None:
    async with live.watch("northside-operator") as watching:
        await live.run(HARBOUR)
        await live.run(NORTHSIDE)
        assert (await watching.next()).record["chain"] == NORTHSIDE


async def test_a_clinic_that_comes_is_told_to_whoever_watches_everything(live: Live) -> None:
    async with live.watch("admin") as everything, live.watch("harbour-viewer") as one:
        await live.api.app.store.ledger.append("lakeside-podiatry", Kind.HOLD, {}, live.api.app.clock())
        told = await everything.next()
        assert (told.kind, told.record["chain"], told.record["seq"]) == ("hold", "lakeside-podiatry", 1)
        await live.run()
        assert (await one.next()).record["chain"] == HARBOUR


async def test_what_concerns_the_whole_installation_is_told_to_its_admins(live: Live) -> None:
    everything = Hold("hold-1", None, None, "stop", "somebody", live.api.app.clock())
    async with live.watch("admin") as admin, live.watch("auditor") as auditor:
        await live.api.app.store.holds.hold(everything)
        assert (await admin.next()).record["chain"] == "_system"
        await live.run()
        assert (await auditor.next()).record["chain"] == HARBOUR


async def test_it_goes_on_until_the_key_is_revoked(live: Live) -> None:
    keys, now = live.api.app.store.keys, live.api.app.clock()
    [mine] = [each for each in await keys.keys() if each.name == "harbour-viewer"]
    async with live.watch("harbour-viewer") as watching:
        await live.run()
        await watching.kinds("run.finished")
        await keys.revoke_key(mine.id, now)
        with pytest.raises(EOFError):
            await watching.next()


@pytest.mark.parametrize(
    ("key", "path", "headers", "status"),
    [
        (None, EVENTS, {}, 401),
        ("harbour-viewer", f"{EVENTS}?clinic={NORTHSIDE}", {}, 404),
        ("harbour-viewer", f"{EVENTS}?clinic=no-such-thing", {}, 404),
        ("harbour-viewer", f"{EVENTS}?clinic=_system", {}, 404),
        ("admin", f"{EVENTS}?kind=plan", {}, 400),
        ("admin", EVENTS, {"Last-Event-ID": "yesterday"}, 400),
        ("admin", EVENTS, {"Last-Event-ID": "-1"}, 400),
    ],
    ids=str,
)
async def test_what_cannot_be_watched_is_refused(
    governed: Api, key: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await governed.ask("GET", path, key, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_silence_is_filled_with_comments(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "QUIET_SECONDS", 0.05)
    async with live.watch("admin") as watching, asyncio.timeout(10):
        assert ": nothing new" in [await anext(watching.lines) for _ in range(6)]
