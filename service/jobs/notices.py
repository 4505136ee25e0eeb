"""From the ledger to people: notices are made of what was recorded, and what is due is sent, a message per clinic and channel.

    ledger --collect--> outbox --deliver--> channels

Either may be cut off anywhere. What was not collected is collected next time; what was collected is sent; only what was being
sent when a process died is sent once more, and says so. Two processes at once share the work and repeat nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from pydantic import SecretStr

from service.app import App
from service.core.decide.approvals import PATIENCE
from service.core.decide.model import Answer
from service.core.errors import AmbiguousWriteError, GovernorError, NotFoundError, OutsideError, SettingsError
from service.core.ledger import Record
from service.core.notices import message
from service.core.notices.deriving import decisions_in, derived
from service.core.notices.model import About, Memory, Notice
from service.core.notices.timing import ATTEMPTS, TOGETHER, TOO_OLD, again_after
from service.core.notices.wording import Words
from service.logs import redacted
from service.monitor import Notified
from service.store.outbox import Claimed, Outcome, Position, Waiting

AT_ONCE = 4
"""Messages sent at a time: a mail server that hangs holds up no other for long."""

log = structlog.get_logger(__name__)

Beat = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a round: notices sent, put off and given up; a sentence on each channel that did not work.

    `unaddressed` are channels for which something waits and that have no address.
    """

    sent: int = 0
    put_off: int = 0
    failed: int = 0
    troubles: tuple[str, ...] = ()
    unaddressed: tuple[str, ...] = ()


async def tell(app: App, *, together: timedelta = TOGETHER, beat: Beat = lambda: None) -> Told:
    """Make notices of all that was recorded since the last time, and send what is due.

    A notice waits for others that long. What goes wrong with one clinic or channel stops no other. Raises StoreError.
    """
    await collect(app, together=together, beat=beat)
    return await deliver(app, beat=beat)


# --- from the ledger to the outbox --------------------------------------------------------------------------------------


async def collect(app: App, *, together: timedelta = TOGETHER, beat: Beat = lambda: None) -> None:
    """Put into the outbox what the records of every clinic since the last time are worth."""
    for position in await app.store.outbox.behind():
        beat()
        try:
            await _collect(app, position, together)
        except GovernorError as error:
            log.warning("notices_not_collected", clinic=position.chain, error=str(error))
        except Exception:  # a defect met by one clinic is no reason for the others to hear nothing
            log.exception("notices_not_collected", clinic=position.chain)


async def _collect(app: App, position: Position, together: timedelta) -> None:
    about = await _about(app, position.chain)
    while records := await app.store.outbox.records(position):
        about = replace(about, sentences=await _sentences(app, records))
        waiting, memory = list[Waiting](), position.memory
        for record in records:
            notices, memory = _derived(record, memory, about)
            waiting += _waiting(record, notices)
        after = Position(position.chain, records[-1].seq, memory)
        if not await app.store.outbox.advance(position, after, waiting, app.clock() + together):
            return  # another process has made them
        position = after


def _derived(record: Record, memory: Memory, about: About) -> tuple[list[Notice], Memory]:
    """What a record is worth; one that is damaged, or of a later version, is worth nothing and holds up no other."""
    try:
        return derived(record, memory, about)
    except Exception as error:  # noqa: BLE001 - whatever a damaged record makes of the reading of it
        log.warning("record_not_understood", clinic=record.chain, seq=record.seq, kind=record.kind, error=type(error).__name__)
        return [], memory


def _waiting(record: Record, notices: Sequence[Notice]) -> Iterator[Waiting]:
    for n, notice in enumerate(notices):
        shown = replace(notice, sentence=redacted(notice.sentence))
        yield from (Waiting(record.seq, n, channel, shown) for channel in dict.fromkeys(notice.channels))


async def _about(app: App, clinic: str) -> About:
    """What the rule file in force says; a clinic that never had a good one has nobody to tell."""
    known = await app.store.rules.rules_in_force(clinic)
    return About(clinic) if known is None else About(clinic, known.rules.name, known.rules.currency, known.rules.notify)


async def _sentences(app: App, records: Sequence[Record]) -> dict[str, str]:
    found: dict[str, str] = {}
    with suppress(ValueError, KeyError, TypeError):  # a damaged record is told of where it is read
        for id_ in decisions_in(records):
            with suppress(NotFoundError):
                found[id_] = (await app.store.decisions.decision(id_)).sentence
    return found


# --- from the outbox to people ------------------------------------------------------------------------------------------


async def deliver(app: App, *, beat: Beat = lambda: None) -> Told:
    """Send what is due, a message for each clinic and channel."""
    now, room, outbox = app.clock(), asyncio.Semaphore(AT_ONCE), app.store.outbox
    if old := await outbox.expire(now - TOO_OLD, now):
        log.warning("notices_expired", notices=old, waited_days=TOO_OLD.days)
        _count(app, "expired", old)

    async def one(clinic: str, channel: str) -> Told:
        async with room:
            beat()
            return await _deliver(app, clinic, channel)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(*each)) for each in await outbox.due(now)]
    return _summed([task.result() for task in tasks])


