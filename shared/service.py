"""The frame of every service: database, consumers, relay, periodic tasks, HTTP in one process."""

import asyncio
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.telemetry import TelemetryConfig
from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from shared.asyncapi import asyncapi_document
from shared.clock import utc_now
from shared.condition import CONDITION_TASK, READ_EVERY_SECONDS, Condition
from shared.contracts.topics import Topic
from shared.database import Pool, check_schema, open_pool
from shared.health import not_ready
from shared.http import BodyLimit, PlainAddress, install_problems, service_client
from shared.http.direct import DirectRoute
from shared.http.reference import STYLE, asyncapi_page, openapi_page
from shared.http.tracing import TraceContext
from shared.lateness import Lateness
from shared.messaging import Consumer, DurableProducer, MessagingMetrics, Relay, Subscription
from shared.messaging.bell import SHARDS
from shared.messaging.kafka import brokers_alive
from shared.retention import Term, purge, refused, retention_router
from shared.settings import ServiceSettings

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024
# Figures and traces are ours; the framework asks for each request whether it is to tell its own.
NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
COLLECT_AFTER = (50_000, 20, 100)
PURGE_SECONDS = 3600.0
ASK_KAFKA_SECONDS = 15.0
WATCH_SECONDS = 5.0
# Longer than every time limit inside a loop: one that has not turned for so long never will.
HANGS_AFTER_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Context:
    """What periodic tasks and HTTP use cases work with; `request.app.state.context`."""

    settings: Any
    pool: Pool
    producer: DurableProducer
    http: httpx.AsyncClient
    registry: CollectorRegistry


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task of the wall clock. An error is logged and the task goes on at its next beat.

    `share`: how much of the time it may take at most; one that takes long then pauses longer.
    `is_open_ended`: a run goes on while there is work, and is never late.
    """

    name: str
    every_seconds: float
    run: Callable[[Context], Awaitable[None]]
    share: float = 1.0
    is_open_ended: bool = False

    def pause(self, took: float) -> float:
        """Return the seconds to wait after a run that took so many."""
        return max(self.every_seconds, took / self.share - took)


def _purging(terms: Sequence[Term]) -> Callable[[Context], Awaitable[None]]:
    async def run(context: Context) -> None:
        await purge(context.pool, terms, utc_now())

    return run


def build(
    settings: ServiceSettings,
    *,
    describe: str,
    registry: CollectorRegistry | None = None,
    subscriptions: Sequence[Subscription] = (),
    publishes: Sequence[Topic] = (),
    periodics: Sequence[Periodic] = (),
    routers: Sequence[APIRouter] = (),
    hot_routes: Sequence[DirectRoute] = (),
    terms: Sequence[Term] = (),
    on_start: Callable[[FastAPI, Context], Awaitable[None]] | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
) -> FastAPI:
    """Return the application; nothing is opened before it starts.

    A request is compared with `hot_routes` before all others.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = registry or CollectorRegistry()
    terms = terms or (refused(settings.refused_keep),)
    retention = Periodic("purge by term", PURGE_SECONDS, _purging(terms))
    running = _Running(settings, registry, subscriptions, (*periodics, retention))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running.open() as context:
            app.state.context = context
            if on_start is not None:
                await on_start(app, context)
            running.start(context)
            yield

    app = FastAPI(
        title=settings.service,
        description=describe,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
    )
    app.router.routes[:0] = hot_routes
    app.state.registry = registry
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    app.add_middleware(PlainAddress)
    app.add_middleware(TraceContext)
    install_problems(app)
    document = asyncapi_document(
        settings.service, describe, subscriptions=subscriptions, publishes=publishes
    )
    app.include_router(_frame_routes(running, registry))
    app.include_router(retention_router(terms))
    app.include_router(_reference_routes(app, document))
    for router in routers:
        app.include_router(router)
    return app


