from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.redaction import BLANK, passwords_in, redactor

SECRET = "MS0xMjM0-p@ss/wörd+\"x\\y' 9"
ANY = st.text(min_size=6, max_size=60).filter(lambda text: len(text.strip()) >= 6)


def blanked(text: str, *secrets: str) -> str:
    return redactor(secrets)(text)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        re.sub(r"%..", lambda octet: octet[0].lower(), quote(SECRET)),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        repr({"key": SECRET}),
        json.dumps({"exception": repr([SECRET])}),
    ],
)
def test_a_secret_is_blanked_out_in_every_form_it_travels_in(form: str) -> None:
    said = blanked(f"before {form} after", SECRET)
    assert BLANK in said
    assert said.startswith("before ")
    assert said.endswith(" after")
    assert "xMjM0" not in said


@given(secret=ANY, user=st.text(max_size=20), rest=st.text(max_size=20))
def test_nothing_of_a_secret_can_be_read_out_of_basic_authentication(secret: str, user: str, rest: str) -> None:
    secret = secret.strip()
    whole = f"{user}:{secret}:{rest}".encode("utf-8", "surrogatepass")
    for coded in (b64encode(whole).decode(), urlsafe_b64encode(whole).decode()):
        assert BLANK in blanked(f"Authorization: {coded}", secret)


@given(secret=ANY, before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_text_shows_a_secret_afterwards(secret: str, before: str, after: str) -> None:
    assert secret.strip() not in blanked(before + secret + after, secret).replace(BLANK, "")


def test_a_secret_within_another_leaves_nothing_of_the_longer_one() -> None:
    assert blanked("abcdef-au1", "abcdef", "abcdef-au1") == BLANK


def test_a_secret_too_short_to_be_told_from_a_word_is_not_looked_for() -> None:
    assert blanked("an ad account", "a", "ad") == "an ad account"


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("https://hc-ping.com/5f1a-4c2b/start", ["5f1a-4c2b"]),
        ("mailto://ops:hunter22@example.com?smtp=mail-9.example.com", ["hunter22"]),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", ["T1JJ3T3L2", "A1BRTD4JD", "TIiajkdnlazkcOXrIdevi7FQ"]),
        (
            "json://user:p%40ss-word@host.example/a1b2c3d4?token=q1w2e3r4#f9g8h7",
            ["p%40ss-word", "p@ss-word", "q1w2e3r4"],
        ),
    ],
)
def test_every_part_of_an_address_that_could_be_a_secret_is_one(address: str, parts: list[str]) -> None:
    redact = redactor([address])
    assert redact(f"GET {address} failed") == f"GET {BLANK} failed"
    for part in parts:
        assert redact(f"it said {part} twice") == f"it said {BLANK} twice"


def test_each_line_of_a_key_in_pem_form_is_a_secret_and_its_frame_is_none() -> None:
    lines = ["MC4CAQAwBQYDK2VwBCIEIKkXbhcqW8SLbZq", "kz0aFQHkYz1q1Jb0m0w2b0k3x"]
    pem = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""])
    for line in lines:
        assert blanked(f"it begins with {line}", pem) == f"it begins with {BLANK}"
    assert blanked(f"reading {pem}", pem).startswith(f"reading {BLANK}")
    assert blanked("no -----BEGIN PRIVATE KEY----- in it", pem) == "no -----BEGIN PRIVATE KEY----- in it"


def test_words_and_hosts_within_an_address_are_left_readable() -> None:
    redact = redactor(["https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"])
    assert redact("hooks.slack.com does not know /services") == "hooks.slack.com does not know /services"


@pytest.mark.parametrize(
    ("address", "passwords"),
    [
        ("postgresql+psycopg://governor:hunter2@db/governor", ["hunter2"]),
        ("postgresql://governor:p@ss:w/rd@db:5432/governor", ["p@ss:w/rd"]),
        ("redis://:hunter2@redis:6379/0", ["hunter2"]),
        ("postgresql+psycopg://governor@db/governor?sslmode=require&password=hunter2", ["hunter2"]),
        ("postgresql+psycopg:///governor?password=hunter+2&host=db", ["hunter+2", "hunter 2"]),
        ("postgresql://governor:hunter2@db/governor?sslpassword=hunter3#x", ["hunter2", "hunter3"]),
        ("sqlite+aiosqlite:///governor.db", []),
        ("sqlite+aiosqlite:///governor.db?timeout=30", []),
        ("governor.db", []),
    ],
)
def test_the_password_of_an_address_is_found_also_where_it_is_not_encoded(address: str, passwords: list[str]) -> None:
    assert passwords_in(address) == tuple(passwords)


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("key gov_abcdefghijklmnopqrstuvwxyz0123456789_-AB was sent", f"key {BLANK} was sent"),
        ("{'authorization': 'Bearer ya29.a0AfB_by'}", f"{{'authorization': 'Bearer {BLANK}'}}"),
        ("authorization: basic dXNlcjpwYXNz==", f"authorization: basic {BLANK}"),
        ("send `Authorization: Bearer` and an API key", "send `Authorization: Bearer` and an API key"),
    ],
)
def test_what_looks_like_a_credential_is_one_without_being_known(text: str, blank: str) -> None:
    assert blanked(text) == blank
