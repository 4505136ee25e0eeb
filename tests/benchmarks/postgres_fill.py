"""A PostgreSQL database as a thousand clinics would leave it: what one run of the sandbox stored, told again by the server.

Clinics take turns hour by hour, as they do in life, so that neighbours on disk are neighbours in time and not of one clinic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg

from service.sandbox.scene import HARBOUR, scene
from tests.web.world import Near, app_over

SERVER = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "1GB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

HOURS_A_STEP = 10

PLACES = """
    CREATE TEMPORARY TABLE place AS
    SELECT h, c, 'clinic-' || lpad(c::text, 4, '0') AS clinic, {at} + h * interval '1 hour' AS at,
        upper(lpad(to_hex(h), 10, '0') || lpad(to_hex(c), 16, '0')) AS run
    FROM generate_series(%(first)s::int, %(last)s::int) AS h, generate_series(1, %(clinics)s::int) AS c
    ORDER BY h, c
"""
"""The runs of a step: when, of which clinic, by which id."""

TOLD = (
    """
    INSERT INTO document SELECT md5(run) || md5(clinic), set_bit(p.body, 7, 1), place.at::date
    FROM place, (SELECT d.* FROM document d JOIN snapshot s ON s.document = d.digest WHERE s.run = %(run)s) p
    """,
    """
    INSERT INTO run SELECT run, place.clinic, p.status, at, at, p.message, p.summary, p.inputs, p.outcome, p.outcome_text
    FROM place, (SELECT * FROM run WHERE id = %(run)s) p
    """,
    """
    INSERT INTO snapshot SELECT place.run, place.clinic, at, h %% 50 <> 7, md5(place.run) || md5(place.clinic)
    FROM place, (SELECT * FROM snapshot WHERE run = %(run)s) p
    """,
    """
    INSERT INTO decision (id, run, clinic, campaign, platform, service, rule, verdict, reason, changed, at, body)
    SELECT place.run || lpad(p.n::text, 2, '0'), place.run, place.clinic, p.campaign, p.platform, p.service, p.rule,
        p.verdict, CASE WHEN (h * 7 + c) %% 500 = 0 THEN 'spent_today' ELSE p.reason END,
        (h + c) %% 20 = 0, place.at, regexp_replace(
            replace(p.body, p.id, place.run || lpad(p.n::text, 2, '0')),
            '"at":"[^"]*"', '"at":"' || to_char(place.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '"'
        )
    FROM place, (SELECT row_number() OVER (ORDER BY id) AS n, * FROM decision WHERE run = %(run)s) p
    """,
    """
    INSERT INTO trace SELECT place.run, p.service, p.document FROM place, (SELECT * FROM trace WHERE run = %(run)s) p
    """,
    """
    INSERT INTO run_seen SELECT place.run, place.clinic, place.at, p.body
    FROM place, (SELECT * FROM run_seen WHERE run = %(run)s) p
    """,
    """
    INSERT INTO ledger (chain, seq, at, kind, text, hash)
    SELECT place.clinic, h * %(records)s + p.n, place.at, p.kind, p.text, md5(run) || md5(p.n::text)
    FROM place, (SELECT row_number() OVER (ORDER BY seq) AS n, * FROM ledger WHERE chain = %(clinic)s AND seq > %(since)s) p
    ORDER BY h, c, p.n
    """,
)

ONCE = (
    "INSERT INTO document SELECT md5(n::text) || md5(n::text), '', current_date - 500 FROM generate_series(1, 1000) n",
    """
    INSERT INTO chain SELECT chain, max(seq), md5(chain) || md5(chain) FROM ledger
    WHERE chain LIKE 'clinic-%%' GROUP BY chain
    """,
    "INSERT INTO notice_position SELECT name, seq, '{}' FROM chain ON CONFLICT DO NOTHING",
    """
    INSERT INTO notice (chain, seq, n, channel, urgent, at, body, status, due_at, tries, repeated, ended_at)
    SELECT clinic, n, 0, 'marketing', false, started_at, '{}', CASE WHEN n %% 1000 = 0 THEN 'waiting' ELSE 'sent' END,
        started_at, 1, false, CASE WHEN n %% 1000 = 0 THEN NULL ELSE started_at END
    FROM (SELECT row_number() OVER (PARTITION BY clinic ORDER BY started_at) AS n, * FROM run WHERE clinic LIKE 'clinic-%%') r
    WHERE n %% 10 = 0
    """,
    """
    INSERT INTO rule_revision (clinic, digest, text, rules, loaded_at)
    SELECT DISTINCT ON (chain.name) chain.name, r.digest, r.text, r.rules, r.loaded_at FROM chain, rule_revision r
    WHERE chain.name LIKE 'clinic-%%'
    """,
    """
    INSERT INTO change (id, decision, run, clinic, campaign, status, fence, intended_at, sent_at, settled_at, body, detail)
    SELECT d.id, d.id, d.run, d.clinic, d.campaign, 'applied', 1, d.at, d.at, d.at, '{}', '{}'
    FROM decision d WHERE d.changed AND d.clinic LIKE 'clinic-%%'
    """,
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What is there: of so many clinics, so many decisions each, in runs of so many."""

    clinics: int
    hours: int
    decisions: int
    records: int


async def fill(url: str, folder: Path, clinics: int, decisions: int) -> Filled:
    """Fill a migrated database with about so many decisions of so many clinics, and bring its statistics up to date."""
    async with app_over(Near(world := scene()), folder, database_url=url) as app:
        for hours in (0, 1):  # the second changes nothing, as most do
            world.advance(timedelta(hours=hours))
            before = await app.store.ledger.head(HARBOUR)
            run = await app.governor.run(HARBOUR)
        found = len(await app.store.decisions.of_run(run.run))
        records = (await app.store.ledger.head(HARBOUR)).seq - before.seq
    hours = decisions // (clinics * found)
    what = {"run": run.run, "clinic": HARBOUR, "since": before.seq, "records": records, "clinics": clinics}
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # no foreign key is looked up a million times
        connection.execute("ALTER TABLE ledger DISABLE TRIGGER USER")
        at = connection.execute("SELECT max(at) FROM decision").fetchone()
        assert at is not None
        for first in range(0, hours, HOURS_A_STEP):
            step = {**what, "first": first, "last": min(first + HOURS_A_STEP, hours) - 1}
            connection.execute(PLACES.format(at=f"timestamptz '{at[0] - hours * timedelta(hours=1)}'"), step)
            for statement in TOLD:
                connection.execute(statement, step)
            connection.execute("DROP TABLE place")
        for statement in ONCE:
            connection.execute(statement, what)
        connection.execute("ALTER TABLE ledger ENABLE ALWAYS TRIGGER ledger_refuses_change")
        connection.execute("VACUUM ANALYZE")
    return Filled(clinics, hours, found, records)
