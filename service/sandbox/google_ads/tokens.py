"""The sandbox's Google sign-in: a plain-HTTP token endpoint, a service account's key file, and a user's OAuth client.

`POST /token` takes a JWT signed with the service account's key, or the refresh token, and gives an access token that the
Google Ads server accepts (RFC 7523, RFC 6749 section 6). Faults: see `service.sandbox.google_ads.server`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from service.sandbox.google_ads.certificate import private_pem, write_private
from service.sandbox.world import Fault, World

EMAIL = "governor@sandbox.iam.gserviceaccount.com"
CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN = "sandbox-client", "sandbox-client-secret", "sandbox-refresh-token"
KINDS = ("token_revoked", "token_unavailable")
LIFETIME = 3600

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Tokens:
    """Who may call: issues access tokens and knows those it issued. An ASGI app."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.issued: set[str] = set()
        self._key = _key_in(directory)

    def knows(self, authorization: str) -> bool:
        """Whether an `authorization` header holds a token of ours."""
        return authorization.removeprefix("Bearer ") in self.issued

    def write_key_file(self, path: Path, token_uri: str) -> None:
        """The key file of the service account, as the Cloud console hands it out."""
        info = {
            "type": "service_account",
            "project_id": "sandbox",
            "private_key_id": "sandbox",
            "private_key": private_pem(self._key).decode(),
            "client_email": EMAIL,
            "client_id": "100000000000000000001",
            "token_uri": token_uri,
        }
        write_private(path, json.dumps(info, indent=2).encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        self.world.saw("google", scope["method"], scope["path"])
        status, body = self._answer(scope, dict(parse_qsl((await _body(receive)).decode())))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    def _answer(self, scope: Scope, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if (scope["method"], scope["path"]) != ("POST", "/token"):
            return 404, {"error": "not_found"}
        fault = _fault(self.world)
        if fault is not None and fault.kind == "token_unavailable":
            return 503, {"error": "temporarily_unavailable"}
        if fault is not None:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        if not self._granted(form):
            return 400, {"error": "invalid_grant", "error_description": "Bad Request"}
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self.issued.add(token)
        return 200, {"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"}

    def _granted(self, form: dict[str, str]) -> bool:
        if form.get("grant_type") == "refresh_token":
            return [form.get(name) for name in ("client_id", "client_secret", "refresh_token")] == [
                CLIENT_ID,
                CLIENT_SECRET,
                REFRESH_TOKEN,
            ]
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        try:
            claims = jwt.decode(form.get("assertion", ""), certs=public)  # type: ignore[no-untyped-call]  # google-auth
        except ValueError:  # malformed, expired or signed by somebody else
            return False
        return bool(claims.get("iss") == EMAIL and claims.get("scope"))


def _fault(world: World) -> Fault | None:
    """The first fault about tokens; faults of the API itself are not used up here."""
    with world.lock:
        for fault in world.faults:
            if fault.system == "google" and fault.kind in KINDS and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
    return None


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _key_in(directory: Path) -> rsa.RSAPrivateKey:
    """The service account's RSA key, kept in `directory` because making one takes a while."""
    path = directory / "service-account-key.pem"
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if isinstance(key, rsa.RSAPrivateKey):
            return key
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    write_private(path, private_pem(made))
    return made
