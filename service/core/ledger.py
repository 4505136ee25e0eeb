"""The ledger's arithmetic: canonical text, hash links, and the check that a chain is whole.

A record is kept as its canonical text, so that what was hashed is what is stored, exported and read. Whoever holds a chain's
head (its last number and hash) can tell whether anything before it was altered, removed or reordered. The same rules are
written once more, on purpose, in the stand-alone verifier, which shares no code with this module. Pure.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from functools import singledispatch
from typing import Any

from pydantic import TypeAdapter, ValidationError

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
    return _encoded(_plain(value))


_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


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
def instant(value: datetime) -> str:
    """The canonical text of an instant. Raises ValueError for one without a zone."""
    if value.utcoffset() is None:
        raise ValueError(f"an instant needs a time zone: {value.isoformat()}")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


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
    return _link(prev_hash, _utf8(text))


def _link(prev_hash: str, text: bytes) -> str:
    return hashlib.sha256(_utf8(prev_hash) + text).hexdigest()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def write(chain: str, head: Head, kind: Kind, body: Mapping[str, object], at: datetime) -> Record:
    """The record that continues `chain` after `head`. Raises ValueError if `body` claims one of the record's own names."""
    if taken := _PLACE & body.keys():
        raise ValueError(f"a record's own names cannot be part of its body: {', '.join(sorted(taken))}")
    seq = head.seq + 1
    text = canonical({**body, "at": at, "chain": chain, "kind": kind, "seq": seq})
    return Record(chain, seq, at, kind, text, link(head.hash, text))


def export_line(record: Record) -> str:
    """A record as one line of an export (NDJSON, without the line end), as the stand-alone verifier reads it.

    It is the record's canonical text, written out here: finding out the type of each part would take longest of an export.
    """
    names = {"at": instant(record.at), "chain": record.chain, "hash": record.hash, "kind": record.kind, "seq": record.seq}
    return _text(_encoded({**names, "text": record.text}))


Kept = tuple[str, int, str, str, bytes, str]
"""A record as it is kept, before anything is made of it: chain, number, instant, kind, text in UTF-8, hash."""


def kept(record: Record) -> Kept:
    """A record as it is kept."""
    return record.chain, record.seq, instant(record.at), record.kind, _utf8(record.text), record.hash


@dataclass(frozen=True, slots=True)
class _Line:
    chain: str
    seq: int
    at: str
    kind: str
    text: str
    hash: str


_read_line = TypeAdapter(_Line).validate_json


def exported(line: bytes) -> Kept:
    """A record out of its line of an export. Raises ValueError for a line that is none."""
    found = _read_line(line, strict=True)
    return found.chain, found.seq, found.at, found.kind, _utf8(found.text), found.hash


# --- checkpoints --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """That the first records of a chain were taken out, into a file, and what the rest of the chain is linked to.

    `seq` and `hash` are those of the last of them, `first` is the number of the first. `sha256` is that of the whole file,
    which may hold other chains' records too; `file` is its name, without the folder.
    """

    chain: str
    seq: int
    hash: str
    first: int
    file: str
    sha256: str
    at: datetime
    by: str

    @property
    def head(self) -> Head:
        """What the first record that is still there follows."""
        return Head(self.seq, self.hash)

    @property
    def records(self) -> int:
        """How many records were taken out."""
        return self.seq - self.first + 1

    @property
    def body(self) -> dict[str, object]:
        """What the chain's own record says of it."""
        told = asdict(self)
        return {"checkpoint": {name: told[name] for name in ("by", "file", "first", "hash", "seq", "sha256")}}


# --- verification ---------------------------------------------------------------------------------------------------------


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
    """How far a chain holds: `count` records after `after`, the last of which is `head`; `broken` is None where all do."""

    chain: str = ""
    count: int = 0
    head: Head = Head()
    broken: Broken | None = None
    after: Head = Head()

    def __str__(self) -> str:
        after = f" after record {self.after.seq}, {self.after.hash[:16]}" if self.after.seq else ""
        if self.broken is None:
            return f"{self.count:,} records hold{after}, head {self.head.hash[:16]} (record {self.head.seq})"
        return f"BROKEN after {self.count:,} records{after}: {self.broken}"

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.broken is None


def verify(records: Iterable[Record], *, after: Head | None = None, known: Head | None = None) -> Verification:
    """Check one chain from its first record, or from the one after `after`, in constant memory.

    `known` is a head noted earlier: a chain that does not lead there has been cut short or rewritten.
    """
    checking = Checking(after=after or Head(), known=known)
    for record in records:
        checking.add(kept(record))
    return checking.result()


