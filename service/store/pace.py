"""The booking-pace model of each clinic as last fitted: a document, and a key saying from which looks.

The document is the same that the inputs of the runs refer to which used the model.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, outerjoin, select

from service.core.errors import NotFoundError
from service.store import documents, tables
from service.store.database import Database, insert_or_replace
from service.store.documents import Document
from service.store.tables import pace_model as _model
from service.store.undisturbed import undisturbed

_JOINED = outerjoin(_model, tables.document, tables.document.c.digest == _model.c.document)
_KNOWN = select(_model.c.key, _model.c.document, tables.document.c.body).select_from(_JOINED)
_OF_CLINIC = _KNOWN.where(_model.c.clinic == bindparam("of"))


class Fitted(NamedTuple):
    """A model: the key that says from which looks, and its JSON."""

    key: str
    model: bytes


@undisturbed
class Pace:
    """The fitted models."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, clinic: str, key: str, model: bytes, at: datetime) -> None:
        """Replace the clinic's model; `model` is its JSON, as `documents.dump` writes it."""
        document = Document.of(model)
        async with self._database.writing() as conn:
            await documents.put(conn, [document], at)
            row = {"clinic": clinic, "key": key, "document": document.digest, "fitted_at": at}
            await conn.execute(insert_or_replace(conn, _model).values(row))


def fitted(conn: Connection, clinic: str) -> Fitted | None:
    """The clinic's model as it was fitted last. Raises StoreError if it is damaged."""
    row = conn.execute(_OF_CLINIC, {"of": clinic}).one_or_none()
    if row is None:
        return None
    if row.body is None:
        raise NotFoundError(f"no stored document {row.document}")
    return Fitted(row.key, documents.text_of(row.document, row.body))
