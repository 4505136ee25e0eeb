"""One change of a campaign as requests to Meta, in an order that is safe wherever it stops.

A campaign with a budget of its own takes status and budget in one request. Where its ad sets hold the budget there is one
request for each of them, which nothing makes atomic: a pause goes first and a resume last, cuts go before raises, so that
what may be spent a day is never more than before or after; and Meta is asked to check all of them before the first is made.
Before each of them a person's word is asked for anew: somebody may have put a hold meanwhile. No request is sent twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from service.core.errors import AmbiguousWriteError, OutsideError, PartialWriteError, RefusedError, StoppedError
from service.core.model import Campaign, Shares, State
from service.core.ports import Stop, unstopped
from service.meta.allowance import Allowance
from service.meta.errors import SPENT_TODAY, UndocumentedRefusalError, unexplained
from service.meta.money import to_minor
from service.meta.reading import Reading, shares_of, state_of
from service.meta.wire import StepRow, fields, parse

ABOVE_SPENT = Decimal("1.1")
"""Marketing API, "Budgets": a new budget must be at least 110% of what has been spent."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request: the campaign or ad set it is about, and what of it changes."""

    id: str
    status: str | None = None
    daily_budget: int | None = None

    @property
    def params(self) -> dict[str, str | int]:
        """What to send; a JSON number for the budget."""
        changes = {"status": self.status, "daily_budget": self.daily_budget}
        return {name: value for name, value in changes.items() if value is not None}


def steps(campaign: Campaign, target: State, shares: Shares) -> tuple[Step, ...]:
    """What to send, in order. A campaign without a daily budget is never given one: that would take it from its ad sets.

    Raises RefusedError for what can be known to be impossible.
    """
    if campaign.ineligible:
        raise RefusedError("meta", f"{campaign.name}: {campaign.ineligible}", code="ineligible")
    status = None if target.running == campaign.state.running else "ACTIVE" if target.running else "PAUSED"
    if target.budget == campaign.state.budget:
        return (Step(campaign.id, status),) if status else ()
    if target.budget is None or campaign.state.budget is None:
        raise RefusedError("meta", f"{campaign.name}: a daily budget can be changed, not added or removed", code="budget_kind")
    if not campaign.shares:
        return (Step(campaign.id, status, to_minor(target.budget, campaign.currency)),)
    budgets, own = _of_shares(campaign, target.budget, shares), (Step(campaign.id, status),) if status else ()
    return (*budgets, *own) if target.running else (*own, *budgets)


def _of_shares(campaign: Campaign, budget: Decimal, shares: Shares) -> tuple[Step, ...]:
    """Cuts first."""
    before, after = ({share.id: share.budget for share in each} for each in (campaign.shares, shares))
    if before.keys() != after.keys() or sum(after.values()) != budget:
        raise RefusedError("meta", f"{campaign.name}: {budget} is not divided among its ad sets as they are", code="shares")
    moving = sorted((id_ for id_ in after if after[id_] != before[id_]), key=lambda id_: after[id_] > before[id_])
    return tuple(Step(id_, daily_budget=to_minor(after[id_], campaign.currency)) for id_ in moving)


@dataclass(frozen=True, slots=True)
class Writing:
    """One write of `campaign`; `allowance` is the account's, `stop` the port's."""

    reading: Reading
    campaign: Campaign
    target: State
    allowance: Allowance
    stop: Stop = unstopped

    async def make(self, wanted: Sequence[Step]) -> Campaign:
        """Send the steps and return the campaign as it reads then."""
        if sum(step.daily_budget is not None for step in wanted) > 1:
            await self._rehearse(wanted)
        for n, step in enumerate(wanted):
            try:
                await self._go_on()
                await self._send(step)
            except AmbiguousWriteError:
                raise
            except OutsideError as error:
                if not n:
                    raise
                raise PartialWriteError("meta", f"{n} of {len(wanted)} requests were made: {error}", code=error.code) from None
        return await self._read_back(sent=bool(wanted))

    async def _go_on(self) -> None:
        if why := await self.stop():
            raise StoppedError("meta", why, code="stopped")

    async def _rehearse(self, wanted: Sequence[Step]) -> None:
        """Have Meta check every budget without changing anything, so that a refusal comes before the first one is changed."""
        for step in wanted:
            if step.daily_budget is not None:
                params = {"execution_options": ["validate_only"], **step.params}
                try:
                    await self.reading.graph.post((step.id, ""), params)
                except RefusedError as refusal:
                    raise self._explained(refusal, step) from None

    async def _send(self, step: Step) -> None:
        try:
            answer = await self.reading.graph.post((step.id, ""), step.params)
        except AmbiguousWriteError:
            self._note(step)
            raise
        except UndocumentedRefusalError as refusal:
            if not await self._took(step):
                raise self._explained(refusal, step) from None
        except RefusedError as refusal:
            raise self._explained(refusal, step) from None
        else:
            if answer.get("success") is not True:
                self._note(step)
                raise AmbiguousWriteError("meta", "Meta accepted the change without confirming it", code="no_success")
        self._note(step)

    def _note(self, step: Step) -> None:
        if step.daily_budget is not None:
            self.allowance.note(step.id)

    async def _took(self, step: Step) -> bool:
        """Whether what was refused was done all the same."""
        try:
            row = parse(StepRow, await self.reading.graph.get((step.id, ""), {"fields": fields(StepRow)}))
        except OutsideError as error:
            raise _unconfirmed(error) from None
        return row.configured_status == (step.status or row.configured_status) and (
            row.daily_budget == (step.daily_budget or row.daily_budget)
        )

    async def _read_back(self, *, sent: bool) -> Campaign:
        """The campaign as it is now; a write that cannot be confirmed is one whose outcome is unknown."""
        campaign = self.campaign
        try:
            row = await self.reading.one(campaign.id)
            ad_sets = (await self.reading.ad_sets([campaign.id])).get(campaign.id, ()) if campaign.shares else ()
        except OutsideError as error:
            if not sent:
                raise
            raise _unconfirmed(error) from None
        shares = shares_of(row, ad_sets, campaign.currency, self.reading.clock())
        return replace(campaign, name=row.name, state=state_of(row, shares, campaign.currency), shares=shares)

    def _explained(self, refusal: RefusedError, step: Step) -> RefusedError:
        """A plain "invalid parameter" for a budget below 110% of today's spend is that, whatever subcode it came with."""
        spent, wanted = self.campaign.spent_today, self.target.budget
        if step.daily_budget is None or wanted is None or spent is None:
            return refusal
        if wanted < spent * ABOVE_SPENT and unexplained(refusal.code):
            return RefusedError("meta", f"{wanted} is below 110% of the {spent} spent today; {refusal}", code=SPENT_TODAY)
        return refusal


def _unconfirmed(error: OutsideError) -> AmbiguousWriteError:
    return AmbiguousWriteError("meta", f"the change was sent but not confirmed: {error}", code=error.code)
