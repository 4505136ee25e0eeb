"""Apprise sends what it is given to who listens on loopback, and what goes wrong is one of three things, without an address."""

from __future__ import annotations

import asyncio
import email
import email.policy
import io
import logging
import time
from contextlib import suppress

import pytest
from pydantic import SecretStr

from service.channels.sending import ThroughApprise
from service.core.errors import AmbiguousWriteError, GovernorError, SettingsError, TransientError
from tests.channels.receivers import Mailbox, Receiver

SUBJECT, TEXT = "Harbour: changed (1)", "Changed:\n- search was paused, “Booked solid” <b> {{x}} & all\n"
NOBODY = "json://ops:s3cret-pw@127.0.0.1:9/s3cret-path"


async def send(address: str, **how: float) -> None:
    await ThroughApprise(**how)("marketing", SecretStr(address), SUBJECT, TEXT)


async def test_a_webhook_is_posted_subject_and_text_as_they_are(web: Receiver) -> None:
    await send(web.address())
    [post] = web.posts
    assert (post["title"], post["message"]) == (SUBJECT, TEXT.rstrip())


async def test_a_mail_is_delivered(mail: Mailbox) -> None:
    await send(f"mailto://127.0.0.1:{mail.port}?from=governor@clinic.example&to=mia@clinic.example&mode=insecure")
    [text] = mail.mails
    found = email.message_from_string(text, policy=email.policy.default)
    assert (found["Subject"], "mia@clinic.example" in found["To"]) == (SUBJECT, True)
    plain = found.get_body(("plain", "html"))
    assert plain is not None
    assert "Booked solid" in plain.get_content()


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_server_that_refuses_is_told_by_its_status_alone(web: Receiver, status: int) -> None:
    web.status = status
    with pytest.raises(TransientError, match=f"^marketing \\(JSON\\): it answered {status}$"):
        await send(web.address())


async def test_nobody_there_is_not_delivered() -> None:
    with pytest.raises(TransientError, match="the address, or the way there, is wrong") as raised:
        await send(NOBODY)
    assert "s3cret" not in f"{raised.value!r} {raised.value.__cause__!r}"


@pytest.mark.parametrize("how", [{"answer_seconds": 0.2}, {"deadline_seconds": 0.2}], ids=["one answer", "all of it"])
async def test_an_answer_that_does_not_come_leaves_it_open_whether_it_arrived(web: Receiver, how: dict[str, float]) -> None:
    web.gate.clear()
    began = time.monotonic()
    with pytest.raises(AmbiguousWriteError):
        await send(web.address(), **how)
    assert time.monotonic() - began < 5
    assert len(web.posts) == 1


async def test_where_some_of_several_recipients_are_refused_nobody_knows(mail: Mailbox) -> None:
    mail.unknown = ("ben@",)
    address = f"mailto://127.0.0.1:{mail.port}?from=governor@clinic.example&to=ana@x.example,ben@x.example&mode=insecure"
    with pytest.raises(AmbiguousWriteError, match="some of it may have arrived all the same"):
        await send(address)
    assert len(mail.mails) == 1


@pytest.mark.parametrize(
    "address", ["s3cret", "https://s3cret.example/x", "slack://s3cret", "json://", "", "mailto://\udc00s3cret"]
)
async def test_an_address_that_is_none_is_told_by_its_setting(address: str) -> None:
    with pytest.raises(SettingsError, match=r"^GOVERNOR_NOTIFY__MARKETING is no address") as raised:
        await send(address)
    assert "s3cret" not in str(raised.value)


async def test_a_server_that_hangs_holds_up_nobody_else(web: Receiver) -> None:
    web.gate.clear()
    hanging = [asyncio.create_task(send(web.address(), deadline_seconds=5)) for _ in range(8)]
    with pytest.raises(TransientError):
        await asyncio.wait_for(send(NOBODY), 3)
    assert not any(each.done() for each in hanging)
    web.gate.set()
    await asyncio.gather(*hanging)


@pytest.mark.parametrize("status", [200, 500])
async def test_neither_the_library_nor_an_error_shows_a_word_of_the_address(
    web: Receiver, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    web.status, written = status, io.StringIO()
    handler, root = logging.StreamHandler(written), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        for address in (web.address("s3cret-path"), NOBODY, "json://s3cret"):
            with suppress(GovernorError):
                await send(address, answer_seconds=0.5)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    shown = capfd.readouterr()
    said = written.getvalue() + shown.out + shown.err
    assert ("s3cret" in said, "127.0.0.1" in said) == (False, False)
