"""Two Google campaigns on one budget: its amount is written once, and moving it is nobody else's hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from service.app import App, bootstrap
from service.core.decide.model import Hold
from service.core.model import Campaign, History, Platform, Reason, Shares, State, Survey, Unreadable, Verdict
from service.core.ports import AdAccount, Stop, unstopped
from service.governor import Report
from service.observe import Missing, Outside
from service.sandbox.accounts import GoogleCampaign
from service.sandbox.scene import HARBOUR
from service.sandbox.world import Fault, World
from service.settings import Settings

CUSTOMER, PHYSIO, PODIATRY = "1234567890", "9876543210", "9876543211"
BUDGET, MUTATE, MINUTE = f"7{PHYSIO}", "GoogleAdsService/Mutate", timedelta(minutes=1)
MIA = "mia@agency.example"

ALIKE = "base_budget: 60, floor: 10, ceiling: 120, shared_budget: allow"
HEAD = f"""\
version: 1
clinic: harbour-physio
name: Harbour Physio
currency: AUD
mode: enforce
google_ads: {{customer_id: "123-456-7890", login_customer_id: "111-222-3333"}}
services:
  physio: {{appointment_types: [Initial physiotherapy consultation]}}
  podiatry: {{appointment_types: [Initial podiatry consultation]}}
campaigns:
  physio-search: {{platform: google, id: "9876543210", service: physio, {ALIKE}}}
  podiatry-search: {{platform: google, id: "9876543211", service: podiatry, {ALIKE}}}
