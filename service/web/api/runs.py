"""`/v1/runs/{id}`: one run, with everything it decided and why."""

from dataclasses import dataclass
from datetime import datetime

from litestar import get

from service.core.errors import GoneError
from service.store import runs as stored
from service.web.answers import Change, Decision, TraceLine, change, decision, trace
from service.web.asked import Id, TheApp, TheKey
from service.web.auth import demand
from service.web.problems import problems


@dataclass(frozen=True, slots=True)
class Run:
    """A run. `status` is `running`, `finished`, `incomplete` (something could not be read or written) or `failed`.

    `message` says why it failed, `problems` what could not be read or written, a sentence each.
    """

    id: str
    clinic: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    message: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """A run, its decisions, the writes they led to, and by service the conditions as they were evaluated."""

    run: Run
    decisions: tuple[Decision, ...]
    changes: tuple[Change, ...]
    traces: dict[str, tuple[TraceLine, ...]] | None


@get("/runs/{run:str}", operation_id="getRun", tags=["runs"], responses=problems(404))
async def get_run(app: TheApp, key: TheKey, run: Id) -> RunAnswer:
    """One run with its decisions, changes and traces; none of these if it failed before it had decided.

    `traces` is null once what the run worked on is no longer kept.
    """
    found = await app.store.runs.run(run)
    demand(key, found.clinic)
    try:
        traces = (await app.store.runs.load_outcome(run)).traces if found.planned else {}
    except GoneError:
        traces = None
    return RunAnswer(
        run=_run(found),
        decisions=tuple(map(decision, await app.store.decisions.of_run(run))),
        changes=tuple(map(change, await app.store.intents.of_run(run))),
        traces=None if traces is None else {service: trace(lines) for service, lines in traces.items()},
    )


HANDLERS = (get_run,)


def _run(run: stored.Run) -> Run:
    problems_ = tuple(map(str, run.summary.get("problems", ())))
    return Run(run.id, run.clinic, run.status, run.started_at, run.ended_at, run.message, problems_)
