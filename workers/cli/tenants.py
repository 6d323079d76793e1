"""`parlance tenant …` and `parlance key …`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer

from workers.app import set_up
from workers.cli.routing_wishes import RoutingWishes

tenant_app = typer.Typer(no_args_is_help=True, help="Create and list tenants, set their policies.")
key_app = typer.Typer(no_args_is_help=True, help="Create, rotate and revoke API keys.")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
TenantName = Annotated[str, typer.Argument(help="Name or id (ten_…) of the tenant.")]


Optimize = Annotated[str | None, typer.Option(help="cost, latency or quality; `none` for no preference.")]
Regions = Annotated[str | None, typer.Option(help="Regions of providers, with commas; `any` for all.")]
Allow = Annotated[str | None, typer.Option(help="Only these engines, with commas; `any` for all.")]
Deny = Annotated[str | None, typer.Option(help="Never these engines, with commas; `none` for no such rule.")]
LocalOnly = Annotated[bool | None, typer.Option(help="Only engines on the operator's machines.")]
Fallbacks = Annotated[str | None, typer.Option(help="How many further engines may be tried (0 to 10), or `any`.")]
Hedge = Annotated[
    str | None,
    typer.Option(help="Ask a second provider beside a slow one, for short recordings: yes, no, or any."),
]

Limit = Annotated[
    list[str] | None,
    typer.Option(
        help="requests=600/minute, audio_seconds=9000/hour, characters=…, concurrency=20; repeat. `none` takes it away."
    ),
]


_END = ("closed_at", "erase_at", "erased_at")  # of a closed tenant only


class Reuse(StrEnum):
    """Whether finished results are reused."""

    auto = "auto"
    never = "never"


@tenant_app.command("create")
def create_tenant_command(
    name: str,
    currency: Annotated[str, typer.Option(help="ISO 4217 currency of the bill.")] = "USD",
    time_zone: Annotated[str, typer.Option(help="IANA time zone of the billing day.")] = "UTC",
    as_json: Json = False,
) -> None:
    """Create a tenant with its schema, a live key and a test key. The keys are shown this once."""
    set_up("cli")
    from apikit import ids
    from tenants.facade import create_tenant_with_keys

    try:
        tenant, live, test = create_tenant_with_keys(name, currency=currency.upper(), time_zone=time_zone)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    shown = {
        "id": ids.show(ids.TENANT, tenant.id),
        "name": tenant.name,
        "currency": currency.upper(),
        "time_zone": time_zone,
        "api_key": live.secret,
        "test_api_key": test.secret,
    }
    _print(shown, as_json=as_json)


@tenant_app.command("list")
def list_tenants_command(as_json: Json = False) -> None:
    """All tenants, oldest first."""
    set_up("cli")
    from apikit import ids
    from tenants.facade import all_tenants

    rows = [
        {"id": ids.show(ids.TENANT, tenant.id), "name": tenant.name, "status": tenant.status}
        for tenant in all_tenants()
    ]
    if as_json:
        typer.echo(json.dumps({"object": "list", "data": rows}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['id']}  {row['status']:10} {row['name']}")


@tenant_app.command("show")
def show_tenant_command(tenant: TenantName, as_json: Json = False) -> None:
    """One tenant with its status and policies."""
    set_up("cli")
    _print(_shown(_tenant(tenant)), as_json=as_json)


@tenant_app.command("suspend")
def suspend_command(tenant: TenantName, as_json: Json = False) -> None:
    """Refuse new work of a tenant from now on. What runs ends, and its keys can still read."""
    set_up("cli")
    from tenants.facade import suspend

    found = _tenant(tenant)
    if not suspend(found.id):
        raise typer.BadParameter(f"this tenant is {found.status}: only an active one can be suspended")
    _print(_shown(_tenant(tenant)), as_json=as_json)


@tenant_app.command("resume")
def resume_command(tenant: TenantName, as_json: Json = False) -> None:
    """Let a suspended tenant start work again."""
    set_up("cli")
    from tenants.facade import resume

    found = _tenant(tenant)
    if not resume(found.id):
        raise typer.BadParameter(f"this tenant is {found.status}: only a suspended one can be resumed")
    _print(_shown(_tenant(tenant)), as_json=as_json)


@tenant_app.command("close")
def close_command(
    tenant: TenantName,
    grace_days: Annotated[int, typer.Option(min=0, max=3650, help="Days until its content is erased.")] = 30,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, end its keys for good.")] = False,
    as_json: Json = False,
) -> None:
    """End all keys and webhook endpoints of a tenant for good, and erase its content after the grace.

    Ledger, register of jobs and audit log stay. Running jobs end, unless the grace is over before.
    """
    set_up("cli")
    from tenants.facade import close

    found = _tenant(tenant)
    if not yes:
        raise typer.BadParameter(f"this ends every key of {found.name} and cannot be undone: say --yes")
    if close(found.id, grace=timedelta(days=grace_days)) is None:
        raise typer.BadParameter("this tenant is closed already")
    _print(_shown(_tenant(tenant)), as_json=as_json)


@tenant_app.command("set")
def set_policies_command(
    tenant: TenantName,
    webhook_hosts: Annotated[
        str | None, typer.Option(help="Hosts that a job's webhook_url may name, separated by commas.")
    ] = None,
    no_webhook_url: Annotated[bool, typer.Option("--no-webhook-url", help="Refuse every webhook_url.")] = False,
    any_webhook_url: Annotated[bool, typer.Option("--any-webhook-url", help="Allow any public webhook_url.")] = False,
    reuse: Annotated[Reuse | None, typer.Option(help="Whether a result may answer an equal job.")] = None,
    optimize: Optimize = None,
    regions: Regions = None,
    allow: Allow = None,
    deny: Deny = None,
    local_only: LocalOnly = None,
    fallbacks: Fallbacks = None,
    hedge: Hedge = None,
    speech_keep_days: Annotated[
        int | None, typer.Option(min=1, help="A file of speech that nobody uses is kept so long.")
    ] = None,
    speech_keep_mb: Annotated[
        int | None, typer.Option(min=1, help="So much speech is kept per mode; the least used goes first.")
    ] = None,
    delete_after: Annotated[
        str | None,
        typer.Option(help="Erase a job's content so many seconds after its end; 0 once it was fetched; or `never`."),
    ] = None,
    limit: Limit = None,
    plan: Annotated[
        str | None,
        typer.Option(help="Limits of this plan (PARLANCE_PLAN_LIMITS) where it has none of its own; `none`."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change a tenant's policies (in force within five seconds), or show them when nothing is to be set."""
    chosen = (webhook_hosts is not None, no_webhook_url, any_webhook_url)
    if sum(chosen) > 1:
        raise typer.BadParameter("say one of --webhook-hosts, --no-webhook-url and --any-webhook-url")
    set_up("cli")
    from tenants.facade import policies_of, set_policies

    changes: dict[str, Any] = {}
    if any(chosen):
        changes["webhook_hosts"] = None if any_webhook_url else _words(webhook_hosts)
    if reuse is not None:
        changes["reuse"] = reuse is Reuse.auto
    kept = {"speech_keep_days": speech_keep_days, "speech_keep_mb": speech_keep_mb}
    changes |= {name: value for name, value in kept.items() if value is not None}
    if delete_after is not None:
        changes["delete_after_s"] = _seconds(delete_after)
    tenant_id = _tenant(tenant).id
    policies = policies_of(tenant_id)
    told = RoutingWishes(optimize, regions, allow, deny, local_only, fallbacks, hedge)
    if told.any:
        changes["routing"] = told.applied(policies.routing)
    if plan is not None:
        changes["plan"] = _plan(plan)
    if limit:
        changes["limits"] = _limits(limit, before=policies.limits)
    try:
        if changes:
            policies = set_policies(tenant_id, policies=replace(policies, **changes))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    _print(_policies(policies), as_json=as_json)


