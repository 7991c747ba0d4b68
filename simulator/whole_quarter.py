"""A quarter of the whole fictional municipality: every form of criterion gets its facts.

Tickets, surveys, requests, visits, workshops, outages, publications; some corrected, some excluded,
paused, abandoned, never ended. Folios come from `folios`. The same numbers give the same quarter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from shared.contracts import hot
from shared.contracts.complaints import ComplaintChange, ComplaintData, ComplaintKind
from shared.contracts.service_events import (
    CASE_ABANDONED,
    CASE_EXCLUDED,
    CASE_PAUSED,
    CASE_RESUMED,
)
from shared.worktime import PreparedCalendar
from simulator import ZONE

TOWN: Final = "llanos"
SOURCE: Final = "https://sistemas.llanos.example"
OPEN_SHARE: Final = 0.01
"""Of the requests, those that nobody has ended yet."""
EVENTS_A_DAY: Final = 178
"""What a procedure of middling demand makes in one working day."""

Told = tuple[hot.ServiceEvent, ...]
"""All events of one case, in order of sending."""


@dataclass(frozen=True, slots=True)
class Carta:
    """What the quarter needs of a carta: its code, its unit and its procedures."""

    code: str
    unit: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    kind: str
    after: timedelta
    reason: str | None = None


@dataclass(slots=True)
class WholeQuarter:
    """Draws the quarter [first, end) so that it has about so many events."""

    cartas: Sequence[Carta]
    calendar: PreparedCalendar
    first: date
    end: date
    events: int
    seed: int = 1
    _rng: Random = field(init=False)
    _number: int = field(init=False, default=0)
    _scale: float = field(init=False)

    def __post_init__(self) -> None:
        self._rng = Random(self.seed)
        procedures = sum(len(carta.services) for carta in self.cartas)
        self._scale = self.events / (EVENTS_A_DAY * procedures * len(self._working_days()))

    def cases(self) -> Iterator[Told]:
        """Yield the cases day by day, each with all of its events."""
        for number, day in enumerate(self._working_days()):
            morning = _instant(day, 9)
            for place, carta in enumerate(self.cartas):
                yield from self._day_of_carta(carta, morning, place=place, number=number)
                for order, service in enumerate(carta.services):
                    demand = (0.4, 0.8, 1.2, 1.6)[(place + order) % 4] * self._scale
                    yield from self._day_of_service(carta, service, morning, demand)

    def folios(self) -> Iterator[ComplaintData]:
        """Yield what citizens filed: one for each two hundred and fifty events."""
        days = self._working_days()
        for number in range(self.events // 250):
            carta = self.cartas[number % len(self.cartas)]
            filed = _instant(days[number % len(days)], 9) + self._within(8)
            answered = filed + timedelta(days=self._rng.randint(1, 20))
            is_open = self._rng.random() < OPEN_SHARE
            yield ComplaintData(
                municipality=TOWN,
                folio=f"LL-{number + 1:06}",
                revision=1,
                change=ComplaintChange.FILED if is_open else ComplaintChange.ANSWERED,
                kind=self._rng.choice((ComplaintKind.QUEJA, ComplaintKind.SUGERENCIA)),
                carta=carta.code,
                unit=carta.unit,
                filed_at=filed,
                answered_at=None if is_open else answered,
                exclusions=("duplicado",) if self._rng.random() < 0.02 else (),
            )

    def _working_days(self) -> list[date]:
        days = [
            self.first + timedelta(days=number) for number in range((self.end - self.first).days)
        ]
        counts = self.calendar.after
        return [day for day in days if counts(day.toordinal() - 1, 1) == day.toordinal()]

    def _day_of_carta(
        self, carta: Carta, morning: datetime, *, place: int, number: int
    ) -> Iterator[Told]:
        """What happens once in a while, whatever the demand."""
        service, rng = carta.services[0], self._rng
        if number % 21 == 4:
            published = self._within(10)
            yield self._tell(carta, service, morning, [_Step("document.published", published)])
        if (number + place) % 5 == 0:
            hours = {"horas": str(rng.choice((1, 2, 3)))}
            yield self._tell(carta, service, morning, [_Step("workshop.ended", _NOON)], hours)
        if (number + place) % 9 == 0:
            points = {"aplicables": "20", "cumplidos": str(rng.randint(16, 20))}
            visit = {"instrumento": f"VIS-{carta.code}", **points}
            yield self._tell(carta, service, morning, [_Step("instrument.scored", _NOON)], visit)
        if (number + place) % 16 == 0:
            yield self._outage(carta, service, morning)

    def _outage(self, carta: Carta, service: str, morning: datetime) -> Told:
        began = self._within(8)
        steps = [_Step("outage.started", began)]
        if self._rng.random() < 0.2:
            steps.append(_Step(CASE_EXCLUDED, began, "mantenimiento_avisado"))
        steps.append(_Step("outage.ended", began + timedelta(minutes=self._rng.randint(5, 400))))
        return self._tell(carta, service, morning, steps)

    def _day_of_service(
        self, carta: Carta, service: str, morning: datetime, demand: float
    ) -> Iterator[Told]:
        for _ in range(self._about(30 * demand)):
            arrival = morning + self._within(7)
            yield self._tell(carta, service, arrival, self._ticket())
            if self._rng.random() < 0.4:
                yield self._survey(carta, service, arrival)
        for _ in range(self._about(20 * demand)):
            arrival = morning + self._within(7)
            yield self._tell(carta, service, arrival, self._request())

    def _survey(self, carta: Carta, service: str, arrival: datetime) -> Told:
        asked = self._rng.choices((10, 9, 8, 7, 5, 2), (42, 25, 14, 8, 7, 4), k=2)
        answers = {"encuesta": f"ENC-{carta.code}", "global": str(asked[0])}
        if self._rng.random() < 0.9:
            answers["recomendaria"] = str(asked[1])
        steps = [_Step("survey.answered", timedelta(hours=1))]
        return self._tell(carta, service, arrival, steps, answers)

    def _ticket(self) -> list[_Step]:
        wait = timedelta(seconds=round(self._rng.gammavariate(2, 280)))
        steps = [_Step("ticket.issued", timedelta())]
        if self._rng.random() < 0.02:
            return [*steps, _Step(CASE_ABANDONED, wait)]
        if self._rng.random() < 0.01:
            steps.append(_Step(CASE_EXCLUDED, timedelta(seconds=20), "turno_duplicado"))
        begun = wait + timedelta(seconds=30)
        served = begun + timedelta(seconds=round(self._rng.gammavariate(4, 160)))
        steps += [_Step("ticket.called", wait), _Step("service.started", begun)]
        return [*steps, _Step("ticket.served", served)]

    def _request(self) -> list[_Step]:
        """Some days, with a pause for what was missing; few are corrected, fewer never end."""
        rng = self._rng
        steps = [_Step("request.received", timedelta())]
        took = timedelta(days=rng.choices((1, 2, 3, 5, 8, 15), (30, 26, 18, 14, 8, 4))[0])
        if rng.random() < 0.12:
            steps.append(_Step(CASE_PAUSED, timedelta(hours=3), "prevencion"))
            steps.append(_Step(CASE_RESUMED, timedelta(hours=3) + took / 2, "prevencion"))
        if rng.random() < OPEN_SHARE:
            return steps
        steps.append(_Step("request.resolved", took + self._within(3)))
        if rng.random() < 0.015:
            steps.append(_Step("document.corrected", took + timedelta(days=1)))
        return steps

    def _tell(
        self,
        carta: Carta,
        service: str,
        arrival: datetime,
        steps: Sequence[_Step],
        attributes: dict[str, str] | None = None,
    ) -> Told:
        self._number += 1
        case = f"{service}-{self._number}"
        told = [
            hot.ServiceEvent(
                id=f"{case}-{place}",
                source=SOURCE,
                type=step.kind,
                time=arrival + step.after,
                data=hot.ServiceEventData(
                    municipality=TOWN,
                    case=case,
                    service=service,
                    unit=carta.unit,
                    attributes=attributes or {},
                    reason=step.reason,
                ),
            )
            for place, step in enumerate(steps)
        ]
        return tuple(told) if self._rng.random() > 0.01 else (*told, _correction(told[-1]))

    def _within(self, hours: float) -> timedelta:
        return timedelta(seconds=self._rng.randrange(round(hours * 3600)))

    def _about(self, mean: float) -> int:
        """Return a whole number whose mean is `mean`."""
        return int(mean) + (self._rng.random() < mean % 1)


_NOON: Final = timedelta(hours=3)


def _correction(event: hot.ServiceEvent) -> hot.ServiceEvent:
    """The event was recorded half a minute early."""
    data = event.data
    return hot.ServiceEvent(
        id=f"{event.id}-c",
        source=event.source,
        type=event.type,
        time=event.time + timedelta(seconds=30),
        data=hot.ServiceEventData(
            municipality=data.municipality,
            case=data.case,
            service=data.service,
            unit=data.unit,
            attributes=data.attributes,
            reason=data.reason,
            supersedes=event.id,
        ),
    )


def _instant(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(ZONE)).astimezone(UTC)
