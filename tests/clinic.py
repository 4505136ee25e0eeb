"""A clinic whose campaigns are on ad accounts in memory, where people can step in and readings can lag; all else is real."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from service.app import App, assemble
from service.core.decide.model import Decision, Hold, Standing
from service.core.errors import OutsideError
from service.core.model import Campaign, History, LoggedChange, Platform, Shares, State, Survey
from service.core.ports import Stop, unstopped
from service.core.rules.language import RuleSet
from service.governor import Report
from service.holding import place
from service.observe import Outside
from service.restoring import Restored, restore
from service.sandbox.scene import HARBOUR, scene
from service.sandbox.world import World
from service.settings import Settings
from tests.databases import lay
from tests.web.world import WorldDiaries

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
CENT = Decimal("0.01")
HEAD = """\
version: 1
clinic: harbour-physio
name: Harbour
currency: AUD
mode: {mode}
google_ads: {{customer_id: "123-456-7890"}}
services:
  {service}: {{appointment_types: [Initial physiotherapy consultation]}}
guardrails: {{cooldown: 0h, max_changes_per_day: 24, edit_budget: {{edits: 50, per: 7d}}, stabilise: {{raise: 0h, cut: 0h}}}}
campaigns:
"""
CAMPAIGN = (
    '  {name}: {{platform: google, id: "{id}", service: {service}, base_budget: {base}, floor: 10.00, ceiling: 120.00{more}}}\n'
)


def at(budget: str) -> State:
    """Running at so much a day."""
    return State(running=True, budget=Decimal(budget))


def paused(budget: str) -> State:
    """Paused, with the budget it had."""
    return State(running=False, budget=Decimal(budget))


BASE = at("60.00")


@dataclass
class Ads:
    """An ad account. `shown` is what a reading shows instead while a write propagates; `purse` the campaigns on one budget."""

    world: World
    states: dict[str, State]
    shown: dict[str, State] = field(default_factory=dict)
    log: dict[str, list[LoggedChange]] = field(default_factory=dict)
    writes: list[tuple[str, State]] = field(default_factory=list)
    unit: Decimal = CENT
    purse: tuple[str, ...] = ()
    lagging: bool = False
    after_write: OutsideError | None = None
    unlogged: OutsideError | None = None
    on_read: Callable[[], Awaitable[Any]] | None = None
    on_write: Callable[[], Awaitable[Any]] | None = None

    reads: int = 0

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign]:
        self.reads += 1
        if self.on_read is not None:
            await self.on_read()
        return {id_: self._campaign(id_) for id_ in ids}

    def _campaign(self, id_: str) -> Campaign:
        sharers = self.purse if id_ in self.purse else ()
        state = self.shown.get(id_, self.states[id_])
        return Campaign(Platform.GOOGLE, id_, id_, state, "AUD", self.unit, budget_ref=f"b{sharers or id_}", sharers=sharers)

    async def history(self, campaigns: Sequence[Campaign], since: Any, until: Any) -> Mapping[str, History]:
        if self.unlogged is not None:
            raise self.unlogged
        return {each.id: tuple(log for log in self.log.get(each.id, []) if since <= log.at <= until) for each in campaigns}

    async def survey(self) -> Survey:
        return Survey(Platform.GOOGLE, "", "AUD", "Australia/Sydney", tuple(map(self._campaign, self.states)))

    async def write(self, campaign: Campaign, target: State, shares: Shares = (), stop: Stop = unstopped) -> Campaign:  # noqa: ARG002 - the port's
        if self.on_write is not None:
            await self.on_write()
        if self.lagging:
            self.shown.setdefault(campaign.id, self.states[campaign.id])
        assert target.budget is not None
        target = replace(target, budget=target.budget // self.unit * self.unit)
        self.writes.append((campaign.id, target))
        self._become(campaign.id, target, "governor")
        if self.after_write is not None:
            raise self.after_write
        return replace(campaign, state=target, shares=shares)

    def person(self, id_: str, **change: Any) -> None:
        """Mia changes a campaign on the platform's own pages."""
        self._become(id_, replace(self.states[id_], **change), "mia")

    def _become(self, id_: str, new: State, by: str) -> None:
        old = self.states[id_]
        running = new.running if new.running != old.running else None
        budget = new.budget if new.budget != old.budget else None
        self.log.setdefault(id_, []).append(LoggedChange(self.world.now, by, "a page", running is not None, running, budget))
        self.states[id_] = new
        for other in self.purse if id_ in self.purse else ():
            self.states[other] = replace(self.states[other], budget=new.budget)


