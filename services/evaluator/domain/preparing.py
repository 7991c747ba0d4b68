"""The promises of a municipality, made ready to judge by from what was published of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from services.evaluator.domain.catalogue import Promise, Town, judges_of, services_of
from services.evaluator.domain.rules import CartaRules, CompromisoRules
from shared.contracts.cartas import CalendarData, MunicipalityData
from shared.criteria import CaseJudge, Window, Windows
from shared.worktime import CalendarHistory, PreparedCalendar


def build_town(
    municipality: str,
    known: Iterable[MunicipalityData],
    calendars: Iterable[CalendarData],
    cartas: Iterable[CartaRules],
) -> Town:
    """Prepare what is complete; a promise whose calendar has not arrived yet is left out.

    `known` are the versions of the municipality itself, the newest of which holds.
    """
    histories = _histories(calendars)
    newest = max(known, key=lambda town: town.version, default=None)
    workshop = None if newest is None else _Workshop.of(newest, histories)
    by_compromiso: dict[str, list[Promise]] = {}
    for carta in sorted(cartas, key=lambda c: (c.carta, c.version)):
        if workshop is None or carta.is_retired:
            continue
        for name, rules in carta.compromisos.items():
            if (promise := workshop.promise(carta, name, rules)) is not None:
                by_compromiso.setdefault(name, []).append(promise)
    frozen = {name: tuple(promises) for name, promises in by_compromiso.items()}
    replacing = [k.known_since for history in histories.values() for k in history.versions[1:]]
    redated_at = max(replacing, default=None)
    return Town(municipality, _by_service(frozen), frozen, histories, redated_at)


_Histories = Mapping[str, CalendarHistory]


def _histories(calendars: Iterable[CalendarData]) -> dict[str, CalendarHistory]:
    """Return all versions of each, also where only the retirement of one has arrived so far.

    A version and its successor travel on different partitions: between the two, what is promised
    by the calendar must not seem to be promised no more.
    """
    versions: dict[str, list[CalendarData]] = {}
    for data in calendars:
        versions.setdefault(data.calendar.id, []).append(data)
    return {
        name: CalendarHistory((each.calendar, each.known_since) for each in found)
        for name, found in versions.items()
    }


@dataclass(frozen=True, slots=True)
class _Calendars:
    """What all promises of a municipality have in common that need the same calendars."""

    latest: tuple[PreparedCalendar | None, ...]
    versions: Mapping[str, int]
    histories: tuple[CalendarHistory | None, ...]


@dataclass(frozen=True, slots=True)
class _Workshop:
    """Makes the promises of one municipality; what they can share, they share."""

    town: MunicipalityData
    zone: ZoneInfo
    calendars: _Histories
    needed: dict[tuple[str | None, ...], _Calendars] = field(default_factory=dict)
    judges: dict[CompromisoRules, tuple[CaseJudge, ...]] = field(default_factory=dict)
    windows: dict[Window, Windows] = field(default_factory=dict)

    @classmethod
    def of(cls, town: MunicipalityData, calendars: _Histories) -> "_Workshop | None":
        """Return None where the calendar of its cut-offs has not arrived yet."""
        known = town.calendar in calendars
        return cls(town, ZoneInfo(town.zone), calendars) if known else None

    def promise(self, carta: CartaRules, name: str, rules: CompromisoRules) -> Promise | None:
        """Return None where a calendar is missing."""
        names = tuple(measure.calendar for measure in rules.measures)
        if any(name is not None and name not in self.calendars for name in names):
            return None
        calendars = self._calendars(names)
        return Promise(
            municipality=self.town.municipality,
            carta=carta,
            id=name,
            compromiso=rules,
            zone=self.zone,
            cutoff=self.calendars[self.town.calendar].latest,
            cutoff_days=self.town.cutoff_working_days,
            calendars=calendars.latest,
            calendar_versions=calendars.versions,
            histories=calendars.histories,
            judges=self._judges(rules, calendars),
            windows=self._windows(rules.window),
        )

    def _calendars(self, names: tuple[str | None, ...]) -> _Calendars:
        if names not in self.needed:
            histories = tuple(None if name is None else self.calendars[name] for name in names)
            latest = tuple(None if history is None else history.latest for history in histories)
            versions = {c.calendar.id: c.calendar.version for c in latest if c is not None}
            self.needed[names] = _Calendars(latest, versions, histories)
        return self.needed[names]

    def _judges(self, rules: CompromisoRules, calendars: _Calendars) -> tuple[CaseJudge, ...]:
        if rules not in self.judges:
            self.judges[rules] = judges_of(rules.measures, calendars.latest, self.zone)
        return self.judges[rules]

    def _windows(self, window: Window) -> Windows:
        if window not in self.windows:
            self.windows[window] = Windows(window, self.zone)
        return self.windows[window]


def _by_service(
    by_compromiso: Mapping[str, tuple[Promise, ...]],
) -> dict[str, tuple[tuple[Promise, ...], ...]]:
    by_service: dict[str, list[tuple[Promise, ...]]] = {}
    for promises in by_compromiso.values():
        of_each = [frozenset(services_of(promise)) for promise in promises]
        for service in sorted(frozenset().union(*of_each)):
            about = [
                p for p, services in zip(promises, of_each, strict=True) if service in services
            ]
            group = promises if len(about) == len(promises) else tuple(about)
            by_service.setdefault(service, []).append(group)
    return {service: tuple(groups) for service, groups in by_service.items()}