class Checking:
    """A verification under way, a record at a time, in constant memory.

    `checkpoints` are those of the chain, in their order: it is then the rest of a chain, which begins after the last of them,
    and its own records must tell of them. It changes as it goes: a new value for each record would cost more than the check.
    """

    __slots__ = ("_after", "_broken", "_chain", "_checkpoints", "_hash", "_known", "_seq", "_told")

    def __init__(
        self,
        chain: str = "",
        *,
        after: Head | None = None,
        known: Head | None = None,
        checkpoints: Sequence[Checkpoint] | None = None,
    ) -> None:
        self._chain = chain
        self._after = checkpoints[-1].head if checkpoints else after or Head()
        self._known = known
        self._checkpoints = checkpoints
        self._told = not checkpoints
        self._seq, self._hash = self._after.seq, self._after.hash
        self._broken: Broken | None = None

    def add(self, record: Kept) -> None:
        """Check the next record; once broken, it stays as it is."""
        if self._broken is None:
            self._chain = self._chain or record[0]
            self._broken = self._fault(record)
            if self._broken is None:
                self._seq, self._hash = record[1], record[5]

    def result(self) -> Verification:
        """What was found: a chain that does not lead to its known head has lost records."""
        broken = self._broken or self._unfinished()
        return Verification(self._chain, self._seq - self._after.seq, Head(self._seq, self._hash), broken, self._after)

    def _fault(self, record: Kept) -> Broken | None:
        chain, seq, at, kind, text, digest = record
        expected = self._seq + 1
        if seq > expected:
            return Broken(self._chain, expected, "the record is missing")
        if seq < expected:
            return Broken(self._chain, seq, "the record comes again, or out of order")
        if _link(self._hash, text) != digest:
            problem = "the text is not what was hashed, or the record before it is not the one it was linked to"
        elif not _belongs(text, chain, seq, at, kind):
            problem = _misplaced(text, {"at": at, "chain": chain, "kind": kind, "seq": seq})
        else:
            problem = self._contradicted(seq, at, kind, text, digest)
        return Broken(self._chain, seq, problem) if problem else None

    def _contradicted(self, seq: int, at: str, kind: str, text: bytes, digest: str) -> str:
        """What is wrong with a record that is whole in itself, by what is known from elsewhere."""
        if self._known is not None and self._known.seq == seq and self._known.hash != digest:
            return "the record is not the one that was noted as the head"
        if kind != Kind.CHECKPOINT or self._checkpoints is None:
            return ""
        told = [each for each in self._checkpoints if _tells(at, text, each)]
        if not told:
            return "the checkpoint that was set is not the one that this record tells of"
        self._told = self._told or self._checkpoints[-1] in told
        return ""

    def _unfinished(self) -> Broken | None:
        if not self._told:
            return Broken(self._chain, self._after.seq, "the records up to here were taken out, and no record tells of it")
        if self._known is None or self._after.seq < self._known.seq <= self._seq or self._known in {self._after, Head()}:
            return None
        if self._known.seq > self._seq:
            problem = f"the record is missing; the chain went on to #{self._known.seq}"
            return Broken(self._chain, self._seq + 1, problem)
        problem = "the record noted as the head was taken out, or is another: verify the archive and the rest together"
        return Broken(self._chain, self._known.seq, problem)


@dataclass(frozen=True, slots=True)
class _Place:
    at: str
    chain: str
    kind: str
    seq: int


_read_place = TypeAdapter(_Place).validate_json
"""Reads a text to its end without making anything of most of it, in a third of the time of `json.loads`."""


def _belongs(text: bytes, chain: str, seq: int, at: str, kind: str) -> bool:
    """Whether a text is JSON that says this place."""
    try:
        said = _read_place(text, strict=True)
    except ValidationError:
        return False
    return said.seq == seq and said.at == at and said.kind == kind and said.chain == chain


def _misplaced(text: bytes, place: Mapping[str, object]) -> str:
    """What is wrong with a text that does not simply say its place."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return "the text is no record"
    wrong = sorted(name for name, value in place.items() if said.get(name) != value)
    return f"the text does not belong to this {' or '.join(wrong)}" if wrong else ""


def _tells(at: str, text: bytes, checkpoint: Checkpoint) -> bool:
    return at == instant(checkpoint.at) and json.loads(text).get("checkpoint") == checkpoint.body["checkpoint"]
