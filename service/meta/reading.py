"""Reading a Meta ad account: campaigns, the ad sets that hold their budgets, and what they have cost, as the core's words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from service.core.days import local_date
from service.core.errors import CredentialsError, OutsideError, RefusedError
from service.core.model import Campaign, History, Platform, Share, Shares, State, Survey, Unreadable
from service.meta import activity
from service.meta.eligibility import Seen, spending, why_not
from service.meta.errors import UndocumentedRefusalError, forbidden
from service.meta.graph import Graph
from service.meta.money import UNITS, from_minor
from service.meta.wire import AccountRow, ActivityRow, AdSetRow, AdSetSpendRow, CampaignRow, SpendRow, fields, parse

log = logging.getLogger(__name__)

LISTED = ["ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"]
"""Without this an account's list leaves out archived campaigns; asking it for DELETED is an error."""

SURVEYED = [status for status in LISTED if status != "ARCHIVED"]
"""A survey shows what there is to govern; what is archived can no longer be changed."""

IDS_PER_CALL = 100
NOT_LISTED = "Meta shows this campaign by its id but not in the ad account's list; look at it in Ads Manager"
NO_SUCH = "Meta has no campaign with this id that the token may see; correct the id"


@dataclass(frozen=True, slots=True)
class Spent:
    """What a campaign has cost in the account's own day, and month, in major units."""

    today: Decimal
    month: Decimal

    @classmethod
    def of(cls, rows: Sequence[SpendRow], today: date) -> Spent:
        """From the daily rows of one campaign in the month of `today`."""
        month = [row for row in rows if (row.date_start.year, row.date_start.month) == (today.year, today.month)]
        return cls(_sum(row for row in month if row.date_start == today), _sum(month))


