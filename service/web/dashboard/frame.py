"""The frame of every page: its templates, its headers, and what is shown where something goes wrong.

A page runs our script and loads nothing from anybody else; the browser is told so (Content-Security-Policy).
"""

from base64 import b64encode
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from litestar import Request, Response
from litestar.datastructures import Cookie, ResponseHeader
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap
from markupsafe import Markup

from service.core.errors import GovernorError
from service.web.dashboard import wording
from service.web.dashboard.session import SignedOutError, Visitor, way_to_sign_in
from service.web.dashboard.static import ADDRESS
from service.web.problems import kind_of

FOLDER = Path(__file__).parent
STYLE = (FOLDER / "static" / "style.css").read_text("utf-8")
"""Part of each page: one request less, and the page never shows without it."""

SAID = "governor_said"
"""The cookie that takes a sentence from what was done to the page that is shown next."""

_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # without it a browser says of our own forms that they come from nowhere
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
ADDED = [ResponseHeader(name=name, value=value) for name, value in _HEADERS.items()]

log = structlog.get_logger(__name__)


def environment() -> Environment:
    """The templates, with the words and numbers that they need; a name that nobody gave is a defect, and raises."""
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(wording.FILTERS)
    found.globals.update(style=Markup(STYLE), script=ADDRESS, words=wording.WORDS)  # noqa: S704 - ours
    return found


_environment = environment()


def page(
    request: Request[Any, Any, Any], template: str, *, status: int = 200, visitor: Visitor | None = None, **shown: Any
) -> Response[str]:
    """A page. A sentence that was left for it is said, once."""
    said = unquote(request.cookies.get(SAID, ""))
    text = _environment.get_template(template).render(visitor=visitor, path=request.url.path, said=said, status=status, **shown)
    forget = [Cookie(SAID, value="", max_age=0, path="/")] if said else []
    return Response(text, media_type="text/html", status_code=status, cookies=forget)


def back_to(address: str, said: str) -> Redirect:
    """After something was done: the page to be shown, which says this sentence."""
    kept = Cookie(SAID, value=quote(said[:1000]), max_age=60, httponly=True, samesite="lax", path="/")
    return Redirect(address, status_code=303, cookies=[kept])


# --- what goes wrong ----------------------------------------------------------------------------------------------------


def _signed_out(_: Request[Any, Any, Any], error: SignedOutError) -> Response[Any]:
    return Redirect(way_to_sign_in(error), status_code=303)


def _our_error(request: Request[Any, Any, Any], error: GovernorError) -> Response[str]:
    kind = kind_of(error)
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("page_failed", method=request.method, path=request.url.path, error=str(error))
    return _trouble(request, kind.status, kind.title, kind.detail or str(error))


def _framework_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[str]:
    if error.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _unexpected(request, error)
    answer = _trouble(request, error.status_code, HTTPStatus(error.status_code).phrase, error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    log.error("page_crashed", method=request.method, path=request.url.path, exc_info=error)
    return _trouble(request, 500, "Something went wrong here", "It has been logged. Nothing was changed by showing this page.")


def _trouble(request: Request[Any, Any, Any], status: int, title: str, detail: str) -> Response[str]:
    found = request.scope.get("user")
    who = found if isinstance(found, Visitor) else None
    answer = page(request, "trouble.html", status=status, visitor=who, title=title, detail=detail)
    answer.headers.update(_HEADERS)
    return answer


HANDLERS: ExceptionHandlersMap = {
    SignedOutError: _signed_out,
    GovernorError: _our_error,
    HTTPException: _framework_error,
    Exception: _unexpected,
}
