"""`/v1/audit`: the ledger, record by record, as it can be verified without us."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from litestar import Response, get
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Schema
from litestar.params import QueryParameter
from litestar.response import Stream

from service.app import App
from service.core.errors import InputError
from service.core.exports import MEDIA_TYPES, Format, beginning, lines
from service.core.ledger import SYSTEM, Head, Kind
from service.core.ledger import Record as CoreRecord
from service.core.verification import Verification
from service.keys import opens
from service.signing import Signer
from service.store.keys import Key
from service.store.ledger import Wanted
from service.web.asked import Before, Cursor, Limit, Since, TheApp, TheKey, accepted, instant
from service.web.auth import KeyRequest, administers, demand_clinic
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
class SignedHead:
    """A head to keep: what was signed, and how to check it.

    `signature` is Ed25519 of `text` in UTF-8, in base64; `public_key` is PEM, and `key_id` the beginning of the SHA-256, in
    hex, of the same key in DER form. Have the key told to you once by another way than this.
    """

    text: str
    signature: str
    public_key: str
    key_id: str


@dataclass(frozen=True, slots=True)
class CurrentHead:
    """The end of a chain now; `signed` is null where the service has no key to sign with."""

    chain: str
    seq: int
    hash: str
    signed: SignedHead | None


@dataclass(frozen=True, slots=True)
class Heads:
    """The ends of the chains your key opens."""

    items: tuple[CurrentHead, ...]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record at which a chain does not hold, and what is wrong there."""

    seq: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How far a chain holds: so many records, up to this head.

    `after` is the record that the first of them follows, which is in an archive; null where the chain begins here.
    """

    chain: str
    ok: bool
    count: int
    after: ChainHead | None
    head: ChainHead
    broken: Broken | None


@dataclass(frozen=True, slots=True)
class Verifications:
    """Whether all of the chains hold, and each of them."""

    ok: bool
    items: tuple[Verified, ...]


class Shown(StrEnum):
    """How records are answered with."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


SHOWN = {"application/json": Shown.JSON} | {MEDIA_TYPES[form]: Shown(form) for form in Format}
"""By media type; the first is what those get who have no wish."""


@dataclass
class ExportedToo(Operation):
    """The description of a listing that is also answered as a file."""

    def __post_init__(self) -> None:
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse) and answer.content is not None:
            for form, media_type in MEDIA_TYPES.items():
                said = f"All records, oldest first, as `governor audit export --format {form}` writes them"
                answer.content[media_type] = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, description=said))


@get("/audit", operation_id="listRecords", tags=["audit"], responses=problems(404, 406, 422), operation_class=ExportedToo)
async def list_records(  # noqa: PLR0913 - each is something that a client names
    request: KeyRequest,
    app: TheApp,
    key: TheKey,
    clinic: Chain = None,
    kind: Annotated[Kind | None, QueryParameter(description="Only records of this kind")] = None,
    since: Since = None,
    before: Before = None,
    format: Annotated[Shown | None, QueryParameter(description="Instead of what `Accept` says")] = None,  # noqa: A002 - the API's word
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response[Records]:
    """Records of the chains your key opens: a page of them as JSON, newest first; all of them as NDJSON or CSV, oldest first.

    A file is streamed and ends with the record that was the newest when it was asked for. `tools/verify_ledger.py` checks one
    that is filtered by nothing but `clinic` and `before`; one from `since` on, if it is told which record that follows.
    """
    shown = format or accepted(request, SHOWN)
    kinds = () if kind is None else (kind,)
    wanted = Wanted(await chains(app, key, clinic), kinds, instant("since", since), instant("before", before))
    if shown is not Shown.JSON:
        _demand_whole(request)
        return await _file(app, wanted, Format(shown), clinic or "all")
    page = await app.store.ledger.records(
        chains=wanted.chains, kinds=kinds, since=wanted.since, before=wanted.before, cursor=cursor, limit=limit
    )
    return Response(Records(tuple(map(_record, page.items)), page.cursor if page.more else None), headers=VARIES)


VARIES = {"Vary": "Accept"}


def _demand_whole(request: KeyRequest) -> None:
    """A file has no pages, and who asks for one would take it for all there is."""
    if paged := [name for name in ("cursor", "limit") if name in request.query_params]:
        raise InputError(f"a file holds all records: leave {' and '.join(paged)} out; clinic, kind, since and before narrow it")


async def _file(app: App, wanted: Wanted, form: Format, of: str) -> Response[Any]:
    records = await app.store.ledger.export(wanted)

    async def parts() -> AsyncIterator[bytes]:
        yield beginning(form)
        async for some in records:
            yield lines(form, some)

    name = f"ledger-{of}-{app.clock():%Y-%m-%d}.{form}"
    headers = VARIES | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(parts(), media_type=MEDIA_TYPES[form], headers=headers)


@get("/audit/head", operation_id="getHeads", tags=["audit"], responses=problems(404))
async def get_heads(app: TheApp, key: TheKey, clinic: Chain = None) -> Heads:
    """The newest record of each chain, signed where the service has a key for that: a later rewriting would contradict it."""
    heads = {chain: await app.store.ledger.head(chain) for chain in await chains(app, key, clinic)}
    signer, now = app.settings.signer, app.clock()
    return Heads(tuple(_current(chain, head, signer, now) for chain, head in heads.items()))


@get("/audit/verify", operation_id="verifyLedger", tags=["audit"], responses=problems(404))
async def verify(app: TheApp, key: TheKey, clinic: Chain = None) -> Verifications:
    """Check every record against the one before it, and name the first of each chain that does not hold.

    Records that were taken out into an archive are checked there, by `tools/verify_ledger.py`: `after` is the last of them.
    """
    found = await app.store.ledger.verify_each(await chains(app, key, clinic))
    items = tuple(_verified(chain, verification) for chain, verification in found.items())
    return Verifications(all(each.ok for each in items), items)


HANDLERS = (list_records, get_heads, verify)


async def chains(app: App, key: Key, clinic: str | None) -> tuple[str, ...]:
    """The chains asked about, of those that exist for the key. Raises NotFoundError."""
    if clinic is None:
        return tuple(chain for chain in await app.store.ledger.chains() if may_see(key, chain))
    if not (clinic == SYSTEM and administers(key)):
        await demand_clinic(app, key, clinic)
    return (clinic,)


def may_see(key: Key, chain: str) -> bool:
    """Whether a chain is for whoever has this key: a clinic's, or the installation's own."""
    return administers(key) if chain == SYSTEM else opens(key, chain)


def _record(record: CoreRecord) -> Record:
    return Record(record.chain, record.seq, record.at, record.kind, record.text, record.hash)


def _head(chain: str, head: Head) -> ChainHead:
    return ChainHead(chain, head.seq, head.hash)


def _current(chain: str, head: Head, signer: Signer | None, now: datetime) -> CurrentHead:
    signed = signer.sign(chain, head, now) if signer else None
    answer = SignedHead(signed.text, signed.signature, signed.public_key, signed.key_id) if signed else None
    return CurrentHead(chain, head.seq, head.hash, answer)


def _verified(chain: str, found: Verification) -> Verified:
    broken = Broken(found.broken.seq, found.broken.problem) if found.broken else None
    after = _head(chain, found.after) if found.after.seq else None
    return Verified(chain, found.ok, found.count, after, _head(chain, found.head), broken)
