"""The sandbox's Google Ads: API v26 over gRPC and TLS on loopback, close enough that the official client needs no patching.

GoogleAdsService (Search, SearchStream, Mutate), CampaignService.MutateCampaigns and
CampaignBudgetService.MutateCampaignBudgets over the world's accounts, and a token endpoint. The client finds it with
`endpoint`, trusts it through `GRPC_DEFAULT_SSL_ROOTS_FILE_PATH` (set before the process's first TLS channel; behind a proxy
also `no_proxy`), and signs in with `key_file`.

Faults: `Fault("google", kind, match)`, where `match` is part of an RPC's name, and of what it
asks of, such as `GoogleAdsService/SearchStream FROM campaign`:

    unavailable              UNAVAILABLE, no failure message
    internal                 INTERNAL with InternalError.INTERNAL_ERROR
    resource_exhausted       RESOURCE_EXHAUSTED with QuotaError.RESOURCE_TEMPORARILY_EXHAUSTED, retry in 30 s
    quota_day                RESOURCE_EXHAUSTED with QuotaError.RESOURCE_EXHAUSTED, retry in 4 h
    permission_denied        PERMISSION_DENIED with AuthorizationError.USER_PERMISSION_DENIED
    token_revoked            the token endpoint answers 400 invalid_grant, and tokens it issued are refused
    token_unavailable        the token endpoint answers 503
    deadline                 no answer until the caller has given up
    applied_then_unavailable a mutate is carried out, then UNAVAILABLE; a search is only unavailable
    concurrent_modification  ABORTED with DatabaseError.CONCURRENT_MODIFICATION
    unreadable               UNKNOWN, no failure message
    torn_stream              SearchStream sends its first row, then UNAVAILABLE
    small_batches            SearchStream sends its rows one by one
    late_changes             SearchStream does not tell yet what was changed in the last three minutes
    names_only               a mutate answers resource names although more was asked for
    <group_error.NAME>       any error of the API by its own name, such as `campaign_budget_error.MONEY_AMOUNT_TOO_LARGE`
    ends                     the call ends as `what` says: see `service.sandbox.google_ads.endings`
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import grpc
from google.ads.googleads.v26.services.types import campaign_budget_service as budget_types
from google.ads.googleads.v26.services.types import campaign_service as campaign_types
from google.ads.googleads.v26.services.types import google_ads_service as types

from service.sandbox.accounts import GoogleAccount
from service.sandbox.google_ads.certificate import certificate_in
from service.sandbox.google_ads.endings import ENDINGS, LATER, ending
from service.sandbox.google_ads.mutates import Author, Done, Outcome, Work, carry_out, resource
from service.sandbox.google_ads.refusals import Refusal, refusal, refuse, status_of
from service.sandbox.google_ads.rows import answer
from service.sandbox.google_ads.tokens import CLIENT_ID, CLIENT_SECRET, EMAIL, REFRESH_TOKEN, Tokens
from service.sandbox.serving import serving
from service.sandbox.world import Fault, World

PACKAGE = "google.ads.googleads.v26.services"
PAGE = 10_000
LONGEST_SILENCE = 60.0
WRITE_SECONDS = 0.01
"""How long a mutate takes; a second one to the same account meanwhile gets CONCURRENT_MODIFICATION."""
WORKERS = 8
OPTIONS = [("grpc.so_reuseport", 0), ("grpc.max_concurrent_streams", 20)]
"""Few streams, so that a client that leaves them unfinished comes to a halt."""
Status = grpc.StatusCode


@dataclass(frozen=True, slots=True)
class GoogleSandbox:
    """Where the server is and how to get in. `endpoint` is host:port, `token_uri` plain HTTP."""

    endpoint: str
    certificate: Path
    key_file: Path
    token_uri: str
    email: str = EMAIL
    client_id: str = CLIENT_ID
    client_secret: str = CLIENT_SECRET
    refresh_token: str = REFRESH_TOKEN


@contextmanager
def google_ads_server(world: World, directory: Path, port: int = 0) -> Iterator[GoogleSandbox]:
    """Serve the world's Google Ads accounts on loopback; port 0 takes a free one.

    Certificate and keys are kept in `directory` and used again by the next server that is given it.
    """
    certificate, key = certificate_in(directory)
    tokens = Tokens(world, directory)
    server = grpc.server(ThreadPoolExecutor(WORKERS), options=OPTIONS)
    server.add_generic_rpc_handlers(_handlers(_Api(world, tokens)))
    secrets = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    bound = server.add_secure_port(f"127.0.0.1:{port}", secrets)
    server.start()
    try:
        with serving(cast("Any", tokens)) as address:
            key_file = directory / f"service-account-{bound}.json"
            tokens.write_key_file(key_file, f"{address}/token")
            yield GoogleSandbox(f"localhost:{bound}", certificate, key_file, f"{address}/token")
    finally:
        server.stop(grace=0).wait()


class _Api:
    """The five RPCs. Each is admitted, may fall victim to a fault, and is answered from the world."""

    def __init__(self, world: World, tokens: Tokens) -> None:
        self.world = world
        self.tokens = tokens
        self._ids = itertools.count(1)
        self._writing: dict[str, threading.Lock] = {}

    def unary(self, name: str, work: Callable[..., Any], request: Any, context: grpc.ServicerContext) -> Any:
        """Serve a call with one answer."""
        with self._call(name, request, context) as (account, fault, request_id):
            made = work(account, type(request).pb(request), fault, request_id)
            if fault == "applied_then_unavailable":
                raise Refusal(*ENDINGS["unavailable"])
            return made

    def stream(self, name: str, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Serve SearchStream: batches of up to 10,000 rows."""
        with self._call(name, request, context) as (account, fault, request_id):
            rows, fields = self._rows(account, request.query, late=fault == "late_changes")
            size = 1 if fault in {"torn_stream", "small_batches"} else PAGE
            for at in range(0, max(len(rows), 1), size):
                batch = types.SearchGoogleAdsStreamResponse.pb()(request_id=request_id, results=rows[at : at + size])
                batch.field_mask.paths.extend(fields)
                yield types.SearchGoogleAdsStreamResponse.wrap(batch)
                if fault in {"torn_stream", "applied_then_unavailable"}:
                    raise Refusal(*ENDINGS["unavailable"])

    def search(self, account: GoogleAccount, request: Any, _fault: str, _request_id: str) -> Any:
        """One page; the page token is where the next begins."""
        if request.page_size:
            raise refusal("request_error.PAGE_SIZE_NOT_SUPPORTED", "Setting the page size is not supported.")
        if request.page_token and not request.page_token.isdigit():
            raise refusal("request_error.INVALID_PAGE_TOKEN", "The page token is invalid.")
        rows, fields = self._rows(account, request.query)
        at = int(request.page_token or 0)
        page = types.SearchGoogleAdsResponse.pb()(results=rows[at : at + PAGE], total_results_count=len(rows))
        page.next_page_token = str(at + PAGE) if at + PAGE < len(rows) else ""
        page.field_mask.paths.extend(fields)
        return types.SearchGoogleAdsResponse.wrap(page)

    def mutate(self, account: GoogleAccount, request: Any, fault: str, request_id: str) -> Any:
        """GoogleAdsService.Mutate: operations of both kinds in one group."""
        works = [_work(index, operation) for index, operation in enumerate(request.mutate_operations)]
        outcome = self._carry_out(account, request, works)
        made = types.MutateGoogleAdsResponse.pb()()
        for done in outcome.done:
            entry = made.mutate_operation_responses.add()
            if done is not None:
                result = entry.campaign_result if done.kind == "campaigns" else entry.campaign_budget_result
                _fill(result, done, whole=_whole(request, fault))
        _note(made, outcome, request_id)
        return types.MutateGoogleAdsResponse.wrap(made)

    def mutate_one_kind(
        self, kind: str, answer_type: Any, account: GoogleAccount, request: Any, fault: str, request_id: str
    ) -> Any:
        """CampaignService and CampaignBudgetService: the same with operations of one kind."""
        works = [Work(kind, operation, "operations", index) for index, operation in enumerate(request.operations)]
        outcome = self._carry_out(account, request, works)
        made = answer_type.pb()()
        for done in outcome.done:
            result = made.results.add()
            if done is not None:
                _fill(result, done, whole=_whole(request, fault))
        _note(made, outcome, request_id)
        return answer_type.wrap(made)

    @contextmanager
    def _call(self, name: str, request: Any, context: grpc.ServicerContext) -> Iterator[tuple[GoogleAccount, str, str]]:
        """Admit a call and commit its fault; a Refusal inside ends the RPC the way the real service would."""
        request_id = f"sandbox-{next(self._ids)}"
        self.world.saw("google", "RPC", name)
        context.send_initial_metadata((("request-id", request_id),))
        try:
            fault = self.world.fault("google", name + _asked_of(request))
            _commit(fault, context)
            account = self._admitted(str(request.customer_id), dict(context.invocation_metadata()), name)
            yield account, fault.kind if fault is not None else "", request_id
        except Refusal as no:
            refuse(context, no, request_id)

    def _admitted(self, customer_id: str, headers: dict[str, str], name: str) -> GoogleAccount:
        if not self.tokens.knows(headers.get("authorization", "")):
            raise refusal("authentication_error.OAUTH_TOKEN_INVALID", "The OAuth token in the header is not valid.")
        if not customer_id.isdigit():
            raise refusal("request_error.INVALID_CUSTOMER_ID", f"Invalid customer ID '{customer_id}'.")
        accounts, login = self.world.google, headers.get("login-customer-id", "")
        managers = {account.login_customer_id for account in accounts.values()}
        if customer_id in managers:
            raise _manager(name)
        if customer_id not in accounts:
            raise refusal("authentication_error.CUSTOMER_NOT_FOUND", "No customer found for the provided customer id.")
        account = accounts[customer_id]
        if login and login not in managers:
            raise refusal("header_error.INVALID_LOGIN_CUSTOMER_ID", "The login customer ID could not be validated.")
        if login != account.login_customer_id:
            raise refusal("authorization_error.USER_PERMISSION_DENIED", "User doesn't have permission to access customer.")
        return account

    def _rows(self, account: GoogleAccount, query: str, *, late: bool = False) -> tuple[list[Any], tuple[str, ...]]:
        with self.world.lock:
            return answer(self.world, account, query, late=late)

    def _carry_out(self, account: GoogleAccount, request: Any, works: list[Work]) -> Outcome:
        flags = {"partial": bool(request.partial_failure), "validate_only": bool(request.validate_only)}
        alone = self._writing.setdefault(account.customer_id, threading.Lock())
        if not alone.acquire(blocking=False):
            raise Refusal(*ENDINGS["concurrent_modification"])
        try:
            time.sleep(WRITE_SECONDS)
            return carry_out(self.world, account, works, Author(EMAIL), **flags)
        finally:
            alone.release()


