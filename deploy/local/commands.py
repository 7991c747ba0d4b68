"""What a person can ask for: up, demo, down, reset, status. Every word to the terminal is here."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import datetime

import psutil

from deploy.local import environment, status, supervisor
from deploy.local.backup import Backups
from deploy.local.environment import SERVICE_PORTS, Layout
from deploy.local.errors import LocalError
from deploy.local.paths import BACKUP, CACHE, ENV_FILE, PROJECT, RUN
from deploy.local.processes import Places, Program, running, start, stop
from deploy.local.status import State, Status

FREE_BYTES_NEEDED = 1_000_000_000
# In this order of stopping, where no supervisor is left to do it.
PROGRAMS = ("simulator", *reversed(SERVICE_PORTS), "mailbox", "kafka", "postgres")


def up(*, demo: bool) -> Layout:
    """Start the system unless it runs already; return when it is ready."""
    places = Places.below(RUN)
    layout = environment.prepare()
    known = status.read()
    is_running = running(supervisor.NAME, places) is not None
    if is_running and known and known.demo != demo:
        print("Another run is up; stopping it first.")
        down()
        is_running = False
    if not is_running:
        _clear_leftovers(places)
        check_machine(layout)
        RUN.mkdir(exist_ok=True)
        Status(demo=demo).write()
        start(supervisor.program(demo=demo), places)
    _follow(places)
    return layout


def check_machine(layout: Layout) -> None:
    free = shutil.disk_usage(PROJECT).free
    if free < FREE_BYTES_NEEDED:
        raise LocalError(f"only {free // 10**6} MB free on this disk: make room for 1 GB")
    for port, purpose in layout.ports_wanted().items():
        if _is_taken(port):
            raise LocalError(
                f"port {port} ({purpose}) is taken by {_holder(port)}: stop that program, "
                f"or move all ports, for example {environment.OFFSET}=1000 make up"
            )


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            is_holder = connection.status == psutil.CONN_LISTEN and port in connection.laddr
            if is_holder and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return "another program"


def _follow(places: Places) -> None:
    """Show each step as it is done, until all are."""
    shown = 0
    while True:
        current = status.read()
        if current is None:
            raise LocalError(f"no status of the run: see {places.log_file(supervisor.NAME)}")
        for step in current.steps[shown:]:
            _show(f"  done in {step.seconds:5.1f} s  {step.text}")
        shown = len(current.steps)
        if current.state is State.READY:
            return
        if current.state is not State.STARTING:
            raise LocalError(current.error or "the system was stopped")
        _show_doing(current.doing)
        if running(supervisor.NAME, places) is None:
            raise LocalError(
                f"the supervisor ended: see {places.log_file(supervisor.NAME)}, then `make up`"
            )
        time.sleep(0.1)


def _show(line: str) -> None:
    clear = "\r\033[K" if sys.stdout.isatty() else ""
    print(f"{clear}{line}", flush=True)


def _show_doing(doing: str) -> None:
    if doing and sys.stdout.isatty():
        print(f"\r\033[K  ...            {doing}", end="", flush=True)


def down() -> None:
    """Stop everything of this clone; harmless where nothing runs."""
    places = Places.below(RUN)
    if running(supervisor.NAME, places):
        print("Stopping the services, Kafka and PostgreSQL.", flush=True)
        stop(supervisor.program(demo=False), places)
    elif not _clear_leftovers(places):
        print("Nothing is running.")
        return
    print("Stopped.")


def _clear_leftovers(places: Places) -> bool:
    """Stop what a killed supervisor left behind; True where there was something."""
    layout = environment.prepare()
    found = [name for name in PROGRAMS if running(name, places)]
    for name in found:
        own = {"kafka": layout.kafka.program, "postgres": layout.postgres.program}
        program = own[name]() if name in own else Program(name, ())
        stop(program, places)
    return bool(found)


def backup() -> None:
    """Copy PostgreSQL as it runs; from the first copy on its WAL is archived beside."""
    copy = _backups().take()
    size = sum(file.stat().st_size for file in copy.iterdir()) / 2**20
    print(f"Copied PostgreSQL to {copy} ({size:.0f} MB).")


def restore(until: datetime | None) -> None:
    """Put the newest copy back and replay the archived WAL, to its end or `until` an instant."""
    restored = asyncio.run(_backups().restore(until))
    print(f"Restored {restored.copy}; the last commit in it is of {restored.last_commit}.")
    if restored.before:
        print(f"What was there is in {restored.before}; delete it when you are sure.")
    print("Start the system: make up")


def _backups() -> Backups:
    layout = environment.prepare()
    if not layout.own_postgres:
        raise LocalError("the environment names another PostgreSQL: it has backups of its own")
    return Backups(BACKUP, layout.postgres, Places.below(RUN), ENV_FILE)


def reset() -> None:
    down()
    if RUN.exists():
        shutil.rmtree(RUN)
    print("The data of this clone's system is gone; programs and packages stay.")


def show_status() -> None:
    """Each program with its pid and its proportional share of memory."""
    places = Places.below(RUN)
    current = status.read()
    print(f"state: {current.state if current else 'never started'}")
    total = 0
    for name in (supervisor.NAME, *reversed(PROGRAMS)):
        process = running(name, places)
        memory = _memory_bytes(process) if process else 0
        total += memory
        where = f"pid {process.pid:7d}  {memory / 2**20:7.1f} MiB" if process else "not running"
        print(f"  {name:14s} {where}")
    print(f"  {'together':14s} {'':12s}{total / 2**20:7.1f} MiB (PSS)")


def _memory_bytes(process: psutil.Process) -> int:
    """PSS of the process and, but for the supervisor, of those it started: PostgreSQL is many."""
    is_supervisor = "supervise" in process.cmdline()
    started = [] if is_supervisor else process.children(recursive=True)
    total = 0
    for one in (process, *started):
        try:
            total += getattr(one.memory_full_info(), "pss", one.memory_info().rss)
        except psutil.Error:
            continue
    return total


def show_addresses(layout: Layout) -> None:
    """Where to look; each on a line of its own."""
    portal = layout.url("portal")
    print("\nThe system is running.")
    print(f"  Portal       {portal}")
    print(f"  Mailbox      {layout.mailbox_url}")
    for name in SERVICE_PORTS:
        url = layout.url(name)
        print(f"  {name:12s} {url}/docs  {url}/asyncapi  {url}/metrics")
    print("  Is it well?  .venv/bin/ops status      Do the figures agree?  .venv/bin/ops verify")
    print("  Logs         .run/logs      Stop: make down      Forget the data: make reset")


def show_first_steps() -> None:
    print("\nMake the first administrator (prints a sign-in link):")
    print("  .venv/bin/python -m services.portal create-admin MAIL")
    print("Load a municipality:  .venv/bin/cartas load FILE")


def show_sign_in_links(layout: Layout, *options: str) -> None:
    """`options` are those of the portal's command."""
    done = subprocess.run(
        [sys.executable, "-m", "services.portal", "demo-links", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**os.environ, **layout.environment},
    )
    print("\nSign in as (each link works once):")
    print(done.stdout.rstrip() if done.returncode == 0 else f"  none: {done.stderr.strip()[-300:]}")


def test_environment() -> None:
    """Start servers for tests and print what leads to them, for `eval`."""
    from deploy.local.test_servers import TestServers

    servers = TestServers(CACHE / "test-servers")
    asyncio.run(servers.start())
    for name, value in servers.environment.items():
        print(f"export {name}={value}")
