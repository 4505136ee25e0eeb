"""A request that is sent twice under one word is done once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from service.sandbox.scene import HARBOUR
from service.store.repeats import ABANDONED_AFTER, KEPT_FOR, Said
from tests.web.conftest import Api

HOLDS = f"/v1/clinics/{HARBOUR}/holds"
SALE = {"reason": "a sale is on"}


async def post(api: Api, path: str, word: str, key: str = "harbour-operator", **rest: Any) -> Any:
    return await api.ask("POST", path, key, headers={"Idempotency-Key": word}, **rest)


async def holds(api: Api) -> int:
    return len((await api.get(HOLDS))["items"])


async def test_what_was_answered_is_answered_again_and_nothing_is_done_twice(governed: Api) -> None:
    first = await post(governed, HOLDS, "a-word", json=SALE)
    again = await post(governed, HOLDS, "a-word", json=SALE)
    assert first.status_code == 201
    assert (again.status_code, again.content, again.headers["content-type"]) == (
        201,
        first.content,
        first.headers["content-type"],
    )
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await holds(governed) == 1


async def test_without_a_word_or_with_another_a_request_is_another(governed: Api) -> None:
    for word in ("one", "two"):
        await post(governed, HOLDS, word, json=SALE)
    await governed.ask("POST", HOLDS, json=SALE)
    assert await holds(governed) == 3


async def test_a_word_belongs_to_the_key_it_came_with(governed: Api) -> None:
    for key in ("harbour-operator", "harbour-admin"):
        assert (await post(governed, HOLDS, "a-word", key, json=SALE)).status_code == 201
    assert await holds(governed) == 2


async def test_a_word_for_another_request_is_refused_and_nothing_is_done(governed: Api) -> None:
    await post(governed, HOLDS, "a-word", json=SALE)
    for path, body in ((HOLDS, {"reason": "another"}), (f"/v1/clinics/{HARBOUR}/evaluations", SALE)):
        answer = await post(governed, path, "a-word", json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:governor:problem:idempotency-key-reused")
    assert await holds(governed) == 1


async def test_of_many_at_the_same_time_one_is_done_and_the_others_wait_or_hear_the_same(governed: Api) -> None:
    answers = await asyncio.gather(*(post(governed, HOLDS, "a-word", json=SALE) for _ in range(8)))
    made = [answer.content for answer in answers if answer.status_code == 201]
    waiting = {answer.json()["type"] for answer in answers if answer.status_code != 201}
    assert made == [made[0]] * len(made)
    assert waiting <= {"urn:governor:problem:under-way"}
    assert await holds(governed) == 1


async def test_a_refusal_is_kept_as_well(governed: Api) -> None:
    first = await post(governed, HOLDS, "a-word", json={})
    again = await post(governed, HOLDS, "a-word", json={})
    assert (first.status_code, again.status_code, again.content) == (400, 400, first.content)
    assert again.headers["content-type"] == "application/problem+json"


async def test_what_came_to_nothing_may_be_tried_again(governed: Api) -> None:
    governed.near.crashing.add(HARBOUR)
    path = f"/v1/clinics/{HARBOUR}/evaluations"
    assert (await post(governed, path, "a-word", json={"dry_run": True})).status_code == 500
    governed.near.crashing.clear()
    answer = await post(governed, path, "a-word", json={"dry_run": True})
    assert (answer.status_code, "idempotency-replayed" in answer.headers) == (200, False)


async def test_a_word_is_kept_for_a_day(governed: Api) -> None:
    await post(governed, HOLDS, "a-word", json=SALE)
    governed.near.world.advance(KEPT_FOR)
    assert (await post(governed, HOLDS, "a-word", json=SALE)).headers["idempotency-replayed"] == "true"
    governed.near.world.advance(timedelta(seconds=1))
    assert "idempotency-replayed" not in (await post(governed, HOLDS, "a-word", json=SALE)).headers
    assert await holds(governed) == 2


async def test_a_request_whose_process_died_is_never_done_anew_and_says_what_to_do(governed: Api) -> None:
    from service.web.repeating import _fingerprint  # noqa: PLC0415

    key = next(each.id for each in await governed.app.store.keys.keys() if each.name == "harbour-operator")
    scope: Any = {"method": "POST", "path": HOLDS, "query_string": b""}
    body = b'{"reason":"a sale is on"}'
    await governed.app.store.repeats.claim(key, "a-word", _fingerprint(scope, body), governed.app.clock())
    waiting = await post(governed, HOLDS, "a-word", content=body)
    assert (waiting.status_code, waiting.json()["type"]) == (409, "urn:governor:problem:under-way")
    assert "ask again" in waiting.json()["detail"]
    governed.near.world.advance(ABANDONED_AFTER + timedelta(seconds=1))
    unknown = await post(governed, HOLDS, "a-word", content=body)
    assert (unknown.status_code, unknown.json()["type"]) == (409, "urn:governor:problem:under-way")
    assert "look at what is there" in unknown.json()["detail"]
    assert await holds(governed) == 0
    assert (await post(governed, HOLDS, "another-word", content=body)).status_code == 201


async def test_a_claim_that_has_ended_is_not_ended_again(governed: Api) -> None:
    """Whoever began under a word a day ago has no say in who has it now."""
    repeats, now = governed.app.store.repeats, governed.app.clock()
    assert await repeats.claim("key", "a-word", "f", now) is None
    later = now + KEPT_FOR + timedelta(seconds=1)
    assert await repeats.claim("key", "a-word", "f", later) is None
    await repeats.release("key", "a-word", now)
    await repeats.keep("key", "a-word", now, Said(200, "text/plain", b"old"))
    found = await repeats.claim("key", "a-word", "f", later)
    assert found is not None
    assert found.said is None


async def test_an_answer_that_cannot_be_kept_is_given_and_the_deed_not_done_twice(governed: Api) -> None:
    async with governed.app.store._database.writing() as conn:
        await conn.exec_driver_sql("CREATE TRIGGER full BEFORE UPDATE ON repeat BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert (await post(governed, HOLDS, "a-word", json=SALE)).status_code == 201
    assert (await post(governed, HOLDS, "a-word", json=SALE)).status_code == 409
    assert await holds(governed) == 1


async def test_that_something_does_not_exist_is_said_of_the_moment(governed: Api) -> None:
    path = "/v1/clinics/not-yet/holds"
    assert [(await post(governed, path, "a-word", "admin", json=SALE)).status_code for _ in range(2)] == [404, 404]
    assert "idempotency-replayed" not in (await post(governed, path, "a-word", "admin", json=SALE)).headers


@pytest.mark.parametrize("word", ["", "two words", "x" * 201, "Wört"])
async def test_a_word_that_is_none_is_refused_with_what_to_write(governed: Api, word: str) -> None:
    answer = await governed.ask("POST", HOLDS, headers={"Idempotency-Key": word.encode("latin-1")}, json=SALE)
    assert answer.status_code == 422
    assert "1 to 200 printable characters" in answer.json()["detail"]
    assert await holds(governed) == 0


async def test_without_a_good_key_a_word_is_worth_nothing(governed: Api) -> None:
    for secret in (None, "gov_made-up"):
        headers = {"Idempotency-Key": "a-word"} | ({"Authorization": f"Bearer {secret}"} if secret else {})
        assert (await governed.ask("POST", HOLDS, None, headers=headers, json=SALE)).status_code == 401
    assert (await post(governed, HOLDS, "a-word", json=SALE)).status_code == 201
