"""The world's controls over HTTP: time, cancellations, bookings, people's edits, faults, and what is really there.

GET  /state                                           clock, campaigns as the platforms hold them, trips, request counts
POST /advance  {"hours": 8}      moves this world's clock, not that of a service in another process
POST /cancel   {"clinic", "types": "Initial physio", "count"}        a cancellation cluster
POST /book-out {"clinic", "types": "Initial physio", "leave"}        sell everything that is open
POST /google   {"customer_id", "campaign", "user", "changes": {"status": "PAUSED", "amount_micros": 50000000}}
POST /meta     {"account", "campaign", "actor", "changes": {"status": "PAUSED", "daily_budget": 5000}}
POST /edit     {"clinic", "of": "people", "id": "...", "changes": {"active": false}}      `of` also: types, businesses,
               settings and clinic, which want no id; the names of fields are those of `sandbox.clinic`
POST /fail     {"system": "cliniko", "kind": "down", "match": "", "times": null, "what": "", "hours": null}
POST /heal     {"system": null}
"""

from collections import Counter
from datetime import timedelta
from typing import Any, Literal

from litestar import Litestar, get, post
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import JSONBody

from service.sandbox.scene import types_named
from service.sandbox.world import Fault, World


def controls_app(world: World) -> Litestar:
    """The controls of `world` as an ASGI app."""
    handlers = [state, advance, cancel, book_out, edit_clinic, edit_google, edit_meta, fail, heal]
    return Litestar(handlers, state=State({"world": world}, deep_copy=False), openapi_config=None, logging_config=None)


def as_held(world: World) -> dict[str, Any]:
    """The ad accounts in their platforms' own terms: micros on Google, minor units on Meta."""
    with world.lock:
        google = [
            {
                "account": account.customer_id,
                "id": item.id,
                "name": item.name,
                "status": item.status,
                "amount_micros": account.budgets[item.budget].amount_micros,
                "changes": len([event for event in account.events if event["campaign"] == item.id]),
            }
            for account in world.google.values()
            for item in account.campaigns.values()
        ]
        meta = [
            {
                "account": account.id,
                "id": item.id,
                "name": item.name,
                "status": item.status,
                "daily_budget": item.daily_budget,
                "changes": len([event for event in account.activities if event["object"] == item.id]),
            }
            for account in world.meta.values()
            for item in account.campaigns.values()
        ]
        counts = Counter(request.system for request in world.requests)
        return {"now": world.now.isoformat(), "google": google, "meta": meta, "trips": world.trips, "requests": dict(counts)}


def _world(app_state: State) -> World:
    found: World = app_state["world"]
    return found


def _types(world: World, data: dict[str, Any]) -> list[str]:
    clinic = world.clinics[data["clinic"]]
    if found := types_named(clinic, data["types"]):
        return found
    names = ", ".join(type_.name for type_ in clinic.types.values())
    raise ClientException(f"no appointment type begins with {data['types']!r}; there are: {names}")


@get("/state", sync_to_thread=False)
def state(state: State) -> dict[str, Any]:
    """What is really there."""
    return as_held(_world(state))


@post("/advance", sync_to_thread=False)
def advance(state: State, data: JSONBody[dict[str, float]]) -> dict[str, str]:
    """Let time pass."""
    return {"now": _world(state).advance(timedelta(hours=data["hours"])).isoformat()}


@post("/cancel", sync_to_thread=False)
def cancel(state: State, data: JSONBody[dict[str, Any]]) -> dict[str, int]:
    """A cancellation cluster."""
    world = _world(state)
    types = _types(world, data)
    return {"cancelled": world.cancel(data["clinic"], types, data["count"])}


@post("/book-out", sync_to_thread=False)
def book_out(state: State, data: JSONBody[dict[str, Any]]) -> dict[str, int]:
    """Sell everything that is open."""
    world = _world(state)
    types = _types(world, data)
    return {"booked": world.book_out(data["clinic"], types, leave=data.get("leave", 0))}


@post("/edit", sync_to_thread=False)
def edit_clinic(state: State, data: JSONBody[dict[str, Any]]) -> dict[str, str]:
    """Somebody changes the clinic in Cliniko: a practitioner leaves, a type is renamed, a cap is set."""
    world = _world(state)
    with world.lock:
        clinic = world.clinics[data["clinic"]]
        whole: dict[str, Any] = {"clinic": clinic, "settings": clinic.settings}
        edited = whole.get(data["of"]) or getattr(clinic, data["of"])[data["id"]]
        if unknown := set(data["changes"]) - set(edited.__slots__):
            raise ClientException(f"{data['of']} has no {', '.join(sorted(unknown))}")
        for name, value in data["changes"].items():
            setattr(edited, name, value)
    return {"edited": data["of"]}


@post("/google", sync_to_thread=False)
def edit_google(state: State, data: JSONBody[dict[str, Any]]) -> dict[str, str]:
    """A person's edit in Google Ads."""
    _world(state).edit_google(data["customer_id"], data["campaign"], data["user"], **data["changes"])
    return {"edited": data["campaign"]}


@post("/meta", sync_to_thread=False)
def edit_meta(state: State, data: JSONBody[dict[str, Any]]) -> dict[str, str]:
    """A person's edit in Ads Manager."""
    _world(state).edit_meta(data["account"], data["campaign"], data["actor"], **data["changes"])
    return {"edited": data["campaign"]}


@post("/fail", sync_to_thread=False)
def fail(state: State, data: JSONBody[dict[str, Any]]) -> dict[str, str]:
    """Switch a fault on."""
    system: Literal["cliniko", "google", "meta"] = data["system"]
    world, hours = _world(state), data.get("hours")
    until = None if hours is None else world.now + timedelta(hours=hours)
    world.fail(Fault(system, data["kind"], data.get("match", ""), data.get("times"), data.get("what", ""), until=until))
    return {"failing": system}


@post("/heal", sync_to_thread=False)
def heal(state: State, data: JSONBody[dict[str, str | None]]) -> dict[str, str | None]:
    """Switch faults off."""
    _world(state).heal(data.get("system"))
    return {"healed": data.get("system")}
