"""Import a file: look at all of it first, then publish the differences to what is in the ledger.

Each chunk of rows is one transaction {ledger, outbox}: killed anywhere and run again, every row is
published once. The same file again publishes nothing, a corrected one its differences.
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from services.measurements.domain.checks import EARLIEST, Reason, Refusal, Source, SourceState
from services.measurements.domain.contents import hash_of
from services.measurements.domain.ledger import LedgerRow, Plan, Publisher
from services.measurements.domain.mapping import Mapping
from services.measurements.domain.mapping_file import MappingError, MappingFile
from services.measurements.domain.registration import Registration
from services.measurements.domain.rows import Row, RowReader, Skipped
from services.measurements.store import imports as store
from services.measurements.store.activity import EdgeRefusal, add_edge_refusals
from services.measurements.store.sources import add_source, sources_by_uri
from services.measurements.use_cases.declarations import IMPORT_DECLARED, declaration
from services.measurements.use_cases.files import CHUNK_ROWS, CsvFile, Line, file_digest, open_csv
from shared.contracts import hot, topics
from shared.contracts.ids import derived_id
from shared.contracts.measurements import ImportPhase
from shared.contracts.service_events import reports
from shared.database import Connection, Pool
from shared.messaging import Transaction, transaction

SERVICE = "measurements"
SAMPLES = 10

Moved = Callable[[int], None]
"""Told how many bytes of the file were read so far."""


@dataclass(slots=True)
class Report:
    """What a look at the file found or a load did, by row; `events` counts those to publish."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    removed: int = 0
    refused: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    refusals: list[tuple[int, Refusal]] = field(default_factory=list)
    events: int = 0
    latest: datetime | None = None
    as_of: datetime | None = None
    import_id: str | None = None

    def refuse(self, line: int, refusal: Refusal) -> None:
        self.refused += 1
        if len(self.refusals) < SAMPLES:
            self.refusals.append((line, refusal))


@dataclass(frozen=True, slots=True)
class FileImport:
    """What is imported, by which mapping, as judged at `now` (UTC)."""

    path: Path
    file: MappingFile
    municipality: str
    now: datetime

    @property
    def mapping(self) -> Mapping:
        return self.file.mapping

    def content(self) -> bytes:
        """Hash of file and mapping: the same again is the same import."""
        return hash_of(file_digest(self.path), self.mapping.model_dump_json(), self.municipality)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run over the file, and what it finds."""

    job: FileImport
    source: Source
    publisher: Publisher
    report: Report

    def reader(self, file: CsvFile) -> RowReader:
        """Raises MappingError where the file lacks a column."""
        self.job.file.check_header(file.name, file.header)
        return RowReader(self.job.mapping, file.header)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What one chunk of rows asks for."""

    plans: dict[str, Plan]
    refusals: list[EdgeRefusal]


async def look(pool: Pool, job: FileImport, *, moved: Moved) -> Report:
    """Say what an import would do; nothing is changed."""
    async with pool.acquire() as con:
        source = await _registered(con, job) or _unregistered(job)  # type: ignore[arg-type]
        async with _locked(con, source):  # type: ignore[arg-type]
            return await _look(con, job, source, moved=moved)  # type: ignore[arg-type]


async def load(pool: Pool, job: FileImport, *, moved: Moved) -> Report:
    """Import the file. Raises MappingError, also while another import of the source runs."""
    async with pool.acquire() as guard:
        source = await register(guard, job)  # type: ignore[arg-type]
        async with _locked(guard, source):  # type: ignore[arg-type]
            seen = await _look(guard, job, source, moved=moved)  # type: ignore[arg-type]
            import_id = await _begin(pool, job, source, seen=seen)
            if import_id is None:
                return seen
            publisher = Publisher(source.uri, source.municipality, import_id)
            run = _Run(job, source, publisher, Report(import_id=import_id, as_of=seen.as_of))
            await _load(pool, run, moved=moved)
            return run.report


async def register(con: Connection, job: FileImport) -> Source:
    """Return the mapping's source, registering it without a token where it is new.

    Raises MappingError where the registered one does not fit the mapping.
    """
    mapping = job.mapping
    known = await _registered(con, job)
    if known is not None:
        return known
    new = Registration(
        uri=mapping.source,
        municipality=job.municipality,
        historical=mapping.historical is not None,
        services=frozenset(mapping.services),
        reports=mapping.kinds,
        attributes=frozenset(mapping.attributes),
        grace_seconds=0,
    )
    await add_source(con, new)
    return (await sources_by_uri(con, [mapping.source]))[mapping.source]


