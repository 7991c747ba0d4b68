"""What sources say of their own cases and of their being awake, and what results make of it."""

from collections.abc import Mapping, Sequence
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

LATE_AFTER = timedelta(days=1)
"""A case that comes in so long after it began may change a number that was published."""


async def records_of(
    connection: Connection,
    catalogue: Catalogue,
    *,
    coverage: Coverage,
    promise: Promise,
    unit: str,
    window: WindowBounds,
    versions: Mapping[str, int],
) -> Records:
    """Read what was kept of a window beside its counts; by these versions of calendars."""
    town, services = promise.municipality, services_of(promise)
    scope = Scope(
        municipality=town,
        services=services,
        kinds=sorted(set(promise.events)),
        start=window.start,
        end=window.end,
        zone=promise.zone.key,
        unit=unit if promise.compromiso.scope is JudgedBy.UNIT else None,
    )
    known = await store.counts(connection, scope)
    return Records(
        known=known,
        measured=await store.measured(connection, scope) if known else {},
        listeners=await _listeners(connection, catalogue, coverage, promise, window, versions),
        opening=catalogue.calendar(town, promise.carta.calendar, versions),
    )


async def _listeners(  # noqa: PLR0917 - one value of each kind
    connection: Connection,
    catalogue: Catalogue,
    coverage: Coverage,
    promise: Promise,
    window: WindowBounds,
    versions: Mapping[str, int],
) -> Sequence[Listener]:
    town, services = promise.municipality, services_of(promise)
    expected = [
        (source, source.expects)
        for source in coverage.telling(town, services, promise.events)
        if source.expects is not None and source.expects.since < window.end
    ]
    if not expected:
        return ()
    names = [source.source for source, _ in expected]
    found = await store.silences(connection, town, names, start=window.start, end=window.end)
    return [
        Listener(
            reports=frozenset(e for e in promise.events if source.tells_of(services, (e,))),
            expects=expects,
            calendar=calendar,
            silences=[silence for name, silence in found if name == source.source],
        )
        for source, expects in expected
        if (calendar := catalogue.calendar(town, expects.calendar, versions)) is not None
    ]


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
