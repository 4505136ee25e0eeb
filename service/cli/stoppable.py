"""Running a coroutine so that whoever asks the process to stop (SIGTERM) is heard, as Ctrl-C is.

Without a handler SIGTERM would end a process in the middle of things; and in a container, where the process is the first one of
all, the kernel would not even deliver it: a pod would go on until it is killed, and its clinic stay taken until the lease runs
out.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import uvloop

T = TypeVar("T")

STOPPED = 128 + signal.SIGTERM
"""The exit status of who ended because it was asked to, as shells count."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`. The first SIGTERM cancels `work`, which cleans up; the exit status is then `STOPPED`.

    On uvloop: the hourly work is so many small waits that Python's own loop took a tenth of its time.
    """
    heard = False

    async def body() -> T:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()

        def stop() -> None:
            nonlocal heard
            if task is not None and not heard:
                heard = True
                loop.call_soon_threadsafe(task.cancel)

        with _told(stop):
            return await work

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(body())
    except asyncio.CancelledError:
        if heard:
            raise click.exceptions.Exit(STOPPED) from None
        raise


@contextmanager
def _told(stop: Callable[[], None]) -> Iterator[None]:
    """A server that runs within puts its own handler in the place of this one for as long as it serves."""
    if threading.current_thread() is not threading.main_thread():  # only there may signals be handled
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
