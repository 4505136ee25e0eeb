"""Who calls the command line, as it is recorded with what they did."""

from __future__ import annotations

import getpass
import os


def caller() -> str:
    """The name of the user; `uid:<n>` where the system knows none for the number, as in a container run under any."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid:{os.getuid()}"
