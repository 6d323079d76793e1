"""The step that sets up database and roles, the same at each start: `python -m workers.embedded.roles`."""

import os
from pathlib import Path

import psycopg
from psycopg import sql

from workers.embedded.home import Home
from workers.embedded.postgres import DATABASE, PORT, SUPERUSER
from workers.embedded.secrets import DATABASE_ROLES, read_secret

ATTRIBUTES = "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION"
WALLS = """
REVOKE ALL ON DATABASE parlance FROM PUBLIC;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
REVOKE ALL ON DATABASE template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE parlance TO parlance_owner, parlance_app, parlance_system, parlance_finance;
GRANT CREATE ON DATABASE parlance TO parlance_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO parlance_owner, parlance_app, parlance_system, parlance_finance;
GRANT CREATE ON SCHEMA public TO parlance_owner;
"""


def role_name(role: str) -> str:
    """Return a role's name in the database."""
    return f"parlance_{role}"


def _connect(home: Home, *, sockets: Path, database: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(sockets),
        port=PORT,
        user=SUPERUSER,
        password=read_secret(home, name="postgres.pass"),
        dbname=database,
        autocommit=True,
    )


def _ensure_role(connection: psycopg.Connection[tuple[object, ...]], *, name: str, password: str) -> None:
    identifier = sql.Identifier(name)
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(identifier))
    # Hashed here, so that the server cannot log the password with a failing statement.
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256")
    statement = sql.SQL("ALTER ROLE {} WITH " + ATTRIBUTES + " PASSWORD {}")
    connection.execute(statement.format(identifier, sql.Literal(verifier.decode())))


def _ensure_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
        owner = sql.Identifier(role_name("owner"))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), owner))


def set_up(home: Home, *, sockets: Path) -> None:
    """Make database and roles as they have to be, whatever they were."""
    with _connect(home, sockets=sockets, database="postgres") as connection:
        for role in DATABASE_ROLES:
            password = read_secret(home, name=f"{role}.pass")
            _ensure_role(connection, name=role_name(role), password=password)
        _ensure_database(connection)
    with _connect(home, sockets=sockets, database=DATABASE) as connection:
        for statement in WALLS.strip().split("\n"):
            connection.execute(sql.SQL(statement))


def main() -> None:
    """Set up the server named by the environment."""
    home = Home(Path(os.environ["PARLANCE_HOME"]))
    set_up(home, sockets=Path(os.environ["PARLANCE_PG_SOCKETS"]))


if __name__ == "__main__":
    main()