guardrails: {{cooldown: 0h, stabilise: {{raise: 0h}}}}
"""


@dataclass(frozen=True)
class Clinic:
    """The service in front of a world in which both campaigns spend from one budget of 60.00."""

    world: World
    app: App
    file: Path

    def rule(self, physio: str = "", podiatry: str = "") -> None:
        """What the rules always want, where it is not base."""
        wanted = {"physio-search": physio, "podiatry-search": podiatry}
        rules = [f"  - {{name: {name}, campaigns: [{name}], then: {then}}}\n" for name, then in wanted.items() if then]
        self.file.write_text(HEAD + ("rules:\n" + "".join(rules) if rules else "# no rules\n"))
        self.world.advance(5 * MINUTE)

    async def run(self) -> Report:
        return await self.app.governor.run(HARBOUR)

    @property
    def amount(self) -> Decimal:
        return Decimal(self.world.google[CUSTOMER].budgets[BUDGET].amount_micros) / 1_000_000

    @property
    def statuses(self) -> list[str]:
        return [self.world.google[CUSTOMER].campaigns[id_].status for id_ in (PHYSIO, PODIATRY)]

    @property
    def sent(self) -> int:
        return sum(request.path == MUTATE for request in self.world.requests)


@pytest.fixture
async def clinic(world: World, settings: Settings, tmp_path: Path) -> AsyncIterator[Clinic]:
    account = world.google[CUSTOMER]
    account.budgets[BUDGET].shared = True
    account.campaigns[PODIATRY].budget = BUDGET
    rules = tmp_path / "shared"
    rules.mkdir()
    async with bootstrap(settings.model_copy(update={"rules_dir": rules}), world.clock()) as app:
        yield Clinic(world, app, rules / f"{HARBOUR}.yaml")


def said(report: Report) -> dict[str, Reason]:
    return {decision.campaign: decision.reason for decision in report.decisions}


def endings(report: Report) -> dict[str, str]:
    return {each.change.campaign: each.ending for each in report.changes}


ALL_APPLIED = {"physio-search": "applied", "podiatry-search": "applied"}


async def test_the_amount_is_written_once_and_the_next_run_finds_nobody_elses_hand(clinic: Clinic) -> None:
    clinic.rule("{budget: 42}", "{budget: 48}")
    first = await clinic.run()

    assert said(first) == {"physio-search": Reason.SHARED_BUDGET, "podiatry-search": Reason.RULE}
    assert (endings(first), clinic.amount, clinic.sent) == (ALL_APPLIED, Decimal(48), 1)

    clinic.world.advance(60 * MINUTE)
    second = await clinic.run()
    assert said(second) == {"physio-search": Reason.SHARED_BUDGET, "podiatry-search": Reason.ALREADY_THERE}
    assert clinic.sent == 1


async def test_a_pause_is_its_own_and_the_amount_moves_under_it(clinic: Clinic) -> None:
    clinic.rule("pause", "{budget: 48}")
    assert endings(await clinic.run()) == ALL_APPLIED
    assert (clinic.statuses, clinic.amount, clinic.sent) == (["PAUSED", "ENABLED"], Decimal(48), 2)

    clinic.world.advance(60 * MINUTE)
    clinic.rule("pause", "{budget: 40}")
    assert said(await clinic.run()) == {"physio-search": Reason.ALREADY_THERE, "podiatry-search": Reason.RULE}
    clinic.world.advance(60 * MINUTE)
    clinic.rule("", "")
    back = await clinic.run()  # to base: a resume, and one amount
    assert endings(back) == ALL_APPLIED
    assert (clinic.statuses, clinic.amount) == (["ENABLED", "ENABLED"], Decimal(60))


async def test_a_person_who_changes_it_changed_both(clinic: Clinic) -> None:
    clinic.rule("pause", "{budget: 48}")
    await clinic.run()
    clinic.world.advance(60 * MINUTE)
    clinic.world.edit_google(CUSTOMER, PHYSIO, MIA, amount_micros=55_000_000)

    assert set(said(await clinic.run()).values()) == {Reason.DRIFT}
    assert clinic.amount == 55


async def test_what_was_refused_for_one_is_not_sent_for_the_other(clinic: Clinic) -> None:
    clinic.rule("{budget: 48}", "{budget: 48}")
    clinic.world.fail(Fault("google", "campaign_budget_error.MONEY_AMOUNT_TOO_LARGE", MUTATE, times=1))
    report = await clinic.run()

    assert endings(report) == {"physio-search": "failed", "podiatry-search": "failed"}
    assert "not sent: the budget is shared, and the change for physio-search has failed" in report.changes[1].detail
    assert (int(clinic.amount), clinic.sent) == (60, 1)


@pytest.mark.parametrize("landed", [True, False], ids=["was written", "was not written"])
async def test_while_nobody_knows_whether_it_was_written_it_is_not_sent_again_and_the_next_run_settles_both(
    clinic: Clinic, *, landed: bool
) -> None:
    clinic.rule("{budget: 48}", "{budget: 48}")
    clinic.world.fail(Fault("google", "unavailable", MUTATE, times=1))
    assert endings(await clinic.run()) == {"physio-search": "open", "podiatry-search": "open"}
    assert clinic.sent == 1

    if landed:
        clinic.world.google[CUSTOMER].budgets[BUDGET].amount_micros = 48_000_000
    clinic.world.advance(20 * MINUTE)
    clinic.world.requests.clear()
    first, second = (await clinic.run()).changes[:2]

    assert (first.ending, second.ending, second.detail) == (
        "applied" if landed else "failed",
        "superseded",
        "it was never sent",
    )
    clinic.world.advance(60 * MINUTE)
    assert Reason.DRIFT not in said(await clinic.run()).values()
    assert (int(clinic.amount), clinic.sent) == (48, 0 if landed else 1)


async def test_a_worker_killed_after_the_write_leaves_no_drift_behind(clinic: Clinic) -> None:
    clinic.rule("pause", "{budget: 48}")
    await clinic.run()
    clinic.world.advance(60 * MINUTE)
    clinic.rule("pause", "{budget: 40}")
    governor = replace(clinic.app.governor, outside=lambda rules: _with(clinic.app.governor.outside(rules), _Killed))
    with pytest.raises(KeyboardInterrupt):
        await governor.run(HARBOUR)
    assert clinic.amount == 40

    clinic.world.advance(20 * MINUTE)
    report = await clinic.run()
    assert endings(report) == {"podiatry-search": "applied"}
    assert Reason.DRIFT not in said(report).values()  # neither for the campaign that was moved nor for the one at rest


async def test_a_hold_on_one_that_comes_while_the_run_is_at_work_stops_the_amount_for_all(clinic: Clinic) -> None:
    clinic.rule("{budget: 48}", "{budget: 48}")
    now = clinic.world.now
    hold = Hold("h1", HARBOUR, now + timedelta(days=1), "wait", "mia", now, campaign="podiatry-search")

    class Held(_Passing):
        async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
            found = await self.inner.read(ids)
            if list(ids) == [PHYSIO]:  # read again, before its write
                await clinic.app.store.holds.hold(hold)
            return found

    governor = replace(clinic.app.governor, outside=lambda rules: _with(clinic.app.governor.outside(rules), Held))
    report = await governor.run(HARBOUR)

    assert endings(report) == {"physio-search": "superseded", "podiatry-search": "superseded"}
    assert "its budget is shared: held by mia" in report.changes[0].detail
    assert (int(clinic.amount), clinic.sent) == (60, 0)


async def test_a_campaign_that_joins_the_budget_and_is_not_in_the_file_stops_it(clinic: Clinic) -> None:
    clinic.rule("{budget: 48}", "{budget: 48}")
    account = clinic.world.google[CUSTOMER]

    class Joined(_Passing):
        async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
            found = await self.inner.read(ids)
            account.campaigns["5"] = GoogleCampaign("5", "New", BUDGET)
            return found

    governor = replace(clinic.app.governor, outside=lambda rules: _with(clinic.app.governor.outside(rules), Joined))
    report = await governor.run(HARBOUR)
    assert endings(report) == {"physio-search": "failed", "podiatry-search": "failed"}
    assert "campaign 5, not in the rule file" in report.changes[0].detail

    refused = await clinic.run()
    assert {(each.verdict, each.reason) for each in refused.decisions} == {(Verdict.REFUSED, Reason.INELIGIBLE)}
    assert (int(clinic.amount), clinic.sent) == (60, 0)


# --- accounts to which something happens --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Passing:
    inner: AdAccount

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        return await self.inner.read(ids)

    async def survey(self) -> Survey:
        return await self.inner.survey()

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:
        return await self.inner.history(campaigns, since, until)

    async def write(self, campaign: Campaign, target: State, shares: Shares = (), stop: Stop = unstopped) -> Campaign:
        return await self.inner.write(campaign, target, shares, stop)


class _Killed(_Passing):
    async def write(self, campaign: Campaign, target: State, shares: Shares = (), stop: Stop = unstopped) -> Campaign:
        await self.inner.write(campaign, target, shares, stop)
        raise KeyboardInterrupt


def _with(outside: Outside, kind: type[_Passing]) -> Outside:
    google = outside.accounts[Platform.GOOGLE]
    assert not isinstance(google, Missing)
    return replace(outside, accounts={**outside.accounts, Platform.GOOGLE: kind(google)})
