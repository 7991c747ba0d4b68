"""One copy of the project and its containers, by way of `docker compose`."""

import json
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from deploy.rehearsal.book import RehearsalError

PROJECT: Final = Path(__file__).resolve().parents[2]
UP_WITHIN_SECONDS: Final = 600
PATIENCE_SECONDS: Final = 180.0
# Of a system beside others on the same machine.
PORTS: Final = {
    "CARTAS_PORTAL_AT": 28000,
    "CARTAS_EVENTS_AT": 28001,
    "CARTAS_MAILBOX_AT": 28026,
    "CARTAS_PROMETHEUS_AT": 28090,
    "CARTAS_ALERTMANAGER_AT": 28093,
}


def run(command: Sequence[str], *, cwd: Path = PROJECT, fails: bool = False, **more: str) -> str:
    """Return what the command wrote. Raises RehearsalError where it does not end as expected."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CARTAS_", "COMPOSE_"))}
    done = subprocess.run(
        command,
        cwd=cwd,
        env=inherited | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if (done.returncode != 0) is not fails:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise RehearsalError(f"`{' '.join(command)}` ended with {done.returncode}:\n{tail}")
    return done.stderr + done.stdout if fails else done.stdout


def copy_of(reference: str, target: Path) -> None:
    """Lay out the project as it is at a commit. A folder is taken as it is."""
    if Path(reference).is_dir():
        run(["cp", "-r", f"{reference}/.", str(target)])
        return
    command = ["git", "archive", reference]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, check=False)
    if done.returncode:
        raise RehearsalError(done.stderr.decode())
    with tarfile.open(fileobj=BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")


@dataclass(frozen=True, slots=True)
class System:
    """The containers of one project name, started from one copy."""

    home: Path
    name: str
    files: tuple[str, ...] = ()

    def compose(self, *arguments: str, fails: bool = False) -> str:
        """Run `docker compose` in the copy."""
        files = [word for file in self.files for word in ("-f", file)]
        where = ["--project-directory", ".", *files] if files else []
        command = ["docker", "compose", *where, *arguments]
        return run(command, cwd=self.home, fails=fails, COMPOSE_PROJECT_NAME=self.name)

    def up(self, *profiles: str, build: bool = False) -> None:
        """Start everything and return when it is healthy."""
        flags = [word for profile in profiles for word in ("--profile", profile)]
        built = ["--build"] if build else []
        limit = ["--wait", "--wait-timeout", str(UP_WITHIN_SECONDS)]
        try:
            self.compose(*flags, "up", "-d", *built, *limit)
        except RehearsalError as error:
            raise RehearsalError(f"{error}\n{self._unwell()}") from error

    def _unwell(self) -> str:
        states = self.states()
        bad = [name for name, state in states.items() if "healthy" not in state]
        logs = self.compose("logs", "--tail", "15", *bad) if bad else ""
        return f"{states}\n{logs}"

    def down(self, *, data: bool = False) -> None:
        """Stop and remove the containers, the volumes as well where asked."""
        self.compose("--profile", "*", "down", "--remove-orphans", *(["-v"] if data else []))

    def states(self) -> dict[str, str]:
        """Return what each container of the project is doing."""
        lines = self.compose("ps", "--all", "--format", "{{.Service}}|{{.Status}}").splitlines()
        return dict(line.split("|", 1) for line in lines if "|" in line)

    def inside(self, service: str, *command: str, fails: bool = False) -> str:
        """Run a command in a container that runs."""
        return self.compose("exec", "-T", service, *command, fails=fails).strip()

    def sql(self, database: str, query: str) -> str:
        """Ask PostgreSQL, as its superuser."""
        return self.inside("postgres", "psql", "-U", "postgres", "-d", database, "-Atc", query)

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what the engine knows of the container."""
        found = self.compose("ps", "-aq", service).split()
        told: dict[str, Any] = json.loads(run(["docker", "inspect", found[0]]))[0]
        return told


def ask(port: str, path: str) -> Any:
    """Return the JSON that is published on this machine at a port of ours."""
    with urlopen(f"http://127.0.0.1:{PORTS[port]}{path}", timeout=10) as answer:
        return json.load(answer)


def wait_for(what: str, find: Callable[[], str | None]) -> str:
    """Return what is found, at last. Raises RehearsalError where it does not come."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        found = find()
        if found:
            return found
        time.sleep(1)
    raise RehearsalError(f"not within {PATIENCE_SECONDS:.0f} s: {what}")


def prepare(home: Path, *, more: str = "") -> None:
    """Make secrets and .env as the guide says, then move the ports out of others' way."""
    run(["sh", "deploy/compose/prepare.sh"], cwd=home)
    ports = "".join(f"{name}={port}\n" for name, port in PORTS.items())
    address = f"CARTAS_PUBLIC_URL=http://127.0.0.1:{PORTS['CARTAS_PORTAL_AT']}\n"
    file = home / ".env"
    file.write_text(file.read_text() + ports + address + more)
