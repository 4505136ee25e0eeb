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
from tests.google_ads.conftest import CUSTOMER, MANAGER, MUTATE, SEARCH, TIMEOUT, Stage

PAUSED = State(running=False, budget=Decimal("60.00"))

READS: list[tuple[str, type[OutsideError], str]] = [
    ("unavailable", TransientError, "UNAVAILABLE"),
    ("internal", TransientError, "InternalError.INTERNAL_ERROR"),
    ("internal_error.TRANSIENT_ERROR", TransientError, "InternalError.TRANSIENT_ERROR"),
    ("internal_error.ERROR_CODE_NOT_PUBLISHED", RefusedError, "InternalError.ERROR_CODE_NOT_PUBLISHED"),
    ("concurrent_modification", TransientError, "DatabaseError.CONCURRENT_MODIFICATION"),
    ("resource_exhausted", TransientError, "QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED"),
    ("quota_day", TransientError, "QuotaError.RESOURCE_EXHAUSTED"),
    ("permission_denied", CredentialsError, "AuthorizationError.USER_PERMISSION_DENIED"),
    ("token_revoked", CredentialsError, "AuthenticationError.OAUTH_TOKEN_REVOKED"),
    ("authentication_error.NOT_ADS_USER", CredentialsError, "AuthenticationError.NOT_ADS_USER"),
    ("authorization_error.CUSTOMER_NOT_ENABLED", CredentialsError, "AuthorizationError.CUSTOMER_NOT_ENABLED"),
    ("header_error.INVALID_LOGIN_CUSTOMER_ID", CredentialsError, "HeaderError.INVALID_LOGIN_CUSTOMER_ID"),
    ("query_error.UNRECOGNIZED_FIELD", RefusedError, "QueryError.UNRECOGNIZED_FIELD"),
    ("request_error.UNSUPPORTED_VERSION", RefusedError, "RequestError.UNSUPPORTED_VERSION"),
    ("unreadable", ProtocolError, "UNKNOWN"),
]
WRITES: list[tuple[str, type[OutsideError], str]] = [
    ("unavailable", AmbiguousWriteError, "UNAVAILABLE"),
    ("internal", AmbiguousWriteError, "InternalError.INTERNAL_ERROR"),
    ("internal_error.DEADLINE_EXCEEDED", AmbiguousWriteError, "InternalError.DEADLINE_EXCEEDED"),
    ("unreadable", AmbiguousWriteError, "UNKNOWN"),
    ("concurrent_modification", TransientError, "DatabaseError.CONCURRENT_MODIFICATION"),
    ("resource_exhausted", TransientError, "QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED"),
    ("permission_denied", CredentialsError, "AuthorizationError.USER_PERMISSION_DENIED"),
    ("database_error.DATA_CONSTRAINT_VIOLATION", RefusedError, "DatabaseError.DATA_CONSTRAINT_VIOLATION"),
    ("campaign_budget_error.MONEY_AMOUNT_TOO_LARGE", RefusedError, "CampaignBudgetError.MONEY_AMOUNT_TOO_LARGE"),
    ("campaign_error.CANNOT_MODIFY_FOR_TRIAL_CAMPAIGN", RefusedError, "CampaignError.CANNOT_MODIFY_FOR_TRIAL_CAMPAIGN"),
    ("mutate_error.MUTATE_NOT_ALLOWED", RefusedError, "MutateError.MUTATE_NOT_ALLOWED"),
    ("field_mask_error.FIELD_MASK_MISSING", RefusedError, "FieldMaskError.FIELD_MASK_MISSING"),
    ("video_campaign_error.MUTATE_REQUIRES_RESERVATION", RefusedError, "VideoCampaignError.MUTATE_REQUIRES_RESERVATION"),
]


@pytest.mark.parametrize(("kind", "error", "code"), READS, ids=[kind for kind, *_ in READS])
async def test_a_read_that_fails_says_what_failed(stage: Stage, kind: str, error: type[OutsideError], code: str) -> None:
    adapter = stage.adapter()
    await adapter.read(["1"])
    stage.fail(kind, SEARCH)

    with pytest.raises(OutsideError) as raised:
        await adapter.read(["1"])

    assert (type(raised.value), raised.value.code, raised.value.system) == (error, code, "google")


@pytest.mark.parametrize(("kind", "error", "code"), WRITES, ids=[kind for kind, *_ in WRITES])
async def test_a_write_that_fails_is_sent_once_and_says_what_is_known(
    stage: Stage, kind: str, error: type[OutsideError], code: str
) -> None:
    adapter = stage.adapter()
    campaign = await stage.read(adapter=adapter)
    stage.fail(kind, MUTATE)

    with pytest.raises(OutsideError) as raised:
        await adapter.write(campaign, PAUSED)

    assert (type(raised.value), raised.value.code) == (error, code)
    assert stage.calls(MUTATE) == 1
    assert not stage.slept


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
