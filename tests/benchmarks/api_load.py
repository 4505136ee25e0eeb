"""A store with very many decisions, the API served over it by a process of its own, and those who ask it.

The decisions are those of a real run, told again for every hour of the past under ids and instants of their own.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

BATCH = 5000
HEAD_END = b"\r\n\r\n"


# --- the store ----------------------------------------------------------------------------------------------------------


def multiply(database: Path, count: int) -> None:
    """Tell the decisions of the newest recorded run again, an hour earlier each time, until there are `count`."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        [run] = connection.execute("SELECT run FROM decision ORDER BY at DESC, id DESC LIMIT 1").fetchone()
        columns = [row[1] for row in connection.execute("PRAGMA table_info(decision)")]
        patterns = [
            dict(zip(columns, row, strict=True)) for row in connection.execute("SELECT * FROM decision WHERE run = ?", [run])
        ]
        [there] = connection.execute("SELECT count(*) FROM decision").fetchone()
        insert = f"INSERT INTO decision ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own names
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        for n, row in enumerate(_earlier(patterns, count - there)):
            connection.execute(insert, [row[name] for name in columns])
            if n % BATCH == 0:
                connection.execute("COMMIT")
                connection.execute("BEGIN")
        connection.execute("COMMIT")
        connection.execute("ANALYZE")


def _earlier(patterns: Sequence[dict[str, object]], count: int) -> Iterator[dict[str, object]]:
    newest = datetime.fromisoformat(str(patterns[0]["at"]))
    for n in range(count):
        hours, which = divmod(n, len(patterns))
        pattern, at = patterns[which], newest - (hours + 1) * timedelta(hours=1)
        id_ = f"{hours:026}-{pattern['campaign']}"
        body = str(pattern["body"]).replace(str(pattern["id"]), id_, 1)
        body = re.sub(r'"at":"[^"]*"', f'"at":"{at:%Y-%m-%dT%H:%M:%SZ}"', body, count=1)
        yield pattern | {"id": id_, "at": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z", "body": body}


# --- asking -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Asker:
    """One kept connection of plain HTTP/1.1: a client that costs next to nothing itself."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    authority: str
    secret: str

    @classmethod
    async def of(cls, url: str, secret: str) -> Asker:
        authority = url.removeprefix("http://")
        host, _, port = authority.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=2**22)
        return cls(reader, writer, authority, secret)

    async def get(self, path: str) -> bytes:
        """The body of an answer of status 200."""
        head = f"GET {path} HTTP/1.1\r\nHost: {self.authority}\r\nAuthorization: Bearer {self.secret}\r\n\r\n"
        self.writer.write(head.encode())
        answer = await self.reader.readuntil(HEAD_END)
        assert answer.startswith(b"HTTP/1.1 200"), answer + await self.reader.read(2000)
        found = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        assert found, answer
        return await self.reader.readexactly(int(found[1]))

    def close(self) -> None:
        self.writer.close()


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from the moment a request was due to the end of its answer, so that a server that falls behind shows it."""

    all: tuple[float, ...]

    def quantile(self, share: float) -> float:
        """Milliseconds."""
        return 1000 * sorted(self.all)[min(int(share * len(self.all)), len(self.all) - 1)]


async def at_a_rate(url: str, secret: str, paths: Sequence[str], per_second: float, seconds: float) -> Latencies:
    """Ask at a steady rate, whether or not answers have come, over a few kept connections."""
    idle: asyncio.Queue[Asker] = asyncio.Queue()
    askers = [await Asker.of(url, secret) for _ in range(16)]
    for each in askers:
        await each.get(paths[0])  # connected, and known to the service
        idle.put_nowait(each)
    taken: list[float] = []

    async def ask(path: str, due: float) -> None:
        asker = await idle.get()
        await asker.get(path)
        taken.append(time.perf_counter() - due)
        idle.put_nowait(asker)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for n in range(int(per_second * seconds)):
            due = began + n / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(ask(paths[n % len(paths)], due))
    for each in askers:
        each.close()
    return Latencies(tuple(taken))


async def as_many_as_possible(url: str, secret: str, paths: Sequence[str], seconds: float, connections: int = 4) -> float:
    """Answers a second, each connection asking again as soon as it has its answer."""
    until, count = time.perf_counter() + seconds, 0

    async def ask(asker: Asker, first: int) -> None:
        nonlocal count
        n = first
        while time.perf_counter() < until:
            await asker.get(paths[n % len(paths)])
            count, n = count + 1, n + 1

    askers = [await Asker.of(url, secret) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(*(ask(asker, n) for n, asker in enumerate(askers)))
    for each in askers:
        each.close()
    return count / (time.perf_counter() - began)


# --- serving ------------------------------------------------------------------------------------------------------------

BARE = """
import asyncio, sys, uvicorn
from litestar import Litestar, MediaType, get
from service.listening import listening

BODY = sys.stdin.buffer.read()

@get("/v1/decisions", media_type=MediaType.JSON)
async def same() -> bytes:
    return BODY

listener = listening("127.0.0.1", 0)
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
app = Litestar([same], logging_config=None)
asyncio.run(uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).serve(sockets=[listener]))
"""
"""A bare handler that returns the same bytes."""


def _address(log: Path) -> str:
    """Where a process that has just been started listens, as its log says when it does."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if found := re.search(r"listening on (http:\S+)", log.read_text("utf-8")):
            return found[1]
        time.sleep(0.05)
    raise TimeoutError(log.read_text("utf-8"))


@asynccontextmanager
async def process(*arguments: str, given: bytes = b"", cwd: Path, env: dict[str, str]) -> AsyncIterator[str]:
    """A process of ours that serves; its address. Its log goes to a file: a pipe that nobody reads would fill and stop it."""
    with NamedTemporaryFile(dir=cwd, suffix=".log", delete=False) as log:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", *arguments, stdin=asyncio.subprocess.PIPE, stderr=log, cwd=cwd, env=env
        )
    assert running.stdin
    try:
        running.stdin.write(given)
        running.stdin.close()
        address = await asyncio.to_thread(_address, Path(log.name))
        yield address
    finally:
        running.terminate()
        await running.wait()
