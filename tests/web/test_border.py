"""What every request passes: an id, headers that keep its answer where it belongs, and compression for whoever takes it."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import structlog
from litestar import Litestar, get
from litestar.middleware.compression import CompressionMiddleware
from litestar.response import ServerSentEvent, Stream

from service.monitor import Answer, Monitor
from service.sandbox.scene import HARBOUR
from service.settings import ApiSettings
from service.web.border import SANE, Border, request_id
from service.web.server import COMPRESSION, create_app
from tests.watching import Lines, Recorder
from tests.web.conftest import Api, client_of

MADE = re.compile(r"[0-9a-f]{32}")


# --- the id of a request ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theirs", ["01J9ZK3V", "a", "trace:7/2+b=.~"[:13], "x" * 128])
async def test_an_id_that_can_be_logged_is_taken_over(api: Api, theirs: str) -> None:
    answer = await api.ask("GET", "/v1/clinics", headers={"X-Request-ID": theirs})
    assert answer.headers["x-request-id"] == theirs


@pytest.mark.parametrize("theirs", ["", " ", "a b", "x" * 129, '{"event": "forged"}', "a\tb", "%0a", "-rf", "\u00e9"])
async def test_any_other_is_replaced(api: Api, theirs: str) -> None:
    answer = await api.ask("GET", "/v1/clinics", headers={"X-Request-ID": theirs.encode()})
    assert MADE.fullmatch(answer.headers["x-request-id"])


def test_ids_of_our_own_are_sane_and_differ() -> None:
    made = {request_id(None) for _ in range(100)}
    assert len(made) == 100
    assert all(SANE.fullmatch(each) for each in made)


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere", "/healthz", "/v1/clinics", "/schema", "/v1/decisions?limit=0"])
async def test_every_answer_shows_one(api: Api, path: str) -> None:
    assert MADE.fullmatch((await api.ask("GET", path, None)).headers["x-request-id"])


async def test_all_that_is_logged_for_a_request_carries_its_id(api: Api, lines: Lines) -> None:
    api.near.crashing.add(HARBOUR)
    path = f"/v1/clinics/{HARBOUR}/evaluations"
    await api.ask("POST", path, json={"dry_run": True}, headers={"X-Request-ID": "mine"})
    found = lines()
    assert [line["event"] for line in found] == ["request_crashed", "request_answered"]
    assert {line["request"] for line in found} == {"mine"}
    answered = found[-1]
    assert (answered["method"], answered["path"], answered["status"]) == ("POST", path, "500")
    assert answered["key"]
    assert structlog.contextvars.get_contextvars() == {}


async def test_a_run_on_somebodys_word_is_logged_with_the_request_that_asked_for_it(api: Api, lines: Lines) -> None:
    answer = await api.ask("POST", f"/v1/clinics/{HARBOUR}/evaluations", json={"dry_run": False})
    [finished] = [line for line in lines() if line["event"] == "run_finished"]
    assert finished["request"] == answer.headers["x-request-id"]
    assert (finished["run"], finished["clinic"]) == (answer.json()["run"], HARBOUR)


async def test_what_is_asked_for_in_the_query_is_not_logged_and_probes_are_not_at_all(api: Api, lines: Lines) -> None:
    await api.get("/v1/decisions", campaign="a-name")
    await api.get("/healthz", None)
    [line] = lines()
    assert line["path"] == "/v1/decisions"
    assert "a-name" not in json.dumps(line)


# --- headers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/nowhere", "/healthz", "/schema", "/v1/clinics", "/v1/nowhere", "/metrics"])
async def test_no_answer_is_taken_for_something_else_or_tells_where_it_came_from(api: Api, path: str) -> None:
    answer = await api.ask("GET", path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("path", "key", "says"),
    [
        ("/v1/clinics", "admin", "private, no-cache"),  # it has a tag, which is of use to whoever keeps the answer
        ("/v1/clinics", None, "no-store"),
        (f"/v1/clinics/{HARBOUR}/forecast", "admin", "no-store"),  # there is none yet
        ("/nowhere", "admin", "no-store"),
    ],
)
async def test_nobody_but_the_asker_keeps_what_takes_a_key(api: Api, path: str, key: str | None, says: str) -> None:
    assert (await api.ask("GET", path, key)).headers["cache-control"] == says


async def test_what_is_open_to_all_may_be_kept(api: Api) -> None:
    assert "cache-control" not in (await api.ask("GET", "/schema/openapi.json", None)).headers


def bordered(*handlers: Any) -> Litestar:
    """An application of other handlers, with our compression and our border."""
    litestar = Litestar(list(handlers), openapi_config=None, logging_config=None)
    litestar.asgi_handler = Border(CompressionMiddleware(litestar.asgi_handler, COMPRESSION), Monitor())
    return litestar


async def test_a_handler_that_says_how_its_answer_may_be_kept_has_the_last_word() -> None:
    @get("/v1/kept", response_headers={"Cache-Control": "private, max-age=60"})
    async def kept() -> str:
        return "x"

    async with client_of(bordered(kept)) as client:
        assert (await client.get("/v1/kept")).headers["cache-control"] == "private, max-age=60"


async def test_a_defect_that_leaves_even_the_framework_is_counted_and_logged(lines: Lines) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    recorder = Recorder()
    border = Border(broken, recorder.monitor)
    transport = httpx.ASGITransport(border)  # type: ignore[arg-type] # as in `client_of`
    async with httpx.AsyncClient(transport=transport, base_url="http://governor") as client:
        with pytest.raises(ZeroDivisionError):
            await client.get("/v1/x")
    [line] = lines()
    assert (line["event"], line["status"]) == ("request_answered", "500")
    [(answer, status)] = recorder.ended
    assert isinstance(answer, Answer)
    assert status == "500"


# --- compression --------------------------------------------------------------------------------------------------------


async def raw(client: httpx.AsyncClient, path: str, **headers: str) -> tuple[httpx.Headers, bytes]:
    """The octets of an answer, as they came."""
    async with client.stream("GET", path, headers=headers) as answer:
        return answer.headers, b"".join([part async for part in answer.aiter_raw()])


async def test_a_large_answer_is_compressed_for_whoever_takes_it(governed: Api) -> None:
    authorization = f"Bearer {governed.secrets['admin']}"
    plain, body = await raw(governed.client, "/v1/decisions", Authorization=authorization, **{"Accept-Encoding": "identity"})
    packed, octets = await raw(governed.client, "/v1/decisions", Authorization=authorization, **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in plain
    assert packed["content-encoding"] == "gzip"
    assert "accept-encoding" in packed["vary"].lower()
    assert int(packed["content-length"]) == len(octets) < len(body) / 2
    assert gzip.decompress(octets) == body


async def test_an_answer_has_the_same_tag_however_it_is_sent(governed: Api) -> None:
    tags = set()
    for coding in ("identity", "gzip"):
        headers = {"Authorization": f"Bearer {governed.secrets['admin']}", "Accept-Encoding": coding}
        answer = await governed.client.get("/v1/decisions", headers=headers)
        tags.add(answer.headers["etag"])
        again = await governed.client.get("/v1/decisions", headers=headers | {"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert "content-encoding" not in again.headers
    assert len(tags) == 1


async def test_a_small_answer_is_not(api: Api) -> None:
    headers, _ = await raw(api.client, "/healthz", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in headers


async def test_events_are_sent_as_they_are_and_as_they_happen() -> None:
    @get("/v1/events")
    async def events() -> ServerSentEvent:
        async def told() -> AsyncIterator[str]:
            for n in range(3):
                yield f"event {n} " + "x" * 2000

        return ServerSentEvent(told())

    async with client_of(bordered(events)) as client:
        headers, body = await raw(client, "/v1/events", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in headers
    assert body.count(b"data: event") == 3


async def test_a_stream_is_compressed_part_by_part_and_whole_at_the_end() -> None:
    lines = [f'{{"n": {n}}}\n'.encode() for n in range(500)]

    @get("/v1/stream")
    async def stream() -> Stream:
        async def parts() -> AsyncIterator[bytes]:
            for line in lines:
                yield line

        return Stream(parts(), media_type="application/x-ndjson")

    async with client_of(bordered(stream)) as client:
        headers, body = await raw(client, "/v1/stream", **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == b"".join(lines)


# --- other people's pages -----------------------------------------------------------------------------------------------


def sharing(api: Api, *origins: str) -> Litestar:
    settings = api.app.settings.model_copy(update={"api": ApiSettings(requests_per_minute=0, allow_origins=origins)})
    return create_app(replace(api.app, settings=settings), hourly=False)


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,if-none-match,x-request-id",
    }


async def test_no_page_of_anybodys_may_read_the_api_unless_somebody_says_so(api: Api) -> None:
    async with client_of(api.litestar) as client:
        for method, headers in (
            ("GET", {"Origin": "https://agency.example"}),
            ("OPTIONS", preflight("https://agency.example")),
        ):
            answer = await client.request(method, "/v1/clinics", headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_the_pages_that_were_named_may(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.secrets['admin']}", "Origin": "https://agency.example"}
    async with client_of(sharing(api, "https://agency.example", "https://other.example")) as client:
        asked = await client.options("/v1/clinics", headers=preflight("https://agency.example"))
        answer = await client.get("/v1/clinics", headers=headers)
    assert asked.status_code == 204
    assert (
        asked.headers["access-control-allow-origin"]
        == answer.headers["access-control-allow-origin"]
        == "https://agency.example"
    )
    assert "authorization" in asked.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in answer.headers
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert exposed >= {"x-request-id", "retry-after", "ratelimit", "etag"}


async def test_the_pages_that_were_not_named_may_not(api: Api) -> None:
    async with client_of(sharing(api, "https://agency.example")) as client:
        for origin in ("https://evil.example", "https://agency.example.evil.example", "null"):
            answers = [
                await client.options("/v1/clinics", headers=preflight(origin)),
                await client.get("/v1/clinics", headers={"Origin": origin}),
            ]
            assert not any("access-control-allow-origin" in answer.headers for answer in answers)


async def test_every_page_may_where_that_is_said(api: Api) -> None:
    async with client_of(sharing(api, "*")) as client:
        answer = await client.get("/healthz", headers={"Origin": "https://anybody.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
