"""The service over the sandbox's world without sockets: everything is real except for the wire."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from service.app import App, assemble
from service.core.errors import TransientError
from service.core.model import Campaign, Diaries, History, Platform, Shares, State, Survey, Unreadable
from service.core.ports import Stop, unstopped
from service.core.rules.language import RuleSet, Service
from service.observe import Outside
from service.sandbox.reading import diaries
from service.sandbox.scene import HARBOUR, types_named
from service.sandbox.world import World
from service.settings import Settings
from tests.databases import lay
from tests.support import RULES, campaigns


@dataclass(frozen=True, slots=True)
class WorldDiaries:
    """A clinic's Cliniko account, or that it is down."""

    world: World
    clinic: str
    down: set[str]

    async def read(self, services: Sequence[Service]) -> Diaries:
        if self.clinic in self.down:
            raise TransientError("cliniko", "503 from a proxy")
        return diaries(self.world.clinics[self.clinic], tuple(services), self.world.now)


@dataclass(frozen=True, slots=True)
class WorldAds:
    """A clinic's ad account on one platform."""

    world: World
    rules: RuleSet
    platform: Platform

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        shown = campaigns(self.world, self.rules)
        return {self.rules.campaigns[name].id: seen for name, seen in shown.items() if self.rules.campaigns[name].id in ids}

    async def survey(self) -> Survey:
        shown = (seen for seen in campaigns(self.world, self.rules).values() if isinstance(seen, Campaign))
        here = tuple(seen for seen in shown if seen.platform is self.platform)
        return Survey(self.platform, "", self.rules.currency, "Australia/Sydney", here)

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:  # noqa: ARG002 - the port's
        return {each.id: () for each in campaigns}

    async def write(self, campaign: Campaign, target: State, shares: Shares = (), stop: Stop = unstopped) -> Campaign:  # noqa: ARG002 - the port's
        if self.platform is Platform.GOOGLE and self.rules.google:
            account = self.world.google[self.rules.google.customer_id]
            item = account.campaigns[campaign.id]
            item.status = "ENABLED" if target.running else "PAUSED"
            account.budgets[item.budget].amount_micros = int((target.budget or 0) * 1_000_000)
        elif self.rules.meta:
            one = self.world.meta[self.rules.meta.ad_account_id].campaigns[campaign.id]
            one.status = "ACTIVE" if target.running else "PAUSED"
            one.daily_budget = int((target.budget or 0) * 100)
        return replace(campaign, state=target, shares=shares)


@dataclass(slots=True)
class Near:
    """The outside of every clinic; those in `down` cannot reach Cliniko, those in `crashing` meet a defect of ours."""

    world: World
    down: set[str] = field(default_factory=set)
    crashing: set[str] = field(default_factory=set)

    def __call__(self, rules: RuleSet) -> Outside:
        if rules.clinic in self.crashing:
            raise ZeroDivisionError("a defect that nobody foresaw, with a secret: hunter2")
        accounts = {platform: WorldAds(self.world, rules, platform) for platform in Platform}
        return Outside(WorldDiaries(self.world, rules.clinic, self.down), accounts)


@dataclass(slots=True)
class Gate:
    """The outside of a clinic that is not reached before somebody opens the gate."""

    near: Near
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, rules: RuleSet) -> Outside:
        outside = self.near(rules)
        return replace(outside, diaries=_Waiting(self, outside.diaries))  # type: ignore[arg-type] # reads, as a diary source


@dataclass(slots=True)
class _Waiting:
    gate: Gate
    behind: object

    async def read(self, services: object) -> object:
        self.gate.reached.set()
        await self.gate.open.wait()
        return await self.behind.read(services)  # type: ignore[attr-defined] # it does


@asynccontextmanager
async def app_over(near: Near, directory: Path, **settings: object) -> AsyncIterator[App]:
    """The service over that outside, with a copy of the shipped rule files and a database in `directory`."""
    rules = directory / "rules"
    shutil.copytree(RULES, rules, dirs_exist_ok=True)
    own = {"database_url": f"sqlite+aiosqlite:///{lay(directory)}", "rules_dir": rules, "_env_file": None}
    own["api"] = {"requests_per_minute": 0}  # tests ask faster than anybody may
    app, adapters = assemble(Settings(**{**own, **settings}), near.world.clock())  # type: ignore[arg-type] # by name
    await app.store.migrate()
    yield replace(app, governor=replace(app.governor, outside=near))
    await adapters.aclose()
    await app.store.aclose()


def book_out(world: World) -> None:
    """Sell out Harbour's physiotherapy."""
    world.book_out(HARBOUR, types_named(world.clinics[HARBOUR], "Initial physio"))
