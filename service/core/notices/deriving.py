"""From a record of the ledger to the notices it is worth. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pydantic import TypeAdapter

from service.core.decide.approvals import PATIENCE
from service.core.decide.model import Change, Decision, StoodDown
from service.core.errors import Problem
from service.core.ledger import Kind, Record
from service.core.model import State, Verdict
from service.core.notices import standing, wording
from service.core.notices.model import About, Memory, Notice, NoticeKind, ToTell
from service.core.notices.wording import Said, Words

_decision = TypeAdapter(Decision).validate_python
_change = TypeAdapter(Change).validate_python
_down = TypeAdapter(StoodDown).validate_python
_state = TypeAdapter[State | None](State | None).validate_python
_problems = TypeAdapter(tuple[Problem, ...]).validate_python
_found = TypeAdapter(ToTell).validate_python

Derived = tuple[list[Notice], Memory]


def derived(record: Record, memory: Memory, about: About) -> Derived:
    """The notices of a record, and what is remembered after it; of the records before, `memory` is all that counts.

    Raises ValueError, KeyError or TypeError for a record of a known kind that does not say what it should.
    """
    reading = _READINGS.get(record.kind)
    return reading(record, memory, about) if reading else ([], memory)


def decisions_in(records: Iterable[Record]) -> set[str]:
    """The decisions whose sentences the notices of these records need."""
    return {id_ for record in records if record.kind == Kind.CHANGE_APPLIED and (id_ := record.body["change"]["decision"])}


def _plan(record: Record, memory: Memory, about: About) -> Derived:
    """How things stood at a run; a record from before this was recorded says nothing of it."""
    if "tell" not in (body := record.body):
        return [], memory
    found = _found(body["tell"])
    memory, words = replace(memory, zone=found.zone), Words(about, found.zone)
    notices, memory = standing.troubled(found, record.at, memory, words)
    reminders, memory = standing.reminded(found, record.at, memory, words)
    turned = [
        Notice(NoticeKind.RULE_TURNED, record.at, (each.channel,), *wording.turned(each.service, each.sentence))
        for each in found.turned
    ]
    return [*notices, *reminders, *turned], memory


def _asked(record: Record, memory: Memory, about: About) -> Derived:
    """A question, when it is asked and not again while it waits."""
    decision = _decision(record.body["decision"])
    if decision.verdict is not Verdict.AWAIT_APPROVAL or decision.asks != decision.id:
        return [], memory
    said = wording.question(decision, record.at + PATIENCE, Words(about, memory.zone))
    return [Notice(NoticeKind.AWAITING_APPROVAL, record.at, about.channels, *said, asks=decision.id)], memory


def _applied(record: Record, memory: Memory, about: About) -> Derived:
    change, words = _change(record.body["change"]), Words(about, memory.zone)
    return _one(NoticeKind.APPLIED, record, about, wording.applied(change, _detail(record), words)), memory


def _refused(record: Record, memory: Memory, about: About) -> Derived:
    """A change that was not made; the same one, tried again every hour, once a day."""
    change = _change(record.body["change"])
    later = standing.once_a_day(f"refused {change.campaign} {change.after}", record.at, memory)
    if later is None:
        return [], memory
    said = wording.refused(change, _detail(record), Words(about, memory.zone))
    return _one(NoticeKind.PLATFORM_REFUSED, record, about, said), later


def _drift(record: Record, memory: Memory, about: About) -> Derived:
    body = record.body
    down, expected = _down(body["stood_down"]), _state(body.get("expected"))
    said = wording.drifted(body["campaign"], down, expected, Words(about, memory.zone))
    return _one(NoticeKind.DRIFT, record, about, said), memory


def _rejected(record: Record, memory: Memory, about: About) -> Derived:
    said = wording.rejected(_problems(record.body["problems"]), Words(about, memory.zone))
    return _one(NoticeKind.RULES_REJECTED, record, about, said), memory


def _failed(record: Record, memory: Memory, about: About) -> Derived:
    """A run that failed, or was killed: a single one is settled by the next, and told to nobody."""
    return standing.failed(str(record.body["message"]), record.at, memory, Words(about, memory.zone))


def _one(kind: NoticeKind, record: Record, about: About, said: Said) -> list[Notice]:
    return [Notice(kind, record.at, about.channels, *said)]


def _detail(record: Record) -> str:
    return str(record.body["detail"].get("detail", ""))


_READINGS: Mapping[str, Callable[[Record, Memory, About], Derived]] = {
    Kind.PLAN: _plan,
    Kind.DECISION: _asked,
    Kind.CHANGE_APPLIED: _applied,
    Kind.CHANGE_FAILED: _refused,
    Kind.DRIFT: _drift,
    Kind.RULES_REJECTED: _rejected,
    Kind.RUN_FAILED: _failed,
}


_memory = TypeAdapter(Memory)


def remembered(text: str) -> Memory:
    """A memory out of its text. Raises ValueError."""
    return _memory.validate_json(text)


def memory_text(memory: Memory) -> str:
    """A memory as text."""
    return _memory.dump_json(memory).decode()
