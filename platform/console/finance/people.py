"""Inviting, enrolling, logging in and out. Whatever is wrong, the answer is the same, and takes as long."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import UTC, datetime, timedelta

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
)
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apikit import ids
from console.finance import totp
from console.finance.roles import ROLES
from console.models import Staff, StaffLink, StaffSession
from events.facade import record_audit

SYSTEM = "system"
LINK_LASTS = timedelta(hours=24)
SESSION_LASTS, IDLE = timedelta(hours=10), timedelta(minutes=30)
FREE_FAILURES = 4  # then every further one locks twice as long, up to a quarter of an hour
MAX_LOCK_S = 900
_HASHER = PBKDF2PasswordHasher()
_NOBODY = _HASHER.encode("nobody", "0" * 22)  # compared with when there is no such person: the same time passes


class NotIn(Exception):
    """Password, code or address is wrong, or it was tried too often."""


class BadPassword(Exception):
    """The new password is too weak; the text says why."""


def invite(email: str, *, roles: list[str], language: str = "", actor: str = "operator") -> str:
    """Make or change a person, and return the path of a link that works once, for a day. Old sessions end.

    Raises ValueError for an unknown role or no e-mail address.
    """
    email = email.strip().lower()
    if "@" not in email or len(email) > 200 or not roles or set(roles) - set(ROLES):
        raise ValueError(f"give an e-mail address and roles out of {', '.join(ROLES)}")
    with transaction.atomic(using=SYSTEM):
        staff, _ = Staff.objects.using(SYSTEM).update_or_create(
            email=email, tenant_id=None, defaults={"roles": sorted(set(roles)), "language": language, "active": True}
        )
        path = make_link(staff, using=SYSTEM)
        record_audit("staff.invited", actor=actor, subject=str(staff.id), tenant_id=None, using=SYSTEM,
                     after={"email": email, "roles": sorted(set(roles))})  # fmt: skip
    return path


def make_link(staff: Staff, *, using: str) -> str:
    """The path of a new link of this person's, in the caller's transaction. Older links and all sessions end."""
    token = secrets.token_urlsafe(32)
    for table in (StaffSession, StaffLink):
        table.objects.using(using).filter(staff=staff).delete()
    StaffLink.objects.using(using).create(
        digest=_digest(token), staff=staff, tenant_id=staff.tenant_id, expires_at=datetime.now(UTC) + LINK_LASTS,
        totp_sealed=totp.seal(totp.new_secret(), staff_id=str(staff.id)),
    )  # fmt: skip
    return f"/finance/join/{token}"


def open_link(token: str) -> tuple[StaffLink, bytes] | None:
    """The link and its authenticator secret; None when it was used, is too old, or never was."""
    link = (
        StaffLink.objects.using(SYSTEM)
        .select_related("staff")
        .filter(digest=_digest(token), expires_at__gt=datetime.now(UTC), staff__active=True)
        .first()
    )
    secret = link and totp.unseal(bytes(link.totp_sealed), staff_id=str(link.staff.id))
    return (link, secret) if link is not None and secret else None


def enrol(token: str, *, password: str, code: str) -> Staff:
    """Use the link up: password and authenticator are the person's from now on. Raises `NotIn` and `BadPassword`."""
    found = open_link(token)
    if found is None:
        raise NotIn
    link, secret = found
    _check_password(password)
    step = totp.accepted_step(secret, code, now=int(time.time()), last_step=0)
    if step is None:
        raise NotIn
    with transaction.atomic(using=SYSTEM):
        if not StaffLink.objects.using(SYSTEM).filter(pk=link.pk).delete()[0]:
            raise NotIn  # somebody else was faster
        Staff.objects.using(SYSTEM).filter(pk=link.staff.pk).update(
            password=_HASHER.encode(password, _HASHER.salt()), totp_sealed=link.totp_sealed, totp_step=step, failures=0,
            locked_until=None,
        )  # fmt: skip
        _tell_of_joining(link.staff)
    return link.staff


