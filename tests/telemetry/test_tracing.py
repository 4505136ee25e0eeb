"""What a collector of traces is sent: who did what within what, and nothing that anybody said."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from opentelemetry import trace
from pydantic import SecretStr, ValidationError

from service.app import App
from service.core.errors import TransientError
from service.governor import Report
from service.jobs.passes import evaluate_all
from service.monitor import Monitor, Request, Step
from service.sandbox.scene import HARBOUR, NORTHSIDE, scene
from service.settings import OtelSettings, Settings, secrets
from service.telemetry.tracing import FLUSH_SECONDS, Tracing
from service.web.server import create_app
from tests.telemetry.collector import Collector, Received, collecting
from tests.watching import Lines
from tests.web.conftest import client_of, keys_for
from tests.web.world import Near, app_over

STEPS = ["settle", "observe", "gather", "decide", "record", "apply"]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


@pytest.fixture
def near() -> Near:
    return Near(scene())


@pytest.fixture
async def app(near: Near, tmp_path: Path) -> AsyncIterator[App]:
    async with app_over(near, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def traced(collector: Collector, *monitors: Monitor) -> AsyncIterator[None]:
    """What these monitors tell is traced, and has arrived when the block ends."""
    tracing = Tracing(collector.address, {})
    for monitor in monitors:
        monitor.watchers.append(tracing)
    yield
    for monitor in monitors:
        monitor.watchers.remove(tracing)
    await tracing.aclose()


def ids(span: Received) -> tuple[object, object]:
    return span.attributes.get("governor.run"), span.attributes.get("governor.clinic")


async def test_a_run_is_a_span_with_its_steps_within_it(app: App, collector: Collector) -> None:
    async with traced(collector, app.monitor):
        report = await app.governor.run(HARBOUR)
    run = collector.one("run")
    assert (run.parent, run.failed, run.attributes["governor.outcome"]) == ("", False, report.status)
    assert sorted(span.name for span in collector.below(run)) == sorted(STEPS)
    assert {span.trace for span in collector.spans} == {run.trace}
    assert {ids(span) for span in collector.spans} == {(report.run, HARBOUR)}
    assert run.resource["service.name"] == "ad-spend-governor"
    assert run.resource["service.version"]


async def test_runs_at_once_are_traces_of_their_own(app: App, collector: Collector) -> None:
    async with traced(collector, app.monitor):
        reports = await evaluate_all(app, [HARBOUR, NORTHSIDE], dry_run=False)
    expected = {(each.run, each.clinic) for each in reports if isinstance(each, Report)}
    runs = collector.named("run")
    assert {ids(run) for run in runs} == expected
    for run in runs:
        assert {ids(span) for span in collector.spans if span.trace == run.trace} == {ids(run)}
        assert len(collector.below(run)) == len(STEPS)


async def test_a_run_that_fails_is_marked_without_what_was_said(app: App, near: Near, collector: Collector) -> None:
    near.crashing.add(HARBOUR)
    async with traced(collector, app.monitor):
        with pytest.raises(ZeroDivisionError):
            await app.governor.run(HARBOUR)
    run = collector.one("run")
    assert (run.failed, run.attributes["governor.outcome"]) == (True, "failed")
    assert b"hunter2" not in collector.octets


async def test_a_request_to_an_outside_system_is_a_span_within_its_step(collector: Collector) -> None:
    monitor = Monitor()
    async with traced(collector, monitor):
        with monitor.during(Step("observe")):
            with monitor.during(Request("cliniko", "businesses")):
                pass
            with pytest.raises(TransientError), monitor.during(Request("meta", "GET insights")):
                raise TransientError("meta", "words of theirs")
    good, bad = collector.one("cliniko businesses"), collector.one("meta GET insights")
    assert {good.parent, bad.parent} == {collector.one("observe").id}
    assert (good.failed, good.attributes["governor.outcome"]) == (False, "ok")
    assert (bad.failed, bad.attributes["governor.outcome"]) == (True, "transient")
    assert (bad.attributes["governor.system"], bad.attributes["governor.operation"]) == ("meta", "GET insights")
    assert b"words of theirs" not in collector.octets


async def test_a_request_to_the_api_goes_on_with_its_senders_trace(app: App, collector: Collector) -> None:
    keys = await keys_for(app)
    headers = {
        "Authorization": f"Bearer {keys['admin']}",
        "Traceparent": f"00-{TRACE}-{SPAN}-01",
        "X-Request-ID": "mine",
    }
    async with client_of(create_app(app, hourly=False)) as client, traced(collector, app.monitor):
        path = f"/v1/clinics/{HARBOUR}/evaluations"
        answer = await client.post(path, json={"dry_run": False}, headers=headers)
    request = collector.one("POST /v1/clinics/{clinic}/evaluations")
    assert (request.trace, request.parent) == (TRACE, SPAN)
    assert collector.one("run").parent == request.id
    assert ids(collector.one("run")) == (answer.json()["run"], HARBOUR)
    assert {span.attributes["governor.request"] for span in collector.spans} == {"mine"}
    assert (request.attributes["http.response.status_code"], request.attributes["http.route"]) == (
        200,
        "/v1/clinics/{clinic}/evaluations",
    )


@pytest.mark.parametrize("parent", ["", "00-zz-1-01", f"00-{'0' * 32}-{SPAN}-01", f"ff-{TRACE}-{SPAN}-01"])
async def test_a_senders_trace_that_is_none_is_not_gone_on_with(app: App, collector: Collector, parent: str) -> None:
    async with client_of(create_app(app, hourly=False)) as client, traced(collector, app.monitor):
        assert (await client.get("/v1/clinics", headers={"Traceparent": parent})).status_code == 401
    request = collector.one("GET /v1/clinics")
    assert (request.parent, request.trace == TRACE, request.failed) == ("", False, False)


async def test_no_key_is_sent_and_probes_are_not_traced(app: App, collector: Collector) -> None:
    keys = await keys_for(app)
    async with client_of(create_app(app, hourly=False)) as client, traced(collector, app.monitor):
        for path in ("/healthz", "/readyz", "/metrics"):
            await client.get(path)
        await client.get(f"/v1/runs/{keys['admin']}", headers={"Authorization": f"Bearer {keys['admin']}"})
    assert [span.name for span in collector.spans] == ["GET /v1/runs/{run}"]
    assert keys["admin"].encode() not in collector.octets


async def test_nothing_is_left_behind_in_the_process(app: App, collector: Collector) -> None:
    provider = trace.get_tracer_provider()
    async with traced(collector, app.monitor):
        await app.governor.run(HARBOUR)
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert trace.get_tracer_provider() is provider


# --- collectors that are none -------------------------------------------------------------------------------------------


async def ended_in(tracing: Tracing, app: App) -> tuple[float, float]:
    """How long a run and the end after it take, in seconds."""
    app.monitor.watchers.append(tracing)
    began = time.monotonic()
    assert (await app.governor.run(HARBOUR)).status == "finished"
    done = time.monotonic()
    await tracing.aclose()
    return done - began, time.monotonic() - done


async def test_a_collector_that_is_not_there_fails_no_run_and_does_not_hold_up_the_end(app: App, lines: Lines) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    _, end = await ended_in(Tracing(address, {"authorization": "Bearer a-secret-token"}), app)
    assert end < FLUSH_SECONDS + 2
    assert "a-secret-token" not in str(lines())


async def test_a_collector_that_hangs_delays_no_run_and_the_end_but_for_a_moment(app: App) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracing = Tracing(f"http://127.0.0.1:{silent.getsockname()[1]}", {})
        async with asyncio.timeout(30):
            _, end = await ended_in(tracing, app)
    assert end < FLUSH_SECONDS + 2


# --- what turns it on ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "environment", "wanted"),
    [
        (None, {}, False),
        ("", {}, False),
        ("http://collector:4318", {}, True),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        (None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        (None, {"OTEL_SERVICE_NAME": "governor"}, False),
        ("http://collector:4318", {"OTEL_SDK_DISABLED": "true"}, False),
        ("http://collector:4318", {"OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_traces_are_made_where_somebody_says_where_they_go(
    endpoint: str | None, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, *, wanted: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert OtelSettings(endpoint=endpoint).wanted() is wanted


async def test_the_standard_variables_say_where_and_how_and_who(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=a-secret-key")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "governor-of-mine")
    tracing = Tracing(None, {})
    monitor = Monitor([tracing])
    with monitor.during(Step("observe")):
        pass
    await tracing.aclose()
    assert collector.one("observe").resource["service.name"] == "governor-of-mine"
    assert collector.paths == ["/v1/traces"]
    assert (collector.headers[0]["x-api-key"], collector.headers[0]["content-encoding"]) == ("a-secret-key", "gzip")
    assert "a-secret-key" in secrets(Settings(_env_file=None))


@pytest.mark.parametrize("suffix", ["", "/", "/v1/traces"])
async def test_settings_of_ours_come_first(collector: Collector, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    settings = OtelSettings(endpoint=collector.address + suffix, headers={"x_api_key": SecretStr("ours")})
    tracing = Tracing(settings.endpoint, settings.plain_headers())
    with Monitor([tracing]).during(Step("observe")):
        pass
    await tracing.aclose()
    assert collector.paths == ["/v1/traces"]
    assert collector.headers[0]["x-api-key"] == "ours"


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector:4317", "http://"])
def test_an_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="http://"):
        OtelSettings(endpoint=endpoint)
