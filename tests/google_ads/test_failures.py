"""What the adapter makes of everything that can go wrong between it and the sandbox's server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    OutsideError,
    ProtocolError,
    RefusedError,
    TransientError,
)
from service.core.model import Campaign, State
from service.google_ads.wire import campaign_row
from service.sandbox.accounts import GoogleAccount
from tests.google_ads.conftest import CUSTOMER, MANAGER, SEARCH, TIMEOUT, Stage

PAUSED = State(running=False, budget=Decimal("60.00"))


async def test_a_read_is_repeated_with_growing_pauses_until_it_works(stage: Stage) -> None:
    stage.fail("unavailable", SEARCH, times=2)

    assert (await stage.read()).state.running
    assert stage.slept == [5.0, 10.0]


async def test_a_read_waits_as_long_as_it_is_asked_to(stage: Stage) -> None:
    stage.fail("resource_exhausted", SEARCH, times=1)

    assert (await stage.read()).state.running
    assert stage.slept == [30.0]


async def test_a_spent_daily_quota_is_not_burnt_further(stage: Stage) -> None:
    stage.fail("quota_day", SEARCH)

    with pytest.raises(TransientError) as raised:
        await stage.read()

    assert raised.value.retry_after == timedelta(hours=4)
    assert (stage.calls(SEARCH), stage.slept) == (1, [])


async def test_a_stream_that_breaks_off_is_read_again_from_its_start(stage: Stage) -> None:
    stage.add("2")
    stage.fail("torn_stream", SEARCH, times=1)

    assert len(await stage.adapter().read(["1", "2"])) == 2
    assert stage.slept == [5.0]


async def test_a_silent_server_is_given_up_on_in_time(stage: Stage) -> None:
    patient, hasty = stage.adapter(), stage.adapter(stage.client(timeout=timedelta(seconds=0.3)))
    campaign = await stage.read(adapter=patient)
    stage.fail("deadline")

    async with asyncio.timeout(10):
        with pytest.raises(AmbiguousWriteError) as written:
            await hasty.write(campaign, PAUSED)
        with pytest.raises(TransientError) as read:
            await hasty.read(["1"])

    assert written.value.code == read.value.code == "DEADLINE_EXCEEDED"
    assert stage.slept == [5.0, 10.0, 20.0]


async def test_queries_that_were_not_read_to_their_end_hold_no_slot_of_the_server(stage: Stage) -> None:
    client, kept = stage.client(), []
    query = "SELECT campaign.id, campaign.name FROM campaign"
    for n in range(2, 40):
        stage.add(str(n), name="long" * 4_000)  # more than a connection takes in ahead of its reader
    stage.fail("small_batches", SEARCH)

    def choke(_: object) -> None:
        raise ProtocolError("google", "cannot read this row")

    async with asyncio.timeout(TIMEOUT.total_seconds() / 2):  # later, streams that timed out give their slots back
        for _ in range(25):  # the server has 20
            with pytest.raises(ProtocolError) as raised:
                await client.search(MANAGER, CUSTOMER, query, choke)
            kept.append(raised)  # its frames hold the stream
        assert len(await client.search(MANAGER, CUSTOMER, query, campaign_row)) == 39


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        (lambda stage: stage.adapter(login=None), CredentialsError, "AuthorizationError.USER_PERMISSION_DENIED"),
        (lambda stage: stage.adapter(login="9999999999"), CredentialsError, "HeaderError.INVALID_LOGIN_CUSTOMER_ID"),
        (lambda stage: stage.adapter(customer_id="9999999999"), CredentialsError, "AuthenticationError.CUSTOMER_NOT_FOUND"),
        (lambda stage: stage.adapter(customer_id=MANAGER), RefusedError, "QueryError.REQUESTED_METRICS_FOR_MANAGER"),
    ],
    ids=["no login id", "wrong login id", "unknown customer", "manager account"],
)
async def test_a_wrong_account_id_is_told_from_an_outage(
    stage: Stage, change: Callable[[Stage], object], error: type[OutsideError], code: str
) -> None:
    adapter = change(stage)
    assert hasattr(adapter, "read")

    with pytest.raises(OutsideError) as raised:
        await adapter.read(["1"])

    assert (type(raised.value), raised.value.code) == (error, code)
    assert not stage.slept


async def test_a_currency_without_a_unit_is_an_answer_that_cannot_be_used(stage: Stage) -> None:
    stage.account.billable_unit_micros = 0

    with pytest.raises(ProtocolError, match="no billable unit of AUD"):
        await stage.read()


async def test_two_managers_are_told_apart_by_one_client(stage: Stage) -> None:
    stage.world.google["2345678901"] = GoogleAccount("2345678901", "4445556666", "AUD", "Australia/Sydney")
    client = stage.client()

    await stage.adapter(client).read(["1"])
    other = await stage.adapter(client, customer_id="2345678901", login="4445556666").read(["1"])

    assert isinstance(missing := other["1"], Campaign)
    assert "not found in account 2345678901" in missing.ineligible
