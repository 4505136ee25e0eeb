"""One clinic's Cliniko account as a `DiarySource`: reference data first, then every start of the next 14 local days.

Reference data that cannot be read makes the account unreadable. A single diary that cannot be read becomes a probe without
starts, because unknown is not zero and one person on leave must not stop a clinic's run; an outage in the middle of the
probes is told apart from that and raised.

No more is asked than is needed: what `core.probing` derives is asked for only as long as it is not proved, or where the
answer it follows from is missing. The reading is the same as from asking everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

import httpx

from service.cliniko.access import Access, available_times_path
from service.cliniko.answers import BAD_REQUEST, NOT_FOUND
from service.cliniko.client import Client, together
from service.cliniko.models import starts
from service.cliniko.outage import Circuit
from service.cliniko.progress import Tally, Tell
from service.cliniko.proofs import Proofs, derive
from service.cliniko.rate import RateBudget, SlidingWindow, Timing
from service.cliniko.reference import Library, Reading
from service.cliniko.windows import Calendar, Question, rostering
from service.core.days import local_date
from service.core.errors import CredentialsError, OutsideError, RefusedError, TransientError
from service.core.model import Diaries, Offer, Probe, Unseen
from service.core.probing import Derivation, Plan, plan
from service.core.rules.language import Service
from service.monitor import Monitor

CONCURRENCY = 9
"""Enough to use three requests a second where an answer takes three seconds; more would only wait for the budget."""

READ_SECONDS = 40 * 60.0
"""What was not asked by then stays unobserved, so that the next hourly run starts on time."""

Found = dict[Offer, tuple[Probe, ...]]


@dataclass(frozen=True, slots=True)
class Run:
    """One reading under way: its moment, when it has to end (monotonic seconds), and what its questions have in common.

    `asked` are the offers whose answers came from Cliniko and are not derived.
    """

    now: datetime
    until: float
    circuit: Circuit
    room: asyncio.Semaphore
    tally: Tally
    asked: set[Offer] = field(default_factory=set)


class ClinikoDiaries:
    """Reads one account. Close it with `aclose`, or use it in an `async with` block.

    It remembers, for as long as it lives, reference data (`reference`), what was proved (`proofs`), and which diaries it
    found missing or had no time for.
    """

    def __init__(
        self,
        access: Access,
        *,
        clock: Callable[[], datetime],
        budget: RateBudget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing | None = None,
        tell: Tell | None = None,
        monitor: Monitor | None = None,
    ) -> None:
        """`budget` is shared by those who share a user; `tell` is told how far a long reading is."""
        self._clock = clock
        self._timing = timing or Timing()
        self._budget = budget or SlidingWindow(timing=self._timing)
        self._tell = tell or (lambda _: None)
        self._client = Client(access, self._budget, self._timing, clock, transport, monitor)
        self._library = Library(self._client)
        self._proofs = Proofs()
        self._missing: frozenset[Offer] = frozenset()
        self._late: frozenset[Offer] = frozenset()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def read(self, services: Sequence[Service]) -> Diaries:
        """Reference data, then the starts of everything that `services` sell; no services, no probes."""
        run = self._run()
        reading = await self._library.read(services, run.now, current=self._proofs.any(run.now))
        found = Found()
        wanted = await self._fill(found, reading, services, run)
        if not reading.new and _missing(found) - self._missing:
            reading = await self._library.again(reading)
            wanted = await self._fill(found, reading, services, run)
        self._missing = _missing(found)
        return replace(reading.diaries, probes=tuple(probe for offer in wanted.offers for probe in found[offer]))

    def _run(self) -> Run:
        began = self._timing.monotonic()
        tally = Tally(self._tell, self._budget.limit, began, self._client.sent)
        return Run(self._clock(), began + READ_SECONDS, Circuit(), asyncio.Semaphore(CONCURRENCY), tally)

    # --- which diaries --------------------------------------------------------------------------------------------------

    async def _fill(self, found: Found, reading: Reading, services: Sequence[Service], run: Run) -> Plan:
        """Add to `found` whatever of the plan is not there yet: asked first, derived then, and asked where that fails."""
        diaries, wanted = reading.diaries, plan(reading.diaries, services, run.now)
        hidden = {offer: _nothing(offer, diaries, run.now) for offer in wanted.hidden}
        hows = [how for how in wanted.derivations if how.offer not in found and self._trusts(how, reading)]
        spared = {how.offer for how in hows} | hidden.keys() | found.keys()
        found |= hidden | await self._ask([offer for offer in wanted.offers if offer not in spared], diaries, run)
        for how in wanted.derivations:
            if how.needs_proof and {how.offer, how.base} <= run.asked:
                self._proofs.weigh(how, found, diaries, run.now)
        made = {how.offer: derive(how, found, diaries, run.now) for how in hows}
        found |= {offer: probes for offer, probes in made.items() if probes is not None}
        found |= await self._ask([offer for offer, probes in made.items() if probes is None], diaries, run)
        return wanted

    def _trusts(self, how: Derivation, reading: Reading) -> bool:
        """Whether the derivation may stand for an answer: proved, and offered still."""
        return not how.needs_proof or (reading.current and self._proofs.hold(how, reading.at))

    async def _ask(self, offers: Iterable[Offer], diaries: Diaries, run: Run) -> Found:
        """The answers for these offers, some at a time; those there was no time for in the last reading come first."""
        ordered = sorted(offers, key=lambda offer: offer not in self._late)
        asked = {offer: self._questions(offer, diaries, run) for offer in ordered}
        run.asked.update(asked)
        for offer, questions in asked.items():
            run.tally.expect((offer.location, offer.practitioner), len(questions))
        answers = iter(await together(*(self._answer(each, run) for questions in asked.values() for each in questions)))
        run.circuit.settle()
        return {
            offer: Calendar.of(diaries, offer.location, run.now).probes(questions, [next(answers) for _ in questions])
            for offer, questions in asked.items()
        }

    @staticmethod
    def _questions(offer: Offer, diaries: Diaries, run: Run) -> list[Question]:
        return Calendar.of(diaries, offer.location, run.now).questions(offer, rostering(diaries, offer))

    # --- one question ---------------------------------------------------------------------------------------------------

    async def _answer(self, question: Question, run: Run) -> Probe:
        async with run.room:
            if self._timing.monotonic() > run.until:
                self._late |= {question.offer}
                return _unseen(question, Unseen.FAILED)
            self._late -= {question.offer}
            probe = await self._probe(question, run.circuit)
        diary = (question.offer.location, question.offer.practitioner)
        run.tally.answered(diary, self._timing.monotonic(), self._client.sent)
        return probe

    async def _probe(self, question: Question, circuit: Circuit) -> Probe:
        try:
            found = await self._today_moving(question)
        except (TransientError, CredentialsError) as error:
            circuit.failed(question.offer, error)
            return _unseen(question, Unseen.FAILED)
        except OutsideError as error:
            circuit.answered()
            return _unseen(question, Unseen.NOT_FOUND if error.code == NOT_FOUND else Unseen.FAILED)
        circuit.answered()
        return found

    async def _today_moving(self, question: Question) -> Probe:
        """A 400 may mean that the first day is over: midnight has passed, or the account's zone is ahead of the location's.

        Asked again without the days that are past, at least the first, up to the location's own tomorrow.
        """
        try:
            return await self._starts(question)
        except RefusedError as error:
            today = local_date(self._clock(), question.zone)
            if error.code != BAD_REQUEST or question.first > today or question.first == question.last:
                raise
            later = max(today, question.first + timedelta(days=1))
            return await self._today_moving(replace(question, first=min(later, question.last)))

    async def _starts(self, question: Question) -> Probe:
        params = [("from", question.first.isoformat()), ("to", question.last.isoformat())]
        found = await self._client.items("available_times", available_times_path(question.offer), params)
        return Probe(question.offer, question.first, question.last, starts(found))


def _unseen(question: Question, why: Unseen) -> Probe:
    return Probe(question.offer, question.first, question.last, None, why)


def _nothing(offer: Offer, diaries: Diaries, now: datetime) -> tuple[Probe, ...]:
    """What an offer shows that its lead time hides for the whole horizon."""
    questions = Calendar.of(diaries, offer.location, now).questions(offer, lambda _: False)
    return tuple(Probe(offer, each.first, each.last, ()) for each in questions)


def _missing(found: Mapping[Offer, Sequence[Probe]]) -> frozenset[Offer]:
    """The offers that answered 404."""
    return frozenset(offer for offer, probes in found.items() if any(probe.unseen is Unseen.NOT_FOUND for probe in probes))
