"""Metrics: what is counted, under names that are documented and with labels that name nobody."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from service.core.errors import CredentialsError, LeaseLostError, TransientError
from service.monitor import Answer, Changed, DatabaseFailed, Decided, Monitor, Notified, Request, Run, Step
from service.telemetry import catalogue
from service.telemetry.metrics import Metrics

README = Path(__file__).parents[2] / "README.md"
ROW = re.compile(r"^\| `(governor_\w+)` \| (counter|histogram|gauge) \| ([^|]*) \| ([^|]+) \|$", re.MULTILINE)


class Seconds:
    """A clock that the test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def metrics(seconds: Seconds) -> Metrics:
    return Metrics(seconds)


@pytest.fixture
def monitor(metrics: Metrics) -> Monitor:
    return Monitor([metrics])


def shown(metrics: Metrics, values: dict[catalogue.Metric, float | dict[str, float]] | None = None) -> dict[str, float]:
    """Every sample, as `name{label=value}`."""
    text = metrics.text(values or {}).decode()
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {f"{each.name}{{{','.join(f'{k}={v}' for k, v in sorted(each.labels.items()))}}}": each.value for each in samples}


# --- the documented names -----------------------------------------------------------------------------------------------


def documented() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The rows of the README's table: each metric's type and labels."""
    rows = ROW.findall(README.read_text("utf-8"))
    return {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in rows}


def test_the_readme_lists_every_metric_and_no_other() -> None:
    assert documented() == {each.name: (each.kind, each.labels) for each in catalogue.EVERY}


def test_the_alerts_to_begin_with_ask_for_documented_metrics_and_statuses() -> None:
    [rules] = re.findall(r"```yaml\n(groups:.*?)```", README.read_text("utf-8"), re.DOTALL)
    alerts = yaml.safe_load(rules)["groups"][0]["rules"]
    asked = [re.findall(r"(governor_\w+)(?:\{(\w+)='(\w+)'\})?", each["expr"]) for each in alerts]
    assert all(asked)
    for name, label, _ in (found for each in asked for found in each):
        _, labels = documented()[name.removesuffix("_bucket")]
        assert not label or label in labels


def test_what_is_shown_is_what_is_listed(metrics: Metrics) -> None:
    values: dict[catalogue.Metric, float | dict[str, float]] = {
        each: {"x": 1.0} if each.labels else 1.0 for each in catalogue.READ
    }
    families = text_string_to_metric_families(metrics.text(values).decode())
    found = {f"{family.name}_total" if family.type == "counter" else family.name: family.type for family in families}
    assert found == {each.name: each.kind for each in catalogue.EVERY}


def test_every_documented_value_of_a_label_can_be_met() -> None:
    """The words that the table explains are those that are counted under."""
    text = README.read_text("utf-8")
    from service.telemetry import metrics as module  # noqa: PLC0415 - its closed sets

    for row, words in (
        ("governor_runs_total", module.STATUSES),
        ("governor_changes_total", module.ENDINGS),
        ("governor_notices_total", module.TOLD),
        ("governor_outside_requests_total", (*module.SYSTEMS, *module.OUTCOMES)),
    ):
        [said] = [meaning for name, _, _, meaning in ROW.findall(text) if name == row]
        assert set(re.findall(r"`(\w+)`", said)) == set(words)


# --- counting -----------------------------------------------------------------------------------------------------------


def test_a_run_is_counted_by_how_it_ended_and_timed(metrics: Metrics, monitor: Monitor, seconds: Seconds) -> None:
    with monitor.during(Run()) as ending:
        seconds.now += 42
        ending.outcome = "incomplete"
    with pytest.raises(LeaseLostError), monitor.during(Run()):
        raise LeaseLostError("taken")
    with pytest.raises(ZeroDivisionError), monitor.during(Run()):
        raise ZeroDivisionError
    found = shown(metrics)
    assert found["governor_runs_total{status=incomplete}"] == 1
    assert found["governor_runs_total{status=busy}"] == 1
    assert found["governor_runs_total{status=failed}"] == 1
    assert found["governor_run_seconds_sum{status=incomplete}"] == 42
    assert found["governor_run_seconds_bucket{le=30.0,status=incomplete}"] == 0
    assert found["governor_run_seconds_bucket{le=60.0,status=incomplete}"] == 1


def test_an_error_of_an_outside_system_that_ends_a_run_makes_it_failed(metrics: Metrics, monitor: Monitor) -> None:
    with pytest.raises(CredentialsError), monitor.during(Run()):
        raise CredentialsError("meta", "revoked")
    assert shown(metrics)["governor_runs_total{status=failed}"] == 1


def test_requests_are_counted_by_system_and_outcome(metrics: Metrics, monitor: Monitor, seconds: Seconds) -> None:
    with monitor.during(Request("cliniko", "businesses")):
        seconds.now += 0.3
    with pytest.raises(TransientError), monitor.during(Request("cliniko", "businesses")):
        raise TransientError("cliniko", "down")
    found = shown(metrics)
    assert found["governor_outside_requests_total{outcome=ok,system=cliniko}"] == 1
    assert found["governor_outside_requests_total{outcome=transient,system=cliniko}"] == 1
    assert found["governor_outside_request_seconds_count{system=cliniko}"] == 2


def test_steps_decisions_changes_answers_and_database_errors_are_counted(metrics: Metrics, monitor: Monitor) -> None:
    with monitor.during(Step("observe")):
        monitor.happened(Decided("keep", "held"))
        monitor.happened(Decided("keep", "held"))
        monitor.happened(Changed("meta", "applied"))
        monitor.happened(Notified("sent"))
        monitor.happened(DatabaseFailed())
    for method in ("GET", "BREW"):
        with monitor.during(Answer(method, "/v1/runs/01R", {})) as ending:
            ending.outcome, ending.route = "200", "/v1/runs/{run}"
    found = shown(metrics)
    assert found["governor_run_step_seconds_count{step=observe}"] == 1
    assert found["governor_decisions_total{reason=held,verdict=keep}"] == 2
    assert found["governor_changes_total{outcome=applied,platform=meta}"] == 1
    assert found["governor_notices_total{outcome=sent}"] == 1
    assert found["governor_notices_total{outcome=failed}"] == 0
    assert found["governor_database_errors_total{}"] == 1
    assert found["governor_http_requests_total{method=GET,route=/v1/runs/{run},status=200}"] == 1
    assert found["governor_http_requests_total{method=other,route=/v1/runs/{run},status=200}"] == 1


def test_what_has_not_happened_yet_is_shown_as_nought(metrics: Metrics) -> None:
    found = shown(metrics)
    assert found["governor_runs_total{status=failed}"] == 0
    assert found["governor_changes_total{outcome=failed,platform=google}"] == 0
    assert found["governor_outside_requests_total{outcome=credentials,system=meta}"] == 0


def test_gauges_are_shown_as_they_are_given_and_not_otherwise(metrics: Metrics) -> None:
    assert not any("governor_clinics" in name for name in shown(metrics))
    found = shown(metrics, {catalogue.CLINICS: {"fresh": 3, "never": 1}, catalogue.DATABASE_UP: 1})
    assert found["governor_clinics{freshness=fresh}"] == 3
    assert found["governor_clinics{freshness=never}"] == 1
    assert found["governor_database_up{}"] == 1
    assert not any("governor_clinics" in name for name in shown(metrics))


def test_each_registry_counts_for_itself_and_none_for_the_process() -> None:
    before = {family.name for family in REGISTRY.collect()}
    one, other = Metrics(), Metrics()
    one.happened(DatabaseFailed())
    assert shown(one)["governor_database_errors_total{}"] == 1
    assert shown(other)["governor_database_errors_total{}"] == 0
    assert {family.name for family in REGISTRY.collect()} == before
