"""Values of the core as JSON documents, and back, without loss.

pydantic reads and writes the core's dataclasses by their annotations; infinite floats survive (JSON's usual extension,
`Infinity`). A document is kept compressed under the SHA-256 of its text, so that what many runs share, such as the rules and
the snapshots they compare with, is stored once. Documents name others by digest inside their compressed text, where the
database cannot see it; so each carries the day it was last used, and is removed by that (`retention`).
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError
from sqlalchemy import BindParameter, bindparam, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.canonical import in_full
from service.core.errors import NotFoundError, StoreError
from service.store import tables
from service.store.database import inserted_of

T = TypeVar("T")


def dump(kind: type[T], value: T, without: Collection[str] = ()) -> bytes:
    """The JSON of a value of the core, `without` some of its fields; a lone surrogate in a text becomes `?`, as in the ledger.

    Raises StoreError for a value that is not of its type: it would not come back.
    """
    try:
        try:
            return _adapter(kind).dump_json((value,), exclude={0: set(without)}, warnings="error")[1:-1]
        except PydanticSerializationError:  # it may be about one character, or about the value
            [plain] = _adapter(kind).dump_python((value,), mode="json", exclude={0: set(without)}, warnings="error")
            return json.dumps(in_full(plain), ensure_ascii=False, separators=(",", ":")).encode()
    except (PydanticSerializationError, UnicodeEncodeError) as error:
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
    """JSON and the SHA-256, in hex, of its text."""

    digest: str
    text: bytes

    @classmethod
    def of(cls, data: bytes) -> Document:
        """The document with this text."""
        return cls(hashlib.sha256(data).hexdigest(), data)

    def compressed(self) -> bytes:
        """As it is stored. Most documents of a run are there by then, and are not compressed once more."""
        return zlib.compress(self.text, zlib.Z_BEST_COMPRESSION)


# Every run puts some documents: its statements are made once.
_TABLE = tables.document
_DAY: BindParameter[Any] = bindparam("day")
_AMONG = _TABLE.c.digest.in_(bindparam("digests", expanding=True))
_FOUND = select(_TABLE.c.digest, func.coalesce(_TABLE.c.used_on >= _DAY, false()).label("used")).where(_AMONG)
_STALE = select(_TABLE.c.digest).where(_AMONG, or_(_TABLE.c.used_on.is_(None), _TABLE.c.used_on < _DAY))
# In the order of digests, so that two clinics' runs that share some do not wait for each other.
_IN_ORDER = _STALE.order_by(_TABLE.c.digest).with_for_update(key_share=True)
_NOTE_USE = update(_TABLE).where(_TABLE.c.digest.in_(_IN_ORDER)).values(used_on=_DAY).returning(_TABLE.c.digest)
_BODIES = select(_TABLE.c.digest, _TABLE.c.body).where(_AMONG)


async def put(conn: AsyncConnection, documents: Iterable[Document], at: datetime) -> None:
    """Store the documents that are not there yet, and note of all of them that they are in use at `at`.

    Nobody removes what is used today. A document that is removed at the same moment is either seen to be gone, and stored
    again, or noted as in use, and stays: both sides write the one row, and the later of them looks at it again.
    """
    wanted = {each.digest: each for each in documents}
    day = at.astimezone(UTC).date()
    while wanted:
        rows = await conn.execute(_FOUND, {"digests": [*wanted], "day": day})
        found = {row.digest: row.used for row in rows}
        done = {digest for digest, used in found.items() if used}
        if stale := sorted(found.keys() - done):
            done |= {*await conn.scalars(_NOTE_USE, {"digests": stale, "day": day})}
        if found.keys() <= done:  # else one has just been removed, and goes in with the others: in the order of digests
            new = (wanted[digest] for digest in sorted(wanted.keys() - found.keys()))
            put_in = [{"digest": each.digest, "body": each.compressed(), "used_on": day} for each in new]
            done |= await inserted_of(conn, _TABLE, put_in)
        wanted = {digest: each for digest, each in wanted.items() if digest not in done}


async def get(conn: AsyncConnection, digests: Collection[str]) -> dict[str, bytes]:
    """The texts of documents by digest. Raises NotFoundError if one is missing, StoreError if one is damaged."""
    rows = await conn.execute(_BODIES, {"digests": [*digests]})
    found = {row.digest: text_of(row.digest, row.body) for row in rows}
    if absent := set(digests) - found.keys():
        raise NotFoundError(f"no stored document {min(absent)}")
    return found


def text_of(digest: str, body: bytes) -> bytes:
    """The text of a document from its compressed body. Raises StoreError if it is damaged."""
    try:
        data = zlib.decompress(body)
    except zlib.error as error:
        raise StoreError(f"the stored document {digest} is damaged: {error}") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(f"the stored document {digest} is damaged: it is not what was stored")
    return data
