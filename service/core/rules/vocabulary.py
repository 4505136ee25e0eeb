"""Every word a rule file may use, with what it means: one table for the loader, the editor's schema and the handbook's test.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from service.core.model import Mode
from service.core.rules.language import Fallback, Metric, Named, Op


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping of the file: its name in messages and its keys with their meaning.

    `later` are keys that are planned but not in force: refused by name, because a rule silently ignored spends money.
    """

    title: str
    keys: dict[str, str]
    required: tuple[str, ...] = ()
    later: frozenset[str] = field(default_factory=frozenset)


FILE = Section(
    "a rule file",
    {
        "version": "The version of the rule language: 1.",
        "clinic": "The clinic's short name, the same as the file's: lower-case letters, digits and single hyphens. It also "
        "names the clinic's credentials.",
        "name": "The clinic's name as people write it.",
        "currency": "The ISO 4217 code of every amount in this file. Both ad accounts must use it.",
        "mode": "How far the governor may go: watch (only say), propose (ask first) or enforce (act). Default: watch.",
        "notify": "The channels that hear about this clinic. Their addresses are settings, not part of this file.",
        "packs": "Rules shared with other clinics: names of files in `packs/`. They come after the file's own; an own rule "
        "of the same name takes a pack's rule's place.",
        "daily_cap": "How far raises may take the daily budgets of all campaigns together. Holds raises back; cuts nothing.",
        "monthly_cap": "The most that all campaigns may cost in a calendar month. Holds raises back; cuts and pauses nothing.",
        "google_ads": "The clinic's Google Ads account. Needed as soon as a campaign's platform is google.",
        "meta": "The clinic's Meta ad account. Needed as soon as a campaign's platform is meta.",
        "services": "What the ads sell: named lists of appointment types.",
        "campaigns": "The campaigns to govern, under names of your choice. Budgets are per day.",
        "rules": "For each campaign the first rule that matches decides. Where none matches: base budget, and running.",
        "guardrails": "Limits between what rules want and what is done. Every default is on unless changed here.",
    },
    required=("version", "clinic", "name", "currency", "services", "campaigns"),
)
GOOGLE_ADS = Section(
    "`google_ads`",
    {
        "customer_id": "The ten-digit customer id shown at the top right of Google Ads.",
        "login_customer_id": "The manager account (MCC) through which the account is reached, if there is one.",
    },
    required=("customer_id",),
)
META = Section("`meta`", {"ad_account_id": "The ad account's id: act_ and digits."}, required=("ad_account_id",))
SERVICE = Section(
    "a service",
    {
        "appointment_types": "Names of Cliniko appointment types; the first is what a new patient books.",
        "locations": "Names of the Cliniko businesses that count. Default: every location sold online.",
        "practitioners": "Only these practitioners count. Default: everybody sold online.",
        "exclude_practitioners": "Everybody counts but these: equipment is often modelled as a practitioner.",
    },
    required=("appointment_types",),
)
CAMPAIGN = Section(
    "a campaign",
    {
        "platform": "Where the campaign runs: google or meta.",
        "id": "The platform's own id of the campaign: digits, best in quotes.",
        "service": "The service this campaign sells.",
        "base_budget": "The daily budget that 100% means, and that holds when no rule matches.",
        "floor": "The lowest daily budget a rule may set.",
        "ceiling": "The highest daily budget a rule may set.",
        "protect": "true: never change this campaign, only say what would be done.",
        "shared_budget": "allow: govern it also where its Google budget is shared with other campaigns. Every campaign on the "
        "budget must say so and have the same base_budget, floor and ceiling. Default: refuse.",
        "guardrails": "Guardrails for this campaign alone.",
    },
    required=("platform", "id", "service", "base_budget", "floor", "ceiling"),
)
RULE = Section(
    "a rule",
    {
        "name": "The rule's name, used in decisions and notices. What a rule remembers is kept under it.",
        "service": "Apply to the campaigns of this service. Without `service` and `campaigns`: to every campaign.",
        "campaigns": "Apply to these campaigns.",
        "when": "The condition. Several metrics, or several comparators: all must hold.",
        "for": "The condition must have held this long; until then the rule does not match.",
        "until": "A latch: once on, the rule stays on until this holds.",
        "then": "What to do: pause, or {budget: ...}.",
        "bands": "A ladder of budgets by one metric; the first step that holds.",
        "notify": "Tell this channel when the rule turns true. Never decides.",
        "stabilise": "Replaces the raise window of the `stabilise` guardrail for raises that this rule wants.",
        "active": "When the rule is looked at, clinic-local; outside of it the rule does not match, but a latch that is on "
        "stays on. Default: always.",
    },
    required=("name",),
)
PACK_RULE = replace(
    RULE,
    title="a pack's rule",
    keys={key: meaning for key, meaning in RULE.keys.items() if key not in {"service", "campaigns"}},
)
PACK = Section(
    "a pack",
    {
        "version": "The version of the rule language: 1.",
        "pack": "The pack's short name, the same as the file's.",
        "rules": "The rules. They name no service or campaign: they apply to every campaign of a clinic that lists the pack.",
    },
    required=("version", "pack", "rules"),
)
THEN = Section(
    "`then`",
    {"budget": "A daily budget: a percentage of base, floor, base, ceiling, an amount, or {cost_per_booking: ...}."},
    required=("budget",),
)
COST_PER_BOOKING = Section(
    "a budget by `cost_per_booking`",
    {
        "cost_per_booking": "What one booking may cost in advertising.",
        "within": "How many days ahead to fill: 1d to 14d. Default: 14d.",
    },
    required=("cost_per_booking",),
)
BANDS = Section(
    "`bands`",
    {"by": "The metric the ladder goes by.", "steps": "The steps; the first that holds."},
    required=("by", "steps"),
)
PARAMETERS: dict[str, str] = {
    "within": "How many local days to look at, today included: 1d to 14d. Default: 14d.",
    "since": "How far to look back for openings that were not there before: 1h to 72h. Default: 24h.",
    "confidence": "How sure the forecast must be: 50% to 99%.",
}
BY = Section(
    "`by`",
    {
        "metric": "The metric the ladder goes by.",
        **PARAMETERS,
        "margin": "How far the metric must go back past a step before the step is left, in the metric's unit. Default: none.",
    },
    required=("metric",),
)
GUARDRAILS = Section(
    "`guardrails`",
    {
        "stabilise": "A raise is the lowest proposal of the `raise` window, a cut the highest of the `cut` window. "
        "Default: {raise: 24h, cut: 0h}.",
        "max_step": "The largest single change, as a percentage of base. Default: {raise: 50%, cut: 100%}.",
        "dead_band": "Changes smaller than this percentage of base are not worth an edit. Default: 5%.",
        "cooldown": "How long to leave a campaign alone after our last change. Default: 6h.",
        "max_changes_per_day": "How many changes a campaign may have in one local day. Default: 3.",
        "edit_budget": "How many significant edits a campaign may have in a sliding period, because they can restart a "
        "platform's learning. Default: {edits: 2, per: 7d}.",
        "drift_expires": "How long somebody else's budget is left alone. Default: 7d.",
        "fallback": "What to do when Cliniko has been unreadable for `fallback_after`: keep, or base. Default: keep.",
        "fallback_after": "How long Cliniko must have been unreadable for `fallback`. Default: 24h.",
        "change_window": "When changes may be made, clinic-local. Default: always.",
        "blast_radius": "The share of a clinic's campaigns that one run may pause or raise above base before it asks. For the "
        "whole file only. Default: 50%.",
    },
)
STABILISE = Section("`stabilise`", {"raise": "The window for raises.", "cut": "The window for cuts."})
MAX_STEP = Section("`max_step`", {"raise": "The largest raise, in % of base.", "cut": "The largest cut, in % of base."})
EDIT_BUDGET = Section("`edit_budget`", {"edits": "How many.", "per": "In how long."})
WINDOW: dict[str, str] = {
    "days": "weekdays, weekends, or a list of mon, tue, wed, thu, fri, sat, sun. Default: every day.",
    "hours": 'From-to, as "07:00-20:00". Default: the whole day.',
    "public_holidays": "The country, or country and state, whose public holidays are left out, like AU-NSW. Default: none.",
}
CHANGE_WINDOW = Section("`change_window`", WINDOW)
ACTIVE = Section("`active`", WINDOW)
JUNCTIONS: dict[str, str] = {
    "any": "At least one of the listed conditions holds.",
    "all": "All listed conditions hold.",
    "not": "The condition does not hold.",
}
OPS: dict[Op, str] = {
    Op.AT_LEAST: "This much or more.",
    Op.AT_MOST: "This much or less.",
    Op.ABOVE: "More than this.",
    Op.BELOW: "Less than this.",
    Op.BETWEEN: "From the first to the second, ends included.",
}
COMPARISON = Section("a comparison", {**{op.value: text for op, text in OPS.items()}, **PARAMETERS})
STEP_OPS: tuple[Op, ...] = (Op.AT_LEAST, Op.ABOVE, Op.AT_MOST, Op.BELOW)
STEP = Section(
    "a step",
    {
        **{op.value: OPS[op] for op in STEP_OPS},
        "budget": "The step's daily budget, written as in `then`.",
        "otherwise": "The daily budget when no step above holds; last.",
    },
)
METRICS: dict[Metric, str] = {
    Metric.UTILISATION: "The booked share of the time that can still be sold. Undefined, so never true, while the clinic is "
    "closed.",
    Metric.OPEN_SLOTS: "How many appointments of the service's first type could still be booked.",
    Metric.OPEN_HOURS: "Hours that can still be booked.",
    Metric.WORKING_HOURS: "Rostered hours, booked or not.",
    Metric.DAYS_TO_NEXT_OPENING: "Local days from today to the first opening: 0 is today.",
    Metric.FULL_DAYS: "Working days without any opening.",
    Metric.SLOTS_OPENED: "Openings that were not there `since`: a cluster of cancellations. New staff, new days and added "
    "hours do not count.",
    Metric.EXPECTED_OPEN_SLOTS: "Openings that will probably still be unfilled when their day comes.",
    Metric.EXPECTED_UTILISATION: "The utilisation to be expected when the days come.",
    Metric.COVERAGE: "The share of the diary that could be read.",
}
MODES: dict[Mode, str] = {
    Mode.WATCH: "Decide and record, change nothing.",
    Mode.PROPOSE: "Every change waits for a person's approval.",
    Mode.ENFORCE: "Make the changes.",
}
NAMED: dict[Named, str] = {
    Named.FLOOR: "The campaign's floor.",
    Named.BASE: "The campaign's base budget.",
    Named.CEILING: "The campaign's ceiling.",
}
FALLBACKS: dict[Fallback, str] = {
    Fallback.KEEP: "Leave everything as it is.",
    Fallback.BASE: "Back to base budgets.",
}
DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_GROUPS: dict[str, tuple[int, ...]] = {"weekdays": (0, 1, 2, 3, 4), "weekends": (5, 6)}


def looks_back(metric: Metric) -> bool:
    """Whether `since` may be said of the metric."""
    return metric is Metric.SLOTS_OPENED


def is_forecast(metric: Metric) -> bool:
    """Whether `confidence` may be said of the metric."""
    return metric in {Metric.EXPECTED_OPEN_SLOTS, Metric.EXPECTED_UTILISATION}
