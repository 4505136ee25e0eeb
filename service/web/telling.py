"""Listings of decisions, made of the JSON that decisions are stored as.

An agency turns hundreds of pages. A stored decision is an answer but for what is known beside it, so its text is answered as
it stands, without making a value of it and text of that again: the most of what a page would cost. A test holds what comes
out against the description of the API.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import repeat

import msgspec

from service.app import App
from service.rulefiles.excerpts import rule_texts
from service.store.decisions import Told, Wanted
from service.store.intents import RecordedChange
from service.web.answers import Change, change

Texts = Mapping[str, str]
"""The lines of each rule, by its name."""

REVISIONS = 200
"""Rule files whose rules are kept in mind; one that was in force does not change any more."""


class RuleTexts:
    """What the rules of past revisions said, found once."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Texts] = OrderedDict()

    async def of(self, app: App, clinic: str, digest: str) -> Texts:
        """The rules of a clinic's revision; none of one that was never in force, as in a rehearsal."""
        if (clinic, digest) not in self._known:
            found = await app.store.rules.revision(clinic, digest)
            self._known[clinic, digest] = await asyncio.to_thread(rule_texts, found.rules, found.text) if found else {}
        self._known.move_to_end((clinic, digest))
        if len(self._known) > REVISIONS:
            self._known.popitem(last=False)
        return self._known[clinic, digest]


class _Revision(msgspec.Struct):
    """What of a stored decision says by which file it was made."""

    rules_digest: str


class _Why(msgspec.Struct):
    """`answers.Why`, with a trace that is JSON already."""

    rule_text: str | None
    trace: msgspec.Raw | None
    changes: tuple[Change, ...]


async def listing(app: App, texts: RuleTexts | None, wanted: Wanted, cursor: str | None, limit: int) -> bytes:
    """The JSON of a page of decisions: `api.decisions.Decisions`. With `texts` each comes with its reason in full."""
    page = await app.store.decisions.told(wanted, traced=texts is not None, cursor=cursor, limit=limit)
    whys = repeat("null") if texts is None else await _reasons(app, texts, page.items)
    items = ",".join([_item(each, why) for each, why in zip(page.items, whys, strict=False)])
    return f'{{"items":[{items}],"next_cursor":{_json(page.cursor if page.more else None)}}}'.encode()


def _item(told: Told, why: str) -> str:
    return f'{told.body[:-1]},"changed":{"true" if told.changed else "false"},"why":{why}}}'


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


async def _reasons(app: App, texts: RuleTexts, decisions: Sequence[Told]) -> list[str]:
    """The JSON of `answers.Why` of each decision."""
    made = await app.store.intents.of_decisions([each.id for each in decisions if each.changed])
    return [_why(each, await _rule_text(app, texts, each), made.get(each.id, ())) for each in decisions]


def _why(told: Told, rule_text: str | None, made: Sequence[RecordedChange]) -> str:
    trace = None if told.trace is None else msgspec.Raw(told.trace)
    return _json(_Why(rule_text, trace, tuple(map(change, made))))


async def _rule_text(app: App, texts: RuleTexts, told: Told) -> str | None:
    if told.rule is None:
        return None
    digest = msgspec.json.decode(told.body, type=_Revision).rules_digest
    return (await texts.of(app, told.clinic, digest)).get(told.rule)