async def _registered(con: Connection, job: FileImport) -> Source | None:
    uri = job.mapping.source
    known = (await sources_by_uri(con, [uri])).get(uri)
    faults = [] if known is None else _misfits(job, known)
    if faults:
        raise MappingError("\n".join(f"source {uri}: {fault}" for fault in faults))
    return known


def _unregistered(job: FileImport) -> Source:
    """Stand in for a source of which nothing is stored yet."""
    return Source(
        source_id=0,
        uri=job.mapping.source,
        municipality=job.municipality,
        historical=job.mapping.historical is not None,
        services=frozenset(job.mapping.services),
        reports=job.mapping.kinds,
        attributes=frozenset(job.mapping.attributes),
        grace_seconds=0,
        state=SourceState.ACTIVE,
    )


def _misfits(job: FileImport, known: Source) -> Sequence[str]:
    mapping = job.mapping
    faults = []
    if known.municipality != job.municipality:
        faults.append(f"registered for {known.municipality}, not {job.municipality}")
    if known.historical != (mapping.historical is not None):
        kind = "historical" if known.historical else "live"
        faults.append(f"registered as {kind}; the mapping says otherwise")
    if "*" not in known.services and not known.services.issuperset(mapping.services):
        faults.append(f"registered for the services {', '.join(sorted(known.services))}")
    if not all(reports(known.reports, kind) for kind in mapping.kinds):
        faults.append(f"registered as reporting {', '.join(sorted(known.reports))}")
    if not known.attributes.issuperset(mapping.attributes):
        faults.append(f"registered with the attributes {', '.join(sorted(known.attributes))}")
    return faults


@asynccontextmanager
async def _locked(con: Connection, source: Source) -> AsyncIterator[None]:
    if not await store.lock_source(con, source.source_id):
        raise MappingError(f"source {source.uri}: another import of it is under way")
    try:
        yield
    finally:
        if not con.is_closed():
            await store.unlock_source(con, source.source_id)


async def _look(con: Connection, job: FileImport, source: Source, *, moved: Moved) -> Report:
    run = _Run(job, source, Publisher(source.uri, source.municipality, ""), Report())
    report = run.report
    await store.forget_seen(con, source.source_id)
    with open_csv(job.path, job.mapping) as file:
        reader = run.reader(file)
        for lines in file.chunks():
            await _plan(con, run, lines, reader=reader)
            moved(file.position)
    if job.mapping.complete:
        await _count_gone(con, run)
    await store.forget_seen(con, source.source_id)
    historical = job.mapping.historical
    if historical is not None:
        declared = historical.as_of
        report.as_of = declared if isinstance(declared, datetime) else report.latest
        if report.as_of is None:
            raise MappingError(f"{job.path.name}: no row can be read, so no instant is the latest")
    return report


async def _plan(con: Connection, run: _Run, lines: Sequence[Line], *, reader: RowReader) -> _Chunk:
    report, source_id = run.report, run.source.source_id
    rows, refusals = _read(lines, reader, run.job.now, report=report)
    contents = {key: row.content for key, (_, row) in rows.items()}
    fresh = await store.add_seen(con, source_id, contents)
    repeated = await store.seen(con, source_id, contents.keys() - fresh)
    known = await store.ledger(con, source_id, fresh)
    plans: dict[str, Plan] = {}
    for key, (line, row) in rows.items():
        if key in repeated:
            same = repeated[key] == contents[key]
            _note_repeat(line, same=same, report=report, refusals=refusals)
            continue
        plan = run.publisher.plan(row, known.get(key))
        _count(report, row, plan=plan, known=known.get(key))
        if plan is not None:
            plans[key] = plan
    return _Chunk(plans, refusals)


def _read(
    lines: Sequence[Line], reader: RowReader, now: datetime, *, report: Report
) -> tuple[dict[str, tuple[int, Row]], list[EdgeRefusal]]:
    """Read rows by key; of two with the same key in the chunk the first counts."""
    rows: dict[str, tuple[int, Row]] = {}
    refusals: list[EdgeRefusal] = []
    for line in lines:
        report.rows += 1
        read = _read_line(line, reader, now)
        if isinstance(read, Skipped):
            report.skipped[read.name] += 1
        elif isinstance(read, Refusal):
            report.refuse(line.number, read)
            refusals.append(EdgeRefusal(read, line=line.number))
        elif read.key in rows:
            same = rows[read.key][1].content == read.content
            _note_repeat(line.number, same=same, report=report, refusals=refusals)
        else:
            rows[read.key] = (line.number, read)
    return rows, refusals


def _read_line(line: Line, reader: RowReader, now: datetime) -> Row | Skipped | Refusal:
    if isinstance(line.cells, Refusal):
        return line.cells
    return reader.read(line.cells, now, line=line.number)


