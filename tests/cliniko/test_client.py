from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
import respx

from service.cliniko.client import ATTEMPTS, DEADLINE_SECONDS, MOST_PAGES
from service.core.errors import CredentialsError, OutsideError, ProtocolError, RefusedError, TransientError
from tests.cliniko.stage import BASE, KEY, NOW, VirtualTime, Wire, at, client_over, listing

TIMES = "/businesses/1/practitioners/2/appointment_types/3/available_times"


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


def answers(*responses: httpx.Response) -> Wire:
    remaining: Iterator[httpx.Response] = iter(responses)
    return Wire(lambda _: next(remaining))


def started(*starts: str) -> list[object]:
    return [{"appointment_start": start} for start in starts]


async def test_a_request_carries_key_agent_and_nothing_else_of_ours(time: VirtualTime) -> None:
    router = respx.Router()
    asked = router.get(f"{BASE}/businesses", params={"per_page": "100"}).respond(json={"businesses": []})
    await client_over(httpx.MockTransport(router.async_handler), time).items("businesses", "/businesses")
    headers = asked.calls.last.request.headers
    assert headers["authorization"] == "Basic " + b64encode(f"{KEY}:".encode()).decode()
    assert headers["user-agent"] == "ad-spend-governor (ops@clinic.example)"
    assert headers["accept"] == "application/json"
    assert "content-type" not in headers


async def test_pages_are_followed_to_the_end_and_cut_to_their_fields(time: VirtualTime) -> None:
    wire = answers(
        listing("businesses", [{"id": "1", "email_reply_to": "jane@x"}], next=f"{BASE}/businesses?page=2&per_page=100"),
        listing("businesses", [{"id": "2"}], next="/v1/businesses?page=3"),
        listing("businesses", [{"id": "3"}]),
    )
    found = await client_over(wire.transport, time).items("businesses", "/businesses")
    assert found == [{"id": "1"}, {"id": "2"}, {"id": "3"}]
    assert [request.url.params.get("page") for request in wire.requests] == [None, "2", "3"]


async def test_a_single_resource_is_cut_to_its_fields_too(time: VirtualTime) -> None:
    payload = {"online_bookings": {"enabled": True, "notice_text": "Jane"}, "account": {"name": "Harbour"}}
    wire = answers(httpx.Response(200, json=payload))
    found = await client_over(wire.transport, time).one("settings", "/settings/public")
    assert found == {"online_bookings": {"enabled": True}}


async def test_filters_keep_their_brackets_on_the_wire(time: VirtualTime) -> None:
    wire = answers(listing("unavailable_blocks", []))
    await client_over(wire.transport, time).items("unavailable_blocks", "/unavailable_blocks", [("q[]", "starts_at:<x")])
    assert wire.requests[0].url.query.startswith(b"q%5B%5D=starts_at%3A%3Cx&")


@pytest.mark.parametrize(
    "link", ["https://evil.example/v1/businesses?page=2", "http://api.au4.cliniko.com/v1/businesses", "/v1/patients", "/x"]
)
async def test_a_next_link_off_our_lists_is_refused_before_anything_is_sent(time: VirtualTime, link: str) -> None:
    wire = answers(listing("businesses", [{"id": "1"}], next=link))
    with pytest.raises(ProtocolError):
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert len(wire.requests) == 1


@pytest.mark.parametrize("path", ["/patients", "/individual_appointments", "/settings", "/users", "/bookings"])
async def test_a_path_that_is_not_allowed_never_reaches_the_wire(time: VirtualTime, path: str) -> None:
    wire = answers()
    with pytest.raises(RefusedError):
        await client_over(wire.transport, time).items("businesses", path)
    assert wire.requests == []


async def test_a_page_whose_content_repeats_ends_in_an_error(time: VirtualTime) -> None:
    same = started("2026-03-02T22:00:00Z")
    wire = Wire(lambda request: listing("available_times", same, next=f"{request.url}&x=1"))
    with pytest.raises(ProtocolError):
        await client_over(wire.transport, time).items("available_times", TIMES)
    assert len(wire.requests) == 2


