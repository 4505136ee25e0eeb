"""What has been begun with the database is finished, also when whoever asked for it is cancelled meanwhile.

A cancellation in the middle of a statement would abandon a connection that may hold SQLite's write lock, which then shuts
out every writer until it is found (aiosqlite issue 259). One call of the store is one short transaction, so it is run to its
end and the cancellation is raised afterwards.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
T = TypeVar("T")


_AT_ONCE = "__at_once__"


def at_once(method: F) -> F:
    """A method whose one transaction is a `Database.read`, which holds no lock, so that nothing need be waited for.

    With SQLite its thread ends it anyway; with PostgreSQL the driver cancels the statement.
    """
    setattr(method, _AT_ONCE, True)
    return method


def in_steps(method: F) -> F:
    """A method that looks after itself: each of its transactions runs to its end, and it may be cancelled in between."""
    return at_once(method)


def undisturbed(kind: type[C]) -> type[C]:
    """A class whose public coroutine methods run to their end."""
    for name, method in list(vars(kind).items()):
        if inspect.iscoroutinefunction(method) and not name.startswith("_") and not hasattr(method, _AT_ONCE):
            setattr(kind, name, to_the_end(method))
    return kind


def to_the_end(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A coroutine function that, once called, runs to its end; a cancellation is raised afterwards."""

    @functools.wraps(method)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        work = asyncio.create_task(method(*args, **kwargs))
        cancelled: asyncio.CancelledError | None = None
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled:
            work.exception()  # looked at, so that it is not reported as lost: the cancellation is what is raised
            raise cancelled
        return work.result()

    return run
