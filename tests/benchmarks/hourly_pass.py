"""Passes over all clinics in a process of their own, each when it is told to, and what they cost.

    python -m tests.benchmarks.hourly_pass

For each instant on standard input it evaluates every clinic as of then and writes one line of JSON: seconds, changes, problems,
and the most memory the process has had so far, in MiB.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from datetime import UTC, datetime
from time import perf_counter, process_time

from service.app import bootstrap
from service.governor import Report
from service.jobs.passes import evaluate_all
from service.logs import configure
from service.revisions import governed

now = [datetime.min.replace(tzinfo=UTC)]


async def main() -> None:
    configure(50)
    async with bootstrap(clock=lambda: now[0]) as app:
        while line := sys.stdin.readline().strip():
            now[0] = datetime.fromisoformat(line)
            began, spent = perf_counter(), process_time()
            found = await evaluate_all(app, await governed(app.store, app.directory), dry_run=False)
            reports = [each for each in found if isinstance(each, Report)]
            told = {
                "seconds": perf_counter() - began,
                "processor": process_time() - spent,
                "clinics": len(reports),
                "changes": sum(each.ending == "applied" for report in reports for each in report.changes),
                "problems": sorted({problem for report in reports for problem in report.problems})[:3],
                "failed": sorted({str(each.error) for each in found if not isinstance(each, Report)})[:3],
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
            sys.stdout.write(f"> {json.dumps(told)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
