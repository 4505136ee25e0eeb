"""All servers over one world, and the settings by which a service reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.controls import controls_app
from service.sandbox.google_ads.server import google_ads_server
from service.sandbox.meta.server import HOURLY_CALLS, meta_app
from service.sandbox.scene import META_TOKEN
from service.sandbox.serving import serving
from service.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Stage:
    """A running sandbox: the environment variables that point a service at it, and the address of its controls."""

    environment: dict[str, str]
    controls: str


@contextmanager
def staged(
    world: World, directory: Path, requests_per_minute: int = 200, meta_calls_per_hour: int = HOURLY_CALLS
) -> Iterator[Stage]:
    """Run the three systems and the controls on loopback ports; `directory` keeps the certificate and key file.

    A world whose hours pass in seconds, or are lived through again, wants more of Cliniko and Meta than the real ones grant.
    """
    with (
        serving(cliniko_app(world, limit=requests_per_minute)) as cliniko,
        serving(meta_app(world, META_TOKEN, hourly_calls=meta_calls_per_hour)) as meta,
        serving(controls_app(world)) as controls,
        google_ads_server(world, directory) as google,
    ):
        keys = {_variable(slug): clinic.api_key for slug, clinic in world.clinics.items()}
        yield Stage(
            environment={
                **keys,
                "GOVERNOR_CLINIKO__BASE_URL": f"{cliniko}/v1",
                "GOVERNOR_CLINIKO__CONTACT_EMAIL": "ops@example.com",
                "GOVERNOR_CLINIKO__REQUESTS_PER_MINUTE": str(requests_per_minute * 9 // 10),
                "GOVERNOR_GOOGLE_ADS__ENDPOINT": google.endpoint,
                "GOVERNOR_GOOGLE_ADS__JSON_KEY_FILE_PATH": str(google.key_file),
                "GOVERNOR_META__BASE_URL": meta,
                "GOVERNOR_META__ACCESS_TOKEN": META_TOKEN,
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(google.certificate),
                "no_proxy": "localhost,127.0.0.1",
            },
            controls=controls,
        )


def _variable(slug: str) -> str:
    return f"GOVERNOR_CLINICS__{slug.replace('-', '_').upper()}__CLINIKO_API_KEY"
