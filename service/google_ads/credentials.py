"""What the service signs in to Google with. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from service.core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class GoogleCredentials:
    """A service account's key file, or a user's OAuth client with a refresh token.

    `token_uri` overrides where tokens come from. Raises SettingsError if neither set is complete.
    """

    json_key_file_path: Path | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    token_uri: str | None = None

    @property
    def identity(self) -> str:
        """What tells sign-ins apart, and gives nothing of them away."""
        told = (str(self.json_key_file_path), self.client_id, self.refresh_token)
        return sha256(repr(told).encode()).hexdigest()[:16]

    def __post_init__(self) -> None:
        if self.json_key_file_path is None and not all((self.client_id, self.client_secret, self.refresh_token)):
            raise SettingsError(
                "Google Ads credentials are incomplete: set GOVERNOR_GOOGLE_ADS__JSON_KEY_FILE_PATH, "
                "or all of GOVERNOR_GOOGLE_ADS__CLIENT_ID, __CLIENT_SECRET and __REFRESH_TOKEN"
            )
