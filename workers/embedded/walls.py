"""Whether the database roles are walls: what doctor asks the catalogue."""

import psycopg

ATTRIBUTES = "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
OWNED = """
SELECT count(*) FROM pg_shdepend
WHERE refclassid = 'pg_authid'::regclass AND deptype = 'o' AND refobjid = current_user::regrole
"""
MEMBERSHIPS = """
SELECT string_agg(rolname, ', ' ORDER BY rolname) FROM pg_roles
WHERE rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER')
"""


def holes(url: str, *, may_own: bool) -> tuple[str, list[str]]:
    """Return the role that a URL logs in as and every way in which it could pass a wall."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(ATTRIBUTES).fetchone()
        owned = connection.execute(OWNED).fetchone()
        memberships = connection.execute(MEMBERSHIPS).fetchone()
    assert row
    assert owned
    assert memberships
    name, *flags = row
    found = [word for word, is_set in zip(("SUPERUSER", "BYPASSRLS", "CREATEROLE"), flags, strict=True) if is_set]
    if owned[0] and not may_own:
        found.append(f"owns {owned[0]} objects")
    # A database's owner is by definition in pg_database_owner; for everybody else that is a hole.
    if memberships[0] and not (may_own and memberships[0] == "pg_database_owner"):
        found.append(f"is a member of {memberships[0]}")
    return str(name), found
