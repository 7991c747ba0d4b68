"""Live traffic as a deterministic stream: the same seed and start give the same events.

Like real feeds it repeats events, sends some out of order and some late, corrects itself, pauses
and excludes cases. Emergency calls alone are prompt and in order.
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, islice, takewhile
from random import Random
from typing import Any, Final

from shared.contracts.service_events import CASE_PAUSED, CASE_RESUMED, SOURCE_HEARTBEAT
from simulator import MUNICIPALITY, scenarios
from simulator.scenarios import Course, Emitter, Step

RUSH_PERIOD_SECONDS: Final = 600
"""A day's rush hours, compressed: quiet and crowded every ten minutes."""
HEARTBEAT_SECONDS: Final = 5
OPENING_LATE_SECONDS: Final = 52
"""The first call has been waiting for so long when the stream begins: late within seconds."""
HEARTBEAT_CASE: Final = "heartbeat"

Event = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Emission:
    """An event as its system sends it at an instant (UTC)."""

    at: datetime
    place: int
    emitter: Emitter = field(compare=False)
    event: Event = field(compare=False)


@dataclass(frozen=True, slots=True)
class Noise:
    """How often (0..1) what happens to an event that is not prompt."""

    repeated: float = 0.02
    delayed: float = 0.2
    late: float = 0.01
    corrected: float = 0.01


QUIET: Final = Noise(0, 0, 0, 0)


def generate(
    seed: int,
    n: int,
    start: datetime,
    *,
    cases_per_second: float = 1.0,
    noise: Noise | None = None,
    late_call: bool = True,
) -> list[Emission]:
    """Return all that is sent about `n` cases that arrive from `start` on, in order of sending.

    `event` is a structured CloudEvent with its whole data, as it travels on `service-events.v1`.
    """
    stream = _Stream(seed, start, cases_per_second, noise or Noise())
    emissions = list(stream.opening()) if late_call else []
    for course, arrival in islice(stream.arrivals(), n - len({*map(_case, emissions)})):
        emissions += stream.tell(course, arrival)
    return sorted(emissions)


def endless(seed: int, start: datetime, *, cases_per_second: float) -> Iterator[Emission]:
    """Yield emissions in order of sending, for ever, with heartbeats of prompt emitters."""
    stream = _Stream(seed, start, cases_per_second, Noise())
    waiting = list(stream.opening())
    heapq.heapify(waiting)
    beats = stream.heartbeats()
    next_beat = next(beats)
    for course, arrival in stream.arrivals():
        while next_beat.at <= arrival:
            heapq.heappush(waiting, next_beat)
            next_beat = next(beats)
        while waiting and waiting[0].at <= arrival:
            yield heapq.heappop(waiting)
        for emission in stream.tell(course, arrival):
            heapq.heappush(waiting, emission)


def until(emissions: Iterator[Emission], end: datetime) -> list[Emission]:
    """Return what is sent before `end`."""
    return list(takewhile(lambda emission: emission.at < end, emissions))


def _case(emission: Emission) -> str:
    return str(emission.event["data"]["case"])


