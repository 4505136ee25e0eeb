"""The sandbox's Google Ads, and in front of it the official client, unpatched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException

from service.sandbox.accounts import GoogleAccount, GoogleBudget, GoogleCampaign
from service.sandbox.google_ads.server import GoogleSandbox, google_ads_server
from service.sandbox.scene import LOGIN_CUSTOMER_ID
from service.sandbox.world import World

CUSTOMER = "1234567890"
NOW = datetime(2026, 11, 21, 21, 0, tzinfo=UTC)
CAMPAIGN, BUDGET = f"customers/{CUSTOMER}/campaigns/1", f"customers/{CUSTOMER}/campaignBudgets/71"


@dataclass
class Wire:
    """The official client with proto-plus messages, and the world behind the server."""

    world: World
    sandbox: GoogleSandbox
    client: Any

    @property
    def account(self) -> GoogleAccount:
        return self.world.google[CUSTOMER]

    def rows(self, query: str) -> list[Any]:
        service = self.client.get_service("GoogleAdsService")
        return [row for batch in service.search_stream(customer_id=CUSTOMER, query=query, timeout=10) for row in batch.results]

    def budget_update(self, micros: int, name: str = BUDGET, paths: tuple[str, ...] = ("amount_micros",)) -> Any:
        operation = self.client.get_type("CampaignBudgetOperation")
        operation.update.resource_name = name
        operation.update.amount_micros = micros
        operation.update_mask.paths.extend(paths)
        return operation

    def status_update(self, status: str, name: str = CAMPAIGN, paths: tuple[str, ...] = ("status",)) -> Any:
        operation = self.client.get_type("CampaignOperation")
        operation.update.resource_name = name
        operation.update.status = status
        operation.update_mask.paths.extend(paths)
        return operation

    def budgets(self, *operations: Any, **flags: Any) -> Any:
        request = self.client.get_type("MutateCampaignBudgetsRequest")
        request.customer_id = CUSTOMER
        request.operations.extend(operations)
        for name, value in flags.items():
            setattr(request, name, value)
        return self.client.get_service("CampaignBudgetService").mutate_campaign_budgets(request=request, timeout=10)

    def campaigns(self, *operations: Any) -> Any:
        service = self.client.get_service("CampaignService")
        return service.mutate_campaigns(customer_id=CUSTOMER, operations=list(operations), timeout=10)


@pytest.fixture(scope="module")
def served(google_certificate: Path) -> Iterator[Wire]:
    """One server and one client for all: starting and stopping takes longer than most tests."""
    world = World(NOW)
    with google_ads_server(world, google_certificate) as sandbox:
        settings = {
            "use_proto_plus": True,
            "json_key_file_path": str(sandbox.key_file),
            "endpoint": sandbox.endpoint,
            "login_customer_id": LOGIN_CUSTOMER_ID,
        }
        yield Wire(world, sandbox, GoogleAdsClient.load_from_dict(settings, version="v26"))


@pytest.fixture
def wire(served: Wire) -> Wire:
    account = GoogleAccount(CUSTOMER, LOGIN_CUSTOMER_ID, "AUD", "Australia/Sydney")
    account.budgets = {"71": GoogleBudget("71", 60_000_000), "72": GoogleBudget("72", 30_000_000)}
    account.campaigns = {
        "1": GoogleCampaign("1", "Physio", "71", cost_micros_today=5_000_000),
        "2": GoogleCampaign("2", "Podiatry", "72", status="PAUSED"),
    }
    served.world.google = {CUSTOMER: account}
    served.world.faults.clear()
    served.world.advance(NOW - served.world.now)
    return served


def code_of(raised: pytest.ExceptionInfo[GoogleAdsException]) -> str:
    error = raised.value.failure.errors[0]
    plain = type(error).pb(error).error_code
    group = plain.WhichOneof("error_code")
    return f"{group}.{plain.DESCRIPTOR.fields_by_name[group].enum_type.values_by_number[getattr(plain, group)].name}"
