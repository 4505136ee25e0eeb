"""Show one combination of the fault sweep: `python -m tests.faults.reproduce KIND few|many NUMBER`."""

from __future__ import annotations

import asyncio
import sys

from tests.faults.catalogue import Sweep, drawn
from tests.faults.lines import compared


def main(kind: str, sweep: Sweep, number: int) -> None:
    """Print a combination and what is wrong with it."""
    combination = drawn(kind, sweep)[number]
    wrong = asyncio.run(compared(combination)).wrong or ["nothing wrong"]
    sys.stdout.write("\n".join([str(combination), *wrong, ""]))


if __name__ == "__main__":
    main(sys.argv[1], "many" if sys.argv[2] == "many" else "few", int(sys.argv[3]))
