"""Hourly passes over many clinics of 20 campaigns, compute and store only, in a process of their own.

    python -m tests.benchmarks.fleet_pass DATABASE_URL RULES CLINICS PASSES

It keeps to one core, so that nothing is counted for threads that go from one to another. What lies beyond the wire answers at
once and from memory, so that what is measured is the service's own: reading rule files, the database, the forecast, rules and
guardrails, the ledger. Writes one line of JSON per pass.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter, process_time

from service.app import assemble
from service.cli.stoppable import run
from service.collecting import collect_rarely
from service.core.model import Diaries, Platform
from service.core.rules.language import RuleSet, Service
from service.governor import Report
from service.jobs.passes import evaluate_all
from service.logs import configure
from service.observe import Outside
from service.revisions import governed, look_over
from service.sandbox.reading import diaries
from service.settings import Settings
from tests.fleet.town import slug, town
from tests.web.world import WorldAds

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Known:
    """A clinic's Cliniko account whose every answer has been read: all clinics of the town are alike."""

    read_now: Diaries

    async def read(self, services: Sequence[Service]) -> Diaries:  # noqa: ARG002 - the port's
        return self.read_now


async def main(url: str, rules: Path, count: int, passes: int) -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    configure(50)
    collect_rarely()  # as a worker does
    world = town(count)
    app, adapters = assemble(Settings(database_url=url, rules_dir=rules, _env_file=None), world.clock())
    await app.store.migrate()
    read: dict[str, Diaries] = {}

    def outside(of: RuleSet) -> Outside:
        return Outside(Known(read["now"]), {platform: WorldAds(world, of, platform) for platform in Platform})

    app = replace(app, governor=replace(app.governor, outside=outside))
    clinics = await governed(app.store, app.directory)
    for number in range(passes):
        world.advance(HOUR)
        services = tuple(app.directory.load(clinics[0]).rules.services.values())
        read["now"] = diaries(world.clinics[slug(0)], services, world.now)
        look_over(app.directory, clinics)
        began, spent = perf_counter(), process_time()
        found = await evaluate_all(app, clinics, dry_run=False)
        told = {
            "pass": number,
            "clinics": sum(isinstance(each, Report) and each.status == "finished" for each in found),
            "decisions": sum(len(each.decisions) for each in found if isinstance(each, Report)),
            "problems": sorted({str(each) for each in found if not isinstance(each, Report)})[:2],
            "seconds": perf_counter() - began,
            "processor": process_time() - spent,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        sys.stdout.write(f"> {json.dumps(told)}\n")
        sys.stdout.flush()
    await adapters.aclose()
    await app.store.aclose()


if __name__ == "__main__":
    run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
