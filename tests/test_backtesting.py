"""What a backtest says of stored readings, held against what the governor did when it took them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.app import App
from service.backtesting import Tried, backtest
from service.core.backtest import NO_RUN, Report
from service.core.decide.model import Decision
from service.core.errors import NotFoundError
from service.core.model import Reason, Verdict
from service.core.rules.language import RuleSet
from service.rulefiles.source import check
from service.sandbox.scene import HARBOUR, types_named
from service.sandbox.world import World
from tests.store.clinic_day import live, shipped_world
from tests.support import RULES
from tests.web.world import Near, app_over

HOUR = timedelta(hours=1)
SHIPPED = (RULES / f"{HARBOUR}.yaml").read_text("utf-8")
BOTH = "[Initial physiotherapy consultation, Standard physiotherapy consultation]"
FILE = SHIPPED.replace(BOTH, "[Initial physiotherapy consultation]").replace(
    "    when: {utilisation: {below: 60%}}\n",
    "    when: {expected_utilisation: {below: 62%, confidence: 60%}, expected_open_slots: {at_least: 3}}\n",
)
"""One rule goes by what is expected, and nobody asks about standard consultations."""


def rules(text: str = FILE) -> RuleSet:
    return check(text, f"{HARBOUR}.yaml")


@dataclass(frozen=True, slots=True)
class Governed:
    """A clinic that was governed for some days, and all decisions of then."""

    app: App
    world: World
    decisions: tuple[Decision, ...]

    async def again(self, *files: RuleSet, hours: int = 1000) -> Tried:
        """The readings of the last hours, put through these files."""
        return await backtest(self.app.store, files, self.world.now - hours * HOUR, self.world.now, lambda *_: None)

    async def report(self, file: RuleSet, hours: int = 1000) -> Report:
        return (await self.again(file, hours=hours)).replay.reports()[0]


async def lived(app: App, near: Near, hours: int) -> Governed:
    """So many hours in which diaries sell out and open again, Cliniko is down at times, and some runs are missed."""
    chance, world, decisions = random.Random(11), near.world, list[Decision]()  # noqa: S311 - a simulation
    physio = types_named(world.clinics[HARBOUR], "Initial physio")
    for hour in range(hours):
        if hour % 48 == 20:
            world.book_out(HARBOUR, physio, leave=chance.choice([0, 0, 6]))
        if hour % 48 == 44:
            world.cancel(HARBOUR, physio, 14)
        near.down = {HARBOUR} if hour % 50 in range(30, 33) else set()
        if hour % 31 not in range(12, 17):
            decisions += (await app.governor.run(HARBOUR)).decisions
        live(world, HARBOUR, chance)
        world.advance(HOUR)
    near.down = set()
    return Governed(app, world, tuple(decisions))


@pytest.fixture(scope="module")
async def governed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Governed]:
    """Three days and a half under `FILE`, which has mode enforce; nobody interfered."""
    near, directory = Near(shipped_world()), tmp_path_factory.mktemp("governed")
    async with app_over(near, directory) as app:
        (app.settings.rules_dir / f"{HARBOUR}.yaml").write_text(FILE)
        yield await lived(app, near, 84)


def hold_against(report: Report, decisions: tuple[Decision, ...]) -> None:
    """Every change is the one that was made, in its words; and rules decided, and guardrails restrained, as often."""
    for name, found in report.campaigns.items():
        mine = [each for each in decisions if each.campaign == name]
        done = [each for each in mine if each.verdict is Verdict.APPLY]
        assert [
            (made.at, made.run, made.before, made.after, made.rule, made.reason, made.sentence) for made in found.changes
        ] == [(d.at, d.run, d.before, d.after, d.rule, d.reason, d.sentence) for d in done]
        assert found.decided == Counter(each.rule for each in mine if each.rule)
        assert found.restrained == Counter(restraint.reason for each in mine for restraint in set(each.restraints))
        assert sum(found.decided.values()) + found.by_base + found.undecided == len(mine)


async def test_the_same_file_decides_what_the_runs_decided(governed: Governed) -> None:
    report = await governed.report(rules())
    hold_against(report, governed.decisions)
    assert report.runs == len(governed.decisions) / len(report.campaigns)
    assert sum(len(each.changes) for each in report.campaigns.values()) >= 4
    assert {each.verdict for each in governed.decisions} >= {Verdict.APPLY, Verdict.KEEP, Verdict.NONE}


@pytest.mark.soak
async def test_a_fortnight_of_the_shipped_file_is_decided_again_as_it_was(tmp_path: Path) -> None:
    near = Near(shipped_world())
    async with app_over(near, tmp_path) as app:
        then = await lived(app, near, 14 * 24)
        hold_against(await then.report(rules(SHIPPED)), then.decisions)


async def test_whatever_the_mode_it_is_what_enforce_would_have_done(governed: Governed) -> None:
    assert (await governed.report(rules(FILE.replace("mode: enforce", "mode: watch")))).campaigns == (
        await governed.report(rules())
    ).campaigns


async def test_the_first_runs_of_a_period_compare_with_readings_from_before_it(governed: Governed) -> None:
    """From the second day on every run has a reading of a day before, but for those after a gap."""
    last_day = await governed.report(rules(), hours=24)
    assert last_day.runs < 25
    assert last_day.campaigns["physio-search"].restrained.get(Reason.NO_HISTORY, 0) < 5
    whole = await governed.report(rules())
    assert whole.campaigns["physio-search"].restrained[Reason.NO_HISTORY] > 10  # where there was enough to be new


async def test_a_service_that_sells_what_was_never_asked_about_cannot_be_judged_and_says_so(governed: Governed) -> None:
    """Standard consultations are on Cliniko's list of services; nobody has asked when they can be booked."""
    other = rules(FILE.replace("[Initial physiotherapy consultation]", "[Standard physiotherapy consultation]"))
    report = await governed.report(other)
    physio, podiatry = report.services["physio"], report.services["podiatry"]
    assert physio.unjudged[Reason.DATA_INCOMPLETE] > 0.6 * report.hours
    assert sum(physio.unjudged.values()) == pytest.approx(report.hours)
    assert Reason.DATA_INCOMPLETE not in podiatry.unjudged
    assert report.campaigns["physio-search"].changes == ()