def _manager(name: str) -> Refusal:
    if "Search" in name:
        return refusal("query_error.REQUESTED_METRICS_FOR_MANAGER", "Metrics cannot be requested for a manager account.")
    return refusal("request_error.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT", "A manager account cannot be changed.")


def _asked_of(request: Any) -> str:
    """` FROM campaign` for a query of campaigns."""
    found = re.search(r"\sFROM \w+", getattr(request, "query", ""))
    return found.group() if found else ""


def _commit(fault: Fault | None, context: grpc.ServicerContext) -> None:
    if fault is None or fault.kind in LATER:
        return
    if fault.kind == "deadline":
        gone = threading.Event()
        if context.add_callback(gone.set):
            gone.wait(LONGEST_SILENCE)
    raise ending(fault)


def _work(index: int, operation: Any) -> Work:
    kinds = {"campaign_operation": "campaigns", "campaign_budget_operation": "campaignBudgets"}
    which = operation.WhichOneof("operation")
    if which not in kinds:
        raise refusal("mutate_error.MUTATE_NOT_ALLOWED", f"The sandbox has no {which}.", (("mutate_operations", index),))
    return Work(kinds[which], getattr(operation, which), "mutate_operations", index)


def _whole(request: Any, fault: str) -> bool:
    kind = request.DESCRIPTOR.fields_by_name["response_content_type"].enum_type.values_by_name["MUTABLE_RESOURCE"]
    return bool(request.response_content_type == kind.number) and fault != "names_only"


