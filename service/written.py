"""How the values of settings are written, and what to write instead where one is not."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from service.core.notices.timing import QuietHours

DURATION = re.compile(r"(\d+)\s*([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    """Read `90s`, `15m`, `1h` or `1d`; anything else is left for pydantic to judge."""
    if not isinstance(value, str):
        return value
    written = DURATION.fullmatch(value.strip())
    if written is None:
        raise ValueError("write a duration such as 15m, 1h or 1d")
    return timedelta(seconds=int(written[1]) * SECONDS[written[2]])


def _quiet(value: Any) -> Any:
    """Read `21:00-07:00`; anything else is left for pydantic to judge."""
    return QuietHours.of(value) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    """Read `a, b`; anything else is left for pydantic to judge."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _origin(value: str) -> str:
    if not re.fullmatch(r"\*|https?://[^/?#@\s]+", value):
        raise ValueError("write origins as scheme and host, such as https://dashboard.example, or * for every page")
    return value


def _page(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^/?#@\s][^?#@\s]*", value):
        raise ValueError("write the address people open the service at, such as https://governor.example")
    return value


def _collector(value: str) -> str:
    if value and not re.match(r"https?://[^/?#\s]", value):
        raise ValueError("write the collector's address for OTLP over HTTP, such as http://collector:4318")
    return value


_REDIS = re.compile(r"rediss?://[^/?#\s]+(/\d*)?(\?ssl_\w+=[^&\s]*(&ssl_\w+=[^&\s]*)*)?")


def _redis(value: SecretStr) -> SecretStr:
    """Its password is not quoted: a part of it may have been taken for something else."""
    written = value.get_secret_value()
    try:
        parts = urlsplit(written)
        good = parts.port != 0 and "," not in (parts.hostname or "") and (not parts.query or parts.scheme == "rediss")
    except ValueError:
        good = False
    if not good or not _REDIS.fullmatch(written):
        raise ValueError(
            "write the address of a Redis, such as redis://:PASSWORD@redis:6379/0, or rediss:// for TLS; in the password, "
            "percent-encode whatever is no letter or digit"
        )
    _demand_tls_options(written)
    return value


def _demand_tls_options(url: str) -> None:
    """Refuse now what the client would refuse when it connects, and go on refusing."""
    from redis.asyncio import Redis  # noqa: PLC0415 - most commands need no Redis
    from redis.exceptions import RedisError  # noqa: PLC0415

    for name, [file, *_] in parse_qs(urlsplit(url).query).items():
        if name in _FILES and not Path(file).is_file():
            raise ValueError(f"{name}: there is no file {file}; write the path of a PEM file that this process can read")
    try:
        Redis.from_url(url).connection_pool.make_connection()  # type: ignore[no-untyped-call] # theirs
    except (TypeError, ValueError, RedisError):
        message = (
            "what follows the ? may be ssl_ca_certs, ssl_certfile and ssl_keyfile, which are paths, ssl_check_hostname, and "
        )
        raise ValueError(f"{message}ssl_cert_reqs, which is required, optional or none") from None


_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Quiet = Annotated[QuietHours | None, NoDecode, BeforeValidator(_quiet)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_listed)]
Page = Annotated[str, AfterValidator(_page)]
Collector = Annotated[str, AfterValidator(_collector)]
RedisUrl = Annotated[SecretStr, AfterValidator(_redis)]
