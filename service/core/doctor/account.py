"""The Cliniko account as a whole: does it book online, in which time zones, how many questions does a run ask? Pure.

Sources: Cliniko API, "Rate limiting", "Available Time" and "Time zone support".
"""

from __future__ import annotations

from collections.abc import Iterator

from service.core.doctor.model import Area, Finding, Observed, Severity
from service.core.doctor.names import counted, listed, verb
from service.core.model import Diaries

ALLOWED = 200
"""Requests a minute that Cliniko grants a user who has not asked for more."""

PER_PAGE = 100
LONG_MINUTES, TOO_LONG_MINUTES = 10, 40
"""A run that reads for longer than the second leaves diaries unread, to be done before the next hour."""


def online_bookings(_: Observed, diaries: Diaries) -> Iterator[Finding]:
    """Off for the account means that nothing can be sold."""
    if not diaries.bookings.enabled:
        yield Finding(
            "online_bookings", Area.CLINIKO, Severity.MUST_FIX,
            "Online bookings are switched off for the whole account, so nothing can be booked and nothing can be seen.",
            "Switch them on in Cliniko: Settings > Online bookings.",
        )  # fmt: skip


def zones(_: Observed, diaries: Diaries) -> Iterator[Finding]:
    """Every location's own."""
    by_zone: dict[str, list[str]] = {}
    for location in diaries.locations:
        by_zone.setdefault(location.zone, []).append(location.name)
    if by_zone:
        shown = "; ".join(f"{zone} ({listed(names)})" for zone, names in by_zone.items())
        yield Finding("zones", Area.CLINIKO, Severity.FINE, f"Time zones: {shown}.")


def switches(_: Observed, diaries: Diaries) -> Iterator[Finding]:
    """What is off by a switch is no part of any service."""
    used = {offer.practitioner for offer in diaries.offers}
    off = {
        "location": [each.name for each in diaries.locations if not each.online],
        "practitioner": [each.name for each in diaries.practitioners if not each.online and each.id in used],
        "appointment type": [each.name for each in diaries.types if not each.online],
    }
    for kind, names in off.items():
        if names:
            plural = f"{kind}{'' if len(names) == 1 else 's'}"
            sentence = f"Not shown in online bookings, so not counted: {plural} {listed(names)}."
            advice = f"If that is not meant, tick `Show in online bookings` on {verb(names, 'it', 'them')} in Cliniko."
            yield Finding("switches", Area.CLINIKO, Severity.LOOK_AT, sentence, advice)


def groups(_: Observed, diaries: Diaries) -> Iterator[Finding]:
    """A group type shows starts only where somebody has put a class into the calendar."""
    names = [each.name for each in diaries.types if each.group and each.online]
    if names:
        sentence = f"Taken by several people at once, so not counted: {listed(names)}."
        yield Finding("groups", Area.CLINIKO, Severity.FINE, sentence)


def requests_of(diaries: Diaries) -> int:
    """How many requests this reading took: one per page of each list, of 100 entries at most, and of each diary's starts.

    Blocks that repeat are counted by their occurrences, so it can be some more than it was.
    """
    lists = (
        len(diaries.locations),
        len(diaries.practitioners),
        len(diaries.types),
        len({(offer.location, offer.type) for offer in diaries.offers}),
        len({(hours.location, hours.practitioner, hours.day) for hours in diaries.hours}),
        len(diaries.extra),
        len(diaries.unavailable),
    )
    return 1 + sum(map(_pages, lists)) + sum(_pages(len(probe.starts or ())) for probe in diaries.probes)


def _pages(entries: int) -> int:
    return max(1, -(-entries // PER_PAGE))


def requests(seen: Observed, diaries: Diaries) -> Iterator[Finding]:
    """Against the budget of the key's user, which the clinic's own staff may share."""
    limit = seen.requests_per_minute
    if limit > ALLOWED:
        yield Finding(
            "request_limit", Area.SETTINGS, Severity.LOOK_AT,
            f"The governor may send {limit:,} requests a minute; Cliniko allows a user {ALLOWED}, more only by arrangement.",
            "Unless Cliniko has agreed to it, take GOVERNOR_CLINIKO__REQUESTS_PER_MINUTE away.",
        )  # fmt: skip
    if diaries.probes:
        count = requests_of(diaries)
        minutes = count / limit
        takes = "less than a minute" if minutes < 1 else f"about {counted(-(-count // limit), 'minute')}"
        sentence = f"A run asks Cliniko {counted(count, 'time')}, which takes {takes} at {limit:,} a minute."
        severity = Severity.MUST_FIX if minutes > TOO_LONG_MINUTES else Severity.LOOK_AT
        if minutes <= LONG_MINUTES:
            yield Finding("requests", Area.CLINIKO, Severity.FINE, sentence)
        else:
            advice = (
                "Name fewer appointment types, locations or practitioners in the services; or ask Cliniko's support for a "
                "higher limit and set GOVERNOR_CLINIKO__REQUESTS_PER_MINUTE."
            )
            yield Finding("requests", Area.CLINIKO, severity, sentence, advice)