async def test_what_is_missing_is_missing(governed: Governed) -> None:
    """Cliniko was down, and runs were missed: hours of which nothing is known, and a campaign is as it was left."""
    report = await governed.report(rules())
    physio = report.services["physio"]
    assert physio.unjudged[Reason.CLINIKO_UNREADABLE] > 0
    assert physio.unjudged[NO_RUN] > 0
    assert report.unreadable > 0
    for name, each in report.campaigns.items():
        total = each.paused_full + each.paused_open + each.paused_unsure + each.below + each.at_base + each.above
        assert total == pytest.approx(report.hours), name


async def test_two_files_side_by_side_are_what_each_is_by_itself(governed: Governed) -> None:
    careful = rules(FILE.replace("at_least: 95%}", "at_least: 99%}").replace("edits: 2", "edits: 1"))
    found = (await governed.again(rules(), careful)).replay.comparison()
    assert (found.this, found.that) == (await governed.report(rules()), await governed.report(careful))
    assert found.apart["physio-search"] > 0
    assert found.apart["podiatry-search"] >= 0


async def test_looks_from_before_the_period_count_unless_the_service_is_another(governed: Governed) -> None:
    """With the last day alone the pace of three days is known all the same, but not that of a service under a new name."""
    renamed = rules(FILE.replace("podiatry:\n", "feet:\n").replace("service: podiatry", "service: feet"))
    for file, unlearnt, learnt in ((rules(), (), {"physio", "podiatry"}), (renamed, ("feet",), {"physio"})):
        tried = await governed.again(file, hours=24)
        (candidate,) = tried.replay.candidates
        assert tried.unlearnt == unlearnt
        assert {look.service for look in candidate.looks} == learnt
        assert {look.day for look in candidate.looks} < {each.at.date() + timedelta(days=1) for each in governed.decisions}


async def test_a_clinic_without_history_says_what_to_do(governed: Governed) -> None:
    with pytest.raises(NotFoundError, match=r"no reading of nobody-here is kept since .*; --sandbox"):
        await governed.again(replace(rules(), clinic="nobody-here"))
