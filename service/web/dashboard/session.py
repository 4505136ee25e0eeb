"""Who is looking at the dashboard: a browser that was signed in with an API key, and may do what that key may.

The cookie holds a random secret and nothing else; the database its hash. What a page sends back must come from a page of ours:
it carries a token that only such a page can know, and browsers say where a request comes from.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode, urlsplit

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation
from litestar.types import Guard

from service.app import App
from service.keys import may
from service.store.keys import Key, Role
from service.web.auth import ADMISSION, ROLE, admitted, demand_clinic

COOKIE = "governor_session"
TOKEN = "token"  # noqa: S105 - the name of a form's field
EVENTS = "/events"
LASTS = timedelta(hours=12)
"""A working day; then the key is asked for again."""

Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever is signed in: the key, what it is found by, and the token that the forms of its pages carry."""

    key: Key
    hashed: str
    token: str

    @property
    def operates(self) -> bool:
        """Whether they may approve, hold and readopt."""
        return may(self.key, Role.OPERATOR)


VisitorRequest = Request[Visitor, None, Any]
TheVisitor = NamedDependency[SkipValidation[Visitor]]


class SignedOutError(Exception):
    """Nobody is signed in; `back` is where they wanted to go, and `lost` says that they had sent something."""

    def __init__(self, back: str, *, lost: bool) -> None:
        super().__init__(back)
        self.back, self.lost = back, lost


async def begin(app: App, request: Request[Any, Any, Any], key_hash: str) -> Cookie:
    """A session for a key that has been found good, instead of the one the browser had: what it is to keep."""
    await end(app, request)
    secret, now = secrets.token_urlsafe(32), app.clock()
    await app.store.sessions.begin(_hash(secret), key_hash, now, now + LASTS)
    return _cookie(request, secret, int(LASTS.total_seconds()))


async def end(app: App, request: Request[Any, Any, Any]) -> Cookie:
    """End the session that a request came with: what its browser is to keep instead."""
    if secret := request.cookies.get(COOKIE):
        await app.store.sessions.end(_hash(secret))
    return _cookie(request, "", 0)


async def visitor(app: App, connection: Connection) -> Visitor | None:
    """Who is signed in, if anybody is. Raises TooManyRequestsException."""
    secret = connection.cookies.get(COOKIE, "")
    hashed = await app.store.sessions.key_of(_hash(secret), app.clock()) if secret else None
    key = await admitted(app, connection.app.state[ADMISSION], connection, hashed) if hashed else None
    return Visitor(key, hashed, _token(secret)) if key is not None and hashed is not None else None


async def is_open(app: App, secret: str) -> bool:
    """Whether what a cookie holds still is a session's secret."""
    return await app.store.sessions.key_of(_hash(secret), app.clock()) is not None


def signed_in(app: App) -> Guard:
    """The guard of every page: a session, a role that suffices, a clinic that exists for it, and a token with what is sent."""

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        who = connection.scope["user"] = await visitor(app, connection)
        if who is None:
            raise _signed_out(connection)
        needed: Role = handler.opt.get(ROLE, Role.VIEWER)
        if not may(who.key, needed):
            raise PermissionDeniedException(f"this takes a key with the role {needed} or higher")
        if (clinic := connection.path_params.get("clinic")) is not None:
            await demand_clinic(app, who.key, clinic)
        if connection.scope.get("method") == "POST":
            await _demand_token(connection, who)

    return guard


async def from_here(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard: refuse what another site's page has a browser send."""
    if connection.scope.get("method") != "POST":
        return
    site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
    foreign = (
        site not in {"same-origin", "none"} if site else origin and urlsplit(origin).netloc != connection.headers.get("host")
    )
    if foreign:
        raise PermissionDeniedException("this was sent by a page of another site")


async def _demand_token(connection: Connection, who: Visitor) -> None:
    form = await connection.form() if isinstance(connection, Request) else {}
    if not compare_digest(str(form.get(TOKEN, "")).encode(), who.token.encode()):
        words = f" You had written: {form['reason']}" if form.get("reason") else ""
        raise PermissionDeniedException(f"The page was too old, so nothing was done: load it again, and repeat it.{words}")


def _signed_out(connection: Connection) -> Exception:
    """What is sent is not sent later by itself; and whoever only listens is not led to a page."""
    path, method = connection.scope["path"], connection.scope.get("method")
    if path == EVENTS:
        return NotAuthorizedException("the session is over")
    query = connection.scope["query_string"].decode("ascii", "replace")
    return SignedOutError(path + (f"?{query}" if query else "") if method == "GET" else "/", lost=method != "GET")


def way_to_sign_in(error: SignedOutError) -> str:
    """The address of the sign-in page that leads back."""
    told = {"back": error.back} if error.back not in {"/", ""} else {}
    told |= {"lost": "true"} if error.lost else {}
    return f"/sign-in?{urlencode(told)}" if told else "/sign-in"


def ours(back: str) -> str:
    """An address of this dashboard; whatever else it is, nobody is sent there."""
    plain = back.startswith("/") and not back.startswith("//") and back.isprintable() and "\\" not in back
    return back if plain else "/"


def _cookie(request: Request[Any, Any, Any], secret: str, seconds: int) -> Cookie:
    # Lax: a link in a notice leads to the page. What changes something is sent by POST and carries the token.
    secure = request.url.scheme == "https"
    return Cookie(COOKIE, value=secret, max_age=seconds, httponly=True, samesite="lax", secure=secure, path="/")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _token(secret: str) -> str:
    """What only a page made for this session can know; the cookie's secret does not follow from it."""
    return hashlib.sha256(b"form " + secret.encode("utf-8", "surrogatepass")).hexdigest()
