"""A whole installation as processes: a town, PostgreSQL, Redis, workers; each can be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from service.store.store import Store
from tests import postgres
from tests.fleet.town import slug, write_rules
from tests.postgres import Postgres
from tests.redis_server import RedisServer, redis_server

ROOT = Path(__file__).parent.parent.parent
SECONDS = 60.0


@dataclass(slots=True)
class Town:
    """The outside world, in a process of its own."""

    process: subprocess.Popen[str]

    def told(self, *line: object) -> Any:
        """What it answers to one line."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{json.dumps(line)}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


@dataclass(slots=True)
class Fleet:
    """The installation. The world began at `now` when the epoch's second `began`, and is `speed` times as quick."""

    folder: Path
    clinics: tuple[str, ...]
    town: Town
    postgres: Postgres
    redis: RedisServer
    environment: dict[str, str]
    began: float
    now: datetime
    speed: float
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _started: int = 0

    def clock(self) -> datetime:
        """What time it is in this world."""
        return self.now + timedelta(seconds=(time.time() - self.began) * self.speed)

    def start_worker(self, *command: str) -> subprocess.Popen[bytes]:
        """One more worker: a hurried one, or by a command line of its own."""
        hurried = ("-m", "tests.fleet.hurried", repr(self.began), self.now.isoformat(), str(self.speed))
        self._started += 1
        with (self.folder / f"worker-{self._started}.log").open("wb") as log:
            worker = subprocess.Popen(  # noqa: S603 - ours
                [sys.executable, *(command or hurried)],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        """As the kernel does when there is no memory left."""
        worker.kill()
        worker.wait()
        self.workers.remove(worker)

    def stop_workers(self) -> None:
        """As an orchestrator does: asked to, and given some time."""
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            assert worker.wait(SECONDS) == 0, self.logs()
        self.workers.clear()

    def logs(self) -> str:
        """The end of what each worker has written."""
        return "\n".join(each.read_text("utf-8")[-3000:] for each in sorted(self.folder.glob("worker-*.log")))

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        """What is in the database, for whoever looks from outside."""
        store = Store.open(self.environment["GOVERNOR_DATABASE_URL"])
        try:
            yield store
        finally:
            await store.aclose()


@contextmanager
def fleet(
    folder: Path, clinics: int, campaigns: int, *, speed: float, now: datetime, every: str, durable: bool = True
) -> Iterator[Fleet]:
    """The installation without a worker, while the block lasts; with `durable` PostgreSQL loses nothing that it took."""
    with ExitStack() as stack:
        began = time.time()
        command = (str(clinics), str(campaigns), str(folder), now.isoformat(), str(speed))
        town = stack.enter_context(_town(command))
        server = stack.enter_context(postgres.server(**({} if durable else postgres.QUICK)))
        url = stack.enter_context(server.database())
        redis = stack.enter_context(redis_server(folder / "redis"))
        write_rules(folder / "rules", range(clinics), campaigns)
        own = {
            "GOVERNOR_DATABASE_URL": url,
            "GOVERNOR_REDIS_URL": redis.url,
            "GOVERNOR_RULES_DIR": str(folder / "rules"),
            "GOVERNOR_EVALUATE_EVERY": every,
            "PYTHONPATH": str(ROOT),
        }
        environment = {**os.environ, **json.loads((folder / "stage.json").read_text("utf-8")), **own}
        names = tuple(map(slug, range(clinics)))
        made = Fleet(folder, names, town, server, redis, environment, began, now, speed)
        stack.callback(_end, made.workers)
        yield made


@contextmanager
def _town(arguments: Sequence[str]) -> Iterator[Town]:
    process = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-m", "tests.fleet.stage", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield Town(process)
    finally:
        process.communicate(timeout=SECONDS)


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.kill()
        worker.wait()
