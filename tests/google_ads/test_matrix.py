"""Everything Google may answer, and what we make of it: the real client over TLS, once reading and once writing.

One row per way a call can end. What we make of it is a word: what the caller is told to do, by the kind of our error, and how
long to wait. A read is repeated where that may help; a write never is.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import Enum

import pytest

from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    OutsideError,
    ProtocolError,
    RefusedError,
    TransientError,
)
from service.core.model import State
from service.google_ads.credentials import GoogleCredentials
from service.sandbox.accounts import GoogleAccount
from tests.google_ads.conftest import MANAGER, MUTATE, SEARCH, Stage

PAUSED = State(running=False, budget=Decimal("60.00"))
BACKOFF, HOUR = [5.0, 10.0, 20.0], timedelta(hours=1)
AT_ONCE: list[float] = []


class Told(Enum):
    """What we make of an answer: the kind of error, how long to wait, and the pauses a read takes between its attempts."""

    RETRY = (TransientError, None, BACKOFF)
    WAIT = (TransientError, timedelta(seconds=30), [30.0] * 3)
    STOP_FOR_AN_HOUR = (TransientError, HOUR, AT_ONCE)
    STOP_FOR_FOUR = (TransientError, 4 * HOUR, AT_ONCE)
    STOP_THE_ACCOUNT = (CredentialsError, None, AT_ONCE)
    REFUSED = (RefusedError, None, AT_ONCE)
    NOT_UNDERSTOOD = (ProtocolError, None, AT_ONCE)
    MAYBE_WRITTEN = (AmbiguousWriteError, None, AT_ONCE)


RETRY, WAIT, MAYBE, REFUSED, STOP = Told.RETRY, Told.WAIT, Told.MAYBE_WRITTEN, Told.REFUSED, Told.STOP_THE_ACCOUNT
Row = tuple[str, Told, Told, str]

# --- by the API's own code (sheet: "class | codes | action") ----------------------------------------------------------------

CODES: list[tuple[str, Told, Told]] = [
    ("InternalError.INTERNAL_ERROR", RETRY, MAYBE),
    ("InternalError.TRANSIENT_ERROR", RETRY, MAYBE),
    ("InternalError.DEADLINE_EXCEEDED", RETRY, MAYBE),
    ("InternalError.ERROR_CODE_NOT_PUBLISHED", REFUSED, REFUSED),
    ("DatabaseError.CONCURRENT_MODIFICATION", RETRY, RETRY),
    ("DatabaseError.DATA_CONSTRAINT_VIOLATION", REFUSED, REFUSED),
    ("QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED", RETRY, RETRY),
    ("QuotaError.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", RETRY, RETRY),
    ("QuotaError.RESOURCE_EXHAUSTED", Told.STOP_FOR_AN_HOUR, Told.STOP_FOR_AN_HOUR),
    ("QuotaError.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", Told.STOP_FOR_AN_HOUR, Told.STOP_FOR_AN_HOUR),
    ("QuotaError.ACCESS_PROHIBITED", STOP, STOP),
    *[
        (f"AuthenticationError.{name}", STOP, STOP)
        for name in (
            "OAUTH_TOKEN_EXPIRED", "OAUTH_TOKEN_REVOKED", "OAUTH_TOKEN_DISABLED", "OAUTH_TOKEN_INVALID", "NOT_ADS_USER",
            "CUSTOMER_NOT_FOUND", "TWO_STEP_VERIFICATION_NOT_ENROLLED", "ADVANCED_PROTECTION_NOT_ENROLLED",
        )
    ],
    *[
        (f"AuthorizationError.{name}", STOP, STOP)
        for name in (
            "USER_PERMISSION_DENIED", "CUSTOMER_NOT_ENABLED", "ACTION_NOT_PERMITTED", "PROJECT_DISABLED", "MISSING_TOS",
            "ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT", "CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION",
            "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION",
        )
    ],
    ("HeaderError.INVALID_LOGIN_CUSTOMER_ID", STOP, STOP),
    ("RequestError.CLOUD_PROJECT_NOT_FOUND", STOP, STOP),
    ("RequestError.RPC_DEADLINE_TOO_SHORT", RETRY, RETRY),
    ("RequestError.UNSUPPORTED_VERSION", REFUSED, REFUSED),
    ("RequestError.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT", REFUSED, REFUSED),
    ("QueryError.UNRECOGNIZED_FIELD", REFUSED, REFUSED),
    ("ChangeEventError.START_DATE_TOO_OLD", REFUSED, REFUSED),
    ("FieldMaskError.FIELD_MASK_MISSING", REFUSED, REFUSED),
    ("MutateError.MUTATE_NOT_ALLOWED", REFUSED, REFUSED),
    ("MutateError.ID_EXISTS_IN_MULTIPLE_MUTATES", REFUSED, REFUSED),
    ("MutateError.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED", REFUSED, REFUSED),
    ("OperationAccessDeniedError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE", REFUSED, REFUSED),
    ("ContextError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE", REFUSED, REFUSED),
    ("VideoCampaignError.MUTATE_REQUIRES_RESERVATION", REFUSED, REFUSED),
    *[
        (f"CampaignError.{name}", REFUSED, REFUSED)
        for name in (
            "CANNOT_MODIFY_FOR_TRIAL_CAMPAIGN", "INVALID_STATUS_CHANGE", "INVALID_OPERATION_IF_SERVING_STATUS_HAS_ENDED",
            "CANNOT_CHANGE_BUDGET_PERIOD", "LOCAL_SERVICES_AGREEMENT_REQUIRED",
        )
    ],
    *[
        (f"CampaignBudgetError.{name}", REFUSED, REFUSED)
        for name in (
            "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT", "NEGATIVE_MONEY_AMOUNT", "MONEY_AMOUNT_TOO_LARGE",
            "MONEY_AMOUNT_LESS_THAN_CURRENCY_MINIMUM_CPC", "BUDGET_BELOW_PER_DAY_MINIMUM", "CAMPAIGN_BUDGET_REMOVED",
            "BUDGET_AMOUNT_MUST_BE_UNSET_FOR_CUSTOM_BUDGET_PERIOD",
        )
    ],
]  # fmt: skip


def group_of(code: str) -> str:
    """`CampaignBudgetError.X` is `campaign_budget_error.X` on the wire."""
    group, _, name = code.partition(".")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in group).strip("_") + f".{name}"


# --- by where the failure is, and by status (sheet: "What surfaces") --------------------------------------------------------

ANY_STATUS = ("INVALID_ARGUMENT", "UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "PERMISSION_DENIED", "UNKNOWN", "NOT_FOUND")
TOLD_APART = ("INTERNAL", "RESOURCE_EXHAUSTED")
PLACES = {"in the trailer": "trailer", "in the details": "details", "in both": "trailer details"}
NEWER = "campaign_budget_error.9999"
NOT_ALLOWED, ON_WIRE = "MutateError.MUTATE_NOT_ALLOWED", "mutate_error.MUTATE_NOT_ALLOWED"

SURFACES: dict[str, Row] = {
    **{
        f"{status} with a refusal": (f"{status} {ON_WIRE}", REFUSED, REFUSED, NOT_ALLOWED)
        for status in ANY_STATUS
    },
    **{
        f"{status} with a refusal {where}": (
            f"{status} {ON_WIRE} {place}", REFUSED, REFUSED, NOT_ALLOWED)
        for status in TOLD_APART
        for where, place in PLACES.items()
    },
    **{
        f"{status} with a quota {where}": (
            f"{status} quota_error.RESOURCE_TEMPORARILY_EXHAUSTED retry=30 {place}",
            WAIT, WAIT, "QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED")
        for status in TOLD_APART
        for where, place in PLACES.items()
    },
    "a day's quota": (
        "RESOURCE_EXHAUSTED quota_error.RESOURCE_EXHAUSTED retry=14400",
        Told.STOP_FOR_FOUR, Told.STOP_FOR_FOUR, "QuotaError.RESOURCE_EXHAUSTED"),
    "a quota with another status": (
        "UNAVAILABLE quota_error.RESOURCE_TEMPORARILY_EXHAUSTED retry=30",
        WAIT, WAIT, "QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED"),
    "a quota newer than us": ("RESOURCE_EXHAUSTED quota_error.9999 retry=30", WAIT, WAIT, "QuotaError.9999"),
    "a quota of a group newer than us": (
        "RESOURCE_EXHAUSTED unpublished=TOO_MUCH retry=30", WAIT, WAIT, "RESOURCE_EXHAUSTED"),
    # nothing of the API's own, or nothing that we know
    **{
        f"{status} alone": (status, read, write, status)
        for status, read, write in [
            ("INVALID_ARGUMENT", REFUSED, REFUSED), ("NOT_FOUND", REFUSED, REFUSED), ("ALREADY_EXISTS", REFUSED, REFUSED),
            ("FAILED_PRECONDITION", REFUSED, REFUSED), ("OUT_OF_RANGE", REFUSED, REFUSED), ("UNIMPLEMENTED", REFUSED, REFUSED),
            ("UNAUTHENTICATED", STOP, STOP), ("PERMISSION_DENIED", STOP, STOP),
            ("UNAVAILABLE", RETRY, MAYBE), ("DEADLINE_EXCEEDED", RETRY, MAYBE), ("INTERNAL", RETRY, MAYBE),
            ("RESOURCE_EXHAUSTED", RETRY, MAYBE), ("ABORTED", RETRY, MAYBE), ("CANCELLED", RETRY, MAYBE),
            ("UNKNOWN", Told.NOT_UNDERSTOOD, MAYBE), ("DATA_LOSS", Told.NOT_UNDERSTOOD, MAYBE),
        ]
    },
    "another version's trailer": (f"INVALID_ARGUMENT {ON_WIRE} other_version", REFUSED, REFUSED, "INVALID_ARGUMENT"),
    "another version's trailer, unavailable": (f"UNAVAILABLE {ON_WIRE} other_version", RETRY, MAYBE, "UNAVAILABLE"),
    "a code newer than us": (f"INVALID_ARGUMENT {NEWER}", REFUSED, REFUSED, "CampaignBudgetError.9999"),
    "a group newer than us": ("INVALID_ARGUMENT unpublished=BRAND_NEW", REFUSED, REFUSED, "INVALID_ARGUMENT"),
    "a group newer than us, denied": ("PERMISSION_DENIED unpublished=BRAND_NEW", STOP, STOP, "PERMISSION_DENIED"),
    "a group newer than us, internal": ("INTERNAL unpublished=BRAND_NEW", RETRY, MAYBE, "INTERNAL"),
    "a stream that was removed": ("UNKNOWN text=Stream removed", RETRY, MAYBE, "UNKNOWN"),
    "a connection that was reset": ("UNKNOWN text=Connection reset by peer", RETRY, MAYBE, "UNKNOWN"),
}  # fmt: skip

STATUS_OF = {"Authentication": "UNAUTHENTICATED", "Authorization": "PERMISSION_DENIED", "Internal": "INTERNAL",
             "Quota": "RESOURCE_EXHAUSTED", "Database": "ABORTED"}  # fmt: skip


def sent(code: str) -> str:
    return f"{STATUS_OF.get(code.partition('Error.')[0], 'INVALID_ARGUMENT')} {group_of(code)}"


TABLE: dict[str, Row] = {code: (sent(code), read, write, code) for code, read, write in CODES} | SURFACES


def judged(error: OutsideError) -> tuple[type[OutsideError], timedelta | None]:
    return type(error), getattr(error, "retry_after", None)


@pytest.mark.parametrize(("what", "told", "code"), [(row[0], row[1], row[3]) for row in TABLE.values()], ids=TABLE)
@pytest.mark.sampled(2)
async def test_reading(stage: Stage, what: str, told: Told, code: str) -> None:
    kind, wait, pauses = told.value
    adapter = stage.adapter()
    await adapter.read(["1"])
    stage.fail("ends", SEARCH, what=what)

    with pytest.raises(OutsideError) as raised:
        await adapter.read(["1"])

    assert (*judged(raised.value), raised.value.code) == (kind, wait, code)
    assert stage.slept == pauses


@pytest.mark.parametrize(("what", "told", "code"), [(row[0], row[2], row[3]) for row in TABLE.values()], ids=TABLE)
@pytest.mark.sampled(2)
async def test_writing(stage: Stage, what: str, told: Told, code: str) -> None:
    kind, wait, _ = told.value
    adapter = stage.adapter()
    campaign = await stage.read(adapter=adapter)
    stage.fail("ends", MUTATE, what=what)

    with pytest.raises(OutsideError) as raised:
        await adapter.write(campaign, PAUSED)

    assert (*judged(raised.value), raised.value.code) == (kind, wait, code)
    assert (stage.calls(MUTATE), stage.slept) == (1, [])


def test_every_row_says_what_it_expects_of_both() -> None:
    assert len(TABLE) == len(CODES) + len(SURFACES)
    assert {told for row in TABLE.values() for told in row[1:3]} == set(Told)


# --- what happens before an answer ------------------------------------------------------------------------------------------


def user(stage: Stage, token_uri: str) -> GoogleCredentials:
    box = stage.sandbox
    return GoogleCredentials(
        client_id=box.client_id, client_secret=box.client_secret, refresh_token=box.refresh_token, token_uri=token_uri
    )


async def test_a_client_deadline(stage: Stage) -> None:
    patient, hasty = stage.adapter(), stage.adapter(stage.client(timeout=timedelta(seconds=0.3)))
    campaign = await stage.read(adapter=patient)
    stage.fail("deadline")

    with pytest.raises(TransientError) as read:
        await hasty.read(["1"])
    with pytest.raises(AmbiguousWriteError) as written:
        await hasty.write(campaign, PAUSED)

    assert read.value.code == written.value.code == "DEADLINE_EXCEEDED"
    assert stage.slept == BACKOFF


@pytest.mark.parametrize("where", ["nobody listens", "no TLS is spoken"])
async def test_a_connection_that_cannot_be_made(stage: Stage, where: str) -> None:
    campaign = await stage.read()
    address = "localhost:1" if where == "nobody listens" else stage.sandbox.token_uri.split("/")[2]
    lost = stage.adapter(stage.client(endpoint=address))

    with pytest.raises(TransientError) as read:
        await lost.read(["1"])
    with pytest.raises(AmbiguousWriteError) as written:
        await lost.write(campaign, PAUSED)

    assert read.value.code == written.value.code == "UNAVAILABLE"
    assert stage.slept == BACKOFF


@pytest.mark.parametrize(
    ("kind", "error", "code", "pauses"),
    [
        pytest.param("token_revoked", CredentialsError, "invalid_grant", [], id="revoked"),
        pytest.param(
            "token_unavailable", TransientError, "TOKEN_UNAVAILABLE", BACKOFF, id="503", marks=pytest.mark.soak
        ),  # Google's library tries for three seconds, each time
    ],
)
async def test_a_token_that_cannot_be_had(
    stage: Stage, kind: str, error: type[OutsideError], code: str, pauses: list[float]
) -> None:
    campaign = await stage.read()
    stage.fail(kind)
    unsigned = stage.adapter(stage.client())

    for attempt in (unsigned.read(["1"]), unsigned.write(campaign, PAUSED)):
        with pytest.raises(OutsideError) as raised:
            await attempt
        assert (type(raised.value), raised.value.code) == (error, code)
    assert (stage.slept, stage.calls(MUTATE)) == (pauses, 0)


async def test_a_token_host_that_is_down_is_an_outage_and_nothing_was_sent(stage: Stage) -> None:
    campaign = await stage.read()
    unsigned = stage.adapter(stage.client(user(stage, "http://127.0.0.1:1/token"), timeout=timedelta(seconds=20)))

    with pytest.raises(TransientError) as raised:
        await unsigned.write(campaign, PAUSED)
    assert (raised.value.code, stage.calls(MUTATE)) == ("TOKEN_UNAVAILABLE", 0)


async def test_a_user_whose_token_was_revoked_is_not_an_outage(stage: Stage) -> None:
    campaign = await stage.read()
    revoked = GoogleCredentials(
        client_id="x", client_secret="y", refresh_token="gone", token_uri=stage.sandbox.token_uri
    )  # fmt: skip
    for attempt in (
        stage.adapter(stage.client(revoked)).read(["1"]),
        stage.adapter(stage.client(revoked)).write(campaign, PAUSED),
    ):
        with pytest.raises(CredentialsError, match="invalid_grant"):
            await attempt
    assert stage.slept == []


# --- leaving Google alone for as long as it asked ---------------------------------------------------------------------------

SOON = "RESOURCE_EXHAUSTED quota_error.RESOURCE_TEMPORARILY_EXHAUSTED retry=50"
DAY_SPENT = "RESOURCE_EXHAUSTED quota_error.RESOURCE_EXHAUSTED retry=14400"


async def test_after_a_quota_nothing_is_sent_to_the_account_until_the_delay_is_over(stage: Stage) -> None:
    client = stage.client()
    adapter = stage.adapter(client)
    campaign = await stage.read(adapter=adapter)
    stage.fail("ends", MUTATE, times=1, what=SOON)
    with pytest.raises(TransientError):
        await adapter.write(campaign, PAUSED)

    stage.seconds += 20
    with pytest.raises(TransientError, match="another 30 s; nothing was sent") as early:
        await adapter.write(campaign, PAUSED)
    assert (early.value.retry_after, stage.calls(MUTATE)) == (timedelta(seconds=30), 1)

    assert await stage.read(adapter=adapter) == campaign  # a read waits
    assert stage.slept == [30.0]
    await adapter.write(campaign, PAUSED)
    assert stage.calls(MUTATE) == 2


@pytest.mark.parametrize(
    ("what", "rests"),
    [(SOON, False), (f"{SOON} project", True), (DAY_SPENT, True)],
    ids=["the account's quota", "the project's quota", "the project's day"],
)
async def test_another_account_is_left_alone_only_for_a_quota_of_the_project(stage: Stage, what: str, *, rests: bool) -> None:
    stage.world.google["2345678901"] = GoogleAccount("2345678901", MANAGER, "AUD", "Australia/Sydney")
    client = stage.client()
    one, other = stage.adapter(client), stage.adapter(client, customer_id="2345678901")
    campaign = await stage.read(adapter=one)
    stage.fail("ends", MUTATE, times=1, what=what)
    with pytest.raises(TransientError):
        await one.write(campaign, PAUSED)
    before = stage.calls(SEARCH)

    if what == DAY_SPENT:
        with pytest.raises(TransientError) as raised:
            await other.survey()
        assert (raised.value.code, raised.value.retry_after) == ("RESTING", timedelta(hours=4))
        assert (stage.calls(SEARCH), stage.slept) == (before, [])
        return
    await other.survey()
    assert stage.slept == ([50.0] if rests else [])
