"""What an HTTP answer of Cliniko means: which of our errors it is, how long to wait, and what JSON it holds.

Error bodies are undocumented and vary, so nothing depends on them. None is quoted: what a message about a record says may be
about a patient. Where one contains a phrase that we know, that phrase is said, in our own spelling. Pure.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from service.cliniko.access import SYSTEM
from service.core.canonical import in_full
from service.core.errors import CredentialsError, OutsideError, ProtocolError, RefusedError, TransientError

LONGEST_THROTTLE = timedelta(seconds=90)
"""The limit is per minute: whoever asks us to wait longer has a clock we should not follow."""

PHRASES = ("Invalid time frame definition", "is not filterable")
"""What error messages are known to say (Cliniko API, "Filtering", and issue 173)."""

DEFAULT_THROTTLE = timedelta(seconds=60)
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = "400", "401", "403", "404", "429"


def failure(response: httpx.Response, now: datetime) -> OutsideError | None:
    """The error that `response` stands for, None for a 200; `now` is our clock, for want of the server's."""
    status, where = response.status_code, response.url.path
    if status == 200:
        return None
    if status >= 500:
        return TransientError(SYSTEM, f"Cliniko is failing: {where} answered {status}", code=str(status))
    if status >= 400:
        return _refusal(response, now)
    return ProtocolError(SYSTEM, f"{where} answered {status}, which Cliniko does not document", code=str(status))


def _refusal(response: httpx.Response, now: datetime) -> OutsideError:
    code, where = str(response.status_code), response.url.path
    if code == UNAUTHORIZED:
        text = "Cliniko does not accept the API key (401): check that it is active and of the account's present shard"
        return CredentialsError(SYSTEM, text, code=code)
    if code == FORBIDDEN:
        text = f"the API key's user may not read {where} (403): give the user a role that may"
        return CredentialsError(SYSTEM, text, code=code)
    if code == TOO_MANY:
        text = "Cliniko says we ask too often (429)"
        return TransientError(SYSTEM, text, code=code, retry_after=throttle(response.headers, now))
    return RefusedError(SYSTEM, f"{where} answered {code}{_said(response)}", code=code)


def throttle(headers: httpx.Headers, now: datetime) -> timedelta:
    """How long a 429 asks us to wait, within [0, 90 s].

    `X-RateLimit-Reset` is in epoch seconds (Cliniko API, "Rate limiting"), read against the answer's own `Date` so that a
    wrong clock on either side does no harm; `Retry-After` is undocumented but read by other clients; else a minute.
    """
    asked = _until_reset(headers, now)
    if asked is None:
        asked = _retry_after(headers, now)
    return min(max(DEFAULT_THROTTLE if asked is None else asked, timedelta(0)), LONGEST_THROTTLE)


def decode(response: httpx.Response) -> object:
    """The JSON of a 200; `ProtocolError` for anything else, such as a proxy's page or half an answer."""
    try:
        value: object = in_full(json.loads(response.content))
    except ValueError:
        raise ProtocolError(SYSTEM, f"{response.url.path} answered 200 without readable JSON", code="not_json") from None
    return value


def _said(response: httpx.Response) -> str:
    text = response.content.decode("utf-8", "replace").lower()
    return next((f": {phrase}" for phrase in PHRASES if phrase.lower() in text), "")


def _until_reset(headers: httpx.Headers, now: datetime) -> timedelta | None:
    try:
        reset = datetime.fromtimestamp(float(headers["x-ratelimit-reset"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    return reset - (_date(next(iter(headers.get_list("date")), "")) or now)


def _retry_after(headers: httpx.Headers, now: datetime) -> timedelta | None:
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return min(timedelta(seconds=int(value[:9])), LONGEST_THROTTLE)
    at = _date(value)
    return at - (_date(next(iter(headers.get_list("date")), "")) or now) if at else None


def _date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