@tenant_app.command("origins")
def origins_command(
    tenant: TenantName,
    add: Annotated[list[str] | None, typer.Option(help="An origin such as https://app.example.com; repeat.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="One to take away; repeat.")] = None,
    as_json: Json = False,
) -> None:
    """Web pages from which a tenant's uploads may be sent: change them, or show them when nothing is to be changed."""
    set_up("cli")
    from tenants.facade import MAX_ORIGINS, is_origin, set_upload_origins, tenant_context, upload_origins

    for wrong in (origin for origin in add or () if not is_origin(origin)):
        raise typer.BadParameter(f"{wrong!r} is no origin: write https://app.example.com; http for localhost only")
    found = _tenant(tenant)
    with tenant_context(found.ref):
        origins = upload_origins(found.id)
        wanted = {*origins, *(add or ())} - set(remove or ())
        if len(wanted) > MAX_ORIGINS:
            raise typer.BadParameter(f"a tenant has at most {MAX_ORIGINS} origins")
        if wanted != set(origins):
            origins = set_upload_origins(found.id, wanted, actor="operator")
    _print({"object": "upload_origins", "origins": list(origins)}, as_json=as_json)


@key_app.command("create")
def create_key_command(
    tenant: TenantName,
    test: Annotated[bool, typer.Option("--test", help="A test key: simulated engine, no bill.")] = False,
    scope: Annotated[list[str] | None, typer.Option(help="A scope; repeat. Default: all.")] = None,
    ip: Annotated[list[str] | None, typer.Option(help="An allowed address or network; repeat.")] = None,
    expires_days: Annotated[int | None, typer.Option(min=1, help="Days until it expires.")] = None,
    name: str = "",
    optimize: Optimize = None,
    regions: Regions = None,
    allow: Allow = None,
    deny: Deny = None,
    local_only: LocalOnly = None,
    fallbacks: Fallbacks = None,
    hedge: Hedge = None,
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """Create a key. It is shown this once. What its routing policy forbids, no request with it can allow."""
    set_up("cli")
    from tenants.facade import ANY_ENGINE, SCOPES, create_key

    routing = RoutingWishes(optimize, regions, allow, deny, local_only, fallbacks, hedge).applied(ANY_ENGINE)
    expires = datetime.now(UTC) + timedelta(days=expires_days) if expires_days else None
    try:
        key = create_key(
            _tenant(tenant).id, livemode=not test, scopes=scope or SCOPES, ip_allow=ip or (), expires_at=expires,
            name=name, routing=routing, limits=_limits(limit or [], before={}),
        )  # fmt: skip
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    _print(_key(key), as_json=as_json)


@key_app.command("rotate")
def rotate_key_command(
    key: Annotated[str, typer.Argument(help="Id of the key (key_…).")],
    overlap_hours: Annotated[int, typer.Option(min=0, max=168, help="How long the old key still works.")] = 24,
    as_json: Json = False,
) -> None:
    """Make a new key with the same rights; the old one dies after the overlap."""
    set_up("cli")
    from tenants.facade import rotate_key

    new = rotate_key(_key_id(key), overlap=timedelta(hours=overlap_hours))
    _print(_key(new), as_json=as_json)


@key_app.command("revoke")
def revoke_key_command(key: Annotated[str, typer.Argument(help="Id of the key (key_…).")]) -> None:
    """Revoke a key at once (within five seconds in every process)."""
    set_up("cli")
    from tenants.facade import revoke_key

    if not revoke_key(_key_id(key), actor="operator"):
        raise typer.BadParameter("there is no living key of that id")
    typer.echo("revoked")


def _tenant(name_or_id: str) -> Any:
    from tenants.facade import find_tenant

    found = find_tenant(name_or_id)
    if found is None:
        raise typer.BadParameter("no tenant of that name or id, or several; `parlance tenant list` shows the ids")
    return found


def _shown(tenant: Any) -> dict[str, Any]:
    from apikit import ids
    from tenants.facade import policies_of

    return {
        "id": ids.show(ids.TENANT, tenant.id),
        "name": tenant.name,
        "status": str(tenant.status),
        "currency": tenant.currency,
        "time_zone": tenant.time_zone,
        "created": tenant.created_at.isoformat(),
        **{name: moment.isoformat() for name in _END if (moment := getattr(tenant, name)) is not None},
        **_policies(policies_of(tenant.id)),
    }


def _words(text: str | None) -> tuple[str, ...]:
    words = tuple(word.strip() for word in (text or "").split(",") if word.strip())
    if text is not None and not words:
        raise typer.BadParameter("name at least one host, or say --no-webhook-url")
    return words


def _seconds(told: str) -> int | None:
    """Seconds, or None for `never`; raises `typer.BadParameter`."""
    if told == "never":
        return None
    if not told.isascii() or not told.isdigit():
        raise typer.BadParameter("say --delete-after as whole seconds such as 86400, 0 for zero retention, or `never`")
    return int(told)


def _plan(told: str) -> str:
    """The plan's name; raises `typer.BadParameter` for one that nobody knows."""
    from django.conf import settings

    if told != "none" and told not in settings.PLAN_LIMITS:
        known = ", ".join(sorted(settings.PLAN_LIMITS)) or "none; set PARLANCE_PLAN_LIMITS"
        raise typer.BadParameter(f"there is no plan of that name. Known: {known}")
    return "" if told == "none" else told


def _limits(told: list[str], *, before: Any) -> Any:
    """The rates with these changes; raises `typer.BadParameter`."""
    from apikit.limits.contracts import parse_rates, stored_rates

    changes = dict(one.partition("=")[::2] for one in told)
    rates = {**stored_rates(before), **changes}
    try:
        return parse_rates({meter: rate for meter, rate in rates.items() if rate != "none"})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _policies(policies: Any) -> dict[str, Any]:
    hosts = policies.webhook_hosts
    return {
        "reuse": "auto" if policies.reuse else "never",
        "webhook_hosts": "any" if hosts is None else list(hosts),
        "routing": policies.routing.stored(),
        "speech_keep_days": policies.speech_keep_days,
        "speech_keep_mb": policies.speech_keep_mb,
        "delete_after_s": policies.delete_after_s,
        "plan": policies.plan or None,
        "limits": {meter: str(rate) for meter, rate in policies.limits.items()},
    }


def _key_id(shown: str) -> Any:
    from apikit import ids

    parsed = ids.parse(ids.API_KEY, shown)
    if parsed is None:
        raise typer.BadParameter("a key id looks like key_…")
    return parsed


def _key(key: Any) -> dict[str, Any]:
    from apikit import ids

    return {
        "id": ids.show(ids.API_KEY, key.id),
        "api_key": key.secret,
        "livemode": key.livemode,
        "scopes": list(key.scopes),
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }


def _print(shown: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(shown, ensure_ascii=False))
        return
    for name, value in shown.items():
        typer.echo(f"{name:13} {value}")
