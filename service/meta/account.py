"""A clinic's Meta ad account: its campaigns as values, and one absolute change at a time.

Campaigns with a budget of their own (Advantage campaign budget) can be changed; everything else is read and explained. A
write is one POST and is never sent twice; a refusal nobody documents is believed only after reading the campaign again.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

from service.core.days import local_date
from service.core.errors import (
    AmbiguousWriteError,
    CredentialsError,
    OutsideError,
    RefusedError,
    SettingsError,
    TransientError,
)
from service.core.model import Campaign, History, Platform, State, Survey, Unreadable
from service.meta import activity
from service.meta.allowance import Allowance
from service.meta.credentials import MetaCredentials
from service.meta.eligibility import Seen, why_not
from service.meta.errors import SPENT_TODAY, UndocumentedRefusalError, unexplained
from service.meta.graph import DEFAULT_LIMITS, Graph, Limits, Object
from service.meta.money import UNITS, from_minor, to_minor
from service.meta.usage import NOTHING_KNOWN, Usage
from service.meta.wire import AccountRow, ActivityRow, AdSetRow, CampaignRow, SpendRow, fields, parse

log = logging.getLogger(__name__)
T = TypeVar("T")

LISTED = ["ACTIVE", "PAUSED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"]
"""Without this an account's list leaves out archived campaigns; asking it for DELETED is an error."""

SURVEYED = [status for status in LISTED if status != "ARCHIVED"]
"""A survey shows what there is to govern; what is archived can no longer be changed."""

IDS_PER_CALL = 100
ABOVE_SPENT = Decimal("1.1")
"""Marketing API, "Budgets": a new budget must be at least 110% of what has been spent."""


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


