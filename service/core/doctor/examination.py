"""The whole examination: what was observed in, findings out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from service.core.doctor import access, account
from service.core.doctor.ads import accounts
from service.core.doctor.caps import caps, thresholds
from service.core.doctor.diaries import diaries as diaries_of
from service.core.doctor.model import Area, Finding, Observed, Severity
from service.core.doctor.services import services, without_rule
from service.core.model import Diaries

ALWAYS: tuple[Callable[[Observed], Iterator[Finding]], ...] = (
    access.contact_email, access.kill_switch, access.channels, access.rule_file, access.key, accounts,
)  # fmt: skip
OF_CLINIKO: tuple[Callable[[Observed, Diaries], Iterator[Finding]], ...] = (
    account.online_bookings, account.zones, account.switches, account.groups, caps, account.requests,
)  # fmt: skip


def examine(seen: Observed) -> tuple[Finding, ...]:
    """Everything that is found, by area, and what matters most first."""
    found = [finding for check in ALWAYS for finding in check(seen)]
    if isinstance(seen.diaries, Diaries):
        found += [finding for check in OF_CLINIKO for finding in check(seen, seen.diaries)]
        if seen.rules is not None:
            found += services(seen.rules, seen.diaries)
            found += diaries_of(seen.rules, seen.diaries, seen)
            found += thresholds(seen.rules, seen.diaries, seen)
    if seen.rules is not None:
        found += without_rule(seen.rules)
    areas, severities = list(Area), list(Severity)
    return tuple(sorted(dict.fromkeys(found), key=lambda each: (areas.index(each.area), severities.index(each.severity))))


def to_fix(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What stands in the way of a cut-over; nothing means ready."""
    return tuple(finding for finding in findings if finding.severity is Severity.MUST_FIX)
