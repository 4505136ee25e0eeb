"""How forecasts, plans and ledger records look on a terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.apply import Applied
from service.core.decide.model import Decision, ServiceForecast
from service.core.logic import Bounds
from service.core.model import State, Verdict
from service.core.pace import Scores
from service.core.rules.language import UNITS, Metric, Unit
from service.core.rules.wording import NAMES
from service.core.rules.wording import bounds as in_words

VERDICTS: dict[Verdict, str] = {
    Verdict.APPLY: "bold green",
    Verdict.NONE: "dim",
    Verdict.KEEP: "yellow",
    Verdict.AWAIT_APPROVAL: "bold magenta",
    Verdict.WOULD_APPLY: "cyan",
    Verdict.REFUSED: "red",
}


def console() -> Console:
    """Standard output; wide enough for a sentence where there is no terminal."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=150)


def forecast_table(forecast: ServiceForecast) -> Table:
    """One service, a column per day: openings, and open and working hours."""
    table = Table(title=f"{escape(forecast.service)}: the next {len(forecast.days)} days", title_justify="left", padding=(0, 1))
    table.add_column("")
    for day in forecast.days:
        table.add_column(day.day[5:], justify="right")
    table.add_row("openings", *(_cell(day.openings) if day.working_minutes else "-" for day in forecast.days))
    table.add_row("open h", *(_cell(_hours(day.open_minutes)) if day.working_minutes else "-" for day in forecast.days))
    table.add_row("working h", *(_number(d.working_minutes / 60) if d.working_minutes else "closed" for d in forecast.days))
    return table


def _hours(minutes: Bounds) -> Bounds:
    return Bounds(None, minutes.low / 60, minutes.high / 60)


def _cell(value: Bounds) -> str:
    if math.isinf(value.low):
        return "?"
    return _number(value.low) if value.exact else f"{_number(value.low)}..{_number(value.high)}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def metrics_line(forecast: ServiceForecast) -> str:
    """The metrics of a service in one line."""
    units: dict[str, Unit] = {metric.value: unit for metric, unit in UNITS.items()}
    parts = []
    for name, reading in forecast.metrics.items():
        cause = f" ({reading.cause})" if reading.cause else ""
        parts.append(f"{NAMES[Metric(name)]} {in_words(reading.bounds, units[name])}{cause}")
    return " · ".join(parts)


def scores_table(scores: Scores) -> Table:
    """How far expectations were off, a row per service and distance."""
    table = Table(title="expectations against what came", title_justify="left", padding=(0, 1))
    table.add_column("service")
    for heading in ("days ahead", "days scored", "off by", "if openings stayed", "bias a day", "in the 80% band"):
        table.add_column(heading, justify="right")
    for line in scores.lines:
        shares = [_share(value) for value in (line.wape, line.naive_wape)]
        ahead = f"{line.first}-{line.last}"
        name = escape(line.service or "all services")
        table.add_row(name, ahead, str(line.count), *shares, f"{line.bias:+.1f}", _share(line.coverage))
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def plan_table(title: str, decisions: Sequence[Decision]) -> Table:
    """One run's decisions, a row each."""
    table = Table(title=escape(title), title_justify="left", show_lines=True)
    for heading in ("campaign", "before", "after", "verdict", "reason"):
        table.add_column(heading, no_wrap=True)
    table.add_column("why", overflow="fold")
    for decision in decisions:
        style = VERDICTS[decision.verdict]
        after = "" if decision.after == decision.before else state(decision.after)
        verdict = f"[{style}]{decision.verdict}[/]"
        where = f"{decision.campaign}\n[dim]{decision.platform}[/]"
        table.add_row(where, state(decision.before), after, verdict, decision.reason.value, escape(decision.sentence))
    return table


def state(value: State | None) -> str:
    """`60.00`, `paused`, `?`."""
    if value is None:
        return "?"
    return f"{value.budget}" if value.running else "paused"


def change_line(applied: Applied) -> str:
    """One change and what became of it."""
    change = applied.change
    return f"{change.campaign} ({change.platform}): {state(change.before)} -> {state(change.after)}: {applied.ending}"
