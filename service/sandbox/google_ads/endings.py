"""How calls of the sandbox's Google Ads end that do not end well.

A fault `ends` says in `what` how: a gRPC status, then any of these words.

    group_error.NAME         the failure's code; NAME may be a number that the API version does not have
    unpublished=NAME         a code whose group the API version does not have
    retry=SECONDS            with details of a quota: wait so long
    project                  with details of a quota: that of the Cloud project, not of the account
    trailer | details        the failure is only in the trailer, or only in `grpc-status-details-bin`
    other_version            the failure is in another API version's trailer
    text=WORDS               the status's own text, to the end
"""

from __future__ import annotations

import grpc

from service.sandbox.google_ads.refusals import DETAILS, OTHER_VERSION, TRAILER, Mistake, Refusal, refusal
from service.sandbox.world import Fault

Status = grpc.StatusCode

ENDINGS: dict[str, tuple[grpc.StatusCode, tuple[Mistake, ...]]] = {
    "unavailable": (Status.UNAVAILABLE, ()),
    "unreadable": (Status.UNKNOWN, ()),
    "internal": (Status.INTERNAL, (Mistake("internal_error.INTERNAL_ERROR", "An internal error has occurred."),)),
    "permission_denied": (
        Status.PERMISSION_DENIED,
        (Mistake("authorization_error.USER_PERMISSION_DENIED", "User doesn't have permission to access customer."),),
    ),
    "concurrent_modification": (
        Status.ABORTED,
        (Mistake("database_error.CONCURRENT_MODIFICATION", "Multiple requests were attempting to modify the same resource."),),
    ),
    "token_revoked": (
        Status.UNAUTHENTICATED,
        (Mistake("authentication_error.OAUTH_TOKEN_REVOKED", "The OAuth token has been revoked."),),
    ),
    "resource_exhausted": (
        Status.RESOURCE_EXHAUSTED,
        (Mistake("quota_error.RESOURCE_TEMPORARILY_EXHAUSTED", "Too many requests. Retry in 30 seconds.", retry_seconds=30),),
    ),
    "quota_day": (
        Status.RESOURCE_EXHAUSTED,
        (Mistake("quota_error.RESOURCE_EXHAUSTED", "Too many requests. Retry in 14400 seconds.", retry_seconds=14_400),),
    ),
}
LATER = {"applied_then_unavailable", "torn_stream", "small_batches", "late_changes", "names_only", "token_unavailable"}
"""Faults that do not end a call at its beginning."""


def ending(fault: Fault) -> Refusal:
    """How a call ends that falls victim to this fault."""
    if fault.kind == "ends":
        return _described(fault.what)
    if fault.kind == "deadline":
        return Refusal(Status.DEADLINE_EXCEEDED)
    if "." in fault.kind:
        return refusal(fault.kind, "Something the sandbox was told to say.")
    return Refusal(*ENDINGS[fault.kind])


def _described(what: str) -> Refusal:
    what, _, text = what.partition("text=")
    status, *words = what.split()
    named = dict(word.split("=") for word in words if "=" in word)
    code = next((word for word in words if "." in word), "")
    places = {"trailer": TRAILER, "details": DETAILS, "other_version": OTHER_VERSION}
    mistake = Mistake(
        code,
        "Something the sandbox was told to say.",
        retry_seconds=int(named["retry"]) if "retry" in named else None,
        unpublished=named.get("unpublished", ""),
        project="project" in words,
    )
    sent = frozenset(places[word] for word in words if word in places)
    return Refusal(Status[status], (mistake,) if code or mistake.unpublished else (), text, sent)
