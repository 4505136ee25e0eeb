"""What every test may use."""

from __future__ import annotations

import gc
import json
import logging
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from service.logs import conceal, configure
from service.sandbox.google_ads.certificate import certificate_in
from tests.clinic import Clinic, clinic_in
from tests.redis_server import RedisServer, redis_server
from tests.watching import Lines

settings.register_profile("normal", deadline=None, max_examples=20, derandomize=True)  # a busy machine is no failure
settings.register_profile("soak", deadline=None, max_examples=1500)
os.environ["GOVERNOR_RULES_SETTLE"] = "0s"  # tests write a file and are done with it
PROFILE = os.environ.get("GOVERNOR_TEST_PROFILE", "normal")
settings.load_profile(PROFILE)

# What is imported stays: looking through it for garbage again and again took a tenth of the time that the tests take.
gc.collect()
gc.freeze()
gc.set_threshold(100_000, 20, 50)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of cases marked `sampled(n)` the short form runs each n-th, always the same ones; a case asked for by name is run."""
    if PROFILE == "soak" or any("[" in argument for argument in config.args):
        return
    seen = Counter[object]()
    kept, left = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        mark = item.get_closest_marker("sampled")
        function = getattr(item, "function", item)
        (left if mark and seen[function] % mark.args[0] else kept).append(item)
        seen[function] += 1
    items[:] = kept
    config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis, for the tests of one module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def collected() -> Iterator[None]:
    """What the test has left to be collected is, before the next one is blamed for it."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def google_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory that every `google_ads_server` of this process is given.

    grpcio reads its roots before the process's first TLS channel and never again, so there is one certificate for all. The
    variables stay set: a later channel must not see others.
    """
    directory = tmp_path_factory.mktemp("google")
    certificate, _ = certificate_in(directory)
    os.environ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(certificate)
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "localhost,127.0.0.1"
    return directory


@pytest.fixture(autouse=True)
def _no_secrets_but_its_own() -> Iterator[None]:
    """Settings that one test loads are no secrets in another's log."""
    yield
    conceal([])


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """Logging as a service sets it up; gives what has been written since it was last asked, a value per line."""
    before = [*logging.getLogger().handlers]
    configure(logging.INFO)
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    """A clinic in enforce mode whose one campaign `search`, at base, is to stay there."""
    async with clinic_in(tmp_path) as found:
        yield found
