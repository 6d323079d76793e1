"""The front layer's neighbours: keys, the store for multipart files, waiting for jobs and following them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, close_old_connections

from apikit.asgi import Scope, header
from apikit.facade import Form, FormReader, Problem, unavailable
from apikit.front import MORE_HEADERS, REQUEST_ID
from apikit.limits.answers import crowded, refusal
from apikit.limits.answers import headers as limit_headers
from apikit.limits.contracts import Charge, Limited
from apikit.limits.leases import Crowded, Held
from apikit.threads import in_request_thread
from config.streams import Streams
from dispatch.facade import waiter
from events.facade import Origin, enter_origin, leave_origin
from speech.facade import content_fetched, incoming_key
from storage.facade import CHUNK_BYTES, Writer, store
from tenants import facade as tenants
from tenants.facade import OPERATOR_SCOPE_KEY, PUBLIC, SCOPE_KEY, AddressRefused, Caller, KeyRefused, Operator

HELD = "parlance.places"
TOKEN = "parlance.tokens"  # noqa: S105  # a name in the scope
TAKES_FILES = frozenset({"/v1/transcriptions", "/v1/audio/transcriptions", "/v1/audio/translations"})

ADMIN = "/v1/admin/"
Known = TypeVar("Known", Caller, Operator)
KEY_HEADERS = frozenset({b"authorization", b"x-api-key"})
BEARER = {"WWW-Authenticate": 'Bearer realm="parlance"'}


class ApiGuard:
    """Implements `apikit.front.Guard`."""

    def __init__(self) -> None:
        self._streams = Streams(
            limit=settings.MAX_STREAMS, tenant_limit=settings.MAX_STREAMS_PER_TENANT, still_admits=self._still_admits
        )

    async def admit(self, scope: Scope) -> None:
        """The caller from the key alone; its tenant is in force until `leave`."""
        if scope["path"].startswith(ADMIN):
            await self._admit_operator(scope)
            return
        caller = await self._caller(scope)
        await _take_turn(caller, scope)
        await _take_places(caller, scope)
        scope[SCOPE_KEY] = caller
        scope[TOKEN] = (
            tenants.enter(caller.tenant),
            enter_origin(_origin(str(caller.key_id), scope, livemode=caller.livemode)),
        )

    async def _admit_operator(self, scope: Scope) -> None:
        """An operator is of no tenant: what stands in the public schema is in force."""
        operator = await self._known(scope, self._operator)
        await _charge(tenants.charges_of_operator(operator), scope)
        scope[OPERATOR_SCOPE_KEY] = operator
        scope[TOKEN] = tenants.enter(PUBLIC), enter_origin(_origin(operator.actor, scope, livemode=None))

    async def _caller(self, scope: Scope) -> Caller:
        tenants.listen_for_changes()
        return await self._known(scope, self._tenants_caller)

    async def _tenants_caller(self, key: str, address: str) -> Caller:
        if tenants.is_operators(key):
            detail = "A key of the operator's opens /v1/admin/ only. Use a tenant's API key here."
            raise Problem("wrong_key_kind", 403, detail)
        caller = tenants.cached(key, address=address)
        return caller or await sync_to_async(_authenticate, thread_sensitive=False)(key, address=address)

    async def _operator(self, key: str, address: str) -> Operator:
        if tenants.is_operators(key):
            return await sync_to_async(_authenticate_operator, thread_sensitive=False)(key, address=address)
        if tenants.is_well_formed(key):
            detail = "This is the operator's. Keys for /v1/admin/ are made by `parlance operator create`."
            raise Problem("wrong_key_kind", 403, detail)
        raise KeyRefused

    async def _known(self, scope: Scope, read: Callable[[str, str], Awaitable[Known]]) -> Known:
        """Whoever holds the one key of the request; raises a `Problem`."""
        try:
            return await read(_key(scope), _address(scope))
        except KeyRefused as error:
            detail = (
                "Send a valid key as `Authorization: Bearer parl_live_…`. Operators make keys: `parlance key create`."
            )
            raise Problem(error.code, 401, detail, headers=BEARER) from None
        except AddressRefused as error:
            detail = "This key may not be used from this address. Change its allowlist."
            raise Problem(error.code, 403, detail) from None
        except DatabaseError:
            raise unavailable() from None

    async def done(self, scope: Scope) -> None:
        """The request's places are free again."""
        held: Held | None = scope.pop(HELD, None)
        if held is not None:
            await tenants.leases().give_back(held)

    def leave(self, scope: Scope) -> None:
        """Back to the public schema."""
        tokens = scope.pop(TOKEN, None)
        if tokens is not None:
            tenants.leave(tokens[0])
            leave_origin(tokens[1])

    def form_reader(self, scope: Scope) -> FormReader | None:
        """Files are streamed to the caller's own prefix; what no job takes over is swept."""
        if scope["path"] not in TAKES_FILES or scope["method"] != "POST":
            return None
        caller: Caller = scope[SCOPE_KEY]
        key = incoming_key(caller.tenant_id)

        def open_file() -> tuple[str, Writer]:
            return key, store().open_writer(
                key, content_type="application/octet-stream", max_bytes=settings.MAX_UPLOAD_BYTES
            )

        return FormReader(max_bytes=settings.MAX_UPLOAD_BYTES + CHUNK_BYTES, open_file=open_file)

    async def discard(self, form: Form) -> None:
        """The request was refused: its file goes."""
        if form.file is not None:
            await asyncio.to_thread(store().delete, form.file.object_key)

    async def fetched(self, job_id: UUID) -> None:
        """Under zero retention the content goes now."""
        await in_request_thread(content_fetched, job_id)

    async def wait(self, job_id: UUID, *, timeout_s: float) -> None:
        """Until the job has ended, or the time is over."""
        await waiter.wait(job_id, timeout_s=timeout_s)

    def stream(self, kind: str, scope: Scope, job_id: UUID, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """The body of this kind, for as long as the key is good."""
        return self._streams.open(kind, scope, job_id, query)

    async def _still_admits(self, scope: Scope) -> bool:
        """Whether the key of a request that goes on is still good; a database that restarts changes nothing."""
        try:
            await self._caller(scope)
        except Problem as problem:
            return problem.status >= 500
        return True


async def _take_turn(caller: Caller, scope: Scope) -> None:
    """One request of the caller's rates; raises a 429 `Problem`."""
    await _charge(tenants.charges_of(caller, {"requests": 1}), scope)


async def _charge(charges: Sequence[Charge], scope: Scope) -> None:
    if charges:
        try:
            scope[MORE_HEADERS] = limit_headers(charges, await tenants.limiter().acharge(charges))
        except Limited as error:
            raise refusal(error) from None


async def _take_places(caller: Caller, scope: Scope) -> None:
    """The request counts as under way until `done`; raises a 429 `Problem` where too many are."""
    places = tenants.places_of(caller)
    if places:
        try:
            scope[HELD] = await tenants.leases().take(places)
        except Crowded as error:
            raise crowded(error.place) from None


def _origin(actor: str, scope: Scope, *, livemode: bool | None) -> Origin:
    agent = header(scope, b"user-agent") or ""
    return Origin(actor, _address(scope), agent, scope[REQUEST_ID], livemode)


def _address(scope: Scope) -> str:
    return str((scope.get("client") or ("", 0))[0])


def _authenticate(key: str, *, address: str) -> Caller:
    close_old_connections()
    return tenants.authenticate(key, address=address)


def _authenticate_operator(key: str, *, address: str) -> Operator:
    close_old_connections()
    return tenants.authenticate_operator(key, address=address)


def _key(scope: Scope) -> str:
    """The one key of a request. Of two different ones, a proxy might have checked the other: neither counts."""
    found = {_token(name, value.decode("latin-1")) for name, value in scope["headers"] if name in KEY_HEADERS} - {""}
    if len(found) != 1:
        raise KeyRefused
    return found.pop()


def _token(name: bytes, value: str) -> str:
    if name == b"x-api-key":
        return value.strip()
    kind, _, token = value.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
