"""Words planted wherever Cliniko could say something, and everywhere they could come to light on our side.

A word goes into every string the sandbox serves that is not the value of an allowed field, into unknown keys and values at
every level, into error bodies, headers and reason phrases, and into the queries of links.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from service.cliniko.access import FIELDS

NAMES = frozenset({
    "businesses.label",
    "businesses.display_name",
    "businesses.business_name",
    "practitioners.label",
    "appointment_types.name",
})  # fmt: skip
"""The free text that is kept on purpose: what a clinic calls its locations, practitioners and appointment types. Rule files
name services by these. Nothing else that is text is kept as text: ids are digits, instants and zones are parsed."""

Path_ = tuple[str, ...]


def allowed(resource: str) -> frozenset[Path_]:
    """The allowed fields of a resource, lists left out of their paths."""
    return frozenset(tuple(name.split(".")) for name in FIELDS.get(resource, ()))


def structured() -> list[str]:
    """The allowed fields that are no names, as `resource.field`."""
    return sorted({f"{resource}.{name}" for resource, names in FIELDS.items() for name in names} - NAMES)


@dataclass(slots=True)
class Planter:
    """The wire to the sandbox, with `word` planted in what comes over it; `planted` counts how often.

    `instead` maps a part of an address to how its answer goes wrong: a status, or one of `FAILURES`. `fields` are allowed
    fields, `resource.field`, whose values are the word all the same.
    """

    behind: httpx.AsyncBaseTransport
    word: str
    instead: Mapping[str, int | str] = field(default_factory=dict)
    fields: frozenset[str] = frozenset()
    planted: int = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """One answer of the sandbox, planted or spoilt."""
        answer = await self.behind.handle_async_request(request)
        body = await answer.aread()
        resource = resource_of(request.url.path)
        wrong = next((wrong for part, wrong in self.instead.items() if part in request.url.path), None)
        if answer.status_code == 200:
            body = json.dumps(self._page(resource, json.loads(body))).encode()
        self.planted += 1
        if isinstance(wrong, str):
            return self._spoilt(wrong, request, body)
        return self._answer(answer.status_code if wrong is None else wrong, body if wrong is None else self._error())

    def _answer(self, status: int, body: bytes, **headers: str) -> httpx.Response:
        planted = {"X-Note": self.word, "ETag": f'"{self.word}"', "Set-Cookie": f"{self.word}={self.word}", "Server": self.word}
        said = {"reason_phrase": f"Because of {self.word}".encode()}
        kind = {"Content-Type": "application/json"}
        return httpx.Response(status, content=body, headers=planted | kind | headers, extensions=said)

    def _error(self) -> bytes:
        """What an error body may say: a message that quotes a patient, in each of the usual places."""
        texts = dict.fromkeys(("message", "error", "detail"), f"No such appointment for {self.word}, {self.word}@example.com")
        return json.dumps({**texts, "errors": {self.word: [self.word]}, "status": self.word}).encode()

    def _spoilt(self, wrong: str, request: httpx.Request, body: bytes) -> httpx.Response:
        match wrong:
            case "half":
                return self._answer(200, body[: len(body) // 2])
            case "page":
                return self._answer(200, f"<html><title>{self.word}</title></html>".encode())
            case "list":
                return self._answer(200, json.dumps([self.word]).encode())
            case "foreign":
                link = f"https://{self.word}.example/{self.word}?{self.word}"
                return self._answer(200, json.dumps(json.loads(body) | {"links": {"next": link}}).encode())
            case "no address":
                return self._answer(200, json.dumps(json.loads(body) | {"links": {"next": f"http://[{self.word}"}}).encode())
            case "redirect":
                return self._answer(302, b"", Location=f"https://api.example/{self.word}")
            case "not zipped":
                raise httpx.DecodingError(f"incorrect header check in {self.word}", request=request)
            case "no protocol":
                raise httpx.RemoteProtocolError(f"illegal header line: bytearray(b'{self.word}')", request=request)
        raise AssertionError(wrong)

    # --- planting -------------------------------------------------------------------------------------------------------

    def _page(self, resource: str, body: dict[str, Any]) -> Any:
        if resource == "settings":
            return self._plant(resource, body, ())
        page = {name: value for name, value in body.items() if name not in {resource, "links"}}
        items = [self._plant(resource, item, ()) for item in body[resource]]
        links = {name: self._link(link) for name, link in body.get("links", {}).items()}
        return {**self._extra(), **page, resource: items, "links": {**self._extra(), **links}}

    def _plant(self, resource: str, value: Any, path: Path_) -> Any:
        if path in allowed(resource):
            return self._allowed(resource, value, path)
        if isinstance(value, dict):
            return {**{name: self._plant(resource, each, (*path, name)) for name, each in value.items()}, **self._extra()}
        if isinstance(value, list):
            return [self._plant(resource, each, path) for each in value]
        return self.word if isinstance(value, str) else value

    def _allowed(self, resource: str, value: Any, path: Path_) -> Any:
        if ".".join((resource, *path)) in self.fields:
            return self.word
        return self._link(value) if path[-1] == "self" else value

    def _extra(self) -> dict[str, Any]:
        return {
            self.word: self.word,
            "notes": f"{self.word} rang",
            "patient": {"links": {"self": self.word}, self.word: [self.word]},
        }

    def _link(self, link: str) -> str:
        return f"{link}{'&' if '?' in link else '?'}note={self.word}"


FAILURES = ("half", "page", "list", "foreign", "no address", "redirect", "not zipped", "no protocol")
STATUSES = (400, 401, 403, 404, 409, 418, 422, 429, 500, 503)


def resource_of(path: str) -> str:
    """What a path of the API lists."""
    name = path.rstrip("/").rpartition("/")[2]
    return "settings" if name == "public" else name


# --- looking for them ---------------------------------------------------------------------------------------------------


def places_with(word: str, places: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where the word is; in whatever case, because ids and tokens are made lower case."""
    return [name for name, data in places if word.lower().encode() in data.lower()]


def on_disk(database: Path, bodies: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The database's files as bytes, and each of its documents as text."""
    for file in sorted(database.parent.glob(f"{database.name}*")):
        yield file.name, file.read_bytes()
    for digest, body in bodies:
        yield f"document {digest}", zlib.decompress(body)
