"""Who is told: a channel in memory, and ways for a process to die at every step on the way there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from service.app import App
from service.core.notices.message import REPETITION
from service.jobs.notices import Told, tell

NOW = timedelta(0)
ADDRESS = SecretStr("json://127.0.0.1:9/hook")


@dataclass(frozen=True, slots=True)
class Message:
    """What arrived."""

    channel: str
    subject: str
    text: str

    @property
    def marked(self) -> bool:
        return self.text.startswith(REPETITION)


@dataclass(slots=True)
class Heard:
    """Everything that arrived; `refusals` are raised first, one per message, instead of taking it."""

    messages: list[Message] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)

    async def __call__(self, channel: str, address: SecretStr, subject: str, text: str) -> None:  # noqa: ARG002 - the port's
        if self.refusals:
            raise self.refusals.pop(0)
        self.messages.append(Message(channel, subject, text))

    def by(self, app: App, *channels: str, **settings: Any) -> App:
        """A service whose channels are heard here."""
        addresses = dict.fromkeys(channels or ("marketing",), ADDRESS)
        return replace(app, send=self, settings=app.settings.model_copy(update={"notify": addresses, **settings}))

    def count(self, words: str) -> int:
        """In how many messages these words arrived, all told."""
        return sum(each.text.count(words) for each in self.messages)

    async def after(self, app: App) -> list[Message]:
        """What arrives when what was recorded is told at once."""
        before = len(self.messages)
        await tell(app, together=NOW)
        return self.messages[before:]


async def told(app: App) -> Told:
    """A round of telling, at once."""
    return await tell(app, together=NOW)


# --- dying --------------------------------------------------------------------------------------------------------------

STEPS = ("advance", "claim", "send", "settle")
POINTS = tuple(f"{when} {step}" for step in STEPS for when in ("before", "after"))
ON_ITS_WAY = ("after claim", "before send", "after send", "before settle")
"""Between claiming a message and saying what came of it: here nobody can know whether it went out."""


class KilledError(BaseException):
    """The process is gone."""


@dataclass(slots=True)
class Deadly:
    """Stands before something real; at a point of the way the process dies."""

    real: Any
    point: str

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.real, name)
        return self.dying(name, found) if name in STEPS else found

    def dying(self, name: str, step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def run(*args: Any, **kwargs: Any) -> Any:
            if self.point == f"before {name}":
                raise KilledError
            result = await step(*args, **kwargs)
            if self.point == f"after {name}":
                raise KilledError
            return result

        return run


async def killed_at(point: str, app: App) -> bool:
    """Tell until the process dies at a point; False: it did not come that far."""
    store, outbox = app.store, app.store.outbox
    store.outbox = Deadly(outbox, point)  # type: ignore[assignment] # it is one, for as long as it lives
    dying = replace(app, send=Deadly(None, point).dying("send", app.send))
    try:
        await told(dying)
    except KilledError:
        return True
    except BaseExceptionGroup as group:
        return group.subgroup(KilledError) is not None
    finally:
        store.outbox = outbox
    return False
