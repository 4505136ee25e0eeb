"""Change events: who did what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from google.ads.googleads.errors import GoogleAdsException

from service.sandbox.google_ads.tokens import EMAIL
from tests.sandbox.google_ads.conftest import CAMPAIGN, CUSTOMER, Wire, code_of

RANGE = "change_event.change_date_time >= '2026-11-20' AND change_event.change_date_time <= '2026-11-23'"


def test_the_history_tells_people_from_us(wire: Wire) -> None:
    wire.world.edit_google(CUSTOMER, "1", "mia@agency.example", amount_micros=80_000_000)
    wire.world.advance(timedelta(hours=1))
    wire.campaigns(wire.status_update("PAUSED"))
    wire.campaigns(wire.status_update("PAUSED"))  # there already: no event

    rows = wire.rows(
        "SELECT change_event.change_date_time, change_event.client_type, change_event.user_email, "  # noqa: S608 - no database
        "change_event.changed_fields, change_event.change_resource_name, change_event.old_resource, change_event.new_resource "
        f"FROM change_event WHERE {RANGE} AND change_event.change_resource_type IN ('CAMPAIGN', 'CAMPAIGN_BUDGET') "
        "ORDER BY change_event.change_date_time DESC LIMIT 100"
    )

    ours, theirs = (row.change_event for row in rows)
    assert (ours.client_type.name, ours.user_email) == ("GOOGLE_ADS_API", EMAIL)
    assert (ours.change_resource_name, ours.new_resource.campaign.status.name) == (CAMPAIGN, "PAUSED")
    assert (theirs.client_type.name, theirs.user_email) == ("GOOGLE_ADS_WEB_CLIENT", "mia@agency.example")
    assert list(theirs.changed_fields.paths) == ["amount_micros"]
    assert theirs.old_resource.campaign_budget.amount_micros == 60_000_000
    assert theirs.new_resource.campaign_budget.amount_micros == 80_000_000
    assert theirs.change_date_time.startswith("2026-11-22 08:00:00")


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        (f"WHERE {RANGE}", "LIMIT_NOT_SPECIFIED"),
        (f"WHERE {RANGE} LIMIT 10001", "INVALID_LIMIT_CLAUSE"),
        ("WHERE change_event.change_date_time >= '2026-11-20' LIMIT 10", "CHANGE_DATE_RANGE_INFINITE"),
        (
            "WHERE change_event.change_date_time BETWEEN '2026-11-20' AND '2026-11-19' LIMIT 10",
            "CHANGE_DATE_RANGE_NEGATIVE",
        ),
        ("WHERE change_event.change_date_time BETWEEN '2026-09-01' AND '2026-11-19' LIMIT 10", "START_DATE_TOO_OLD"),
    ],
)
def test_the_history_wants_a_range_and_a_limit(wire: Wire, rest: str, code: str) -> None:
    with pytest.raises(GoogleAdsException) as raised:
        wire.rows(f"SELECT change_event.user_email FROM change_event {rest}")  # noqa: S608 - no database

    assert code_of(raised) == f"change_event_error.{code}"
