"""The facebook-business SDK behind one call: the only module that imports it, and the border its types do not cross.

Each `Session` has an SDK session and API object of its own. `FacebookAdsApi.init()` is never called: it would set a
process-wide default account and an exception hook that reports to Meta. The access token travels in the `Authorization`
header instead of the URL, where logs and error texts would show it. A guard looks at every answer before the SDK does,
because the SDK takes an empty body or a 5xx without an `error` for success and fails on HTML with a bare `TypeError`.

Blocking: call it from a thread. A session serves one call at a time.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import requests
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookError
from facebook_business.session import FacebookSession
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from service.core.canonical import in_full
from service.core.errors import AmbiguousWriteError, OutsideError, ProtocolError, TransientError
from service.meta.credentials import MetaCredentials, redactor
from service.meta.errors import TOO_MANY_REQUESTS, Report, UndocumentedRefusalError, as_read_error, as_write_error
from service.meta.usage import NOTHING_KNOWN, Usage, usage

log = logging.getLogger(__name__)

LONGEST_MESSAGE = 300


class _ReportedError(Exception):
    """The answer carries an error of Graph's own."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(report.label)


class _UnusableError(Exception):
    """The answer is nothing Graph documents."""

    def __init__(self, status: int, what: str) -> None:
        self.status = status
        super().__init__(f"HTTP {status} with {what}")


class Session:
    """One connection to Graph on behalf of one system user. `usage` is what the last answer said about the quota."""

    def __init__(self, credentials: MetaCredentials, base_url: str | None, timeout: tuple[float, float]) -> None:
        session = FacebookSession(
            app_secret=credentials.app_secret, access_token=credentials.access_token, timeout=timeout
        )  # fmt: skip
        if base_url:
            session.GRAPH = base_url.rstrip("/")
        http: requests.Session = session.requests
        http.trust_env = False
        del http.params["access_token"]  # type: ignore[union-attr]  # the SDK has just put a dict there
        http.headers["Authorization"] = f"Bearer {credentials.access_token}"
        http.hooks["response"].append(self._guard)
        proof = getattr(session, "appsecret_proof", None)
        self._redact: Callable[[str], str] = redactor(credentials.access_token, credentials.app_secret, proof)
        self._http = http
        self._api: Any = FacebookAdsApi(session)
        self.usage: Usage = NOTHING_KNOWN

    def close(self) -> None:
        """Give the sockets back."""
        self._http.close()

    def call(self, method: str, path: tuple[str, ...], params: Mapping[str, object]) -> Mapping[str, object]:
        """The JSON object Graph answers; raises the `OutsideError` family only, and nothing with a secret in it.

        What the SDK raises is dropped rather than chained: its texts quote the request.
        """
        outcome = self._outcome(method, path, params)
        if isinstance(outcome, OutsideError):
            raise outcome
        return outcome

    def _outcome(self, method: str, path: tuple[str, ...], params: Mapping[str, object]) -> Mapping[str, object] | OutsideError:
        writing = method != "GET"
        self.usage = NOTHING_KNOWN
        try:
            answer: Mapping[str, object] = in_full(self._api.call(method, path, params=dict(params)).json())
        except _ReportedError as error:
            return (as_write_error if writing else as_read_error)(error.report, self.usage)
        except _UnusableError as error:
            return _unusable(error, self.usage, writing=writing)
        except requests.RequestException as error:
            return _unanswered(error, writing=writing)
        except FacebookError:
            return UndocumentedRefusalError(
                "meta", "Meta answered that it did not succeed, without a reason", code="no_success"
            )
        return answer

    def _guard(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """Let nothing through to the SDK but a JSON object without an `error`."""
        response.encoding = "utf-8"
        self.usage = usage({name.lower(): value for name, value in response.headers.items()})
        if warning := response.headers.get("X-Ad-Api-Version-Warning"):
            log.warning("Meta warns about the API version: %s", self._redact(warning))
        try:
            body = json.loads(response.text)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise _UnusableError(response.status_code, _described(response))
        if isinstance(body.get("error"), dict):
            raise _ReportedError(self._report(response.status_code, body["error"]))
        if "error" in body or response.status_code >= 300:
            raise _UnusableError(response.status_code, "JSON of an unknown shape")

    def _report(self, status: int, error: Mapping[str, Any]) -> Report:
        said = [error.get("error_user_title"), error.get("error_user_msg") or error.get("message")]
        message = " - ".join(str(part).strip(" .") for part in said if part)
        return Report(
            status=status,
            code=_integer(error.get("code")),
            subcode=_integer(error.get("error_subcode")),
            transient=error.get("is_transient") is True,
            message=self._redact(message)[:LONGEST_MESSAGE],
        )


def _integer(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and re.fullmatch(r"-?\d{1,12}", str(value)) else None


def _described(response: requests.Response) -> str:
    if not response.content:
        return "an empty body"
    return f"a body of type {response.headers.get('Content-Type', 'unknown')[:60]} instead of a JSON object"


def _unusable(error: _UnusableError, said: Usage, *, writing: bool) -> OutsideError:
    code = f"http_{error.status}"
    if writing:
        return AmbiguousWriteError("meta", f"Meta answered {error}; the change may have been made", code=code)
    if error.status == TOO_MANY_REQUESTS:
        return TransientError("meta", f"Meta asks for fewer calls: it answered {error}", code=code, retry_after=said.wait())
    if error.status >= 500:
        return TransientError("meta", f"Meta is not working: it answered {error}", code=code)
    return ProtocolError("meta", f"what answered is not Meta's Graph API: {error}", code=code)


def _unanswered(error: requests.RequestException, *, writing: bool) -> OutsideError:
    """No complete answer. Whether a write left this machine decides if it may have been made."""
    kind = type(error).__name__
    if writing and not _never_sent(error):
        return AmbiguousWriteError("meta", f"Meta did not answer ({kind}); the change may have been made", code=kind)
    return TransientError("meta", f"Meta could not be reached or did not answer ({kind})", code=kind)


def _never_sent(error: requests.RequestException) -> bool:
    """Whether no connection came about, so that nothing can have been sent."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError | ConnectTimeoutError)


def _without_proof(record: logging.LogRecord) -> bool:
    """urllib3 logs whole URLs at DEBUG level, and `appsecret_proof` can only travel there."""
    if isinstance(record.args, tuple):
        record.args = tuple(_blank(arg) if isinstance(arg, str) else arg for arg in record.args)
    return True


_blank = redactor()
logging.getLogger("urllib3.connectionpool").addFilter(_without_proof)
