"""A worker that runs a clinic again and again, each time when it is told to.

    python -m tests.e2e.racing CLINIC NOW

For each line on standard input, the path of a database, it opens the service on it, says `ready`, waits for another line,
runs, and says how many changes it made, or `busy`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import datetime

from service.app import bootstrap
from service.core.errors import LeaseLostError


def say(text: str) -> None:
    sys.stdout.write(f"\n> {text}\n")
    sys.stdout.flush()


async def once(clinic: str, now: datetime) -> None:
    async with bootstrap(clock=lambda: now) as app:
        say("ready")
        sys.stdin.readline()
        try:
            say(str(len((await app.governor.run(clinic)).changes)))
        except LeaseLostError:
            say("busy")


async def main() -> None:
    clinic, now = sys.argv[1], datetime.fromisoformat(sys.argv[2])
    while path := sys.stdin.readline().strip():
        os.environ["GOVERNOR_DATABASE_URL"] = f"sqlite+aiosqlite:///{path}"
        await once(clinic, now)


if __name__ == "__main__":
    asyncio.run(main())
