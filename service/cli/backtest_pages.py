"""How a backtest looks: tables, a strip of what was spent per campaign, what it takes for granted; and the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from service.cli.tables import console, state
from service.core.backtest import NO_RUN, CampaignReport, Comparison, Difference, Kind, Made, Replay, Report, differences
from service.core.canonical import canonical
from service.core.model import Mode
from service.core.rules.language import RuleSet

PAUSED, BASE, UNSEEN = "·", "▄", " "
BELOW, ABOVE = "▁▂▃", "▅▆▇█"
STEPS = (1.25, 1.5, 2.0)
"""Shares of base from which on a strip is drawn a step higher."""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished backtest: the file's name, the other's if there was one, and what came of them.

    `unlearnt` are services whose booking pace was learnt from the period alone, `invented` says that the clinic was.
    """

    file: str
    other: str | None
    rules: RuleSet
    replay: Replay
    unlearnt: tuple[str, ...]
    invented: bool

    @property
    def report(self) -> Report:
        """What the file would have done."""
        return self.replay.reports()[0]

    @property
    def comparison(self) -> Comparison | None:
        """The two files, side by side."""
        return self.replay.comparison() if self.other is not None else None


def page(result: Result) -> str:
    """One JSON object."""
    report, found = result.report, result.comparison
    whole = {
        "file": result.file,
        "report": _counted(report),
        "notes": list(notes(result)),
        "against": None,
    }
    if found is not None:
        whole["against"] = {"file": result.other, "report": _counted(found.that), "difference": differences(found)}
    return canonical(whole)


def _counted(report: Report) -> dict[str, object]:
    """A report with the counts of changes, which are what most readers are after."""
    counts = {
        name: {f"{kind}s": each.count(kind) for kind in Kind} | {"approvals": each.approvals}
        for name, each in report.campaigns.items()
    }
    return {"figures": report, "changes": counts}


def printed(result: Result, *, changes: bool) -> None:
    """Print it for people."""
    screen, report, found = console(), result.report, result.comparison
    screen.print(_title(report, result))
    screen.print(figures_table(result.file, report))
    screen.print(causes_table(report))
    for line in strips(report, (result.other or "", found.that) if found else None):
        screen.print(line, highlight=False, soft_wrap=True, markup=False)
    if found is not None:
        _print_difference(screen, result, found)
    if changes:
        screen.print(changes_table(report))
    for note in notes(result):
        screen.print(f"note: {note}", soft_wrap=True, markup=False)


def _title(report: Report, result: Result) -> str:
    period = f"{local(report.first, report)} to {local(report.last, report)} ({report.zone})"
    clinic = "an invented clinic" if result.invented else report.clinic
    return f"[bold]{clinic}[/]: {report.runs:,} readings over {report.hours:,.0f} hours, {period}"


def local(at: datetime, report: Report) -> str:
    """An instant on the clinic's wall clock."""
    return f"{at.astimezone(ZoneInfo(report.zone)):%d %b %Y %H:%M}"


# --- tables -------------------------------------------------------------------------------------------------------------


def figures_table(file: str, report: Report) -> Table:
    """What each campaign comes to, a row each."""
    table = _table(f"{file}: changes, hours, and money in {report.currency}")
    unsure = any(each.paused_unsure for each in report.campaigns.values())
    _columns(table, "pauses", "resumes", "raises", "cuts", "edits a\nweek", "paused h\nfull", "paused h\nnot full")
    _columns(table, *(["paused h\nunsure"] if unsure else []), "below\nbase h", "at\nbase h", "above\nbase h")
    _columns(table, "not\nspent", "of it\nwhile full", "added")
    for name, each in report.campaigns.items():
        hours = [each.paused_full, each.paused_open, *([each.paused_unsure] if unsure else [])]
        figures = [*hours, each.below, each.at_base, each.above, each.unspent, each.unspent_full, each.added]
        counts = [str(each.count(kind)) for kind in Kind]
        table.add_row(name, *counts, f"{each.edits_per_week:.1f}", *(f"{figure:,.0f}" for figure in figures))
    return table


def causes_table(report: Report) -> Table:
    """What decided, and what held back, by the number of runs."""
    table = _table("what decided, and what held it back (runs)")
    table.add_column("decided by", overflow="fold")
    table.add_column("held back by", overflow="fold")
    for name, each in report.campaigns.items():
        table.add_row(
            name,
            escape(_listed(_decided(each))),
            _listed({reason.value: count for reason, count in each.restrained.items()}) or "-",
        )
    return table


def _decided(each: CampaignReport) -> dict[str, int]:
    others = {"no rule, so base": each.by_base, "cannot tell": each.undecided}
    return each.decided | {name: count for name, count in others.items() if count}


