"""Dashboard, alerts and monitors ask for metrics that the service has, with labels that they have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from service.core.model import Verdict
from service.telemetry import catalogue, metrics
from tests.helm.chart import HELM, PROMETHEUS, SHAPES, of_kind, rendered, shape

LABELS = {metric.name: metric.labels for metric in catalogue.EVERY}
HISTOGRAMS = {metric.name for metric in catalogue.EVERY if metric.kind == "histogram"}
SCRAPED = {"job", "namespace"}
DASHBOARD = json.loads((HELM / "dashboards" / "governor.json").read_text("utf-8"))
MONITORED = {
    "metrics": {"monitors": {"enabled": True}, "prometheusRule": {"enabled": True}},
    "networkPolicy": {"metricsFrom": PROMETHEUS},
}


def _panels() -> Iterator[dict[str, Any]]:
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def _alerts(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (rule,) = of_kind(rendered(values), "PrometheusRule").values()
    assert rule["apiVersion"] == "monitoring.coreos.com/v1"
    return {alert["alert"]: alert for group in rule["spec"]["groups"] for alert in group["rules"]}


ALERTS = _alerts({**SHAPES["everything"]}) | _alerts(MONITORED)
EXPRESSIONS = [
    *(target["expr"] for panel in _panels() for target in panel["targets"]),
    *(alert["expr"] for alert in ALERTS.values()),
]


def _family(name: str) -> str:
    short = re.sub("_(bucket|sum|count)$", "", name)
    return short if short in HISTOGRAMS else name


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_is_one_of_ours_and_has_these_labels(expression: str) -> None:
    asked = re.findall(r"(governor_\w+)(?:\{([^}]*)\})?", expression)
    assert asked
    for name, selectors in asked:
        assert _family(name) in LABELS
        assert (name != _family(name)) == (_family(name) in HISTOGRAMS)
        selected = {each.partition("=")[0].rstrip("!~ ") for each in selectors.split(",")}
        assert selected <= {*LABELS[_family(name)], *SCRAPED}
        assert selected >= SCRAPED
    together = {label for found in re.findall(r"by \(([^)]*)\)", expression) for label in found.split(", ")}
    assert together <= {"le", *(label for name, _ in asked for label in LABELS[_family(name)])}
    assert expression.count("(") == expression.count(")")
    assert expression.count("{") == expression.count("}") == len(asked)


VALUES = {
    "verdict": {verdict.value for verdict in Verdict},
    "status": {*metrics.STATUSES},
    "freshness": {"fresh", "stale", "failed", "never"},
    "state": {"queued", "active", "scheduled"},
    "outcome": {*metrics.OUTCOMES, *metrics.ENDINGS, *metrics.TOLD},
}


def test_every_value_that_is_asked_for_occurs() -> None:
    for expression in EXPRESSIONS:
        for label, values in re.findall(r'(\w+)(?:=|!=|=~)"([a-z_|]+)"', expression):
            if label not in SCRAPED:
                assert {*values.split("|")} <= VALUES[label]


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    for name, alert in ALERTS.items():
        assert name.startswith("Governor")
        assert alert["labels"]["severity"] in {"critical", "warning", "info"}
        assert alert["annotations"].keys() == {"summary", "description"}
        assert 'job="gov",namespace="ads"' in alert["expr"]


def test_each_shape_has_the_alerts_that_can_fire_there() -> None:
    cron = _alerts({**SHAPES["cron job"], **MONITORED}).keys()
    workers, one = _alerts({**SHAPES["workers"], **MONITORED}).keys(), _alerts(MONITORED).keys()
    assert {"GovernorRunsAreLate", "GovernorQueueIsNotWorked", "GovernorWorkersAreSilent"} == workers - one
    assert one - workers == {"GovernorLoopIsOverdue"}
    assert {"GovernorIsSilent", "GovernorForecastIsOld", "GovernorDatabaseIsAway", "GovernorClinicsAreNotRead"} <= cron < one


OF_EACH = {_family(name) for name in re.findall(r"^(governor_\w+)[ {]", metrics.Metrics().text({}).decode(), re.MULTILINE)}
"""What a process of its own shows from its start on, before anything happened."""

WITH_THE_DATABASE = {metric.name for metric in catalogue.READ} - {
    catalogue.QUEUE.name,
    catalogue.OLDEST.name,
    catalogue.HEARTBEAT.name,
}
"""What each process shows while it reaches the database, and which `governor_database_up` stands for if it does not."""

STANDS_FOR = {
    catalogue.OLDEST.name: "GovernorClinicsAreNotRead",  # it is not there as long as no clinic was ever read
    catalogue.HEARTBEAT.name: "GovernorIsSilent",  # it is not there as long as no process with a loop is
}


@pytest.mark.parametrize("name", ["default", "workers", "cron job", "everything"])
def test_no_alert_is_quiet_because_what_it_asks_for_is_not_there(name: str) -> None:
    alerts = _alerts({**MONITORED, **SHAPES[name]} if name == "everything" else {**SHAPES[name], **MONITORED})
    missed = set(re.findall(r"absent\((governor_\w+)", " ".join(alert["expr"] for alert in alerts.values())))
    assert catalogue.BUILD.name in missed
    for alert in alerts.values():
        for asked in map(_family, re.findall(r"governor_\w+", alert["expr"])):
            assert asked in OF_EACH | WITH_THE_DATABASE | missed or STANDS_FOR[asked] in alerts
            if asked in WITH_THE_DATABASE:
                assert "GovernorDatabaseIsAway" in alerts


def test_what_alerts_select_is_there_before_it_happens() -> None:
    shown = metrics.Metrics().text({}).decode()
    for alert in ALERTS.values():
        for metric, label, value in re.findall(r'(governor_\w+_total)\{[^}]*,(\w+)="(\w+)"\}', alert["expr"]):
            if label not in SCRAPED:
                assert re.search(rf'^{metric}\{{.*{label}="{value}".*\}} 0', shown, re.MULTILINE), metric


def test_monitors_ask_for_metrics_and_select_what_prometheus_wants() -> None:
    manifests = shape("everything")
    (service,), (workers,) = of_kind(manifests, "ServiceMonitor").values(), of_kind(manifests, "PodMonitor").values()
    for monitor in (service, workers):
        assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/instance"
        (endpoint,) = monitor["spec"].get("endpoints") or monitor["spec"]["podMetricsEndpoints"]
        assert (endpoint["path"], endpoint["interval"], endpoint["scrapeTimeout"]) == ("/metrics", "30s", "10s")


def test_the_dashboard_is_found_by_grafana_and_fits_its_grid() -> None:
    (found,) = [each for name, each in of_kind(shape("everything"), "ConfigMap").items() if name.endswith("-dashboard")]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(found["data"]["ad-spend-governor.json"]) == DASHBOARD
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    cells = set[tuple[int, int]]()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        taken = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not taken & cells
        assert at["x"] + at["w"] <= 24
        cells |= taken


def test_the_dashboard_shows_every_metric() -> None:
    shown = {_family(name) for expression in EXPRESSIONS for name in re.findall(r"governor_\w+", expression)}
    assert shown == LABELS.keys()
