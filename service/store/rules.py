"""Revisions of rule files: the last good one of each clinic stays in force until a better one is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.errors import NotFoundError, Problem
from service.core.ledger import Kind
from service.core.rules.language import RuleSet
from service.store import documents
from service.store.database import Database, alone
from service.store.documents import Document
from service.store.ledger import append
from service.store.tables import document as _document
from service.store.tables import rejection as _rejection
from service.store.tables import revision as _revision
from service.store.undisturbed import at_once, undisturbed

# Every run asks what is in force.
_REJECTED = select(_rejection.c.clinic).where(_rejection.c.clinic == bindparam("of")).exists()
_LOADED = select(_revision.c.digest, _revision.c.rules, _REJECTED.label("rejected")).where(
    _revision.c.clinic == bindparam("of")
)
_IN_FORCE = _LOADED.order_by(_revision.c.id.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Revision:
    """A rule file that was good: what it said, as a value and as text, and when it was first loaded."""

    rules: RuleSet
    text: str
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class InForce:
    """What the rule file that was good last is known by, and its value's document; whether a later one stands rejected."""

    digest: str
    document: str
    rejected: bool


@dataclass(frozen=True, slots=True)
class Rejection:
    """A rule file that stands but was refused as a whole, and when it was first seen."""

    digest: str
    problems: tuple[Problem, ...]
    rejected_at: datetime


@undisturbed
class Rules:
    """The rule files of every clinic, as loaded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_rules(
        self, clinic: str, digest: str, text: str, rules: RuleSet, at: datetime, known: InForce | None = None
    ) -> bool:
        """Put a good rule file in force; says whether it differs from the one that was. A rejected one is forgotten.

        `known` is what was in force a moment ago, for whoever has asked.
        """
        document = Document.of(documents.dump(RuleSet, rules))
        if (known or await self.in_force(clinic)) == InForce(digest, document.digest, rejected=False):
            return False  # as nearly always: nobody is kept from writing
        async with self._database.writing() as conn:
            await alone(conn, f"rules {clinic}")
            await conn.execute(delete(_rejection).where(_rejection.c.clinic == clinic))
            last = await _latest(conn, clinic)
            if last and (last.digest, last.rules) == (digest, document.digest):
                return False
            await documents.put(conn, [document], at)
            if last and last.digest == digest:
                # The same file, read otherwise by another version of the loader.
                await conn.execute(update(_revision).where(_revision.c.id == last.id).values(rules=document.digest))
                return False
            row = {"clinic": clinic, "digest": digest, "text": text, "rules": document.digest, "loaded_at": at}
            await conn.execute(insert(_revision).values(row))
            body = {"digest": digest, "replaces": last.digest if last else None, "mode": rules.mode, "rules": len(rules.rules)}
            body |= {"revision": rules.revision}
            await append(conn, clinic, Kind.RULES_LOADED, body, at)
            return True

    @at_once
    async def in_force(self, clinic: str) -> InForce | None:
        """Which rule file of a clinic was good last."""
        row = await self._database.read(lambda conn: conn.execute(_IN_FORCE, {"of": clinic}).one_or_none())
        return InForce(row.digest, row.rules, bool(row.rejected)) if row else None

    @at_once
    async def rules_in_force(self, clinic: str) -> Revision | None:
        """The last good rule file of a clinic."""
        query = select(_revision, _document.c.body).outerjoin(_document, _document.c.digest == _revision.c.rules)
        query = query.where(_revision.c.clinic == clinic).order_by(_revision.c.id.desc()).limit(1)
        row = await self._database.read(lambda conn: conn.execute(query).one_or_none())
        if row is None:
            return None
        if row.body is None:
            raise NotFoundError(f"no stored document {row.rules}")
        rules = documents.text_of(row.rules, row.body)
        return Revision(documents.load(RuleSet, rules), row.text, row.loaded_at)

    async def revision(self, clinic: str, digest: str) -> Revision | None:
        """The good rule file of a clinic with this digest, as it was in force last."""
        wanted = (_revision.c.clinic == clinic, _revision.c.digest == digest)
        async with self._database.reading() as conn:
            query = select(_revision).where(*wanted).order_by(_revision.c.id.desc()).limit(1)
            if (row := (await conn.execute(query)).one_or_none()) is None:
                return None
            rules = (await documents.get(conn, [row.rules]))[row.rules]
        return Revision(documents.load(RuleSet, rules), row.text, row.loaded_at)

    async def reject_rules(self, clinic: str, digest: str, problems: tuple[Problem, ...], at: datetime) -> bool:
        """Remember that the rule file as it stands is bad; recorded, and True, the first time it is seen so."""
        async with self._database.writing() as conn:
            await alone(conn, f"rules {clinic}")
            seen = await conn.scalar(select(_rejection.c.digest).where(_rejection.c.clinic == clinic))
            if seen == digest:
                return False
            await conn.execute(delete(_rejection).where(_rejection.c.clinic == clinic))
            text = documents.dump(tuple[Problem, ...], problems).decode()
            await conn.execute(insert(_rejection).values(clinic=clinic, digest=digest, problems=text, rejected_at=at))
            await append(conn, clinic, Kind.RULES_REJECTED, {"digest": digest, "problems": problems}, at)
            return True

    @at_once
    async def rejected_rules(self, clinic: str) -> Rejection | None:
        """The rule file that stands rejected, if the one that stands is."""
        query = select(_rejection).where(_rejection.c.clinic == clinic)
        row = await self._database.read(lambda conn: conn.execute(query).one_or_none())
        return Rejection(row.digest, documents.load(tuple[Problem, ...], row.problems), row.rejected_at) if row else None

    async def clinics(self) -> tuple[str, ...]:
        """The clinics that ever had a good rule file, in alphabetical order."""
        async with self._database.reading() as conn:
            return tuple(await conn.scalars(select(_revision.c.clinic).distinct().order_by(_revision.c.clinic)))


async def _latest(conn: AsyncConnection, clinic: str) -> Row[Any] | None:
    query = select(_revision).where(_revision.c.clinic == clinic).order_by(_revision.c.id.desc()).limit(1)
    return (await conn.execute(query)).one_or_none()