@dataclass
class Clinic:
    """The service over a world, with its rule file."""

    world: World
    app: App
    ads: Ads
    file: Path

    def rules(
        self, then: str = "", mode: str = "enforce", service: str = "physio", more: str = "", base: str = "60.00", **named: str
    ) -> None:
        """What the rules want for every campaign (nothing: base), in which mode; `named` are the campaigns' ids by name."""
        campaigns = named or {"search": "1"}
        text = HEAD.format(mode=mode, service=service)
        text += "".join(
            CAMPAIGN.format(name=name, id=id_, service=service, base=base, more=more) for name, id_ in campaigns.items()
        )
        if then:
            text += f"rules:\n  - {{name: Wish, service: {service}, then: {then}}}\n"
        else:
            text += "# no rules\n"  # a mere beginning of the file in force would be refused
        self.file.write_text(text)
        long_ago = self.file.stat().st_mtime - 60
        os.utime(self.file, (long_ago, long_ago))

    def later(self, by: timedelta = HOUR) -> None:
        self.world.advance(by)

    async def run(self, later: timedelta = HOUR) -> Report:
        """A run, `later` than what was before."""
        self.later(later)
        return await self.app.governor.run(HARBOUR)

    async def decided(self, later: timedelta = HOUR, campaign: str = "search") -> Decision:
        """What a run `later` decides about one campaign."""
        report = await self.run(later)
        return next(each for each in report.decisions if each.campaign == campaign)

    async def restore(self, later: timedelta = HOUR, **options: bool) -> Restored:
        self.later(later)
        return await restore(self.app.governor, HARBOUR, "operator", **options)

    def kill_switch(self, asked: Callable[[], bool | None]) -> None:
        """Ask this for the kill switch from now on."""
        self.app = replace(self.app, governor=replace(self.app.governor, kill_switch=asked))

    async def hold(self, campaign: str | None = None, service: str | None = None) -> None:
        """Mia holds the clinic, or part of it."""
        await place(self.app.governor, Hold("h1", HARBOUR, None, "open day", "mia", self.world.now, campaign, service))

    async def standing(self, campaign: str = "search") -> Standing:
        return (await self.app.store.memory.standings(HARBOUR))[campaign]


@asynccontextmanager
async def clinic_in(directory: Path) -> AsyncIterator[Clinic]:
    """A clinic with nothing but a database and, at first, rules that want base for the one campaign `search`."""
    (directory / "rules").mkdir()
    world = scene()
    own = Settings(database_url=f"sqlite+aiosqlite:///{lay(directory)}", rules_dir=directory / "rules", _env_file=None)
    app, adapters = assemble(own, world.clock())
    await app.store.migrate()
    ads = Ads(world, {"1": BASE, "2": BASE, "3": BASE})

    def outside(rules: RuleSet) -> Outside:
        return Outside(WorldDiaries(world, rules.clinic, set()), {Platform.GOOGLE: ads})

    app = replace(app, governor=replace(app.governor, outside=outside))
    clinic = Clinic(world, app, ads, directory / "rules" / f"{HARBOUR}.yaml")
    clinic.rules()
    yield clinic
    await adapters.aclose()
    await app.store.aclose()