class MetaAdAccount:
    """One Meta ad account, `act_` and digits, whose campaigns the rule file names; `currency` is the rule file's.

    `base_url` (scheme, host and port) replaces Graph's own. `clock` tells UTC now. Errors are the `OutsideError` family;
    `usage` is what Meta last said of the account's call quota.
    """

    def __init__(
        self,
        *,
        ad_account_id: str,
        currency: str,
        credentials: MetaCredentials,
        base_url: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if not re.fullmatch(r"act_\d+", ad_account_id):
            raise SettingsError(f"{ad_account_id!r} is no Meta ad account: write `act_` and its digits")
        if base_url is not None and not re.match(r"https?://[^/?#]+/?$", base_url):
            raise SettingsError("the Meta base URL must be scheme, host and port only, for instance https://graph.facebook.com")
        self._id = ad_account_id
        self._currency = currency
        self._credentials = credentials
        self._base_url = base_url
        self._clock = clock
        self._sleep = sleep
        self._limits = limits
        self._allowance = Allowance(clock)
        self.usage: Usage = NOTHING_KNOWN

    # --- reading --------------------------------------------------------------------------------------------------------

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        """The campaigns with these ids, each exactly once; raises where the account as a whole cannot be read."""
        wanted = tuple(dict.fromkeys(ids))
        return await self._in_time(lambda graph: self._read(graph, wanted)) if wanted else {}

    async def survey(self) -> Survey:
        """The account and its campaigns that are neither archived nor deleted; today's spend is left out. Raises as `read`."""
        return await self._in_time(self._survey)

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:
        """What the activity log tells of these campaigns, and of the budgets of their ad sets, from `since` to `until`.

        Raises the `OutsideError` family; `RefusedError` where the log does not reach back so far.
        """
        if not campaigns:
            return {}
        if since < self._clock() - activity.KEPT:
            raise RefusedError(
                "meta", f"Meta keeps its activity log for {activity.KEPT.days} days, which is not back to {since:%d %b %Y}",
                code="not_kept",
            )  # fmt: skip
        return await self._in_time(lambda graph: self._history(graph, campaigns, since, until))

    async def _history(
        self, graph: Graph, campaigns: Sequence[Campaign], since: datetime, until: datetime
    ) -> Mapping[str, History]:
        """The whole account's log: by category or object it could leave out what is filed elsewhere."""
        rows: list[ActivityRow] = []
        for first, last in activity.windows(since, until):
            params = {"fields": fields(ActivityRow), "since": str(first), "until": str(last)}
            rows += [parse(ActivityRow, row) for row in await graph.pages((self._id, "activities"), params)]
        return activity.told(rows, campaigns)

    async def _in_time(self, reading: Callable[[Graph], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._limits.read), self._graph() as graph:
                return await reading(graph)
        except TimeoutError:
            pass
        raise TransientError("meta", f"reading the ad account took more than {self._limits.read:g} s", code="deadline")

    async def _survey(self, graph: Graph) -> Survey:
        account = await self._account(graph)
        params = {"fields": fields(CampaignRow), "effective_status": SURVEYED}
        rows = [parse(CampaignRow, row) for row in await graph.pages((self._id, "campaigns"), params)]
        ad_sets = await self._ad_sets(graph, [row.id for row in rows])
        campaigns = (
            self._campaign(row, account, self._why_not(row, ad_sets.get(row.id, ()), account, account.currency), None)
            for row in rows
        )
        return Survey(Platform.META, self._id, account.currency, account.timezone_name, tuple(campaigns))

    async def _account(self, graph: Graph) -> AccountRow:
        return parse(AccountRow, await graph.get((self._id, ""), {"fields": fields(AccountRow)}))

    async def _read(self, graph: Graph, ids: tuple[str, ...]) -> Mapping[str, Campaign | Unreadable]:
        account = await self._account(graph)
        rows = await self._listed(graph, ids)
        missing = {id_: await self._missing(graph, id_, account) for id_ in ids if id_ not in rows}
        ad_sets = await self._ad_sets(graph, [id_ for id_, row in rows.items() if not self._why_not(row, (), account)])
        spent = await self._spent(graph, list(rows), account)
        found = {
            id_: self._campaign(row, account, self._why_not(row, ad_sets.get(id_, ()), account), spent.get(id_))
            for id_, row in rows.items()
        }
        return {id_: found[id_] if id_ in found else missing[id_] for id_ in ids}

    async def _listed(self, graph: Graph, ids: tuple[str, ...]) -> dict[str, CampaignRow]:
        found: dict[str, CampaignRow] = {}
        for some in _batches(ids):
            params = {"fields": fields(CampaignRow), "effective_status": LISTED, "filtering": _one_of("id", some)}
            for row in await graph.pages((self._id, "campaigns"), params):
                if row.get("id") in some:
                    campaign = parse(CampaignRow, row)
                    found[campaign.id] = campaign
        return found

    async def _missing(self, graph: Graph, id_: str, account: AccountRow) -> Campaign | Unreadable:
        """Why a campaign is not in the account's list: deleted ones, and those of other accounts, still answer by id."""
        try:
            row = await self._one(graph, id_)
        except (RefusedError, CredentialsError) as error:
            if isinstance(error, UndocumentedRefusalError):
                return Unreadable("meta", str(error))
            return self._absent(id_, account, "Meta has no campaign with this id that the token may see; correct the id")
        except OutsideError as error:
            return Unreadable("meta", str(error))
        if row.account_id and f"act_{row.account_id}" != self._id:
            sentence = f"the campaign belongs to the ad account act_{row.account_id}, not to {self._id}; correct one of them"
            return self._campaign(row, account, sentence, None)
        return self._campaign(row, account, self._why_not(row, (), account) or _NOT_LISTED, None)

    async def _ad_sets(self, graph: Graph, ids: list[str]) -> dict[str, tuple[AdSetRow, ...]]:
        """The ad sets that are neither archived nor deleted, by campaign."""
        found: dict[str, tuple[AdSetRow, ...]] = {}
        for some in _batches(ids):
            params = {"fields": fields(AdSetRow), "filtering": _one_of("campaign.id", some)}
            for data in await graph.pages((self._id, "adsets"), params):
                row = parse(AdSetRow, data)
                found[row.campaign_id] = (*found.get(row.campaign_id, ()), row)
        return found

    async def _spent(self, graph: Graph, ids: list[str], account: AccountRow) -> dict[str, Spent]:
        """What each campaign has cost in the account's own day and month so far, in major units; no row is zero.

        Insights has a quota of its own and only informs, so its failure leaves the amounts unreported.
        """
        today = local_date(self._clock(), account.timezone_name)
        params = {"fields": fields(SpendRow), "level": "campaign", "date_preset": "this_month", "time_increment": "1"}
        spent: dict[str, Spent] = {}
        try:
            for some in _batches(ids):
                found = await graph.pages((self._id, "insights"), {**params, "filtering": _one_of("campaign.id", some)})
                rows = [parse(SpendRow, data) for data in found]
                spent |= {id_: Spent.of([row for row in rows if row.campaign_id == id_], today) for id_ in some}
        except CredentialsError:
            raise
        except OutsideError as error:
            log.warning("%s: the month's spend is not known: %s", self._id, error)
        return spent

    async def _one(self, graph: Graph, id_: str) -> CampaignRow:
        return parse(CampaignRow, await graph.get((id_, ""), {"fields": fields(CampaignRow)}))

    def _why_not(self, row: CampaignRow, ad_sets: tuple[AdSetRow, ...], account: AccountRow, currency: str = "") -> str:
        return why_not(Seen(row, ad_sets, account, currency or self._currency, self._clock()))

    def _campaign(self, row: CampaignRow, account: AccountRow, ineligible: str, spent: Spent | None) -> Campaign:
        return Campaign(
            platform=Platform.META,
            id=row.id,
            name=row.name,
            state=_state(row, account.currency),
            currency=account.currency,
            unit=UNITS.get(account.currency, Decimal(1)),
            spent_today=spent.today if spent else None,
            spent_month=spent.month if spent else None,
            ineligible=ineligible,
            budget_ref=row.id if row.daily_budget else "",
        )

    def _absent(self, id_: str, account: AccountRow, sentence: str) -> Campaign:
        step = UNITS.get(account.currency, Decimal(1))
        nothing = State(running=False, budget=None)
        return Campaign(Platform.META, id_, id_, nothing, account.currency, step, ineligible=sentence)

    # --- writing --------------------------------------------------------------------------------------------------------

    async def write(self, campaign: Campaign, target: State) -> Campaign:
        """Make `campaign` be `target` in one request carrying what differs; returns it as read back.

        `RefusedError` with code `SPENT_TODAY` where the budget is too low for today; `AmbiguousWriteError` where the change may
        or may not have been made; `TransientError` where it certainly was not, but may be later.
        """
        changes = _changes(campaign, target)
        if "daily_budget" in changes:
            self._allowance.check(campaign.id)
        async with self._graph() as graph:
            if changes:
                await self._send(graph, campaign, target, changes)
            return await self._read_back(graph, campaign, sent=bool(changes))

    async def _send(self, graph: Graph, campaign: Campaign, target: State, changes: Object) -> None:
        try:
            answer = await graph.post((campaign.id, ""), changes)
        except AmbiguousWriteError:
            self._note(campaign, changes)
            raise
        except UndocumentedRefusalError as refusal:
            if (await self._read_back(graph, campaign, sent=True)).state != target:
                raise _explained(refusal, campaign, target) from None
        except RefusedError as refusal:
            raise _explained(refusal, campaign, target) from None
        else:
            if answer.get("success") is not True:
                self._note(campaign, changes)
                raise AmbiguousWriteError("meta", "Meta accepted the change without confirming it", code="no_success")
        self._note(campaign, changes)

    def _note(self, campaign: Campaign, changes: Object) -> None:
        if "daily_budget" in changes:
            self._allowance.note(campaign.id)

    async def _read_back(self, graph: Graph, campaign: Campaign, *, sent: bool) -> Campaign:
        """The campaign as it is now; a write that cannot be confirmed is one whose outcome is unknown."""
        try:
            row = await self._one(graph, campaign.id)
        except OutsideError as error:
            if not sent:
                raise
            raise AmbiguousWriteError("meta", f"the change was sent but not confirmed: {error}", code=error.code) from None
        return replace(campaign, name=row.name, state=_state(row, campaign.currency))

    @asynccontextmanager
    async def _graph(self) -> AsyncIterator[Graph]:
        async with Graph(self._credentials, self._base_url, self._limits, self._sleep) as graph:
            try:
                yield graph
            finally:
                self.usage = graph.usage


_NOT_LISTED = "Meta shows this campaign by its id but not in the ad account's list; look at it in Ads Manager"


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + IDS_PER_CALL] for start in range(0, len(ids), IDS_PER_CALL))


