"""The rows of Graph answers this service reads, checked where they come in. Pure.

Meta leaves a field out where it has no value, writes budgets as strings, and may add statuses at any time: everything that
can be absent is optional, "0" means no budget, and statuses stay text.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from service.core.errors import ProtocolError

Budget = Annotated[int, Field(ge=0), AfterValidator(lambda minor: minor or None)]
"""Minor units; zero and absent are the same."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)


class AccountRow(_Row):
    """The ad account node."""

    currency: str
    account_status: int
    timezone_name: str = ""
    min_daily_budget: Budget | None = None


class CampaignRow(_Row):
    """A campaign. `configured_status` is what somebody set, `effective_status` what holds."""

    id: str
    name: str = ""
    account_id: str = ""
    configured_status: str
    effective_status: str
    buying_type: str | None = None
    smart_promotion_type: str | None = None
    daily_budget: Budget | None = None
    lifetime_budget: Budget | None = None
    is_budget_schedule_enabled: bool | None = None
    stop_time: AwareDatetime | None = None


class AdSetRow(_Row):
    """An ad set that is neither archived nor deleted."""

    id: str
    campaign_id: str
    configured_status: str
    daily_budget: Budget | None = None
    lifetime_budget: Budget | None = None
    is_budget_schedule_enabled: bool | None = None
    end_time: AwareDatetime | None = None


class StepRow(_Row):
    """What a write may change of a campaign or an ad set."""

    configured_status: str
    daily_budget: Budget | None = None


class SpendRow(_Row):
    """A row of Insights; `spend` is in major units."""

    campaign_id: str
    spend: Decimal = Field(default=Decimal(0), ge=0)
    date_start: date


class AdSetSpendRow(SpendRow):
    """A row of Insights about one ad set."""

    adset_id: str


class ActivityRow(_Row):
    """An entry of the activity log. `extra_data` is text, mostly JSON, of several shapes."""

    event_time: AwareDatetime
    event_type: str
    object_id: str = ""
    actor_name: str | None = None
    application_name: str | None = None
    extra_data: str | None = None


Row = TypeVar("Row", bound=_Row)


def fields(row: type[_Row]) -> str:
    """The `fields` parameter that asks for exactly what a row holds."""
    return ",".join(row.model_fields)


def parse(row: type[Row], data: Mapping[str, object]) -> Row:
    """One row of the documented shape, else `ProtocolError` naming the fields that are not."""
    try:
        return row.model_validate(data)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
    raise ProtocolError(
        "meta", f"Meta's {row.__name__.removesuffix('Row').lower()} is not as documented: {wrong}", code="shape"
    )