class _Running:
    """The parts that live as long as the process."""

    def __init__(
        self,
        settings: ServiceSettings,
        registry: CollectorRegistry,
        subscriptions: Sequence[Subscription],
        periodics: Sequence[Periodic],
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._subscriptions = subscriptions
        self._metrics = MessagingMetrics(registry)
        self._condition = Condition(registry, self._metrics, postgres_dir=settings.postgres_dir)
        self._lateness = Lateness(registry)
        condition_task = Periodic(CONDITION_TASK, READ_EVERY_SECONDS, self._read_condition)
        kafka_task = Periodic("ask Kafka", ASK_KAFKA_SECONDS, self._ask_kafka)
        self._periodics = (*periodics, condition_task, kafka_task)
        self._tasks: list[asyncio.Task[None]] = []
        self.consumers: list[Consumer] = []
        self.relays: list[Relay] = []
        self.pool: Pool | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Context]:
        settings = self._settings
        pool = await open_pool(
            settings.database_url.get_secret_value(), name=settings.service, size=settings.pool_size
        )
        producer = DurableProducer(settings)
        async with pool, service_client(settings) as http:
            async with pool.acquire() as connection:
                await check_schema(connection, settings.service)  # type: ignore[arg-type]
            self._condition.tell_schema(settings.service)
            await self._condition.compare_clocks(pool)
            self.pool = pool
            try:
                yield Context(settings, pool, producer, http, self._registry)
            finally:
                await self._stop()
                await producer.stop()

    def start(self, context: Context) -> None:
        owner = f"{socket.gethostname()}:{os.getpid()}"
        self.consumers = [
            Consumer(
                subscription,
                settings=self._settings,
                pool=context.pool,
                owner=owner,
                metrics=self._metrics,
            )
            for subscription in self._subscriptions
        ]
        self.relays = [
            Relay(self._settings, shard=shard, metrics=self._metrics) for shard in range(SHARDS)
        ]
        loops: list[Consumer | Relay] = [*self.consumers, *self.relays]
        self._tasks = [asyncio.create_task(loop.run(), name=loop.name) for loop in loops]
        self._tasks += [
            asyncio.create_task(_beat(periodic, context, self._lateness), name=periodic.name)
            for periodic in self._periodics
        ]
        self._tasks.append(asyncio.create_task(self._watch(), name="watch the loops"))
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _tell_where_tasks_stand)
        # What was loaded at start stays for good: a full collection need not walk it again. Batches
        # make many objects and few cycles: to look for them every 700 costs more than it finds.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)

    async def _read_condition(self, context: Context) -> None:
        await self._condition.read(context.pool)

    async def _ask_kafka(self, _: Context) -> None:
        self._condition.tell_brokers(await brokers_alive(self._settings))

    async def _stop(self) -> None:
        """Consumers end after their batch, the relay after what it has in hand."""
        for consumer in self.consumers:
            consumer.stop()
        for relay in self.relays:
            relay.stop()
        loops = self._tasks[: len(self.consumers) + len(self.relays)]
        for task in self._tasks[len(loops) :]:
            task.cancel()
        if loops:
            _, late = await asyncio.wait(loops, timeout=self._settings.shutdown_seconds)
            for task in late:
                logger.error(
                    "stopped_by_force", extra={"task": task.get_name(), "stands_at": where(task)}
                )
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self) -> None:
        """End the process when a loop hangs or has ended; the next goes on from what is stored.

        Nobody else would: a container whose health check fails is not started again by that.
        """
        while not self._hangs():
            if dead := self.dead_loops():
                logger.critical("loops_ended", extra={"tasks": dead})
                break
            await asyncio.sleep(WATCH_SECONDS)
        signal.raise_signal(signal.SIGTERM)

    def _hangs(self) -> bool:
        loops: list[Consumer | Relay] = [*self.consumers, *self.relays]
        for loop, task in zip(loops, self._tasks, strict=False):
            if not task.done() and loop.pulse.seconds() > HANGS_AFTER_SECONDS:
                logger.critical("loop_hangs", extra={"task": loop.name, "stands_at": where(task)})
                return True
        return False

    def dead_loops(self) -> list[str]:
        """Return the names of the loops that should run for ever and have ended.

        A consumer that stopped for a fault of ours is left as it is, readiness names it: started
        again and again it would turn its whole topic into dead letters.
        """
        pairs = zip(self.consumers, self._tasks, strict=False)
        stopped = {task for consumer, task in pairs if consumer.stopped_by is not None}
        return [task.get_name() for task in self._tasks if task.done() and task not in stopped]


def where(task: asyncio.Task[Any]) -> str:
    """Return the places at which the awaiting coroutines of a task stand, outermost first."""
    places: list[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is None:
            break
        places.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)
    return " > ".join(places)


def _tell_where_tasks_stand() -> None:
    """Log it for every task of the process: `kill -USR1 PID` asks a service that seems stuck."""
    for task in asyncio.all_tasks():
        logger.warning("task_stands", extra={"task": task.get_name(), "stands_at": where(task)})


async def _beat(periodic: Periodic, context: Context, lateness: Lateness) -> None:
    if not periodic.is_open_ended:
        lateness.expect(periodic.name, 0.0)
    while True:
        began = time.monotonic()
        ended_well = True
        try:
            await periodic.run(context)
        except Exception:
            ended_well = False
            logger.exception("periodic_task_failed", extra={"task": periodic.name})
        pause = periodic.pause(time.monotonic() - began)
        if ended_well and not periodic.is_open_ended:
            lateness.expect(periodic.name, pause)
        await asyncio.sleep(pause)


def _frame_routes(running: _Running, registry: CollectorRegistry) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/health/live")
    async def live() -> Response:
        """The loop answers and none of the tasks that run for ever has ended."""
        return Response(status_code=500 if running.dead_loops() else 204)

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        """Database, partitions and reference topics; 503 names every reason."""
        reasons = ["starting"]
        if running.pool is not None:
            reasons = await not_ready(running.pool, [*running.consumers, *running.relays])
        return JSONResponse(
            {"ready": not reasons, "reasons": reasons}, status_code=503 if reasons else 200
        )

    @router.get("/metrics")
    async def metrics() -> Response:
        """Prometheus text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _reference_routes(app: FastAPI, document: dict[str, Any]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        """The HTTP API, for a person."""
        return HTMLResponse(openapi_page(app.openapi()))

    @router.get("/asyncapi")
    @router.get("/asyncapi.json")
    async def asyncapi(request: Request) -> Response:
        """The messages this service reads and writes: a page for browsers, AsyncAPI 3.0 else."""
        is_browser = "text/html" in request.headers.get("accept", "")
        if is_browser and not request.url.path.endswith(".json"):
            return HTMLResponse(asyncapi_page(document))
        return JSONResponse(document)

    @router.get("/docs.css")
    async def style() -> Response:
        return Response(STYLE, media_type="text/css")

    return router