async def _deliver(app: App, clinic: str, channel: str) -> Told:
    address = app.settings.channel(channel)
    if address is None:
        return Told(unaddressed=(channel,))
    try:
        return await _sent(app, clinic, channel, address)
    except GovernorError as error:
        log.warning("notices_not_sent", clinic=clinic, channel=channel, error=str(error))
        return Told(troubles=(f"{channel}: {error}",))
    except Exception as error:  # a defect met by one channel is no reason for the others to hear nothing
        log.exception("notices_crashed", clinic=clinic, channel=channel)
        return Told(troubles=(f"{channel}: {type(error).__name__}",))


async def _sent(app: App, clinic: str, channel: str, address: SecretStr) -> Told:
    """Claim, send, and say what came of it."""
    memory, quiet, claim = await app.store.outbox.memory(clinic), app.settings.quiet_hours, app.governor.new_id()
    urgent = quiet is not None and quiet.covers(app.clock(), memory.zone)
    claimed = await app.store.outbox.claim(clinic, channel, claim, app.clock(), urgent=urgent)
    if not claimed:
        return Told()
    words, over = Words(await _about(app, clinic), memory.zone), await _answered(app, clinic, claimed)
    still = [each for each in claimed if each.id not in over]
    outcome, trouble = await _attempt(app, words, channel, address, still) if still else (Outcome(), "")
    await app.store.outbox.settle(claim, replace(outcome, over=over), app.clock())
    return _told(app, outcome, trouble)


async def _answered(app: App, clinic: str, claimed: Sequence[Claimed]) -> list[int]:
    """The notices of questions that want no answer any more: they had it, or are asked no longer."""
    asking = {each.notice.asks: each.id for each in claimed if each.notice.asks}
    if not asking:
        return []
    standing = (await app.store.approvals.standing(clinic)).values()
    open_ = {each.id for each in standing if each.answer is Answer.PENDING and app.clock() - each.asked_at < PATIENCE}
    return [id_ for asks, id_ in asking.items() if asks not in open_]


async def _attempt(app: App, words: Words, channel: str, address: SecretStr, claimed: Sequence[Claimed]) -> tuple[Outcome, str]:
    """Send what was claimed, unless that was tried too often; what is to become of it, and what went wrong."""
    worn = [each.id for each in claimed if each.tries > ATTEMPTS]
    fresh = [each for each in claimed if each.tries <= ATTEMPTS]
    if not fresh:
        return Outcome(failed=worn), f"{channel}: given up, since every attempt was cut off"
    try:
        await app.send(channel, address, *_message(app, words, fresh))
    except (OutsideError, SettingsError) as error:
        why = redacted(str(error))
        log.warning("notices_not_delivered", clinic=words.about.clinic, channel=channel, error=why)
        return _again(app, fresh, worn, doubtful=isinstance(error, AmbiguousWriteError)), why
    return Outcome(sent=[each.id for each in fresh], failed=worn), ""


def _message(app: App, words: Words, fresh: Sequence[Claimed]) -> tuple[str, str]:
    """Subject and text, without a secret."""
    notices, repeated = [each.notice for each in fresh], any(each.repeated for each in fresh)
    text = message.text(notices, words, app.clock(), repeated=repeated, address=app.settings.public_url)
    return redacted(message.subject(notices, words)), redacted(text)


def _again(app: App, fresh: Sequence[Claimed], worn: list[int], *, doubtful: bool) -> Outcome:
    now = app.clock()
    waits = {each.id: again_after(each.tries) for each in fresh}
    again = {id_: now + wait for id_, wait in waits.items() if wait is not None}
    return Outcome(failed=[*worn, *(id_ for id_, wait in waits.items() if wait is None)], again=again, doubtful=doubtful)


def _told(app: App, outcome: Outcome, trouble: str) -> Told:
    numbers = (len(outcome.sent), len(outcome.again), len(outcome.failed))
    for word, number in zip(("sent", "put_off", "failed"), numbers, strict=True):
        _count(app, word, number)
    if outcome.failed:
        log.error("notices_given_up", notices=len(outcome.failed))
    return Told(*numbers, (trouble,) if trouble else ())


def _count(app: App, outcome: str, number: int) -> None:
    for _ in range(number):
        app.monitor.happened(Notified(outcome))


def _summed(done: Sequence[Told]) -> Told:
    troubles = dict.fromkeys(trouble for each in done for trouble in each.troubles)
    unaddressed = dict.fromkeys(channel for each in done for channel in each.unaddressed)
    numbers = (sum(each.sent for each in done), sum(each.put_off for each in done), sum(each.failed for each in done))
    return Told(*numbers, tuple(troubles), tuple(unaddressed))