def _fill(result: Any, done: Done, *, whole: bool) -> None:
    result.resource_name = done.name
    if whole:
        resource(result.campaign if done.kind == "campaigns" else result.campaign_budget, done)


def _note(made: Any, outcome: Outcome, request_id: str) -> None:
    """Say under `partial_failure` which operations failed."""
    if outcome.mistakes:
        status = status_of(outcome.mistakes, request_id, Status.INVALID_ARGUMENT, "Multiple errors in 'details'.")
        made.partial_failure_error.CopyFrom(status)


def _handlers(api: _Api) -> tuple[grpc.GenericRpcHandler, ...]:
    def method(service: str, rpc: str, asked: Any, answered: Any, work: Callable[..., Any] | None) -> Any:
        name = f"{service}/{rpc}"
        coding = {"request_deserializer": asked.deserialize, "response_serializer": answered.serialize}
        if work is None:
            return grpc.unary_stream_rpc_method_handler(partial(api.stream, name), **coding)
        return grpc.unary_unary_rpc_method_handler(partial(api.unary, name, work), **coding)

    def service(name: str, **methods: tuple[Any, Any, Callable[..., Any] | None]) -> grpc.GenericRpcHandler:
        made = {rpc: method(name, rpc, *parts) for rpc, parts in methods.items()}
        return grpc.method_handlers_generic_handler(f"{PACKAGE}.{name}", made)

    campaigns, budgets = campaign_types.MutateCampaignsResponse, budget_types.MutateCampaignBudgetsResponse
    return (
        service(
            "GoogleAdsService",
            Search=(types.SearchGoogleAdsRequest, types.SearchGoogleAdsResponse, api.search),
            SearchStream=(types.SearchGoogleAdsStreamRequest, types.SearchGoogleAdsStreamResponse, None),
            Mutate=(types.MutateGoogleAdsRequest, types.MutateGoogleAdsResponse, api.mutate),
        ),
        service(
            "CampaignService",
            MutateCampaigns=(
                campaign_types.MutateCampaignsRequest,
                campaigns,
                partial(api.mutate_one_kind, "campaigns", campaigns),
            ),
        ),
        service(
            "CampaignBudgetService",
            MutateCampaignBudgets=(
                budget_types.MutateCampaignBudgetsRequest,
                budgets,
                partial(api.mutate_one_kind, "campaignBudgets", budgets),
            ),
        ),
    )