def _listed(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{name} {count:,}" for name, count in counts.items())


def changes_table(report: Report) -> Table:
    """Every change, oldest first."""
    table = _table("every change")
    table.columns[0].header = "when"
    for heading in ("campaign", "from", "to"):
        table.add_column(heading, no_wrap=True)
    table.add_column("why", overflow="fold")
    made = sorted((each for found in report.campaigns.values() for each in found.changes), key=lambda each: each.at)
    for each in made:
        table.add_row(local(each.at, report), each.campaign, state(each.before), state(each.after), escape(_why(each)))
    return table


def _why(made: Made) -> str:
    return f"{made.sentence}{' (a person would have been asked)' if made.approval else ''}"


def _print_difference(screen: Console, result: Result, found: Comparison) -> None:
    by_campaign = differences(found)
    apart = {name: each for name, each in by_campaign.items() if not each.none}
    title = f"{result.file} beside {result.other}"
    if apart:
        screen.print(difference_table(f"{title}: more, or less (-)", apart))
    if same := [name for name in by_campaign if name not in apart]:
        screen.print(f"{title}: no difference for {', '.join(same)}", soft_wrap=True, markup=False)
    for name, here, there in ((result.file, found.this, found.that), (result.other or "", found.that, found.this)):
        if only := [campaign for campaign in here.campaigns if campaign not in there.campaigns]:
            screen.print(f"only in {name}: {', '.join(only)}", soft_wrap=True, markup=False)


def difference_table(title: str, found: Mapping[str, Difference]) -> Table:
    """By how much one file's figures exceed the other's."""
    table = _table(title)
    _columns(table, "changes", "edits a\nweek", "paused h\nfull", "paused h\nnot full")
    _columns(table, "not\nspent", "of it\nwhile full", "added", "hours\napart")
    for name, each in found.items():
        figures = (each.paused_full, each.paused_open, each.unspent, each.unspent_full, each.added)
        signed = [_signed(each.changes, 0), _signed(each.edits_per_week, 1), *(_signed(figure, 0) for figure in figures)]
        table.add_row(name, *signed, f"{each.apart:,.0f}")
    return table


def _signed(value: float | Decimal, digits: int) -> str:
    rounded = round(value, digits)
    return f"{rounded:+,.{digits}f}" if rounded else "0"


def _table(title: str) -> Table:
    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1))
    table.add_column("campaign", no_wrap=True)
    return table


def _columns(table: Table, *headings: str) -> None:
    for heading in headings:
        table.add_column(heading, justify="right", overflow="fold")


# --- the picture --------------------------------------------------------------------------------------------------------


def strips(report: Report, other: tuple[str, Report] | None) -> Iterator[str]:
    """What was spent over the period, a line per campaign and file."""
    legend = f"{PAUSED} paused  {BELOW} below base  {BASE} base  {ABOVE} above"
    yield f"what was spent, from {local(report.first, report)} on: {legend}"
    width = max(map(len, report.campaigns), default=0)
    for name, each in report.campaigns.items():
        yield f"  {name:{width}} {strip(each.strip)}"
        if other is not None and name in other[1].campaigns:
            theirs = other[1].campaigns[name].strip
            yield f"  {'':{width}} {strip(theirs)} {other[0]}" if theirs != each.strip else f"  {'':{width}} the same"


def strip(shares: Iterable[float | None]) -> str:
    """Spending as a share of base, a character for each part of the period."""
    return "".join(map(_bar, shares))


def _bar(share: float | None) -> str:
    if share is None:
        return UNSEEN
    if share == 0:
        return PAUSED
    if abs(share - 1) < 0.005:
        return BASE
    return BELOW[min(int(share * 3), 2)] if share < 1 else ABOVE[sum(share > step for step in STEPS)]


# --- what it takes for granted ------------------------------------------------------------------------------------------


def notes(result: Result) -> Iterator[str]:
    """What the figures rest on, a sentence each."""
    report = result.report
    yield (
        "campaigns start running at base, and all that is decided is done at once; what people did to them then, holds, the "
        "kill switch and what the platforms showed or had spent are not replayed, and bookings are those of then"
    )
    if result.rules.mode is not Mode.ENFORCE:
        yield f"the file's mode is {result.rules.mode}; this is what enforce would have done"
    if asked := sum(each.approvals for each in report.campaigns.values()):
        yield f"{asked} changes would have waited for approval (blast_radius); they count as approved at once"
    if result.rules.monthly_cap is not None:
        yield "for `monthly_cap` every campaign counts as spending its whole budget, and base before the period began"
    if report.unreadable:
        yield f"Cliniko could not be read in {report.unreadable:,} of {report.runs:,} runs"
    for name, service in report.services.items():
        if service.unjudged:
            yield f"{name}: {sum(service.unjudged.values()):,.0f} h could not be judged ({_unjudged(service.unjudged)})"
    if report.asked_pace:
        yield from _pace(result)


def _unjudged(hours: Mapping[str, float]) -> str:
    words = {NO_RUN: "no run for more than 3 h"}
    return ", ".join(f"{words.get(why, why)} {count:,.0f} h" for why, count in hours.items())


def _pace(result: Result) -> Iterator[str]:
    yield (
        "the booking pace is fitted anew each day from what had been seen by then: the looks kept from before the period, and "
        "the period's own"
    )
    if result.unlearnt:
        names = ", ".join(result.unlearnt)
        yield f"{names}: not sold like this by the file in force, so its booking pace is learnt from the period alone"
