"""How far the facts about a case are known complete: nobody is accused by a lag."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contracts.service_events import reports

EVERY_SERVICE = "*"
BUZON_SERVICE = "buzon"
"""The service of folios, and the pipeline that alone reports on it."""

MEASUREMENTS = "measurements"
"""The pipeline that reports on every other service."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """A source speaks at least once in every so many opening minutes of a calendar."""

    every_minutes: int
    calendar: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SourceCoverage:
    """One source as its pipeline last described it."""

    municipality: str
    source: str
    historical: bool
    services: tuple[str, ...]
    reports: tuple[str, ...]
    complete_through: datetime | None
    grace: timedelta
    pipeline: str
    expects: Cadence | None = None

    def tells_of(self, services: Iterable[str], kinds: Iterable[str]) -> bool:
        """Return whether it reports on one of the services, and on one of the kinds of events."""
        return any(map(self.covers, services)) and any(
            reports(self.reports, kind) for kind in kinds
        )

    def covers(self, service: str) -> bool:
        """Return whether the source reports on the service; only the buzon does on folios."""
        if (service == BUZON_SERVICE) != (self.pipeline == BUZON_SERVICE):
            return False
        return EVERY_SERVICE in self.services or service in self.services


@dataclass(frozen=True, slots=True)
class Coverage:
    """All sources, and the wall-clock instants through which each pipeline has been taken in."""

    sources: Mapping[str, tuple[SourceCoverage, ...]]
    pipelines: Mapping[str, datetime]

    @classmethod
    def of(cls, sources: Iterable[SourceCoverage], pipelines: Mapping[str, datetime]) -> "Coverage":
        """Group the sources by municipality."""
        grouped: dict[str, list[SourceCoverage]] = {}
        for source in sources:
            grouped.setdefault(source.municipality, []).append(source)
        return cls({town: tuple(listed) for town, listed in grouped.items()}, pipelines)

    def complete_through(
        self, municipality: str, service: str, *, case_sources: Iterable[str], historical: bool
    ) -> datetime | None:
        """Return the instant through which all that concerns the case is known; None for nothing.

        A case of an import depends on the sources that reported it, and they are complete as of
        the import. A live case depends on every live source of its service: another counter may
        hold its stop.
        """
        listed = self.sources.get(municipality, ())
        if historical:
            names = frozenset(case_sources)
            relevant = [s for s in listed if s.historical and s.source in names]
        else:
            relevant = [s for s in listed if not s.historical and s.covers(service)]
        return self._least(relevant)

    def service_complete_through(
        self,
        municipality: str,
        services: Collection[str],
        kinds: Collection[str],
        *,
        historical: bool,
    ) -> datetime | None:
        """Return the same for all cases that some kinds of events make in some services."""
        relevant = self.telling(municipality, services, kinds)
        return self._least(source for source in relevant if source.historical is historical)

    def telling(
        self, municipality: str, services: Collection[str], kinds: Collection[str]
    ) -> list[SourceCoverage]:
        """Return the sources that report on one of the services and one of the kinds."""
        listed = self.sources.get(municipality, ())
        return [source for source in listed if source.tells_of(services, kinds)]

    def unreported(
        self, municipality: str, services: Collection[str], kinds: Iterable[str]
    ) -> frozenset[str]:
        """Return the kinds of events that no source of one of the services reports."""
        return frozenset(
            kind for kind in kinds if not self.telling(municipality, services, (kind,))
        )

    def heard_through(self, services: Iterable[str]) -> datetime | None:
        """Return the instant through which every source of the services would have been heard of.

        None where a pipeline that reports on one of them has told nothing yet.
        """
        names = {BUZON_SERVICE if s == BUZON_SERVICE else MEASUREMENTS for s in services}
        instants = [self.pipelines.get(name) for name in names]
        known = [instant for instant in instants if instant is not None]
        return min(known) if known and len(known) == len(instants) else None

    def horizons(self) -> list[tuple[str, bool, datetime]]:
        """Return (municipality, historical, instant): no case is known complete beyond it."""
        latest: dict[tuple[str, bool], datetime] = {}
        for town, sources in self.sources.items():
            for source in sources:
                instant, key = self._of(source), (town, source.historical)
                if instant is not None:
                    latest[key] = max(instant, latest.get(key, instant))
        return [(town, historical, latest[town, historical]) for town, historical in sorted(latest)]

    def _least(self, relevant: Iterable[SourceCoverage]) -> datetime | None:
        instants = [self._of(source) for source in relevant]
        known = [instant for instant in instants if instant is not None]
        return min(known) if known and len(known) == len(instants) else None

    def _of(self, source: SourceCoverage) -> datetime | None:
        """A live source is complete through its evidence, or its grace before the pipeline."""
        if source.historical:
            return source.complete_through
        through = self.pipelines.get(source.pipeline)
        if through is None:
            return source.complete_through
        silent = through - source.grace
        return silent if source.complete_through is None else max(silent, source.complete_through)
