"""Sending one message to one address: in a thread, with a deadline, and without a word of the address anywhere.

An address is a secret: with it anybody may write in the clinic's name. Apprise logs hosts and users of what it sends to, and
quotes servers; none of that is kept (`logs.SILENCED`), and of a failure only its class and an HTTP status are told.

What failed was not delivered, with three exceptions that nobody can tell from a delivery: an answer that did not come in time,
an address of several recipients of which some may have it, and a message that is cut into pieces.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import SecretStr

from service.core.errors import AmbiguousWriteError, SettingsError, TransientError
from service.logs import silence

ANSWER_SECONDS = 20.0
"""How long a server may take to answer; an answer that comes later counts as none."""

DEADLINE_SECONDS = 90.0
"""How long all of it may take: some services want several requests, and pauses between them."""

STATUS = re.compile(r"\berror=(\d{3})\b")

Send = Callable[[str, SecretStr, str, str], Awaitable[None]]
"""Sends to a channel, at its address, a subject and a text.

Raises SettingsError for an address that is none, TransientError for a message that was not delivered, AmbiguousWriteError where
nobody knows.
"""


@dataclass(frozen=True, slots=True)
class ThroughApprise:
    """Sends through Apprise. An attempt whose deadline has passed is left to itself: its thread ends with its sockets."""

    answer_seconds: float = ANSWER_SECONDS
    deadline_seconds: float = DEADLINE_SECONDS

    async def __call__(self, channel: str, address: SecretStr, subject: str, text: str) -> None:
        """Send a message. Raises as `Send` does."""
        work = _beside(lambda: self._send(channel, address.get_secret_value(), subject, text))
        try:
            async with asyncio.timeout(self.deadline_seconds):
                await work
        except TimeoutError:
            message = f"{channel}: no answer within {self.deadline_seconds:g} s, so nobody knows whether it arrived"
            raise AmbiguousWriteError(channel, message) from None

    def _send(self, channel: str, address: str, subject: str, text: str) -> None:
        server, entries, began = self._server(channel, address), list[Any](), time.monotonic()
        kind, several = server.service_name, len(server) > 1 or len(text) > server.body_maxlen
        try:
            sent = bool(_delivered(server, subject, text, entries))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises; its text may quote the address
            raise AmbiguousWriteError(channel, f"{channel} ({kind}): {type(error).__name__}, so nobody knows") from None
        if sent:
            return
        if several or time.monotonic() - began >= self.answer_seconds:
            raise AmbiguousWriteError(
                channel, f"{channel} ({kind}): {_said(entries)}; some of it may have arrived all the same"
            )
        raise TransientError(channel, f"{channel} ({kind}): {_said(entries)}")

    def _server(self, channel: str, address: str) -> Any:
        server = _apprise().server(address.strip())
        if server is None:
            from service.settings import variable  # noqa: PLC0415 - only for the message

            name = variable("notify", channel)
            raise SettingsError(f"{name} is no address that Apprise knows; write one such as mailto://... or slack://...")
        server.socket_read_timeout = self.answer_seconds
        return server


def _said(entries: Sequence[Any]) -> str:
    """What is known of a failure, without anything that the server or the library says."""
    found = [match[1] for each in entries if (match := STATUS.search(each.message))]
    return f"it answered {found[-1]}" if found else "it was not delivered; the address, or the way there, is wrong"


def _beside(work: Callable[[], None]) -> asyncio.Future[None]:
    """Do work in a thread of its own, which keeps no process from ending, and shares no place with other work."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if not done.done():
            done.set_result(None) if error is None else done.set_exception(error)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - whoever waits gets it
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=run, name="notice", daemon=True).start()
    return done


# --- the library --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Library:
    module: Any
    asset: Any

    def server(self, address: str) -> Any:
        """Whoever sends to an address; None where it is none."""
        return self.module.Apprise.instantiate(address, asset=self.asset)


_loading = threading.Lock()


def _apprise() -> _Library:
    with _loading:
        return _loaded()


@cache
def _loaded() -> _Library:
    """Apprise, which writes no file, shows no address and takes no message for a template."""
    silence("apprise")
    import apprise  # noqa: PLC0415 - slow

    asset = apprise.AppriseAsset(
        app_id="Ad-spend governor",
        app_desc="Ad-spend governor",
        storage_mode="memory",
        secure_logging=True,
        http_redirects=False,  # a POST that is sent elsewhere arrives there without its message
        service_timeout=0,  # the deadline is ours
        allow_templates=False,
        image_path_mask=False,
    )
    return _Library(apprise, asset)


def _delivered(server: Any, subject: str, text: str, entries: list[Any]) -> object:
    library = _apprise()
    sender = library.module.Apprise(asset=library.asset)
    sender.add(server)
    plain = library.module.NotifyFormat.TEXT
    return sender.notify(body=text, title=subject, body_format=plain, log_callback=lambda entry, _: entries.append(entry))
