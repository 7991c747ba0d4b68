"""Which promises apply to a case: prepared from the published cartas and calendars."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.evaluator.domain.coverage import BUZON_SERVICE
from services.evaluator.domain.rules import CartaRules, CompromisoRules
from shared.contracts.cartas import (
    Scope,
)
from shared.contracts.service_events import reports
from shared.criteria import (
    CaseJudge,
    Measure,
    Part,
    WindowBounds,
    Windows,
    earlier_window,
    prepare,
    references_of,
)
from shared.criteria.vocabulary import Reference
from shared.worktime import CalendarHistory, PreparedCalendar, Unit, due_instant

BUZON_EVENTS = "buzon."
ANY_SERVICE = "*"
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Promise:
    """One compromiso of one carta version, ready to judge by.

    `measures` are the populations that its parts count; `calendars` has one for each, None where
    it needs none; `histories` has all that was ever known of each, newest last.
    """

    municipality: str
    carta: CartaRules
    id: str
    compromiso: CompromisoRules
    zone: ZoneInfo
    cutoff: PreparedCalendar
    cutoff_days: int
    calendars: tuple[PreparedCalendar | None, ...]
    calendar_versions: Mapping[str, int]
    histories: tuple[CalendarHistory | None, ...]
    judges: tuple[CaseJudge, ...] = field(repr=False, compare=False)
    windows: Windows = field(repr=False, compare=False)
    measures: tuple[Measure, ...] = field(init=False, repr=False, compare=False)
    version: int = field(init=False, repr=False, compare=False)
    _by_unit: bool = field(init=False, repr=False, compare=False)
    _surely: tuple[datetime, datetime] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make ready what every case asks for."""
        object.__setattr__(self, "measures", self.compromiso.measures)
        object.__setattr__(self, "version", self.carta.version)
        object.__setattr__(self, "_by_unit", self.compromiso.scope is Scope.UNIT)
        object.__setattr__(self, "_surely", self.carta.surely)

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
        judges = judges_of(self.measures, calendars, self.zone)
        known = dict(versions)
        return replace(self, calendars=calendars, calendar_versions=known, judges=judges)

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


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Town:
    """All promises of one municipality as one catalogue version has them.

    It is the same only as itself: what is remembered of one is forgotten with it.
    """

    municipality: str
    by_service: Mapping[str, tuple[tuple[Promise, ...], ...]] = field(default_factory=dict)
    by_compromiso: Mapping[str, tuple[Promise, ...]] = field(default_factory=dict)

    calendars: Mapping[str, CalendarHistory] = field(default_factory=dict)
    """Every calendar by id, with all its versions."""

    redated_at: datetime | None = None
    """When it last learned of a calendar that replaces another."""

    @property
    def size(self) -> int:
        """How many promises it holds; a municipality without any takes room as well."""
        return 1 + sum(map(len, self.by_compromiso.values()))

    def redated(self) -> list[str]:
        """Return the compromisos with a clock on a calendar that was ever replaced."""
        return [
            compromiso
            for compromiso, promises in self.by_compromiso.items()
            if any(h and len(h.versions) > 1 for promise in promises for h in promise.histories)
        ]

    def about(self, services: Collection[str], kinds: Collection[str]) -> list[str]:
        """Return the compromisos with a figure of some services and some kinds of events."""
        return sorted(
            compromiso
            for compromiso, promises in self.by_compromiso.items()
            if any(
                (ANY_SERVICE in services or not promise_services.isdisjoint(services))
                and any(reports(kinds, event) for event in promise.events)
                for promise in promises
                for promise_services in (frozenset(services_of(promise)),)
            )
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All promises of the municipalities that were asked for, by what a case carries.

    Every question about a municipality that was not asked for raises KeyError: nothing is taken for
    unpromised that was merely not looked up.
    """

    towns: Mapping[str, Town]

    def calendar(
        self, municipality: str, name: str, versions: Mapping[str, int]
    ) -> PreparedCalendar | None:
        """Return a calendar in the version that is named, else the latest; None if unknown."""
        history = self.towns[municipality].calendars.get(name)
        if history is None:
            return None
        return history.version(versions.get(name, 0)) or history.latest

    def for_service(self, municipality: str, service: str) -> tuple[tuple[Promise, ...], ...]:
        """Return for each compromiso about the service its versions, oldest first."""
        return self.towns[municipality].by_service.get(service, ())

    def versions(self, municipality: str, compromiso: str) -> tuple[Promise, ...]:
        """Return the versions of one compromiso, oldest first."""
        return self.towns[municipality].by_compromiso.get(compromiso, ())

    def promise(self, municipality: str, compromiso: str, carta_version: int) -> Promise | None:
        """Return one version of one compromiso."""
        for promise in self.versions(municipality, compromiso):
            if promise.carta.version == carta_version:
                return promise
        return None

    def deciding(
        self, municipality: str, compromiso: str, unit: str, window: WindowBounds
    ) -> Promise | None:
        """Return the version whose target a window is held to: the one in force at its end.

        Cases count in it that began under an earlier one; each is judged by its own.
        """
        versions = self.versions(municipality, compromiso)
        return next((each for each in reversed(versions) if each.decides(unit, window)), None)


def judges_of(
    measures: Sequence[Measure], calendars: Sequence[PreparedCalendar | None], zone: ZoneInfo
) -> tuple[CaseJudge, ...]:
    """Return a judge for each population, by the calendar that it needs."""
    paired = zip(measures, calendars, strict=True)
    return tuple(prepare(measure, calendar, zone=zone) for measure, calendar in paired)


def services_of(promise: Promise) -> tuple[str, ...]:
    """Return the services whose cases the promise is about; folios are a service of their own."""
    events = promise.events
    about_folios = [event.startswith(BUZON_EVENTS) for event in events]
    folios = (BUZON_SERVICE,) if any(about_folios) else ()
    return folios if all(about_folios) else (*promise.carta.services, *folios)
