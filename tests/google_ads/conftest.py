"""One Google Ads account behind the sandbox's server, and our adapter in front of it: the real client, over real TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.core.model import Campaign
from service.google_ads.account import GoogleAdsAccount
from service.google_ads.client import GoogleAds
from service.google_ads.credentials import GoogleCredentials
from service.google_ads.rests import Rests
from service.sandbox.accounts import GoogleAccount, GoogleBudget, GoogleCampaign
from service.sandbox.google_ads.server import GoogleSandbox, google_ads_server
from service.sandbox.world import Fault, World

CUSTOMER, MANAGER = "1234567890", "1112223333"
SEARCH, MUTATE = "GoogleAdsService/SearchStream", "GoogleAdsService/Mutate"
TIMEOUT = timedelta(seconds=5)


@dataclass
class Stage:
    """The world, its one account, and the ways to reach it. `slept` are the pauses the client took.

    `seconds` is the client's clock, which only its pauses move.
    """

    world: World
    account: GoogleAccount
    sandbox: GoogleSandbox
    slept: list[float] = field(default_factory=list)
    seconds: float = 0.0
    clients: list[GoogleAds] = field(default_factory=list)

    def add(self, id_: str, micros: int = 60_000_000, *, shared: bool = False, period: str = "DAILY", **fields: object) -> None:
        self.account.budgets[f"7{id_}"] = GoogleBudget(f"7{id_}", micros, shared=shared, period=period)
        campaign = GoogleCampaign(id_, f"Campaign {id_}", f"7{id_}")
        for name, value in fields.items():
            setattr(campaign, name, value)
        self.account.campaigns[id_] = campaign

    def client(
        self, credentials: GoogleCredentials | None = None, timeout: timedelta = TIMEOUT, endpoint: str = ""
    ) -> GoogleAds:
        async def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            self.seconds += seconds

        signed_in = credentials or GoogleCredentials(json_key_file_path=self.sandbox.key_file)
        client = GoogleAds(
            signed_in,
            endpoint=endpoint or self.sandbox.endpoint,
            timeout=timeout,
            sleep=sleep,
            rests=Rests(lambda: self.seconds),
        )
        self.clients.append(client)
        return client

    def adapter(
        self,
        client: GoogleAds | None = None,
        *,
        customer_id: str = CUSTOMER,
        login: str | None = MANAGER,
        currency: str = "AUD",
    ) -> GoogleAdsAccount:
        return GoogleAdsAccount(
            customer_id=customer_id, login_customer_id=login, currency=currency, client=client or self.client()
        )

    async def read(self, id_: str = "1", adapter: GoogleAdsAccount | None = None) -> Campaign:
        found = (await (adapter or self.adapter()).read([id_]))[id_]
        assert isinstance(found, Campaign)
        return found

    def fail(self, kind: str, match: str = "", times: int | None = None, what: str = "") -> None:
        self.world.fail(Fault("google", kind, match, times, what))

    def calls(self, name: str) -> int:
        return sum(request.path == name for request in self.world.requests)


@pytest.fixture(scope="session")
def served(google_certificate: Path) -> Iterator[tuple[World, GoogleSandbox]]:
    """One server for all: starting and stopping it takes longer than most tests."""
    world = World(datetime(2026, 11, 21, 21, 0, tzinfo=UTC))
    with google_ads_server(world, google_certificate) as sandbox:
        yield world, sandbox


@pytest.fixture
async def stage(served: tuple[World, GoogleSandbox]) -> AsyncIterator[Stage]:
    world, sandbox = served
    account = GoogleAccount(CUSTOMER, MANAGER, "AUD", "Australia/Sydney")
    world.google = {CUSTOMER: account}
    world.faults.clear()
    world.requests.clear()
    stage = Stage(world, account, sandbox)
    stage.add("1", cost_micros_today=12_340_000, cost_micros_before=100_000_000)
    yield stage
    for client in stage.clients:
        await client.close()
