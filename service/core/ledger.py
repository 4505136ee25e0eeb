"""The ledger's arithmetic: records, the hashes that link them, and what was taken out of a chain.

A record is kept as its canonical text, so that what was hashed is what is stored, exported and read. Whoever holds a chain's
head (its last number and hash) can tell whether anything before it was altered, removed or reordered. The same rules are
written once more, on purpose, in the stand-alone verifier, which shares no code with this module. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from service.core.canonical import canonical, encoded, instant, text_in_full

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
    return link_bytes(prev_hash, utf8(text))


def link_bytes(prev_hash: str, text: bytes) -> str:
    """`link`, of a text that is UTF-8 already."""
    return hashlib.sha256(utf8(prev_hash) + text).hexdigest()


def utf8(text: str) -> bytes:
    """A text as it is hashed; also one that was damaged and is no UTF-8."""
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
    return text_in_full(encoded({**names, "text": record.text}))


Kept = tuple[str, int, str, str, bytes, str]
"""A record as it is kept, before anything is made of it: chain, number, instant, kind, text in UTF-8, hash."""


def kept(record: Record) -> Kept:
    """A record as it is kept."""
    return record.chain, record.seq, instant(record.at), record.kind, utf8(record.text), record.hash


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
    return found.chain, found.seq, found.at, found.kind, utf8(found.text), found.hash


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
