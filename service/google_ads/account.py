"""One Google Ads client account as the governor's `AdAccount` and `ChangeHistory`. Does I/O through the client it is given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.core.errors import AmbiguousWriteError, OutsideError, ProtocolError, RefusedError
from service.core.model import Campaign, History, Platform, Shares, State, Survey, Unreadable
from service.core.ports import NoNotes, Notes, Stop, unstopped
from service.google_ads import money
from service.google_ads.changes import (
    DELAY,
    MOST_EVENTS,
    REACH,
    EventRow,
    Span,
    changes_query,
    event_row,
    span,
    time_zone,
    told,
)
from service.google_ads.client import GoogleAds
from service.google_ads.eligibility import hidden, not_found, shared, why_not
from service.google_ads.wire import (
    SYSTEM,
    CampaignRow,
    Edits,
    ReadBack,
    account_query,
    account_row,
    campaign_query,
    campaign_row,
    from_note,
    survey_query,
    to_note,
    unit_query,
    unit_row,
)

STATUS = {True: "ENABLED", False: "PAUSED"}
ABSENT_FOR = timedelta(days=1)
"""How long it is believed of an id that it is no campaign's, or a removed one's: neither comes back."""
NO_UNIT = Decimal("0.01")
"""Stands in for the unit of campaigns that do not exist."""


class GoogleAdsAccount:
    """The campaigns of customer `customer_id`, reached through the manager `login_customer_id` (None: directly).

    Ids are digits. `currency` is the rule file's: campaigns of an account in another currency are ineligible. `notes` keep
    what would cost an operation of the quota each time: a currency's unit, and ids that are no campaign's any more.
    """

    def __init__(
        self,
        *,
        customer_id: str,
        login_customer_id: str | None,
        currency: str,
        client: GoogleAds,
        notes: Notes | None = None,
    ) -> None:
        self._customer = customer_id
        self._login = login_customer_id
        self._currency = currency
        self._client = client
        self._notes = notes or NoNotes()
        self._units: dict[str, Decimal] = {}

    async def read(self, ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        """The campaigns with these ids, in one search of the account; raises the OutsideError family if it fails.

        The whole account is asked for, because that tells who shares a budget with whom; those that have been removed are no
        part of it, so an id that is not found takes a second search, and what that told is believed for a day.
        `spent_month` counts the account's own month and runs up to three hours late; what today has cost is not asked for,
        because that would take a search of its own: `core.spending` finds it out from the month.
        """
        wanted = {id_ for id_ in ids if id_.isdecimal() and id_.isascii()}
        rows = await self._rows(survey_query()) if wanted else []
        if absent := wanted - {row.id for row in rows}:
            rows += await self._absent(absent)
        there, users = {row.id: row for row in rows}, _users(rows)
        found: dict[str, Campaign | Unreadable] = {}
        for id_ in ids:
            row = there.get(id_)
            found[id_] = self._missing(id_) if row is None else await self._campaign(row, self._currency, users)
        return found

    async def survey(self) -> Survey:
        """The account and its campaigns that are not removed, in one search; one more where there are none to tell of it.

        Raises as `read` does; for a manager account, which has no campaigns, RefusedError says so.
        """
        rows = await self._rows(survey_query())
        about = [(row.currency, row.zone) for row in rows]
        about = about or await self._client.search(self._login, self._customer, account_query(), account_row)
        if not about:
            raise ProtocolError(SYSTEM, f"Google Ads says nothing about account {self._customer}")
        (currency, zone), *_ = about
        campaigns = [await self._campaign(row, currency, _users(rows)) for row in rows]
        return Survey(Platform.GOOGLE, self._customer, currency, zone, tuple(campaigns))

    async def write(
        self,
        campaign: Campaign,
        target: State,
        shares: Shares = (),
        stop: Stop = unstopped,  # noqa: ARG002 - one request, which was asked about
    ) -> Campaign:
        """Pause, resume or rescale with absolute values, in one atomic group; only what differs from `campaign.state`.

        Budgets are rounded down to the unit. Returns the campaign as the platform answered. Raises RefusedError for a
        campaign that may not be changed, and AmbiguousWriteError where the change may or may not be in force.
        """
        if shares:
            raise RefusedError(SYSTEM, f"The budget of campaign {campaign.id} is not divided on Google Ads", code="INELIGIBLE")
        edits = self._edits(campaign, target)
        if not edits:
            return campaign
        answer = await self._client.mutate(self._login, self._customer, edits)
        state = _written(campaign, edits, answer)
        return replace(campaign, state=state) if state is not None else await self._read_again(campaign)

    async def history(self, campaigns: Sequence[Campaign], since: datetime, until: datetime) -> Mapping[str, History]:
        """What was changed about these campaigns and their budgets, by id: one search for all, one more per 10,000 events.

        An event may appear three minutes late, so what happened in the three minutes before `since` is told again. Raises as
        `read` does, and RefusedError where `since` is further back than the 30 days that Google remembers. Google Ads Editor
        leaves no trace. `campaigns` must have been read from this account; its own changes are Google's to name (`by`).
        """
        if until - since > REACH:
            message = f"Google Ads remembers changes for {REACH.days} days, and {since:%Y-%m-%d} is further back"
            raise RefusedError(SYSTEM, message, code="ChangeEventError.START_DATE_TOO_OLD")
        if not campaigns:
            return {}
        zone = await self._zone(campaigns)
        rows = await self._events(span(max(since - DELAY, until - REACH), until, zone))
        return {each.id: told(each, self._name(each.id), rows, zone, until) for each in campaigns}

    async def _events(self, asked: Span) -> list[EventRow]:
        """Every event of the span, each once; where an answer is full the next begins at its last second."""
        found: dict[str, EventRow] = {}
        while True:
            rows = await self._client.search(self._login, self._customer, changes_query(asked), event_row)
            found |= {row.name: row for row in rows}
            if len(rows) < MOST_EVENTS:
                return list(found.values())
            rest = asked.after(rows)
            if rest is None:
                raise ProtocolError(SYSTEM, f"Google Ads tells of more than {MOST_EVENTS} changes in one second")
            asked = rest

    async def _zone(self, campaigns: Sequence[Campaign]) -> ZoneInfo:
        """The account's time zone, asked for where no campaign brought it along."""
        name = next((each.zone for each in campaigns if each.zone), "")
        if not name:
            about = await self._client.search(self._login, self._customer, account_query(), account_row)
            name = about[0][1] if about else ""
        zone = time_zone(name)
        if zone is None:
            raise ProtocolError(SYSTEM, f"Google Ads counts the days of account {self._customer} in {name!r}")
        return zone

    def _name(self, id_: str) -> str:
        return f"customers/{self._customer}/campaigns/{id_}"

    async def _rows(self, query: str) -> list[CampaignRow]:
        return await self._client.search(self._login, self._customer, query, campaign_row)

    async def _absent(self, ids: Collection[str]) -> list[CampaignRow]:
        """The removed ones of these campaigns, of which the account's list does not tell; the others are nowhere."""
        noted = {id_: await self._notes.get(self._absent_key(id_)) for id_ in sorted(ids)}
        known = {id_: rows for id_, text in noted.items() if text is not None and (rows := from_note(text)) is not None}
        asked = [id_ for id_ in noted if id_ not in known]
        found = {row.id: row for row in await self._rows(campaign_query(asked))} if asked else {}
        for id_ in asked:
            if id_ not in found or found[id_].status == "REMOVED":
                await self._notes.put(self._absent_key(id_), to_note(found.get(id_)), ABSENT_FOR)
        return [*found.values(), *(row for rows in known.values() for row in rows)]

    def _absent_key(self, id_: str) -> str:
        return f"google/absent/{self._customer}/{id_}"

    async def _unit(self, currency: str) -> Decimal:
        """The currency's billable unit; asked for once, as it does not change."""
        if currency not in self._units:
            key = f"google/unit/{currency}"
            noted = await self._notes.get(key)
            micros = int(noted) if noted and noted.isdecimal() else await self._asked_unit(currency)
            self._units[currency] = money.unit_of(micros)
            if noted is None:
                await self._notes.put(key, str(micros))
        return self._units[currency]

    async def _asked_unit(self, currency: str) -> int:
        units = dict(await self._client.search(self._login, self._customer, unit_query(currency), unit_row))
        if units.get(currency, 0) <= 0:
            raise ProtocolError(SYSTEM, f"Google Ads knows no billable unit of {currency or 'an unnamed currency'}")
        return units[currency]

    async def _campaign(self, row: CampaignRow, currency: str, users: Mapping[str, Sequence[str]]) -> Campaign:
        """A row as the core's word, eligible only in `currency`; `users` are the campaigns on each budget."""
        sharers = tuple(users.get(row.budget, ())) if shared(row) else ()
        amount, cost, unit = row.amount_micros, row.cost_micros, await self._unit(row.currency)
        daily = None if amount is None or row.period != "DAILY" else money.from_micros(amount, unit)
        return Campaign(
            platform=Platform.GOOGLE,
            id=row.id,
            name=row.name,
            state=State(running=row.status == "ENABLED", budget=daily),
            currency=row.currency,
            unit=unit,
            spent_month=None if cost is None else money.from_micros(cost, unit),
            ineligible=why_not(row, currency) or (hidden(row, sharers) if shared(row) else ""),
            budget_ref=row.budget,
            zone=row.zone if time_zone(row.zone) else "",
            sharers=sharers,
        )

    def _missing(self, id_: str) -> Campaign:
        return Campaign(
            platform=Platform.GOOGLE,
            id=id_,
            name="",
            state=State(running=False, budget=None),
            currency=self._currency,
            unit=NO_UNIT,
            ineligible=not_found(id_, self._customer),
        )

    def _edits(self, campaign: Campaign, target: State) -> Edits:
        if campaign.ineligible:
            raise RefusedError(SYSTEM, f"Campaign {campaign.id} may not be changed: {campaign.ineligible}", code="INELIGIBLE")
        if not campaign.budget_ref.startswith(f"customers/{self._customer}/"):
            raise RefusedError(SYSTEM, f"Campaign {campaign.id} is not one of account {self._customer}", code="INELIGIBLE")
        now = campaign.state
        return Edits(
            campaign=self._name(campaign.id),
            budget=campaign.budget_ref,
            status=STATUS[target.running] if target.running != now.running else None,
            amount_micros=_new_amount(now.budget, target.budget, campaign.unit),
        )

    async def _read_again(self, campaign: Campaign) -> Campaign:
        """The answer did not say what is there now, so ask."""
        try:
            found = (await self.read([campaign.id]))[campaign.id]
        except OutsideError as error:
            message = f"the change to campaign {campaign.id} was accepted but could not be read back: {error}"
            raise AmbiguousWriteError(SYSTEM, message, code=error.code) from error
        if isinstance(found, Unreadable):
            raise AmbiguousWriteError(SYSTEM, found.message)
        return found