async def test_a_page_that_links_to_itself_ends_in_an_error(time: VirtualTime) -> None:
    numbers = iter(range(1000))
    wire = Wire(lambda request: listing("businesses", [{"id": str(next(numbers))}], next=str(request.url)))
    with pytest.raises(ProtocolError):
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert len(wire.requests) == 2


async def test_a_list_without_end_ends_in_an_error(time: VirtualTime) -> None:
    numbers = iter(range(10**6))

    def respond(_: httpx.Request) -> httpx.Response:
        number = next(numbers)
        return listing("businesses", [{"id": str(number)}], next=f"{BASE}/businesses?page={number + 2}")

    wire = Wire(respond)
    with pytest.raises(ProtocolError):
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert len(wire.requests) == MOST_PAGES + 1


@pytest.mark.parametrize("items", [[{"id": "1"}], [{"id": "1"}, {"id": "1"}]], ids=["one", "one twice"])
async def test_fewer_entries_than_announced_are_not_taken_for_all(items: list[object], time: VirtualTime) -> None:
    wire = answers(httpx.Response(200, json={"businesses": items, "total_entries": 2, "links": {}}))
    with pytest.raises(ProtocolError):
        await client_over(wire.transport, time).items("businesses", "/businesses")


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"businesses": None}),
        httpx.Response(200, json={"businesses": {"id": "1"}}),
        httpx.Response(200, text='{"businesses": [{"id": "1"'),
        httpx.Response(200, text="<html>maintenance</html>"),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, text=""),
        httpx.Response(204),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip")),
        httpx.Response(301, headers={"Location": f"{BASE}/businesses"}),
    ],
)
async def test_an_answer_of_the_wrong_shape_is_an_error_at_once(time: VirtualTime, response: httpx.Response) -> None:
    wire = Wire(lambda _: response)
    with pytest.raises(ProtocolError):
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RefusedError),
        (401, CredentialsError),
        (403, CredentialsError),
        (404, RefusedError),
        (418, RefusedError),
        (422, RefusedError),
    ],
)
async def test_a_refusal_is_never_repeated(time: VirtualTime, status: int, error: type[OutsideError]) -> None:
    wire = Wire(lambda _: httpx.Response(status, json={"message": f"no {KEY} for jane@x.example"}))
    with pytest.raises(error) as raised:
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert len(wire.requests) == 1
    assert raised.value.code == str(status)
    assert KEY not in str(raised.value)
    assert "jane" not in str(raised.value)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"message": "Invalid time frame definition. Please check."}', ": Invalid time frame definition"),
        (b"<p>notes IS NOT FILTERABLE, Jane</p>", ": is not filterable"),
        (b'{"message": "Jane Patient has no appointment"}', ""),
        (b"\xff", ""),
    ],
)  # fmt: skip
async def test_of_an_error_nothing_is_said_but_phrases_we_know(time: VirtualTime, body: bytes, says: str) -> None:
    wire = Wire(lambda _: httpx.Response(400, content=body))
    with pytest.raises(RefusedError) as raised:
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert str(raised.value) == f"/v1/businesses answered 400{says}"


async def test_what_was_received_is_not_quoted_where_it_was_no_http(time: VirtualTime) -> None:
    def garbage(request: httpx.Request) -> httpx.Response:
        raise httpx.RemoteProtocolError("illegal header line: bytearray(b'Jane Patient')", request=request)

    with pytest.raises(TransientError, match=r"^Cliniko could not be reached: RemoteProtocolError$"):
        await client_over(Wire(garbage).transport, time).items("businesses", "/businesses")


def _timeout(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("slow", request=request)


def _unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"no route for {KEY}", request=request)


