"""Leases, intents and standings: one worker at a time, and each change settled exactly once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.decide.model import Change, Part, Standing
from service.core.errors import LeaseLostError, NotFoundError, StoreError
from service.core.ledger import Kind
from service.core.model import Share
from service.store import documents
from service.store.intents import Outcome, RecordedChange
from service.store.ledger import Entry
from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, NINETY, NOW, STOOD_DOWN, change, standing

MINUTE = timedelta(minutes=1)

# --- leases -------------------------------------------------------------------------------------------------------------


async def test_a_clinic_has_one_worker_and_tokens_only_grow(store: Store) -> None:
    acquire = store.leases.acquire
    assert await acquire(CLINIC, "a", HOUR, NOW) == 1
    assert await acquire(CLINIC, "b", HOUR, NOW) is None
    assert await acquire(CLINIC, "a", HOUR, NOW) is None
    assert await acquire("northside-allied", "b", HOUR, NOW) == 1
    assert await acquire(CLINIC, "b", HOUR, NOW + HOUR) == 2
    await store.leases.release(CLINIC, 2)
    assert await acquire(CLINIC, "a", HOUR, NOW + HOUR) == 3


async def test_a_renewed_lease_lasts(store: Store) -> None:
    assert await store.leases.acquire(CLINIC, "a", HOUR, NOW) == 1
    await store.leases.renew(CLINIC, 1, HOUR, NOW + HOUR)
    assert await store.leases.acquire(CLINIC, "b", HOUR, NOW + 1.5 * HOUR) is None


async def test_a_lost_lease_is_neither_renewed_nor_released(store: Store) -> None:
    await store.leases.acquire(CLINIC, "a", HOUR, NOW)
    assert await store.leases.acquire(CLINIC, "b", HOUR, NOW + HOUR) == 2
    with pytest.raises(LeaseLostError, match=CLINIC):
        await store.leases.renew(CLINIC, 1, HOUR, NOW + HOUR)
    await store.leases.release(CLINIC, 1)
    assert await store.leases.acquire(CLINIC, "c", HOUR, NOW + HOUR) is None


async def test_of_many_that_ask_at_once_one_gets_the_lease(store: Store, url: str) -> None:
    other = Store.open(url)
    asked = [each.leases.acquire(CLINIC, f"w{n}", HOUR, NOW) for n in range(5) for each in (store, other)]
    given = await asyncio.gather(*asked)
    await other.aclose()
    assert sorted(each is None for each in given) == [False] + [True] * 9


Write = Callable[[Store, int], Awaitable[None]]
WRITES: dict[str, Write] = {
    "intend": lambda store, fence: store.intents.intend(change("chg-2"), NOW, fence),
    "send": lambda store, fence: store.intents.send(change(), NOW, fence),
    "settle": lambda store, fence: store.intents.settle("chg-1", "applied", {}, NOW, fence, standings={"search": standing()}),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("lost", ["taken over", "released", "never had"])
async def test_who_does_not_govern_a_clinic_writes_nothing(store: Store, fence: int, write: Write, lost: str) -> None:
    await store.intents.intend(change(), NOW, fence)
    if lost == "taken over":
        await store.leases.acquire(CLINIC, "worker-2", HOUR, NOW + HOUR)
    elif lost == "released":
        await store.leases.release(CLINIC, fence)
    else:
        fence += 1
    with pytest.raises(LeaseLostError):
        await write(store, fence)
    assert [(each.change.id, each.sent_at) for each in await store.intents.open(CLINIC)] == [("chg-1", None)]
    assert await store.memory.standings(CLINIC) == {}
    assert len((await store.ledger.records()).items) == 1


# --- intents ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["applied", "failed", "superseded"])
async def test_a_change_is_intended_then_settled_with_its_standing(store: Store, fence: int, ending: Outcome) -> None:
    await store.intents.intend(change(), NOW, fence)
    assert [(each.change, each.sent_at) for each in await store.intents.open(CLINIC)] == [(change(), None)]
    await store.intents.send(change(), NOW + MINUTE, fence)
    await store.intents.settle("chg-1", ending, {"read_back": NINETY}, NOW + HOUR, fence, standings={"search": standing()})
    assert await store.intents.open(CLINIC) == ()
    assert await store.memory.standings(CLINIC) == {"search": standing()}
    detail = {"read_back": {"running": True, "budget": "90.00"}}
    settled = (RecordedChange(change(), ending, NOW, NOW + MINUTE, NOW + HOUR, detail),)
    assert await store.intents.of_run("run-1") == await store.intents.of_decision("dec-1") == settled
    intended, ended = (await store.ledger.records(newest_first=False)).items
    assert (intended.kind, ended.kind) == ("change.intended", f"change.{ending}")
    assert (ended.body["change"]["id"], ended.body["detail"]) == ("chg-1", detail)


async def test_a_change_is_settled_once_even_by_two_at_a_time(store: Store, fence: int) -> None:
    await store.intents.intend(change(), NOW, fence)
    endings: tuple[Outcome, ...] = ("applied", "failed", "superseded")
    tried = [store.intents.settle("chg-1", ending, {}, NOW, fence) for ending in endings]
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert sorted(isinstance(each, NotFoundError) for each in results) == [False, True, True]
    assert len((await store.ledger.records()).items) == 2
    with pytest.raises(NotFoundError, match="chg-9"):
        await store.intents.settle("chg-9", "applied", {}, NOW, fence)


async def test_sending_keeps_the_clinic_and_what_is_settled_is_not_sent(store: Store, fence: int) -> None:
    await store.intents.intend(change(), NOW, fence)
    await store.intents.send(change(), NOW + HOUR, fence)
    assert await store.leases.acquire(CLINIC, "worker-2", HOUR, NOW + HOUR + MINUTE) is None
    await store.intents.settle("chg-1", "superseded", {}, NOW + HOUR, fence)
    with pytest.raises(NotFoundError, match="chg-1"):
        await store.intents.send(change(), NOW + HOUR, fence)


async def test_somebodys_hand_that_is_found_in_settling_is_in_the_ledger(store: Store, fence: int) -> None:
    await store.intents.intend(change(), NOW, fence)
    await store.intents.settle("chg-1", "superseded", {}, NOW, fence, standings={"search": STOOD_DOWN})
    told = (await store.ledger.records(newest_first=False)).items
    assert [each.kind for each in told] == ["change.intended", "change.superseded", "drift"]
    assert told[-1].body["campaign"] == "search"


async def test_a_change_is_intended_once(store: Store, fence: int) -> None:
    await store.intents.intend(change(), NOW, fence)
    with pytest.raises(StoreError):
        await store.intents.intend(change(), NOW, fence)
    assert len((await store.ledger.records()).items) == 1


async def test_settling_without_a_standing_leaves_it(store: Store, fence: int) -> None:
    await store.memory.set_standing(CLINIC, "search", STOOD_DOWN)
    await store.intents.intend(change(), NOW, fence)
    await store.intents.settle("chg-1", "failed", {}, NOW, fence)
    assert await store.memory.standings(CLINIC) == {"search": STOOD_DOWN}


async def test_open_changes_come_oldest_first_and_of_one_clinic(store: Store, fence: int) -> None:
    await store.intents.intend(change("chg-1"), NOW + timedelta(seconds=1), fence)
    await store.intents.intend(change("chg-2"), NOW, fence)
    assert [each.change.id for each in await store.intents.open(CLINIC)] == ["chg-2", "chg-1"]
    assert await store.intents.open("northside-allied") == ()


async def test_a_standing_is_set_together_with_what_is_said_of_it(store: Store) -> None:
    await store.memory.set_standing(CLINIC, "search", STOOD_DOWN)
    assert (await store.ledger.records()).items == ()
    entry = Entry(Kind.READOPT, {"campaign": "search", "by": "ana"}, NOW)
    await store.memory.set_standing(CLINIC, "search", Standing(), entry)
    assert await store.memory.standings(CLINIC) == {"search": Standing()}
    [told] = (await store.ledger.records()).items
    assert (told.kind, told.body) == ("readopt", {"campaign": "search", "by": "ana"})


# --- written by an earlier version --------------------------------------------------------------------------------------


def test_what_was_stored_before_budgets_could_be_divided_is_read_as_undivided() -> None:
    old = json.loads(documents.dump(Change, change()))
    del old["shares_before"], old["shares_after"]
    assert documents.load(Change, json.dumps(old)) == change()
    remembered = json.loads(documents.dump(Standing, standing()))
    del remembered["parts"]
    assert documents.load(Standing, json.dumps(remembered)) == standing()


def test_a_divided_change_and_what_is_remembered_of_it_come_back() -> None:
    made = change(shares_before=(Share("a", Decimal("1.10")),), shares_after=(Share("a", Decimal("2.20")),))
    assert documents.load(Change, documents.dump(Change, made)) == made
    known = replace(standing(), parts=(Part("a", Decimal("1.10"), Decimal("2.20"), Decimal("1.10")),))
    assert documents.load(Standing, documents.dump(Standing, known)) == known
