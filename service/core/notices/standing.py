"""How things stand, and what of it is news: told when it begins, once a day while it lasts, and when it is over. Pure.

A run's record says what stands at that run. What cannot be read is told once it could not be in two runs in a row: a single
bad hour changes nothing and is usually over before anybody has looked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from service.core.model import Unreadable
from service.core.notices import wording
from service.core.notices.model import CLINIKO, DIARIES, Memory, Notice, NoticeKind, ToTell, Trouble
from service.core.notices.wording import Said, Words

DAILY = timedelta(hours=23, minutes=30)
"""Between two reminders: a day, less what an hourly run may be early."""

RUN = "run"
"""The trouble that is not one of reading."""


def due(told: datetime | None, at: datetime) -> bool:
    """Whether something is to be told, when it was last told then."""
    return told is None or at - told >= DAILY


def reminded(found: ToTell, at: datetime, memory: Memory, words: Words) -> tuple[list[Notice], Memory]:
    """What is left changed or about to expire, as far as it has not been told today."""
    standing = {key: (kind, said) for key, kind, said in _standing(found, words)}
    fresh = [key for key in standing if due(memory.told.get(key), at)]
    kept = {key: then for key, then in memory.told.items() if key in standing or not _ends(key)}
    notices = [Notice(kind, at, words.about.channels, *said) for kind, said in (standing[key] for key in fresh)]
    return notices, replace(memory, told=kept | dict.fromkeys(fresh, at))


def _standing(found: ToTell, words: Words) -> Iterator[tuple[str, NoticeKind, Said]]:
    for each in found.left:
        yield f"left {each.of} {each.since.isoformat()}", NoticeKind.LEFT_CHANGED, wording.left(each, words)
    for one in found.expiring:
        key = f"expires {one.campaign} {one.since.isoformat()}"
        yield key, NoticeKind.DRIFT_EXPIRES, wording.expires(one, words)


def _ends(key: str) -> bool:
    """Whether what a key is about is over once a run no longer finds it."""
    return key.startswith(("left ", "expires "))


# --- troubles -----------------------------------------------------------------------------------------------------------


def troubled(found: ToTell, at: datetime, memory: Memory, words: Words) -> tuple[list[Notice], Memory]:
    """What cannot be read at a run, what can be again, and what is remembered of either."""
    now = {each.system: each for each in found.unread}
    over = {name: each for name, each in memory.troubles.items() if name not in now}
    notices = [
        Notice(NoticeKind.READINGS_BACK, at, words.about.channels, *wording.back(name, each.since, words))
        for name, each in over.items()
        if each.told_at is not None and (name == RUN or found.read is None or name in found.read)
    ]
    troubles = {name: each for name, each in over.items() if _not_looked_at(name, now)}
    for name, each in now.items():
        known = memory.troubles.get(name)
        troubles[name] = _again(known, at)
        if troubles[name].told_at == at:
            said = wording.unread(each, troubles[name].since, words)
            notices.append(Notice(NoticeKind.READINGS_MISSING, at, words.about.channels, *said))
    return notices, replace(memory, troubles=troubles)


def _not_looked_at(name: str, unread: Mapping[str, Unreadable]) -> bool:
    """Whether nobody can tell if a trouble lasts: while Cliniko is down, no diary is asked for."""
    return name.startswith(DIARIES) and CLINIKO in unread


def failed(message: str, at: datetime, memory: Memory, words: Words) -> tuple[list[Notice], Memory]:
    """A run that failed; of what could not be read it tells nothing."""
    now = _again(memory.troubles.get(RUN), at)
    remembered = replace(memory, troubles={**memory.troubles, RUN: now})
    if now.told_at != at:
        return [], remembered
    return [Notice(NoticeKind.RUN_FAILED, at, words.about.channels, *wording.failed(message, now.since, words))], remembered


def _again(known: Trouble | None, at: datetime) -> Trouble:
    """A trouble at one more run: told at the second, and then daily."""
    if known is None:
        return Trouble(at)
    return replace(known, told_at=at) if due(known.told_at, at) else known


# --- what comes again ---------------------------------------------------------------------------------------------------


def once_a_day(key: str, at: datetime, memory: Memory) -> Memory | None:
    """What is remembered from now on where `key` is to be told; None where it was told today."""
    if not due(memory.told.get(key), at):
        return None
    return replace(memory, told=_recent(memory.told, at) | {key: at})


def _recent(told: Mapping[str, datetime], at: datetime) -> dict[str, datetime]:
    """Without what would be told again anyway."""
    return {key: then for key, then in told.items() if _ends(key) or not due(then, at)}
