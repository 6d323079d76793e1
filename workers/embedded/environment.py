"""The environment that all processes of one home share; what the user set for real services wins."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from workers.embedded.errors import HomeError
from workers.embedded.home import Home
from workers.embedded.postgres import DATABASE, PORT
from workers.embedded.secrets import read_secret

DATABASE_URLS = {
    "DATABASE_URL": "app",
    "DATABASE_OWNER_URL": "owner",
    "DATABASE_SYSTEM_URL": "system",
    "DATABASE_FINANCE_URL": "finance",
}
REQUIRED_URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL")
SECRET_FILES = {
    "PARLANCE_SECRET_KEY": "secret_key",
    "PARLANCE_KEY_PEPPER": "key_pepper",
    "PARLANCE_MASTER_KEY": "master_key",
}


@dataclass(frozen=True, slots=True)
class External:
    """Which services the user brings."""

    database: bool
    redis: bool


def find_external(environ: Mapping[str, str]) -> External:
    """Tell which real services are set; some but not all of the database URLs is an error that names the rest."""
    given = [name for name in DATABASE_URLS if environ.get(name)]
    missing = [name for name in REQUIRED_URLS if not environ.get(name)]
    if given and missing:
        raise HomeError(
            f"{' and '.join(given)} is set, but {' and '.join(missing)} is not. Set all of them to use your own "
            "PostgreSQL, or none to use the embedded one."
        )
    return External(database=bool(given), redis=bool(environ.get("REDIS_URL")))


def database_url(role: str, *, password: str, sockets: Path) -> str:
    """Return a role's URL for a server on a unix socket.

    >>> database_url("app", password="p/w", sockets=Path("/tmp/a b"))
    'postgresql://parlance_app:p%2Fw@/parlance?host=%2Ftmp%2Fa%20b&port=5432'
    """
    where = f"host={quote(str(sockets), safe='')}&port={PORT}"
    return f"postgresql://parlance_{role}:{quote(password, safe='')}@/{DATABASE}?{where}"


def _database_urls(home: Home, *, sockets: Path) -> dict[str, str]:
    return {
        name: database_url(role, password=read_secret(home, name=f"{role}.pass"), sockets=sockets)
        for name, role in DATABASE_URLS.items()
    }


def _secret_files(home: Home, *, environ: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{name}_FILE": str(home.secrets / file)
        for name, file in SECRET_FILES.items()
        if not environ.get(name) and not environ.get(f"{name}_FILE")
    }


def home_environment(home: Home, *, run_dir: Path, port: int, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what is added to the user's environment for every process of the home."""
    external = find_external(environ)
    databases = {} if external.database else _database_urls(home, sockets=run_dir / "pg")
    redis = {} if external.redis else {"REDIS_URL": f"unix://{quote(str(run_dir / 'redis.sock'))}"}
    taken = [*DATABASE_URLS, "REDIS_URL", *SECRET_FILES, *(f"{name}_FILE" for name in SECRET_FILES)]
    passed = {name: environ[name] for name in taken if environ.get(name)}
    return {
        **passed,
        "PARLANCE_MODE": "development",
        "PARLANCE_HOME": str(home.path),
        "PARLANCE_PORT": str(port),
        "PARLANCE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PARLANCE_WHISPER_DIR": environ.get("PARLANCE_WHISPER_DIR") or str(home.path / "models"),
        "PARLANCE_STORAGE_DIR": environ.get("PARLANCE_STORAGE_DIR") or str(home.objects),
        **databases,
        **redis,
        **_secret_files(home, environ=environ),
    }
