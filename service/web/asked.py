"""What handlers are given: the service, who asks, and the parts of a request that several of them take."""

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.enums import ParamType
from litestar.exceptions import ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import Parameter
from litestar.params import PathParameter, QueryParameter, SkipValidation

from service.app import App
from service.core.errors import InputError
from service.jobs.hourly import Hourly
from service.store.keys import Key
from service.web.telling import RuleTexts

LARGEST_BODY = 2_000_000
"""Bytes; a rule file of the largest size we take, as JSON."""

TheApp = NamedDependency[SkipValidation[App]]
TheKey = NamedDependency[SkipValidation[Key]]
TheRuleTexts = NamedDependency[SkipValidation[RuleTexts]]
TheLoop = NamedDependency[SkipValidation[Hourly | None]]
"""The hourly loop of this process, if it runs one."""

Id = Annotated[str, PathParameter(max_length=300)]
Name = Annotated[str | None, QueryParameter(max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many items at most")]
Cursor = Annotated[str | None, QueryParameter(max_length=500, description="`next_cursor` of the page before")]
Since = Annotated[datetime | None, QueryParameter(description="This instant or later, with its UTC offset")]
Before = Annotated[datetime | None, QueryParameter(description="Before this instant, with its UTC offset")]


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


def _described(connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[str, ...] | None:
    """The query parameters of the operation; None where none is described, as for `OPTIONS`."""
    item = (connection.app.openapi_schema.paths or {}).get(connection.scope["path_template"])
    operation = getattr(item, str(connection.scope.get("method")).lower(), None)
    if operation is None:
        return None
    parameters = (each for each in operation.parameters or () if isinstance(each, Parameter))
    return tuple(each.name for each in parameters if each.param_in == ParamType.QUERY)
