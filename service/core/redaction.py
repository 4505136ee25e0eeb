"""Keeping secrets out of text, in whatever form one has got into it. Pure.

A secret turns up as itself; percent-encoded, in an address; in base64, of which it is only a part (HTTP basic authentication:
`user:password`); and escaped, in JSON and in what `repr` shows. Where a secret is an address (a channel to notify, say), each
part of it that could be a secret counts as one: tools print the path and the host apart. So does each line of a key in PEM
form. A password may have been given percent-encoded, so what that stands for is a secret too.

Our own API keys, and whatever stands in an `Authorization` header, are known by what they look like.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

BLANK = "[secret]"
SHORTEST = 4
"""Characters. A shorter secret is not looked for: it would blank out ordinary words, and so tell what it is."""

SHORTEST_IN_BASE64 = 6
SHORTEST_PART = 6
PLAIN_WORD = re.compile(r"[a-z]{1,19}")
"""A part of an address that is taken for a word (`services`) and not for a secret."""

LOOKS_LIKE_ONE = re.compile(r"\bgov_[\w-]{20,}|(?<=\bBearer )[\w.~+/-]{8,}=*|(?<=\bBasic )[\w+/-]{8,}=*", re.IGNORECASE)


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that blanks these secrets out of a text."""
    found = {form for secret in secrets for each in _with_parts(secret) for form in _forms(each)}
    forms = sorted(found, key=len, reverse=True)  # of two that overlap the longer first, or its rest would stay

    def redact(text: str) -> str:
        for form in forms:
            if form in text:
                text = text.replace(form, BLANK)
        return LOOKS_LIKE_ONE.sub(BLANK, text)

    return redact


def passwords_in(address: str) -> tuple[str, ...]:
    """The passwords of an address, as they are written there; also where that is malformed.

    `scheme://user:password@host`, and `?password=`, `&sslpassword=` and the like.
    """
    before, query, said = address.partition("?")
    found = [match[1] for text in (address, before) if (match := re.match(r"[\w.+-]+://[^/?#:@]*:(.+)@", text))]
    if query and "://" in before:
        found += (text for each in re.findall(r"(?:^|&)\w*password=([^&#]+)", said) for text in (each, each.replace("+", " ")))
    return tuple(dict.fromkeys(found))


def _with_parts(secret: str) -> Iterator[str]:
    whole = secret.strip()
    yield whole
    yield unquote(whole)
    yield from (line for line in whole.splitlines()[1:-1] if "-----" not in line)  # of a key in PEM form
    if "://" in whole:
        for part in _parts(whole):
            yield part
            yield unquote(part)


def _parts(address: str) -> Iterator[str]:
    yield from passwords_in(address)
    try:
        split = urlsplit(address)
    except ValueError:  # no address after all
        return
    user, _, host = split.netloc.rpartition("@")
    name = host.partition(":")[0]
    queries = (value.partition("=")[2] for value in split.query.split("&"))
    others = [*user.split(":"), *split.path.split("/"), *queries, split.fragment, *([] if "." in name else [name])]
    yield from (part for part in others if len(part) >= SHORTEST_PART and not PLAIN_WORD.fullmatch(part))


def _forms(secret: str) -> Iterator[str]:
    if len(secret) < SHORTEST:
        return
    for coded in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
        yield coded
        yield re.sub(r"%[0-9A-F]{2}", lambda octet: octet[0].lower(), coded)
    shown = {secret, repr(secret)[1:-1]}
    for text in shown:
        yield text
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
    if len(raw := secret.encode("utf-8", "surrogatepass")) >= SHORTEST_IN_BASE64:
        for coded in _in_base64(raw):
            yield coded
            yield coded.replace("+", "-").replace("/", "_")
            yield quote(coded, safe="")


def _in_base64(secret: bytes) -> Iterator[str]:
    """What a base64 text that has the secret somewhere in it contains, for each place at which it can begin in three octets."""
    for before in range(3):
        coded = b64encode(bytes(before) + secret).decode()
        first, last = -(-before * 8 // 6), (before + len(secret)) * 8 // 6  # the characters that hold nothing but it
        yield coded[first:last]