def _note_repeat(line: int, *, same: bool, report: Report, refusals: list[EdgeRefusal]) -> None:
    if same:
        report.repeated += 1
        return
    refusal = Refusal(Reason.DUPLICATE_ROW, None, "another row says otherwise of the same case")
    report.refuse(line, refusal)
    refusals.append(EdgeRefusal(refusal, line=line))


def _count(report: Report, row: Row, *, plan: Plan | None, known: LedgerRow | None) -> None:
    latest = max(event.time for event in row.events)
    report.latest = latest if report.latest is None else max(report.latest, latest)
    if plan is None:
        report.unchanged += 1
        return
    report.events += len(plan.events)
    report.new += known is None
    report.changed += known is not None


def _count_removals(report: Report, plans: dict[str, Plan]) -> None:
    report.removed += len(plans)
    report.events += sum(len(plan.events) for plan in plans.values())


async def _count_gone(con: Connection, run: _Run) -> None:
    last = ""
    while gone := await store.gone(con, run.source.source_id, last, limit=CHUNK_ROWS):
        last = max(gone)
        _count_removals(run.report, _removals(run, gone))


def _removals(run: _Run, gone: dict[str, LedgerRow]) -> dict[str, Plan]:
    return {key: run.publisher.remove(key, known) for key, known in gone.items()}


async def _begin(pool: Pool, job: FileImport, source: Source, *, seen: Report) -> str | None:
    """Open the import, or take up the one that was cut off; None where there is nothing to do."""
    content = job.content()
    async with transaction(pool, service=SERVICE) as tx:
        con = tx.connection
        cut_off = await store.open_import(con, source.source_id, content)
        if cut_off is not None:
            return cut_off.import_id
        number = await store.count_imports(con, source.source_id)
        if (
            not seen.events
            and number
            and seen.as_of == await store.latest_as_of(con, source.source_id)
        ):
            return None
        cause = f"{source.uri}\x00{content.hex()}"
        import_id = derived_id(cause, IMPORT_DECLARED, seen.as_of or EARLIEST, ordinal=number)
        await store.begin_import(
            con,
            import_id,
            source_id=source.source_id,
            file=job.path.name,
            content=content,
            as_of=seen.as_of,
            expected=seen.events,
        )
        if seen.as_of is not None:
            begun = declaration(
                import_id,
                source.uri,
                municipality=source.municipality,
                phase=ImportPhase.BEGUN,
                expected=seen.events,
                as_of=seen.as_of,
                now=tx.now,
            )
            tx.publish(topics.MEASUREMENTS, begun)
    return import_id


async def _load(pool: Pool, run: _Run, *, moved: Moved) -> None:
    async with transaction(pool, service=SERVICE) as tx:
        await store.forget_seen(tx.connection, run.source.source_id)
    with open_csv(run.job.path, run.job.mapping) as file:
        reader = run.reader(file)
        for lines in file.chunks():
            async with transaction(pool, service=SERVICE) as tx:
                chunk = await _plan(tx.connection, run, lines, reader=reader)
                await _record(tx, run, chunk, file=file.name)
            moved(file.position)
    if run.job.mapping.complete:
        await _remove(pool, run)
    async with transaction(pool, service=SERVICE) as tx:
        await store.end_import(tx.connection, run.publisher.import_id)
        await store.forget_seen(tx.connection, run.source.source_id)


async def _record(tx: Transaction, run: _Run, chunk: _Chunk, *, file: str) -> None:
    await add_edge_refusals(
        tx.connection,
        run.source.source_id,
        chunk.refusals,
        import_id=run.publisher.import_id,
        file=file,
    )
    await _publish(tx, run, chunk.plans)


async def _remove(pool: Pool, run: _Run) -> None:
    """Void the rows that are gone from the file; each step leaves fewer of them."""
    while True:
        async with transaction(pool, service=SERVICE) as tx:
            gone = await store.gone(tx.connection, run.source.source_id, "", limit=CHUNK_ROWS)
            if not gone:
                return
            plans = _removals(run, gone)
            await _publish(tx, run, plans)
        _count_removals(run.report, plans)


async def _publish(tx: Transaction, run: _Run, plans: dict[str, Plan]) -> None:
    ledger = {key: plan.ledger for key, plan in plans.items()}
    await store.keep(tx.connection, run.source.source_id, ledger)
    for plan in plans.values():
        for event in plan.events:
            record_key = f"{run.source.municipality}/{event.data.case}"
            tx.publish_raw(topics.SERVICE_EVENTS, record_key, hot.encode(event))
    events = sum(len(plan.events) for plan in plans.values())
    await store.add_published(tx.connection, run.publisher.import_id, events)
