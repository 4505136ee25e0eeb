"""Signing in with an API key, and out again."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery, QueryParameter
from litestar.response import Redirect

from service.keys import hash_of
from service.web.asked import TheApp
from service.web.auth import ADMISSION, LONGEST_SECRET, admitted
from service.web.dashboard.frame import page
from service.web.dashboard.session import begin, end, ours, visitor

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Back = Annotated[str, QueryParameter(max_length=2000)]


@get("/sign-in")
async def ask(
    request: Request[Any, Any, Any],
    app: TheApp,
    back: Back = "/",
    lost: FromQuery[bool] = False,  # noqa: FBT002 - in the address
) -> Response[Any]:
    """The form; whoever is signed in is let through."""
    if await visitor(app, request):
        return Redirect(ours(back), status_code=303)
    wrong = "Your session had ended, so what you sent was not done." if lost else ""
    return page(request, "sign_in.html", back=ours(back), wrong=wrong)


@post("/sign-in")
async def sign_in(request: Request[Any, Any, Any], app: TheApp, data: Form) -> Response[Any]:
    """A session for a good key."""
    secret, back = data.get("key", "").strip(), ours(data.get("back", "/"))
    hashed = hash_of(secret)
    key = None
    if 0 < len(secret) <= LONGEST_SECRET:
        key = await admitted(app, request.app.state[ADMISSION], request, hashed)
    if key is None:
        wrong = "This is no valid API key: it may have expired or been revoked." if secret else "Enter your API key."
        return page(request, "sign_in.html", status=401, back=back, wrong=wrong)
    return Redirect(back, status_code=303, cookies=[await begin(app, request, hashed)])


@post("/sign-out")
async def sign_out(request: Request[Any, Any, Any], app: TheApp) -> Redirect:
    """End the session; nothing is lost if another site's page could do that, and none can."""
    return Redirect("/sign-in", status_code=303, cookies=[await end(app, request)])


HANDLERS = (ask, sign_in, sign_out)
