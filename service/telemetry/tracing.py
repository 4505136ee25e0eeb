"""Traces for OpenTelemetry: a span for each run and its steps, each request to an outside system, each request to our API.

Importing this module imports OpenTelemetry, which takes a fifth of a second: only who wants traces does. There is no global
provider. Spans are sent over OTLP/HTTP by a thread of their own, from a queue that drops what does not fit, so a collector that
is slow or down costs a run nothing.

A span says which run, clinic and request it belongs to (what is bound for the log), what kind of work it is, and how it ended.
Nothing that was said in an error, and no exception, is in one: those are where secrets and clients' words are.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from structlog.contextvars import get_contextvars

import service
from service.logs import redacted
from service.monitor import OK, Answer, Ending, Fact, Request, Run, Step, Work

SERVICE = "ad-spend-governor"
PATH = "/v1/traces"
FLUSH_SECONDS = 3.0
"""How long the end of the service may be held up by a collector that does not take what is left."""

GOOD_RUNS = frozenset({"finished", "incomplete", "dry_run"})
UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
"""What comes every few seconds and tells nothing."""

_PARENTS = TraceContextTextMapPropagator()


class Tracing:
    """A watcher that makes spans and sends them to `endpoint`, or where the standard OTEL_ variables say, with `headers`."""

    def __init__(self, endpoint: str | None, headers: Mapping[str, str]) -> None:
        self._exporter = OTLPSpanExporter(endpoint=_address(endpoint), headers=headers)
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer(SERVICE, service.__version__)

    async def aclose(self) -> None:
        """Send what is left; a collector that does not take it in time goes without."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, FLUSH_SECONDS)
        if closing.is_alive():
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # the SDK annotates only some of it

    # --- watching -------------------------------------------------------------------------------------------------------

    def begins(self, work: Work) -> Callable[[Ending], None]:
        """A span, within that of the work it is part of; a request's within the one that its sender names."""
        if isinstance(work, Answer) and work.path in UNTRACED:
            return lambda _: None
        parent = _PARENTS.extract(work.headers) if isinstance(work, Answer) else None
        span = self._span(work, parent)
        token = context.attach(trace.set_span_in_context(span))

        def ends(ending: Ending) -> None:
            context.detach(token)
            _finish(span, work, ending)
            span.end()

        return ends

    def happened(self, fact: Fact) -> None:
        """Facts are for the metrics."""

    def _span(self, work: Work, parent: Context | None) -> Span:
        kind = {Request: SpanKind.CLIENT, Answer: SpanKind.SERVER}.get(type(work), SpanKind.INTERNAL)
        return self._tracer.start_span(_name(work), parent, kind, dict(_attributes(work)))


def _name(work: Work) -> str:
    match work:
        case Run():
            return "run"
        case Step(name):
            return name
        case Request(system, operation):
            return f"{system} {operation}"
        case Answer(method):
            return method


def _attributes(work: Work) -> Iterator[tuple[str, str]]:
    bound = get_contextvars()
    yield from ((f"governor.{name}", str(bound[name])) for name in ("run", "clinic", "request") if name in bound)
    match work:
        case Request(system, operation):
            yield "governor.system", system
            yield "governor.operation", operation
        case Answer(method, path):
            yield "http.request.method", method
            yield "url.path", redacted(path)


def _finish(span: Span, work: Work, ending: Ending) -> None:
    if isinstance(work, Answer):
        span.update_name(f"{work.method} {ending.route}")
        span.set_attribute("http.route", ending.route)
        span.set_attribute("http.response.status_code", int(ending.outcome))
        good = int(ending.outcome) < 500
    else:
        span.set_attribute("governor.outcome", ending.outcome)
        good = ending.outcome == OK or (isinstance(work, Run) and ending.outcome in GOOD_RUNS)
    if not good:
        span.set_status(Status(StatusCode.ERROR, ending.outcome))


def _address(endpoint: str | None) -> str | None:
    """The address for traces: an endpoint's is that of the collector, as in OTEL_EXPORTER_OTLP_ENDPOINT."""
    if not endpoint:
        return None
    base = endpoint.rstrip("/")
    return base if base.endswith(PATH) else base + PATH


def _resource() -> Resource:
    """Who we are, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say otherwise."""
    own = Resource.create({"service.name": SERVICE, "service.version": service.__version__})
    return own.merge(OTELResourceDetector().detect())
