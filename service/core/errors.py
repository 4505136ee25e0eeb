"""The one error tree.

Adapters translate every SDK, HTTP and database exception into one of these at their border, and the retry policy lives on
the error, not on its handler. Pure.

    GovernorError
    +- InputError              a person can mend it: bad file, setting or argument (exit status 2)
    |  +- RuleFileError        a rule file is refused; carries every problem with its line
    |  +- SettingsError        a credential or setting is missing or malformed
    +- NotFoundError           no such clinic, run, decision, hold or key
    |  +- GoneError            there was; it is no longer kept
    +- AnsweredError           a question to people has its answer, or is no longer the question
    +- RepeatedError           a word that was given for another request
    +- UnderWayError           the same is being done at this moment
    +- LedgerBrokenError       the hash chain does not hold
    +- LeaseLostError          another worker governs this clinic now
    +- StoreError              the database cannot be reached, or refuses
    +- OutsideError            an outside system did not do what was asked
       +- TransientError       may succeed if repeated: outage, timeout, throttling
       +- CredentialsError     key, token or role: a person must act; stop this account
       +- RefusedError         this request will never succeed as it stands
       +- ProtocolError        the answer is not of the documented shape
       +- AmbiguousWriteError  the write may or may not have been applied: read before doing anything else
       +- StoppedError         a person's word stopped the write before anything of it was sent
       +- PartialWriteError    a part of the write was applied and the rest was not: read before doing anything else
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


class GovernorError(Exception):
    """Anything this service raises on purpose; `str()` of it is fit for a person to read."""


class InputError(GovernorError):
    """A person gave something unusable; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file: where it is, what is wrong, and what to write instead."""

    file: str
    line: int
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" + (f"; {self.advice}" if self.advice else "")


class RuleFileError(InputError):
    """A rule file is refused as a whole."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class SettingsError(InputError):
    """A setting or credential is missing or malformed."""


class NotFoundError(GovernorError):
    """There is no such thing."""


class GoneError(NotFoundError):
    """It is no longer kept; the message says for how long it was."""


class AnsweredError(GovernorError):
    """A question to people has its answer, or is no longer the question."""


class RepeatedError(GovernorError):
    """A word by which a request can be repeated was used for another request."""


class UnderWayError(GovernorError):
    """The first of two same requests has no answer yet."""


class LedgerBrokenError(GovernorError):
    """A ledger record does not hash to what its successor remembers."""


class LeaseLostError(GovernorError):
    """Another worker took this clinic over; nothing more may be written on its behalf."""


class StoreError(GovernorError):
    """The database cannot be reached, or refuses what was asked of it."""


class SharedError(StoreError):
    """Redis, by which processes share what they may send, cannot be reached or refuses."""


class OutsideError(GovernorError):
    """An outside system did not do what was asked.

    `system` is `cliniko`, `google`, `meta` or a channel; `code` is that system's own name for the failure, for the ledger.
    """

    def __init__(self, system: str, message: str, *, code: str = "") -> None:
        self.system = system
        self.code = code
        super().__init__(message)


class TransientError(OutsideError):
    """May succeed if repeated; `retry_after` is how long the system asked to be left alone, if it said so."""

    def __init__(self, system: str, message: str, *, code: str = "", retry_after: timedelta | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(system, message, code=code)


class CredentialsError(OutsideError):
    """A key, token or permission is missing, expired or revoked: a person must act."""


class RefusedError(OutsideError):
    """The system understood and said no; repeating the same request cannot help."""


class ProtocolError(OutsideError):
    """The answer is not of the documented shape, so nothing may be concluded from it."""


class AmbiguousWriteError(OutsideError):
    """A write was sent and its outcome is unknown: read the resource before anything else is decided."""


class StoppedError(OutsideError):
    """A person's word, or that it cannot be read, stopped a write before anything of it was sent; the message is that word."""


class PartialWriteError(OutsideError):
    """A write of several parts stopped half-way: some were made, the others certainly not, and the message says why."""