def _users(rows: Iterable[CampaignRow]) -> dict[str, tuple[str, ...]]:
    """The campaigns on each budget, removed ones left out."""
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row.status != "REMOVED":
            found[row.budget] = (*found.get(row.budget, ()), row.id)
    return found


def _new_amount(now: Decimal | None, wanted: Decimal | None, unit: Decimal) -> int | None:
    """Micros to write, or None where the budget stays. Raises RefusedError for an amount that is no budget."""
    if wanted is None:
        return None
    try:
        micros = money.to_micros(wanted, unit)
    except ValueError as error:
        raise RefusedError(SYSTEM, str(error), code="AMOUNT") from error
    if micros == 0:
        raise RefusedError(SYSTEM, f"A daily budget of {wanted} is below the smallest possible, {unit}", code="AMOUNT")
    return None if now is not None and money.exact_micros(now) == micros else micros


def _written(campaign: Campaign, edits: Edits, answer: ReadBack) -> State | None:
    """The state after a write, from its answer; None where the answer leaves something open."""
    running, budget = campaign.state.running, campaign.state.budget
    if edits.status is not None:
        if answer.status not in STATUS.values():
            return None
        running = answer.status == "ENABLED"
    if edits.amount_micros is not None:
        if answer.amount_micros is None:
            return None
        budget = money.from_micros(answer.amount_micros, campaign.unit)
    return State(running=running, budget=budget)
