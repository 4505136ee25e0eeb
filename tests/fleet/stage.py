"""A town and its three outside systems as a process of its own, so that they do not share an interpreter with who asks them.

    python -m tests.fleet.stage CLINICS CAMPAIGNS FOLDER NOW SPEED

Its world begins at NOW, and time passes in it SPEED times as fast as ours. Once it can be asked it says `ready`, and has
written to `FOLDER/stage.json` by which settings a service reaches it. Each line it is then told is JSON, and answered by one:

    ["book", FIRST, LAST]     sell out the physiotherapy of these clinics
    ["revoke", FIRST, LAST]   from now on Cliniko knows the keys of these clinics no more
    ["held"]                  every campaign as its platform holds it, and how many changes of it there were, by its id
    ["seen"]                  of each system, the most requests that it was sent in any second, and how many in all
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from service.sandbox.controls import as_held
from service.sandbox.scene import types_named
from service.sandbox.stage import staged
from service.sandbox.world import World
from tests.fleet.town import slug, town

MANY = 10_000_000
"""Requests that nobody is refused for: what the platforms grant is not what is tried here."""


def told(world: World, what: str, *of: int) -> Any:
    """Do what one line says."""
    if what == "held":
        state = as_held(world)
        return {row["id"]: row for kind in ("google", "meta") for row in state[kind]}
    if what == "seen":
        return seen(world)
    for n in range(*of):
        if what == "book":
            world.book_out(slug(n), types_named(world.clinics[slug(n)], "Initial physio"))
        else:
            world.clinics[slug(n)].api_key = f"MS0x{n}-revoked-au4"
    return len(range(*of))


def seen(world: World) -> dict[str, dict[str, int]]:
    """By the world's clock."""
    with world.lock:
        requests = [*world.requests]
    found = {}
    for system in ("cliniko", "google", "meta"):
        seconds = Counter(int(each.at.timestamp()) for each in requests if each.system == system)
        found[system] = {"most": max(seconds.values(), default=0), "all": sum(seconds.values())}
    return found


def main(clinics: int, campaigns: int, folder: Path, now: datetime, speed: float) -> None:
    world = town(clinics, campaigns, now)
    with staged(world, folder, MANY, MANY) as stage:
        world.tick(speed)
        (folder / "stage.json").write_text(json.dumps(stage.environment), "utf-8")
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        for line in sys.stdin:
            what, *of = json.loads(line)
            sys.stdout.write(json.dumps(told(world, what, *of)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), datetime.fromisoformat(sys.argv[4]), float(sys.argv[5]))
