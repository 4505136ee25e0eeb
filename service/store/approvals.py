"""What people are asked, and what they answer.

A run asks, and ends questions that no longer are; people answer. Both go by what they read a moment ago. So an answer is taken
only by a question that still stands, and a run that ends a question ends it however it was answered meanwhile: what was said
of a question that is none any more stays on record, and allows nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.decide.approvals import PATIENCE, STANDING
from service.core.decide.model import Answer, Approval
from service.core.errors import AnsweredError, NotFoundError
from service.core.ledger import Kind
from service.store import documents
from service.store.database import Database
from service.store.ledger import append
from service.store.tables import approval as _approval
from service.store.undisturbed import at_once, undisturbed

RECORDED = {Answer.APPROVED: Kind.APPROVAL, Answer.REJECTED: Kind.REJECTION}

_OF_CLINIC = select(_approval.c.body).where(_approval.c.clinic == bindparam("of"), _approval.c.answer.in_(STANDING))
_STANDING = _OF_CLINIC.order_by(_approval.c.asked_at, _approval.c.id)
"""The questions of a clinic that still stand, in the order they were asked; every run asks for them."""

_STANDING_LOCKED = _STANDING.with_for_update()


@undisturbed
class Approvals:
    """The questions to people, of every clinic."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @at_once
    async def standing(self, clinic: str) -> dict[str, Approval]:
        """The questions of a clinic that still stand, answered or not, by campaign."""
        return await self._database.read(lambda conn: standing(conn, clinic))

    async def get(self, ids: Collection[str]) -> dict[str, Approval]:
        """Those of these questions that there are, by id, however they ended."""
        async with self._database.reading() as conn:
            rows = await conn.execute(select(_approval.c.body).where(_approval.c.id.in_(ids)))
            return {each.id: each for each in map(_from, rows)}

    async def answer(self, id_: str, answer: Answer, by: str, why: str, at: datetime) -> Approval:
        """Put a person's yes or no to a question on record; the same answer once more changes nothing.

        Raises NotFoundError, and AnsweredError where it is no longer a question.
        """
        async with self._database.writing() as conn:
            row = (await conn.execute(select(_approval.c.body).where(_approval.c.id == id_).with_for_update())).one_or_none()
            if row is None:
                raise NotFoundError(f"nobody was asked about a decision {id_}")
            known = _from(row)
            if known.answer is answer:
                return known
            _demand_open(known, at)
            given = replace(known, answer=answer, by=by, at=at, why=why)
            await _replace(conn, given)
            await append(conn, known.clinic, RECORDED[answer], {"approval": given}, at)
        return given


def standing(conn: Connection, clinic: str) -> dict[str, Approval]:
    """The questions of a clinic that still stand, answered or not, by campaign."""
    return {each.campaign: each for each in map(_from, conn.execute(_STANDING, {"of": clinic}))}


def _demand_open(known: Approval, at: datetime) -> None:
    if known.answer is Answer.EXPIRED and known.at is not None:
        given = f"{known.by} has approved it already, on {known.at:%Y-%m-%d at %H:%M} UTC"
        raise AnsweredError(f"{given}, but for a day nothing could be done about it; a later run asks anew")
    if known.answer in {Answer.APPROVED, Answer.REJECTED}:
        raise AnsweredError(f"{known.by} has {known.answer} it already, on {known.at:%Y-%m-%d at %H:%M} UTC")
    if known.answer is Answer.EXPIRED or at - known.asked_at >= PATIENCE:
        raise AnsweredError(
            f"the question was asked on {known.asked_at:%Y-%m-%d at %H:%M} UTC and waited a day; a later run asks anew"
        )
    if known.answer is not Answer.PENDING:
        raise AnsweredError("it is no longer the question: the rules, the campaign or what the rules want has changed since")


async def advance(conn: AsyncConnection, clinic: str, before: Mapping[str, Approval], after: Iterable[Approval]) -> None:
    """Move from the questions a run began with to those it leaves, and leave no other standing, answered or not.

    An answer that was given meanwhile to a question that has ended stays with it, and in the ledger, and allows nothing.
    """
    known, left = {each.id: each for each in before.values()}, {each.id: each for each in after}
    for row in await conn.execute(_STANDING_LOCKED, {"of": clinic}):
        now = _from(row)
        answer = left[now.id].answer if now.id in left else Answer.VOID
        if answer not in STANDING:
            await _replace(conn, replace(now, answer=answer))
    new = [_row(each) for each in left.values() if each.id not in known]
    if new:
        await conn.execute(insert(_approval), new)


async def _replace(conn: AsyncConnection, given: Approval) -> None:
    await conn.execute(update(_approval).where(_approval.c.id == given.id).values(_row(given)))


def _row(approval: Approval) -> dict[str, Any]:
    same = ("id", "clinic", "campaign", "asked_at")
    body = documents.dump(Approval, approval).decode()
    return {**{name: getattr(approval, name) for name in same}, "answer": approval.answer.value, "body": body}


def _from(row: Row[Any]) -> Approval:
    return documents.load(Approval, row.body)
