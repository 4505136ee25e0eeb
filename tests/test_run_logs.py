"""Every line that is logged in a run says which run and which clinic, also where clinics are evaluated at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from service.app import App
from service.core.model import Diaries
from service.core.rules.language import RuleSet, Service
from service.governor import Report
from service.jobs.passes import Failure, evaluate_all
from service.observe import Outside
from service.sandbox.scene import CLINICS, HARBOUR, NORTHSIDE, scene
from tests.watching import Lines
from tests.web.world import Near, WorldDiaries, app_over


@dataclass(frozen=True, slots=True)
class Talkative:
    """A Cliniko whose adapter logs, before and after everybody else has begun too, from the loop and from a thread."""

    behind: WorldDiaries
    together: asyncio.Barrier

    async def read(self, services: Sequence[Service]) -> Diaries:
        structlog.get_logger("service.cliniko").info("asking", of=self.behind.clinic)
        await self.together.wait()
        await asyncio.to_thread(logging.getLogger("urllib3").warning, "retrying %s", self.behind.clinic)
        await self.together.wait()
        structlog.get_logger("service.cliniko").info("answered", of=self.behind.clinic)
        return await self.behind.read(services)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    near, together = Near(scene()), asyncio.Barrier(len(CLINICS))

    def outside(rules: RuleSet) -> Outside:
        found = near(rules)
        assert isinstance(found.diaries, WorldDiaries)
        return replace(found, diaries=Talkative(found.diaries, together))

    async with app_over(near, tmp_path) as opened:
        yield replace(opened, governor=replace(opened.governor, outside=outside))


def of(lines: Sequence[dict[str, Any]], clinic: str) -> list[dict[str, Any]]:
    """The lines that are about a clinic by what they say, whatever they are bound to."""
    return [line for line in lines if line.get("of") == clinic or line["event"].endswith(clinic)]


async def test_two_runs_at_once_are_told_apart_in_every_line(app: App, lines: Lines) -> None:
    async with asyncio.timeout(60):
        reports = await evaluate_all(app, [HARBOUR, NORTHSIDE], dry_run=False)
    runs = {each.clinic: each.run for each in reports if isinstance(each, Report)}
    found = lines()
    said = [line["event"] for line in found]
    assert said.index("answered") > max(n for n, event in enumerate(said) if event == "asking")  # they were interleaved
    for clinic in (HARBOUR, NORTHSIDE):
        about = of(found, clinic)
        assert [line["event"] for line in about] == ["asking", f"retrying {clinic}", "answered"]
        assert {(line["clinic"], line["run"]) for line in about} == {(clinic, runs[clinic])}
    finished = [line for line in found if line["event"] == "run_finished"]
    assert {line["clinic"]: line["run"] for line in finished} == runs


async def test_nothing_of_a_run_is_left_bound_when_it_has_ended(app: App, lines: Lines) -> None:
    near = Near(scene())
    alone = replace(app, governor=replace(app.governor, outside=near))
    await alone.governor.run(HARBOUR)
    near.crashing.add(NORTHSIDE)
    [failed] = await evaluate_all(alone, [NORTHSIDE], dry_run=False)
    assert isinstance(failed, Failure)
    assert structlog.contextvars.get_contextvars() == {}
    structlog.get_logger().info("afterwards")
    *_, last = lines()
    assert set(last) == {"event", "level", "timestamp"}


async def test_a_run_that_fails_says_so_with_its_ids(app: App, lines: Lines) -> None:
    def broken(_: RuleSet) -> Outside:
        return Outside(Broken(), {})  # type: ignore[arg-type] # it does not read

    with pytest.raises(AttributeError):
        await replace(app.governor, outside=broken).run(HARBOUR)
    [line] = [each for each in lines() if each["event"] == "run_failed"]
    [run] = (await app.store.runs.runs([HARBOUR])).items
    assert (line["run"], line["clinic"], run.status) == (run.id, HARBOUR, "failed")
    assert "AttributeError" in line["exception"]


class Broken:
    """No diary source at all."""