def _tell_of_joining(staff: Staff) -> None:
    """To the tenant its people are known by their ids: the audit log is kept for good, their addresses are not."""
    if staff.tenant_id is None:
        record_audit("staff.enrolled", actor=staff.email, subject=str(staff.pk), tenant_id=None, using=SYSTEM)
    else:
        record_audit("member.joined", actor=ids.show(ids.MEMBER, staff.pk), subject=str(staff.pk), using=SYSTEM,
                     tenant_id=staff.tenant_id, before={"status": "invited"}, after={"status": "active"})  # fmt: skip


def log_in(email: str, *, password: str, code: str, address: str) -> str:
    """A new session's token, for a cookie. Raises `NotIn`."""
    staff = Staff.objects.using(SYSTEM).filter(email=email.strip().lower(), tenant_id=None, active=True).first()
    known = bool(staff and staff.password and staff.totp_sealed)
    right = _HASHER.verify(password[:1_000], staff.password if staff and known else _NOBODY)
    if staff is None or not known or (staff.locked_until and staff.locked_until > datetime.now(UTC)):
        raise NotIn
    secret = totp.unseal(bytes(staff.totp_sealed or b""), staff_id=str(staff.id))
    step = secret and totp.accepted_step(secret, code, now=int(time.time()), last_step=staff.totp_step)
    # One statement decides who uses the code: two at once cannot.
    used = right and step and Staff.objects.using(SYSTEM).filter(pk=staff.pk, totp_step__lt=step).update(totp_step=step)
    if not used:
        _failed(staff, address=address)
        raise NotIn
    return start_session(staff, address=address)


def start_session(staff: Staff, *, address: str) -> str:
    """The token of a new session."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic(using=SYSTEM):
        Staff.objects.using(SYSTEM).filter(pk=staff.pk).update(failures=0, locked_until=None)
        StaffSession.objects.using(SYSTEM).filter(expires_at__lt=Now()).delete()
        StaffSession.objects.using(SYSTEM).create(
            digest=_digest(token), staff=staff, expires_at=datetime.now(UTC) + SESSION_LASTS
        )
        record_audit("staff.logged_in", actor=staff.email, subject=str(staff.id), tenant_id=None, address=address[:64],
                     using=SYSTEM)  # fmt: skip
    return token


def who(token: str) -> Staff | None:
    """The person of a session that is alive; looking keeps it alive."""
    now = datetime.now(UTC)
    alive = StaffSession.objects.using(SYSTEM).filter(
        digest=_digest(token), expires_at__gt=now, seen_at__gt=now - IDLE, staff__active=True, staff__tenant_id=None
    )
    session = alive.select_related("staff").first()
    if session is None:
        return None
    if now - session.seen_at > timedelta(minutes=1):
        StaffSession.objects.using(SYSTEM).filter(pk=session.pk).update(seen_at=Now())
    return session.staff


def log_out(token: str) -> None:
    """End the session."""
    StaffSession.objects.using(SYSTEM).filter(digest=_digest(token)).delete()


def _failed(staff: Staff, *, address: str) -> None:
    Staff.objects.using(SYSTEM).filter(pk=staff.pk).update(failures=F("failures") + 1)
    over = staff.failures + 1 - FREE_FAILURES
    if over > 0:
        until = datetime.now(UTC) + timedelta(seconds=min(30 * 2 ** min(over, 6), MAX_LOCK_S))
        Staff.objects.using(SYSTEM).filter(pk=staff.pk).update(locked_until=until)
    record_audit("staff.refused", actor=staff.email, subject=str(staff.id), tenant_id=None, address=address[:64],
                 using=SYSTEM)  # fmt: skip


def _check_password(password: str) -> None:
    try:
        for rule in (MinimumLengthValidator(12), CommonPasswordValidator(), NumericPasswordValidator()):
            rule.validate(password)
    except ValidationError:
        raise BadPassword("Use at least 12 characters that are no common password.") from None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
