"""Rules whose hours leave them no time: to hold long enough, or to have a change made. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.core.rules.evaluate import GAP
from service.core.rules.explain import window as said
from service.core.rules.language import EVERY_DAY, Rule, RuleSet, Window
from service.core.rules.lint.model import Check, Finding, Place
from service.core.rules.lint.reach import decides, meet_in_time
from service.core.rules.wording import duration

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def under_an_hour(rules: RuleSet) -> Iterator[Finding]:
    """Hours so short that the hourly runs may all fall outside them."""
    for rule in rules.rules:
        if rule.active is not None and _open(rule.active) < HOUR:
            yield _missed(f"“{rule.name}” is looked at", "active", rule.active, Place(rule, path=("active", "hours")))
    own = {name: entry.guardrails.change_window for name, entry in rules.campaigns.items()}
    clinic = rules.guardrails.change_window
    if clinic is not None and _open(clinic) < HOUR:
        place = Place(path=("guardrails", "change_window", "hours"))
        yield _missed("changes to any campaign may be made", "change_window", clinic, place)
    for name, window in own.items():
        if window is not None and window != clinic and _open(window) < HOUR:
            place = Place(campaign=name, path=("guardrails", "change_window", "hours"))
            yield _missed(f"changes to {name} may be made", "change_window", window, place)


def _missed(what: str, key: str, window: Window, place: Place) -> Finding:
    return Finding(
        Check.HOURS_UNDER_AN_HOUR,
        place,
        f"{what} only {said(window)} (`{key}`): less than an hour, and runs are an hour apart, so none may fall into it",
        "write hours of at least one whole hour",
    )


def _open(window: Window) -> timedelta:
    return (window.ends - window.starts) * MINUTE


def too_short(rules: RuleSet) -> Iterator[Finding]:
    """A `for` as long as the hours in which the rule is looked at: it begins anew each time."""
    for rule in rules.rules:
        longest = _longest(rule.active) if rule.active is not None else None
        if longest is not None and rule.hold_for >= longest:
            yield Finding(
                Check.FOR_OUTLASTS_ACTIVE,
                Place(rule, path=("for",)),
                f"“{rule.name}” is looked at for {duration(longest)} on end (`active`) and waits for {duration(rule.hold_for)} "
                "(`for`), beginning anew each time; so it never matches",
                "write a shorter `for`, or longer hours",
            )


def _longest(window: Window) -> timedelta | None:
    """The longest stretch of a window; None where it never ends, or only for so short a while that waiting goes on."""
    length = _open(window)
    if length < DAY:
        return length if DAY - length > GAP else None
    if window.days == EVERY_DAY:
        return None
    week = [day in window.days for day in EVERY_DAY] * 2
    runs = "".join("x" if awake else " " for awake in week).split()
    return max(map(len, runs)) * DAY


def never_changed(rules: RuleSet) -> Iterator[Finding]:
    """A rule that is looked at only while no change may be made."""
    for rule in rules.rules:
        windows = [rules.campaigns[name].guardrails.change_window for name in rule.campaigns]
        if rule.active is not None and decides(rule) and windows and not any(_meets(rule, each) for each in windows):
            yield Finding(
                Check.CHANGES_OUTSIDE_WINDOW,
                Place(rule, path=("active",)),
                f"“{rule.name}” is looked at only {said(rule.active)}, and changes may be made only "
                f"{said(windows[0] or Window())} (`change_window`), so nothing comes of it",
                "let the two have some hours in common",
            )


def _meets(rule: Rule, window: Window | None) -> bool:
    """A latch stays on outside its hours, so its changes are made later."""
    return rule.until is not None or meet_in_time(rule.active, window)
