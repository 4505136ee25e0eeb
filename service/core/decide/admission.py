"""Guardrails 1-5: may this campaign be touched at all, and is what the rules asked about known? Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from service.core.decide.case import Case, Draft, described, keep
from service.core.decide.model import Hold, StoodDown
from service.core.decide.people import identity
from service.core.decide.proposals import position
from service.core.model import Reason, State, Unreadable, Verdict
from service.core.rules.language import CampaignEntry, Fallback, RuleSet
from service.core.rules.wording import duration

ANNOUNCED = timedelta(days=1)
"""So long before a foreign budget is taken over its decisions say that the time is near."""


def held(case: Case, draft: Draft) -> Draft:
    """1. A person's hold, or the switch that stops everything; a switch that cannot be read counts as on."""
    if case.clinic.kill_switch is not False:
        how = "is on" if case.clinic.kill_switch else "cannot be read"
        return keep(case, draft, Reason.KILL_SWITCH, f"the kill switch {how}; nothing is changed anywhere")
    hold = next((hold for hold in case.clinic.holds if covers(hold, case.entry)), None)
    if hold is None:
        return draft
    until = f"until {case.local(hold.until):%a %d %b %H:%M}" if hold.until else f"until `governor unhold {hold.id}`"
    return keep(case, draft, Reason.HELD, f"held by {hold.by} {until}: {hold.reason}")


def covers(hold: Hold, entry: CampaignEntry) -> bool:
    """Whether a hold of the campaign's clinic, or on everything, is about this campaign, under its name or what it is."""
    if hold.campaign is not None:
        return hold.campaign == entry.name or hold.of == identity(entry.platform, entry.id)
    return hold.service in {None, entry.service}


def counted(hold: Hold, rules: RuleSet) -> Hold:
    """A hold as it counts under these rules: where they have nothing of its name any more, it is on the whole clinic.

    What was held may be governed under another name now, and a person's word must not lapse because a file was edited.
    """
    named = hold.campaign or hold.service
    if named is None or hold.service in rules.services or any(covers(hold, entry) for entry in rules.campaigns.values()):
        return hold
    kind = "campaign" if hold.campaign else "service"
    why = (
        f"{hold.reason} (the rule file has no {kind} “{named}” any more, so the whole clinic is held: "
        f"hold what it is called now, if it is to be held still, then `governor unhold {hold.id}`)"
    )
    return replace(hold, campaign=None, service=None, of=None, reason=why)


def eligible(case: Case, draft: Draft) -> Draft:
    """2. The platform could be read, and lets us change this campaign."""
    if isinstance(case.seen, Unreadable):
        sentence = f"{case.entry.platform} could not be read ({case.seen.message}); the campaign stays as it is"
        return keep(case, draft, Reason.PLATFORM_UNREADABLE, sentence)
    if case.seen.ineligible:
        return draft.settled(Verdict.REFUSED, Reason.INELIGIBLE, case.seen.ineligible)
    return draft


def people(case: Case, draft: Draft) -> Draft:
    """3. Somebody else's hand is on it."""
    down = case.standing.stood_down
    if down is None:
        return draft
    when = f"{case.local(down.since):%a %d %b %H:%M}"
    was = case.standing.expected
    story = {
        Reason.PAUSED_BY_PERSON: f"it was paused before the governor first saw it ({when})",
        Reason.BASE_MISMATCH: f"when first seen ({when}) its budget was {case.money(down.seen.budget)}, more than 5% off the "
        f"file's base of {case.money(case.entry.base)}",
        Reason.DRIFT: f"{_whose(case, down, when)}: it is {_compared(case, down.seen, was)}, we had left it "
        f"{_compared(case, was, down.seen) if was else 'alone'}",
    }[down.reason]
    how = f"`governor readopt {case.clinic.slug} {case.entry.name}` hands it back to the rules"
    return keep(case, draft, down.reason, f"{story}; {how}{_expiry(case, down)}")