def _one_of(field: str, ids: Sequence[str]) -> list[dict[str, object]]:
    return [{"field": field, "operator": "IN", "value": list(ids)}]


def _state(row: CampaignRow, currency: str) -> State:
    known = row.daily_budget is not None and currency in UNITS
    return State(
        running=row.configured_status == "ACTIVE",
        budget=from_minor(row.daily_budget, currency) if known and row.daily_budget else None,
    )


def _changes(campaign: Campaign, target: State) -> dict[str, str | int]:
    """What to send. A campaign without a daily budget is never given one: that would take it from its ad sets."""
    if campaign.ineligible:
        raise RefusedError("meta", f"{campaign.name}: {campaign.ineligible}", code="ineligible")
    changes: dict[str, str | int] = {}
    if target.running != campaign.state.running:
        changes["status"] = "ACTIVE" if target.running else "PAUSED"
    if target.budget != campaign.state.budget:
        if target.budget is None or campaign.state.budget is None:
            raise RefusedError(
                "meta", f"{campaign.name}: a daily budget can be changed, not added or removed", code="budget_kind"
            )
        changes["daily_budget"] = to_minor(target.budget, campaign.currency)
    return changes


def _explained(refusal: RefusedError, campaign: Campaign, target: State) -> RefusedError:
    """A plain "invalid parameter" for a budget below 110% of today's spend is that, whatever subcode it came with."""
    spent, wanted = campaign.spent_today, target.budget
    if wanted is None or spent is None or wanted == campaign.state.budget:
        return refusal
    if wanted < spent * ABOVE_SPENT and unexplained(refusal.code):
        return RefusedError("meta", f"{wanted} is below 110% of the {spent} spent today; {refusal}", code=SPENT_TODAY)
    return refusal
