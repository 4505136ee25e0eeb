"""Reading guardrails: what a file or a campaign changes about the defaults. Pure."""

from __future__ import annotations

from dataclasses import replace

from service.core.rules import vocabulary as words
from service.core.rules.fields import Fields, FlawError, Problems, did_you_mean, items, listing, near
from service.core.rules.language import EVERY_DAY, EditBudget, Fallback, Guardrails, MaxStep, RaiseAndCut, Window
from service.core.rules.limits import COUNTS, DURATIONS, PERCENTAGES
from service.core.rules.regions import REGIONS
from service.core.rules.tree import Node, Scalar, quoted
from service.core.rules.values import duration, minutes, one_of, percent, scalar, whole
from service.core.rules.vocabulary import Section

SEVERAL = 6
"""So many countries may have a state of one name and still be worth naming."""


def guardrails(node: Node, outer: Guardrails, problems: Problems, *, campaign: bool) -> Guardrails:
    """The guardrails in `outer` as changed by the file; those of one `campaign` cannot include the clinic-wide ones."""
    fields = Fields(node, words.GUARDRAILS, problems)
    if campaign and "blast_radius" in fields:
        fields.flaw("blast_radius", "`blast_radius` is about the whole clinic", "move it to the file's own `guardrails`")
    hours = fields.node("change_window")
    return replace(
        outer,
        stabilise=_stabilise(fields.node("stabilise"), outer.stabilise, problems),
        max_step=_max_step(fields.node("max_step"), outer.max_step, problems),
        dead_band=fields.read("dead_band", percent(*PERCENTAGES["dead_band"]), outer.dead_band),
        cooldown=fields.read("cooldown", duration(*DURATIONS["cooldown"]), outer.cooldown),
        max_changes_per_day=int(
            fields.read("max_changes_per_day", whole(*COUNTS["max_changes_per_day"]), outer.max_changes_per_day)
        ),
        edit_budget=_edit_budget(fields.node("edit_budget"), outer.edit_budget, problems),
        drift_expires=fields.read("drift_expires", duration(*DURATIONS["drift_expires"]), outer.drift_expires),
        fallback=fields.read("fallback", one_of(Fallback), outer.fallback),
        fallback_after=fields.read("fallback_after", duration(*DURATIONS["fallback_after"]), outer.fallback_after),
        change_window=window(hours, words.CHANGE_WINDOW, problems) if hours else outer.change_window,
        blast_radius=fields.read("blast_radius", percent(*PERCENTAGES["blast_radius"]), outer.blast_radius),
    )


def _stabilise(node: Node | None, outer: RaiseAndCut, problems: Problems) -> RaiseAndCut:
    if node is None:
        return outer
    fields = Fields(node, words.STABILISE, problems)
    window = duration(*DURATIONS["stabilise"])
    return RaiseAndCut(up=fields.read("raise", window, outer.up), down=fields.read("cut", window, outer.down))


def _max_step(node: Node | None, outer: MaxStep, problems: Problems) -> MaxStep:
    if node is None:
        return outer
    fields = Fields(node, words.MAX_STEP, problems)
    return MaxStep(
        up=fields.read("raise", percent(*PERCENTAGES["raise"]), outer.up, "the largest raise"),
        down=fields.read("cut", percent(*PERCENTAGES["cut"]), outer.down, "the largest cut"),
    )


def _edit_budget(node: Node | None, outer: EditBudget, problems: Problems) -> EditBudget:
    if node is None:
        return outer
    fields = Fields(node, words.EDIT_BUDGET, problems)
    return EditBudget(
        edits=int(fields.read("edits", whole(*COUNTS["edits"]), outer.edits)),
        per=fields.read("per", duration(*DURATIONS["per"]), outer.per),
    )


def window(node: Node, section: Section, problems: Problems) -> Window:
    """A part of the week: of `change_window`, or of a rule's `active`."""
    fields = Fields(node, section, problems)
    if not fields.present and not fields.broken:
        problems.add(node.line, f"{section.title} says nothing", 'write {days: weekdays, hours: "07:00-20:00"}')
    starts, ends = fields.read("hours", minutes, (0, 24 * 60))
    region = fields.read("public_holidays", _region, None)
    return Window(fields.read("days", _days, EVERY_DAY), starts, ends, region)


def _region(node: Node, what: str) -> str:
    value = scalar(node, what, "AU-NSW")
    if value not in REGIONS:
        raise FlawError(node, f"{what} knows no region {quoted(value)}", _region_meant(value.upper()))
    return value


def _region_meant(value: str) -> str:
    """A state without its country is the most common slip: `NSW`; else a slip of the keys."""
    within = sorted(region for region in REGIONS if region.endswith(f"-{value}"))
    guess = near(value, REGIONS) if not within and len(value) > 2 else None
    if guess or len(within) == 1:
        return did_you_mean(guess or within[0])
    if 1 < len(within) <= SEVERAL:
        return f"write its country too: {listing(within, 'or')}"
    return "write a country, or country and state, like AU-NSW"


def _days(node: Node, what: str) -> tuple[int, ...]:
    if isinstance(node, Scalar):
        value = scalar(node, what, "weekdays")
        if value not in words.DAY_GROUPS:
            raise FlawError(node, f"{what} cannot be {quoted(value)}", f"write {listing(words.DAY_GROUPS, 'or')} or [mon, tue]")
        return words.DAY_GROUPS[value]
    return tuple(sorted({_day(item, what) for item in items(node, what, "[mon, tue]")}))


def _day(node: Node, what: str) -> int:
    value = scalar(node, what, "mon")
    if value not in words.DAYS:
        guess = near(value[:3], words.DAYS)
        raise FlawError(
            node, f"{what} has no day {quoted(value)}", did_you_mean(guess) if guess else f"the days are {listing(words.DAYS)}"
        )
    return words.DAYS.index(value)
