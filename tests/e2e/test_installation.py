"""One installation of several processes as an orchestrator and an agency see it, over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx

from service.keys import EVERY_CLINIC, new_key
from service.store.keys import Role
from tests.e2e.served import Service, served
from tests.eventually import eventually
from tests.fleet.fleet import Fleet, fleet

WORKER = ("-c", "from service.cli import main; main()", "worker", "--port", "0")


async def key_in(made: Fleet) -> str:
    async with made.store() as store:
        await store.migrate()
        secret, _ = await new_key(store.keys, "agency", Role.VIEWER, [EVERY_CLINIC], datetime.now(UTC))
    return secret


async def test_an_agency_is_told_by_one_process_what_another_records(tmp_path: Path) -> None:
    with fleet(tmp_path, 1, 2, speed=1.0, now=datetime.now(UTC), every="1h", durable=False) as made:
        secret = await key_in(made)
        with served(made.environment, tmp_path) as api, api.client() as agency:
            asked = {"headers": {"Authorization": f"Bearer {secret}"}, "timeout": 60}
            with agency.stream("GET", "/v1/events", **asked) as told:  # type: ignore[arg-type] # by name
                lines = told.iter_lines()
                assert next(lines) == ": the ledger as it grows"
                process = made.start_worker(*WORKER)
                records = (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
                begun = next(record for record in records if record["kind"] == "run.started")
        assert begun["chain"] == made.clinics[0]
        worker = Service(process, tmp_path / "worker-1.log")
        with worker.client() as orchestrator:
            assert orchestrator.get("/readyz").status_code == 200
            assert 'governor_queue_jobs{state="active"} 1' in orchestrator.get("/metrics").text
            made.redis.kill()

            async def says(status: int) -> httpx.Response | None:
                answer = orchestrator.get("/readyz", timeout=30)
                return answer if answer.status_code == status else None

            answer = await eventually(lambda: says(503), 60)
            assert answer is not None
            assert "Redis" in answer.text
            assert orchestrator.get("/healthz").status_code == 200
            made.redis.start()
            await eventually(lambda: says(200), 60)
