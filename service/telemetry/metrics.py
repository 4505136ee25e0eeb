"""Metrics for Prometheus, in a registry of their own: a process may hold several.

What happens is counted as the monitor tells of it. What is a matter of how things stand (`catalogue.READ`) is read by whoever
asks for the text, and given along with the question; what is not given is not in the answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.core import Metric as Family

from service.core.model import Platform, Reason, Verdict
from service.monitor import Answer, Changed, DatabaseFailed, Decided, Ending, Fact, Late, Notified, Request, Run, Step, Work
from service.telemetry import catalogue
from service.telemetry.catalogue import Metric

CONTENT_TYPE = "text/plain; version=0.0.4"
"""Of the text; it is in UTF-8."""

STATUSES = ("finished", "incomplete", "dry_run", "failed", "busy", "cancelled")
SYSTEMS = ("cliniko", "google", "meta")
OUTCOMES = ("ok", "throttled", "transient", "credentials", "refused", "protocol", "ambiguous", "cancelled", "failed")
ENDINGS = ("applied", "failed", "superseded")
TOLD = ("sent", "put_off", "failed", "expired")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHER = "other"

Value = float | Mapping[str, float]
"""Of a gauge: one number, or one for each value of its only label."""

Values = Mapping[Metric, Value]


class Metrics:
    """A registry, and the watcher that fills it. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._monotonic = monotonic
        self._registry = CollectorRegistry()
        self._metrics: dict[Metric, Any] = {metric: self._made(metric) for metric in catalogue.COUNTED}
        self._begin_at_nought()

    def _made(self, metric: Metric) -> Counter | Histogram:
        if metric.kind == "counter":
            return Counter(metric.name, metric.about, metric.labels, registry=self._registry)
        return Histogram(metric.name, metric.about, metric.labels, registry=self._registry, buckets=metric.buckets)

    def _begin_at_nought(self) -> None:
        """Show what has not happened yet: a series that begins at 1 has, for whoever looks at its increase, not grown."""
        for status in STATUSES:
            self._metrics[catalogue.RUNS].labels(status)
        for system in SYSTEMS:
            for outcome in OUTCOMES:
                self._metrics[catalogue.REQUESTS].labels(system, outcome)
        for outcome in TOLD:
            self._metrics[catalogue.NOTICES].labels(outcome)
        for platform in Platform:
            for ending in ENDINGS:
                self._metrics[catalogue.CHANGES].labels(platform.value, ending)
        for reason in Reason:
            self._metrics[catalogue.DECISIONS].labels(Verdict.REFUSED.value, reason.value)

    # --- watching -------------------------------------------------------------------------------------------------------

    def begins(self, work: Work) -> Callable[[Ending], None]:
        """Measure from now on until it ends."""
        began = self._monotonic()
        return lambda ending: self._ended(work, ending, self._monotonic() - began)

    def happened(self, fact: Fact) -> None:
        """Count it."""
        match fact:
            case Decided(verdict, reason):
                self._metrics[catalogue.DECISIONS].labels(verdict, reason).inc()
            case Changed(platform, outcome):
                self._metrics[catalogue.CHANGES].labels(platform, outcome).inc()
            case Notified(outcome):
                self._metrics[catalogue.NOTICES].labels(outcome).inc()
            case Late(seconds):
                self._metrics[catalogue.LATENESS].observe(seconds)
            case DatabaseFailed():
                self._metrics[catalogue.DATABASE_ERRORS].inc()

    def _ended(self, work: Work, ending: Ending, seconds: float) -> None:
        match work:
            case Run():
                status = _among(STATUSES, ending.outcome, "failed")
                self._count(catalogue.RUNS, catalogue.RUN_SECONDS, (status,), seconds, (status,))
            case Step(name):
                self._metrics[catalogue.STEP_SECONDS].labels(name).observe(seconds)
            case Request(system):
                outcome = _among(OUTCOMES, ending.outcome, "failed")
                self._count(catalogue.REQUESTS, catalogue.REQUEST_SECONDS, (system, outcome), seconds, (system,))
            case Answer(method):
                of = ending.route, _among(METHODS, method, OTHER)
                self._count(catalogue.ANSWERS, catalogue.ANSWER_SECONDS, (*of, ending.outcome), seconds, of)

    def _count(self, counter: Metric, timer: Metric, how: tuple[str, ...], seconds: float, of: tuple[str, ...]) -> None:
        self._metrics[counter].labels(*how).inc()
        self._metrics[timer].labels(*of).observe(seconds)

    # --- showing --------------------------------------------------------------------------------------------------------

    def text(self, values: Values) -> bytes:
        """Everything in Prometheus' text format, with these values of gauges."""
        return generate_latest(_Shown([*map(_without_birth, self._registry.collect()), *_families(values)]))


class _Shown(CollectorRegistry):
    """What is shown in one answer."""

    def __init__(self, families: list[Family]) -> None:
        super().__init__()
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


def _families(values: Values) -> Iterator[Family]:
    for metric, value in values.items():
        family = GaugeMetricFamily(metric.name, metric.about, labels=metric.labels)
        for label, number in value.items() if isinstance(value, Mapping) else [(None, value)]:
            family.add_metric([] if label is None else [label], number)
        yield family


def _without_birth(family: Family) -> Family:
    """Without the instants at which series began, which the library shows as metrics of their own."""
    family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
    return family


def _among(known: tuple[str, ...], value: str, otherwise: str) -> str:
    return value if value in known else otherwise