class _Stream:
    """Draws cases and tells them; ids carry run and seed, so that no two runs share one."""

    def __init__(self, seed: int, start: datetime, cases_per_second: float, noise: Noise) -> None:
        self._rng = Random(f"{seed}/{start.isoformat()}")
        self._start = start
        self._rate = cases_per_second
        self._noise = noise
        self._run = f"{start:%Y%m%d%H%M%S}-{seed}"
        self._numbers = count(1)
        self._places = count()

    def opening(self) -> Iterator[Emission]:
        """Yield the call that is about to be late, as it has been waiting before the start."""
        arrival = self._start - timedelta(seconds=OPENING_LATE_SECONDS)
        yield from self.tell(scenarios.late_call(self._rng), arrival)

    def arrivals(self) -> Iterator[tuple[Course, datetime]]:
        """Yield cases as they arrive; the rate swings with the rush."""
        now = self._start
        while True:
            rush = self._rush(now)
            now += timedelta(seconds=self._rng.expovariate(self._rate * rush))
            yield self._course(rush), now

    def _rush(self, now: datetime) -> float:
        phase = (now - self._start).total_seconds() / RUSH_PERIOD_SECONDS
        return 1 + 0.6 * math.sin(2 * math.pi * phase)

    def _course(self, rush: float) -> Course:
        rng = self._rng
        kind = rng.choices(("ticket", "call", "leak", "request", "appointment"), (52, 28, 8, 9, 3))
        match kind[0]:
            case "ticket":
                return scenarios.ticket(rng, rng.choice(OFFICES), rush=rush)
            case "call":
                return scenarios.call(rng)
            case "leak":
                return scenarios.leak(rng)
            case "request":
                return scenarios.request(rng, rng.choice(scenarios.PROCEDURES))
            case _:
                return scenarios.appointment(rng)

    def heartbeats(self) -> Iterator[Emission]:
        """Yield the signs of life of emitters that may speak for now."""
        for beat in count(1):
            at = self._start + timedelta(seconds=beat * HEARTBEAT_SECONDS)
            for emitter in scenarios.EMITTERS:
                if emitter.prompt:
                    event = self._event(emitter, SOURCE_HEARTBEAT, at, name=f"beat-{beat}")
                    event["data"] |= {"case": HEARTBEAT_CASE, "service": HEARTBEAT_CASE}
                    yield self._emission(at, emitter, event)

    def tell(self, course: Course, arrival: datetime) -> Iterator[Emission]:
        """Yield what the case's system sends about it."""
        case = f"{course.service}-{self._run}-{next(self._numbers)}"
        for place, step in enumerate(course.steps):
            yield from self._tell_step(course, step, arrival=arrival, name=f"{case}-{place}")

    def _tell_step(
        self, course: Course, step: Step, *, arrival: datetime, name: str
    ) -> Iterator[Emission]:
        happened = arrival + step.after
        event = self._event(course.emitter, step.kind, happened, name=name)
        event["data"] |= _data(course, step, case=name.rpartition("-")[0])
        sent = max(happened, self._start)
        if course.emitter.prompt:
            yield self._emission(sent, course.emitter, event)
            return
        sent += self._delay()
        if self._chance(self._noise.corrected) and _correctable(step):
            yield from self._corrected(course.emitter, event, sent)
            return
        yield self._emission(sent, course.emitter, event)
        if self._chance(self._noise.repeated):
            again = sent + timedelta(seconds=self._rng.randint(1, 5))
            yield self._emission(again, course.emitter, event)

    def _delay(self) -> timedelta:
        if self._chance(self._noise.late):
            return timedelta(seconds=self._rng.randint(15, 45))
        if self._chance(self._noise.delayed):
            return timedelta(milliseconds=self._rng.randint(200, 3000))
        return timedelta()

    def _corrected(self, emitter: Emitter, event: Event, sent: datetime) -> Iterator[Emission]:
        """Yield the event with a wrong time, then the one that puts it right."""
        happened = datetime.fromisoformat(event["time"])
        wrong = happened - timedelta(seconds=self._rng.randint(5, 90))
        first = {**event, "id": f"{event['id']}-w", "time": wrong.isoformat()}
        yield self._emission(sent, emitter, first)
        right = {**event, "data": {**event["data"], "supersedes": first["id"]}}
        yield self._emission(sent + timedelta(seconds=self._rng.randint(1, 6)), emitter, right)

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _event(self, emitter: Emitter, kind: str, at: datetime, *, name: str) -> Event:
        return {
            "specversion": "1.0",
            "id": f"{self._run}/{name}" if self._run not in name else name,
            "source": emitter.uri,
            "type": kind,
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "data": {"municipality": MUNICIPALITY},
        }

    def _emission(self, at: datetime, emitter: Emitter, event: Event) -> Emission:
        return Emission(at, next(self._places), emitter, event)


OFFICES: Final = (
    scenarios.REGISTRY_CENTRE,
    scenarios.REGISTRY_NORTH,
    scenarios.CASHIER_PALACE,
    scenarios.CASHIER_MARKET,
    scenarios.PLANNING_DESK,
)


def _correctable(step: Step) -> bool:
    """Pauses pair by their instants and arrivals open cases; both are left as first told."""
    return step.kind not in (CASE_PAUSED, CASE_RESUMED) and bool(step.after)


def _data(course: Course, step: Step, *, case: str) -> Event:
    data: Event = {"case": case, "service": course.service}
    if course.unit is not None:
        data["unit"] = course.unit
    if course.attributes:
        data["attributes"] = course.attributes
    if step.reason is not None:
        data["reason"] = step.reason
    return data
