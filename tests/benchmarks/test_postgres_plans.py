"""What PostgreSQL does for each thing that is asked of the store, with a million decisions of a thousand clinics.

The statements are those that the store makes: each is caught on its way, and explained with its own parameters.
docs/database.md has the figures, and what follows from them for a hundred million.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
from sqlalchemy import event

from service.core.errors import GovernorError
from service.core.ledger import Kind
from service.core.model import Platform, Reason, Verdict
from service.store.decisions import Wanted
from service.store.ledger import Wanted as WantedRecords
from service.store.outbox import Position
from service.store.pages import cursor_of
from service.store.store import Store
from tests import postgres
from tests.benchmarks.postgres_fill import SERVER, Filled, fill

pytestmark = pytest.mark.bench

DECISIONS = int(os.environ.get("GOVERNOR_BENCH_DECISIONS", "1000000"))
CLINICS = int(os.environ.get("GOVERNOR_BENCH_CLINICS", "1000"))

LARGE = ("decision", "ledger", "run", "snapshot", "document", "trace", "run_seen", "notice", "change")
"""Tables that grow with every run."""

PAGE = 700
"""Pages of 8 KB that one page of an answer may touch at most: five megabytes, from memory in a few milliseconds."""

MANY = 6_000
"""What one page over a thousand clinics may touch."""

APPENDED = 300

WIDE = 30_000
"""What may be touched by what looks through each of a thousand clinics."""


class Plan(NamedTuple):
    """What one statement cost: pages of 8 KB it touched, milliseconds, and the large tables it read from end to end."""

    pages: int
    milliseconds: float
    scanned: tuple[str, ...]
    nodes: str


@dataclass(frozen=True, slots=True)
class Large:
    """A store on a full database."""

    store: Store
    url: str
    filled: Filled
    end: datetime
    run: str
    decision: str

    @property
    def clinics(self) -> tuple[str, ...]:
        return tuple(f"clinic-{n:04}" for n in range(1, self.filled.clinics + 1))


@pytest.fixture(scope="module")
async def large(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Large]:
    with postgres.server(**SERVER) as server, server.database() as url:
        filled = await fill(url, tmp_path_factory.mktemp("sandbox"), CLINICS, DECISIONS)
        with connected(url) as connection:
            query = "SELECT id, run, at FROM decision WHERE clinic = 'clinic-0500' ORDER BY at DESC, id DESC LIMIT 1"
            decision, run, at = connection.execute(query).fetchone() or ("", "", datetime.now(UTC))
        store = Store.open(url)
        yield Large(store, url, filled, at, run, decision)
        await store.aclose()


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


async def statements(store: Store, work: Callable[[], Awaitable[object]]) -> list[tuple[str, Any]]:
    """What `work` asks the database for."""
    engine, caught = store._database._engine.sync_engine, list[tuple[str, Any]]()

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        caught.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    with suppress(GovernorError):  # made-up rows hold no values that could be read back
        await work()
    event.remove(engine, "before_cursor_execute", note)
    return [each for each in caught if each[0].lstrip().startswith(("SELECT", "WITH", "UPDATE", "DELETE"))]


def explained(connection: psycopg.Connection[Any], statement: str, parameters: Any) -> Plan:
    """The plan that the database carries out, and what it cost; nothing of it stays."""
    with connection.transaction(force_rollback=True):
        row = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}".encode(), parameters).fetchone()
    found = row[0][0] if row else {}
    plan = found["Plan"]
    scanned = tuple(sorted({node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"} & {*LARGE}))
    named = dict.fromkeys(
        f"{node['Node Type']} {node.get('Index Name', node.get('Relation Name', ''))}".strip() for node in nodes(plan)
    )
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return Plan(pages, found["Execution Time"], scanned, ", ".join(named))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


def asked(large: Large) -> dict[str, tuple[int, Callable[[], Awaitable[object]]]]:
    """What is asked for, and how many pages that may take."""
    store, end, clinic = large.store, large.end, "clinic-0500"
    decisions, ledger, runs, tail, outbox = store.decisions, store.ledger, store.runs, store.tail, store.outbox
    every, two, hour, day = large.clinics, ("clinic-0007", clinic), timedelta(hours=1), timedelta(days=1)
    middle = end - large.filled.hours // 2 * hour

    def told(limit: int = 100, **wanted: Any) -> Callable[[], Awaitable[object]]:
        return lambda: decisions.told(Wanted(**{"clinics": (clinic,), **wanted}), limit=limit)

    def why() -> Awaitable[object]:
        return decisions.told(Wanted((clinic,), campaign="physio-search"), traced=True, limit=20)

    def half_way() -> Awaitable[object]:
        return decisions.told(Wanted((clinic,)), cursor=cursor_of(middle, "Z"))

    return {
        "decisions of a clinic": (PAGE, told()),
        "the same, half way back by its cursor": (PAGE, half_way),
        "of a campaign, with the reasons": (PAGE, why),
        "of a clinic since": (PAGE, told(since=end - day)),
        "of a clinic before": (PAGE, told(before=middle)),
        "of a clinic, changed": (PAGE, told(changed=True)),
        "of a clinic, by rule": (PAGE, told(rule="no such rule")),
        "of a clinic, by verdict": (PAGE, told(verdict=Verdict.AWAIT_APPROVAL)),
        "of a clinic, by platform": (PAGE, told(platform=Platform.META)),
        "of a clinic, by a rare reason": (PAGE, told(reason=Reason.SPENT_TODAY)),
        "of two clinics": (PAGE, told(clinics=two)),
        "of every clinic": (MANY, told(clinics=every)),
        "of every clinic, changed": (WIDE, told(clinics=every, changed=True)),
        "of every clinic, by a rare reason": (WIDE, told(clinics=every, reason=Reason.SPENT_TODAY)),
        "one decision": (PAGE, lambda: decisions.decision(large.decision)),
        "decisions of a run": (PAGE, lambda: decisions.of_run(large.run)),
        "decisions of 20 runs": (PAGE, lambda: decisions.of_runs([large.run] * 20)),
        "changes of decisions": (PAGE, lambda: store.intents.of_decisions([large.decision] * 100)),
        "open changes": (PAGE, lambda: store.intents.open(clinic)),
        "runs of a clinic": (PAGE, lambda: runs.runs([clinic])),
        "runs of two clinics": (PAGE, lambda: runs.runs(two)),
        "runs of every clinic": (MANY, lambda: runs.runs(every)),
        "runs with a plan": (PAGE, lambda: runs.runs([clinic], planned=True)),
        "runs that are under way": (PAGE, runs.unfinished),
        "the ledger, a clinic's": (PAGE, lambda: ledger.records(chains=[clinic])),
        "the ledger, a clinic's holds": (PAGE, lambda: ledger.records(chains=[clinic], kinds=[Kind.HOLD])),
        "the ledger, a clinic's since": (PAGE, lambda: ledger.records(chains=[clinic], since=end - day)),
        "the ledger, two clinics'": (PAGE, lambda: ledger.records(chains=two)),
        "the ledger, every clinic's": (MANY, lambda: ledger.records(chains=every)),
        "the ledger, every hold": (MANY, lambda: ledger.records(chains=every, kinds=[Kind.HOLD])),
        "a step of an export": (MANY, lambda: _first(ledger.export(WantedRecords(two)))),
        "a chain verified": (MANY, lambda: ledger.verify(clinic)),
        "chains": (MANY, ledger.chains),
        "news: where each chain ends": (PAGE, lambda: tail.heads(every)),
        "news: since a standing": (PAGE, lambda: tail.since({clinic: 10}, {clinic: 90})),
        "news: coming back with an id": (PAGE, lambda: tail.places(two, large.filled.hours * 1000)),
        "news: the newest id": (PAGE, tail.end),
        "notices to make": (PAGE, outbox.behind),
        "records to make notices of": (PAGE, lambda: outbox.records(Position(clinic, 10))),
        "notices that are due": (PAGE, lambda: outbox.due(end)),
        "notices claimed": (PAGE, lambda: outbox.claim(clinic, "marketing", "me", end, urgent=False)),
        "baselines of a run": (PAGE, lambda: store.snapshots.baselines(clinic, [(end - 26 * hour, end - 22 * hour)])),
        "the newest readings": (PAGE, lambda: store.snapshots.latest_readable(clinic)),
        "since when Cliniko is unreadable": (PAGE, lambda: store.snapshots.cliniko_unreadable_since(clinic)),
        "history of a quarter": (PAGE, lambda: store.history.span(clinic, end - 90 * day, end)),
        "report: a month of runs": (PAGE, lambda: store.reports.runs(clinic, end - 30 * day, end)),
        "report: a month of days": (PAGE, lambda: store.reports.days(clinic, (end - 30 * day).date(), end.date())),
        "how everything stands": (WIDE, lambda: store.overview.now(end)),
        "forgetting runs": (WIDE, lambda: store.retention.forget_runs(clinic, middle, end)),
        "forgetting documents": (WIDE, lambda: store.retention.forget_documents(end - 400 * day)),
        "forgetting what was seen": (PAGE, lambda: store.retention.forget_seen(clinic, end - 400 * day)),
        "forgetting notices": (PAGE, lambda: store.retention.forget_notices(end - 400 * day)),
        "what an archive would take": (PAGE, lambda: store.archives.segment(clinic, middle)),
    }


async def _first(steps: Awaitable[AsyncIterator[object]]) -> None:
    async for _ in await steps:
        return


async def test_no_query_reads_a_large_table_from_end_to_end(large: Large) -> None:
    wrong = []
    with connected(large.url) as connection:
        for name, (most, work) in asked(large).items():
            plans = [explained(connection, *each) for each in await statements(large.store, work)]
            pages, took = sum(each.pages for each in plans), sum(each.milliseconds for each in plans)
            scanned = sorted({table for each in plans for table in each.scanned})
            how = "; ".join(dict.fromkeys(each.nodes for each in plans))
            print(f"| {name} | {len(plans)} | {pages:,} | {took:.1f} | {how[:150]} |")
            if scanned or pages > most or not plans:
                wrong.append(f"{name}: {pages} pages, {scanned or 'no'} scan")
    assert not wrong, "\n".join(wrong)


async def test_how_many_records_a_second_are_appended() -> None:
    """On a server that makes each commit last, by workers that each append to a chain of their own."""
    with postgres.server() as server, server.database() as url:
        for workers in (1, 4, 12):
            stores = [Store.open(url) for _ in range(workers)]
            await asyncio.gather(*(each.ping() for each in stores))
            began = time.perf_counter()
            await asyncio.gather(*(appended(each, f"chain-{n}") for n, each in enumerate(stores)))
            took = time.perf_counter() - began
            print(f"| {workers} workers | {workers * APPENDED / took:,.0f} appends a second |")
            for each in stores:
                await each.aclose()
            assert workers * APPENDED / took > 50


async def appended(store: Store, chain: str) -> None:
    for n in range(APPENDED):
        await store.ledger.append(chain, Kind.HOLD, {"n": n}, datetime.now(UTC))


MOST_BYTES = 4_096
"""That a row may take with its indexes, in any table that has many."""


async def test_what_the_tables_take(large: Large) -> None:
    query = """
        SELECT relname, n_live_tup, pg_table_size(relid), pg_indexes_size(relid) FROM pg_stat_user_tables
        WHERE n_live_tup > 10000 ORDER BY pg_total_relation_size(relid) DESC
    """
    indexes = "SELECT relname, indexrelname, pg_relation_size(indexrelid) FROM pg_stat_user_indexes ORDER BY 3 DESC LIMIT 25"
    with connected(large.url) as connection:
        sizes = connection.execute(query).fetchall()
        assert {"decision", "ledger", "run"} <= {name for name, *_ in sizes}
        assert all((table + index) / rows < MOST_BYTES for _, rows, table, index in sizes), sizes
        for name, rows, table, index in sizes:
            print(f"| {name} | {rows:,} | {table / rows:,.0f} | {index / rows:,.0f} | {(table + index) / 2**20:,.0f} |")
        for table, name, size in connection.execute(indexes):
            print(f"| {table} | {name} | {size / 2**20:,.0f} |")
