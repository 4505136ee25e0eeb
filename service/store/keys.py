"""API keys. Only the hash of a secret is ever stored; the ledger sees not even that."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select, update

from service.core.errors import InputError, NotFoundError, StoreError
from service.core.ledger import SYSTEM, Kind
from service.store.database import Database, alone
from service.store.ledger import append
from service.store.tables import key as _key
from service.store.undisturbed import at_once, undisturbed

USE_IS_NOTED_EVERY = timedelta(minutes=1)
"""A key in steady use costs one write per this much time, not one per request."""


KNOWN_FOR = 1.0
"""Seconds after which a key that was revoked by another process opens nothing any more, at the latest."""

KNOWN_AT_MOST = 10_000
"""Keys that are kept in mind."""


class Role(StrEnum):
    """What the bearer of a key may do: look; also approve, hold and evaluate; also administer."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Key:
    """An API key without its secret. `clinics` are those it opens; `expires_at` None means never."""

    id: str
    name: str
    role: Role
    clinics: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    def valid(self, now: datetime) -> bool:
        """Whether the key opens anything: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@undisturbed
class Keys:
    """The keys of this installation."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database, self._monotonic = database, monotonic
        self._found: OrderedDict[str, tuple[float, Key]] = OrderedDict()
        self._noted: dict[str, datetime] = {}

    async def create_key(
        self,
        name: str,
        role: Role,
        clinics: Collection[str],
        hash_: str,
        created_at: datetime,
        expires_at: datetime | None = None,
        *,
        by: str | None = None,
    ) -> Key:
        """Store a key by the SHA-256, in hex, of its secret; its id comes from the start of that hash.

        `by` is who makes it, as far as that is known. Raises InputError for the name of a key that is still valid: what a key
        does is recorded under its name.
        """
        key = Key(f"key_{hash_[:12]}", name, role, tuple(sorted(set(clinics))), created_at, expires_at)
        row = {"id": key.id, "name": name, "role": role.value, "clinics": json.dumps(key.clinics), "hash": hash_}
        body = {"key": key.id, "name": name, "role": role, "clinics": key.clinics, "expires_at": expires_at}
        async with self._database.writing() as conn:
            await alone(conn, "keys")
            _demand_free(name, map(_from, await conn.execute(select(_key).where(_key.c.revoked_at.is_(None)))), created_at)
            await conn.execute(insert(_key).values(**row, created_at=created_at, expires_at=expires_at))
            await append(conn, SYSTEM, Kind.KEY_CREATED, body | _told_of(by), created_at)
        return key

    @at_once
    async def find_key(self, hash_: str) -> Key | None:
        """The key whose secret has this hash, valid or not, as it was within the last `KNOWN_FOR` seconds.

        What this process itself does to a key it knows at once. That there is none is never remembered: one may be made.
        """
        now, known = self._monotonic(), self._found.get(hash_)
        if known is not None and now - known[0] < KNOWN_FOR:
            return known[1]
        query = select(_key).where(_key.c.hash == hash_)
        row = await self._database.read(lambda conn: conn.execute(query).one_or_none())
        return None if row is None else self._remember(hash_, now, _from(row))

    def _remember(self, hash_: str, now: float, key: Key) -> Key:
        self._found[hash_] = (now, key)
        self._found.move_to_end(hash_)
        if len(self._found) > KNOWN_AT_MOST:
            self._found.popitem(last=False)
        return key

    async def keys(self) -> tuple[Key, ...]:
        """Every key there ever was, oldest first."""
        async with self._database.reading() as conn:
            return tuple(map(_from, await conn.execute(select(_key).order_by(_key.c.created_at, _key.c.id))))

    async def revoke_key(self, id_: str, at: datetime, *, by: str | None = None) -> Key:
        """Make a key worthless; `by` is who does, as far as that is known.

        Raises NotFoundError if there is none of this id, or it has been revoked.
        """
        revoked = update(_key).where(_key.c.id == id_, _key.c.revoked_at.is_(None)).values(revoked_at=at).returning(_key)
        async with self._database.writing() as conn:
            if (row := (await conn.execute(revoked)).one_or_none()) is None:
                raise NotFoundError(f"no key {id_} that could be revoked")
            key = _from(row)
            await append(conn, SYSTEM, Kind.KEY_REVOKED, {"key": key.id, "name": key.name} | _told_of(by), at)
        self._found.clear()
        return key

    async def note_use(self, key: Key, at: datetime) -> None:
        """Remember when a key was last used, to the minute; of requests at once only the first writes."""
        if use_is_noted(key, at) or _is_near(self._noted.get(key.id), at):
            return
        self._noted[key.id] = at
        noted = update(_key).where(_key.c.id == key.id).values(used_at=at).returning(_key.c.hash)
        try:
            async with self._database.writing() as conn:
                hash_ = await conn.scalar(noted)
        except StoreError:
            del self._noted[key.id]  # the next request shall try again
            raise
        self._found.pop(hash_ or "", None)


def _demand_free(name: str, keys: Iterable[Key], now: datetime) -> None:
    for key in keys:
        if key.valid(now) and key.name.casefold() == name.casefold():
            raise InputError(f"{key.id} is called {key.name!r} and still valid: choose another name, or revoke that key")


def _told_of(by: str | None) -> dict[str, object]:
    return {"by": by} if by else {}


def use_is_noted(key: Key, at: datetime) -> bool:
    """Whether it is known well enough that a key was used at this time."""
    return _is_near(key.used_at, at)


def _is_near(noted: datetime | None, at: datetime) -> bool:
    return noted is not None and at - noted < USE_IS_NOTED_EVERY


def _from(row: Row[Any]) -> Key:
    return Key(
        row.id, row.name, Role(row.role), tuple(json.loads(row.clinics)),
        row.created_at, row.expires_at, row.revoked_at, row.used_at,
    )  # fmt: skip
