"""`/v1/clinics`: which clinics there are, by which rules they are governed, and how fresh what we know of them is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from litestar import get

from service.app import App
from service.core.model import Mode
from service.core.rules.language import Service as CoreService
from service.jobs.looping import Periodic
from service.jobs.slots import next_due
from service.store.pages import cursor_of, position
from service.store.runs import Run
from service.web.asked import Cursor, Id, Limit, TheApp, TheKey, TheLoop
from service.web.auth import visible
from service.web.governed import RulesNow, rules_now
from service.web.problems import FileProblem, problems

STALE_AFTER = 2
"""Periods of the hourly loop after which what is known of a clinic is stale: one pass was missed."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the clinic's ads sell; null means every one sold online."""

    name: str
    appointment_types: tuple[str, ...]
    locations: tuple[str, ...] | None
    practitioners: tuple[str, ...] | None
    exclude_practitioners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """The revision in force and what is wrong with the file on disk, if it is refused; `note` says what that means.

    `pending_digest` is a newer good file that the next run puts in force.
    """

    digest: str | None
    loaded_at: datetime | None
    pending_digest: str | None
    problems: tuple[FileProblem, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The newest run. `status` is `running`, `finished`, `incomplete` (something could not be read or written) or `failed`."""

    id: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """Of when the newest recorded forecast and plan are; `cliniko_unreadable_since` is null while Cliniko can be read."""

    run: str | None
    as_of: datetime | None
    stale: bool
    cliniko_unreadable_since: datetime | None


@dataclass(frozen=True, slots=True)
class Clinic:
    """One clinic. `name`, `mode` and `currency` are null before its first good rule file.

    `next_run` is null where this process neither evaluates clinics nor leaves that to workers.
    """

    clinic: str
    name: str | None
    mode: Mode | None
    currency: str | None
    rules: RuleFile
    services: tuple[Service, ...]
    campaigns: tuple[str, ...]
    last_run: LastRun | None
    freshness: Freshness
    next_run: datetime | None


@dataclass(frozen=True, slots=True)
class Clinics:
    """A page of the clinics that exist for the key, in alphabetical order; `next_cursor` is null on the last one."""

    items: tuple[Clinic, ...]
    next_cursor: str | None


@get("/clinics", operation_id="listClinics", tags=["clinics"], responses=problems(422))
async def list_clinics(app: TheApp, key: TheKey, hourly: TheLoop, cursor: Cursor = None, limit: Limit = 100) -> Clinics:
    """The clinics your key opens."""
    after = "" if cursor is None else position(cursor, str)[0]
    names = [clinic for clinic in await visible(app, key) if clinic > after]
    items = [await clinic_now(app, clinic, hourly) for clinic in names[:limit]]
    return Clinics(tuple(items), cursor_of(names[limit - 1]) if len(names) > limit else None)


@get("/clinics/{clinic:str}", operation_id="getClinic", tags=["clinics"], responses=problems(404))
async def get_clinic(app: TheApp, clinic: Id, hourly: TheLoop) -> Clinic:
    """One clinic: its rules in force, its last and next run, and how fresh what is known of it is."""
    return await clinic_now(app, clinic, hourly)


HANDLERS = (list_clinics, get_clinic)


async def clinic_now(app: App, clinic: str, hourly: Periodic | None) -> Clinic:
    """How a clinic stands."""
    now = await rules_now(app, clinic)
    rules = now.rules
    last = await app.store.runs.latest_run(clinic)
    return Clinic(
        clinic=clinic,
        name=rules.name if rules else None,
        mode=rules.mode if rules else None,
        currency=rules.currency if rules else None,
        rules=_rule_file(now),
        services=tuple(map(_service, rules.services.values())) if rules else (),
        campaigns=tuple(rules.campaigns) if rules else (),
        last_run=_last_run(last) if last else None,
        freshness=await _freshness(app, clinic),
        next_run=_next_run(app, clinic, hourly),
    )


def _next_run(app: App, clinic: str, hourly: Periodic | None) -> datetime | None:
    if hourly is not None:
        return hourly.next_at
    return None if app.settings.redis_url is None else next_due(clinic, app.clock(), app.settings.evaluate_every)


def _rule_file(now: RulesNow) -> RuleFile:
    return RuleFile(now.rules.digest if now.rules else None, now.loaded_at, now.pending, now.problems, note(now))


def note(now: RulesNow) -> str | None:
    """What a refused, missing or newer rule file means, in a sentence."""
    if now.problems and now.rules:
        return (
            f"The file on disk is not in force; revision {now.rules.digest[:12]} still is. "
            f"`governor hold {now.clinic}` or a hold over this API stops it."
        )
    if now.problems:
        return "No good rule file was ever seen, so nothing is governed."
    return "The file on disk is good and takes effect with the next run." if now.pending else None


def _service(service: CoreService) -> Service:
    return Service(
        service.name,
        service.appointment_types,
        service.locations,
        service.practitioners,
        service.exclude_practitioners,
    )


def _last_run(run: Run) -> LastRun:
    return LastRun(run.id, run.status, run.started_at, run.ended_at, run.message)


async def _freshness(app: App, clinic: str) -> Freshness:
    since = await app.store.snapshots.cliniko_unreadable_since(clinic)
    planned = (await app.store.runs.runs([clinic], planned=True, limit=1)).items
    if not planned:
        return Freshness(None, None, stale=True, cliniko_unreadable_since=since)
    age: timedelta = app.clock() - planned[0].started_at
    stale = since is not None or age > STALE_AFTER * app.settings.evaluate_every
    return Freshness(planned[0].id, planned[0].started_at, stale, since)
