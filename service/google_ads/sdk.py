"""The official client (google-ads 34.0.0, API v26), unpatched: blocking calls, each with a deadline, errors already ours.

The SDK's own loaders fetch a token at once and fix the token address, so credentials are built here; nothing touches the
network before the first call. Its service objects are kept, one per login customer id: each opens a connection of its own,
and one that is collected takes its streams with it. Importing this module takes half a second: only `client` does, late.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.v26.services.types.google_ads_service import MutateGoogleAdsRequest
from google.oauth2.credentials import Credentials as UserCredentials
from google.oauth2.service_account import Credentials as ServiceAccountCredentials

from service.core.errors import CredentialsError, TransientError
from service.google_ads.credentials import GoogleCredentials
from service.google_ads.errors import SDK_ERRORS, is_about_project, translate
from service.google_ads.rests import PROJECT, Rests
from service.google_ads.wire import SYSTEM, Edits, ReadBack, fill_request, read_back

API_VERSION = "v26"
SCOPES = ("https://www.googleapis.com/auth/adwords",)
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

T = TypeVar("T")


class Session:
    """One set of credentials against one endpoint, from any thread; `timeout` in seconds is the deadline of one RPC."""

    def __init__(self, credentials: GoogleCredentials, endpoint: str | None, timeout: float, rests: Rests) -> None:
        _quieten()
        self._credentials = _load(credentials)
        self._endpoint = endpoint
        self._timeout = timeout
        self._rests = rests
        self._guard = threading.Lock()
        self._services: dict[str | None, Any] = {}
        self._turns: dict[str, threading.Lock] = {}

    def search(self, login: str | None, customer_id: str, query: str, read: Callable[[Any], T]) -> list[T]:
        """All rows of a query, each through `read`. Read to the end: an unfinished stream holds one of the server's slots."""
        service = self._service(login)
        with self._translated(customer_id, writing=False):
            stream = service.search_stream(customer_id=customer_id, query=query, timeout=self._timeout)
            try:
                return [read(row) for batch in stream for row in batch.results]
            finally:
                stream.cancel()

    def mutate(self, login: str | None, customer_id: str, edits: Edits) -> ReadBack:
        """Carry the edits out, all or none, once. One at a time per customer id: else CONCURRENT_MODIFICATION."""
        service = self._service(login)
        request = fill_request(MutateGoogleAdsRequest.pb()(), customer_id, edits)
        with self._turn(customer_id), self._translated(customer_id, writing=True):
            return read_back(service.mutate(request=request, timeout=self._timeout))

    def close(self) -> None:
        """Close the connections."""
        with self._guard:
            for service in self._services.values():
                service.transport.close()
            self._services.clear()

    def _service(self, login: str | None) -> Any:
        """The GoogleAdsService for a login customer id, which the SDK fixes when it builds one."""
        with self._guard:
            if login not in self._services:
                client = GoogleAdsClient(
                    self._credentials,
                    endpoint=self._endpoint,
                    login_customer_id=login,
                    version=API_VERSION,
                    use_proto_plus=False,
                )
                self._services[login] = client.get_service("GoogleAdsService")
            return self._services[login]

    @contextmanager
    def _translated(self, customer_id: str, *, writing: bool) -> Iterator[None]:
        self._rests.check(customer_id)
        try:
            yield
        except SDK_ERRORS as error:
            ours = translate(error, writing=writing)
            if isinstance(ours, TransientError) and ours.retry_after:
                self._rests.begin(PROJECT if is_about_project(error) else customer_id, ours.retry_after)
            raise ours from None  # a chain would repeat what a token endpoint said

    @contextmanager
    def _turn(self, customer_id: str) -> Iterator[None]:
        with self._guard:
            turn = self._turns.setdefault(customer_id, threading.Lock())
        if not turn.acquire(timeout=self._timeout):
            raise TransientError(SYSTEM, f"another change to account {customer_id} is still under way; nothing was sent")
        try:
            yield
        finally:
            turn.release()


def _load(credentials: GoogleCredentials) -> Any:
    """Google's credentials object, without asking for a token yet."""
    if credentials.json_key_file_path is not None:
        return _service_account(credentials.json_key_file_path, credentials.token_uri)
    return UserCredentials(  # type: ignore[no-untyped-call]  # google-auth annotates only some of it
        None,
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        refresh_token=credentials.refresh_token,
        token_uri=credentials.token_uri or TOKEN_URI,
        scopes=SCOPES,
    )


def _service_account(path: Path, token_uri: str | None) -> Any:
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
        if token_uri is not None:
            info["token_uri"] = token_uri
        return ServiceAccountCredentials.from_service_account_info(  # type: ignore[no-untyped-call]  # as above
            info, scopes=SCOPES
        )
    except (OSError, ValueError, TypeError, AttributeError) as error:  # their texts may quote the key: only the kind is told
        message = f"the Google service-account key file {path} cannot be used ({type(error).__name__})"
        raise CredentialsError(SYSTEM, message, code="KEY_FILE") from None


def _quieten() -> None:
    """Keep payloads and tokens out of every log, whatever the root logger is set to.

    The SDK logs failed requests with their payload at INFO and everything at DEBUG; grpcio logs the exception of a failed
    token request, answer included. What failed reaches the log through our own errors.
    """
    google = logging.getLogger("google")
    if not google.handlers:
        google.addHandler(logging.NullHandler())
    google.setLevel(logging.WARNING)
    logging.getLogger("google.ads.googleads.client").setLevel(logging.CRITICAL)
    logging.getLogger("grpc._plugin_wrapping").setLevel(logging.CRITICAL)
