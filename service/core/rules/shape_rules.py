"""Reading rules: whom they apply to, what must hold, what is to be done. Pure."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from service.core.rules import vocabulary as words
from service.core.rules.fields import Fields, FlawError, Parse, Problems, did_you_mean, near
from service.core.rules.language import Action, Amount, CampaignEntry, CostPerBooking, Named, NamedBudget, Pause, Percent, Rule
from service.core.rules.limits import DURATIONS, PERCENTAGES
from service.core.rules.shape_conditions import bands, condition
from service.core.rules.shape_guardrails import window
from service.core.rules.tree import Mapping, Node, quoted
from service.core.rules.values import duration, listed, money, one_of, percent, plain, scalar, text, within


@dataclass(frozen=True, slots=True)
class Known:
    """What rules may refer to. `services` or `notify` None: that part of the file is unreadable, so anything goes.

    `campaigns` holds every name in the file; those that could not be read have a ceiling of 0.
    """

    services: frozenset[str] | None
    campaigns: Lookup[str, CampaignEntry] | None
    notify: frozenset[str] | None
    decimals: int


def reference(known: frozenset[str] | None, kind: str, remedy: str, read: Callable[..., str] = scalar) -> Parse[str]:
    """The name of something declared elsewhere in the file, as `read` reads it."""

    def parse(node: Node, what: str) -> str:
        value = read(node, what, f"the name of a {kind}")
        if known is not None and value not in known:
            guess = near(value, known)
            raise FlawError(node, f"there is no {kind} {quoted(value)}", did_you_mean(guess) if guess else remedy)
        return value

    return parse


def rule(node: Node, known: Known, problems: Problems, section: words.Section = words.RULE) -> Rule:
    """One rule; wherever something is wrong with it, a problem is noted and a stand-in taken."""
    fields = Fields(node, section, problems)
    campaigns = _campaigns(fields, known)
    when, until, ladder = fields.node("when"), fields.node("until"), fields.node("bands")
    active = fields.node("active")
    budget = budgets(known, campaigns)
    channel = reference(known.notify, "channel", "list it under `notify:` at the top of the file")
    if fields.present:
        _check_parts(fields)
    return Rule(
        name=fields.read("name", text, "", "a rule's name"),
        campaigns=campaigns,
        when=condition(when, "`when`", problems) if when else None,
        hold_for=fields.read("for", duration(*DURATIONS["for"]), timedelta(0)),
        until=condition(until, "`until`", problems) if until else None,
        bands=bands(ladder, problems, budget) if ladder else None,
        then=_then(fields, budget, problems),
        notify=fields.read("notify", channel, None),
        stabilise=fields.read("stabilise", duration(*DURATIONS["stabilise"]), None),
        active=window(active, words.ACTIVE, problems) if active else None,
        line=node.line,
    )


def _campaigns(fields: Fields, known: Known) -> tuple[str, ...]:
    """The campaigns a rule is about, by its service, by name, or all of them."""
    if "service" in fields and "campaigns" in fields:
        fields.flaw("campaigns", "a rule names a service or campaigns, not both", "take one of them out")
    everything = known.campaigns or {}
    if "campaigns" in fields:
        names = None if known.campaigns is None else frozenset(known.campaigns)
        each = reference(names, "campaign", "name one from `campaigns:`")
        return fields.read("campaigns", listed(each, "[physio-search]"), ())
    if "service" in fields:
        service = fields.read("service", reference(known.services, "service", "name one from `services:`"), None)
        return tuple(campaign for campaign, entry in everything.items() if entry.service == service)
    return tuple(everything)


def _check_parts(fields: Fields) -> None:
    """A rule does one thing, and what it is said about is there."""
    if "then" in fields and "bands" in fields:
        fields.flaw("bands", "a rule has `then` or `bands`, not both", "make two rules of it")
    if not any(part in fields or part in fields.guesses for part in ("then", "bands", "notify")):
        fields.flaw("name", "this rule does nothing", "add `then:`, `bands:` or `notify:`")
    for part in ("when", "for", "until"):
        if part in fields and "bands" in fields:
            fields.flaw(part, f"`{part}` cannot go with `bands`", "take it out; a ladder has its steps and its `margin`")
        elif part in fields and "when" not in fields and "when" not in fields.guesses:
            fields.flaw(part, f"`{part}` needs a `when`", "add `when:`, or take it out")
    if "notify" in fields and not any(part in fields or part in fields.guesses for part in ("when", "bands", "then")):
        fields.flaw("notify", "a rule that only notifies needs a `when`", "add `when:`")
    if "stabilise" in fields and "then" not in fields and "bands" not in fields:
        fields.flaw("stabilise", "`stabilise` needs a budget to raise", "take it out")


# --- actions ------------------------------------------------------------------------------------------------------------


def _then(fields: Fields, budget: Parse[Action], problems: Problems) -> Action | None:
    node = fields.node("then")
    if isinstance(node, Mapping):
        return Fields(node, words.THEN, problems).read("budget", budget, None)
    return fields.read("then", _pause, None)


def _pause(node: Node, what: str) -> Pause:
    value = scalar(node, what, "pause or {budget: 130%}")
    if value != "pause":
        looks_like_budget = value.endswith("%") or value in list(Named) or value[:1].isdigit()
        advice = f"write {{budget: {value}}}" if looks_like_budget else "write pause or {budget: 130%}"
        raise FlawError(node, f"{what} cannot be {quoted(value)}", advice)
    return Pause()


def budgets(known: Known, campaigns: tuple[str, ...], *, below_floor: bool = False) -> Parse[Action]:
    """A parser for budgets of these campaigns, of which an amount must be possible for one; `below_floor` lifts that floor."""
    entries = [known.campaigns[campaign] for campaign in campaigns if known.campaigns and campaign in known.campaigns]
    if below_floor:
        entries = [replace(entry, floor=Decimal(0)) for entry in entries]

    def parse(node: Node, what: str) -> Action:
        if isinstance(node, Mapping):
            return _cost_per_booking(node, known)
        value = scalar(node, what, "130%, floor, base, ceiling or an amount")
        if value.endswith("%"):
            return Percent(percent(*PERCENTAGES["budget"])(node, what))
        if value[:1].isalpha():
            return NamedBudget(one_of(Named)(node, what))
        return Amount(_reachable(node, money(known.decimals)(node, what), entries))

    return parse


def _reachable(node: Node, amount: Decimal, campaigns: list[CampaignEntry]) -> Decimal:
    """Refuse an amount that none of the rule's campaigns may have: more often than not a forgotten `%`."""
    limits = [(entry.floor, entry.ceiling) for entry in campaigns if entry.ceiling]
    if limits and not any(low <= amount <= high for low, high in limits):
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        shown = plain(amount)
        raise FlawError(
            node,
            f"a budget of {shown} a day is outside what the campaign's floor and ceiling allow",
            f"write an amount from {low} to {high}, or {shown}% if a percentage of base is meant",
        )
    return amount


def _cost_per_booking(node: Node, known: Known) -> CostPerBooking:
    """Read by hand, not through `Fields`: a budget is one value to its readers, with one complaint."""
    values = {entry.key: entry.value for entry in node.entries} if isinstance(node, Mapping) else {}
    unknown = next((key for key in values if key not in words.COST_PER_BOOKING.keys), None)
    if unknown is not None or "cost_per_booking" not in values:
        missing = f"has no key {quoted(unknown)}" if unknown is not None else "needs `cost_per_booking`"
        found = "has a comma within an amount" if unknown and unknown.replace(".", "").isdecimal() else missing
        raise FlawError(node, f"a budget by mapping {found}", "write {cost_per_booking: 45.00, within: 14d}")
    days = within(values["within"], "`within`") if "within" in values else 14
    return CostPerBooking(money(known.decimals)(values["cost_per_booking"], "`cost_per_booking`"), days)
