"""Everything below `/v1`: one module per resource."""

from litestar import Router
from litestar.di import Provide

from service.app import App
from service.store.keys import Key
from service.web.api import (
    audit,
    campaigns,
    clinics,
    decisions,
    evaluations,
    events,
    forecast,
    holds,
    plans,
    reports,
    restores,
    rules,
    runs,
)
from service.web.asked import TheApp, TheKey, as_described, only_described
from service.web.auth import KeyRequest, guard, note_use
from service.web.etags import etags
from service.web.repeating import repeating
from service.web.telling import RuleTexts

MODULES = (clinics, forecast, campaigns, rules, evaluations, runs, plans, decisions, audit, events, holds, restores, reports)


def caller(request: KeyRequest, app: TheApp) -> Key:  # noqa: ARG001 - so that it is found after the app
    """The key a request came with; the guard has seen it."""
    return request.user


def router(app: App) -> Router:
    """The API over this app.

    What handlers are given is found one after the other: for things that do not depend on each other Litestar starts tasks,
    which take longer than all that they do.
    """
    known = RuleTexts()

    def texts(key: TheKey) -> RuleTexts:  # noqa: ARG001 - so that it is found after the key
        return known

    return Router(
        "/v1",
        route_handlers=[handler for module in MODULES for handler in module.HANDLERS],
        guards=[guard(app), only_described],
        dependencies={"key": Provide(caller, sync_to_thread=False), "texts": Provide(texts, sync_to_thread=False)},
        before_request=as_described,
        after_response=note_use,
        middleware=[etags, repeating(app)],
        security=[{"bearer": []}],
    )
