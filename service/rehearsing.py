"""What a rule file would do to a clinic as it stands: the newest run's readings, held against an edit. Read-only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from service.core.decide.edits import effects
from service.core.errors import GoneError, NotFoundError
from service.core.known_names import Names
from service.core.model import Diaries
from service.core.rules.language import RuleSet
from service.store.rules import Revision
from service.store.store import Store


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What an edit would change, a sentence each, and what names can be looked up in.

    That are the newest diaries (None: never read), and what runs remember of the names. `known` is the revision in force.
    """

    effects: tuple[str, ...] = ()
    diaries: Diaries | None = None
    names: Names = field(default_factory=dict)
    known: Revision | None = None


async def rehearse(store: Store, edited: RuleSet) -> Rehearsal:
    """Hold `edited` against the newest run of its clinic; a clinic that never had a run has nothing to change.

    Raises `StoreError` where the database cannot be read.
    """
    planned = await store.runs.runs([edited.clinic], planned=True, limit=1)
    latest = await store.snapshots.latest_readable(edited.clinic)
    diaries = latest.diaries if latest and isinstance(latest.diaries, Diaries) else None
    names = await store.memory.names(edited.clinic)
    untouched = Rehearsal((), diaries, names, await store.rules.rules_in_force(edited.clinic))
    if not planned.items:
        return untouched
    try:
        inputs = await store.runs.load_inputs(planned.items[0].id)
    except (GoneError, NotFoundError):
        return untouched
    remembered = replace(
        inputs,
        rule_states=await store.memory.rule_states(edited.clinic),
        standings=await store.memory.standings(edited.clinic),
        names=names,
    )
    return replace(untouched, effects=effects(remembered, edited))
