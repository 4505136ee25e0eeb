"""What opens a Meta ad account, and how it is kept out of everything that is printed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from service.core.errors import SettingsError

_IN_URL = re.compile(r"(access_token|appsecret_proof)(=|%3D)[^&\s\"']+", re.IGNORECASE)
_TOKEN = re.compile(r"\bEAA[0-9A-Za-z]{16,}")
"""User and system-user access tokens begin with `EAA`; Graph itself quotes a malformed one in its error text."""


@dataclass(frozen=True, slots=True, repr=False)
class MetaCredentials:
    """A system user's access token and, where the app demands `appsecret_proof`, the app's secret."""

    access_token: str
    app_secret: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("access token", self.access_token), ("app secret", self.app_secret)):
            if value is not None and not _sendable(value):
                raise SettingsError(f"the Meta {name} is empty or has blanks or non-ASCII characters; copy it again")

    @property
    def app(self) -> str:
        """What tells apps apart: the app's secret, and where that is not known the token."""
        return self.app_secret or self.access_token

    def __repr__(self) -> str:
        return f"{type(self).__name__}(access_token='…', app_secret={'…' if self.app_secret else None!r})"


def _sendable(secret: str) -> bool:
    """A blank or line break would make the HTTP library refuse the header, quoting it."""
    return bool(secret) and secret.isascii() and secret.isprintable() and " " not in secret


def redactor(*secrets: str | None) -> Callable[[str], str]:
    """A function that blanks out these secrets, and anything that looks like one, in a text."""
    known = sorted(filter(None, secrets), key=len, reverse=True)

    def redact(text: str) -> str:
        for secret in known:
            text = text.replace(secret, "…")
        return _TOKEN.sub("…", _IN_URL.sub(r"\1\2…", text))

    return redact
