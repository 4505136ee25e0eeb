"""Who is asking, and what exists for them.

    Authorization: Bearer gov_...

Three guards stand before every handler below `/v1`, in this order: a valid key (401) that does not ask too often (429), a role
that suffices (403), and, where the address names a clinic, one that exists for this key (404). A handler that says nothing is
open to viewers if it only reads, and otherwise to nobody but admins.
"""

from typing import Any

import structlog
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException, NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from service.app import App
from service.core.errors import NotFoundError, StoreError
from service.keys import hash_of, may, opens, opens_everything
from service.store.keys import Key, Role, use_is_noted
from service.web.governed import clinics, is_governed
from service.web.limits import Admission

ROLE = "role"
"""Under this name a handler's `opt` says which role it takes."""

ADMISSION = "admission"
"""Under this name the web application's state has what counts requests, and under the next a request's scope its key."""

CALLER = "governor.caller"

READING = frozenset({"GET", "HEAD", "OPTIONS"})
LONGEST_SECRET = 200

log = structlog.get_logger(__name__)

Connection = ASGIConnection[Any, Any, Any, Any]
KeyRequest = Request[Key, None, Any]
"""A request below `/v1`: its `user` is the key it came with."""


def guard(app: App) -> Guard:
    """The guard of everything below `/v1`: a good key, of a sufficient role, for a clinic that exists for it.

    One for all three, because Litestar copies the handler for each guard; and a coroutine, because it would run a plain
    function in a thread.
    """

    async def admitted(connection: Connection, handler: BaseRouteHandler) -> None:
        key = connection.scope["user"] = await authenticated(app, connection)
        default = Role.VIEWER if connection.scope.get("method") in READING else Role.ADMIN
        needed: Role = handler.opt.get(ROLE, default)
        if not may(key, needed):
            raise PermissionDeniedException(f"this takes a key with the role {needed} or higher")
        if (clinic := connection.path_params.get("clinic")) is not None:
            await demand_clinic(app, key, clinic)

    return admitted


async def demand_clinic(app: App, key: Key, clinic: str) -> None:
    """Go on only if there is such a clinic for this key."""
    if not opens(key, clinic) or not await is_governed(app, clinic):
        raise NotFoundError(f"no clinic {clinic}")


def demand(key: Key, clinic: str) -> None:
    """Go on only if what was found, which belongs to `clinic`, exists for this key."""
    if not opens(key, clinic):
        raise NotFoundError(f"nothing of {clinic} for this key")


async def visible(app: App, key: Key) -> tuple[str, ...]:
    """The clinics that exist for this key, in alphabetical order."""
    return tuple(clinic for clinic in await clinics(app) if opens(key, clinic))


def among(key: Key, clinic: str | None) -> tuple[str, ...] | None:
    """The clinics that a list is about: the one asked for, or all that the key opens (None: every one)."""
    if clinic is not None:
        return (clinic,)
    return None if opens_everything(key) else key.clinics


def administers(key: Key) -> bool:
    """Whether the key may see and end what concerns the whole installation."""
    return may(key, Role.ADMIN) and opens_everything(key)


async def note_use(request: KeyRequest) -> None:
    """Remember, after the answer is on its way, that the key was used; nobody waits for it or suffers from its failure."""
    app: App = request.app.state["app"]
    if isinstance(key := request.scope.get("user"), Key) and not use_is_noted(key, app.clock()):
        try:
            await app.store.keys.note_use(key, app.clock())
        except StoreError as error:
            log.warning("use_of_key_not_noted", key=key.id, error=str(error))


async def authenticated(app: App, connection: Connection) -> Key:
    """The key that a request came with; whoever asks again is told the same, and the request is counted once.

    Raises NotAuthorizedException, and TooManyRequestsException where it is one request too many.
    """
    scope: dict[str, Any] = connection.scope  # type: ignore[assignment] # ASGI lets applications add keys of their own
    if CALLER not in scope:
        scope[CALLER] = await _caller(app, connection)
    found: Key | HTTPException = scope[CALLER]
    if isinstance(found, HTTPException):
        raise found
    return found


async def _caller(app: App, connection: Connection) -> Key | HTTPException:
    try:
        return await _admitted(app, connection.app.state[ADMISSION], connection)
    except HTTPException as refused:
        return refused


async def _admitted(app: App, admission: Admission, connection: Connection) -> Key:
    secret = _bearer(connection)
    if not secret:
        await admission.bad(connection)
        raise _refused("send `Authorization: Bearer` and an API key; `governor keys create` makes one", "")
    if len(secret) > LONGEST_SECRET:
        await admission.bad(connection)
        raise _refused("this is no API key of ours", ', error="invalid_token"')
    key = await admitted(app, admission, connection, hash_of(secret))
    if key is None:
        raise _refused("the API key is unknown, expired or revoked", ', error="invalid_token"')
    return key


async def admitted(app: App, admission: Admission, connection: Connection, hashed: str) -> Key | None:
    """The valid key with this hash, its request counted; None where there is none, and that is counted too.

    Raises TooManyRequestsException.
    """
    await admission.before_looking_up(connection, hashed)
    key = await app.store.keys.find_key(hashed)
    if key is None or not key.valid(app.clock()):
        await admission.bad(connection, hashed)
        return None
    await admission.good(connection, hashed, key.id)
    return key


async def is_valid(app: App, hashed: str) -> bool:
    """Whether the key with this hash opens anything now."""
    key = await app.store.keys.find_key(hashed)
    return key is not None and key.valid(app.clock())


def hash_of_bearer(connection: Connection) -> str:
    """What the key that a request came with is found by."""
    return hash_of(_bearer(connection))


def _bearer(connection: Connection) -> str:
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _refused(why: str, error: str) -> NotAuthorizedException:
    return NotAuthorizedException(why, headers={"WWW-Authenticate": f'Bearer realm="governor"{error}'})
