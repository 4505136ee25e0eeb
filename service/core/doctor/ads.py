"""Can the ad accounts be governed: reachable, in the file's currency, and each campaign found, eligible and at base? Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.core.decide.people import BASE_TOLERANCE
from service.core.decide.sharing import judged, without_a_word
from service.core.doctor.model import AREAS, Area, Finding, Observed, Severity, Unread, Why
from service.core.doctor.names import counted, listed, verb
from service.core.model import Campaign, Diaries, Platform, Survey, Unreadable
from service.core.money import shown
from service.core.rules.language import CampaignEntry, RuleSet

QUARTERS = tuple(timedelta(days=91 * n) for n in range(4))


def accounts(seen: Observed) -> Iterator[Finding]:
    """Every check of every account that is named."""
    if not seen.accounts:
        sentence = "No ad account is named, so none was looked at."
        advice = "Name them: `governor doctor CLINIC --google CUSTOMER_ID --meta act_...`, until the rule file does."
        yield Finding("account", Area.SETTINGS, Severity.LOOK_AT, sentence, advice)
    for platform, survey in seen.accounts.items():
        if isinstance(survey, Unread):
            yield _unread(platform, survey)
            continue
        yield _reached(survey)
        yield from _zone(survey, seen)
        yield from _unruled(survey) if seen.rules is None else _governed(survey, seen, seen.rules)


def _unread(platform: Platform, unread: Unread) -> Finding:
    message = f"{unread.message[:1].upper()}{unread.message[1:].rstrip('.')}."
    advice = {
        Why.NOT_SET_UP: "README, `Connect a clinic`, says where credentials are put.",
        Why.DENIED: "Mend the access on the platform, or the credentials in the settings.",
        Why.UNREACHABLE: "Try again; if it lasts, look at the network. Its campaigns could not be checked.",
        Why.NOT_UNDERSTOOD: "Check the account's id in the rule file. Its campaigns could not be checked.",
    }[unread.why]
    return Finding("account", AREAS[platform], Severity.MUST_FIX, message, advice)


def _reached(survey: Survey) -> Finding:
    where = f", days in {survey.zone}" if survey.zone else ""
    sentence = f"Account {survey.id} answers: {counted(len(survey.campaigns), 'campaign')}, in {survey.currency}{where}."
    return Finding("account", AREAS[survey.platform], Severity.FINE, sentence)


def _zone(survey: Survey, seen: Observed) -> Iterator[Finding]:
    if not isinstance(seen.diaries, Diaries) or not seen.diaries.locations or not survey.zone:
        return
    places = sorted({location.zone for location in seen.diaries.locations})
    if not any(same_clock(survey.zone, place, seen.now) for place in places):
        sentence = f"The ad account counts its days in {survey.zone}, the clinic in {listed(places)}."
        advice = (
            "A daily budget then starts at another hour than the clinic's day. No harm, but good to know when reading reports."
        )
        yield Finding("account_zone", AREAS[survey.platform], Severity.LOOK_AT, sentence, advice)


def same_clock(left: str, right: str, now: datetime) -> bool:
    """Whether two zones show the same time all year: names differ for one and the same zone."""
    try:
        return all((now + q).astimezone(ZoneInfo(left)).utcoffset() == (now + q).astimezone(ZoneInfo(right)).utcoffset()
                   for q in QUARTERS)  # fmt: skip
    except (KeyError, ValueError, OSError):
        return False


def _unruled(survey: Survey) -> Iterator[Finding]:
    for campaign in survey.campaigns:
        if unfit := campaign.ineligible or without_a_word(campaign):
            sentence = f"{campaign.name} ({campaign.id}) cannot be governed: {unfit}"
            yield Finding("ineligible", AREAS[survey.platform], Severity.LOOK_AT, sentence)


# --- with a rule file ---------------------------------------------------------------------------------------------------


def _governed(survey: Survey, seen: Observed, rules: RuleSet) -> Iterator[Finding]:
    area = AREAS[survey.platform]
    if survey.currency != rules.currency:
        sentence = (
            f"The account is in {survey.currency} and the rule file in {rules.currency}, so no campaign of it is touched."
        )
        advice = "Correct `currency` and every amount in the file, or name the right account; both accounts must share one."
        yield Finding("currency", area, Severity.MUST_FIX, sentence, advice)
    there = {campaign.id: campaign for campaign in survey.campaigns}
    entries = [entry for entry in rules.campaigns.values() if entry.platform is survey.platform]
    read = {entry.name: now for entry in entries if (now := there.get(entry.id) or seen.elsewhere.get(entry.name))}
    read = judged(read, rules.campaigns)
    found = [finding for entry in entries for finding in _campaign(entry, read.get(entry.name), survey, rules)]
    yield from found
    if entries and not found:
        names = listed(entry.name for entry in entries)
        yield Finding("campaigns", area, Severity.FINE, f"Found, eligible, running, and within 5% of base: {names}.")
    yield from _ungoverned(survey, {entry.id for entry in entries})


def _campaign(entry: CampaignEntry, now: Campaign | Unreadable | None, survey: Survey, rules: RuleSet) -> Iterator[Finding]:
    area = AREAS[entry.platform]
    if now is None:
        sentence = f"{entry.name}: campaign {entry.id} is not in account {survey.id}, or was removed."
        guess = next((each for each in survey.campaigns if entry.id in each.id or each.id in entry.id), None)
        advice = f"Did you mean {guess.id} ({guess.name})?" if guess else "Correct its `id`, or take it out of the file."
        yield Finding("not_found", area, Severity.MUST_FIX, sentence, advice)
    elif isinstance(now, Unreadable):
        sentence = f"{entry.name}: campaign {entry.id} could not be read: {now.message}."
        yield Finding("not_found", area, Severity.MUST_FIX, sentence, "Try again, or correct its `id` in the rule file.")
    elif now.ineligible:
        shown_as = "" if now.nowhere else f" ({now.name})"
        yield Finding("ineligible", area, Severity.MUST_FIX, f"{entry.name}{shown_as}: {now.ineligible}")
    elif survey.currency == rules.currency:  # else amounts cannot be compared
        yield from _at_first_sight(entry, now, rules.clinic)
        yield from _floor(entry, now)


def _floor(entry: CampaignEntry, now: Campaign) -> Iterator[Finding]:
    """A floor that the platform would not take is none."""
    if entry.floor < now.least:
        least = shown(now.least, now.currency)
        of_what = f" for its {counted(len(now.shares), 'ad set')}" if now.shares else ""
        sentence = (
            f"{entry.name} has a floor of {shown(entry.floor, now.currency)}, but no less than {least} is taken{of_what}."
        )
        advice = f"Write `floor: {now.least}`; until then that is its floor all the same."
        yield Finding("floor", AREAS[entry.platform], Severity.LOOK_AT, sentence, advice)


def _at_first_sight(entry: CampaignEntry, now: Campaign, clinic: str) -> Iterator[Finding]:
    """What makes the governor stand down when it meets a campaign for the first time."""
    area, budget = AREAS[entry.platform], now.state.budget
    hand_over = f"`governor readopt {clinic} {entry.name}` hands it over"
    if not now.state.running:
        sentence = f"{entry.name} is paused: unless that was the governor, it will be left alone."
        advice = f"Resume it before the first run; afterwards, {hand_over}."
        yield Finding("paused", area, Severity.LOOK_AT, sentence, advice)
    elif budget is None or abs(budget - entry.base) > entry.base * BASE_TOLERANCE:
        sentence = (
            f"{entry.name} has {shown(budget, now.currency)} a day, more than 5% off its base of "
            f"{shown(entry.base, now.currency)}: unless that was the governor, it will be left alone."
        )
        write = f"Write `base_budget: {budget}`, or set the budget to {entry.base} on the platform" if budget else "Give it one"
        yield Finding("off_base", area, Severity.LOOK_AT, sentence, f"{write}, before the first run; afterwards, {hand_over}.")


def _ungoverned(survey: Survey, governed: set[str]) -> Iterator[Finding]:
    fit = (campaign for campaign in survey.campaigns if not campaign.ineligible and not without_a_word(campaign))
    others = [campaign for campaign in fit if campaign.id not in governed]
    if others:
        names = [f"{campaign.name} ({campaign.id})" for campaign in others]
        sentence = f"Not in the rule file, so left alone: {listed(names)}; {verb(names, 'it', 'each')} could be."
        yield Finding("ungoverned", AREAS[survey.platform], Severity.FINE, sentence)
