"""The only door to `tenants`."""

from tenants.auth import authenticate, cached, check_may_start, forget_keys, listen_for_changes
from tenants.checks import UnsafeDatabase, check_database
from tenants.closing import CLOSED_DUE, ERASE_DUE, GRACE, close, erase_rows
from tenants.context import PUBLIC, TenantRef, current_tenant, enter, leave, tenant_context
from tenants.contracts import Caller, NewKey, NewOperatorKey, NewTenant, Operator, Policies
from tenants.errors import (
    AddressRefused,
    KeyRefused,
    ScopeMissing,
    TenantError,
    TenantSuspended,
    VaultError,
    VaultUnavailable,
    WiderThanSelf,
)
from tenants.http import OPERATOR_SCOPE_KEY, SCOPE_KEY, ApiKeyAuth, caller_with
from tenants.kept import Kept
from tenants.key_services import create_key, revoke_key, rotate_key
from tenants.key_watch import tell_of_ends
from tenants.keys import SCOPES, is_operators, is_well_formed
from tenants.operators import (
    authenticate_operator,
    charges_of_operator,
    create_operator_key,
    operator_keys,
    revoke_operator_key,
)
from tenants.origins import (
    MAX_ORIGINS,
    ORIGINS_DUE,
    all_upload_origins,
    is_origin,
    set_upload_origins,
    upload_origins,
)
from tenants.queries import all_tenants, currency_of, find_tenant, policies_of, tenant_ref
from tenants.rates import RateNow, charge, charges_of, leases, limiter, places_of, rates_now, wait_for_turn
from tenants.routes.admin_tenants import router as admin_tenants_router
from tenants.routes.api_keys import router as api_keys_router
from tenants.routes.audit_log import router as audit_log_router
from tenants.routing_policy import ANY_ENGINE, Optimize, RoutingPolicy, is_within, narrowed
from tenants.schemas import create_schema, migrate_public, outdated, upgrade
from tenants.services import create_tenant, create_tenant_with_keys, resume, set_policies, suspend
from tenants.vault import Place, rewrap_all, seal, unseal

__all__ = [
    "ANY_ENGINE",
    "CLOSED_DUE",
    "ERASE_DUE",
    "GRACE",
    "MAX_ORIGINS",
    "OPERATOR_SCOPE_KEY",
    "ORIGINS_DUE",
    "PUBLIC",
    "SCOPES",
    "SCOPE_KEY",
    "AddressRefused",
    "ApiKeyAuth",
    "Caller",
    "Kept",
    "KeyRefused",
    "NewKey",
    "NewOperatorKey",
    "NewTenant",
    "Operator",
    "Optimize",
    "Place",
    "Policies",
    "RateNow",
    "RoutingPolicy",
    "ScopeMissing",
    "TenantError",
    "TenantRef",
    "TenantSuspended",
    "UnsafeDatabase",
    "VaultError",
    "VaultUnavailable",
    "WiderThanSelf",
    "admin_tenants_router",
    "all_tenants",
    "all_upload_origins",
    "api_keys_router",
    "audit_log_router",
    "authenticate",
    "authenticate_operator",
    "cached",
    "caller_with",
    "charge",
    "charges_of",
    "charges_of_operator",
    "check_database",
    "check_may_start",
    "close",
    "create_key",
    "create_operator_key",
    "create_schema",
    "create_tenant",
    "create_tenant_with_keys",
    "currency_of",
    "current_tenant",
    "enter",
    "erase_rows",
    "find_tenant",
    "forget_keys",
    "is_operators",
    "is_origin",
    "is_well_formed",
    "is_within",
    "leases",
    "leave",
    "limiter",
    "listen_for_changes",
    "migrate_public",
    "narrowed",
    "operator_keys",
    "outdated",
    "places_of",
    "policies_of",
    "rates_now",
    "resume",
    "revoke_key",
    "revoke_operator_key",
    "rewrap_all",
    "rotate_key",
    "seal",
    "set_policies",
    "set_upload_origins",
    "suspend",
    "tell_of_ends",
    "tenant_context",
    "tenant_ref",
    "unseal",
    "upgrade",
    "upload_origins",
    "wait_for_turn",
]
