"""No patient datum gets in: words planted in everything that Cliniko says are found nowhere on our side.

The real adapter reads the sandbox's server through a wire that plants them; runs are whole, kept in SQLite, and looked at
through the API, the ledger's export, the logs and the database's own bytes.
"""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.routes import HTTPRoute
from sqlalchemy import select

from service.cliniko.access import FIELDS
from service.core.ledger import export_line
from service.core.rules.language import RuleSet
from service.logs import SILENCED, configure
from service.observe import Outside
from service.sandbox.cliniko.server import cliniko_app
from service.sandbox.scene import HARBOUR, scene
from service.store import tables
from tests.cliniko.stage import VirtualTime, diaries_through, over
from tests.planted import FAILURES, NAMES, STATUSES, Planter, on_disk, places_with, structured
from tests.web.conftest import Api, api_over
from tests.web.world import Near

PARTS = (
    "settings",
    "businesses",
    "practitioners",
    "services",
    "daily_",
    "unavailable",
    "available_times",
    "types/1443966599194223901",
)
WORDS = (f"zq{n}xjane" for n in count())
"""Each reading has a word of its own, so that none is found because of another."""


@dataclass(slots=True)
class Planted(Near):
    """Outside systems of which Cliniko is the sandbox's server, read by the real adapter over a planted wire."""

    planter: Planter | None = None

    def __call__(self, rules: RuleSet) -> Outside:
        assert self.planter is not None
        diaries = diaries_through(httpx.MockTransport(self.planter.handle), self.world, VirtualTime())
        return replace(Near(self.world)(rules), diaries=diaries)


@dataclass(slots=True)
class Watched:
    """The service over planted answers. `log` is everything that was logged, by whomever, down to DEBUG."""

    api: Api
    near: Planted
    directory: Path
    log: io.StringIO

    async def run(self, **planting: Any) -> str:
        """One evaluation, asked for over the API, with a new word planted; returns the word."""
        word = next(WORDS)
        planter = Planter(over(cliniko_app(self.near.world, patience=0.0, limit=10_000)), word, **planting)
        self.near.planter = planter
        answer = await self.api.ask("POST", f"/v1/clinics/{HARBOUR}/evaluations", json={"dry_run": False})
        assert planter.planted > 0
        assert answer.is_success, answer.text
        self.log.write(answer.text)
        return word

    async def everything(self) -> list[tuple[str, bytes]]:
        """All that anybody can get to see, by where."""
        async with self.api.app.store._database.reading() as conn:
            bodies = [(row.digest, row.body) for row in await conn.execute(select(tables.document))]
            bodies += [(f"of run {row.run}", row.body) for row in await conn.execute(select(tables.run_seen))]
            bodies += [(f"of day {row.day}", row.body) for row in await conn.execute(select(tables.day_seen))]
        records = (await self.api.app.store.ledger.records(limit=100_000)).items
        exported = "\n".join(map(export_line, records)).encode()
        found = [*on_disk(self.directory / "governor.db", bodies), ("export", exported), ("log", self.log.getvalue().encode())]
        await self.api.client.post("/sign-in", data={"key": self.api.secrets["admin"]})  # for the pages
        return [*found, *[(path, await self._shown(path)) for path in await self._addresses()]]

    async def _shown(self, path: str) -> bytes:
        answer = await self.api.ask("GET", path)
        assert answer.status_code in {200, 503} or path == "/sign-in", f"{path}: {answer.text}"
        return answer.content

    async def _addresses(self) -> list[str]:
        """Every GET route, for the newest run."""
        store = self.api.app.store
        run = await store.runs.latest_run(HARBOUR)
        assert run is not None
        [decision, *_] = await store.decisions.of_run(run.id)
        named = {"{clinic:str}": HARBOUR, "{run:str}": run.id, "{decision_id:str}": decision.id}
        routes = [each for each in self.api.litestar.routes if isinstance(each, HTTPRoute) and "GET" in each.methods]
        return [_filled(each.path, named) for each in routes if not each.path.startswith(ELSEWHERE)]


ELSEWHERE = ("/schema", "/static", "/events", "/v1/events")
"""The description and the script say nothing of any clinic; the streams tell the records, which are looked at."""


def _filled(path: str, named: dict[str, str]) -> str:
    for name, value in named.items():
        path = path.replace(name, value)
    assert "{" not in path, f"a value for {path} is missing"
    return f"{path}?clinic={HARBOUR}" if path.startswith("/v1/reports/") else path


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """Whatever is logged, down to DEBUG, as the service's own set-up lets it through."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error", "uvicorn.access", *SILENCED)]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:  # a server started by another test may have set them otherwise
        logger.setLevel(logging.DEBUG)
        logger.propagate = True
    logging.getLogger().addHandler(handler)
    configure(logging.DEBUG)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(written))
    try:
        yield written
    finally:
        structlog.reset_defaults()
        logging.getLogger().removeHandler(handler)
        for logger, level, propagate in before:
            logger.setLevel(level)
            logger.propagate = propagate


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    near = Planted(scene())
    with everything_logged() as log:
        async with api_over(near, tmp_path) as api:
            yield Watched(api, near, tmp_path, log)


WRONG = st.dictionaries(st.sampled_from(PARTS), st.sampled_from((*STATUSES, *FAILURES)), max_size=2)


PLANTING = {"instead": WRONG, "fields": st.frozensets(st.sampled_from(structured()), max_size=2)}


async def nothing_is_found(watched: Watched, **planting: Any) -> None:
    word = await watched.run(**planting)
    assert places_with(word, await watched.everything()) == []
    assert watched.near.world.trips == []


@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(planting=st.fixed_dictionaries(PLANTING))
async def test_nothing_that_cliniko_says_beyond_the_allowed_fields_is_found_on_our_side(
    watched: Watched, planting: dict[str, Any]
) -> None:
    await nothing_is_found(watched, **planting)


@pytest.mark.soak
@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(planting=st.fixed_dictionaries(PLANTING))
async def test_nothing_is_found_in_the_long_form_either(watched: Watched, planting: dict[str, Any]) -> None:
    await nothing_is_found(watched, **planting)


async def test_no_answer_that_fails_is_quoted(watched: Watched) -> None:
    words = {wrong: await watched.run(instead={"businesses": wrong}) for wrong in (*STATUSES, *FAILURES)}
    places = await watched.everything()
    assert {wrong: found for wrong, word in words.items() if (found := places_with(word, places))} == {}


async def test_no_allowed_field_but_a_name_is_kept_as_text(watched: Watched) -> None:
    words = {}
    for resource in FIELDS:
        of_it = frozenset(name for name in structured() if name.startswith(f"{resource}."))
        words[resource] = await watched.run(fields=of_it)
    places = await watched.everything()
    assert {name: found for name, word in words.items() if (found := places_with(word, places))} == {}


def test_the_names_are_the_only_text_that_is_kept() -> None:
    assert {f"{resource}.{name}" for resource, names in FIELDS.items() for name in names} - {*structured()} == NAMES


async def test_a_word_in_a_name_is_found_wherever_names_are_kept(watched: Watched) -> None:
    """What looks for the words sees them where they are."""
    word = await watched.run(fields=frozenset({"practitioners.label"}))
    found = places_with(word, await watched.everything())
    assert [each for each in found if each.startswith("document ")]


async def test_a_word_in_our_own_log_is_found(watched: Watched) -> None:
    word = await watched.run()
    structlog.get_logger("service").debug("said", what=word)
    logging.getLogger("uvicorn.error").debug("said %s", word)
    assert watched.log.getvalue().count(word) == 2
    assert places_with(word, await watched.everything()) == ["log"]