def _whose(case: Case, down: StoodDown, when: str) -> str:
    """Who changed it and when, as far as the platform tells."""
    if not down.by and down.seen == case.standing.expected:
        return f"whether somebody has undone a change of ours that got no answer cannot be told ({when})"
    if not down.by:
        return f"somebody changed it ({when})"
    via = f" by way of {down.via}" if down.via else ""
    at = f" ({case.local(down.logged_at):%a %d %b %H:%M})" if down.logged_at else ""
    paused_and_resumed = (
        ", and it was paused or resumed meanwhile" if down.status and down.seen == case.standing.expected else ""
    )
    return f"{down.by} changed it{via}{at}{paused_and_resumed}"


def _compared(case: Case, state: State, other: State | None) -> str:
    """A state beside another: of two pauses it is the budget that tells them apart."""
    both_paused = other is not None and not state.running and not other.running and state != other
    return f"paused at {case.money(state.budget)}" if both_paused else described(case, state)


def _expiry(case: Case, down: StoodDown) -> str:
    """When somebody else's budget is taken over; a pause or resume of somebody else's never is."""
    if down.reason is not Reason.DRIFT or down.status:
        return ""
    ends = down.since + case.rails.drift_expires
    soon = "soon, " if ends - case.clinic.now <= ANNOUNCED else ""
    return f"; if nobody touches it again, the rules take it over {soon}on {case.local(ends):%a %d %b %H:%M} (`drift_expires`)"


def protected(case: Case, draft: Draft) -> Draft:
    """4. The file says hands off."""
    if case.entry.protect:
        return keep(case, draft, Reason.PROTECTED, "`protect: true` in the rule file; the rules are shown, never applied")
    return draft


def readable(case: Case, draft: Draft) -> Draft:
    """5. What the rules asked about could be known."""
    if case.clinic.unreadable is not None:
        return _without_cliniko(case, draft, case.clinic.unreadable)
    proposal = case.proposal
    if proposal is None or proposal.target is None:
        reason = proposal.cause if proposal and proposal.cause else Reason.DATA_INCOMPLETE
        return keep(case, draft, reason, f"{UNKNOWN[reason]}: {proposal.sentence}" if proposal else UNKNOWN[reason])
    if not proposal.certain and _raises_blindly(case, proposal.target):
        sentence = f"nothing of the diaries could be seen, and spending more takes seeing something: {proposal.sentence}"
        return keep(case, draft, Reason.DATA_INCOMPLETE, sentence)
    if not proposal.certain:
        sentence = f"{proposal.sentence}; part of the diaries is unknown, so only the smallest move that is right either way"
        return draft.restrained(Reason.DATA_INCOMPLETE, sentence, proposal.target)
    return draft


def _raises_blindly(case: Case, target: State) -> bool:
    """Whether more would be spent with no diary of the service seen: right by the rules, but nobody would understand it."""
    nothing_seen = case.open_slots.bounds.estimate is None
    return nothing_seen and case.in_force is not None and position(target) > position(case.in_force)


UNKNOWN = {
    Reason.DATA_INCOMPLETE: "not enough of the diaries could be seen",
    Reason.NO_HISTORY: "there is no earlier snapshot to compare with",
    Reason.LEAD_TIME: "the booking lead time hides every rostered hour",
    Reason.CLOSED: "nobody is rostered, so there is no utilisation",
    Reason.NOT_SOLD_ONLINE: "no diary of this service can be booked online",
}


def _without_cliniko(case: Case, draft: Draft, message: str) -> Draft:
    """Keep; or after long enough go back to base if the file says so, but never end a pause."""
    since = case.clinic.unreadable_since or case.clinic.now
    waited = case.clinic.now - since
    why = f"Cliniko could not be read ({message})"
    fallback = case.rails.fallback is Fallback.BASE and waited >= case.rails.fallback_after
    if fallback and case.in_force is not None and case.in_force.running:
        base = State(running=True, budget=case.entry.base)
        sentence = f"{why} for {duration(waited)}, so the budget goes back to base as `fallback` says"
        return draft.restrained(Reason.CLINIKO_UNREADABLE, sentence, base)
    return keep(case, draft, Reason.CLINIKO_UNREADABLE, f"{why}; the campaign stays as it is")
