"""The ad accounts as the platforms hold them: Google's money in micros, Meta's in minor units."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(slots=True)
class GoogleBudget:
    """A campaign budget; micros of the account currency."""

    id: str
    amount_micros: int
    shared: bool = False
    period: str = "DAILY"


@dataclass(slots=True)
class GoogleCampaign:
    """A Google Ads campaign; enum fields hold the API's names. `cost_micros_before`: of this month's days before today."""

    id: str
    name: str
    budget: str
    status: str = "ENABLED"
    channel: str = "SEARCH"
    experiment_type: str = "BASE"
    serving_status: str = "SERVING"
    cost_micros_today: int = 0
    cost_micros_before: int = 0


@dataclass(slots=True)
class GoogleAccount:
    """A Google Ads client account, reached through the manager `login_customer_id`."""

    customer_id: str
    login_customer_id: str
    currency: str
    zone: str
    billable_unit_micros: int = 10_000
    campaigns: dict[str, GoogleCampaign] = field(default_factory=dict)
    budgets: dict[str, GoogleBudget] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class MetaAdSet:
    """An ad set; budgets are in minor units, None where the campaign holds the budget, spend in major ones."""

    id: str
    campaign_id: str
    name: str
    status: str = "ACTIVE"
    daily_budget: int | None = None
    end_time: datetime | None = None
    lifetime_budget: int | None = None
    is_budget_schedule_enabled: bool = False
    spend_today: Decimal = Decimal(0)


@dataclass(slots=True)
class MetaCampaign:
    """A Meta campaign; budgets are in minor units, spend in major ones. `spend_before`: on this month's days before today."""

    id: str
    name: str
    daily_budget: int | None = None
    lifetime_budget: int | None = None
    status: str = "ACTIVE"
    buying_type: str = "AUCTION"
    smart_promotion_type: str | None = None
    updated_time: datetime | None = None
    spend_today: Decimal = Decimal(0)
    spend_before: Decimal = Decimal(0)


@dataclass(slots=True)
class MetaAccount:
    """A Meta ad account; `id` is `act_` and digits."""

    id: str
    currency: str
    zone: str
    account_status: int = 1
    min_daily_budget: int = 100
    campaigns: dict[str, MetaCampaign] = field(default_factory=dict)
    ad_sets: dict[str, MetaAdSet] = field(default_factory=dict)
    activities: list[dict[str, Any]] = field(default_factory=list)
