"""How much of their quotas an ad account and an app have used, from the headers Meta adds to its answers. Pure.

Sources: Graph API, "Rate Limits" (`X-App-Usage`; `X-Business-Use-Case-Usage`, minutes) and Marketing API, "Rate Limiting"
(`X-Ad-Account-Usage`, seconds; `X-FB-Ads-Insights-Throttle`). All are JSON, all are absent until there has been some traffic.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

FULL_TIER = "standard_access"
BLOCKED_FULL, BLOCKED_LIMITED = timedelta(seconds=60), timedelta(seconds=300)
"""How long an app of each access tier is blocked when Meta gives no time of its own."""

NEARLY_ALL = 95.0
"""From so many % on a quota counts as used up: one more write, 3 of the limited tier's 60 points, would take the rest."""

INSIGHTS_CASE = "ads_insights"
SHARES_OF_A_CASE = ("call_count", "total_cputime", "total_time")


@dataclass(frozen=True, slots=True)
class Gauge:
    """One quota and how much of it is used, in %.

    It is the whole app's (`app`) or the ad account's, and for everything or for `reports` alone. `regain` is how long until
    access is back (None: not blocked, or not said), `reset` how long until nothing counts as used any more (None: not said).
    """

    percent: float
    app: bool = False
    reports: bool = False
    regain: timedelta | None = None
    reset: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer says of all quotas that it names."""

    gauges: tuple[Gauge, ...]
    full_tier: bool

    def wait(self) -> timedelta:
        """How long to leave the scope alone that was just throttled."""
        regains, resets = ([getattr(each, name) or timedelta(0) for each in self.gauges] for name in ("regain", "reset"))
        return max(regains, default=timedelta(0)) or max(resets, default=timedelta(0)) or self._blocked

    def rest(self, gauge: Gauge) -> timedelta | None:
        """How long to leave alone what a quota is for, though nothing was refused; None: it has room."""
        if gauge.regain is not None:
            return gauge.regain
        return (gauge.reset or self._blocked) if gauge.percent >= NEARLY_ALL else None

    @property
    def _blocked(self) -> timedelta:
        return BLOCKED_FULL if self.full_tier else BLOCKED_LIMITED


NOTHING_KNOWN = Usage((), full_tier=False)


def usage(headers: Mapping[str, str]) -> Usage:
    """What the headers of one answer say; anything missing or malformed counts as not said."""
    cases = list(_cases(_parsed(headers.get("x-business-use-case-usage"))))
    account, app = _parsed(headers.get("x-ad-account-usage")), _parsed(headers.get("x-app-usage"))
    reports = _parsed(headers.get("x-fb-ads-insights-throttle"))
    found = [_of_case(case) for case in cases]
    if account:
        reset = timedelta(seconds=_number(account.get("reset_time_duration"))) or None
        found.append(Gauge(_number(account.get("acc_id_util_pct")), reset=reset))
    if app:
        found.append(Gauge(_fullest(app), app=True))
    if reports:
        found.append(Gauge(_number(reports.get("app_id_util_pct")), app=True, reports=True))
        found.append(Gauge(_number(reports.get("acc_id_util_pct")), reports=True))
    tiers = [source.get("ads_api_access_tier") for source in (*cases, account, reports)]
    return Usage(tuple(found), full_tier=FULL_TIER in tiers)


def _of_case(case: Mapping[str, object]) -> Gauge:
    regain = timedelta(minutes=_number(case.get("estimated_time_to_regain_access"))) or None
    return Gauge(_fullest(case), reports=case.get("type") == INSIGHTS_CASE, regain=regain)


def _fullest(shares: Mapping[str, object]) -> float:
    return max(_number(shares.get(name)) for name in SHARES_OF_A_CASE)


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
