"""What a page shows of one campaign: how it is now, what was decided last and what became of that, and whose word stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from service.app import App
from service.core.decide.approvals import PATIENCE
from service.core.decide.model import Answer, Approval
from service.web.answers import Change, State, change
from service.web.api.campaigns import Campaign, Campaigns
from service.web.api.holds import Hold
from service.web.api.plans import Question, question


@dataclass(frozen=True, slots=True)
class Card:
    """One campaign.

    `now` is how it is: as somebody left it, else as we last wrote it, else as it was last read (None: it never was). `unread`:
    the newest run could not read it. `changes` is what the last decision led to, `hold` what keeps it as it is, `answer` a
    person's answer that the next run goes by.
    """

    campaign: Campaign
    now: State | None
    unread: bool
    changes: tuple[Change, ...]
    hold: Hold | None
    answer: Question | None

    @property
    def failed(self) -> bool:
        """Whether what was decided last could not be done."""
        return bool(self.changes) and self.changes[-1].status == "failed"

    @property
    def stood_down(self) -> bool:
        """Whether somebody else's hand is on it."""
        return self.campaign.standing is not None and self.campaign.standing.stood_down is not None


async def cards(app: App, campaigns: Campaigns, holds: Sequence[Hold], approvals: Mapping[str, Approval]) -> tuple[Card, ...]:
    """Every campaign of the rule file in force."""
    decided = [each.last_decision.id for each in campaigns.items if each.last_decision]
    made = await app.store.intents.of_decisions(decided)
    return tuple(
        Card(
            campaign=each,
            now=_now(each),
            unread=each.last_decision is not None and each.last_decision.seen is None,
            changes=tuple(map(change, made.get(each.last_decision.id, ()))) if each.last_decision else (),
            hold=next((hold for hold in holds if _covers(hold, each)), None),
            answer=_answer(approvals.get(each.campaign)),
        )
        for each in campaigns.items
    )


def waiting(app: App, approvals: Iterable[Approval]) -> tuple[Question, ...]:
    """The questions that still want an answer, and can be given one."""
    now = app.clock()
    return tuple(question(each) for each in approvals if each.answer is Answer.PENDING and now - each.asked_at < PATIENCE)


def _now(campaign: Campaign) -> State | None:
    standing, last = campaign.standing, campaign.last_decision
    if standing is not None and standing.stood_down is not None:
        return standing.stood_down.seen
    if standing is not None and standing.expected is not None:
        return standing.expected
    return last.seen if last else None


def _covers(hold: Hold, campaign: Campaign) -> bool:
    return hold.campaign in {None, campaign.campaign} and hold.service in {None, campaign.entry.service}


def _answer(approval: Approval | None) -> Question | None:
    given = approval is not None and approval.answer in {Answer.APPROVED, Answer.REJECTED}
    return question(approval) if approval is not None and given else None
