"""The whole service against the sandbox, watched by a collector: one evaluation is one trace down to each request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from service.app import bootstrap
from service.sandbox.scene import HARBOUR, META_TOKEN
from service.sandbox.stage import Stage
from service.sandbox.world import World
from service.settings import OtelSettings, Settings, secrets
from tests.e2e.served import served
from tests.support import RULES
from tests.telemetry.collector import collecting


async def test_one_evaluation_is_one_trace_from_the_run_to_each_request(world: World, settings: Settings) -> None:
    with collecting() as collector:
        traced = settings.model_copy(update={"otel": OtelSettings(endpoint=collector.address)})
        async with bootstrap(traced, world.clock()) as app:
            report = await app.governor.run(HARBOUR)
    assert report.status == "finished"
    run = collector.one("run")
    steps = {span.name: span for span in collector.below(run)}
    assert {"settle", "observe", "gather", "decide", "record", "apply"} == set(steps)
    requests = [span for span in collector.spans if "governor.system" in span.attributes]
    assert {span.parent for span in requests} == {steps["observe"].id}
    asked = Counter(str(span.attributes["governor.system"]) for span in requests)
    seen = Counter(request.system for request in world.requests)
    assert {system: asked[system] for system in ("cliniko", "meta")} == {system: seen[system] for system in ("cliniko", "meta")}
    assert asked["google"] > 0
    for span in collector.spans:
        assert (span.trace, span.failed) == (run.trace, False)
        assert (span.attributes["governor.run"], span.attributes["governor.clinic"]) == (report.run, HARBOUR)


async def test_no_secret_reaches_the_collector_even_where_everything_is_refused(world: World, settings: Settings) -> None:
    with collecting() as collector:
        traced = settings.model_copy(update={"otel": OtelSettings(endpoint=collector.address)})
        for clinic in world.clinics.values():
            clinic.api_key = "another"
        async with bootstrap(traced, world.clock()) as app:
            report = await app.governor.run(HARBOUR)
    assert report.status == "incomplete"
    assert [span for span in collector.named("cliniko settings") if span.failed]
    known = secrets(settings)
    assert META_TOKEN in known
    assert not [secret for secret in known if secret.encode() in collector.octets]


def test_nothing_of_opentelemetry_or_prometheus_is_imported_by_whoever_does_not_want_it(tmp_path: Path) -> None:
    probe = (
        "import sys, asyncio\n"
        "from service.app import bootstrap\n"
        "from service.settings import Settings\n"
        "async def once():\n"
        "    async with bootstrap(Settings(database_url=f'sqlite+aiosqlite:///{sys.argv[1]}/governor.db', _env_file=None)):\n"
        "        pass\n"
        "asyncio.run(once())\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.', 'prometheus_client'))])"
    )
    command = [sys.executable, "-c", probe, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.sampled(2)
def test_a_service_that_is_stopped_sends_what_is_left_and_ends_well(
    end: signal.Signals, stage: Stage, settings: Settings, tmp_path: Path
) -> None:
    assert settings.rules_dir == RULES
    with collecting() as collector:
        own = {"GOVERNOR_OTEL__ENDPOINT": collector.address, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
        with served({**os.environ, **stage.environment, **own}, tmp_path, "--api-only", end=end) as service:
            with service.client() as client:
                assert client.get("/v1/clinics").status_code == 401
            assert collector.spans == []
    assert [span.name for span in collector.spans] == ["GET /v1/clinics"]
    assert service.process.returncode == 0
    assert "Traceback" not in service.output.read_text("utf-8")
