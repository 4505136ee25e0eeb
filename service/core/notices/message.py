"""Several notices as one message: what people read in their mail or their chat. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from service.core.notices.model import TITLES, Notice, NoticeKind
from service.core.notices.timing import OLD
from service.core.notices.wording import Words

MOST = 20
"""Notices that a message tells in full; the others are counted."""

LONGEST = 1600
"""Characters of a message's notices; with all around them that is less than 2,000, which Discord takes in one piece."""

LONGEST_LINE = 500
LONGEST_SUBJECT = 150

REPETITION = "This may be a repetition: an earlier attempt to send it broke off, and nobody can tell whether it arrived."


def subject(notices: Sequence[Notice], words: Words) -> str:
    """Which clinic, and what: `Harbour Physio: waiting for your yes or no (2), changed (1)`."""
    counted = [f"{TITLES[kind].lower()} ({len(of_it)})" for kind, of_it in _groups(notices)]
    return _clipped(f"{_line(words.about.name or words.about.clinic)}: {', '.join(counted)}", LONGEST_SUBJECT)


def text(notices: Sequence[Notice], words: Words, now: datetime, *, repeated: bool = False, address: str = "") -> str:
    """The message: by kind, the newest of it first; bounded, and open about what is old or may have been sent before.

    `address` is where people can see and answer all of it ('' where there is no such place).
    """
    told = _fitting(_in_order(notices)[:MOST], words)
    lines = [*_first(notices, words, now, repeated=repeated)]
    for kind, of_it in _groups(told):
        lines += [f"{TITLES[kind]}:", *(line for each in of_it for line in _told(each, words)), ""]
    if rest := len(notices) - len(told):
        lines += [f"And {rest} more: `governor audit show --chain {words.clinic}`.", ""]
    return "\n".join([*lines, *([f"See and answer: {address}"] if address else [])]).rstrip()


def _in_order(notices: Sequence[Notice]) -> list[Notice]:
    """What wants an answer first, so that it is never what is left out."""
    return [each for _, of_it in _groups(sorted(notices, key=lambda each: each.at, reverse=True)) for each in of_it]


def _first(notices: Sequence[Notice], words: Words, now: datetime, *, repeated: bool) -> Iterator[str]:
    oldest = min(each.at for each in notices)
    if repeated:
        yield from (REPETITION, "")
    if now - oldest > OLD:
        yield from (
            f"This could not be sent before: the oldest of it is of {words.when(oldest)}, {_age(now - oldest)} ago.",
            "",
        )


def _age(age: timedelta) -> str:
    hours = age // timedelta(hours=1)
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"


def _groups(notices: Sequence[Notice]) -> Iterator[tuple[NoticeKind, list[Notice]]]:
    for kind in NoticeKind:
        if of_it := [each for each in notices if each.kind is kind]:
            yield kind, of_it


def _fitting(notices: Sequence[Notice], words: Words) -> list[Notice]:
    """The first of them, as many as fit into a message; one at least."""
    room, found = LONGEST, list[Notice]()
    for each in notices:
        room -= sum(len(line) + 1 for line in _told(each, words))
        if found and room < 0:
            break
        found.append(each)
    return found


def _told(notice: Notice, words: Words) -> Iterator[str]:
    yield f"- {words.when(notice.at)}: {_clipped(_line(notice.sentence), LONGEST_LINE)}"
    if notice.todo:
        yield f"  To do: {_line(notice.todo)}"


def _line(said: str) -> str:
    """On one line, whatever a campaign's name or an outside system's sentence brings along."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+", " ", said).strip()


def _clipped(said: str, longest: int) -> str:
    return said if len(said) <= longest else said[: longest - 1] + "…"
