"""What handlers are given: the service, who asks, and the parts of a request that several of them take."""

from datetime import UTC, datetime
from typing import Annotated

from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, SkipValidation

from service.app import App
from service.core.errors import InputError
from service.jobs.hourly import Hourly
from service.store.keys import Key

TheApp = NamedDependency[SkipValidation[App]]
TheKey = NamedDependency[SkipValidation[Key]]
TheLoop = NamedDependency[SkipValidation[Hourly | None]]
"""The hourly loop of this process, if it runs one."""

Id = Annotated[str, PathParameter(max_length=300)]
Name = Annotated[str | None, QueryParameter(max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=500, description="How many items at most")]
Cursor = Annotated[str | None, QueryParameter(max_length=500, description="`next_cursor` of the page before")]
Since = Annotated[datetime | None, QueryParameter(description="This instant or later, with its UTC offset")]
Before = Annotated[datetime | None, QueryParameter(description="Before this instant, with its UTC offset")]


def utc(name: str, value: datetime | None) -> datetime | None:
    """An instant that was asked for; `InputError` for a wall-clock time, which is a different instant everywhere."""
    if value is None:
        return None
    if value.tzinfo is None:
        raise InputError(f"`{name}` has no UTC offset: write for instance {value.isoformat()}Z")
    return value.astimezone(UTC)
