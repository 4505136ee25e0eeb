"""Ledgers of any length, of the decisions that a clinic's hours really bring; and their export, in a process of its own.

    GOVERNOR_DATABASE_URL=... python -m tests.benchmarks.ledgers api|command ndjson|csv

exports the whole ledger by way of the API, to a client that forgets what it is sent, or of the command line, to standard
output, and writes one line of JSON to standard error: seconds of processor time, and the most memory the process ever had.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import resource
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

from service.app import bootstrap
from service.cli.audit import export
from service.core.canonical import instant
from service.core.ledger import GENESIS, Head
from service.keys import EVERY_CLINIC, new_key
from service.logs import configure
from service.sandbox.scene import HARBOUR
from service.store.keys import Role
from service.web.server import create_app
from tests.store.clinic_day import lived, opened

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=30, microseconds=1)
_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


async def decisions(folder: Path) -> list[dict[str, Any]]:
    """What the records of some hours' decisions say."""
    async with opened(HARBOUR, folder) as (app, world):
        await lived(app, world, HARBOUR, 6)
        found = [record async for some in await app.store.ledger.export() for record in some if record.kind == "decision"]
    return [json.loads(record.text) for record in found]


def fill(database: Path, said: Sequence[dict[str, Any]], count: int) -> Head:
    """Write so many records of a clinic into an empty, migrated database, as if they had been appended one by one; the head."""
    head = Head()

    def rows() -> Iterator[tuple[object, ...]]:
        nonlocal head
        at, digest = BEGUN, GENESIS
        for seq in range(1, count + 1):
            at += APART
            text = _write({**said[seq % len(said)], "at": instant(at), "seq": seq})
            digest = hashlib.sha256((digest + text).encode()).hexdigest()
            head = Head(seq, digest)
            yield HARBOUR, seq, f"{at:%Y-%m-%dT%H:%M:%S.%f}Z", "decision", text, digest

    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.executemany("INSERT INTO ledger (chain, seq, at, kind, text, hash) VALUES (?, ?, ?, ?, ?, ?)", rows())
        connection.execute("INSERT INTO chain VALUES (?, ?, ?)", (HARBOUR, head.seq, head.hash))
    connection.close()
    return head


# --- exporting ----------------------------------------------------------------------------------------------------------


async def by_api(form: str) -> int:
    """Export by way of the API; how many bytes it sent."""
    sent, ended = 0, asyncio.Event()
    asked = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not asked:
            await ended.wait()
            return {"type": "http.disconnect"}
        return asked.pop()

    async def send(message: Any) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))
        if message["type"] == "http.response.body" and not message.get("more_body"):
            ended.set()

    async with bootstrap() as app:
        secret, _ = await new_key(app.store.keys, "reader", Role.ADMIN, [EVERY_CLINIC], app.clock())
        scope: dict[str, Any] = {
            "type": "http", "method": "GET", "path": "/v1/audit", "raw_path": b"/v1/audit", "root_path": "", "scheme": "http",
            "query_string": f"format={form}".encode(), "headers": [(b"authorization", f"Bearer {secret}".encode())],
            "http_version": "1.1", "client": None, "server": ("governor", 80), "state": {}, "extensions": {},
        }  # fmt: skip
        await create_app(app, hourly=False)(scope, receive, send)  # type: ignore[arg-type] # a scope by hand
    return sent


def main(way: str, form: str) -> None:
    configure(50)
    began, sent = process_time(), 0
    if way == "api":
        sent = asyncio.run(by_api(form))
    else:
        export.main(["--format", form], standalone_mode=False)
    told = {
        "seconds": process_time() - began,
        "mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "sent": sent,
    }
    sys.stderr.write(f"{json.dumps(told)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
