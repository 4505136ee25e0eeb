"""Meta's Graph API v26.0 over HTTP, as far as ad campaigns go, over one `World`.

Follows what is documented and reported of the real one: paths with a trailing slash; the token in the `Authorization`
header, the query or the form; form bodies whose lists are JSON; cursors *and* `next`; absent fields left out and only the
asked ones returned; budgets as strings; errors with code and subcode under HTTP 400. Budget edits leave `updated_time` alone.

Faults (`world.fail(Fault("meta", kind, match))`; `match` is looked for in `<METHOD> <path>?<query> <form>`):

    down                    503 with an HTML page                      html_502             502 with an HTML page
    empty_200               200 without a body                         json_500_without_error  500 with `{}`
    success_false           200 `{"success": false}`, nothing done     unconfirmed          200 `{"id": ...}`, nothing done
    applied_then_reset      done, then the connection drops            applied_then_502     done, then 502 with an HTML page
    applied_then_timeout    done, then no answer                       timeout              nothing done, no answer
    slow                    answers after half a second                throttled            80004 or 80000, back in 15 min.
    busy                    code 2, `is_transient`, nothing done       too_much_data        code 1 unless `limit` is below 100
    app_throttled           4, for whatever the app asks               permission           200
    token_expired           190/463
    unknown_code            31337, nothing done                        unknown_code_applied 31337, yet done
    empty_page_with_next    an edge answers an empty page, not the last; with `times=1` the rows follow
    same_cursor             an edge whose every page names itself as the next
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from service.sandbox.meta.graph import VERSION, read
from service.sandbox.meta.refusals import NO_SUCH, GraphError, Wrong
from service.sandbox.meta.writes import update
from service.sandbox.world import World

SLOW_SECONDS = 0.5
SILENT_SECONDS = 120.0
HOURLY_CALLS = 600
"""What Meta grants an ad account an hour, here."""

HTML = b"<!DOCTYPE html><html><head><title>Facebook | Error</title></head><body>Sorry, something went wrong.</body></html>"
THROTTLED = Wrong(80004, 2446079, "There have been too many calls to this ad-account. Wait a bit and try again.")
REPORTS_THROTTLED = Wrong(80000, None, "There have been too many report requests to this ad-account. Wait a bit and try again.")
APP_THROTTLED = Wrong(4, None, "Application request limit reached", transient=True, status=403)
EXPIRED = Wrong(190, 463, "Error validating access token: Session has expired.", kind="OAuthException")
PERMISSION = Wrong(200, None, "Requires ads_management permission to manage the object", status=403)
UNKNOWN = Wrong(31337, None, "Something nobody wrote down")
BUSY = Wrong(2, None, "Service temporarily unavailable", transient=True, status=500)
TOO_MUCH = Wrong(1, None, "Please reduce the amount of data you're asking for, then retry your request", status=500)


@dataclass(slots=True)
class Call:
    """One request as it came in; `path` has neither version nor slashes."""

    method: str
    path: tuple[str, ...]
    params: dict[str, str]
    token: str


@dataclass(slots=True)
class Answer:
    """What goes out; `cut` sends less than announced and hangs up."""

    status: int
    body: bytes
    kind: str = "application/json; charset=UTF-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class _SilentError(Exception):
    """Nothing is to be answered."""


def meta_app(world: World, token: str, app_secret: str | None = None, hourly_calls: int = HOURLY_CALLS) -> ASGIApp:
    """The server; with `app_secret` it also demands a right `appsecret_proof`, as an app can be set to.

    `hourly_calls` about one ad account are what the usage headers call 100%.
    """
    calls: deque[tuple[datetime, str]] = deque()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.WEBSOCKET:
            return
        method, raw, query = str(scope["method"]), scope["path"], scope["query_string"].decode()
        body = await _body(receive)
        world.saw("meta", method, raw)
        calls.append((world.now, _account(world, raw)))
        fault = world.fault("meta", f"{method} {raw}?{query} {body.decode()}")
        call = _call(method, raw, query, body, dict(scope["headers"]))
        try:
            answer = await _answer(world, call, fault.kind if fault else "", lambda: _check(call, token, app_secret))
        except _SilentError:
            await _until_gone(receive)
            return
        if answer.status not in {502, 503}:
            answer.headers = _usage(world, call, calls, hourly_calls) | answer.headers
        await _send(send, answer)

    return app


def _call(method: str, raw: str, query: str, body: bytes, headers: dict[bytes, bytes]) -> Call:
    params = dict(parse_qsl(query)) | dict(parse_qsl(body.decode()))
    bearer = headers.get(b"authorization", b"").decode().removeprefix("Bearer ")
    token = params.pop("access_token", "") or bearer
    return Call(method, tuple(part for part in raw.split("/") if part), params, token)


async def _answer(world: World, call: Call, fault: str, check: Callable[[], None]) -> Answer:
    """The answer to a call, with at most one thing wrong with it."""
    if fault == "timeout":
        raise _SilentError
    if fault == "slow":
        await asyncio.sleep(SLOW_SECONDS)
    if fault in _INSTEAD:
        return _INSTEAD[fault]()
    try:
        check()
        _refuse(fault, call)
        result = _result(world, call, fault)
    except GraphError as error:
        return _error(error.wrong)
    return _spoilt(fault, result)


def _check(call: Call, token: str, app_secret: str | None) -> None:
    if call.token != token:
        raise GraphError(Wrong(190, None, "Invalid OAuth access token - Cannot parse access token", kind="OAuthException"))
    if app_secret is not None:
        proof = hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proof, call.params.pop("appsecret_proof", "")):
            raise GraphError(
                Wrong(100, None, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")
            )
    if call.path[:1] != (VERSION,):
        raise GraphError(Wrong(2635, None, f"You are calling a deprecated version of the Ads API. Please update to {VERSION}."))
    if "date_format" in call.params:
        raise GraphError(Wrong(100, None, "date_format is no longer supported"))


def _result(world: World, call: Call, fault: str) -> dict[str, Any]:
    with world.lock:
        node, *rest = call.path[1:] or ("",)
        if call.method == "GET":
            return read(world, node, tuple(rest), call.params, fault)
        if call.method == "POST" and not rest:
            return update(world, node, call.params)
        raise GraphError(NO_SUCH)


# --- faults -------------------------------------------------------------------------------------------------------------


def _html(status: int) -> Callable[[], Answer]:
    return lambda: Answer(status, HTML, "text/html; charset=utf-8")


_INSTEAD: dict[str, Callable[[], Answer]] = {
    "down": _html(503),
    "html_502": _html(502),
    "empty_200": lambda: Answer(200, b""),
    "json_500_without_error": lambda: Answer(500, b"{}"),
    "success_false": lambda: Answer(200, b'{"success": false}'),
    "unconfirmed": lambda: Answer(200, b'{"id": "1"}'),
}


def _refuse(fault: str, call: Call) -> None:
    refusals = {
        "throttled": REPORTS_THROTTLED if _about_reports(call) else THROTTLED,
        "app_throttled": APP_THROTTLED,
        "token_expired": EXPIRED,
        "permission": PERMISSION,
        "unknown_code": UNKNOWN,
        "busy": BUSY,
    }
    if fault in refusals:
        raise GraphError(refusals[fault])
    if fault == "too_much_data" and int(call.params.get("limit", "25")) >= 100:
        raise GraphError(TOO_MUCH)


def _spoilt(fault: str, result: dict[str, Any]) -> Answer:
    """The answer to something that was done."""
    match fault:
        case "applied_then_timeout":
            raise _SilentError
        case "applied_then_502":
            return _html(502)()
        case "unknown_code_applied":
            return _error(UNKNOWN)
        case _:
            return Answer(200, json.dumps(result).encode(), cut=fault == "applied_then_reset")


def _error(wrong: Wrong) -> Answer:
    answer = Answer(wrong.status, json.dumps({"error": wrong.body()}).encode())
    if wrong in {THROTTLED, REPORTS_THROTTLED}:
        answer.headers = _usage_headers("0", 100, minutes=15, reports=wrong is REPORTS_THROTTLED)
    return answer


def _about_reports(call: Call) -> bool:
    return call.path[-1:] == ("insights",)


# --- the wire -----------------------------------------------------------------------------------------------------------


async def _body(receive: Receive) -> bytes:
    parts = b""
    while True:
        message: Any = await receive()
        parts += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return parts


async def _until_gone(receive: Receive) -> None:
    """Say nothing until the client gives up."""
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return


async def _send(send: Send, answer: Answer) -> None:
    headers = {
        "content-type": answer.kind,
        "content-length": str(len(answer.body)),
        "facebook-api-version": VERSION,
    } | answer.headers
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    body = answer.body[: len(answer.body) // 2] if answer.cut else answer.body
    await send({"type": "http.response.body", "body": body, "more_body": answer.cut})


def _account(world: World, raw: str) -> str:
    """The ad account that a call is about, by its own id or by that of something in it; digits."""
    parts = [part for part in raw.split("/") if part]
    owners = (id_ for id_, account in world.meta.items() if {id_, *account.campaigns, *account.ad_sets} & {*parts})
    return next(owners, "act_0").removeprefix("act_")


def _usage(world: World, call: Call, calls: deque[tuple[datetime, str]], hourly_calls: int) -> dict[str, str]:
    """The share of an hour's calls about the account that were made, by the world's clock."""
    while calls and calls[0][0] <= world.now - timedelta(hours=1):
        calls.popleft()
    account = _account(world, "/".join(call.path))
    made = sum(about == account for _, about in calls)
    return _usage_headers(account, min(100, made * 100 // hourly_calls), reports=_about_reports(call))


def _usage_headers(account: str, percent: int, minutes: int = 0, *, reports: bool = False) -> dict[str, str]:
    case = {
        "type": "ads_insights" if reports else "ads_management",
        "call_count": percent,
        "total_cputime": percent // 2,
        "total_time": percent // 2,
        "estimated_time_to_regain_access": minutes,
        "ads_api_access_tier": "standard_access",
    }
    used = {
        "acc_id_util_pct": 0.0 if reports else float(percent),
        "reset_time_duration": 0,
        "ads_api_access_tier": "standard_access",
    }
    return {"x-business-use-case-usage": json.dumps({account: [case]}), "x-ad-account-usage": json.dumps(used)}
