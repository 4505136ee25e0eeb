"""A small Meta world, its server on loopback, and our ad account in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from litestar.types import Receive, Scope, Send

from service.core.model import Campaign
from service.meta.account import MetaAdAccount
from service.meta.credentials import MetaCredentials
from service.meta.graph import Limits
from service.sandbox.accounts import MetaAccount, MetaCampaign
from service.sandbox.meta.server import meta_app
from service.sandbox.serving import serving
from service.sandbox.world import Fault, World

TOKEN = "EAAmarkertokenMARKERTOKENmarker0123456789"
SECRET = "markersecret0123456789abcdef"
ACCOUNT = "act_1234567890"
CAMPAIGN = "23850000000000001"
NOON = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
QUICK = Limits(connect=2.0, answer=0.6, call=5.0, read=20.0, backoff=(1.0, 4.0))


@dataclass
class Stage:
    """`urls` are the raw request targets the server saw; `pauses` the seconds we would have slept."""

    world: World
    url: str
    urls: list[str]
    pauses: list[float] = field(default_factory=list)

    @property
    def meta(self) -> MetaAccount:
        return self.world.meta[ACCOUNT]

    def add(self, id_: str, **fields: Any) -> MetaCampaign:
        values: dict[str, Any] = {"name": f"Campaign {id_}", "daily_budget": 4000} | fields
        self.meta.campaigns[id_] = MetaCampaign(id_, **values)
        return self.meta.campaigns[id_]

    def fail(self, kind: str, match: str = "", times: int | None = None) -> None:
        self.world.fail(Fault("meta", kind, match, times))

    def sent(self, method: str) -> list[str]:
        return [request.path for request in self.world.requests if request.method == method]

    def account(self, **changes: Any) -> MetaAdAccount:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        settings: dict[str, Any] = {
            "ad_account_id": ACCOUNT,
            "currency": self.meta.currency,
            "credentials": MetaCredentials(TOKEN, SECRET),
            "base_url": self.url,
            "clock": self.world.clock(),
            "sleep": sleep,
            "limits": QUICK,
        }
        return MetaAdAccount(**(settings | changes))

    async def campaign(self, id_: str = CAMPAIGN) -> Campaign:
        found = (await self.account().read([id_]))[id_]
        assert isinstance(found, Campaign)
        return found


@contextmanager
def staged(currency: str = "AUD") -> Iterator[Stage]:
    world = World(NOON)
    world.meta[ACCOUNT] = MetaAccount(ACCOUNT, currency, "Australia/Sydney")
    urls: list[str] = []
    app = meta_app(world, TOKEN, SECRET)

    async def spied(scope: Scope, receive: Receive, send: Send) -> None:
        urls.append(f"{scope['path']}?{scope['query_string'].decode()}")
        await app(scope, receive, send)

    with serving(spied) as url:
        stage = Stage(world, url, urls)
        stage.add(CAMPAIGN, name="Physio | Feed", spend_today=Decimal("8.50"), spend_before=Decimal(240))
        yield stage
