"""API keys: made once, shown once, kept as a hash, and what each of them opens.

A secret has 256 random bits, so that its plain SHA-256 cannot be searched for, and it is looked up by that hash: how long
the look-up takes tells nothing about any secret.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime

from service.core.errors import InputError
from service.core.rules.values import SLUG
from service.store.keys import Key, Keys, Role

EVERY_CLINIC = "*"
"""In a key's list of clinics: all of them, those to come included. An empty list opens none."""

PREFIX = "gov_"
"""What every secret begins with, so that scanners of repositories and logs can find one that leaked."""

LONGEST_NAME = 200
ROLES = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)
"""Each may do what those before it may."""


async def new_key(
    keys: Keys,
    name: str,
    role: Role,
    clinics: Iterable[str],
    now: datetime,
    expires_at: datetime | None = None,
    *,
    by: str | None = None,
) -> tuple[str, Key]:
    """Make a key: its secret, which cannot be had again, and the key as it is kept.

    `by` is who makes it, for the record. Raises `InputError` for a key without a name or with that of one that is still valid,
    for no clinic or one that cannot exist, and for an expiry in the past.
    """
    opened = _opened(clinics)
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        raise InputError(f"a key needs a name of 1 to {LONGEST_NAME} characters; it is recorded with all that the key does")
    if expires_at is not None and expires_at <= now:
        raise InputError(f"the key would expire at {expires_at:%Y-%m-%dT%H:%MZ}, which has passed: give a later time")
    secret = PREFIX + secrets.token_urlsafe(32)
    return secret, await keys.create_key(name.strip(), role, opened, hash_of(secret), now, expires_at, by=by)


def _opened(clinics: Iterable[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(clinics))
    if not names:
        raise InputError(f"name the clinics that the key opens, or {EVERY_CLINIC} for every clinic")
    for name in names:
        if name != EVERY_CLINIC and not re.fullmatch(SLUG, name):
            raise InputError(f"{name!r} is no clinic: a clinic's name is lower-case letters, digits and single hyphens")
    return (EVERY_CLINIC,) if EVERY_CLINIC in names else names


def hash_of(secret: str) -> str:
    """What a secret is kept and found by: its SHA-256, in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def opens(key: Key, clinic: str) -> bool:
    """Whether a clinic exists as far as this key is concerned."""
    return opens_everything(key) or clinic in key.clinics


def opens_everything(key: Key) -> bool:
    """Whether the key is for every clinic."""
    return EVERY_CLINIC in key.clinics


def may(key: Key, role: Role) -> bool:
    """Whether the key may do what takes `role`."""
    return ROLES.index(key.role) >= ROLES.index(role)
