"""A run's inputs in documents, what it shares with other runs by reference, and back, without loss.

    inputs ─┬─ rules, pace                 by digest
            ├─ snapshot ─┬─ reference      locations, practitioners, types, offers, hours, blocks, settings: rarely another
            │            └─ probes         the starts, packed; the same while nothing is booked
            └─ baselines                   snapshots of earlier runs

A snapshot whose diaries stand in it as they are was written before snapshots had parts; it is read as well.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, get_type_hints
from weakref import finalize

from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.model import RunInputs
from service.core.model import Campaign, Diaries, Offer, Probe, Snapshot, Unreadable
from service.store.documents import Document, dump, get, load
from service.store.packing import offers_of, pack, unpack

BY_REFERENCE = ("rules", "pace")
"""Large fields of `RunInputs` that are the same in run after run; None is never a reference."""

RARE = {"shares", "spent_shares", "least"}
"""Fields of a campaign that tell of divided budgets and least amounts."""

MOST_REFERENCES, MOST_PROBES = 50, 20_000
"""So many parts of snapshots are kept as values before all are let go."""


@dataclass(frozen=True, slots=True)
class SnapshotDocuments:
    """A snapshot in parts; `snapshot` names the others by digest."""

    snapshot: Document
    parts: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class InputDocuments:
    """A run's inputs in parts. `inputs` names the others by digest in the places where their values belong."""

    inputs: Document
    snapshot: Document
    parts: tuple[Document, ...]

    def all(self) -> tuple[Document, ...]:
        """Every part."""
        return (self.inputs, self.snapshot, *self.parts)


def take_apart(inputs: RunInputs) -> InputDocuments:
    """The documents of a run's inputs. Raises StoreError for a value that is not of its type."""
    shared = {name: Document.of(dump(kind, getattr(inputs, name))) for name, kind in _by_reference(inputs).items()}
    snapshot, *baselines = map(snapshot_apart, (inputs.snapshot, *inputs.baselines))
    whole = json.loads(dump(RunInputs, inputs, without=(*shared, "snapshot", "baselines")))
    whole |= {name: document.digest for name, document in shared.items()}
    whole |= {"snapshot": snapshot.snapshot.digest, "baselines": [each.snapshot.digest for each in baselines]}
    parts = (*shared.values(), *snapshot.parts, *(part for each in baselines for part in (each.snapshot, *each.parts)))
    return InputDocuments(_json(whole), snapshot.snapshot, parts)


async def put_together(conn: AsyncConnection, digest: str) -> RunInputs:
    """A run's inputs from their documents. Raises NotFoundError or StoreError."""
    whole = json.loads((await get(conn, [digest]))[digest])
    shared = {name: whole[name] for name in BY_REFERENCE if isinstance(whole.get(name), str)}
    texts = await get(conn, set(shared.values()))
    snapshot, *baselines = await snapshots_together(conn, [whole["snapshot"], *whole["baselines"]])
    whole |= {name: json.loads(texts[digest]) for name, digest in shared.items()}
    # Snapshots are values already: what stands for them on the way is the smallest that is one.
    stand_in = {"clinic": "", "taken_at": whole["now"], "campaigns": {}, "diaries": {"system": "", "message": ""}}
    inputs = load(RunInputs, json.dumps(whole | {"snapshot": stand_in, "baselines": []}))
    return replace(inputs, snapshot=snapshot, baselines=tuple(baselines))


def snapshot_apart(snapshot: Snapshot) -> SnapshotDocuments:
    """The documents of a snapshot; of one that was read, those it was read from."""
    return _read.get(id(snapshot)) or _apart(snapshot)


_read: dict[int, SnapshotDocuments] = {}
"""The documents of snapshots that were read, by identity, while they are in use: a run hands them back as its baselines."""


def _note_read(snapshot: Snapshot, documents: SnapshotDocuments) -> None:
    _read[id(snapshot)] = documents
    finalize(snapshot, _read.pop, id(snapshot)).atexit = False


def _apart(snapshot: Snapshot) -> SnapshotDocuments:
    diaries = snapshot.diaries
    if not isinstance(diaries, Diaries):
        return SnapshotDocuments(Document.of(dump(Snapshot, snapshot)), ())
    also = offers_of(diaries.offers, diaries.probes)
    reference = Document.of(
        b'{"diaries":%b,"also":%b}' % (dump(Diaries, replace(diaries, probes=())), dump(tuple[Offer, ...], also))
    )
    probes = _json(pack(diaries.probes, (*diaries.offers, *also)))
    whole = json.loads(dump(Snapshot, snapshot, without=("diaries",)))
    whole["campaigns"] = {name: _brief(campaign) for name, campaign in whole["campaigns"].items()}
    whole |= {"diaries": {"reference": reference.digest, "probes": probes.digest}}
    return SnapshotDocuments(_json(whole), (reference, probes))


