"""Retention of the ledger: its oldest records into a file, and out of the database, so that the chain can still be verified.

    write the file ▸ on the disk ▸ read it back, check its chains ▸ give it its name ▸ set the checkpoints ▸ remove the rows

Killed anywhere in between, nothing is lost, and the same call again goes on from there: a record is removed only once it is
in a file on the disk and a checkpoint says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from service.core.errors import InputError, LedgerBrokenError
from service.core.exports import Format, lines
from service.core.ledger import Checkpoint, exported
from service.core.verification import Checking, Verification
from service.files import new_file, on_disk
from service.store.archives import Segment
from service.store.ledger import Wanted
from service.store.store import Store

LONGEST_NAME = 255
"""Characters; a file's name is in the checkpoint."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What a file holds, by chain. `earlier`: an earlier call had taken it out, and this one took no more."""

    checkpoints: tuple[Checkpoint, ...]
    earlier: bool = False


async def archive(store: Store, chains: Collection[str], before: datetime, file: Path, *, by: str, now: datetime) -> Archived:
    """Take the records of these chains from before an instant out of the database, into a new file.

    Of each chain it takes all from the first that is there on, as `audit export` prints them, but never the newest. A file that
    is there already is used only if it is such an archive, of an earlier call that was interrupted. Raises InputError for any
    other, and LedgerBrokenError where a chain does not hold; nothing was taken then.
    """
    if len(file.name) > LONGEST_NAME:
        raise InputError(f"a file's name has {LONGEST_NAME} characters at most: {file.name[:40]}...")
    await _remove(store)
    digest = _digest(file)
    if digest and (done := await store.archives.of_file(digest)):
        return Archived(done, earlier=True)
    segments = [each for each in [await store.archives.segment(chain, before) for chain in chains] if each is not None]
    if not segments:
        return Archived(())
    held = _interrupted(file, segments) if digest else await _write(store, segments, file)
    made = tuple(_checkpoint(each, file, held.digest, by, now) for each in held.segments)
    await store.archives.take_out(made)
    await _remove(store)
    return Archived(made)


def _checkpoint(segment: Segment, file: Path, digest: str, by: str, now: datetime) -> Checkpoint:
    last = segment.last
    return Checkpoint(segment.chain, last.seq, last.hash, segment.after.seq + 1, file.name, digest, now, by)


async def _remove(store: Store) -> None:
    while await store.archives.remove():
        pass


# --- the file -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """A file that holds these segments, whole, and nothing else; `digest` is its SHA-256."""

    segments: tuple[Segment, ...]
    digest: str


async def _write(store: Store, segments: Sequence[Segment], path: Path) -> Held:
    """Write the segments to a new file, chain by chain. Raises LedgerBrokenError if they do not hold."""
    with new_file(path) as file:
        for each in segments:
            await _copy(store, each, file)
        on_disk(file)
        held = _read(Path(file.name), segments)
        if list(held.segments) != list(segments):
            raise LedgerBrokenError("what was written is not what was to be taken out; nothing is")
    return held


async def _copy(store: Store, segment: Segment, file: BinaryIO) -> None:
    async for records in await store.ledger.export(Wanted(chains=(segment.chain,))):
        wanted = [record for record in records if record.seq <= segment.last.seq]
        file.write(lines(Format.NDJSON, wanted))
        if len(wanted) < len(records):
            return


def _interrupted(path: Path, segments: Sequence[Segment]) -> Held:
    """What a file holds that an earlier call wrote and did not come to set the checkpoints of.

    It may be less than there is to take by now. That it is what the database has, the database itself demands.
    """
    try:
        held = _read(path, segments)
    except LedgerBrokenError as error:
        raise InputError(f"{path} exists and is not this archive ({error}): name a new file") from error
    if not held.segments:
        raise InputError(f"{path} exists and is not this archive (it is empty): name a new file")
    with path.open("rb") as file:
        on_disk(file)
    return held


def _read(path: Path, segments: Sequence[Segment]) -> Held:
    """Read an archive of these segments, or of their beginnings. Raises LedgerBrokenError for one that does not hold."""
    checking = {each.chain: Checking(each.chain, after=each.after) for each in segments}
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            digest.update(line)
            try:
                record = exported(line)
                checking[record[0]].add(record)
            except (ValueError, KeyError):
                raise LedgerBrokenError(f"line {number} is no record of what is to be taken out") from None
    found = [_part(each, checking[each.chain].result()) for each in segments]
    return Held(tuple(each for each in found if each.last != each.after), digest.hexdigest())


def _part(segment: Segment, found: Verification) -> Segment:
    """As much of a segment as was found."""
    if found.broken:
        raise LedgerBrokenError(f"nothing is taken out: {found.broken}")
    if found.head.seq > segment.last.seq:
        raise LedgerBrokenError(f"{segment.chain} goes on after #{segment.last.seq}, which is the last to be taken out")
    return replace(segment, last=found.head)


def _digest(path: Path) -> str | None:
    """The SHA-256 of a file; None where there is none. Raises InputError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
