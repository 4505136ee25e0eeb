"""The three exception families of the SDK to the service's error tree.

    GoogleAdsException               the server sent a GoogleAdsFailure with a status other than the next row's
    google.api_core.exceptions.*     INTERNAL and RESOURCE_EXHAUSTED always, with a failure inside or not; deadlines;
                                     everything without a failure; a token that could not be had ("Getting metadata from
                                     plugin failed", dressed up as 503)
    google.auth.exceptions.*         credentials that cannot even be loaded

(google-ads-python 34.0.0, `interceptors/interceptor.py`: `_RETRY_STATUS_CODES`.) What an error means is data: `MEANING` by
the API's own code, `STATUS` where there is none. A write that may have been carried out becomes AmbiguousWriteError. Texts
are ours or the failure's; what a token endpoint said is never repeated, because it may hold a token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from google.ads.googleads.errors import GoogleAdsException
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError
from google.protobuf.message import DecodeError
from grpc import RpcError

from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    OutsideError,
    ProtocolError,
    RefusedError,
    TransientError,
)
from service.google_ads.wire import SYSTEM

SDK_ERRORS = (GoogleAdsException, GoogleAPIError, GoogleAuthError, RpcError)
"""What a call of the SDK may raise."""
FAILURE_KEY = "google.ads.googleads.v26.errors.googleadsfailure-bin"

MEANING: dict[str, type[OutsideError]] = {
    "InternalError": TransientError,
    "InternalError.ERROR_CODE_NOT_PUBLISHED": RefusedError,
    "DatabaseError": RefusedError,
    "DatabaseError.CONCURRENT_MODIFICATION": TransientError,
    "QuotaError": TransientError,
    "QuotaError.ACCESS_PROHIBITED": CredentialsError,
    "AuthenticationError": CredentialsError,
    "AuthorizationError": CredentialsError,
    "HeaderError": CredentialsError,
    "NotAllowlistedError": CredentialsError,
    "CustomerError": CredentialsError,
    "RequestError": RefusedError,
    "RequestError.RPC_DEADLINE_TOO_SHORT": TransientError,
    "RequestError.CLOUD_PROJECT_NOT_FOUND": CredentialsError,
}
"""By `Group.CODE`, else by `Group`; any other code is a refusal (CampaignBudgetError, MutateError, QueryError ...)."""

STATUS: dict[str, type[OutsideError]] = {
    "UNAVAILABLE": TransientError,
    "DEADLINE_EXCEEDED": TransientError,
    "INTERNAL": TransientError,
    "RESOURCE_EXHAUSTED": TransientError,
    "ABORTED": TransientError,
    "CANCELLED": TransientError,
    "UNAUTHENTICATED": CredentialsError,
    "PERMISSION_DENIED": CredentialsError,
    "UNKNOWN": ProtocolError,
    "DATA_LOSS": ProtocolError,
}
"""By gRPC status, where the server named no code of its own; any other status is a refusal."""

MAYBE_WRITTEN_STATUS = frozenset(STATUS) - {"UNAUTHENTICATED", "PERMISSION_DENIED"}
MAYBE_WRITTEN = frozenset({"InternalError.INTERNAL_ERROR", "InternalError.TRANSIENT_ERROR", "InternalError.DEADLINE_EXCEEDED"})
"""After these statuses (without a code) and codes a mutate may have been carried out."""

SEVERITY = (AmbiguousWriteError, CredentialsError, RefusedError, ProtocolError, TransientError)
"""One failure can hold several errors: the first of these speaks for all."""

WAIT = {
    "QuotaError.RESOURCE_EXHAUSTED": timedelta(hours=1),
    "QuotaError.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION": timedelta(hours=1),
}
"""Daily quotas: how long to leave it when the server does not say; retrying sooner prolongs the outage."""

ADVICE = {
    "AuthorizationError.USER_PERMISSION_DENIED": (
        "give our Google account access to the ad account, and set `login_customer_id` if access goes through a manager"
    ),
    "AuthenticationError.CUSTOMER_NOT_FOUND": "check `customer_id`: the ten digits at the top right of Google Ads",
    "AuthenticationError.NOT_ADS_USER": "invite the service account's address under Admin > Access and security",
    "AuthenticationError.OAUTH_TOKEN_REVOKED": "access was withdrawn: make a new key or refresh token",
    "AuthorizationError.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": "apply for production access for the Google Cloud project",
    "HeaderError.INVALID_LOGIN_CUSTOMER_ID": "check `login_customer_id`: the ten digits of the manager account",
    "QueryError.REQUESTED_METRICS_FOR_MANAGER": "`google_ads.customer_id` is a manager account: name the client account",
    "RequestError.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT": (
        "`google_ads.customer_id` is a manager account: name the client account"
    ),
    "RequestError.UNSUPPORTED_VERSION": "this version of the API has been switched off: update the governor",
    "MutateError.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": (
        "declare in Google Ads, for every campaign of the account, whether it holds EU political advertising"
    ),
}
"""What a person can do, where the code alone does not say."""

TOKEN_FAILED = "Getting metadata from plugin failed"  # noqa: S105 - the beginning of grpcio's message
DENIED = ("invalid_grant", "invalid_client", "unauthorized_client", "deleted_client", "invalid_scope", "access_denied")
LONGEST_TEXT = 300
BROKE_OFF = ("Stream removed", "Connection reset", "Socket closed")
PROJECT_SCOPE = 3
"""`QuotaErrorDetails.QuotaRateScope.DEVELOPER`, which since the end of developer tokens is the Cloud project."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One error of a failure: the API's code as `Group.CODE`, its text, and how long to wait if it says so.

    `quota`: it is about a quota, whether its code is known or not; `project`: about the Cloud project's, not the account's.
    """

    code: str
    text: str
    retry_after: timedelta | None = None
    quota: bool = False
    project: bool = False


def translate(error: Exception, *, writing: bool) -> OutsideError:
    """One of `SDK_ERRORS` as ours; `writing` says that the failed call was a mutate."""
    if _is_token_failure(error):
        return _token_error(str(error))
    status, findings, request_id = _status(error), _findings(error), _request_id(error)
    if not findings and not writing and _broke_off(error, status):
        return TransientError(SYSTEM, "the connection to Google Ads broke off", code=status)
    if not findings:
        return _by_status(status, writing=writing)
    errors = [_by_code(finding, status, request_id, writing=writing) for finding in findings]
    return min(errors, key=lambda one: SEVERITY.index(type(one)))


def is_about_project(error: Exception) -> bool:
    """Whether it is the Cloud project that has used too much, and not the account. A day's operations are the project's."""
    return any(finding.project or finding.code == "QuotaError.RESOURCE_EXHAUSTED" for finding in _findings(error))


def _by_status(status: str, text: str = "", *, writing: bool) -> OutsideError:
    kind = STATUS.get(status, RefusedError)
    if writing and status in MAYBE_WRITTEN_STATUS:
        kind = AmbiguousWriteError
    said = f": {text}" if text else ""
    return kind(SYSTEM, f"Google Ads {_WORDS[kind]}{said} [gRPC status {status}]", code=status)


def _by_code(finding: Finding, status: str, request_id: str, *, writing: bool) -> OutsideError:
    if not finding.code and finding.quota:  # refused for a quota, so nothing was written
        message = f"Google Ads {_WORDS[TransientError]}: {finding.text} [gRPC status {status}]"
        return TransientError(SYSTEM, message, code=status, retry_after=finding.retry_after)
    if not finding.code:  # newer than this package: only the status is left to go by
        return _by_status(status, finding.text, writing=writing)
    kind = MEANING.get(finding.code, MEANING.get(finding.code.partition(".")[0], RefusedError))
    if writing and finding.code in MAYBE_WRITTEN:
        kind = AmbiguousWriteError
    parts = (f"Google Ads {_WORDS[kind]}: {finding.text} [{finding.code}]", ADVICE.get(finding.code), request_id)
    message = "; ".join(part for part in parts if part)
    if kind is TransientError:
        return TransientError(SYSTEM, message, code=finding.code, retry_after=finding.retry_after or WAIT.get(finding.code))
    return kind(SYSTEM, message, code=finding.code)


_WORDS: dict[type[OutsideError], str] = {
    TransientError: "could not answer just now",
    CredentialsError: "denied access",
    RefusedError: "refused the request",
    ProtocolError: "answered in a way that cannot be understood",
    AmbiguousWriteError: "broke off while a change was being written, so it may or may not be in force",
}


# --- reading the SDK's exceptions ---------------------------------------------------------------------------------------


def _is_token_failure(error: Exception) -> bool:
    return isinstance(error, GoogleAuthError) or TOKEN_FAILED in str(error)


def _token_error(text: str) -> OutsideError:
    """No token, so nothing was sent: revoked access, or a token endpoint that is down."""
    denied = next((word for word in DENIED if word in text), None)
    if denied is not None:
        advice = "make a new key or refresh token and put it into the settings"
        return CredentialsError(SYSTEM, f"Google refused our credentials ({denied}): {advice}", code=denied)
    return TransientError(SYSTEM, "Google's token endpoint gave no access token", code="TOKEN_UNAVAILABLE")


def _rpc_error(error: Any) -> Any:
    """The grpc error inside either family, or None."""
    return getattr(error, "error", None) or getattr(error, "response", None) or error


def _status(error: Any) -> str:
    code = getattr(error, "grpc_status_code", None)
    if code is None and callable(getattr(_rpc_error(error), "code", None)):
        code = _rpc_error(error).code()
    return str(getattr(code, "name", None) or "UNKNOWN")


def _trailers(error: Any) -> dict[str, Any]:
    read = getattr(_rpc_error(error), "trailing_metadata", None)
    return {str(key): value for key, value in (read() or ())} if callable(read) else {}


def _request_id(error: Any) -> str:
    found = getattr(error, "request_id", None) or _trailers(error).get("request-id")
    return f"request {found}" if found else ""


def _findings(error: Any) -> list[Finding]:
    raised = getattr(error, "failure", None)
    failure = type(raised).pb(raised) if raised is not None else _failure_in_trailer(error) or _failure_in_details(error)
    return [_finding(one) for one in failure.errors] if failure is not None else []


def _failure_in_trailer(error: Any) -> Any:
    value = _trailers(error).get(FAILURE_KEY)
    return _parsed(value) if isinstance(value, bytes) else None


def _failure_in_details(error: Any) -> Any:
    """api_core unpacks `grpc-status-details-bin` as far as it knows the types; ours it leaves as an Any."""
    details = getattr(error, "details", None)
    values = (getattr(one, "value", None) for one in details) if isinstance(details, list) else ()
    return next((_parsed(value) for value in values if isinstance(value, bytes)), None)


def _parsed(value: bytes) -> Any:
    try:
        return GoogleAdsFailure.pb(GoogleAdsFailure.deserialize(value))
    except DecodeError:
        return None


def _broke_off(error: Any, status: str) -> bool:
    """Whether an answer broke off, which grpc calls UNKNOWN (google-ads-python issue 517); a read may be begun again."""
    return status == "UNKNOWN" and any(words in str(error) for words in BROKE_OFF)


def _finding(error: Any) -> Finding:
    text = " ".join(filter(None, (error.message, error.details.unpublished_error_code)))
    quota = error.details.HasField("quota_error_details")
    project = quota and error.details.quota_error_details.rate_scope == PROJECT_SCOPE
    return Finding(_code(error), _clean(text), _retry_delay(error), quota, project)


def _code(error: Any) -> str:
    """`Group.CODE`, or '' where the code is newer than this package."""
    group = error.error_code.WhichOneof("error_code")
    if group is None:
        return ""
    number = getattr(error.error_code, group)
    value = error.error_code.DESCRIPTOR.fields_by_name[group].enum_type.values_by_number.get(number)
    name = value.name if value is not None else number
    return f"{''.join(word.capitalize() for word in group.split('_'))}.{name}"


def _retry_delay(error: Any) -> timedelta | None:
    if not error.details.HasField("quota_error_details"):
        return None
    delay = error.details.quota_error_details.retry_delay
    return timedelta(seconds=delay.seconds, microseconds=delay.nanos // 1000) or None


def _clean(text: str) -> str:
    """One line, not too long, and nothing in it that looks like a bearer token."""
    line = re.sub(r"(?i)(bearer\s+|ya29\.)\S+", "(token)", " ".join(text.split()))
    return line if len(line) <= LONGEST_TEXT else line[:LONGEST_TEXT] + "..."
