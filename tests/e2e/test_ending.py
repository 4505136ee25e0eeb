"""A service that is asked to stop does, whoever is still talking to it."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from service.cli.serving import LEAVE_SECONDS
from service.keys import EVERY_CLINIC, new_key
from service.settings import Settings
from service.store.keys import Role
from service.store.store import Store
from tests.e2e.served import served
from tests.support import RULES


async def key_in(settings: Settings) -> str:
    store = Store.open(settings.database_url)
    secret, _ = await new_key(store.keys, "slow", Role.ADMIN, [EVERY_CLINIC], datetime.now(UTC))
    await store.aclose()
    return secret


def test_a_client_that_never_ends_its_request_does_not_keep_the_service(settings: Settings, tmp_path: Path) -> None:
    """Kubernetes kills after 30 seconds, of which the clinics under way are promised 20."""
    secret = asyncio.run(key_in(settings))
    with served({**os.environ, "GOVERNOR_RULES_DIR": str(RULES)}, tmp_path, "--api-only") as service:
        address = urlsplit(service.wait_for(r"listening on (http://\S+)")[1])
        assert address.hostname
        assert address.port
        talking = socket.create_connection((address.hostname, address.port))
        head = "POST /v1/rules/check HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
        talking.sendall(f"{head}Authorization: Bearer {secret}\r\n\r\n{{".encode())
        time.sleep(2)  # until the request is being answered: before that, nobody would wait for it
        began = time.monotonic()
    took = time.monotonic() - began
    talking.close()
    assert took < LEAVE_SECONDS + 8
    assert "listening on" in service.output.read_text("utf-8")
