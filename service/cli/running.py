"""What every command that needs the service does: start it, run one coroutine, close it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.app import App, bootstrap
from service.cli.progress import Shown
from service.cli.stoppable import run
from service.logs import configure

T = TypeVar("T")


def with_app(work: Callable[[App], Awaitable[T]]) -> T:
    """Run `work` on the service as the settings describe it."""

    async def body() -> T:
        async with bootstrap(progress=Shown()) as app:
            return await work(app)

    configure(logging.ERROR)  # what goes wrong is said by the command itself
    return run(body())
