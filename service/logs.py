"""Structured logs on standard error: events with run and clinic ids, readable on a terminal and JSON elsewhere."""

from __future__ import annotations

import logging
import sys

import structlog

SILENCED = ("httpx", "httpcore")
"""Libraries that log the addresses, headers and reason phrases they are sent: they are not asked what we may keep."""


def configure(level: int = logging.WARNING) -> None:
    """Send log events of `level` and above to standard error."""
    for name in SILENCED:
        logging.getLogger(name).propagate = False
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if terminal else structlog.processors.format_exc_info,
            *([] if terminal else [structlog.processors.JSONRenderer()]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
