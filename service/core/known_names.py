"""What the names in a rule file are in Cliniko, remembered, so that a rename there changes nothing by itself.

A rule file names appointment types, locations and practitioners as people see them in Cliniko. Whoever renames one there seldom
thinks of ad budgets: equipment that a service excludes would count as a practitioner from the next run on. So each run keeps
the ids that bore each name, and the name goes on meaning those; unless it has gone over to others altogether, or what was
renamed bears another name that the file uses. The forecast says so until the file is corrected. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from service.core.model import Diaries, KnownName, NameOf
from service.core.offers import Item, fold, renamed
from service.core.rules.language import Service

Names = dict[str, tuple[str, ...]]
"""By what and folded name (`practitioner/hydro pod`): the Cliniko ids that bore it when any did last."""


def recalled(services: Mapping[str, Service], names: Mapping[str, tuple[str, ...]]) -> dict[str, Service]:
    """The services with what is remembered of the names that they use."""
    return {name: _recalled(service, names) for name, service in services.items()}


def _recalled(service: Service, names: Mapping[str, tuple[str, ...]]) -> Service:
    used = dict.fromkeys((what, fold(name)) for what, name in used_names(service))
    known = tuple(KnownName(what, name, names[key]) for what, name in used if (key := key_of(what, name)) in names)
    return replace(service, known=known) if known != service.known else service


def learnt(services: Iterable[Service], diaries: Diaries, names: Mapping[str, tuple[str, ...]]) -> Names:
    """What to remember after a reading: whoever bears each name now or is known under another, else who did last."""
    found: Names = {}
    for service in services:
        used = {what: {fold(name) for other, name in used_names(service) if other is what} for what in NameOf}
        for what, name in used_names(service):
            key, listed = key_of(what, fold(name)), items(diaries, what)
            bear = {item.id for item in listed if fold(item.name) == fold(name)}
            kept = {item.id for item in renamed(fold(name), names.get(key, ()), listed, used[what])}
            if ids := tuple(sorted(bear | kept | set(found.get(key, ())))) or names.get(key):
                found[key] = ids
    return found


def used_names(service: Service) -> Iterator[tuple[NameOf, str]]:
    """Every name of something in Cliniko that a service uses, as it stands in the file."""
    yield from ((NameOf.TYPE, name) for name in service.appointment_types)
    yield from ((NameOf.LOCATION, name) for name in service.locations or ())
    yield from ((NameOf.PRACTITIONER, name) for name in (*(service.practitioners or ()), *service.exclude_practitioners))


def items(diaries: Diaries, what: NameOf) -> tuple[Item, ...]:
    """The list in a reading of Cliniko that has names of this kind."""
    match what:
        case NameOf.TYPE:
            return diaries.types
        case NameOf.LOCATION:
            return diaries.locations
        case NameOf.PRACTITIONER:
            return diaries.practitioners


def lost(service: Service, diaries: Diaries) -> Iterator[tuple[NameOf, str, tuple[str, ...]]]:
    """The names of a service that something bore and no longer bears, with what that is called now, or that nothing bears."""
    there = {what: {fold(item.name) for item in items(diaries, what)} for what in NameOf}
    names = dict.fromkeys(used_names(service))
    if not service.known and all(fold(name) in there[what] for what, name in names):
        return
    used = {what: {fold(name) for other, name in names if other is what} for what in NameOf}
    for what, name in names:
        listed = items(diaries, what)
        ids = next((each.ids for each in service.known if (each.what, each.name) == (what, fold(name))), ())
        now = tuple(item.name for item in renamed(fold(name), ids, listed, used[what]))
        if now or fold(name) not in there[what]:
            yield what, name, now


def key_of(what: NameOf, name: str) -> str:
    """How a folded name is remembered."""
    return f"{what}/{name}"
