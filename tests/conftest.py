"""What every test may use."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from service.sandbox.google_ads.certificate import certificate_in
from tests.clinic import Clinic, clinic_in

settings.register_profile("normal", deadline=None, max_examples=25, derandomize=True)  # a busy machine is no failure
settings.register_profile("soak", deadline=None, max_examples=1500)
os.environ["GOVERNOR_RULES_SETTLE"] = "0s"  # tests write a file and are done with it
settings.load_profile(os.environ.get("GOVERNOR_TEST_PROFILE", "normal"))


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


@pytest.fixture
async def clinic(tmp_path: Path) -> AsyncIterator[Clinic]:
    """A clinic in enforce mode whose one campaign `search`, at base, is to stay there."""
    async with clinic_in(tmp_path) as found:
        yield found
