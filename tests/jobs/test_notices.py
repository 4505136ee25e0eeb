"""What people are told, from runs over a clinic to the message: each kind, when it comes, and when it does not come again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from service.archiving import archive
from service.core.decide.model import Answer
from service.core.errors import AmbiguousWriteError, SettingsError, StoreError, TransientError
from service.core.ledger import Kind
from service.core.model import Campaign, Unreadable
from service.core.notices.timing import AGAIN_AFTER, ATTEMPTS, TOO_OLD, QuietHours
from service.jobs.keeping import forget_old
from service.jobs.notices import Told, collect, tell
from service.sandbox.scene import HARBOUR
from service.store.ledger import Ledger
from service.store.tables import notice
from tests.clinic import DAY, HOUR, MINUTE, Clinic, at
from tests.jobs.heard import Heard, Message, told
from tests.watching import Lines


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def telling(clinic: Clinic, heard: Heard) -> Clinic:
    """A clinic that has been governed for an hour, and tells `marketing`."""
    clinic.app = heard.by(clinic.app)
    ruled(clinic)
    await clinic.run()
    assert await heard.after(clinic.app) == []
    return clinic


def ruled(clinic: Clinic, then: str = "", mode: str = "enforce", more: str = "") -> None:
    """As `Clinic.rules`, with somebody to tell, and more rules below."""
    clinic.rules(then, mode)
    text = clinic.file.read_text().replace("services:", "notify: [marketing, front-desk]\nservices:", 1)
    clinic.file.write_text(text + more)


async def one(clinic: Clinic, heard: Heard) -> Message:
    """The one message that there is to tell."""
    [message] = await heard.after(clinic.app)
    return message


# --- the kinds ----------------------------------------------------------------------------------------------------------


async def test_a_question_is_told_once_with_both_answers(telling: Clinic, heard: Heard) -> None:
    ruled(telling, "pause", "propose")
    report = await telling.run()
    message = await one(telling, heard)
    assert message.subject == "Harbour: waiting for your yes or no (1)"
    assert "May search be paused (from running at 60.00 AUD a day)? Pause: “Wish”" in message.text
    [id_] = [each.id for each in report.decisions]
    assert (
        f'`governor approve {id_}` or `governor reject {id_} --reason "..."`; it waits until Mon 23 Nov 10:00 AEDT'
        in message.text
    )
    await telling.run()
    assert await heard.after(telling.app) == []


async def test_a_change_is_told_with_its_reason(telling: Clinic, heard: Heard) -> None:
    ruled(telling, "{budget: 50%}")
    await telling.run()
    message = await one(telling, heard)
    assert message.subject == "Harbour: changed (1)"
    assert "search had its budget cut from 60.00 to 30.00 AUD a day. " in message.text
    assert "“Wish”" in message.text
    await telling.run()
    assert await heard.after(telling.app) == []


async def test_a_change_by_somebody_else_is_told_with_whose_hand_it_was_and_the_way_back(telling: Clinic, heard: Heard) -> None:
    telling.ads.person("1", budget=at("55.00").budget)
    await telling.run()
    message = await one(telling, heard)
    assert message.subject == "Harbour: changed by somebody else (1)"
    assert "mia (a page) changed search" in message.text
    assert "it is running at 55.00 AUD a day; it had been left running at 60.00 AUD a day" in message.text
    assert f"`governor readopt {HARBOUR} search`" in message.text
    await telling.run()
    assert await heard.after(telling.app) == []


async def test_that_somebodys_budget_is_about_to_be_taken_over_is_told_a_day_before(telling: Clinic, heard: Heard) -> None:
    telling.ads.person("1", budget=at("55.00").budget)
    await telling.run()
    await heard.after(telling.app)
    await telling.run(later=6 * DAY - 2 * HOUR)
    assert await heard.after(telling.app) == []
    await telling.run(later=2 * HOUR)
    message = await one(telling, heard)
    assert message.subject == "Harbour: about to be taken over by the rules (1)"
    assert "the rules take over the budget that mia set: it is running at 55.00 AUD a day" in message.text
    assert f"`governor hold {HARBOUR} --campaign search" in message.text
    await telling.run()
    assert await heard.after(telling.app) == []


async def google_is_down() -> None:
    raise TransientError("google", "503 from a proxy")


async def test_missing_readings_are_told_at_the_second_run_daily_and_when_they_are_back(telling: Clinic, heard: Heard) -> None:
    telling.ads.on_read = google_is_down
    await telling.run()
    assert await heard.after(telling.app) == []
    await telling.run()
    message = await one(telling, heard)
    assert message.subject == "Harbour: readings missing (1)"
    assert "Google Ads: not read since Sun 22 Nov 10:00 AEDT: 503 from a proxy. Nothing is moved by guessing." in message.text
    assert f"`governor doctor {HARBOUR}`" in message.text
    await telling.run(later=23 * HOUR)
    assert await heard.after(telling.app) == []
    await telling.run()
    assert (await one(telling, heard)).subject == "Harbour: readings missing (1)"
    telling.ads.on_read = None
    await telling.run()
    message = await one(telling, heard)
    assert message.subject == "Harbour: working again (1)"
    assert "Google Ads can be read again; it had failed since Sun 22 Nov 10:00 AEDT." in message.text


async def test_one_bad_hour_is_nobodys_business(telling: Clinic, heard: Heard) -> None:
    telling.ads.on_read = google_is_down
    await telling.run()
    telling.ads.on_read = None
    await telling.run()
    assert await heard.after(telling.app) == []


async def test_a_refused_rule_file_is_told_once_with_its_line_and_how_to_stop(telling: Clinic, heard: Heard) -> None:
    good = telling.file.read_text()
    telling.file.write_text(good + "bad: 1\nworse: 2\n")
    await telling.run()
    message = await one(telling, heard)
    assert message.subject == "Harbour: rule file refused (1)"
    line = len(good.splitlines()) + 1
    assert (
        f"last good one stays in force. harbour-physio.yaml:{line}: a rule file has no key `bad` (and 1 more)" in message.text
    )
    assert str(telling.file.parent) not in message.text
    assert f'`governor hold {HARBOUR} --reason "..."`' in message.text
    await telling.run()
    assert await heard.after(telling.app) == []


async def test_a_change_that_a_platform_refuses_every_hour_is_told_once_a_day(telling: Clinic, heard: Heard) -> None:
    telling.ads.after_write = TransientError("google", "503: try again")
    ruled(telling, "pause")
    for hours in (1, 1, 1):
        telling.ads.states["1"] = at("60.00")
        await telling.run(later=hours * HOUR)
    message = await one(telling, heard)
    assert message.subject == "Harbour: not changed, although the rules wanted it (1)"
    assert (
        "search was to be paused (from running at 60.00 AUD a day), which was not done on Google Ads: 503: try again"
        in message.text
    )
    telling.ads.states["1"] = at("60.00")
    await telling.run(later=22 * HOUR)
    assert (await one(telling, heard)).subject == message.subject


async def test_a_campaign_left_changed_is_told_daily_until_it_is_restored(telling: Clinic, heard: Heard) -> None:
    ruled(telling, "pause")
    await telling.run()
    await heard.after(telling.app)
    ruled(telling, "pause", mode="watch")
    subjects = []
    for hours in (1, 1, 23, 1, 23):
        await telling.run(later=hours * HOUR)
        subjects.append([each.subject for each in await heard.after(telling.app)])
    left = ["Harbour: left changed (1)"]
    assert subjects == [left, [], left, [], left]
    assert f"`governor restore {HARBOUR}`" in heard.messages[-1].text
    await telling.restore()
    assert [each.subject for each in await heard.after(telling.app)] == ["Harbour: changed (1)"]
    assert "It was put back by `governor restore`." in heard.messages[-1].text
    await telling.run(later=DAY)
    assert await heard.after(telling.app) == []


async def test_a_rule_that_turns_true_is_told_to_its_own_channel_once(telling: Clinic, heard: Heard) -> None:
    telling.app = heard.by(telling.app, "marketing", "front_desk")
    ruled(telling, more="rules:\n  - {name: Room, service: physio, when: {open_slots: {at_least: 1}}, notify: front-desk}\n")
    await telling.run()
    message = await one(telling, heard)
    assert (message.channel, message.subject) == ("front-desk", "Harbour: rules that turned true (1)")
    assert "For physio this has turned true: “Room”: open slots over 14 days is" in message.text
    await telling.run()
    assert await heard.after(telling.app) == []


async def test_runs_that_fail_are_told_from_the_second_on(telling: Clinic, heard: Heard) -> None:
    async def broken() -> None:
        raise StoreError("the disk is full")

    telling.ads.on_read = broken
    for expected in (0, 1, 0):
        with pytest.raises(StoreError):
            await telling.run()
        assert len(await heard.after(telling.app)) == expected
    assert "Runs fail since Sun 22 Nov 10:00 AEDT, so campaigns stay as they are: the disk is full" in heard.messages[-1].text
    telling.ads.on_read = None
    await telling.run()
    assert "Runs are made again" in (await one(telling, heard)).text


async def test_holds_and_keys_are_told_to_nobody(telling: Clinic, heard: Heard) -> None:
    await telling.hold()
    await telling.run()
    assert await heard.after(telling.app) == []


# --- who, when and how --------------------------------------------------------------------------------------------------


async def rejected(clinic: Clinic, words: str) -> None:
    """A record that is worth a notice that names these words."""
    problem = {"file": "a.yaml", "line": 1, "message": words, "advice": ""}
    ledger: Ledger = clinic.app.store.ledger
    await ledger.append(HARBOUR, Kind.RULES_REJECTED, {"digest": "d", "problems": [problem]}, clinic.app.clock())


async def drifted(clinic: Clinic, words: str) -> None:
    """A record that is worth a notice that is not urgent."""
    down = {"reason": "drift", "since": clinic.app.clock(), "seen": at("55.00"), "by": words}
    await clinic.app.store.ledger.append(HARBOUR, Kind.DRIFT, {"campaign": "search", "stood_down": down}, clinic.app.clock())


async def test_all_of_a_minute_goes_out_as_one_message_newest_first(telling: Clinic, heard: Heard) -> None:
    for words in ("ana", "ben"):
        await drifted(telling, words)
        telling.later(MINUTE / 4)
    await rejected(telling, "a slip")
    await tell(telling.app)
    assert heard.messages == []
    telling.later(MINUTE)
    await tell(telling.app)
    [message] = heard.messages
    assert message.subject == "Harbour: rule file refused (1), changed by somebody else (2)"
    assert message.text.index("a slip") < message.text.index("ben") < message.text.index("ana")


async def test_in_quiet_hours_only_what_costs_money_meanwhile_is_told(telling: Clinic, heard: Heard) -> None:
    """It is nine in the morning in Sydney, which is evening in Greenwich."""
    telling.app = heard.by(telling.app, quiet_hours=QuietHours.of("20:00-07:30"))
    telling.later(12 * HOUR)
    await drifted(telling, "ana")
    await rejected(telling, "a slip")
    message = await one(telling, heard)
    assert ("a slip" in message.text, "ana" in message.text) == (True, False)
    telling.later(10 * HOUR)
    assert await heard.after(telling.app) == []
    telling.later(HOUR / 2)
    assert "ana" in (await one(telling, heard)).text


async def test_what_could_not_be_told_for_days_says_how_old_it_is(telling: Clinic, heard: Heard) -> None:
    await drifted(telling, "ana")
    telling.later(3 * DAY)
    assert "the oldest of it is of Sun 22 Nov 09:00 AEDT, 3 days ago" in (await one(telling, heard)).text


async def test_a_channel_without_an_address_keeps_its_notices_for_a_week(telling: Clinic, heard: Heard) -> None:
    addressed, telling.app = telling.app, heard.by(telling.app, "another")
    await drifted(telling, "ana")
    assert (await told(telling.app)).unaddressed == ("front-desk", "marketing")
    telling.later(TOO_OLD - HOUR)
    await drifted(telling, "ben")
    await told(telling.app)
    telling.later(2 * HOUR)
    message = (await heard.after(addressed))[0]
    assert ("ben" in message.text, "ana" in message.text) == (True, False)


async def test_a_channel_that_refuses_is_tried_again_and_again_and_given_up_within_a_day(telling: Clinic, heard: Heard) -> None:
    heard.refusals = [SettingsError("no address that is one"), *[TransientError("marketing", "down") for _ in range(20)]]
    await drifted(telling, "ana")
    attempts, waited = [await told(telling.app)], timedelta(0)
    while attempts[-1].put_off:
        telling.later(AGAIN_AFTER[len(attempts) - 1] - MINUTE / 60)
        assert (await told(telling.app)).put_off == 0
        telling.later(MINUTE / 60)
        waited += AGAIN_AFTER[len(attempts) - 1]
        attempts.append(await told(telling.app))
    assert (len(attempts), attempts[-1].failed, attempts[0].troubles) == (ATTEMPTS, 1, ("no address that is one",))
    assert DAY - 3 * HOUR < waited < DAY
    heard.refusals.clear()
    telling.later(DAY)
    assert await heard.after(telling.app) == []


@pytest.mark.parametrize(
    ("error", "marked"),
    [(TransientError("marketing", "refused"), False), (AmbiguousWriteError("marketing", "no answer"), True)],
    ids=["certainly not delivered", "nobody knows"],
)
async def test_only_what_may_have_arrived_is_marked_as_a_repetition(
    telling: Clinic, heard: Heard, error: Exception, *, marked: bool
) -> None:
    heard.refusals = [error]
    await drifted(telling, "ana")
    assert await heard.after(telling.app) == []
    telling.later(2 * MINUTE)
    assert (await one(telling, heard)).marked is marked


async def test_a_record_that_is_not_understood_holds_up_no_other(telling: Clinic, heard: Heard, lines: Lines) -> None:
    await telling.app.store.ledger.append(HARBOUR, Kind.DRIFT, {"campaign": "search"}, telling.app.clock())
    await telling.app.store.ledger.append(HARBOUR, Kind.CHANGE_APPLIED, {"change": 1}, telling.app.clock())
    await drifted(telling, "ana")
    assert "ana" in (await one(telling, heard)).text
    assert [each["kind"] for each in lines() if each["event"] == "record_not_understood"] == ["drift", "change.applied"]


async def test_no_secret_of_the_settings_is_in_a_message_or_in_the_outbox(telling: Clinic, heard: Heard) -> None:
    from service.logs import conceal  # noqa: PLC0415 - what a process does once

    conceal(["hunter2hunter2"])
    await drifted(telling, "hunter2hunter2")
    message = await one(telling, heard)
    assert ("[secret]" in message.text, "hunter2" in message.text) == (True, False)
    async with telling.app.store._database.reading() as conn:
        bodies = " ".join(await conn.scalars(select(notice.c.body)))
    assert ("[secret]" in bodies, "hunter2" in bodies) == (True, False)


async def test_what_was_told_is_forgotten_after_a_month_and_what_waits_is_not(telling: Clinic, heard: Heard) -> None:
    await drifted(telling, "ana")
    await heard.after(telling.app)
    telling.later(29 * DAY)
    assert (await forget_old(telling.app)).notices == 0
    telling.later(2 * DAY)
    await drifted(telling, "ben")
    await told(heard.by(telling.app, "another"))
    assert (await forget_old(telling.app)).notices == 1
    assert "ben" in (await one(telling, heard)).text


async def test_a_clinic_whose_file_names_no_channel_has_nobody_to_tell(telling: Clinic, heard: Heard) -> None:
    telling.rules()
    await telling.run()
    await drifted(telling, "ana")
    assert await heard.after(telling.app) == []
    assert await told(telling.app) == Told()


# --- what is no longer so when it could be told -------------------------------------------------------------------------


async def test_a_question_that_was_answered_before_anybody_was_told_is_not_told(telling: Clinic, heard: Heard) -> None:
    ruled(telling, "pause", "propose")
    [decision] = (await telling.run()).decisions
    await collect(telling.app, together=timedelta(0))
    await telling.app.store.approvals.answer(decision.id, Answer.REJECTED, "mia", "open day", telling.world.now)
    assert await heard.after(telling.app) == []
    telling.later(30 * MINUTE)
    assert await heard.after(telling.app) == [], "nor later"


async def test_one_campaign_that_cannot_be_read_is_told_by_its_name_and_not_as_its_whole_platform(
    telling: Clinic, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling.rules(search="1", brand="2")
    telling.file.write_text(telling.file.read_text().replace("services:", "notify: [marketing]\nservices:", 1))
    telling.ads.states["2"] = telling.ads.states["1"]
    whole = telling.ads.read

    async def without_brand(ids: Sequence[str]) -> Mapping[str, Campaign | Unreadable]:
        return {**await whole(ids), "2": Unreadable("google", "it is being migrated")}

    monkeypatch.setattr(telling.ads, "read", without_brand)
    await telling.run()
    await heard.after(telling.app)
    await telling.run()
    message = await one(telling, heard)
    assert "campaign brand: not read since" in message.text
    assert "Google Ads: not read" not in message.text
    monkeypatch.setattr(telling.ads, "read", whole)
    await telling.run()
    assert "campaign brand can be read again" in (await one(telling, heard)).text


async def test_a_record_that_nobody_can_make_sense_of_silences_nobody(telling: Clinic, heard: Heard) -> None:
    ruled(telling, "{budget: 50%}")
    await telling.run()
    ledger = telling.app.store.ledger
    [known] = (await ledger.records(chains=[HARBOUR], kinds=[Kind.CHANGE_APPLIED])).items
    await heard.after(telling.app)
    await ledger.append(HARBOUR, Kind.CHANGE_APPLIED, known.body | {"detail": "text"}, telling.world.now)
    await ledger.append(HARBOUR, Kind.CHANGE_APPLIED, known.body, telling.world.now)
    assert (await one(telling, heard)).subject == "Harbour: changed (1)"


async def test_what_is_archived_has_been_told(telling: Clinic, heard: Heard, tmp_path: Path) -> None:
    ruled(telling, "{budget: 50%}")
    await telling.run()
    await collect(telling.app)
    now = telling.world.now
    await archive(telling.app.store, [HARBOUR], now + HOUR, tmp_path / "old.ndjson", by="mia", now=now)
    telling.later(2 * MINUTE)
    assert (await one(telling, heard)).subject == "Harbour: changed (1)"
