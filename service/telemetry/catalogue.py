"""Every metric: its name, its labels and what it means. Names and labels are what dashboards and alerts are written against.

No label names a clinic, a campaign or anything else that a key is needed to know of: `/metrics` is open, and for a key a
foreign clinic does not exist. Every label's values are a closed set (statuses, reasons, routes), so the number of series is
bounded however many clinics there are. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `buckets` are the upper bounds of a histogram, in its unit."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    labels: tuple[str, ...]
    about: str
    buckets: tuple[float, ...] = ()


# --- counted as it happens ----------------------------------------------------------------------------------------------

RUNS = Metric("governor_runs_total", "counter", ("status",), "Evaluations of a clinic, by how they ended.")
RUN_SECONDS = Metric(
    "governor_run_seconds",
    "histogram",
    ("status",),
    "How long evaluations took.",
    (1, 5, 15, 30, 60, 120, 300, 600, 1200, 2400),
)
STEP_SECONDS = Metric(
    "governor_run_step_seconds",
    "histogram",
    ("step",),
    "How long the steps of evaluations took.",
    (0.01, 0.1, 1, 5, 15, 60, 300, 1200, 2400),
)
DECISIONS = Metric("governor_decisions_total", "counter", ("verdict", "reason"), "Recorded decisions.")
CHANGES = Metric("governor_changes_total", "counter", ("platform", "outcome"), "Changes to campaigns, by what became of them.")
REQUESTS = Metric(
    "governor_outside_requests_total", "counter", ("system", "outcome"), "Attempts at requests to Cliniko, Google and Meta."
)
REQUEST_SECONDS = Metric(
    "governor_outside_request_seconds",
    "histogram",
    ("system",),
    "How long requests to outside systems took.",
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ANSWERS = Metric("governor_http_requests_total", "counter", ("route", "method", "status"), "Requests to this service.")
ANSWER_SECONDS = Metric(
    "governor_http_request_seconds",
    "histogram",
    ("route", "method"),
    "How long requests to this service took.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
NOTICES = Metric("governor_notices_total", "counter", ("outcome",), "Notices to people, by what became of them.")
DATABASE_ERRORS = Metric("governor_database_errors_total", "counter", (), "Uses of the database that failed.")

LATENESS = Metric(
    "governor_run_lateness_seconds",
    "histogram",
    (),
    "How long after they were due workers began evaluations.",
    (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600),
)

COUNTED = (
    *(RUNS, RUN_SECONDS, STEP_SECONDS, DECISIONS, CHANGES, REQUESTS, REQUEST_SECONDS),
    *(ANSWERS, ANSWER_SECONDS, NOTICES, DATABASE_ERRORS, LATENESS),
)

# --- read when asked for ------------------------------------------------------------------------------------------------

BUILD = Metric("governor_build_info", "gauge", ("version",), "Always 1; the label says which version this is.")
HEARTBEAT = Metric(
    "governor_heartbeat_timestamp_seconds", "gauge", (), "When the hourly loop last showed that it is alive, in epoch seconds."
)
DATABASE_UP = Metric("governor_database_up", "gauge", (), "1 if the database answered, else 0.")
CLINICS = Metric("governor_clinics", "gauge", ("freshness",), "Clinics, by how old what is known of them is.")
OLDEST = Metric(
    "governor_oldest_forecast_age_seconds", "gauge", (), "How long ago the diaries of the worst-off clinic were last read."
)
STOOD_DOWN = Metric("governor_campaigns_stood_down", "gauge", (), "Campaigns left alone because somebody else changed them.")
LEFT_CHANGED = Metric(
    "governor_campaigns_left_changed", "gauge", (), "Campaigns that carry our change and are no longer governed."
)
ASKED = Metric("governor_decisions_awaiting_approval", "gauge", (), "Questions that wait for a person's yes or no.")
REFUSED = Metric("governor_rule_files_refused", "gauge", (), "Clinics whose rule file, as it stands, is refused.")
OPEN_CHANGES = Metric("governor_changes_open", "gauge", (), "Changes of which it is not known yet whether they were made.")

QUEUE = Metric(
    "governor_queue_jobs", "gauge", ("state",), "Jobs of workers: to be begun later, waiting for a worker, under way."
)

READ = (BUILD, HEARTBEAT, DATABASE_UP, CLINICS, OLDEST, STOOD_DOWN, LEFT_CHANGED, ASKED, REFUSED, OPEN_CHANGES, QUEUE)

EVERY = (*COUNTED, *READ)
