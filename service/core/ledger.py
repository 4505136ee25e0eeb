"""The ledger's arithmetic: canonical text, hash links, and the check that a chain is whole.

A record is kept as its canonical text, so that what was hashed is what is stored, exported and read. Whoever holds a chain's
head (its last number and hash) can tell whether anything before it was altered, removed or reordered. The same rules are
written once more, on purpose, in the stand-alone verifier, which shares no code with this module. Pure.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import reduce, singledispatch
from typing import Any

GENESIS = "0" * 64
"""What the first record of a chain is linked to."""

SYSTEM = "_system"
"""The chain of what belongs to no clinic; a clinic's chain is named by its slug, which cannot begin with an underscore."""


class Kind(StrEnum):
    """What a record tells of."""

    RUN_STARTED = "run.started"
    RUN_FINISHED = "run.finished"
    RUN_FAILED = "run.failed"
    PLAN = "plan"
    DECISION = "decision"
    CHANGE_INTENDED = "change.intended"
    CHANGE_APPLIED = "change.applied"
    CHANGE_FAILED = "change.failed"
    CHANGE_SUPERSEDED = "change.superseded"
    APPROVAL = "approval"
    REJECTION = "rejection"
    HOLD = "hold"
    UNHOLD = "unhold"
    DRIFT = "drift"
    READOPT = "readopt"
    RESTORE = "restore"
    LEFT_CHANGED = "left_changed"
    RULES_LOADED = "rules.loaded"
    RULES_REJECTED = "rules.rejected"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    CHECKPOINT = "checkpoint"


# --- canonical text -----------------------------------------------------------------------------------------------------


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, nothing escaped that need not be.

    Decimals are plain strings (`"60.00"`), instants UTC (`2026-11-22T08:00:00Z`), dates and durations ISO 8601, enums their
    value, dataclasses objects, tuples lists. A float is written as the shortest number equal to it (5.0 as `5`, RFC 8785),
    one that is no number as null. Raises TypeError for what has no canonical form, ValueError for an instant without a zone.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@singledispatch
def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    raise TypeError(f"{type(value).__name__} has no canonical form")


@_plain.register(int)
@_plain.register(type(None))
def _as_it_is(value: object) -> object:
    return value


@_plain.register
def _text(value: str) -> str:
    # A lone surrogate is no character: it can be neither hashed nor stored.
    return str.__str__(value).encode("utf-8", "replace").decode("utf-8")


@_plain.register
def _enum(value: Enum) -> object:
    return _plain(value.value)


