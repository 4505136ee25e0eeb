"""A run of the whole service in a process of its own that is killed with SIGKILL at one point of its input and output.

    python -m tests.e2e.killed CLINIC NOW [POINT]

NOW is the instant that the run takes place at. Without POINT it ends by itself and prints its points, one a line: `before` and
`after` each write to the database and each request to an ad platform, numbered by kind.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from service.app import bootstrap
from service.google_ads import sdk as google
from service.meta import sdk as meta
from service.store.database import Database

FATAL = sys.argv[3] if len(sys.argv) > 3 else ""
lock = threading.Lock()
counted: Counter[str] = Counter()


def numbered(what: str) -> str:
    with lock:
        counted[what] += 1
        return f"{what} #{counted[what]}"


def reached(point: str) -> None:
    """Die here, or say that this is a place to die at."""
    if point == FATAL:
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdout.write(f"{point}\n")
    sys.stdout.flush()


def around(call: Callable[..., Any], named: Callable[..., str]) -> Callable[..., Any]:
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        name = numbered(named(*args))
        reached(f"before {name}")
        try:
            return call(self, *args, **kwargs)
        finally:
            reached(f"after {name}")

    return wrapped


writing = Database.writing


@asynccontextmanager
async def watched(self: Database) -> AsyncIterator[AsyncConnection]:
    name = numbered("database write")
    reached(f"before {name}")
    async with writing(self) as conn:
        yield conn
        reached(f"within {name}")
    reached(f"after {name}")


async def main() -> None:
    clinic, now = sys.argv[1], datetime.fromisoformat(sys.argv[2])
    async with bootstrap(clock=lambda: now) as app:
        Database.writing = watched  # type: ignore[method-assign] # the point of it
        google.Session.search = around(google.Session.search, lambda *_: "google search")  # type: ignore[method-assign] # likewise
        google.Session.mutate = around(google.Session.mutate, lambda *_: "google mutate")  # type: ignore[method-assign] # likewise
        meta.Session.call = around(meta.Session.call, lambda method, *_: f"meta {method}")  # type: ignore[method-assign] # likewise
        await app.governor.run(clinic)


if __name__ == "__main__":
    asyncio.run(main())
