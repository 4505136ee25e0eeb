"""The decision API over a million decisions: pages as quick at the end as at the beginning, beside a bare handler.

The server and those who ask it share two cores, as they would share a small machine; both servers are asked in the same way,
in turn, so that what else the machine does falls on both.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from service.keys import EVERY_CLINIC, new_key
from service.sandbox.scene import HARBOUR, scene
from service.store.keys import Role
from tests.benchmarks.api_load import BARE, Asker, as_many_as_possible, at_a_rate, multiply, process
from tests.support import RULES
from tests.web.world import Near, app_over, book_out

COUNT = int(os.environ.get("GOVERNOR_BENCH_DECISIONS", "1000000"))
SERVE = ("-c", "from service.cli import main; main()", "serve", "--api-only", "--port", "0")
LIST = f"/v1/decisions?clinic={HARBOUR}"
WINDOWS = 4
"""The quietest of so many stretches counts: what else the machine does can only add to how long an answer takes."""

WHY = f"/v1/decisions?clinic={HARBOUR}&campaign=physio-search&limit=20"


@dataclass(frozen=True, slots=True)
class Served:
    """A service over a full store, and the environment it was started in."""

    url: str
    secret: str
    folder: Path
    env: dict[str, str]


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("full")
    world = scene()
    async with app_over(Near(world), folder) as app:
        secret, _ = await new_key(app.store.keys, "agency", Role.VIEWER, [EVERY_CLINIC], app.clock())
        for hours in (0, 23, 1, 1):
            world.advance(timedelta(hours=hours))
            if hours == 23:
                book_out(world)
            await app.governor.run(HARBOUR)
    multiply(folder / "governor.db", COUNT)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GOVERNOR_")}
    env = clean | {"GOVERNOR_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'governor.db'}", "GOVERNOR_RULES_DIR": str(RULES)}
    env |= {"GOVERNOR_API__REQUESTS_PER_MINUTE": "0"}
    async with process(*SERVE, cwd=folder, env=env) as url:
        yield Served(url, secret, folder, env)


def cursor(at: datetime, id_: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), id_], separators=(",", ":")).encode()).decode().rstrip("=")


async def pages(served: Served, path: str) -> list[str]:
    """Addresses of pages from the first to the last, reached by instants rather than by turning half a million pages."""
    asker = await Asker.of(served.url, served.secret)
    first = json.loads(await asker.get(path + "&limit=1" if "limit" not in path else path))["items"][0]
    newest = datetime.fromisoformat(first["at"])
    per_hour = 4 if "campaign" not in path else 1
    hours = COUNT // 4 * (per_hour and 1)
    places = [newest - timedelta(hours=int(hours * share)) for share in (0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999)]
    asker.close()
    return [f"{path}&cursor={cursor(at, '~')}" for at in places]


@pytest.mark.bench
@pytest.mark.parametrize("path", [LIST, WHY], ids=["a list", "why"])
async def test_pages_are_as_quick_at_the_end_as_at_the_beginning(served: Served, path: str) -> None:
    found = {}
    for place in await pages(served, path):
        asker = await Asker.of(served.url, served.secret)
        body = await asker.get(place)
        asker.close()
        found[place] = (
            len(json.loads(body)["items"]),
            (await at_a_rate(served.url, served.secret, [place], 50, 4)).quantile(0.5),
        )
    print(f"\n{path}: a page at 0, 10, 25, 50, 75, 90 and 99.9% of {COUNT:,} decisions")
    print("  ms (median)  " + "  ".join(f"{ms:.1f}" for _, ms in found.values()))
    quickest = min(ms for _, ms in found.values())
    assert all(count >= 20 for count, _ in found.values())
    assert max(ms for _, ms in found.values()) < 1.5 * quickest + 1


@pytest.mark.bench
@pytest.mark.parametrize("path", [LIST, WHY], ids=["a list", "why"])
async def test_at_200_requests_a_second_99_in_100_answers_take_less_than_15_ms(served: Served, path: str) -> None:
    places = await pages(served, path)
    await at_a_rate(served.url, served.secret, places, 100, 2)
    windows = [await at_a_rate(served.url, served.secret, places, 200, 8) for _ in range(WINDOWS)]
    print(f"\n{path}: {WINDOWS} x {len(windows[0].all):,} answers at 200 a second, ms")
    for found in windows:
        print("  " + "  ".join(f"{share:.1%} {found.quantile(share):.1f}" for share in (0.5, 0.9, 0.99, 0.999)))
    assert min(found.quantile(0.99) for found in windows) < 15


@pytest.mark.bench
@pytest.mark.parametrize("path", [LIST, WHY], ids=["a list", "why"])
async def test_a_list_has_a_good_part_of_the_requests_per_second_of_a_bare_handler(served: Served, path: str) -> None:
    asker = await Asker.of(served.url, served.secret)
    body = await asker.get(path)
    asker.close()
    ratios, rates = [], []
    async with process("-c", BARE, given=body, cwd=served.folder, env=served.env) as bare:
        for _ in range(5):
            theirs = await as_many_as_possible(bare, served.secret, ["/v1/decisions"], 2)
            ours = await as_many_as_possible(served.url, served.secret, [path], 2)
            ratios.append(ours / theirs)
            rates.append((ours, theirs))
    ours, theirs = max(rates)
    print(f"\n{path}: {len(body):,} bytes; {ours:.0f} a second, a bare handler {theirs:.0f}: {median(ratios):.0%}")
    assert median(ratios) > 0.15
