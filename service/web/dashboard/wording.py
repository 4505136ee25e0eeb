"""How numbers, instants and tokens read on a page. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from service.core.heat import Cell, Look
from service.core.model import Mode, Reason, Verdict

LEVELS = (0.2, 0.4, 0.6, 0.8, 0.95)
"""Shares sold at which a cell of the heat map takes its next colour."""

LOOKS: Mapping[Look, tuple[str, str]] = {
    Look.OPEN: ("", "openings left; the darker, the more of the day is sold"),
    Look.AT_LEAST: ("+", "at least so many; a cap or a missing answer may hide more"),
    Look.FULL: ("0", "full: nothing left to book"),
    Look.UNKNOWN: ("?", "not known: nothing was seen of this day"),
    Look.TOO_SOON: ("\N{EN DASH}", "past, or too soon to be booked online"),
    Look.CLOSED: ("\N{MIDDLE DOT}", "closed: nobody is rostered"),
}
"""What stands in a cell, and what that means."""

VERDICTS: Mapping[Verdict, str] = {
    Verdict.APPLY: "changed",
    Verdict.NONE: "as it should be",
    Verdict.KEEP: "left as it is",
    Verdict.AWAIT_APPROVAL: "waits for a yes",
    Verdict.WOULD_APPLY: "would change",
    Verdict.REFUSED: "refused",
}
ENDINGS: Mapping[str, tuple[str, str]] = {
    "applied": ("changed", "good"),
    "failed": ("could not be changed", "bad"),
    "superseded": ("not changed: it was no longer as it had been read", "warn"),
    "open": ("being changed", "warn"),
}
"""By the status of a change, what became of the decision, and the class of that."""

MODES: Mapping[Mode, str] = {
    Mode.WATCH: "watches only: nothing is changed",
    Mode.PROPOSE: "asks before it changes anything",
    Mode.ENFORCE: "changes campaigns by itself",
}
BOOKED = {"over": "over-booked", "under": "under-booked", "usual": "as usual", "thin": "too few weeks to tell"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WORDS = {"booked": BOOKED, "modes": MODES, "weekdays": WEEKDAYS}


def ending(verdict: Verdict, changes: Sequence[Any]) -> tuple[str, str]:
    """What a decision came to, and the class of that: one that was to change something, by what became of the change."""
    if verdict is not Verdict.APPLY:
        return VERDICTS[verdict], ""
    return ENDINGS[changes[-1].status if changes else "open"]


def cell_note(cell: Cell) -> str:
    """What a cell's colour says, for those who do not see it."""
    if cell.look in {Look.OPEN, Look.AT_LEAST}:
        return "openings" if cell.sold is None else f"openings, {100 * cell.sold:.0f}% sold"
    return LOOKS[cell.look][1].partition(":")[0]


def cell_text(cell: Cell) -> str:
    """What stands in a cell: how many openings there are, or a sign."""
    if cell.look is Look.OPEN:
        return str(cell.openings)
    return f"{cell.openings}+" if cell.look is Look.AT_LEAST else LOOKS[cell.look][0]


def cell_class(cell: Cell) -> str:
    """The class of a cell, which is its colour or pattern."""
    if cell.look not in {Look.OPEN, Look.AT_LEAST}:
        return cell.look.value
    level = sum(cell.sold >= each for each in LEVELS) if cell.sold is not None else 0
    return f"s{level}" + (" at_least" if cell.look is Look.AT_LEAST else "")


def at(value: datetime, zone: str) -> Markup:
    """An instant by the clinic's wall clock: `Thu 26 Nov, 14:00`."""
    there = value.astimezone(ZoneInfo(zone))
    shown = f"{there:%a} {there.day} {there:%b}, {there:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(value.astimezone(UTC).isoformat(), shown)


def ago(value: datetime, now: datetime) -> str:
    """How long something is ago, or how soon it will be: `12 min ago`, `in 3 h`."""
    apart = abs(now - value)
    text = _span(apart)
    return "now" if apart < timedelta(minutes=1) else f"{text} ago" if value < now else f"in {text}"


