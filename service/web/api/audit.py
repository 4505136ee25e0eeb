"""`/v1/audit`: the ledger, record by record, as it can be verified without us."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from service.app import App
from service.core.ledger import SYSTEM, Head, Kind, Verification
from service.core.ledger import Record as CoreRecord
from service.keys import opens
from service.store.keys import Key
from service.web.asked import Cursor, Limit, TheApp, TheKey
from service.web.auth import administers, demand_clinic
from service.web.problems import problems

Chain = Annotated[
    str | None,
    QueryParameter(description=f"Only this clinic's chain; `{SYSTEM}` (keys, holds on everything) for admins", max_length=100),
]


@dataclass(frozen=True, slots=True)
class Record:
    """A record. `hash` is the SHA-256, in hex, of the hash of the record before it (64 zeros before the first) and `text`."""

    chain: str
    seq: int
    at: datetime
    kind: str
    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class Records:
    """A page of records, newest first; `next_cursor` is null on the last one."""

    items: tuple[Record, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The end of a chain: what to note down to detect a later rewriting."""

    chain: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Heads:
    """The ends of the chains your key opens."""

    items: tuple[ChainHead, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record at which a chain does not hold, and what is wrong there."""

    seq: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How far a chain holds: so many records, up to this head."""

    chain: str
    ok: bool
    count: int
    head: ChainHead
    broken: Broken | None


@dataclass(frozen=True, slots=True)
class Verifications:
    """Whether all of the chains hold, and each of them."""

    ok: bool
    items: tuple[Verified, ...]


@get("/audit", operation_id="listRecords", tags=["audit"], responses=problems(404, 422))
async def list_records(
    app: TheApp,
    key: TheKey,
    clinic: Chain = None,
    kind: Annotated[Kind | None, QueryParameter(description="Only records of this kind")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Records:
    """Records of the chains your key opens, newest first."""
    chains = await _chains(app, key, clinic)
    kinds = () if kind is None else (kind,)
    page = await app.store.ledger.records(chains=chains, kinds=kinds, cursor=cursor, limit=limit)
    return Records(tuple(map(_record, page.items)), page.cursor if page.more else None)


@get("/audit/head", operation_id="getHeads", tags=["audit"], responses=problems(404))
async def get_heads(app: TheApp, key: TheKey, clinic: Chain = None) -> Heads:
    """The newest record of each chain."""
    return Heads(tuple([_head(chain, await app.store.ledger.head(chain)) for chain in await _chains(app, key, clinic)]))


@get("/audit/verify", operation_id="verifyLedger", tags=["audit"], responses=problems(404))
async def verify(app: TheApp, key: TheKey, clinic: Chain = None) -> Verifications:
    """Check every record against the one before it, and name the first of each chain that does not hold."""
    found = [(chain, await app.store.ledger.verify(chain)) for chain in await _chains(app, key, clinic)]
    items = tuple(_verified(chain, verification) for chain, verification in found)
    return Verifications(all(each.ok for each in items), items)


HANDLERS = (list_records, get_heads, verify)


async def _chains(app: App, key: Key, clinic: str | None) -> tuple[str, ...]:
    """The chains asked about, of those that exist for the key."""
    if clinic is None:
        return tuple(chain for chain in await app.store.ledger.chains() if _opens(key, chain))
    if not (clinic == SYSTEM and administers(key)):
        await demand_clinic(app, key, clinic)
    return (clinic,)


def _opens(key: Key, chain: str) -> bool:
    return administers(key) if chain == SYSTEM else opens(key, chain)


def _record(record: CoreRecord) -> Record:
    return Record(record.chain, record.seq, record.at, record.kind, record.text, record.hash)


def _head(chain: str, head: Head) -> ChainHead:
    return ChainHead(chain, head.seq, head.hash)


def _verified(chain: str, found: Verification) -> Verified:
    broken = Broken(found.broken.seq, found.broken.problem) if found.broken else None
    return Verified(chain, found.ok, found.count, _head(chain, found.head), broken)
