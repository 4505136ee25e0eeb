"""Everything below `/v1`: one module per resource."""

from litestar import Router
from litestar.di import Provide

from service.app import App
from service.store.keys import Key
from service.web.api import audit, campaigns, clinics, decisions, evaluations, forecast, holds, plans, restores, rules, runs
from service.web.asked import as_described, only_described
from service.web.auth import KeyRequest, guards, note_use
from service.web.etags import etags
from service.web.repeating import repeating

MODULES = (clinics, forecast, campaigns, rules, evaluations, runs, plans, decisions, audit, holds, restores)


def caller(request: KeyRequest) -> Key:
    """The key a request came with; the guards have seen it."""
    return request.user


def router(app: App) -> Router:
    """The API over this app."""
    return Router(
        "/v1",
        route_handlers=[handler for module in MODULES for handler in module.HANDLERS],
        guards=[*guards(app), only_described],
        dependencies={"key": Provide(caller, sync_to_thread=False)},
        before_request=as_described,
        after_response=note_use,
        middleware=[etags, repeating(app)],
        security=[{"bearer": []}],
    )
