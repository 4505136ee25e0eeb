"""How the sandbox's Google Ads says no: the failure message, and the trailers in which the real service sends it.

A `GoogleAdsFailure` goes into the trailer of the API version asked for; RESOURCE_EXHAUSTED also carries it in
`grpc-status-details-bin`, where alone api_core looks. The request id is sent in both metadata blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from google.ads.googleads.v26.errors.types.errors import GoogleAdsFailure
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import status_pb2

FAILURE_KEY = "google.ads.googleads.v26.errors.googleadsfailure-bin"
TRAILER, DETAILS, OTHER_VERSION = FAILURE_KEY, "grpc-status-details-bin", FAILURE_KEY.replace("v26", "v27")
"""Where a failure can be sent."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error of a failure. `code` is `group_error.NAME`, `path` where in the request: field names, with an index or None."""

    code: str
    message: str
    path: tuple[tuple[str, int | None], ...] = ()
    retry_seconds: int | None = None
    unpublished: str = ""
    project: bool = False


class Refusal(Exception):  # noqa: N818 - what it is called on this side of the wire
    """An RPC that ends with `status`; without mistakes it ends without a failure message.

    `places` says where the failure is sent; empty: where the real service sends it.
    """

    def __init__(
        self,
        status: grpc.StatusCode,
        mistakes: tuple[Mistake, ...] = (),
        text: str = "",
        places: frozenset[str] = frozenset(),
    ) -> None:
        self.status = status
        self.mistakes = mistakes
        self.places = places or ({TRAILER, DETAILS} if status is grpc.StatusCode.RESOURCE_EXHAUSTED else {TRAILER})
        super().__init__(text or "; ".join(mistake.message for mistake in mistakes) or status.name)


STATUS_OF_GROUP = {
    "authentication_error": grpc.StatusCode.UNAUTHENTICATED,
    "authorization_error": grpc.StatusCode.PERMISSION_DENIED,
    "internal_error": grpc.StatusCode.INTERNAL,
    "quota_error": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "database_error": grpc.StatusCode.ABORTED,
}


def refusal(code: str, message: str, path: tuple[tuple[str, int | None], ...] = ()) -> Refusal:
    """A refusal for one reason, with the status its group of codes goes with."""
    status = STATUS_OF_GROUP.get(code.partition(".")[0], grpc.StatusCode.INVALID_ARGUMENT)
    return Refusal(status, (Mistake(code, message, path),))


def failure_of(mistakes: tuple[Mistake, ...], request_id: str) -> Any:
    """The `GoogleAdsFailure` that says so (the plain protobuf message)."""
    failure = GoogleAdsFailure.pb(GoogleAdsFailure(request_id=request_id))
    for mistake in mistakes:
        error = failure.errors.add(message=mistake.message)
        if mistake.code:
            group, _, name = mistake.code.partition(".")
            values = error.error_code.DESCRIPTOR.fields_by_name[group].enum_type.values_by_name
            setattr(error.error_code, group, int(name) if name.isdigit() else values[name].number)
        error.details.unpublished_error_code = mistake.unpublished
        for field, index in mistake.path:
            element = error.location.field_path_elements.add(field_name=field)
            if index is not None:
                element.index = index
        if mistake.retry_seconds is not None:
            error.details.quota_error_details.rate_name = "Requests per minute"
            error.details.quota_error_details.rate_scope = 3 if mistake.project else 2  # DEVELOPER, which is the project
            error.details.quota_error_details.retry_delay.seconds = mistake.retry_seconds
    return failure


def status_of(mistakes: tuple[Mistake, ...], request_id: str, status: grpc.StatusCode, text: str) -> status_pb2.Status:
    """A `google.rpc.Status` that holds the failure."""
    packed = AnyMessage()
    packed.Pack(failure_of(mistakes, request_id))
    return status_pb2.Status(code=status.value[0], message=text, details=[packed])


def refuse(context: grpc.ServicerContext, no: Refusal, request_id: str) -> NoReturn:
    """End the RPC as the real service would."""
    trailers: list[tuple[str, str | bytes]] = [("request-id", request_id)]
    for place in sorted(no.places) if no.mistakes else ():
        whole = status_of(no.mistakes, request_id, no.status, str(no))
        sent = whole if place == DETAILS else failure_of(no.mistakes, request_id)
        trailers.append((place, sent.SerializeToString()))
    context.set_trailing_metadata(tuple(trailers))
    context.abort(no.status, str(no))
    raise AssertionError("abort returned")
