from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from service.app import App
from service.core.errors import NotFoundError
from service.core.model import Campaign, Platform, Unreadable
from service.core.rules.language import RuleSet
from service.governor import Report
from service.jobs.passes import CONCURRENT, Failure, evaluate_all
from service.observe import Outside
from service.sandbox.scene import HARBOUR, NORTHSIDE, scene
from tests.web.world import Near, WorldAds, app_over


@pytest.fixture
def near() -> Near:
    return Near(scene())


@pytest.fixture
async def app(near: Near, tmp_path: Path) -> AsyncIterator[App]:
    async with app_over(near, tmp_path) as opened:
        yield opened


async def test_results_come_in_the_order_asked_for_whatever_goes_wrong_with_each(app: App, near: Near) -> None:
    near.crashing.add(HARBOUR)
    found = await evaluate_all(app, [NORTHSIDE, "nowhere", HARBOUR], dry_run=False)
    assert [each.clinic for each in found] == [NORTHSIDE, "nowhere", HARBOUR]
    good, missing, crashed = found
    assert isinstance(good, Report)
    assert isinstance(missing, Failure)
    assert isinstance(crashed, Failure)
    assert isinstance(missing.error, NotFoundError)
    assert isinstance(crashed.error, ZeroDivisionError)


async def test_a_dry_pass_records_no_run(app: App) -> None:
    found = await evaluate_all(app, [HARBOUR, NORTHSIDE], dry_run=True)
    assert [each.status for each in found if isinstance(each, Report)] == ["dry_run", "dry_run"]
    assert (await app.store.runs.runs()).items == ()


async def test_only_so_many_clinics_are_evaluated_at_a_time(app: App, near: Near) -> None:
    under_way, most = 0, 0
    together = asyncio.Barrier(CONCURRENT)

    class Meeting:
        """Goes on only once as many clinics are being read as may be."""

        def __init__(self, behind: Outside) -> None:
            self.behind = behind

        async def read(self, services: object) -> object:
            await together.wait()
            return await self.behind.diaries.read(services)  # type: ignore[union-attr,arg-type] # the world's

    def outside(rules: RuleSet) -> Outside:
        return replace(near(rules), diaries=Meeting(near(rules)))  # type: ignore[arg-type] # reads, as a diary source

    text = (app.settings.rules_dir / f"{NORTHSIDE}.yaml").read_text()
    names = [f"clinic-{n}" for n in range(2 * CONCURRENT)]
    for name in names:
        (app.settings.rules_dir / f"{name}.yaml").write_text(text.replace(f"clinic: {NORTHSIDE}", f"clinic: {name}"))
        near.world.clinics[name] = near.world.clinics[NORTHSIDE]

    def taken() -> Iterator[str]:
        nonlocal under_way, most
        for name in names:
            under_way, most = under_way + 1, max(most, under_way + 1)
            yield name

    def done() -> None:
        nonlocal under_way
        under_way -= 1

    meeting = replace(app, governor=replace(app.governor, outside=outside))
    async with asyncio.timeout(30):
        found = await evaluate_all(meeting, taken(), dry_run=True, done=done)
    assert [each.status for each in found if isinstance(each, Report)] == ["dry_run"] * len(names)
    assert (under_way, most) == (0, CONCURRENT)


async def test_a_pass_over_no_clinics_is_empty(app: App) -> None:
    assert await evaluate_all(app, [], dry_run=False) == []


class HalfNamed(WorldAds):
    """Accounts whose campaigns bear half of a character in their names."""

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        found = await WorldAds.read(self, ids)
        return {id_: replace(seen, name="Physio \ud83d") for id_, seen in found.items() if isinstance(seen, Campaign)}


async def test_a_campaign_that_is_named_with_half_a_character_is_governed_like_any_other(app: App, near: Near) -> None:
    def outside(rules: RuleSet) -> Outside:
        return replace(near(rules), accounts={each: HalfNamed(near.world, rules, each) for each in Platform})

    half = replace(app, governor=replace(app.governor, outside=outside))
    [report] = await evaluate_all(half, [HARBOUR], dry_run=False)
    assert isinstance(report, Report)
    assert report.status == "finished"
    seen = (await app.store.runs.load_inputs(report.run)).snapshot.campaigns.values()
    assert {each.name for each in seen if isinstance(each, Campaign)} == {"Physio ?"}
    assert (await app.store.ledger.verify(HARBOUR)).ok