@pytest.mark.parametrize(
    "fail",
    [
        *(lambda _, status=status: httpx.Response(status, text="<html>") for status in (500, 502, 503, 504)),
        _timeout,
        _unreachable,
    ],
    ids=["500", "502", "503", "504", "timeout", "unreachable"],
)
async def test_an_outage_is_retried_with_growing_waits_and_then_told(
    time: VirtualTime, fail: Callable[[httpx.Request], httpx.Response]
) -> None:
    wire = Wire(fail)
    with pytest.raises(TransientError) as raised:
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert len(wire.requests) == ATTEMPTS
    assert time.slept == [0.5, 1.0, 2.0]
    assert KEY not in str(raised.value)


async def test_a_passing_failure_goes_unnoticed(time: VirtualTime) -> None:
    wire = answers(httpx.Response(503), httpx.Response(504), listing("businesses", [{"id": "1"}]))
    assert await client_over(wire.transport, time).items("businesses", "/businesses") == [{"id": "1"}]


def throttled(**headers: str) -> httpx.Response:
    return httpx.Response(429, headers=at(NOW + timedelta(hours=5), **headers))


def reset(seconds: float) -> str:
    """Epoch seconds, by a server whose clock is five hours ahead of ours."""
    return str(int((NOW + timedelta(hours=5, seconds=seconds)).timestamp()))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X_RateLimit_Reset": reset(17)}, 17),
        ({"X_RateLimit_Reset": reset(17), "Retry_After": "3"}, 17),
        ({"X_RateLimit_Reset": reset(-30)}, 0),
        ({"X_RateLimit_Reset": reset(86400)}, 90),
        ({"X_RateLimit_Reset": "soon", "Retry_After": "3"}, 3),
        ({"X_RateLimit_Reset": "1e400"}, 60),
        ({"X_RateLimit_Reset": "nan"}, 60),
        ({"Retry_After": "9999999999999"}, 90),
        ({"Retry_After": at(NOW + timedelta(hours=5, seconds=8))["Date"]}, 8),
        ({"Retry_After": "-1"}, 60),
        ({}, 60),
    ],
)
async def test_a_429_is_waited_out_as_asked(time: VirtualTime, headers: dict[str, str], seconds: float) -> None:
    wire = answers(throttled(**headers), listing("businesses", []))
    await client_over(wire.transport, time).items("businesses", "/businesses")
    assert sum(time.slept) == pytest.approx(seconds, abs=0.2)


async def test_a_reset_in_the_past_that_repeats_does_not_become_hammering(time: VirtualTime) -> None:
    wire = Wire(lambda _: throttled(X_RateLimit_Reset=reset(-30)))
    with pytest.raises(TransientError) as raised:
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert len(wire.requests) == ATTEMPTS
    assert time.slept == sorted(time.slept)
    assert raised.value.retry_after == timedelta(0)


async def test_a_429_keeps_the_other_requests_of_that_user_waiting_too(time: VirtualTime) -> None:
    sent: list[tuple[str, float]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        resource = request.url.path.rpartition("/")[2]
        sent.append((resource, time.now))
        return throttled(X_RateLimit_Reset=reset(17)) if len(sent) == 1 else listing(resource, [])

    client = client_over(Wire(respond).transport, time)
    began = time.now
    await client.items("businesses", "/businesses")
    time.now = began + 1  # as another task would have found it
    await client.items("services", "/services")
    assert [at - began >= 17 for resource, at in sent if resource == "services"] == [True]


async def test_a_429_without_date_is_read_by_our_clock(time: VirtualTime) -> None:
    headers = {"X-RateLimit-Reset": str(int((NOW + timedelta(seconds=9)).timestamp()))}
    wire = answers(httpx.Response(429, headers=headers), listing("businesses", []))
    await client_over(wire.transport, time).items("businesses", "/businesses")
    assert sum(time.slept) == pytest.approx(9, abs=0.2)


async def test_waiting_ends_at_the_deadline(time: VirtualTime) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        time.now += DEADLINE_SECONDS / 2
        return httpx.Response(503)

    wire = Wire(respond)
    with pytest.raises(TransientError):
        await client_over(wire.transport, time).items("businesses", "/businesses")
    assert len(wire.requests) == 2