def _brief(campaign: dict[str, Any]) -> dict[str, Any]:
    """Without what most campaigns do not have, and what reads the same where it is not there."""
    return {name: value for name, value in campaign.items() if name not in RARE or value not in ([], "0")}


@dataclass(slots=True)
class Shelf:
    """Parts of snapshots as values, for the next snapshot that has them too."""

    _references: dict[str, tuple[Diaries, tuple[Offer, ...]]] = field(default_factory=dict)
    _probes: dict[object, Probe] = field(default_factory=dict)

    def diaries(self, parts: Mapping[str, Any], texts: Mapping[str, bytes]) -> Diaries | Unreadable:
        """The diaries that a snapshot's document states, or names the parts of. Raises StoreError."""
        if not _parts(parts):
            return load(Diaries | Unreadable, json.dumps(parts))  # type: ignore[arg-type] # a union is a type too
        digest = parts["reference"]
        if digest not in self._references:
            self._references[digest] = _reference(texts[digest])
        listed, offers = self._references[digest]
        return replace(listed, probes=unpack(json.loads(texts[parts["probes"]]), offers, self._probes))

    def trim(self) -> None:
        """Let go of everything once it takes much room."""
        if len(self._references) > MOST_REFERENCES or len(self._probes) > MOST_PROBES:
            self._references.clear()
            self._probes.clear()


def _reference(text: bytes) -> tuple[Diaries, tuple[Offer, ...]]:
    """Diaries without probes, and all offers that probes are of."""
    found = json.loads(text)
    listed = load(Diaries, json.dumps(found["diaries"]))
    return listed, (*listed.offers, *load(tuple[Offer, ...], json.dumps(found["also"])))


async def snapshots_together(conn: AsyncConnection, digests: Collection[str]) -> list[Snapshot]:
    """The snapshots with these digests, in their order. Raises NotFoundError or StoreError."""
    wholes, texts, shelf = *await texts_of(conn, digests), Shelf()
    found = {digest: _together(digest, whole, texts, shelf) for digest, whole in wholes.items()}
    return [found[digest] for digest in digests]


async def campaigns_of(conn: AsyncConnection, digests: Sequence[str]) -> tuple[dict[str, Campaign | Unreadable], ...]:
    """The campaigns in the snapshots with these digests, in their order. Raises NotFoundError or StoreError."""
    texts = await get(conn, set(digests)) if digests else {}
    found = (json.dumps(json.loads(texts[digest])["campaigns"]) for digest in digests)
    return tuple(load(dict[str, Campaign | Unreadable], each) for each in found)


async def texts_of(conn: AsyncConnection, digests: Collection[str]) -> tuple[dict[str, dict[str, Any]], dict[str, bytes]]:
    """The documents of snapshots by digest, as JSON values, and their texts and those of the parts they name."""
    texts = await get(conn, set(digests)) if digests else {}
    wholes = {digest: json.loads(text) for digest, text in texts.items()}
    refs = {ref for whole in wholes.values() for ref in _parts(whole["diaries"])}
    return wholes, texts | (await get(conn, refs) if refs else {})


def _together(digest: str, whole: dict[str, Any], texts: Mapping[str, bytes], shelf: Shelf) -> Snapshot:
    # The diaries are values already: what stands for them on the way is the smallest that is one.
    listed = load(Snapshot, json.dumps(whole | {"diaries": {"system": "", "message": ""}}))
    snapshot = replace(listed, diaries=shelf.diaries(whole["diaries"], texts))
    parts = tuple(Document(each, texts[each]) for each in _parts(whole["diaries"]))
    _note_read(snapshot, SnapshotDocuments(Document(digest, texts[digest]), parts))
    return snapshot


def _parts(diaries: Mapping[str, Any]) -> tuple[str, ...]:
    return (diaries["reference"], diaries["probes"]) if "reference" in diaries else ()


def _by_reference(inputs: RunInputs) -> dict[str, Any]:
    """The type of each field that is stored by reference."""
    types = _types()
    names = [each.name for each in fields(inputs) if each.name in BY_REFERENCE]
    return {name: types[name] for name in names if getattr(inputs, name) is not None}


@cache
def _types() -> dict[str, Any]:
    return get_type_hints(RunInputs)


def _json(value: object) -> Document:
    return Document.of(json.dumps(value, separators=(",", ":")).encode())