def _sum(rows: Iterable[SpendRow]) -> Decimal:
    return sum((row.spend for row in rows), Decimal(0))


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the account `id`; `currency` is the rule file's, None where the account's own is to be judged by."""

    graph: Graph
    id: str
    currency: str | None
    clock: Callable[[], datetime]

    async def campaigns(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        """The campaigns with these ids, in their order."""
        account = await self._account()
        rows = await self._listed(ids)
        missing = {id_: await self._missing(id_, account) for id_ in ids if id_ not in rows}
        ad_sets = await self.ad_sets([id_ for id_, row in rows.items() if not self._why_not(row, None, account)])
        spent = await self._spent(list(rows), account)
        found = {id_: self._campaign(row, ad_sets.get(id_, ()), account, spent.get(id_)) for id_, row in rows.items()}
        found |= await self._with_spent_shares([each for each in found.values() if each.shares and not each.ineligible])
        return {id_: found[id_] if id_ in found else missing[id_] for id_ in ids}

    async def survey(self) -> Survey:
        """The account and its campaigns that are neither archived nor deleted, without what they cost."""
        account = await self._account()
        params = {"fields": fields(CampaignRow), "effective_status": SURVEYED}
        rows = [parse(CampaignRow, row) for row in await self.graph.pages((self.id, "campaigns"), params)]
        ad_sets = await self.ad_sets([row.id for row in rows])
        campaigns = tuple(self._campaign(row, ad_sets.get(row.id, ()), account, None) for row in rows)
        return Survey(Platform.META, self.id, account.currency, account.timezone_name, campaigns)

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:
        """The whole account's log: by category or object it could leave out what is filed elsewhere."""
        rows: list[ActivityRow] = []
        for first, last in activity.windows(since, until):
            params = {"fields": fields(ActivityRow), "since": str(first), "until": str(last)}
            rows += [parse(ActivityRow, row) for row in await self.graph.pages((self.id, "activities"), params)]
        return activity.told(rows, campaigns)

    async def one(self, id_: str) -> CampaignRow:
        """A campaign by its id."""
        return parse(CampaignRow, await self.graph.get((id_, ""), {"fields": fields(CampaignRow)}))

    async def ad_sets(self, ids: Sequence[str]) -> dict[str, tuple[AdSetRow, ...]]:
        """The ad sets of these campaigns that are neither archived nor deleted, by campaign."""
        found: dict[str, tuple[AdSetRow, ...]] = {}
        for some in _batches(ids):
            params = {"fields": fields(AdSetRow), "filtering": _one_of("campaign.id", some)}
            for data in await self.graph.pages((self.id, "adsets"), params):
                row = parse(AdSetRow, data)
                found[row.campaign_id] = (*found.get(row.campaign_id, ()), row)
        return found

    async def _account(self) -> AccountRow:
        return parse(AccountRow, await self.graph.get((self.id, ""), {"fields": fields(AccountRow)}))

    async def _listed(self, ids: Sequence[str]) -> dict[str, CampaignRow]:
        found: dict[str, CampaignRow] = {}
        for some in _batches(ids):
            params = {"fields": fields(CampaignRow), "effective_status": LISTED, "filtering": _one_of("id", some)}
            for row in await self.graph.pages((self.id, "campaigns"), params):
                if row.get("id") in some:
                    campaign = parse(CampaignRow, row)
                    found[campaign.id] = campaign
        return found

    async def _missing(self, id_: str, account: AccountRow) -> Campaign | Unreadable:
        """Why a campaign is not in the account's list: deleted ones, and those of other accounts, still answer by id."""
        try:
            row = await self.one(id_)
        except UndocumentedRefusalError as error:
            return Unreadable("meta", str(error))
        except (RefusedError, CredentialsError):
            step, nothing = UNITS.get(account.currency, Decimal(1)), State(running=False, budget=None)
            return Campaign(Platform.META, id_, id_, nothing, account.currency, step, ineligible=NO_SUCH)
        except OutsideError as error:
            return Unreadable("meta", str(error))
        if row.account_id and f"act_{row.account_id}" != self.id:
            sentence = f"the campaign belongs to the ad account act_{row.account_id}, not to {self.id}; correct one of them"
            return self._campaign(row, None, account, None, sentence)
        return self._campaign(row, None, account, None, self._why_not(row, None, account) or NOT_LISTED)

    async def _spent(self, ids: Sequence[str], account: AccountRow) -> dict[str, Spent]:
        """What each campaign has cost in the account's own day and month so far, in major units; no row is zero.

        Insights has a quota and a permission of its own and only informs, so its failure leaves the amounts unreported; a
        token that is no longer accepted is no failure of Insights.
        """
        params = {"fields": fields(SpendRow), "level": "campaign", "date_preset": "this_month", "time_increment": "1"}
        spent: dict[str, Spent] = {}
        today = _today(self.clock(), account.timezone_name)
        if today is None:
            log.warning("%s: the month's spend is not known: its time zone is %r", self.id, account.timezone_name)
            return spent
        try:
            for some in _batches(ids):
                found = await self.graph.pages((self.id, "insights"), {**params, "filtering": _one_of("campaign.id", some)})
                rows = [parse(SpendRow, data) for data in found]
                spent |= {id_: Spent.of([row for row in rows if row.campaign_id == id_], today) for id_ in some}
        except OutsideError as error:
            if isinstance(error, CredentialsError) and not forbidden(error.code):
                raise
            log.warning("%s: the month's spend is not known: %s", self.id, error)
        return spent

    async def _with_spent_shares(self, campaigns: Sequence[Campaign]) -> dict[str, Campaign]:
        """The campaigns whose ad sets hold the budget, with what today has cost of each of them, if that is told."""
        params = {"fields": fields(AdSetSpendRow), "level": "adset", "date_preset": "today"}
        rows: list[AdSetSpendRow] = []
        try:
            for some in _batches([campaign.id for campaign in campaigns]):
                found = await self.graph.pages((self.id, "insights"), {**params, "filtering": _one_of("campaign.id", some)})
                rows += [parse(AdSetSpendRow, data) for data in found]
        except OutsideError as error:
            log.warning("%s: what ad sets have cost today is not known: %s", self.id, error)
            return {}
        spent = {id_: tuple(Share(row.adset_id, row.spend) for row in rows if row.campaign_id == id_) for id_ in
                 (campaign.id for campaign in campaigns)}  # fmt: skip
        return {campaign.id: replace(campaign, spent_shares=spent[campaign.id]) for campaign in campaigns}

    def _why_not(self, row: CampaignRow, ad_sets: tuple[AdSetRow, ...] | None, account: AccountRow) -> str:
        return why_not(Seen(row, ad_sets, account, self.currency or account.currency, self.clock()))

    def _campaign(
        self,
        row: CampaignRow,
        ad_sets: tuple[AdSetRow, ...] | None,
        account: AccountRow,
        spent: Spent | None,
        ineligible: str = "",
    ) -> Campaign:
        shares = shares_of(row, ad_sets or (), account.currency, self.clock())
        least = from_minor(account.min_daily_budget or 0, account.currency) if account.currency in UNITS else Decimal(0)
        return Campaign(
            platform=Platform.META,
            id=row.id,
            name=row.name,
            state=state_of(row, shares, account.currency),
            currency=account.currency,
            unit=UNITS.get(account.currency, Decimal(1)),
            spent_today=spent.today if spent else None,
            spent_month=spent.month if spent else None,
            ineligible=ineligible or self._why_not(row, ad_sets, account),
            budget_ref=row.id if row.daily_budget else "",
            zone=account.timezone_name if _today(self.clock(), account.timezone_name) else "",
            shares=shares,
            least=least * max(len(shares), 1),
        )


def shares_of(row: CampaignRow, ad_sets: Sequence[AdSetRow], currency: str, now: datetime) -> Shares:
    """What the ad sets that can spend may spend a day, where they hold the budget, by id; else none."""
    if row.daily_budget or row.lifetime_budget or currency not in UNITS:
        return ()
    held = {ad_set.id: ad_set.daily_budget for ad_set in spending(ad_sets, now)}
    return tuple(Share(id_, from_minor(minor, currency)) for id_, minor in sorted(held.items()) if minor)


def state_of(row: CampaignRow, shares: Shares, currency: str) -> State:
    """Status and daily budget: the campaign's own, or the sum of its ad sets'."""
    budget = sum((share.budget for share in shares), Decimal(0)) if shares else None
    if row.daily_budget and currency in UNITS:
        budget = from_minor(row.daily_budget, currency)
    return State(running=row.configured_status == "ACTIVE", budget=budget)


def _today(now: datetime, zone: str) -> date | None:
    """The account's own day; None where its zone is none that is known here."""
    try:
        return local_date(now, zone)
    except (KeyError, ValueError, OSError):
        return None


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + IDS_PER_CALL] for start in range(0, len(ids), IDS_PER_CALL))


def _one_of(field: str, ids: Sequence[str]) -> list[dict[str, object]]:
    return [{"field": field, "operator": "IN", "value": list(ids)}]
