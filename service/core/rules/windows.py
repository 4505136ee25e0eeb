"""Parts of the week: when a rule is looked at, and when changes may be made. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from service.core.rules.language import RuleSet, Window

Holidays = Mapping[str, tuple[date, ...]]
"""Public holidays by region, as far as a run may need them: which days are holidays is not for pure code to know."""


def within(window: Window, local: datetime, holidays: Holidays) -> bool:
    """Whether a moment on the clinic's wall clock lies in the window; a region of which nothing is known has no holidays."""
    if window.public_holidays is not None and local.date() in holidays.get(window.public_holidays, ()):
        return False
    return local.weekday() in window.days and window.starts <= local.hour * 60 + local.minute < window.ends


def regions(rules: RuleSet) -> set[str]:
    """The regions whose public holidays a rule file asks about."""
    return {window.public_holidays for window in _windows(rules) if window.public_holidays is not None}


def _windows(rules: RuleSet) -> Iterator[Window]:
    rails = [rules.guardrails, *(entry.guardrails for entry in rules.campaigns.values())]
    everything = [*(rule.active for rule in rules.rules), *(each.change_window for each in rails)]
    return (window for window in everything if window is not None)
