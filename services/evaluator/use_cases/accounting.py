"""What sources say of their own cases and of their being awake, and what results make of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.evaluator.domain.accounts import Listener, Records
from services.evaluator.domain.catalogue import Catalogue, Promise, services_of
from services.evaluator.domain.coverage import Cadence, Coverage, SourceCoverage
from services.evaluator.domain.silence import Silence, silences, words
from services.evaluator.store import accounts as store
from services.evaluator.store.accounts import Scope
from services.evaluator.store.cases import began
from services.evaluator.use_cases.knowledge import Knowledge
from shared.contracts import hot
from shared.contracts.cartas import Scope as JudgedBy
from shared.criteria import WindowBounds
from shared.database import Connection, Pool
from shared.messaging import Transaction, transaction
from shared.worktime import PreparedCalendar

LATE_AFTER = timedelta(days=1)
"""A case that comes in so long after it began may change a number that was published."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A window whose records are wanted, and the versions of calendars to read them by."""

    promise: Promise
    unit: str
    bounds: WindowBounds
    versions: Mapping[str, int] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """The cases that may count in it."""
        promise = self.promise
        return Scope(
            municipality=promise.municipality,
            services=services_of(promise),
            kinds=sorted(set(promise.events)),
            start=self.bounds.start,
            end=self.bounds.end,
            zone=promise.zone.key,
            unit=self.unit if promise.compromiso.scope is JudgedBy.UNIT else None,
        )

    def expected(self, coverage: Coverage) -> list[tuple[SourceCoverage, Cadence]]:
        """Return the sources that should have spoken in it, and when."""
        promise = self.promise
        telling = coverage.telling(promise.municipality, services_of(promise), promise.events)
        return [
            (source, source.expects)
            for source in telling
            if source.expects is not None and source.expects.since < self.bounds.end
        ]

    def calendar(self, catalogue: Catalogue, name: str) -> PreparedCalendar | None:
        """Return a calendar as it is read for this window."""
        return catalogue.calendar(self.promise.municipality, name, self.versions)


async def records_of(
    connection: Connection, catalogue: Catalogue, coverage: Coverage, windows: Sequence[Recorded]
) -> list[Records]:
    """Read what was kept of each window beside its counts."""
    scopes = {place: window.scope for place, window in enumerate(windows)}
    known = await store.counts(connection, scopes)
    measured = await store.measured(connection, {place: scopes[place] for place in known})
    listeners = await _listeners(connection, catalogue, coverage, windows)
    return [
        Records(
            known=known.get(place, {}),
            measured=measured.get(place, {}),
            listeners=listeners[place],
            opening=window.calendar(catalogue, window.promise.carta.calendar),
        )
        for place, window in enumerate(windows)
    ]


async def _listeners(
    connection: Connection, catalogue: Catalogue, coverage: Coverage, windows: Sequence[Recorded]
) -> list[list[Listener]]:
    expected = [window.expected(coverage) for window in windows]
    wanted = [
        (place, window.promise.municipality, source.source, window.bounds.start, window.bounds.end)
        for place, window in enumerate(windows)
        for source, _ in expected[place]
    ]
    found = await store.silences(connection, wanted)
    return [
        [
            _listener(window.promise, source, expects, calendar, found.get((place, source.source)))
            for source, expects in expected[place]
            if (calendar := window.calendar(catalogue, expects.calendar)) is not None
        ]
        for place, window in enumerate(windows)
    ]


def _listener(
    promise: Promise,
    source: SourceCoverage,
    expects: Cadence,
    calendar: PreparedCalendar,
    silences: Sequence[Silence] | None,
) -> Listener:
    services = services_of(promise)
    return Listener(
        reports=frozenset(e for e in promise.events if source.tells_of(services, (e,))),
        expects=expects,
        calendar=calendar,
        silences=silences or (),
    )


class Accounting:
    """Takes in what sources say of themselves, and has the windows looked at that it concerns."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    async def counted(self, tx: Transaction, counts: Sequence[hot.CountData]) -> None:
        """Keep counts; the latest revision of each holds."""
        towns = {data.municipality for data in counts}
        catalogue = await self._knowledge.catalogue(tx.connection, towns)
        for data in sorted(counts, key=lambda each: (each.municipality, each.case, each.revision)):
            if await store.keep_count(tx.connection, data):
                town = catalogue.towns[data.municipality]
                about = town.about((data.service,), (data.counted,))
                await _look_again(tx.connection, data.municipality, about, data.at, data.at)

    async def heard(self, tx: Transaction, heard: Sequence[hot.HeardData]) -> None:
        """Keep the minutes that sources spoke of, in the order of their rows."""
        for data in sorted(heard, key=lambda each: (each.municipality, each.source, each.day)):
            await store.hear(tx.connection, data)

    async def came_late(self, tx: Transaction, cases: Sequence[hot.CaseData]) -> None:
        """Have windows looked at again whose measured cases a late one has changed."""
        begun = [
            (case.municipality, case.service, kind, at)
            for case in cases
            if case.instants and case.received_at - min(case.instants.values()) > LATE_AFTER
            for kind, at in (began(case),)
            if kind is not None and at is not None
        ]
        if not begun:
            return
        towns = {town for town, *_ in begun}
        catalogue = await self._knowledge.catalogue(tx.connection, towns)
        for town, service, kind, at in await store.counted_days(tx.connection, begun):
            about = catalogue.towns[town].about((service,), (kind,))
            await _look_again(tx.connection, town, about, at, at)

    async def find_silences(self, pool: Pool) -> None:
        """Look where each source that is expected to speak has been silent since the last look."""
        async with transaction(pool) as tx:
            coverage = await self._knowledge.coverage(tx.connection)
        expected = [
            (source, source.expects)
            for listed in coverage.sources.values()
            for source in listed
            if source.expects is not None
        ]
        for source, expects in expected:
            async with transaction(pool) as tx:
                towns = (source.municipality,)
                catalogue = await self._knowledge.catalogue(tx.connection, towns)
                through = coverage.pipelines.get(source.pipeline)
                if through is not None:
                    await _find(tx.connection, catalogue, source, expects, through - source.grace)


async def _find(
    connection: Connection,
    catalogue: Catalogue,
    source: SourceCoverage,
    expects: Cadence,
    through: datetime,
) -> None:
    town = source.municipality
    calendar = catalogue.calendar(town, expects.calendar, {})
    if calendar is None:
        return
    spoken = list(words(await store.heard_since_news(connection, town, source.source)))
    since = max(expects.since, spoken[0][1]) if spoken else expects.since
    found = silences(spoken, expects, calendar, since=since, through=through)
    before = await store.silences_since(connection, town, source.source, since=since)
    if found == before:
        return
    await store.replace_silences(connection, town, source.source, since=since, found=found)
    changed = sorted(set(found) ^ set(before), key=lambda each: each.start)
    ends = [each.end or through for each in changed]
    about = catalogue.towns[town].about(source.services, source.reports)
    await _look_again(connection, town, about, changed[0].start, max(ends))


async def _look_again(
    connection: Connection,
    municipality: str,
    compromisos: Sequence[str],
    start: datetime,
    end: datetime,
) -> None:
    if compromisos:
        await store.look_again(connection, municipality, compromisos, start=start, end=end)


def silences_as_json(found: Sequence[Silence]) -> list[dict[str, str | None]]:
    """Return them as they travel, RFC 3339."""
    return [
        {"start": each.start.isoformat(), "end": None if each.end is None else each.end.isoformat()}
        for each in found
    ]
