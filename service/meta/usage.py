"""How much of its quota an ad account has used, from the headers Meta adds to its answers. Pure.

Sources: Graph API, "Rate Limits" (`X-Business-Use-Case-Usage`, minutes) and Marketing API, "Rate Limiting"
(`X-Ad-Account-Usage`, seconds). Both are JSON, both are absent until there has been some traffic.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

FULL_TIER = "standard_access"
BLOCKED_FULL, BLOCKED_LIMITED = timedelta(seconds=60), timedelta(seconds=300)
"""How long an app of each access tier is blocked when Meta gives no time of its own."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The fullest quota in %, and how long until access is back (None: not blocked, or not said)."""

    percent: float
    regain: timedelta | None
    full_tier: bool

    def wait(self) -> timedelta:
        """How long to leave the account alone once throttled."""
        return self.regain or (BLOCKED_FULL if self.full_tier else BLOCKED_LIMITED)


NOTHING_KNOWN = Usage(0.0, None, full_tier=False)


def usage(headers: Mapping[str, str]) -> Usage:
    """What the headers of one answer say; anything missing or malformed counts as not said."""
    cases = list(_cases(_parsed(headers.get("x-business-use-case-usage"))))
    account = _parsed(headers.get("x-ad-account-usage"))
    percents = [_number(case.get(key)) for case in cases for key in ("call_count", "total_cputime", "total_time")]
    minutes = max((_number(case.get("estimated_time_to_regain_access")) for case in cases), default=0.0)
    regain = timedelta(minutes=minutes) or timedelta(seconds=_number(account.get("reset_time_duration")))
    tiers = [source.get("ads_api_access_tier") for source in (*cases, account)]
    return Usage(
        percent=max([*percents, _number(account.get("acc_id_util_pct"))]),
        regain=regain or None,
        full_tier=FULL_TIER in tiers,
    )


def _parsed(header: str | None) -> Mapping[str, object]:
    try:
        found = json.loads(header or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _cases(by_object: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    for cases in by_object.values():
        yield from (case for case in cases if isinstance(case, dict)) if isinstance(cases, list) else ()


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1_000_000 else 0.0
