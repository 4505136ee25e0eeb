"""The sentences of notices: what happened to which campaign, in numbers, and which command does something about it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from service.core.decide.left import Left
from service.core.decide.model import Change, Decision, StoodDown
from service.core.errors import Problem
from service.core.model import Reason, State, Unreadable
from service.core.notices.model import About, Expiring

SYSTEMS = {"cliniko": "Cliniko", "google": "Google Ads", "meta": "Meta"}

Said = tuple[str, str]
"""A sentence, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Words:
    """How instants and amounts of one clinic are written."""

    about: About
    zone: str

    @property
    def clinic(self) -> str:
        """The clinic as an argument of a command."""
        return shlex.quote(self.about.clinic)

    def when(self, at: datetime) -> str:
        """On the clinic's wall clock: `Mon 23 Nov 08:00 AEDT`."""
        return f"{at.astimezone(ZoneInfo(self.zone)):%a %d %b %H:%M %Z}"

    def money(self, state: State) -> str:
        """`60.00 AUD a day`."""
        return "no daily budget" if state.budget is None else " ".join(filter(None, [str(state.budget), self.daily]))

    @property
    def daily(self) -> str:
        """`AUD a day`."""
        return f"{self.about.currency} a day".strip()

    def state(self, state: State | None) -> str:
        """`running at 60.00 AUD a day`."""
        if state is None:
            return "in a state that could not be read"
        return f"{'running' if state.running else 'paused'} at {self.money(state)}"


def system(name: str) -> str:
    """A system as people call it."""
    return SYSTEMS.get(name, name)


# --- decisions and changes ----------------------------------------------------------------------------------------------


def question(decision: Decision, until: datetime, words: Words) -> Said:
    """What a decision asks, and how to answer."""
    verb, rest = _move(decision.before, decision.after, words)
    id_ = shlex.quote(decision.id)
    answer = f'`governor approve {id_}` or `governor reject {id_} --reason "..."`; it waits until {words.when(until)}'
    return f"May {decision.campaign} {verb} {rest}? {decision.sentence}", answer


def applied(change: Change, detail: str, words: Words) -> Said:
    """What was changed, and why."""
    verb, rest = _move(change.before, change.after, words)
    why = words.about.sentences.get(change.decision, "" if change.decision else "It was put back by `governor restore`.")
    also = "" if detail == "applied" else f" ({detail})"
    return f"{change.campaign} {PAST[verb]} {rest}{also}. {why}".strip(), ""


def refused(change: Change, detail: str, words: Words) -> Said:
    """What could not be changed, and why."""
    verb, rest = _move(change.before, change.after, words)
    sentence = f"{change.campaign} was to {verb} {rest}, which was not done on {system(change.platform)}: {detail}"
    return sentence, f"a later run tries again while the rules want it; `governor doctor {words.clinic}` looks for the cause"


PAST = {"be": "was", "have": "had"}


def _move(before: State | None, after: State | None, words: Words) -> tuple[str, str]:
    """A move as an infinitive, its verb apart: (`be`, `paused, now running at 60.00 AUD a day`)."""
    if before is None or after is None:
        return "be", f"{words.state(after)} (from {words.state(before)})"
    if before.running and not after.running:
        return "be", f"paused (from {words.state(before)})"
    if after.running and not before.running:
        return "be", f"resumed at {words.money(after)}"
    way = "raised" if (after.budget or 0) > (before.budget or 0) else "cut"
    return "have", f"its budget {way} from {before.budget} to {words.money(after)}"


# --- people's hands -----------------------------------------------------------------------------------------------------


def drifted(campaign: str, down: StoodDown, expected: State | None, words: Words) -> Said:
    """Whose hand is on a campaign, and how to hand it back."""
    todo = f"`governor readopt {words.clinic} {shlex.quote(campaign)}` hands it back to the rules, as it is"
    seen = words.state(down.seen)
    if down.reason is Reason.PAUSED_BY_PERSON:
        return f"{campaign} was paused when it was first seen ({seen}), so it is left alone.", todo
    if down.reason is Reason.BASE_MISMATCH:
        mend = f"set its base_budget in the rule file right, then {todo}"
        return f"{campaign} was not at its base budget when it was first seen ({seen}), so it is left alone.", mend
    who = (down.by or "Somebody") + (f" ({down.via})" if down.via else "")
    left = f"; it had been left {words.state(expected)}" if expected else ""
    return f"{who} changed {campaign} ({words.when(down.logged_at or down.since)}): it is {seen}{left}. It is left alone.", todo


def expires(found: Expiring, words: Words) -> Said:
    """Which budget of somebody's the rules take over, and when."""
    campaign = shlex.quote(found.campaign)
    hold = f'`governor hold {words.clinic} --campaign {campaign} --reason "..."` keeps it as it is'
    sentence = (
        f"{found.campaign}: from {words.when(found.at)} on the rules take over the budget that {found.by or 'somebody'} set: "
        f"it is {words.state(found.seen)} since {words.when(found.since)}."
    )
    return sentence, hold


def left(found: Left, words: Words) -> Said:
    """What still carries a change of ours, and how to put it back."""
    base = f", base {found.base}" if found.base is not None else ""
    sentence = (
        f"{found.campaign} ({found.of}) is as we changed it, {words.state(found.state)}{base}, and nobody looks after it "
        f"since {words.when(found.since)}: {found.why}."
    )
    return sentence, f"`governor restore {words.clinic}` puts it back; or take it back into the rule file"


# --- what does not work -------------------------------------------------------------------------------------------------


def rejected(problems: Sequence[Problem], words: Words) -> Said:
    """What is wrong with a rule file, and how to stop what the one in force goes on doing."""
    first, *others = [f"{each.file.rpartition('/')[2]}:{each.line}: {each.message}" for each in problems] or [
        "it cannot be read"
    ]
    more = f" (and {len(others)} more)" if others else ""
    sentence = f"The rule file is refused, and the last good one stays in force. {first}{more}"
    stop = f'to stop what the one in force does meanwhile: `governor hold {words.clinic} --reason "..."`'
    return sentence, f"mend it, `governor rules check` says how; {stop}"


def unread(found: Unreadable, since: datetime, words: Words) -> Said:
    """What cannot be read, since when, and what that means."""
    sentence = f"{system(found.system)}: not read since {words.when(since)}: {found.message}. Nothing is moved by guessing."
    return sentence, f"`governor doctor {words.clinic}` says what to mend"


def failed(message: str, since: datetime, words: Words) -> Said:
    """That runs fail."""
    sentence = f"Runs fail since {words.when(since)}, so campaigns stay as they are: {message}"
    return sentence, f"whoever runs the service should look; `governor evaluate {words.clinic}` tries again"


def back(name: str, since: datetime, words: Words) -> Said:
    """That something works again."""
    works = "Runs are made again" if name == "run" else f"{system(name)} can be read again"
    return f"{works}; it had failed since {words.when(since)}.", ""


def turned(service: str, sentence: str) -> Said:
    """That a rule's conditions have come to hold."""
    return f"For {service} this has turned true: {sentence}", ""