@_plain.register
def _number(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


@_plain.register
def _decimal(value: Decimal) -> str | None:
    return f"{value:f}" if value.is_finite() else None


@_plain.register
def _instant(value: datetime) -> str:
    if value.utcoffset() is None:
        raise ValueError(f"an instant needs a time zone: {value.isoformat()}")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@_plain.register
def _day(value: date) -> str:
    return value.isoformat()


@_plain.register
def _duration(value: timedelta) -> str:
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    parts = ((hours, f"{hours}H"), (minutes, f"{minutes}M"), (seconds or fraction, f"{seconds}{fraction}S"))
    clock = "".join(text for amount, text in parts if amount)
    days = f"{value.days}D" if value.days else ""
    return f"{sign}P{days}" + (f"T{clock}" if clock else "") if days or clock else "PT0S"


@_plain.register
def _object(value: Mapping) -> dict[str, Any]:  # type: ignore[type-arg] # singledispatch takes no parametrised type
    return {_key(key): _plain(item) for key, item in value.items()}


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the key of an object is text, not {type(key).__name__}")
    return _text(key)


@_plain.register(tuple)
@_plain.register(list)
def _list(value: Iterable[object]) -> list[Any]:
    return [_plain(item) for item in value]


# --- records ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """A line of the ledger. `seq` counts from 1 within `chain`; `hash` links `text` to everything before it.

    `kind` is a `Kind`; as text, because what is read back may have been damaged or written by a later version.
    """

    chain: str
    seq: int
    at: datetime
    kind: str
    text: str
    hash: str

    @property
    def body(self) -> dict[str, Any]:
        """What the text says besides its own place: where it is from, when, and of what kind."""
        return {key: value for key, value in json.loads(self.text).items() if key not in _PLACE}


_PLACE = frozenset({"at", "chain", "kind", "seq"})


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: the number and hash of its last record; what to note down to detect a later rewriting."""

    seq: int = 0
    hash: str = GENESIS


def link(prev_hash: str, text: str) -> str:
    """The hash of a record: SHA-256, in hex, of the previous record's hash in hex followed by the text in UTF-8."""
    return hashlib.sha256((prev_hash + text).encode("utf-8", "surrogatepass")).hexdigest()


def write(chain: str, head: Head, kind: Kind, body: Mapping[str, object], at: datetime) -> Record:
    """The record that continues `chain` after `head`. Raises ValueError if `body` claims one of the record's own names."""
    if taken := _PLACE & body.keys():
        raise ValueError(f"a record's own names cannot be part of its body: {', '.join(sorted(taken))}")
    seq = head.seq + 1
    text = canonical({**body, "at": at, "chain": chain, "kind": kind, "seq": seq})
    return Record(chain, seq, at, kind, text, link(head.hash, text))


def export_line(record: Record) -> str:
    """A record as one line of an export (NDJSON, without the line end), as the stand-alone verifier reads it."""
    return canonical(record)


# --- verification -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record at which a chain does not hold, and what is wrong there."""

    chain: str
    seq: int
    problem: str

    def __str__(self) -> str:
        return f"{self.chain} #{self.seq}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Verification:
    """How far a chain holds: `count` records, the last of which is `head`; `broken` is None where all of them do.

    `known` is a head noted earlier, which the chain must pass through or end at.
    """

    chain: str = ""
    count: int = 0
    head: Head = Head()
    known: Head | None = None
    broken: Broken | None = None

    def __str__(self) -> str:
        if self.broken is None:
            return f"{self.count:,} records hold, head {self.head.hash[:16]} (record {self.head.seq})"
        return f"BROKEN after {self.count:,} records: {self.broken}"

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.broken is None


def verify(records: Iterable[Record], *, after: Head | None = None, known: Head | None = None) -> Verification:
    """Check one chain from its first record, or from the one after `after`, in constant memory.

    `known` is a head noted earlier: a chain that does not lead there has been cut short or rewritten.
    """
    return finish(reduce(check, records, Verification(head=after or Head(), known=known)))


def check(so_far: Verification, record: Record) -> Verification:
    """Extend a verification by one record; once broken, it stays as it is."""
    if so_far.broken:
        return so_far
    so_far = replace(so_far, chain=so_far.chain or record.chain)
    if broken := _broken(so_far, record):
        return replace(so_far, broken=broken)
    return replace(so_far, count=so_far.count + 1, head=Head(record.seq, record.hash))


def finish(found: Verification) -> Verification:
    """Conclude a verification: a chain that ends before its known head has lost records."""
    if found.known is None or found.broken or found.head.seq >= found.known.seq:
        return found
    missing = Broken(found.chain, found.head.seq + 1, f"the record is missing; the chain went on to #{found.known.seq}")
    return replace(found, broken=missing)


def _broken(so_far: Verification, record: Record) -> Broken | None:
    expected = so_far.head.seq + 1
    if record.seq > expected:
        return Broken(so_far.chain, expected, "the record is missing")
    if record.seq < expected:
        return Broken(so_far.chain, record.seq, "the record comes again, or out of order")
    problem = _problem(so_far.head.hash, record)
    if not problem and so_far.known and so_far.known.seq == record.seq and so_far.known.hash != record.hash:
        problem = "the record is not the one that was noted as the head"
    return Broken(so_far.chain, record.seq, problem) if problem else None


def _problem(prev_hash: str, record: Record) -> str:
    if link(prev_hash, record.text) != record.hash:
        return "the text is not what was hashed, or the record before it is not the one it was linked to"
    said = json.loads(record.text)
    place = json.loads(canonical({"at": record.at, "chain": record.chain, "kind": record.kind, "seq": record.seq}))
    wrong = sorted(name for name in place if said.get(name) != place[name])
    return f"the text does not belong to this {' or '.join(wrong)}" if wrong else ""
