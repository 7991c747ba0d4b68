"""Which promises apply to a case: prepared from the published cartas and calendars."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.evaluator.domain.coverage import BUZON_SERVICE
from shared.contracts.cartas import (
    CalendarData,
    CartaData,
    Compromiso,
    MunicipalityData,
    Scope,
    Status,
)
from shared.contracts.service_events import reports
from shared.criteria import (
    CaseJudge,
    Measure,
    Part,
    WindowBounds,
    Windows,
    earlier_window,
    measures_of,
    prepare,
    references_of,
)
from shared.criteria.vocabulary import Reference
from shared.worktime import CalendarHistory, PreparedCalendar, Unit, due_instant

BUZON_EVENTS = "buzon."
ANY_SERVICE = "*"
_MICROSECOND = timedelta(microseconds=1)
_EDGE = timedelta(days=2)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Promise:
    """One compromiso of one carta version, ready to judge by.

    `measures` are the populations that its parts count; `calendars` has one for each, None where
    it needs none; `histories` has all that was ever known of each, newest last.
    """

    municipality: str
    carta: CartaData
    compromiso: Compromiso
    zone: ZoneInfo
    cutoff: PreparedCalendar
    cutoff_days: int
    measures: tuple[Measure, ...]
    calendars: tuple[PreparedCalendar | None, ...]
    calendar_versions: Mapping[str, int]
    histories: tuple[CalendarHistory | None, ...]
    judges: tuple[CaseJudge, ...] = field(init=False, repr=False, compare=False)
    windows: Windows = field(init=False, repr=False, compare=False)
    id: str = field(init=False, repr=False, compare=False)
    version: int = field(init=False, repr=False, compare=False)
    _by_unit: bool = field(init=False, repr=False, compare=False)
    _surely: tuple[datetime, datetime] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make ready what every case asks for."""
        object.__setattr__(self, "id", self.compromiso.id)
        object.__setattr__(self, "version", self.carta.version)
        object.__setattr__(self, "_by_unit", self.compromiso.scope is Scope.UNIT)
        object.__setattr__(self, "_surely", self._surely_in_force())
        paired = zip(self.measures, self.calendars, strict=True)
        judges = tuple(prepare(each, calendar, zone=self.zone) for each, calendar in paired)
        object.__setattr__(self, "judges", judges)
        object.__setattr__(self, "windows", Windows(self.compromiso.window, self.zone))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that are judged."""
        return self.compromiso.criterion.parts

    @property
    def about_buzon(self) -> bool:
        """Whether it promises something about folios."""
        return any(event.startswith(BUZON_EVENTS) for event in self.events)

    @property
    def kinds(self) -> frozenset[str]:
        """All kinds of events that its figures are made from."""
        return frozenset(kind for measure in self.measures for kind in measure.kinds)

    @property
    def events(self) -> tuple[str, ...]:
        """The events that bring cases under it."""
        return tuple(judge.event for judge in self.judges)

    def part_of(self, measure: int) -> Part:
        """Return the part that a measure counts for."""
        return self.parts[self.measures[measure].part]

    def with_versions(self, versions: Mapping[str, int]) -> "Promise":
        """Return the promise as it was judged when these versions of its calendars were known."""
        if versions == self.calendar_versions:
            return self
        calendars = tuple(
            None
            if history is None
            else history.version(versions.get(history.latest.calendar.id, 0)) or history.latest
            for history in self.histories
        )
        return replace(self, calendars=calendars, calendar_versions=dict(versions))

    def in_force(self, instant: datetime) -> bool:
        """Return whether this version was in force on the instant's local date, ends included.

        What begins while the carta is suspended is promised nothing.
        """
        if self._surely[0] <= instant < self._surely[1]:
            return True
        day = instant.astimezone(self.zone).date()
        if day < self.carta.valid_from or self._suspended(day):
            return False
        return self.carta.valid_to is None or day <= self.carta.valid_to

    def _surely_in_force(self) -> tuple[datetime, datetime]:
        """Return instants between which no zone and no change of clocks makes a difference."""
        first, last = self.carta.valid_from, self.carta.valid_to or date.max
        if self.carta.suspensions or last - first < 2 * _EDGE:
            return (_NEVER, _NEVER)
        return (_midnight(first) + _EDGE, _midnight(last) - _EDGE)

    def _suspended(self, day: date) -> bool:
        return any(each.first <= day <= each.last for each in self.carta.suspensions)

    def is_suspended(self, window: WindowBounds) -> bool:
        """Return whether the carta was suspended on every day of the window that it was valid."""
        if not self.carta.suspensions:
            return False
        first = max(window.start.astimezone(self.zone).date(), self.carta.valid_from)
        last = (window.end - _MICROSECOND).astimezone(self.zone).date()
        last = last if self.carta.valid_to is None else min(last, self.carta.valid_to)
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        return bool(days) and all(map(self._suspended, days))

    def decides(self, unit: str, window: WindowBounds) -> bool:
        """Return whether it had come into force by the window's end, and has such windows."""
        last_day = (window.end - _MICROSECOND).astimezone(self.zone).date()
        is_its_unit = self.compromiso.scope is Scope.UNIT or unit == self.carta.unit
        if not is_its_unit or self.carta.valid_from > last_day:
            return False
        return self.window_at(window.start) == window

    def unit_of(self, case_unit: str | None) -> str:
        """Return whose result a case counts in."""
        if self._by_unit and case_unit is not None:
            return case_unit
        return self.carta.unit

    def window_at(self, instant: datetime) -> WindowBounds | None:
        """Return the window of the instant, in the municipality's zone; None outside a campaign."""
        return self.windows.at(instant)

    def closes_at(self, window: WindowBounds) -> datetime:
        """Return the data cut-off: the end of the n-th working day after the facts' last day."""
        last_moment = self.facts_until(window.end) - _MICROSECOND
        due = due_instant(last_moment, self.cutoff_days, Unit.WORKING_DAY, self.cutoff, ())
        return window.end if due is None else due

    def facts_until(self, end: datetime) -> datetime:
        """Return until when facts of a window come in that ends at `end`: some take their time."""
        delay = self.compromiso.closing_delay_days
        if not delay:
            return end
        day = end.astimezone(self.zone).date() + timedelta(days=delay)
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def earlier(self, window: WindowBounds) -> dict[Reference, WindowBounds]:
        """Return the earlier windows that its targets follow."""
        return self._earlier(window, references_of(self.compromiso.criterion))

    def volumes_from(self, window: WindowBounds) -> dict[Reference, WindowBounds]:
        """Return the earlier windows that had as many cases as are expected in this one."""
        return self._earlier(window, Reference)

    def _earlier(
        self, window: WindowBounds, kinds: Iterable[Reference]
    ) -> dict[Reference, WindowBounds]:
        found = {
            kind: earlier_window(self.compromiso.window, window, kind, self.zone) for kind in kinds
        }
        return {kind: bounds for kind, bounds in found.items() if bounds is not None}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All promises of one catalogue version, by what a case carries."""

    version: int = 0
    by_service: Mapping[tuple[str, str], tuple[tuple[Promise, ...], ...]] = field(
        default_factory=dict
    )
    by_compromiso: Mapping[tuple[str, str], tuple[Promise, ...]] = field(default_factory=dict)

    calendars: Mapping[tuple[str, str], CalendarHistory] = field(default_factory=dict)
    """Every calendar by municipality and id, with all its versions."""

    redated_at: Mapping[str, datetime] = field(default_factory=dict)
    """When each municipality last learned of a calendar that replaces another."""

    def redated(self, municipality: str) -> list[str]:
        """Return the compromisos with a clock on a calendar that was ever replaced."""
        return [
            compromiso
            for (town, compromiso), promises in self.by_compromiso.items()
            if town == municipality
            and any(h and len(h.versions) > 1 for promise in promises for h in promise.histories)
        ]

    def calendar(
        self, municipality: str, name: str, versions: Mapping[str, int]
    ) -> PreparedCalendar | None:
        """Return a calendar in the version that is named, else the latest; None if unknown."""
        history = self.calendars.get((municipality, name))
        if history is None:
            return None
        return history.version(versions.get(name, 0)) or history.latest

    def about(
        self, municipality: str, services: Collection[str], kinds: Collection[str]
    ) -> list[str]:
        """Return the compromisos with a figure of some services and some kinds of events."""
        return sorted(
            compromiso
            for (town, compromiso), promises in self.by_compromiso.items()
            if town == municipality
            and any(
                (ANY_SERVICE in services or not promise_services.isdisjoint(services))
                and any(reports(kinds, event) for event in promise.events)
                for promise in promises
                for promise_services in (frozenset(services_of(promise)),)
            )
        )

    def for_service(self, municipality: str, service: str) -> tuple[tuple[Promise, ...], ...]:
        """Return for each compromiso about the service its versions, oldest first."""
        return self.by_service.get((municipality, service), ())

    def promise(self, municipality: str, compromiso: str, carta_version: int) -> Promise | None:
        """Return one version of one compromiso."""
        for promise in self.by_compromiso.get((municipality, compromiso), ()):
            if promise.carta.version == carta_version:
                return promise
        return None

    def deciding(
        self, municipality: str, compromiso: str, unit: str, window: WindowBounds
    ) -> Promise | None:
        """Return the version whose target a window is held to: the one in force at its end.

        Cases count in it that began under an earlier one; each is judged by its own.
        """
        versions = self.by_compromiso.get((municipality, compromiso), ())
        return next((each for each in reversed(versions) if each.decides(unit, window)), None)


def build_catalogue(
    version: int,
    municipalities: Iterable[MunicipalityData],
    calendars: Iterable[CalendarData],
    cartas: Iterable[CartaData],
) -> Catalogue:
    """Prepare what is complete; a promise whose calendar has not arrived yet is left out."""
    histories = _histories(calendars)
    towns = {town.municipality: town for town in sorted(municipalities, key=lambda t: t.version)}
    by_compromiso: dict[tuple[str, str], list[Promise]] = {}
    for carta in sorted(cartas, key=lambda c: (c.municipality, c.carta, c.version)):
        town = towns.get(carta.municipality)
        if town is None or carta.status is Status.RETIRED:
            continue
        for compromiso in carta.compromisos:
            promise = _prepare(town, carta, compromiso, histories)
            if promise is not None:
                by_compromiso.setdefault((carta.municipality, compromiso.id), []).append(promise)
    frozen = {key: tuple(promises) for key, promises in by_compromiso.items()}
    redated_at: dict[str, datetime] = {}
    for (municipality, _), history in histories.items():
        for known in history.versions[1:]:
            last = redated_at.get(municipality, known.known_since)
            redated_at[municipality] = max(last, known.known_since)
    return Catalogue(version, _by_service(frozen), frozen, histories, redated_at)


_Histories = Mapping[tuple[str, str], CalendarHistory]


def _histories(calendars: Iterable[CalendarData]) -> dict[tuple[str, str], CalendarHistory]:
    """Return all versions of each, also where only the retirement of one has arrived so far.

    A version and its successor travel on different partitions: between the two, what is promised
    by the calendar must not seem to be promised no more.
    """
    versions: dict[tuple[str, str], list[CalendarData]] = {}
    for data in calendars:
        versions.setdefault((data.municipality, data.calendar.id), []).append(data)
    return {
        key: CalendarHistory((each.calendar, each.known_since) for each in found)
        for key, found in versions.items()
    }


def _prepare(
    town: MunicipalityData, carta: CartaData, compromiso: Compromiso, calendars: _Histories
) -> Promise | None:
    cutoff = calendars.get((town.municipality, town.calendar))
    if cutoff is None:
        return None
    needed: list[CalendarHistory | None] = []
    measures = measures_of(compromiso.criterion)
    for measure in measures:
        name = measure.calendar
        history = None if name is None else calendars.get((town.municipality, name))
        if name is not None and history is None:
            return None
        needed.append(history)
    latest = tuple(None if history is None else history.latest for history in needed)
    return Promise(
        municipality=town.municipality,
        carta=carta,
        compromiso=compromiso,
        zone=ZoneInfo(town.zone),
        cutoff=cutoff.latest,
        cutoff_days=town.cutoff_working_days,
        measures=measures,
        calendars=latest,
        calendar_versions={c.calendar.id: c.calendar.version for c in latest if c is not None},
        histories=tuple(needed),
    )


def _by_service(
    by_compromiso: Mapping[tuple[str, str], tuple[Promise, ...]],
) -> dict[tuple[str, str], tuple[tuple[Promise, ...], ...]]:
    by_service: dict[tuple[str, str], list[tuple[Promise, ...]]] = {}
    for (municipality, _), promises in by_compromiso.items():
        for service in sorted({name for promise in promises for name in services_of(promise)}):
            about = tuple(promise for promise in promises if service in services_of(promise))
            by_service.setdefault((municipality, service), []).append(about)
    return {key: tuple(groups) for key, groups in by_service.items()}


def services_of(promise: Promise) -> tuple[str, ...]:
    """Return the services whose cases the promise is about; folios are a service of their own."""
    events = promise.events
    about_folios = [event.startswith(BUZON_EVENTS) for event in events]
    folios = (BUZON_SERVICE,) if any(about_folios) else ()
    return folios if all(about_folios) else (*promise.carta.services, *folios)


def windows_until(promise: Promise, now: datetime, *, most: int) -> list[WindowBounds]:
    """Return the windows since the version came into force, the running one last."""
    window = promise.window_at(_within(promise, now))
    windows: list[WindowBounds] = []
    while window is not None and len(windows) < most:
        if _local_day(promise, window.end - _MICROSECOND) < promise.carta.valid_from:
            break
        windows.append(window)
        window = promise.window_at(window.start - _MICROSECOND)
    return windows[::-1]


def _within(promise: Promise, now: datetime) -> datetime:
    """Return `now`, or the last moment in force of a version (or of a campaign) that has ended."""
    last = promise.compromiso.window.last or promise.carta.valid_to
    if last is None or _local_day(promise, now) <= last:
        return now
    return datetime(last.year, last.month, last.day, 12, tzinfo=promise.zone)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _local_day(promise: Promise, instant: datetime) -> date:
    return instant.astimezone(promise.zone).date()
