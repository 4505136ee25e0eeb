"""Every answer Meta is known to give to a call that went wrong, over loopback HTTP through the real SDK, read and write.

The reference is Marketing API, "Error Codes" and "Rate Limiting", and what is reported of answers that no page describes.
A read may be repeated (three requests in all); a write is sent once, whatever comes back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from litestar.types import Receive, Scope, Send

from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    OutsideError,
    ProtocolError,
    RefusedError,
    TransientError,
)
from service.meta.credentials import MetaCredentials
from service.meta.errors import SPENT_TODAY, RestrictedError, UndocumentedRefusalError
from service.meta.graph import Graph
from service.meta.pauses import Pauses
from service.sandbox.serving import serving
from tests.meta.stage import NOON, QUICK

JSON, HTML, TEXT = "application/json", "text/html", "text/plain"


@dataclass
class Answer:
    """What Meta says to everything until it is told to say something else; `asked` counts the requests."""

    status: int = 200
    body: str = "{}"
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    url: str = ""


@pytest.fixture(scope="module")
def meta() -> Iterator[Answer]:
    answer = Answer()

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        answer.asked += 1
        named = {"content-type": answer.kind, "content-length": str(len(answer.body.encode()))} | answer.headers
        await send({
            "type": "http.response.start", "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        })  # fmt: skip
        await send({"type": "http.response.body", "body": answer.body.encode(), "more_body": False})

    with serving(app) as answer.url:
        yield answer


@dataclass(frozen=True)
class Outcome:
    """What follows: our error, how many requests a read took, and how long to leave the scope alone."""

    error: type[OutsideError]
    requests: int = 1
    wait: int | None = None


RETRY, WAIT = Outcome(TransientError, requests=3), Outcome(TransientError, wait=300)
HOUR = Outcome(TransientError, wait=3600)
STOP, ALERT = Outcome(CredentialsError), Outcome(RestrictedError)
REFUSE, UNKNOWN = Outcome(RefusedError), Outcome(UndocumentedRefusalError)
NOT_META, REREAD = Outcome(ProtocolError), Outcome(AmbiguousWriteError)


@dataclass(frozen=True)
class Row:
    id: str
    status: int
    body: str
    on_read: Outcome
    on_write: Outcome
    kind: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


def graph_error(code: object, subcode: object = None, **more: object) -> str:
    said = {"message": "M", "type": "OAuthException", "code": code, "fbtrace_id": "A"} | more
    return json.dumps({"error": said | ({} if subcode is None else {"error_subcode": subcode})})


def coded(
    what: str, on_read: Outcome, *codes: tuple[object, ...], on_write: Outcome | None = None, status: int = 400
) -> list[Row]:
    """Rows of the documented errors, named by their codes."""
    return [
        Row(f"{what} {'/'.join(map(str, code))}", status, graph_error(*code), on_read, on_write or on_read) for code in codes
    ]


def usage(minutes: int = 0, tier: str = "standard_access") -> tuple[tuple[str, str], ...]:
    case = {"type": "ads_management", "call_count": 100, "total_cputime": 1, "total_time": 1,
            "estimated_time_to_regain_access": minutes, "ads_api_access_tier": tier}  # fmt: skip
    return (("x-business-use-case-usage", json.dumps({"1": [case]})),)


def seconds(reset: int) -> tuple[tuple[str, str], ...]:
    said = {"acc_id_util_pct": 100, "reset_time_duration": reset, "ads_api_access_tier": "standard_access"}
    return (("x-ad-account-usage", json.dumps(said)),)


THROTTLED = graph_error(80004, 2446079)

ROWS = [
    # faults of Meta's own: a write may have been made
    *coded("transient", RETRY, (1,), (2,), on_write=REREAD),
    *coded("transient under HTTP 500", RETRY, (1,), (2,), (31337,), on_write=REREAD, status=500),
    Row("is_transient", 400, graph_error(31337, is_transient=True), RETRY, REREAD),
    Row("is_transient of an invalid parameter", 400, graph_error(100, is_transient=True), RETRY, REREAD),
    Row("5xx with an error of no code", 500, '{"error": {}}', RETRY, REREAD),
    # throttling: pause the scope
    *coded("throttle", WAIT, (4,), (17,), (32,), (341,), (4, 1504022), (4, 1504039), (17, 2446079), (613, 2446079)),
    *coded("throttle", WAIT, *((code,) for code in range(80000, 80015))),
    *coded("throttle", WAIT, (613, 1487742), (613, 1487225), (613, 5044001), (1487742,), (5044001,), (2446079,)),
    *coded("throttle, four an hour", HOUR, (613, 1487632), (1487632,), (613,)),
    *coded("throttle under HTTP 403", WAIT, (80004, 2446079), status=403),
    *coded("throttle under HTTP 429", WAIT, (80004, 2446079), (31337,), status=429),
    *coded("throttle under HTTP 500", WAIT, (80004, 2446079), status=500),
    Row(
        "regain in minutes",
        400,
        THROTTLED,
        Outcome(TransientError, wait=420),
        Outcome(TransientError, wait=420),
        JSON,
        usage(7),
    ),
    Row(
        "reset in seconds",
        400,
        THROTTLED,
        Outcome(TransientError, wait=95),
        Outcome(TransientError, wait=95),
        JSON,
        seconds(95),
    ),
    Row("full tier", 400, THROTTLED, Outcome(TransientError, wait=60), Outcome(TransientError, wait=60), JSON, usage()),
    Row("limited tier", 400, THROTTLED, WAIT, WAIT, JSON, usage(tier="development_access")),
    Row("an hour in spite of minutes", 400, graph_error(613, 1487632), HOUR, HOUR, JSON, usage(7)),
    Row("abuse", 400, graph_error(613, 1996), ALERT, ALERT),
    # the token, the role
    *coded("auth", STOP, (102,), (190,), *((190, sub) for sub in (458, 459, 460, 463, 464, 467, 492, 499))),
    *coded("auth under HTTP 401", STOP, (190, 463), status=401),
    Row("auth, even if called transient", 500, graph_error(190, 463, is_transient=True), STOP, STOP),
    *coded("permission", STOP, (3,), (10,), (200,), (270,), (294,), (299,)),
    *coded("permission under HTTP 403", STOP, (200,), status=403),
    *coded("no such object or no access", REFUSE, (100, 33)),
    # the good standing
    *coded("integrity", ALERT, (368,), (1404078,), (1404163,), (2859015,), (368, 1404078), (100, 1404163), (200, 2859015)),
    # what was asked for
    *coded("invalid", REFUSE, (100,), (2500,), (2635,), (801,), (300,)),
    *coded("invalid", REFUSE, *((100, sub) for sub in (1885272, 1885261, 1885621, 1885650, 2238055, 2446307))),
    *coded("invalid, subcode as code", REFUSE, (1885272,), (1885650,), (2238055,)),
    *coded("state", REFUSE, *((100, sub) for sub in (1487566, 1487056, 1487033, 1487007)), (1487566,)),
    *coded("too large a report", REFUSE, (1, 99), (100, 1487534), (1487534,)),
    # nobody knows
    *coded("unknown", UNKNOWN, (31337,), (-1,), (9_999_999,), (None,), ("word",), (31337, 200), (100.5,)),
    Row("no code at all", 400, '{"error": {}}', UNKNOWN, UNKNOWN),
    Row("code as text", 400, graph_error("100", error_data="no JSON"), REFUSE, REFUSE),
    # under a good status
    Row("200 with an error", 200, graph_error(100), REFUSE, REFUSE),
    Row("200 with an unknown error", 200, graph_error(31337), UNKNOWN, UNKNOWN),
    Row("200 success false", 200, '{"success": false}', UNKNOWN, UNKNOWN),
    # odd answers
    *(Row(f"HTML {status}", status, "<html>Sorry</html>", RETRY, REREAD, HTML) for status in (500, 502, 503, 504)),
    *(Row(f"empty {status}", status, "", RETRY, REREAD) for status in (500, 502, 503, 504)),
    *(Row(f"JSON {status} without an error", status, '{"id": "11"}', RETRY, REREAD) for status in (500, 502, 503)),
    Row("text 503", 503, "Service Unavailable", RETRY, REREAD, TEXT),
    Row("text 503 as JSON", 503, '"Service Unavailable"', RETRY, REREAD),
    Row("HTML 429", 429, "<html>", WAIT, REREAD, HTML),
    Row("empty 200", 200, "", NOT_META, REREAD),
    Row("text 200", 200, "Service Unavailable", NOT_META, REREAD, TEXT),
    Row("HTML 200", 200, "<html>", NOT_META, REREAD, HTML),
    Row("list 200", 200, "[]", NOT_META, REREAD),
    Row("half of JSON 200", 200, '{"id": ', NOT_META, REREAD),
    Row("null 200", 200, "null", NOT_META, REREAD),
    Row("HTML 404", 404, "<html>", NOT_META, REREAD, HTML),
    Row("HTML 400", 400, "<html>", NOT_META, REREAD, HTML),
    Row("elsewhere 302", 302, "", NOT_META, REREAD, HTML, (("location", "/v26.0/12/"),)),
    Row("error is a word", 400, '{"error": "a word"}', NOT_META, REREAD),
    Row("error is null", 400, '{"error": null}', NOT_META, REREAD),
    Row("error is a list", 400, '{"error": [1]}', NOT_META, REREAD),
]


@pytest.mark.parametrize("method", ["read", "write"])
@pytest.mark.parametrize("row", [pytest.param(row, id=row.id) for row in ROWS])
async def test_what_follows_from_an_answer(meta: Answer, row: Row, method: str) -> None:
    meta.status, meta.body, meta.kind, meta.headers, meta.asked = row.status, row.body, row.kind, dict(row.headers), 0
    expected = row.on_read if method == "read" else row.on_write
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async with Graph("act_1", MetaCredentials("EAAtoken", "secret"), meta.url, QUICK, sleep, Pauses(lambda: NOON)) as graph:
        with pytest.raises(OutsideError) as raised:
            await _call(graph, method)
    assert type(raised.value) is expected.error
    assert meta.asked == (expected.requests if method == "read" else 1)
    assert pauses == list(QUICK.backoff)[: meta.asked - 1]
    wait = getattr(raised.value, "retry_after", None)
    assert wait == (None if expected.wait is None else timedelta(seconds=expected.wait))
    assert raised.value.system == "meta"


async def _call(graph: Graph, method: str) -> Any:
    if method == "read":
        return await graph.get(("11", ""), {"fields": "id"})
    return await graph.post(("11", ""), {"status": "PAUSED"})


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row.id for row in ROWS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("code", [(100, 1885650), (1885650,)], ids=str)
async def test_a_budget_below_todays_spend_has_its_own_name(meta: Answer, code: tuple[object, ...]) -> None:
    meta.status, meta.body, meta.kind, meta.headers = 400, graph_error(*code), JSON, {}
    async with Graph("act_1", MetaCredentials("EAAtoken"), meta.url, QUICK, _no_sleep, Pauses(lambda: NOON)) as graph:
        with pytest.raises(RefusedError) as raised:
            await _call(graph, "write")
    assert raised.value.code == SPENT_TODAY


async def _no_sleep(_: float) -> None: ...


# --- the scope is left alone --------------------------------------------------------------------------------------------


@dataclass
class Clock:
    now: Any = NOON

    def __call__(self) -> Any:
        return self.now


@pytest.mark.parametrize(
    ("body", "path", "closed", "open_"),
    [
        pytest.param(
            THROTTLED, ("11", ""), [("read", ("12", "")), ("write", ("12", "")), ("read", ("act_1", "insights"))], [],
            id="account",
        ),
        pytest.param(
            graph_error(80000), ("act_1", "insights"), [("read", ("act_1", "insights"))],
            [("read", ("11", "")), ("write", ("11", ""))], id="reports",
        ),
        pytest.param(graph_error(4), ("act_1", "insights"), [("read", ("11", ""))], [], id="the app, met at a report"),
        pytest.param(
            graph_error(613, 1487632), ("11", ""), [("write", ("11", ""))], [("read", ("11", "")), ("write", ("12", ""))],
            id="one budget",
        ),
        pytest.param(
            graph_error(368), ("11", ""), [("write", ("11", "")), ("write", ("12", ""))], [("read", ("11", ""))], id="writes"
        ),
        pytest.param(graph_error(190), ("11", ""), [], [("read", ("11", "")), ("write", ("11", ""))], id="not a new token"),
    ],
)  # fmt: skip
async def test_what_asked_to_be_left_alone_is_until_it_is_time(
    meta: Answer,
    body: str,
    path: tuple[str, ...],
    closed: list[tuple[str, tuple[str, ...]]],
    open_: list[tuple[str, tuple[str, ...]]],
) -> None:
    clock = Clock()
    pauses = Pauses(clock)

    async def tried(method: str, where: tuple[str, ...]) -> int:
        """How many requests went out."""
        before = meta.asked
        async with Graph("act_1", MetaCredentials("EAAtoken"), meta.url, QUICK, _no_sleep, pauses) as graph:
            with suppress(TransientError, RestrictedError):
                await (graph.get(where, {}) if method == "read" else graph.post(where, {}))
        return meta.asked - before

    meta.status, meta.body, meta.kind, meta.headers = 400, body, JSON, {}
    async with Graph("act_1", MetaCredentials("EAAtoken"), meta.url, QUICK, _no_sleep, pauses) as graph:
        with pytest.raises(OutsideError):
            await (graph.get(path, {}) if path[-1] else graph.post(path, {}))
    meta.status, meta.body = 200, '{"id": "11"}'
    assert [await tried(*call) for call in closed] == [0] * len(closed)
    assert [await tried(*call) for call in open_] == [1] * len(open_)
    clock.now += timedelta(hours=6)
    assert [await tried(*call) for call in closed] == [1] * len(closed)


# --- headers of answers that are no refusals -----------------------------------------------------------------------------


def case_header(**said: object) -> dict[str, str]:
    case = {"type": "ads_management", "call_count": 10, "total_cputime": 1, "total_time": 1,
            "estimated_time_to_regain_access": 0, "ads_api_access_tier": "standard_access"} | said  # fmt: skip
    return {"x-business-use-case-usage": json.dumps({"1": [case]})}


NEARLY = {"call_count": 96, "total_cputime": 1, "total_time": 1}
REPORT, OTHERS = ("read", "act_1", ("act_1", "insights")), ("read", "act_2", ("act_2", ""))
READ, WRITE = ("read", "act_1", ("11", "")), ("write", "act_1", ("11", ""))


@dataclass
class Asking:
    """Calls about several ad accounts of one app; tells whether each went out."""

    meta: Answer
    clock: Clock = field(default_factory=Clock)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pauses = Pauses(self.clock)

    async def __call__(self, method: str, account: str, path: tuple[str, ...]) -> bool:
        before = self.meta.asked
        graph = Graph(account, MetaCredentials("EAAtoken"), self.meta.url, QUICK, _no_sleep, self.pauses)
        async with graph:
            try:
                await (graph.get(path, {}) if method == "read" else graph.post(path, {}))
            except OutsideError as error:
                self.said.append(str(error))
        return self.meta.asked > before

    async def told(self, status: int, body: str, headers: dict[str, str], path: tuple[str, ...]) -> None:
        """One answer with these headers; all later ones are plain."""
        self.meta.status, self.meta.body, self.meta.kind, self.meta.headers = status, body, JSON, headers
        await self("read", "act_1", path)
        self.meta.status, self.meta.body, self.meta.headers = 200, '{"id": "11"}', {}


@pytest.mark.parametrize(
    ("headers", "closed", "open_", "minutes"),
    [
        pytest.param(case_header(estimated_time_to_regain_access=7), [READ, WRITE, REPORT], [OTHERS], 7, id="access regained"),
        pytest.param(case_header(total_time=95), [READ, WRITE, REPORT], [OTHERS], 1, id="nearly used up"),
        pytest.param(case_header(total_time=94), [], [READ, WRITE, REPORT, OTHERS], 1, id="room left"),
        pytest.param(case_header(type="ads_insights", call_count=99), [REPORT], [READ, WRITE], 1, id="reports"),
        pytest.param(dict(seconds(200)), [READ, WRITE], [OTHERS], 4, id="the account's score"),
        pytest.param({"x-app-usage": json.dumps(NEARLY)}, [READ, WRITE, REPORT, OTHERS], [], 5, id="the app"),
        pytest.param(
            {"x-fb-ads-insights-throttle": json.dumps({"app_id_util_pct": 97, "acc_id_util_pct": 1})},
            [REPORT, ("read", "act_2", ("act_2", "insights"))], [READ, OTHERS], 5, id="the app's reports",
        ),
    ],
)  # fmt: skip
async def test_headers_are_obeyed_before_anything_is_refused(
    meta: Answer, headers: dict[str, str], closed: list[Any], open_: list[Any], minutes: int
) -> None:
    asking = Asking(meta)
    await asking.told(200, '{"id": "11"}', headers, ("11", ""))
    assert [await asking(*call) for call in closed] == [False] * len(closed)
    assert [await asking(*call) for call in open_] == [True] * len(open_)
    until = NOON + timedelta(minutes=minutes)
    assert [each for each in asking.said if "left alone until 23 Nov 01:0" not in each or "used" not in each] == []
    asking.clock.now = until
    assert [await asking(*call) for call in closed] == [True] * len(closed)


@pytest.mark.parametrize(
    ("code", "other_accounts", "their_reports"),
    [
        ((4,), False, False), ((17,), False, False), ((341,), False, False), ((4, 1504022), True, False),
        ((17, 2446079), True, True), ((613,), True, True), ((613, 1487742), True, True), ((80004,), True, True),
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_about_the_app_concerns_all_its_ad_accounts_and_nothing_else_does(
    meta: Answer, code: tuple[int, ...], other_accounts: bool, their_reports: bool
) -> None:
    asking = Asking(meta)
    await asking.told(400, graph_error(*code), {}, ("act_1", "insights") if 1504022 in code else ("11", ""))
    assert await asking(*OTHERS) is other_accounts
    assert await asking("read", "act_2", ("act_2", "insights")) is their_reports
    assert other_accounts or "all ad accounts of this app are left alone until 23 Nov 01:05 UTC" in asking.said[-1]


async def test_what_was_just_written_is_read_back_though_the_quota_is_nearly_used_up(meta: Answer) -> None:
    meta.status, meta.body, meta.kind, meta.headers = 200, '{"success": true}', JSON, case_header(total_time=99)
    async with Graph("act_1", MetaCredentials("EAAtoken"), meta.url, QUICK, _no_sleep, Pauses(lambda: NOON)) as graph:
        await graph.post(("11", ""), {})
        await graph.get(("11", ""), {})
        with pytest.raises(TransientError, match="99% of the quota are used"):
            await graph.post(("12", ""), {})


async def test_where_access_is_blocked_nothing_is_read_back_either(meta: Answer) -> None:
    meta.status, meta.body, meta.kind = 200, '{"success": true}', JSON
    meta.headers = case_header(estimated_time_to_regain_access=3)
    async with Graph("act_1", MetaCredentials("EAAtoken"), meta.url, QUICK, _no_sleep, Pauses(lambda: NOON)) as graph:
        await graph.post(("11", ""), {})
        with pytest.raises(TransientError, match="left alone until 23 Nov 01:03 UTC"):
            await graph.get(("11", ""), {})
