"""Every error as RFC 9457 problem details: a stable `type`, and a `detail` fit for a person to read.

A client acts on `type` and `status`; the words may change. What does not exist and what a key does not open are answered
alike, to the byte. Nothing about this server (paths, addresses, stack traces) is ever in an answer; it is in the log.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import PurePath
from typing import Any

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi import ResponseSpec
from litestar.types import ExceptionHandlersMap

from service.core import errors
from service.core.errors import GovernorError

MEDIA_TYPE = "application/problem+json"
URN = "urn:governor:problem:"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing wrong with a rule file; `line` is null where it is about the file as a whole."""

    file: str
    line: int | None
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with a request: where (`body.reason`, `query.limit`), and what."""

    at: str
    message: str


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """RFC 9457 problem details. `problems` comes with a refused rule file, `fields` with a malformed request."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    problems: tuple[FileProblem, ...] | None = None
    fields: tuple[FieldProblem, ...] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem. `detail` replaces an error's own words where those are not for clients."""

    name: str
    status: int
    title: str
    detail: str = ""


NOTHING = "There is nothing here, or nothing that your key opens."
NO_BODY = "a JSON body is needed"
UNEXPECTED = Kind("unexpected", 500, "Something went wrong here", "It has been logged; trying again may help.")

KINDS: dict[type[GovernorError], Kind] = {
    errors.RuleFileError: Kind("rule-file-refused", 422, "The rule file is refused"),
    errors.SettingsError: Kind("not-set-up", 500, "The service is not set up for this", "Its log says which setting is wrong."),
    errors.InputError: Kind("unusable-input", 422, "What was asked for cannot be done"),
    errors.GoneError: Kind("gone", 410, "No longer kept"),
    errors.NotFoundError: Kind("not-found", 404, "Not found", NOTHING),
    errors.AnsweredError: Kind("answered", 409, "It is no longer a question"),
    errors.RepeatedError: Kind("idempotency-key-reused", 422, "The Idempotency-Key belongs to another request"),
    errors.UnderWayError: Kind("under-way", 409, "The same request is under way"),
    errors.LedgerBrokenError: Kind("ledger-broken", 500, "The ledger does not hold"),
    errors.LeaseLostError: Kind("busy", 409, "Another run of this clinic is under way"),
    errors.SharedError: Kind("redis", 503, "Redis cannot be used", "It has been logged; try again in a moment."),
    errors.StoreError: Kind("database", 503, "The database cannot be used", "It has been logged; try again in a moment."),
    errors.TransientError: Kind("outside-unavailable", 503, "An outside system cannot be reached now"),
    errors.OutsideError: Kind("outside-refused", 502, "An outside system did not do what was asked"),
    GovernorError: Kind("failed", 500, "It could not be done"),
}
"""Our errors; the most specific class counts."""

STATUSES: dict[int, Kind] = {
    400: Kind("malformed-request", 400, "The request is not of the documented shape"),
    401: Kind("unauthenticated", 401, "An API key is needed"),
    403: Kind("forbidden", 403, "The key does not allow this"),
    404: Kind("not-found", 404, "Not found", NOTHING),
    405: Kind("method-not-allowed", 405, "This address does not take that method"),
    406: Kind("not-acceptable", 406, "It is not to be had in that form"),
    413: Kind("too-large", 413, "The request is too large"),
    429: Kind("rate-limited", 429, "Too many requests"),
    503: Kind("unavailable", 503, "The service is not well"),
}
"""What the framework raises, by status."""


# --- answering ----------------------------------------------------------------------------------------------------------


def kind_of(error: GovernorError) -> Kind:
    """What our catalogue calls an error."""
    return next(KINDS[cls] for cls in type(error).__mro__ if cls in KINDS)


def our_error(request: Request[Any, Any, Any], error: GovernorError) -> Response[dict[str, Any]]:
    """Answer with one of our own errors."""
    kind = kind_of(error)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("request_failed", method=request.method, path=request.url.path, error=str(error))
    problems = file_problems(error) if isinstance(error, errors.RuleFileError) else None
    detail = f"{len(problems)} thing(s) to mend; see `problems`" if problems else str(error)
    return _answer(request, kind, detail, problems=problems, headers=_retry(error))


def framework_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Answer with an error that Litestar raised, or that authentication raised in its words."""
    if error.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return unexpected_error(request, error)
    kind = STATUSES.get(error.status_code) or _plain(error.status_code)
    fields = _fields(error) if isinstance(error, ValidationException) else None
    detail = "; ".join(f"{field.at}: {field.message}" for field in fields) if fields else error.detail
    return _answer(request, kind, detail, fields=fields, headers=error.headers)


def unexpected_error(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Answer with what nobody foresaw: the log has it all, the client has nothing of it."""
    log.error("request_crashed", method=request.method, path=request.url.path, exc_info=error)
    return _answer(request, UNEXPECTED, "")


HANDLERS: ExceptionHandlersMap = {
    GovernorError: our_error,
    HTTPException: framework_error,
    Exception: unexpected_error,
}


def _answer(
    request: Request[Any, Any, Any],
    kind: Kind,
    detail: str,
    *,
    problems: tuple[FileProblem, ...] | None = None,
    fields: tuple[FieldProblem, ...] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[dict[str, Any]]:
    said = kind.detail or detail
    body = ProblemDetails(URN + kind.name, kind.title, kind.status, said, request.url.path, problems, fields)
    present = {name: value for name, value in asdict(body).items() if value is not None}
    return Response(present, status_code=kind.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def file_problems(error: errors.RuleFileError) -> tuple[FileProblem, ...]:
    """A refused file's problems, by the file's name; where it lies on this server is nobody's business."""
    return tuple(file_problem(each) for each in error.problems)


def file_problem(problem: errors.Problem) -> FileProblem:
    """One of them."""
    return FileProblem(PurePath(problem.file).name, problem.line, problem.message, problem.advice)


def _fields(error: ValidationException) -> tuple[FieldProblem, ...] | None:
    found = error.extra if isinstance(error.extra, list) else []
    return tuple(_field(each) for each in found) or None


def _field(message: Mapping[str, Any]) -> FieldProblem:
    source, key, said = message.get("source", ""), message.get("key", ""), message["message"]
    if source == "body" and key == "data":  # Litestar's name for the body as a whole; a missing one it reports as a KeyError
        return FieldProblem("body", NO_BODY if said == "'data'" else said)
    place = ".".join(part for part in (getattr(source, "value", source), key) if part)
    return FieldProblem(place or "body", said)


def _retry(error: GovernorError) -> Mapping[str, str]:
    after = error.retry_after if isinstance(error, errors.TransientError) else None
    return {} if after is None else {"Retry-After": str(max(1, math.ceil(after.total_seconds())))}


def _plain(status: int) -> Kind:
    phrase = HTTPStatus(status).phrase
    return Kind(phrase.lower().replace(" ", "-"), status, phrase)


# --- documenting --------------------------------------------------------------------------------------------------------


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem answers of a handler below `/v1`, for the API's description: those that all have, and these."""
    return {status: documented(status) for status in sorted({400, 401, 403, 429, 500, 503, *statuses})}


def documented(status: int) -> ResponseSpec:
    """One problem answer."""
    return ResponseSpec(ProblemDetails, description=HTTPStatus(status).phrase, media_type=MEDIA_TYPE, generate_examples=False)
