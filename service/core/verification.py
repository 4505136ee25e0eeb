"""Whether a chain of the ledger is whole, and if not, the first record at which it is not. In constant memory. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from service.core.canonical import instant
from service.core.ledger import Checkpoint, Head, Kept, Kind, Record, kept, link_bytes

NOTHING = Head()
"""The end of a chain without records."""


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
    head: Head = NOTHING
    broken: Broken | None = None
    after: Head = NOTHING

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
        if link_bytes(self._hash, text) != digest:
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