def _span(value: timedelta) -> str:
    minutes = int(value.total_seconds() // 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"


def weekday(day: date) -> str:
    """`M` to `S`."""
    return day.strftime("%a")[0]


def full_day(day: date) -> str:
    """`Monday 23 November`."""
    return f"{day:%A} {day.day} {day:%B}"


def token(value: Reason | str) -> str:
    """A reason token in words; the handbook has it by its token."""
    return str(value).replace("_", " ")


def sold(metric: Any) -> str:
    """A utilisation: `97% sold`, or why there is none."""
    if metric.estimate is None:
        return f"not known ({token(metric.cause)})" if metric.cause else "not known"
    return f"{metric.estimate:.0f}%"


def percent(value: float | None) -> str:
    """`97%`; a question mark for what is not known."""
    return "?" if value is None else f"{value:.0f}%"


def number(value: float | None) -> str:
    """`5`, `2.5`; a question mark for what is not known."""
    return "?" if value is None else f"{value:.1f}".removesuffix(".0")


def span(metric: Any) -> str:
    """The bounds of a metric where they are apart: `between 3 and 7`, `3 or more`; else nothing."""
    if metric.low == metric.high:
        return ""
    if metric.high is None:
        return f"{number(metric.low)} or more"
    return f"between {number(metric.low)} and {number(metric.high)}"


def of(amount: str | None, whole: str) -> float:
    """A budget as a share of another, 0 to 100, for drawing."""
    if amount is None or Decimal(whole) <= 0:
        return 0.0
    return float(round(min(Decimal(1), Decimal(amount) / Decimal(whole)) * 100, 1))


def state(value: Any, currency: str | None) -> Markup:
    """What a campaign does: `running at 60.00 AUD a day`, `paused`."""
    if value is None:
        return Markup("not readable")
    money = f"{value.budget} {currency or ''}".strip() if value.budget is not None else "no daily budget"
    if value.running:
        return Markup("running at <b>{}</b> a day").format(money)
    return Markup("<b>paused</b> ({})").format(money)


def soon(days: float | None) -> str:
    """When the next opening is: `today`, `in 3 days`."""
    if days is None:
        return "not known"
    return {0: "today", 1: "tomorrow"}.get(int(days), f"in {number(days)} days")


def prose(text: str) -> Markup:
    """A sentence, with the words of the rule file in it set as such."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def figure(value: Any, currency: str | None = None) -> Markup:
    """An estimate with its interval: `120.00 AUD (95.00 to 150.00)`; `not known`, whose reason stands elsewhere."""
    if value.estimate is None:
        return Markup("<span class='mute'>not known</span>")
    money = f" {currency}" if currency else ""
    shown, low, high = (_amount(each) for each in (value.estimate, value.low, value.high))
    apart = Markup("") if low == high else Markup(" <span class='mute'>({} to {})</span>").format(low, high)
    return Markup("{}{}").format(shown, money) + apart


def _amount(value: str | float) -> str:
    return f"{Decimal(value):,}" if isinstance(value, str) else f"{value:,.1f}".removesuffix(".0")


def reasons(report: Any) -> list[str]:
    """Why figures of a money report are not known, each reason once."""
    names = {"spent": "spent", "avoided": "not spent while full", "moved": "moved", "bookings": "openings filled"}
    said = {
        f"{each.campaign}, {word}: {getattr(each.figures, name).reason}": None
        for each in report.campaigns
        for name, word in names.items()
        if getattr(each.figures, name).estimate is None and getattr(each.figures, name).reason
    }
    return list(said)


def share(value: Any) -> str:
    """A share of rostered time with its interval: `82% (75% to 90%)`."""
    if value is None:
        return "not seen"
    apart = "" if value.low == value.high else f" ({value.low:.0f}% to {value.high:.0f}%)"
    return f"{value.median:.0f}%{apart}"


def period(days: int) -> str:
    """`7 days`, `8 weeks`, `a year`."""
    if days >= 364:
        return "a year"
    return f"{days // 7} weeks" if days % 7 == 0 and days > 7 else f"{days} days"


def lines(text: str) -> Markup:
    """A text of several lines, as they are."""
    return Markup('<pre tabindex="0">{}</pre>').format(escape(text))


FILTERS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        ago, at, cell_class, cell_note, cell_text, ending, figure, full_day, lines, number, of, percent, period, prose, reasons,
        share, sold, soon, span, state, token, weekday,
    )
}  # fmt: skip
