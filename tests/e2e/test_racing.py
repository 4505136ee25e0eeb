"""Two processes evaluate the same clinic at the same instant: exactly one applies."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest

from service.sandbox.scene import HARBOUR, scene
from service.sandbox.stage import staged
from tests.e2e.moment import PHYSIO, Moment, command, held, moment_of


@pytest.fixture
async def moment(google_certificate: Path, tmp_path: Path) -> AsyncIterator[Moment]:
    world = scene()
    with staged(world, google_certificate, requests_per_minute=60_000, meta_calls_per_hour=1_000_000) as stage:
        yield await moment_of(world, stage, tmp_path)


class Worker:
    """A process that runs the clinic when it is told to."""

    def __init__(self, moment: Moment) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - ours
            command("tests.e2e.racing", HARBOUR, moment.world.now.isoformat()),
            env=moment.environment(moment.database),
            cwd=moment.database.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, line: object) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def said(self) -> str:
        """The next line that is meant for us; logs go to the same place."""
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("> "):
                return line[2:].strip()
        raise AssertionError("the worker has died")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)


@pytest.mark.parametrize("rounds", [1, pytest.param(200, marks=pytest.mark.soak)])
async def test_of_two_processes_at_the_same_instant_exactly_one_applies(moment: Moment, tmp_path: Path, rounds: int) -> None:
    outcomes: Counter[tuple[str, ...]] = Counter()
    with Worker(moment) as one, Worker(moment) as other:
        for number in range(rounds):
            directory = tmp_path / str(number)
            directory.mkdir()
            outcomes[await race(moment, directory, (one, other) if number % 2 else (other, one))] += 1
    sys.stdout.write(f"\n{rounds} rounds: {dict(outcomes)}\n")


async def race(moment: Moment, directory: Path, workers: tuple[Worker, Worker]) -> tuple[str, ...]:
    """One round, and what the two said, in alphabetical order."""
    database = moment.again(directory, [])
    for worker in workers:
        worker.tell(database)
    assert [worker.said() for worker in workers] == ["ready", "ready"]
    for worker in workers:
        worker.tell("go")
    said = tuple(sorted(worker.said() for worker in workers))
    assert said in {("0", "2"), ("2", "busy")}
    assert {id_: held(moment.world)[id_]["changes"] for id_ in PHYSIO} == dict.fromkeys(PHYSIO, 1)
    async with moment.app(database) as app:
        assert (await app.store.ledger.verify(HARBOUR)).ok
        assert await app.store.intents.open(HARBOUR) == ()
    return said
