"""What of a run is worth telling besides its decisions, as it goes into the plan's record. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from service.core.decide.left import left_changed
from service.core.decide.model import Blind, RunInputs, RunOutcome, Standing
from service.core.engine import clinic_zone
from service.core.model import Campaign, Platform, Reason, Unreadable
from service.core.notices.model import CAMPAIGN, CLINIKO, DIARIES, Expiring, ToTell
from service.core.rules.language import CampaignEntry

AHEAD = timedelta(days=1)
"""How long before the rules take a budget over that is announced."""


def worth_telling(inputs: RunInputs, outcome: RunOutcome) -> ToTell:
    """What a run found: rules that turned true, what could not be read, what is left changed, what is about to expire."""
    unread = tuple({each.system: each for each in _unread(inputs, outcome)}.values())
    return ToTell(
        zone=clinic_zone((inputs.snapshot, *inputs.baselines)),
        turned=outcome.notices,
        unread=unread,
        read=tuple(name for name in _asked(inputs) if name not in {each.system for each in unread}),
        left=left_changed(outcome.standings, inputs.rules),
        expiring=tuple(_expiring(inputs, outcome)),
    )


def _unread(inputs: RunInputs, outcome: RunOutcome) -> Iterator[Unreadable]:
    """Whole systems; single campaigns of one that was read otherwise; and services of which a diary failed."""
    diaries = inputs.snapshot.diaries
    if isinstance(diaries, Unreadable):
        yield diaries
    for platform, campaigns in _by_platform(inputs).items():
        unread = {name: each for name, each in campaigns.items() if isinstance(each, Unreadable)}
        if unread and len(unread) == len(campaigns):
            yield replace(next(iter(unread.values())), system=platform.value)
        else:
            yield from (replace(each, system=f"{CAMPAIGN}{name}") for name, each in unread.items())
    for name, forecast in outcome.forecasts.items():
        failed = [caveat.sentence for caveat in forecast.caveats if caveat.kind is Blind.FAILED]
        if failed and not isinstance(diaries, Unreadable):
            yield Unreadable(f"{DIARIES}{name}", "; ".join(failed))


def _by_platform(inputs: RunInputs) -> dict[Platform, dict[str, Campaign | Unreadable]]:
    found: dict[Platform, dict[str, Campaign | Unreadable]] = {}
    for name, entry in inputs.rules.campaigns.items():
        if name in inputs.snapshot.campaigns:
            found.setdefault(entry.platform, {})[name] = inputs.snapshot.campaigns[name]
    return found


def _asked(inputs: RunInputs) -> Iterator[str]:
    """What a run asks for, by the names that troubles go by; no diary while Cliniko does not answer."""
    yield CLINIKO
    if not isinstance(inputs.snapshot.diaries, Unreadable):
        yield from (f"{DIARIES}{name}" for name in inputs.rules.services)
    for platform, campaigns in _by_platform(inputs).items():
        yield platform.value
        yield from (f"{CAMPAIGN}{name}" for name in campaigns)


def _expiring(inputs: RunInputs, outcome: RunOutcome) -> Iterator[Expiring]:
    for name, entry in inputs.rules.campaigns.items():
        found = _expires(name, entry, outcome.standings.get(name, Standing()))
        if found is not None and found.at - inputs.now <= AHEAD:
            yield found


def _expires(name: str, entry: CampaignEntry, standing: Standing) -> Expiring | None:
    """When the rules take over what somebody made of a campaign; a pause or resume they never do."""
    down = standing.stood_down
    if down is None or down.reason is not Reason.DRIFT or down.status:
        return None
    return Expiring(name, down.by, down.seen, down.since, down.since + entry.guardrails.drift_expires)
