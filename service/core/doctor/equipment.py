"""Practitioners that are probably rooms or machines: Cliniko has no word for equipment, so clinics give it a diary. Pure."""

from __future__ import annotations

import re

from service.core.model import Diaries

WORDS = frozenset({
    "cubicle", "equipment", "gym", "hydro", "hydrotherapy", "laser", "machine", "machines", "pod", "pods", "reformer",
    "reformers", "room", "rooms", "studio", "treadmill",
})  # fmt: skip
"""No surnames here: leaving a person out would hide capacity, leaving a machine in only overstates it."""


def suspects(diaries: Diaries) -> dict[str, str]:
    """By practitioner id, why somebody is probably something: a heuristic, to be looked at and not to be believed."""
    found: dict[str, str] = {}
    for person in diaries.practitioners:
        words = [word for word in re.findall(r"\w+", person.name.casefold()) if word in WORDS]
        if words:
            found[person.id] = f"its name says `{words[0]}`"
    return found


def group_only(diaries: Diaries) -> frozenset[str]:
    """The ids of practitioners who offer group types and nothing else."""
    single = {type_.id for type_ in diaries.types if not type_.group}
    offering = {offer.practitioner for offer in diaries.offers}
    return frozenset(offering - {offer.practitioner for offer in diaries.offers if offer.type in single})
