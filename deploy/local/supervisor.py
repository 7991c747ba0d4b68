"""Starts every program of a run in order, restarts what dies, stops all in reverse order."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass

import asyncpg
import httpx

from deploy.local import environment, kafka, postgres
from deploy.local.environment import SERVICE_PORTS, Layout
from deploy.local.errors import LocalError
from deploy.local.paths import DEMO_SEEDED, PROJECT, RUN
from deploy.local.processes import Places, Program, ask_to_stop, failed, record_self, start, stop
from deploy.local.status import State, Status
from shared.database import migrate
from shared.errors import ConfigurationError

NAME = "supervisor"
PYTHON = sys.executable
WATCH_SECONDS = 0.25
READY_SECONDS = 120.0
LONGEST_BACK_OFF_SECONDS = 30.0
# A program that ran this long has recovered: its next death starts with a short wait again.
STABLE_SECONDS = 60.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Child:
    """A started program and what is known of its deaths."""

    program: Program
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
    restart_at: float | None = None


class Supervisor:
    """One run, from the first start to the last stop."""

    def __init__(self, layout: Layout, *, demo: bool) -> None:
        self.layout = layout
        self.places = Places.below(RUN)
        self.status = Status(demo=demo)
        self.children: dict[str, Child] = {}
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Return when asked to stop, or when something cannot start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        try:
            await self._until_stopping(self._start_all())
            self.status.enter(State.READY)
            await self._watch()
        except LocalError as error:
            self._end(State.FAILED, str(error))
        except Exception as error:  # whatever it was, nothing may be left running
            logger.exception("the run ended")
            self._end(State.FAILED, f"{error!r}: see {self.places.log_file(NAME)}")
        else:
            self._end(State.STOPPED)

    def _end(self, state: State, error: str = "") -> None:
        self._stop_all()
        self.status.enter(state, error)

    async def _until_stopping(self, work: Awaitable[None]) -> None:
        starting = asyncio.ensure_future(work)
        asked = asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not starting.done():
            starting.cancel()
            raise LocalError("stopped while it was starting")
        starting.result()

    async def _start_all(self) -> None:
        await _together(self._start_postgres(), self._start_kafka(), self._prepare_pages())
        with self.status.step("mailbox and services"):
            await self._start_services()
        if self.status.demo:
            await self._start_demo()

    async def _start_postgres(self) -> None:
        server = self.layout.postgres
        if self.layout.own_postgres:
            with self.status.step("PostgreSQL"):
                await asyncio.to_thread(server.prepare)
                self._start(server.program())
                await self._alive("postgres", postgres.wait_until_ready(server.url))
                await postgres.ensure_databases(server.url, self.layout.passwords)
        with self.status.step("schemas"):
            await _together(*(self._migrate(name) for name in SERVICE_PORTS))

    async def _start_kafka(self) -> None:
        server = self.layout.kafka
        if self.layout.own_kafka:
            with self.status.step("Kafka"):
                await asyncio.to_thread(server.prepare)
                self._start(server.program())
                await self._alive("kafka", kafka.wait_until_ready(server.servers))
        with self.status.step("topics"):
            await self._command("topics", "-m", "shared.messaging.topics", "create")

    async def _prepare_pages(self) -> None:
        with self.status.step("front-end files"):
            await self._command("portal", "-m", "services.portal", "assets")

    async def _migrate(self, name: str) -> None:
        """As `<service> migrate`, without the seconds that six more processes take to start."""
        url = self.layout.environment[f"CARTAS_{name.upper()}_DATABASE_URL"]
        try:
            await migrate(url, name)
        except (asyncpg.PostgresError, OSError, ConfigurationError) as error:
            raise LocalError(f"the schema of {name} cannot be made current: {error}") from error

    async def _start_services(self) -> None:
        ports = self.layout.ports
        options = ("--smtp-port", str(ports.smtp), "--http-port", str(ports.mailbox))
        self._start(self._python("mailbox", "-m", "deploy.local.mailbox", *options))
        for name in SERVICE_PORTS:
            self._start(self._python(name, "-m", f"services.{name}", "serve"))
        await self._alive("mailbox", _answers(f"{self.layout.mailbox_url}/readyz"))
        for name in SERVICE_PORTS:
            await self._alive(name, _answers(f"{self.layout.url(name)}/health/ready"))

    async def _start_demo(self) -> None:
        if not DEMO_SEEDED.exists():
            with self.status.step("a fictional municipality with a past quarter"):
                await self._command("simulator", "-m", "simulator", "seed")
            DEMO_SEEDED.touch()
        self._start(self._python("simulator", "-m", "simulator", "live"))

    def _python(self, name: str, *arguments: str) -> Program:
        return Program(name, (PYTHON, *arguments), self.layout.environment)

    def _start(self, program: Program) -> None:
        process = start(program, self.places)
        known = self.children.get(program.name)
        deaths = known.deaths if known else 0
        self.children[program.name] = Child(program, process, time.monotonic(), deaths)

    async def _command(self, name: str, *arguments: str) -> None:
        """Run a program to its end; its output goes to the log of `name`."""
        with self.places.log_file(name).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                PYTHON,
                *arguments,
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env={**os.environ, **self.layout.environment},
            )
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            raise
        if code:
            shown = " ".join(arguments[1:])
            raise failed(name, self.places, f"could not run `{shown}` (exit {code})")

    async def _alive(self, name: str, ready: Awaitable[None]) -> None:
        """Wait for `ready`; a death of the program meanwhile is told at once, with its log."""
        waiting = asyncio.ensure_future(ready)
        give_up = time.monotonic() + READY_SECONDS
        while not waiting.done():
            code = self.children[name].process.poll()
            if code is not None or time.monotonic() > give_up:
                waiting.cancel()
                what = "is not ready in time" if code is None else f"ended (exit {code})"
                raise failed(name, self.places, what)
            await asyncio.wait({waiting}, timeout=WATCH_SECONDS)
        try:
            waiting.result()
        except TimeoutError as error:
            raise failed(name, self.places, "is not ready in time") from error

    async def _watch(self) -> None:
        while not self.stopping.is_set():
            for child in list(self.children.values()):
                self._look_after(child)
            try:
                await asyncio.wait_for(self.stopping.wait(), WATCH_SECONDS)
            except TimeoutError:
                continue

    def _look_after(self, child: Child) -> None:
        code, now = child.process.poll(), time.monotonic()
        if code is None:
            return
        if child.restart_at is None:
            child.deaths = 1 if now - child.started > STABLE_SECONDS else child.deaths + 1
            wait_seconds = min(0.5 * 2 ** (child.deaths - 1), LONGEST_BACK_OFF_SECONDS)
            child.restart_at = now + wait_seconds
            name = child.program.name
            logger.warning("%s ended (exit %s); again in %.1f s", name, code, wait_seconds)
        elif now >= child.restart_at:
            self._start(child.program)

    def _stop_all(self) -> None:
        """The services together, then what they stand on."""
        backwards = [child.program for child in reversed(self.children.values())]
        for program in backwards:
            if program.name not in ("kafka", "postgres"):
                ask_to_stop(program, self.places)
        for program in backwards:
            if not stop(program, self.places):
                logger.warning("%s did not stop in time and was killed", program.name)


async def _together(*works: Coroutine[None, None, None]) -> None:
    """Run all; the first failure cancels the others and is the one that is told."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def _answers(url: str) -> None:
    async with httpx.AsyncClient(timeout=5) as http:
        while not await _is_ok(http, url):
            await asyncio.sleep(WATCH_SECONDS)


async def _is_ok(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.HTTPError:
        return False


def main(*, demo: bool) -> None:
    """Body of the detached process."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    record_self(NAME, Places.below(RUN))
    supervisor = Supervisor(environment.prepare(), demo=demo)
    supervisor.status.write()
    asyncio.run(supervisor.run())


def program(*, demo: bool) -> Program:
    """The supervisor itself, as the terminal's command starts it."""
    flags = ("--demo",) if demo else ()
    command = (PYTHON, "-m", "deploy.local", "supervise", *flags)
    return Program(NAME, command, stop_seconds=120.0)
