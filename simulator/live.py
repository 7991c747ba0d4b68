"""Live traffic against a running system, until it is told to stop."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Final

import httpx

from shared.clock import utc_now
from simulator import complaints
from simulator.emitter import Sender
from simulator.environment import service_url
from simulator.seed import issue_tokens
from simulator.traffic import Emission, endless

EVENTS_PER_CASE: Final = 3.6
TICK_SECONDS: Final = 0.2
REPORT_SECONDS: Final = 30
COMPLAINT_SECONDS: Final = 420
"""Between complaints, on average: below the buzon's own limit for one client."""
HTTP_SECONDS: Final = 10.0


def live(*, rate: float, seed: int) -> None:
    """Send about `rate` events a second, drawn from `seed`."""
    asyncio.run(_live(rate=rate, seed=seed))


async def _live(*, rate: float, seed: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    tokens = issue_tokens()
    emissions = endless(seed, utc_now(), cases_per_second=rate / EVENTS_PER_CASE)
    async with httpx.AsyncClient(timeout=HTTP_SECONDS, trust_env=False) as http:
        sender = Sender(http, service_url("measurements"), tokens)
        tasks = [
            asyncio.create_task(_emit(sender, emissions)),
            asyncio.create_task(_complain(http, Random(seed))),
            asyncio.create_task(_report(sender)),
        ]
        ended = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, ended):
            task.cancel()
        for task in done:
            task.result()


async def _emit(sender: Sender, emissions: Iterator[Emission]) -> None:
    waiting = next(emissions)
    while True:
        due: list[Emission] = []
        now = utc_now()
        while waiting.at <= now:
            due.append(waiting)
            waiting = next(emissions)
        await sender.send(due)
        await asyncio.sleep(min(TICK_SECONDS, max(0.0, (waiting.at - utc_now()).total_seconds())))


async def _complain(http: httpx.AsyncClient, rng: Random) -> None:
    url = service_url("buzon")
    began = utc_now()
    while True:
        pause = timedelta(seconds=rng.expovariate(1 / COMPLAINT_SECONDS))
        await asyncio.sleep(max(60.0, pause.total_seconds()))
        key = f"simulador-{began:%Y%m%d%H%M%S}-{rng.randrange(10**9)}"
        await complaints.file(http, url, complaints.drawn(rng), key=key)


async def _report(sender: Sender) -> None:
    while True:
        await asyncio.sleep(REPORT_SECONDS)
        print(f"{sender.sent.accepted} accepted, {sender.sent.refused} refused", flush=True)
