from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.core.errors import InputError
from service.keys import EVERY_CLINIC, hash_of, may, new_key, opens
from service.store.keys import Key, Role
from tests.web.conftest import Api

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


async def test_a_key_is_found_by_the_hash_of_its_secret_and_by_nothing_else(api: Api) -> None:
    secret, key = await new_key(api.app.store.keys, " agency ", Role.VIEWER, ["b", "a", "b"], NOW)
    assert (key.name, key.clinics) == ("agency", ("a", "b"))
    assert await api.app.store.keys.find_key(hash_of(secret)) == key
    assert await api.app.store.keys.find_key(hash_of(secret[:-1])) is None
    assert len(secret) >= 47


@pytest.mark.parametrize(
    ("name", "clinics", "expires_at"),
    [
        ("  ", ["harbour"], None),
        ("n" * 201, ["harbour"], None),
        ("agency", [], None),
        ("agency", ["Harbour Physio"], None),
        ("agency", ["_system"], None),
        ("agency", ["harbour"], NOW),
    ],
    ids=["no name", "too long a name", "no clinic", "no slug", "the installation's chain", "expired at once"],
)
async def test_a_key_that_makes_no_sense_is_refused(
    api: Api, name: str, clinics: list[str], expires_at: datetime | None
) -> None:
    before = await api.app.store.keys.keys()
    with pytest.raises(InputError):
        await new_key(api.app.store.keys, name, Role.VIEWER, clinics, NOW, expires_at)
    assert await api.app.store.keys.keys() == before


def key_of(role: Role, *clinics: str) -> Key:
    return Key("key_1", "agency", role, clinics, NOW, NOW + timedelta(days=1))


def test_every_clinic_is_said_expressly() -> None:
    assert opens(key_of(Role.VIEWER, EVERY_CLINIC), "harbour")
    assert opens(key_of(Role.VIEWER, "harbour"), "harbour")
    assert not opens(key_of(Role.ADMIN, "harbour"), "northside")
    assert not opens(key_of(Role.ADMIN), "harbour")


def test_roles_are_ranked() -> None:
    allowed = [(has, needs) for has in Role for needs in Role if may(key_of(has), needs)]
    assert len(allowed) == 6
    assert (Role.VIEWER, Role.OPERATOR) not in allowed
    assert (Role.OPERATOR, Role.ADMIN) not in allowed


async def test_every_clinic_swallows_the_others_named_with_it(api: Api) -> None:
    _, key = await new_key(api.app.store.keys, "all", Role.ADMIN, ["harbour", EVERY_CLINIC], NOW)
    assert key.clinics == (EVERY_CLINIC,)
