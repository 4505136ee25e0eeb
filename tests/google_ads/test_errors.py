"""What the sandbox cannot send: failures newer than the package, failures with several errors, texts not to be repeated."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.ads.googleads.errors import GoogleAdsException
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.api_core import exceptions as api_core_exceptions
from google.auth import exceptions as auth_exceptions
from google.protobuf.any_pb2 import Any as AnyMessage

from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    OutsideError,
    ProtocolError,
    RefusedError,
    TransientError,
)
from service.google_ads.errors import FAILURE_KEY, MEANING, translate

api: Any = api_core_exceptions  # annotated in parts only
auth: Any = auth_exceptions


class Ended:
    """How an RPC ended, as far as grpc's error tells it."""

    def __init__(self, status: grpc.StatusCode, trailers: tuple[tuple[str, Any], ...] = ()) -> None:
        self._status, self._trailers = status, trailers

    def code(self) -> grpc.StatusCode:
        return self._status

    def trailing_metadata(self) -> tuple[tuple[str, Any], ...]:
        return self._trailers


def failed(*errors: dict[str, Any], status: grpc.StatusCode = grpc.StatusCode.INVALID_ARGUMENT) -> GoogleAdsException:
    failure = GoogleAdsFailure(errors=list(errors))
    return GoogleAdsException(Ended(status), None, failure, "r1")


def newer(message: str = "New.", unpublished: str = "") -> dict[str, Any]:
    return {"message": message, "details": {"unpublished_error_code": unpublished}}


def known(code: str, message: str = "No.") -> dict[str, Any]:
    group, _, name = code.partition(".")
    return {"message": message, "error_code": {group: name}}


@pytest.mark.parametrize(
    ("status", "writing", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, True, RefusedError),
        (grpc.StatusCode.PERMISSION_DENIED, True, CredentialsError),
        (grpc.StatusCode.UNAVAILABLE, False, TransientError),
        (grpc.StatusCode.UNAVAILABLE, True, AmbiguousWriteError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, True, AmbiguousWriteError),
        (grpc.StatusCode.DATA_LOSS, False, ProtocolError),
    ],
)
def test_a_code_newer_than_this_package_is_judged_by_its_status(
    status: grpc.StatusCode, writing: bool, kind: type[OutsideError]
) -> None:
    error = translate(failed(newer("New.", "BRAND_NEW"), status=status), writing=writing)

    assert (type(error), error.code) == (kind, status.name)
    assert "New. BRAND_NEW" in str(error)


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (("database_error.CONCURRENT_MODIFICATION", "mutate_error.MUTATE_NOT_ALLOWED"), RefusedError),
        (("mutate_error.MUTATE_NOT_ALLOWED", "authorization_error.USER_PERMISSION_DENIED"), CredentialsError),
        (("mutate_error.MUTATE_NOT_ALLOWED", "internal_error.TRANSIENT_ERROR"), AmbiguousWriteError),
    ],
)
def test_of_several_errors_the_gravest_speaks(codes: tuple[str, ...], kind: type[OutsideError]) -> None:
    assert type(translate(failed(*map(known, codes)), writing=True)) is kind


def test_a_spent_daily_quota_without_a_delay_waits_an_hour() -> None:
    error = translate(failed(known("quota_error.RESOURCE_EXHAUSTED")), writing=False)

    assert isinstance(error, TransientError)
    assert error.retry_after == timedelta(hours=1)


def test_a_failure_in_the_status_details_alone_is_found() -> None:
    packed = AnyMessage()
    packed.Pack(GoogleAdsFailure.pb(GoogleAdsFailure(errors=[known("quota_error.RESOURCE_TEMPORARILY_EXHAUSTED")])))
    raised = api.ResourceExhausted("x", details=[packed], response=Ended(grpc.StatusCode.RESOURCE_EXHAUSTED))

    assert translate(raised, writing=True).code == "QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED"


def test_a_failure_that_cannot_be_parsed_leaves_the_status() -> None:
    raised = api.ResourceExhausted("x", response=Ended(grpc.StatusCode.RESOURCE_EXHAUSTED, ((FAILURE_KEY, b"\xff\xff"),)))

    error = translate(raised, writing=False)
    assert (type(error), error.code) == (TransientError, "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (auth.RefreshError("invalid_client: Unauthorized", {"secret": "hush"}), CredentialsError),
        (auth.TransportError("cannot reach https://user:hush@proxy"), TransientError),
        (
            api.ServiceUnavailable("Getting metadata from plugin failed with error: no token in {'id_token': 'hush'}"),
            TransientError,
        ),
        (api.ServiceUnavailable("Getting metadata from plugin failed with error: ('invalid_grant: hush')"), CredentialsError),
        (api.ServiceUnavailable("connecting through https://user:hush@proxy failed"), TransientError),
    ],
)
def test_what_sign_in_and_transport_said_is_not_repeated(raised: Exception, kind: type[OutsideError]) -> None:
    error = translate(raised, writing=False)

    assert type(error) is kind
    assert "hush" not in str(error)


def test_the_failures_text_is_one_short_line_without_tokens() -> None:
    said = str(translate(failed(known("mutate_error.UNKNOWN", "Bearer abc.def\n" + "ya29.xyz " + "long " * 200)), writing=True))

    assert "abc.def" not in said
    assert "xyz" not in said
    assert "\n" not in said
    assert len(said) < 450


def test_every_code_of_the_table_exists() -> None:
    groups = GoogleAdsFailure.pb()().DESCRIPTOR.fields_by_name["errors"].message_type.fields_by_name["error_code"].message_type
    published = {
        "".join(word.capitalize() for word in field.name.split("_")): set(field.enum_type.values_by_name)
        for field in groups.fields
    }

    for code in MEANING:
        group, _, name = code.partition(".")
        assert not name or name in published[group]
        assert group in published
