"""Structured logs on standard error: readable on a terminal, one JSON object per line elsewhere.

Every line says what happened (`event`), how bad it is and when; what was bound where it was logged comes along: within a run
`run` and `clinic`, within a request to the API `request`. What libraries log through `logging` goes the same way and looks the
same. Whatever is written has been through one function last that blanks out the secrets of the settings, so that neither an
exception's text nor an address in some value shows one.

Which secrets there are is known once per process, as logging is set up once per process.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterable
from typing import TextIO, cast

import structlog
from structlog.types import EventDict, ExcInfo, Processor, WrappedLogger

from service.core.redaction import redactor

SILENCED = ("httpx", "httpcore", "apprise")
"""Libraries that log the addresses, headers and reason phrases they are sent: they are not asked what we may keep."""

Redact = Callable[[str], str]


class _StandardError(io.TextIOBase):
    """Standard error as it is whenever something is written, not as it was when logging was set up."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def close(self) -> None:
        """It is not ours to close; and when the process ends, what it takes to do so may be gone."""


STANDARD_ERROR = cast("TextIO", _StandardError())


class _Concealed:
    """What blanks out the secrets of this process, once they are known."""

    redact: Redact = staticmethod(redactor(()))


def conceal(secrets: Iterable[str]) -> None:
    """From now on blank these secrets, and no others, out of what is logged and what `redacted` is given."""
    _Concealed.redact = staticmethod(redactor(secrets))


def redacted(text: str) -> str:
    """A text that may be shown."""
    return _Concealed.redact(text)


def silence(name: str) -> None:
    """Let a library log nothing."""
    silenced = logging.getLogger(name)
    silenced.propagate = False
    if not silenced.handlers:  # without any, what it warns of would go to standard error as it is
        silenced.addHandler(logging.NullHandler())


def configure(level: int = logging.WARNING) -> None:
    """Send log events of `level` and above to standard error, and what libraries warn of with them."""
    for name in SILENCED:
        silence(name)
    rendered = _rendered(terminal=sys.stderr.isatty())
    structlog.configure(
        processors=[*_SHARED, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(STANDARD_ERROR),
        cache_logger_on_first_use=False,
    )
    _take_in_libraries(rendered)


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def _rendered(*, terminal: bool) -> tuple[Processor, ...]:
    """From an event to the line that is written. Local variables are never shown: they are where secrets are."""
    if terminal:
        return _harmless, structlog.dev.ConsoleRenderer(exception_formatter=_harmless_traceback), _without_secrets
    return structlog.processors.format_exc_info, structlog.processors.JSONRenderer(), _without_secrets


def _without_secrets(_logger: WrappedLogger, _method: str, line: EventDict | str) -> str:
    return redacted(str(line))


# --- on a terminal ------------------------------------------------------------------------------------------------------

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPED = {code: ascii(chr(code))[1:-1] for code in _CONTROLS}
"""Characters that a terminal obeys instead of showing them (those that turn the direction of text too), and their names."""

_ESCAPED_IN_LINES = {code: shown for code, shown in _ESCAPED.items() if chr(code) not in "\n\t"}


def _harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The event without what would move the cursor, change a title or forge a line: values come from whoever asks us."""
    return {_shown(name): _shown_of(name, value) for name, value in event.items()}


def _shown_of(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value  # its `repr` is written, which names such characters itself
    return value.translate(_ESCAPED_IN_LINES) if name in {"exception", "stack"} else _shown(value)


def _shown(text: str) -> str:
    return text.translate(_ESCAPED)


def _harmless_traceback(file: TextIO, exc_info: ExcInfo) -> None:
    written = io.StringIO()
    structlog.dev.plain_traceback(written, exc_info)
    file.write(written.getvalue().translate(_ESCAPED_IN_LINES))


# --- what libraries log -------------------------------------------------------------------------------------------------


_LIBRARIES = logging.StreamHandler(STANDARD_ERROR)
_LIBRARIES.setLevel(logging.WARNING)


def _take_in_libraries(rendered: tuple[Processor, ...]) -> None:
    """Let the root logger write through the same processors."""
    _LIBRARIES.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered],
        )
    )
    logging.getLogger().addHandler(_LIBRARIES)
