"""What handlers are given: the service, who asks, and the parts of a request that several of them take."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.enums import ParamType
from litestar.exceptions import ClientException, HTTPException, SerializationException, ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Parameter
from litestar.params import PathParameter, QueryParameter, SkipValidation

from service.app import App
from service.core.errors import InputError
from service.jobs.looping import Loop, Periodic
from service.store.keys import Key
from service.web.telling import RuleTexts

T = TypeVar("T")

LARGEST_BODY = 2_000_000
"""Bytes; a rule file of the largest size we take, as JSON."""

TheApp = NamedDependency[SkipValidation[App]]
TheKey = NamedDependency[SkipValidation[Key]]
TheRuleTexts = NamedDependency[SkipValidation[RuleTexts]]
TheLoop = NamedDependency[SkipValidation[Periodic | None]]
"""What evaluates clinics in this process, if anything does."""

TheNotifying = NamedDependency[SkipValidation[Loop | None]]
"""The loop of this process that sends notices, if it runs one."""

Id = Annotated[str, PathParameter(max_length=300)]
Name = Annotated[str | None, QueryParameter(max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many items at most")]
Cursor = Annotated[str | None, QueryParameter(max_length=500, description="`next_cursor` of the page before")]
INSTANT = {"format": "date-time"}
Since = Annotated[str | None, QueryParameter(description="This instant or later, with its UTC offset", schema_extra=INSTANT)]
Before = Annotated[str | None, QueryParameter(description="Before this instant, with its UTC offset", schema_extra=INSTANT)]


def instant(name: str, value: str | None) -> datetime | None:
    """An instant in a query; raises as `utc` does, and `ValidationException` for what is none.

    It is taken as text and read here: Litestar would take a number for seconds since 1970.
    """
    try:
        return utc(name, None if value is None else datetime.fromisoformat(value))
    except ValueError as error:
        message = "no instant: write for instance 2026-11-24T09:00:00Z; in an address, `+` is written %2B"
        raise ValidationException(extra=[{"source": ParamType.QUERY, "key": name, "message": message}]) from error


def utc(name: str, value: datetime | None) -> datetime | None:
    """An instant that was asked for.

    `InputError` for a wall-clock time, which is a different instant everywhere, and for one outside the calendar's years.
    """
    if value is None:
        return None
    if value.tzinfo is None:
        raise InputError(f"`{name}` has no UTC offset: write for instance {value.isoformat()}Z")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise InputError(f"`{name}` is outside the years 1 to 9999 in UTC") from error


def accepted(request: Request[Any, Any, Any], forms: Mapping[str, T]) -> T:
    """Which of these forms, by media type, the `Accept` header asks for; 406 where that is none of them."""
    with suppress(OverflowError):  # a quality of `inf`
        found = request.accept.best_match(list(forms))
        if found is not None:
            return forms[found]
    raise HTTPException(status_code=406, detail=f"there are {', '.join(forms)}; or say it with `format`, which goes first")


async def only_described(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard: refuse a query parameter that the API's description does not name; a misspelt filter would answer for more."""
    known = _described(connection)
    if known is None:
        return
    takes = f"there are {', '.join(known)}" if known else "this address takes none"
    unknown = [name for name in dict.fromkeys(connection.query_params) if name not in known]
    if unknown:
        message = f"there is no such parameter; {takes}"
        raise ValidationException(
            "unknown query parameters", extra=[{"source": ParamType.QUERY, "key": name, "message": message} for name in unknown]
        )
    if twice := [name for name in known if len(connection.query_params.getall(name, [])) > 1]:
        message = "give it once: only one value is looked for"
        raise ValidationException(
            "repeated query parameters", extra=[{"source": ParamType.QUERY, "key": name, "message": message} for name in twice]
        )


def _described(connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, ...] | None:
    """The query parameters of the operation; None where none is described, as for `OPTIONS`."""
    item = (connection.app.openapi_schema.paths or {}).get(connection.scope["path_template"])
    operation = getattr(item, str(connection.scope.get("method")).lower(), None)
    if operation is None:
        return None
    parameters = (each for each in operation.parameters or () if isinstance(each, Parameter))
    return tuple(each.name for each in parameters if each.param_in == ParamType.QUERY)


async def as_described(request: Request[Any, Any, Any]) -> None:
    """Before a handler: refuse a body whose values are only nearly of their types.

    Litestar would take `{"dry_run": 0}` for `false`, and run in earnest.
    """
    body = request.route_handler.parsed_fn_signature.parameters.get("data")
    if body is None or not await request.body():
        return
    try:
        said = await request.json()
    except SerializationException:
        return  # no JSON at all: whoever takes the body says so
    except (UnicodeDecodeError, RecursionError) as error:
        raise ClientException("the body is no JSON in UTF-8, or is nested too deeply") from error
    try:
        msgspec.convert(said, type=body.annotation, strict=True)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$.")
        raise ValidationException(
            "the body is not as described", extra=[{"source": "body", "key": place.rstrip("`") or "data", "message": message}]
        ) from error
