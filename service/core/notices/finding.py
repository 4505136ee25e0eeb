"""What of a run is worth telling besides its decisions, as it goes into the plan's record. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from service.core.decide.left import left_changed
from service.core.decide.model import Blind, RunInputs, RunOutcome, Standing
from service.core.engine import clinic_zone
from service.core.model import Reason, Unreadable
from service.core.notices.model import Expiring, ToTell
from service.core.rules.language import CampaignEntry

AHEAD = timedelta(days=1)
"""How long before the rules take a budget over that is announced."""


def worth_telling(inputs: RunInputs, outcome: RunOutcome) -> ToTell:
    """What a run found: rules that turned true, what could not be read, what is left changed, what is about to expire."""
    return ToTell(
        zone=clinic_zone((inputs.snapshot, *inputs.baselines)),
        turned=outcome.notices,
        unread=tuple({each.system: each for each in _unread(inputs, outcome)}.values()),
        left=left_changed(outcome.standings, inputs.rules),
        expiring=tuple(_expiring(inputs, outcome)),
    )


def _unread(inputs: RunInputs, outcome: RunOutcome) -> Iterator[Unreadable]:
    """Whole systems, and services of which a diary failed; the last word on a system counts."""
    diaries = inputs.snapshot.diaries
    if isinstance(diaries, Unreadable):
        yield diaries
    yield from (each for each in inputs.snapshot.campaigns.values() if isinstance(each, Unreadable))
    for name, forecast in outcome.forecasts.items():
        failed = [caveat.sentence for caveat in forecast.caveats if caveat.kind is Blind.FAILED]
        if failed and not isinstance(diaries, Unreadable):
            yield Unreadable(f"diaries of {name}", "; ".join(failed))


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
