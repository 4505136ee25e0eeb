"""Values of the core as JSON documents, and back, without loss.

pydantic reads and writes the core's dataclasses by their annotations; infinite floats survive (JSON's usual extension,
`Infinity`). A document is kept compressed under the SHA-256 of its text, so that what many runs share, such as the rules and
the snapshots they compare with, is stored once.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.model import RunInputs
from service.core.errors import NotFoundError, StoreError
from service.core.model import Snapshot
from service.core.rules.language import RuleSet
from service.store import tables

T = TypeVar("T")


def dump(kind: type[T], value: T, without: Collection[str] = ()) -> bytes:
    """The JSON of a value of the core, `without` some of its fields.

    Raises StoreError for a value that is not of its type: it would not come back.
    """
    try:
        return _adapter(kind).dump_json((value,), exclude={0: set(without)}, warnings="error")[1:-1]
    except PydanticSerializationError as error:
        raise StoreError(f"a {kind.__name__} cannot be stored: {error}") from error


def load(kind: type[T], data: bytes | str) -> T:
    """The value of the core that `data` is the JSON of. Raises StoreError where it is not one."""
    raw = data.encode() if isinstance(data, str) else data
    try:
        return _adapter(kind).validate_json(b"[" + raw + b"]")[0]
    except ValidationError as error:
        raise StoreError(
            f"a stored {kind.__name__} cannot be read back: {error.errors(include_input=False)[0]['msg']}"
        ) from error


_adapters: dict[object, TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[tuple[T]]:
    if kind not in _adapters:
        # A dataclass takes no configuration from outside; a tuple does, and passes it on.
        _adapters[kind] = TypeAdapter(tuple[kind], config=ConfigDict(ser_json_inf_nan="constants"))  # type: ignore[valid-type] # a type at run time
    return _adapters[kind]


# --- documents ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """Compressed JSON and the SHA-256, in hex, of its text."""

    digest: str
    body: bytes

    @classmethod
    def of(cls, data: bytes) -> Document:
        """The document with this text."""
        return cls(hashlib.sha256(data).hexdigest(), zlib.compress(data))


async def put(conn: AsyncConnection, documents: Iterable[Document]) -> None:
    """Store the documents that are not there yet."""
    wanted = {each.digest: each for each in documents}
    table = tables.document
    there = await conn.scalars(select(table.c.digest).where(table.c.digest.in_(wanted)))
    missing = wanted.keys() - set(there)
    if missing:
        await conn.execute(insert(table), [{"digest": digest, "body": wanted[digest].body} for digest in sorted(missing)])


async def get(conn: AsyncConnection, digests: Collection[str]) -> dict[str, bytes]:
    """The texts of documents by digest. Raises NotFoundError if one is missing, StoreError if one is damaged."""
    table = tables.document
    rows = await conn.execute(select(table.c.digest, table.c.body).where(table.c.digest.in_(digests)))
    found = {row.digest: _text(row.digest, row.body) for row in rows}
    if absent := set(digests) - found.keys():
        raise NotFoundError(f"no stored document {min(absent)}")
    return found


def _text(digest: str, body: bytes) -> bytes:
    try:
        data = zlib.decompress(body)
    except zlib.error as error:
        raise StoreError(f"the stored document {digest} is damaged: {error}") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(f"the stored document {digest} is damaged: it is not what was stored")
    return data


# --- a run's inputs, with what it shares with others by reference -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InputDocuments:
    """A run's inputs in parts. `inputs` names the others by digest in the places where their values belong."""

    inputs: Document
    rules: Document
    snapshot: Document
    baselines: tuple[Document, ...]

    def all(self) -> tuple[Document, ...]:
        """Every part."""
        return (self.inputs, self.rules, self.snapshot, *self.baselines)


def take_apart(inputs: RunInputs) -> InputDocuments:
    """The documents of a run's inputs."""
    rules = Document.of(dump(RuleSet, inputs.rules))
    snapshot, *baselines = (Document.of(dump(Snapshot, each)) for each in (inputs.snapshot, *inputs.baselines))
    whole = json.loads(dump(RunInputs, inputs, without=("rules", "snapshot", "baselines")))
    parts = {"rules": rules.digest, "snapshot": snapshot.digest, "baselines": [each.digest for each in baselines]}
    return InputDocuments(Document.of(json.dumps(whole | parts).encode()), rules, snapshot, tuple(baselines))


async def put_together(conn: AsyncConnection, digest: str) -> RunInputs:
    """A run's inputs from their documents. Raises NotFoundError or StoreError."""
    whole = json.loads((await get(conn, [digest]))[digest])
    refs = [whole["rules"], whole["snapshot"], *whole["baselines"]]
    texts = await get(conn, set(refs))
    rules, snapshot, *baselines = (json.loads(texts[each]) for each in refs)
    return load(RunInputs, json.dumps(whole | {"rules": rules, "snapshot": snapshot, "baselines": baselines}))
