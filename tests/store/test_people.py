"""What people say: holds, keys, rule files."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from service.core.errors import InputError, NotFoundError, Problem, StoreError
from service.core.ledger import SYSTEM
from service.store.keys import Key, Keys, Role
from service.store.rules import Rejection, Revision
from service.store.store import Store
from tests.store.samples import CLINIC, HOUR, NOW, hold, rules

OTHER = "northside-allied"


async def kinds(store: Store, chain: str) -> list[str]:
    return [each.kind for each in (await store.ledger.records(chains=[chain], newest_first=False)).items]


# --- holds --------------------------------------------------------------------------------------------------------------

HERE = hold("here")
EVERYWHERE = hold("everywhere", clinic=None, campaign=None, until=None, made_at=NOW - HOUR)
THERE = hold("there", clinic=OTHER, campaign=None, service="physio")


async def test_a_clinic_is_under_its_own_holds_and_those_on_everything(store: Store) -> None:
    for each in (HERE, EVERYWHERE, THERE):
        await store.holds.hold(each)
    assert await store.holds.holds(CLINIC, NOW) == (EVERYWHERE, HERE)
    assert await store.holds.holds(OTHER, NOW) == (EVERYWHERE, THERE)
    assert await store.holds.holds(None, NOW) == (EVERYWHERE,)
    assert await kinds(store, SYSTEM) == ["hold"]
    assert await kinds(store, CLINIC) == ["hold"]


async def test_a_hold_ends_by_itself_at_its_time(store: Store) -> None:
    await store.holds.hold(HERE)
    assert HERE.until
    assert await store.holds.holds(CLINIC, HERE.until - HOUR) == (HERE,)
    assert await store.holds.holds(CLINIC, HERE.until) == ()


@pytest.mark.parametrize(("held", "chain"), [(HERE, CLINIC), (EVERYWHERE, SYSTEM)])
async def test_a_hold_is_ended_once(store: Store, held: object, chain: str) -> None:
    made = HERE if held is HERE else EVERYWHERE
    await store.holds.hold(made)
    assert await store.holds.unhold(made.id, "ben", NOW) == made
    assert await store.holds.holds(CLINIC, NOW) == ()
    assert await store.holds.get(made.id) == made
    with pytest.raises(NotFoundError):
        await store.holds.unhold(made.id, "ben", NOW)
    [_, ended] = (await store.ledger.records(newest_first=False)).items
    assert (ended.chain, ended.kind, ended.body["by"]) == (chain, "unhold", "ben")


async def test_a_hold_nobody_made_is_not_found(store: Store) -> None:
    for call in (store.holds.get("x"), store.holds.unhold("x", "ben", NOW)):
        with pytest.raises(NotFoundError):
            await call


# --- keys ---------------------------------------------------------------------------------------------------------------

HASH = "ab" * 32


async def test_a_key_is_found_by_the_hash_of_its_secret(store: Store) -> None:
    made = await store.keys.create_key("agency", Role.VIEWER, [OTHER, CLINIC], HASH, NOW, NOW + HOUR)
    assert made == Key("key_abababababab", "agency", Role.VIEWER, (CLINIC, OTHER), NOW, NOW + HOUR)
    assert await store.keys.find_key(HASH) == made
    assert await store.keys.find_key("cd" * 32) is None
    assert await store.keys.keys() == (made,)
    with pytest.raises(StoreError):
        await store.keys.create_key("again", Role.ADMIN, [], HASH, NOW)


async def test_the_ledger_tells_of_a_key_without_its_secret(store: Store) -> None:
    made = await store.keys.create_key("agency", Role.OPERATOR, [CLINIC], HASH, NOW)
    await store.keys.revoke_key(made.id, NOW)
    told = (await store.ledger.records(newest_first=False)).items
    assert [(each.chain, each.kind) for each in told] == [(SYSTEM, "key.created"), (SYSTEM, "key.revoked")]
    assert not any(HASH in each.text for each in told)


async def test_the_ledger_tells_who_made_and_who_revoked_a_key(store: Store) -> None:
    made = await store.keys.create_key("agency", Role.OPERATOR, [CLINIC], HASH, NOW, by="ana")
    await store.keys.revoke_key(made.id, NOW, by="mia")
    told = (await store.ledger.records(newest_first=False)).items
    assert [each.body["by"] for each in told] == ["ana", "mia"]


async def test_two_keys_that_are_valid_have_two_names(store: Store) -> None:
    create, other = store.keys.create_key, "cd" * 32
    first = await create("agency", Role.VIEWER, [CLINIC], HASH, NOW, NOW + HOUR)
    for name in ("agency", "Agency"):
        with pytest.raises(InputError, match=r"key_abababababab .* choose another name, or revoke that key"):
            await create(name, Role.ADMIN, [CLINIC], other, NOW)
    assert await store.keys.keys() == (first,)
    expired = await create("agency", Role.VIEWER, [CLINIC], other, NOW + HOUR)
    await store.keys.revoke_key(expired.id, NOW + HOUR)
    assert (await create("agency", Role.VIEWER, [CLINIC], "ef" * 32, NOW + HOUR)).name == "agency"


async def test_a_key_is_valid_until_it_expires_or_is_revoked(store: Store) -> None:
    made = await store.keys.create_key("agency", Role.VIEWER, [CLINIC], HASH, NOW, NOW + HOUR)
    assert made.valid(NOW)
    assert not made.valid(NOW + HOUR)
    revoked = await store.keys.revoke_key(made.id, NOW)
    assert not revoked.valid(NOW)
    assert await store.keys.find_key(HASH) == revoked
    for id_ in (made.id, "key_x"):
        with pytest.raises(NotFoundError):
            await store.keys.revoke_key(id_, NOW)


async def test_the_last_use_is_known_to_the_minute(store: Store) -> None:
    key = await store.keys.create_key("agency", Role.VIEWER, [CLINIC], HASH, NOW)
    await store.keys.note_use(key, NOW)
    [used] = await store.keys.keys()
    assert used.used_at == NOW
    await store.keys.note_use(used, NOW + HOUR / 120)
    assert await store.keys.keys() == (used,)
    await store.keys.note_use(used, NOW + HOUR)
    assert (await store.keys.keys())[0].used_at == NOW + HOUR


async def test_of_requests_at_once_the_first_notes_that_a_key_was_used(store: Store) -> None:
    key = await store.keys.create_key("agency", Role.VIEWER, [CLINIC], HASH, NOW)
    await asyncio.gather(*(store.keys.note_use(key, NOW + n * HOUR / 3600) for n in range(50)))
    assert (await store.keys.keys())[0].used_at == NOW


async def test_noting_that_a_key_was_used_forgets_no_other(store: Store) -> None:
    key = await store.keys.create_key("agency", Role.VIEWER, [CLINIC], HASH, NOW)
    other = await store.keys.create_key("other", Role.VIEWER, [CLINIC], "cd" * 32, NOW)
    keys = Keys(store._database, monotonic=lambda: 0.0)
    assert [await keys.find_key(each) for each in (HASH, "cd" * 32)] == [key, other]
    await store.keys.revoke_key(other.id, NOW)  # as another process would
    await keys.note_use(key, NOW)
    assert await keys.find_key("cd" * 32) == other
    assert await keys.find_key(HASH) == replace(key, used_at=NOW)


async def test_a_use_that_could_not_be_noted_is_noted_by_the_next_request(store: Store) -> None:
    key = await store.keys.create_key("agency", Role.VIEWER, [CLINIC], HASH, NOW)
    async with store._database.writing() as conn:
        await conn.execute(text("ALTER TABLE api_key RENAME TO moved"))
    with pytest.raises(StoreError):
        await store.keys.note_use(key, NOW)
    async with store._database.writing() as conn:
        await conn.execute(text("ALTER TABLE moved RENAME TO api_key"))
    await store.keys.note_use(key, NOW)
    assert (await store.keys.keys())[0].used_at == NOW


# --- rule files ---------------------------------------------------------------------------------------------------------

BAD = (Problem("rules/harbour-physio.yaml", 7, "no such metric: utilization", "write utilisation"),)


async def test_the_last_good_file_stays_in_force(store: Store) -> None:
    assert await store.rules.rules_in_force(CLINIC) is None
    assert await store.rules.save_rules(CLINIC, "d1", "first: é", rules("d1"), NOW)
    assert await store.rules.save_rules(CLINIC, "d2", "second", rules("d2"), NOW + HOUR)
    assert await store.rules.rules_in_force(CLINIC) == Revision(rules("d2"), "second", NOW + HOUR)
    assert await store.rules.rules_in_force(OTHER) is None
    assert await store.rules.clinics() == (CLINIC,)
    assert await kinds(store, CLINIC) == ["rules.loaded", "rules.loaded"]


async def test_the_same_file_is_recorded_once_but_an_old_one_again(store: Store) -> None:
    for digest, new in (("d1", True), ("d1", False), ("d2", True), ("d1", True)):
        assert await store.rules.save_rules(CLINIC, digest, "text", rules(digest), NOW) is new
    assert len(await kinds(store, CLINIC)) == 3


async def test_the_same_file_read_otherwise_is_in_force_as_read_last(store: Store) -> None:
    await store.rules.save_rules(CLINIC, "d1", "text", rules("d1"), NOW)
    assert not await store.rules.save_rules(CLINIC, "d1", "text", rules("other"), NOW + HOUR)
    assert await store.rules.rules_in_force(CLINIC) == Revision(rules("other"), "text", NOW)


async def test_a_bad_file_is_told_once_and_forgotten_when_mended(store: Store) -> None:
    await store.rules.save_rules(CLINIC, "d1", "good", rules("d1"), NOW)
    assert await store.rules.reject_rules(CLINIC, "bad", BAD, NOW)
    assert not await store.rules.reject_rules(CLINIC, "bad", BAD, NOW + HOUR)
    assert await store.rules.rejected_rules(CLINIC) == Rejection("bad", BAD, NOW)
    assert await store.rules.rules_in_force(CLINIC) == Revision(rules("d1"), "good", NOW)
    assert await store.rules.reject_rules(CLINIC, "worse", BAD, NOW + HOUR)
    assert not await store.rules.save_rules(CLINIC, "d1", "good", rules("d1"), NOW + HOUR)
    assert await store.rules.rejected_rules(CLINIC) is None
    assert await kinds(store, CLINIC) == ["rules.loaded", "rules.rejected", "rules.rejected"]
