"""Two processes at once: each thing is done by one of them, nothing is lost between them, and neither waits in a circle.

Each has a store of its own, with connections of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.model import Answer, Approval, Standing
from service.core.errors import AnsweredError, InputError, NotFoundError, Problem
from service.core.ledger import SYSTEM, Kind
from service.core.notices.model import Memory, Notice, NoticeKind
from service.store import documents, ledger
from service.store.database import Database, inserted_of
from service.store.documents import Document
from service.store.keys import Role
from service.store.ledger import Entry
from service.store.outbox import Position, Waiting
from service.store.repeats import Said
from service.store.store import Store
from tests.store.backends import on_postgresql
from tests.store.samples import CLINIC, HOUR, NINETY, NOW, SIXTY, STOOD_DOWN, hold, inputs, outcome, rules, snapshot, standing

NOTICE = Notice(NoticeKind.APPLIED, NOW, ("mail",), "search is set to 90.00.")


@pytest.fixture
async def other(store: Store, url: str) -> AsyncIterator[Store]:
    """The other process; `store` is the one."""
    opened = Store.open(url)
    for each in (store, opened):  # connections are there, so that both begin at once
        await asyncio.gather(*(each.ping() for _ in range(4)))
    yield opened
    await opened.aclose()


async def at_once(*work: Awaitable[object]) -> list[object]:
    """What came of each, exceptions included."""
    return await asyncio.gather(*work, return_exceptions=True)


def told(found: list[object]) -> list[str]:
    return sorted(type(each).__name__ for each in found)


# --- the lease ----------------------------------------------------------------------------------------------------------


async def test_a_clinic_is_given_to_one(store: Store, other: Store) -> None:
    for n in range(25):
        first = await at_once(*(each.leases.acquire(f"clinic-{n}", f"{id(each)}", HOUR, NOW) for each in (store, other)))
        later = await at_once(*(each.leases.acquire(f"clinic-{n}", f"{id(each)}", HOUR, NOW + HOUR) for each in (store, other)))
        assert (sorted(first, key=str), sorted(later, key=str)) == ([1, None], [2, None])


# --- the ledger ---------------------------------------------------------------------------------------------------------


async def test_a_chain_that_both_append_to_is_unbroken(store: Store, other: Store) -> None:
    async def work(each: Store) -> None:
        for n in range(25):
            await each.ledger.append(CLINIC, Kind.PLAN, {"n": n}, NOW)

    assert await at_once(work(store), work(other)) == [None, None]
    found = await store.ledger.verify(CLINIC)
    assert (found.ok, found.count) == (True, 50)


async def test_the_first_record_of_a_chain_is_written_once(store: Store, other: Store) -> None:
    for n in range(15):
        found = await at_once(*(each.ledger.append(f"new-{n}", Kind.PLAN, {}, NOW) for each in (store, other)))
        assert told(found) == ["Record", "Record"]
    every = await store.ledger.verify_each(await store.ledger.chains())
    assert [(each.ok, each.count) for each in every.values()] == [(True, 2)] * 15


async def test_nobody_waits_in_a_circle_over_several_chains(store: Store, other: Store) -> None:
    async def work(each: Store) -> None:
        chains = (CLINIC, SYSTEM) if each is store else (SYSTEM, CLINIC)
        for n in range(10):
            async with each._database.writing() as conn:
                for chain in chains:
                    await ledger.append(conn, chain, Kind.PLAN, {"n": n}, NOW)

    assert await at_once(work(store), work(other)) == [None, None]
    assert (await store.ledger.head(CLINIC)).seq == (await store.ledger.head(SYSTEM)).seq == 20


@on_postgresql
async def test_a_record_is_seen_after_all_with_lower_ids(store: Store, other: Store) -> None:
    """Whoever has seen one of them, and comes back with its id, has missed none."""
    async with store._database.writing() as conn:
        await ledger.append(conn, "a", Kind.PLAN, {}, NOW)
        later = asyncio.create_task(other.ledger.append("b", Kind.PLAN, {}, NOW))
        await asyncio.wait([later], timeout=0.3)
        assert not later.done()
        assert await other.tail.end() == 0
    await later
    assert [(each.chain, each.seq) for each in (await store.ledger.records(newest_first=False)).items] == [("a", 1), ("b", 1)]


async def test_a_watcher_that_comes_back_again_and_again_is_told_everything_once(store: Store, other: Store) -> None:
    chains = [f"chain-{n}" for n in range(6)]
    writing = [
        asyncio.create_task(each.ledger.append(chain, Kind.PLAN, {"n": n}, NOW))
        for n in range(8)
        for chain in chains
        for each in (store, other)
    ]
    watcher, last, seen = other.tail, 0, list[tuple[str, int]]()
    while True:
        over = all(each.done() for each in writing)
        places = await watcher.places(chains, last)
        events = await watcher.since(places, await watcher.heads(chains))
        seen += [(each.record.chain, each.record.seq) for each in events]
        last = events[-1].id if events else last
        if over and not events:
            break
    await asyncio.gather(*writing)
    assert sorted(seen) == sorted((chain, seq) for chain in chains for seq in range(1, 17))


async def test_what_is_recorded_while_news_are_read_is_told_the_next_time(store: Store) -> None:
    await store.ledger.append("a", Kind.PLAN, {}, NOW)
    heads = await store.tail.heads(["a", "b"])
    for chain in ("b", "a"):
        await store.ledger.append(chain, Kind.PLAN, {}, NOW)
    events = await store.tail.since({}, heads)
    assert [(each.record.chain, each.record.seq) for each in events] == [("a", 1)]
    places = await store.tail.places(["a", "b"], events[-1].id)
    rest = await store.tail.since(places, await store.tail.heads(["a", "b"]))
    assert [(each.record.chain, each.record.seq) for each in rest] == [("b", 1), ("a", 2)]


# --- people -------------------------------------------------------------------------------------------------------------


async def test_a_name_is_given_to_one_key(store: Store, other: Store) -> None:
    for n in range(10):
        hashes = [f"{n}{letter}" * 32 for letter in "ab"]
        made = (
            each.keys.create_key(f"key {n}", Role.VIEWER, [CLINIC], hash_, NOW)
            for each, hash_ in zip((store, other), hashes, strict=True)
        )
        found = await at_once(*made)
        assert told(found) == ["InputError", "Key"]
        assert sum(isinstance(each, InputError) for each in found) == 1


async def test_a_question_is_answered_by_one(store: Store, other: Store, fence: int) -> None:
    asked = tuple(Approval(f"q{n}", CLINIC, f"campaign {n}", f"google/{n}", SIXTY, NINETY, "r1", NOW) for n in range(8))
    await store.runs.begin("run-1", CLINIC, NOW)
    await store.runs.record(inputs(), outcome(approvals=asked), fence)
    for question in asked:

        async def work(each: Store, id_: str = question.id) -> Approval:
            answer = Answer.APPROVED if each is store else Answer.REJECTED
            return await each.approvals.answer(id_, answer, "ana", "", NOW)

        found = await at_once(work(store), work(other))
        assert told(found) == [AnsweredError.__name__, "Approval"]
    recorded = (await store.ledger.records(kinds=[Kind.APPROVAL, Kind.REJECTION])).items
    assert len(recorded) == len(asked)


async def test_a_hold_is_ended_by_one(store: Store, other: Store) -> None:
    for n in range(8):
        await store.holds.hold(hold(f"h{n}"))
        found = await at_once(*(each.holds.unhold(f"h{n}", "ben", NOW) for each in (store, other)))
        assert told(found) == ["Hold", NotFoundError.__name__]


async def test_a_rule_file_is_loaded_by_one(store: Store, other: Store) -> None:
    for n in range(10):
        loaded = await at_once(*(each.rules.save_rules(CLINIC, f"d{n}", "x", rules(f"d{n}"), NOW) for each in (store, other)))
        assert sorted(loaded, key=str) == [False, True]
        bad = (Problem("x.yaml", 1, f"no {n}"),)
        refused = await at_once(*(each.rules.reject_rules(CLINIC, f"bad {n}", bad, NOW) for each in (store, other)))
        assert sorted(refused, key=str) == [False, True]
    assert len((await store.ledger.records()).items) == 20


async def test_a_request_that_is_sent_twice_at_once_is_begun_once(store: Store, other: Store) -> None:
    for n in range(15):
        found = await at_once(*(each.repeats.claim("key", f"word {n}", "f", NOW) for each in (store, other)))
        assert told(found) == ["Found", "NoneType"]


async def test_a_request_that_is_given_up_while_it_is_repeated_is_begun_by_the_other(store: Store, other: Store) -> None:
    async def work(each: Store) -> int:
        begun = 0
        for n in range(40):
            now = NOW + timedelta(seconds=2 * n + (each is store))
            if await each.repeats.claim("key", "word", "f", now) is None:
                begun += 1
                await each.repeats.release("key", "word", now)
        return begun

    found = await at_once(work(store), work(other))
    assert sum(each for each in found if isinstance(each, int)) >= 10  # each that meets the other begins nothing
    assert await store.repeats.claim("key", "word", "f", NOW) is None
    await store.repeats.keep("key", "word", NOW, Said(200, "text/plain", b"yes"))


# --- notices ------------------------------------------------------------------------------------------------------------


async def test_a_position_is_moved_by_one_and_its_notices_are_made_once(store: Store, other: Store) -> None:
    for seq in range(1, 11):
        before, after = Position(CLINIC, seq - 1), Position(CLINIC, seq, Memory())
        waiting = [Waiting(seq, 0, "mail", NOTICE)]
        moved = await at_once(*(each.outbox.advance(before, after, waiting, NOW) for each in (store, other)))
        assert sorted(moved, key=str) == [False, True]
    assert len(await store.outbox.claim(CLINIC, "mail", "me", NOW, urgent=False)) == 10


async def test_a_notice_is_claimed_by_one(store: Store, other: Store) -> None:
    for seq in range(1, 9):
        waiting = [Waiting(seq, n, "mail", NOTICE) for n in range(5)]
        await store.outbox.advance(Position(CLINIC, seq - 1), Position(CLINIC, seq), waiting, NOW)
        claims = (each.outbox.claim(CLINIC, "mail", f"{id(each)}", NOW, urgent=False) for each in (store, other))
        one, two = await at_once(*claims)
        assert isinstance(one, tuple)
        assert isinstance(two, tuple)
        ids = [each.id for each in (*one, *two)]
        assert len(ids) == len(set(ids)) == 5


# --- what runs remember -------------------------------------------------------------------------------------------------


async def test_the_last_word_counts_where_both_write_the_same(store: Store, other: Store) -> None:
    async def work(each: Store) -> None:
        for n in range(10):
            await each.memory.set_standing(CLINIC, "search", STOOD_DOWN, Entry(Kind.READOPT, {"n": n}, NOW))
            await each.notes.put("key", f"{n}", NOW + HOUR, NOW)
            await each.pace.put(CLINIC, f"{n}", b"[1]", NOW)

    assert await at_once(work(store), work(other)) == [None, None]
    assert await store.memory.standings(CLINIC) == {"search": STOOD_DOWN}
    assert await store.notes.get("key", NOW) == "9"


async def test_what_a_person_settles_while_a_run_is_recorded_stays(store: Store, other: Store, fence: int) -> None:
    taken_on = Standing(expected=standing().expected, since=NOW + HOUR)
    for n in range(6):
        run = f"run-{n}"
        await store.memory.set_standing(CLINIC, "search", standing())
        await store.runs.begin(run, CLINIC, NOW)
        made = replace(inputs(run), standings={"search": standing()})
        await asyncio.gather(
            store.runs.record(made, outcome(run, decisions=()), fence),
            other.memory.set_standing(CLINIC, "search", taken_on, Entry(Kind.READOPT, {}, NOW)),
        )
        assert (await store.memory.standings(CLINIC))["search"] == taken_on


async def test_two_clinics_record_runs_that_share_documents(store: Store, other: Store) -> None:
    """On each new day all that they share is noted anew, by both, in one order."""

    async def work(each: Store) -> None:
        clinic = CLINIC if each is store else "northside-allied"
        fence = await each.leases.acquire(clinic, "worker", timedelta(days=99), NOW)
        assert fence is not None
        for n in range(8):
            at, run = NOW + timedelta(days=n), f"{clinic} {n}"
            await each.runs.begin(run, clinic, at)
            seen = replace(snapshot(at), clinic=clinic)
            made = replace(inputs(run, now=at, snapshot=seen, standings={}, rule_states={}), clinic=clinic)
            await each.runs.record(made, outcome(run, decisions=()), fence)

    assert await at_once(work(store), work(other)) == [None, None]


# --- waiting ------------------------------------------------------------------------------------------------------------


@on_postgresql
async def test_what_waits_for_a_lock_gives_up_in_the_end(store: Store, url: str) -> None:
    hasty = Store.open(f"{url}&options=-c%20lock_timeout%3D100ms")
    async with store._database.writing() as conn:
        await ledger.append(conn, CLINIC, Kind.PLAN, {}, NOW)
        began = time.monotonic()
        with pytest.raises(Exception, match="lock timeout"):
            await hasty.ledger.append(CLINIC, Kind.PLAN, {}, NOW)
        assert time.monotonic() - began < 5
    await hasty.ledger.append(CLINIC, Kind.PLAN, {}, NOW)
    await hasty.aclose()


@on_postgresql
async def test_no_wait_is_without_an_end(url: str) -> None:
    database = Database(url)
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "timezone")
    async with database.reading() as conn:
        assert [await conn.scalar(text(f"SHOW {name}")) for name in names] == ["30s", "1min", "15s", "UTC"]
    await database.aclose()


OLD = NOW - 400 * 24 * HOUR


async def noted(store: Store, name: str, at: datetime) -> None:
    await store.notes.put(name, "x", at + HOUR, at)


async def signed_in(store: Store, name: str, at: datetime) -> None:
    await store.sessions.begin(name, "k", at, at + HOUR)


async def sent(store: Store, name: str, at: datetime) -> None:
    await store.repeats.claim("k", name, "f", at)


async def documented(store: Store, name: str, at: datetime) -> None:
    if at == NOW:
        assert await store.retention.forget_documents(NOW - HOUR) == 1
    async with store._database.writing() as conn:
        await documents.put(conn, [Document.of(name.encode())], at)


@on_postgresql
@pytest.mark.usefixtures("store")
async def test_a_document_that_is_removed_meanwhile_goes_in_with_the_others_in_their_order(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two who put the same ones, one of them a round later, could wait for each other."""
    first, second = sorted((Document.of(b'{"n":%d}' % n) for n in range(2)), key=lambda each: each.digest)
    rounds = list[list[object]]()

    async def noted(conn: AsyncConnection, table: Table, rows: Sequence[Mapping[str, object]]) -> set[object]:
        rounds.append([row["digest"] for row in rows])
        return await inserted_of(conn, table, rows)

    monkeypatch.setattr("service.store.documents.inserted_of", noted)
    one, two = Database(url), Database(url)
    async with one.writing() as conn:
        await documents.put(conn, [first], OLD)
    async with one.writing() as removing, two.writing() as putting:
        await removing.execute(text("DELETE FROM document"))
        put = asyncio.create_task(documents.put(putting, [second, first], NOW))
        await asyncio.sleep(0.3)  # until it waits for the row that is going
        await removing.commit()
        await put
    assert [*filter(None, rounds)] == [[first.digest], [first.digest, second.digest]]
    for each in (one, two):
        await each.aclose()


@on_postgresql
@pytest.mark.parametrize(
    ("table", "kept"), [("note", noted), ("session", signed_in), ("repeat", sent), ("document", documented)]
)
async def test_what_is_old_is_removed_where_nobody_has_it_and_nobody_is_waited_for(
    store: Store, url: str, table: str, kept: Callable[[Store, str, datetime], Awaitable[None]]
) -> None:
    """Else two who have an old row each, and want the other's, would wait in a circle."""
    count = text(f"SELECT count(*) FROM {table}")  # noqa: S608 - one of four words
    for name in ("a", "b"):
        await kept(store, name, OLD)
    database = Database(url)
    async with database.writing() as conn:
        assert (await conn.execute(text(f"SELECT 1 FROM {table} LIMIT 1 FOR UPDATE"))).all()  # noqa: S608 - likewise
        await asyncio.wait_for(kept(store, "c", NOW), 5)
        assert await conn.scalar(count) == 2
    await kept(store, "d", NOW)
    async with database.reading() as conn:
        assert await conn.scalar(count) == 2
    await database.aclose()
