"""What is known of versions: lists, one version with what it changes, certificates, drafts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, cast
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from services.cartas.domain.changes import Comparison, Written, compare, written_of
from services.cartas.domain.drafts import DraftReading, draft_of, read_draft, warnings_code
from services.cartas.domain.life import Life, life_of
from services.cartas.domain.versions import Stored
from services.cartas.store import versions
from services.cartas.store.versions import Draft, Taken
from services.cartas.use_cases.errors import FaultsError
from services.cartas.use_cases.town import Town, read_town, unknown_carta, unknown_version
from services.cartas.use_cases.versions import line_of
from shared.contracts.cartas import CartaData
from shared.messaging import Transaction

ALLOWED: Final = {
    Life.DRAFT: ("approve", "retire"),
    Life.APPROVED: ("publish", "retire"),
    Life.PUBLISHED: ("retire", "certify"),
    Life.IN_FORCE: ("retire", "certify"),
    Life.RETIRED: (),
}
"""The steps that a version may take, by where it stands."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of a list. Days and acta are None until the approval."""

    carta: str
    version: int
    name: str
    life: Life
    unit: str | None
    valid_from: date | None
    valid_to: date | None
    record: str | None
    certified_until: date | None


@dataclass(frozen=True, slots=True)
class Detail:
    """One version. `data` is None where its draft has faults; `code` acknowledges `warnings`.

    `zone` is the municipality's.
    """

    summary: Summary
    data: CartaData | None
    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    code: str
    comparison: Comparison | None
    steps: tuple[Taken, ...]
    allowed: tuple[str, ...]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Certificate:
    """Until when a carta in force is certified; `days_left` is negative once it has expired."""

    carta: str
    version: int
    name: str
    until: date
    days_left: int


async def list_versions(
    tx: Transaction, municipality: str, carta: str | None = None
) -> list[Summary]:
    """Return every version by carta, the newest first. Raises UnknownVersionError."""
    # Drafts first: one that is published meanwhile is then among the published ones as well.
    drafts = await versions.drafts(tx.connection, municipality, carta)
    town = await read_town(tx.connection, municipality, tx.now)
    found = {
        (each.carta, each.version): _published(each, town.today)
        for each in town.around.cartas
        if carta is None or each.carta == carta
    }
    for draft in drafts:
        if (draft.carta, draft.version) not in found:
            found[draft.carta, draft.version] = _of_draft(draft, town)
    if carta is not None and not found:
        raise unknown_carta(town, carta)
    return [found[key] for key in sorted(found, key=lambda key: (key[0], -key[1]))]


async def show_version(tx: Transaction, municipality: str, carta: str, *, version: int) -> Detail:
    """Return one version beside the one that it follows. Raises UnknownVersionError."""
    draft = await versions.draft(tx.connection, municipality, carta, version=version)
    town = await read_town(tx.connection, municipality, tx.now)
    published = town.carta(carta, version)
    if published is None and draft is None:
        raise await unknown_version(tx.connection, town, carta, version)
    data, reading = published, None
    if published is None and draft is not None:
        data, reading = draft.data, _read(draft, town)
        if data is None and reading.declared is not None:
            data = reading.declared.data
    taken = await versions.steps_of(tx.connection, municipality, carta, version=version)
    warnings = tuple(line_of(each) for each in reading.warnings) if reading else ()
    summary = _summary(published, draft, town)
    return Detail(
        summary,
        data,
        tuple(line_of(each) for each in reading.faults) if reading else (),
        warnings,
        warnings_code(warnings),
        None if data is None else _beside_the_one_before(town, data, reading),
        tuple(taken),
        ALLOWED[summary.life],
        town.zone,
    )


def _summary(published: CartaData | None, draft: Draft | None, town: Town) -> Summary:
    if published is not None:
        return _published(published, town.today)
    assert draft is not None
    return _of_draft(draft, town)


async def check(tx: Transaction, municipality: str, content: bytes, carta: str) -> Detail:
    """Return what a draft would be, without keeping it. Raises UnknownVersionError."""
    town = await read_town(tx.connection, municipality, tx.now)
    known = await versions.on_its_way(tx.connection, municipality, carta)
    last = await versions.last_version(tx.connection, municipality, carta)
    version = known.version if known else last + 1
    reading = read_draft(content, town.around, version)
    data = reading.declared.data if reading.declared else None
    warnings = tuple(line_of(each) for each in reading.warnings)
    name = data.name if data else ""
    return Detail(
        Summary(carta, version, name, Life.DRAFT, None, None, None, None, None),
        data,
        tuple(line_of(each) for each in reading.faults),
        warnings,
        warnings_code(warnings),
        None if data is None else _beside_the_one_before(town, data, reading),
        (),
        (),
        town.zone,
    )


async def compare_versions(
    tx: Transaction, municipality: str, carta: str, *, old: int, new: int
) -> Comparison:
    """Put any two versions side by side. Raises UnknownVersionError, FaultsError."""
    town = await read_town(tx.connection, municipality, tx.now)
    one, one_written = await _data(tx, town, carta, version=old)
    two, two_written = await _data(tx, town, carta, version=new)
    return compare(one, two, old_written=one_written, new_written=two_written)


def _beside_the_one_before(town: Town, data: CartaData, reading: DraftReading | None) -> Comparison:
    before = town.around.last_before(data.carta, data.version)
    return compare(
        before,
        data,
        old_written=None if before is None else _written(town, before),
        new_written=_written(town, data) if reading is None else _drafted(reading),
    )


def _written(town: Town, data: CartaData) -> Written:
    return written_of(town.cartas[data.carta, data.version].declared)


def _drafted(reading: DraftReading) -> Written:
    return written_of(None if reading.declared is None else reading.declared.declared)


async def _data(
    tx: Transaction, town: Town, carta: str, *, version: int
) -> tuple[CartaData, Written]:
    published = town.carta(carta, version)
    if published is not None:
        return published, _written(town, published)
    draft = await versions.draft(tx.connection, town.code, carta, version=version)
    if draft is None:
        raise await unknown_version(tx.connection, town, carta, version)
    reading = _read(draft, town)
    if reading.declared is None:
        raise FaultsError(reading.faults)
    return draft.data or reading.declared.data, _drafted(reading)


async def draft_file(
    tx: Transaction, municipality: str, carta: str, *, version: int | None = None
) -> str:
    """Return a version as a draft file; the newest where none is asked for.

    Raises UnknownVersionError.
    """
    town = await read_town(tx.connection, municipality, tx.now)
    drafts = await versions.drafts(tx.connection, municipality, carta)
    live = {each.version: each for each in drafts if each.state != versions.WITHDRAWN}
    own = {number: each for (code, number), each in town.cartas.items() if code == carta}
    wanted = version or max([*live, *own], default=0)
    if wanted in live:
        return live[wanted].content
    if wanted not in own:
        raise await unknown_version(tx.connection, town, carta, wanted)
    return draft_of(municipality, _whole(own, wanted))


def _whole(own: Mapping[int, Stored], version: int) -> dict[str, JsonValue]:
    """Return what the author wrote; an earlier version names only what it had of its own."""
    declared = cast(dict[str, JsonValue], own[version].declared or {})
    if "codigo" in declared:
        return declared
    later = next(
        cast(dict[str, JsonValue], own[number].declared)
        for number in sorted(own)
        if isinstance(own[number].declared, dict) and "codigo" in own[number].declared  # type: ignore[operator]
    )
    notes = ("cambios", "motivo")
    return {**later, **{k: v for k, v in declared.items() if k not in notes}}


async def certificates(
    tx: Transaction, municipality: str, *, within_days: int | None = None
) -> list[Certificate]:
    """Return certified cartas in force, those that expire soonest first. UnknownVersionError."""
    town = await read_town(tx.connection, municipality, tx.now)
    found = [
        Certificate(each.carta, each.version, each.name, each.certified_until, left.days)
        for each in town.around.cartas
        if each.certified_until is not None and life_of(each, town.today) is Life.IN_FORCE
        for left in [each.certified_until - town.today]
        if within_days is None or left <= timedelta(days=within_days)
    ]
    return sorted(found, key=lambda each: (each.until, each.carta))


def _published(data: CartaData, today: date) -> Summary:
    return Summary(
        data.carta,
        data.version,
        data.name,
        life_of(data, today),
        data.unit,
        data.valid_from,
        data.valid_to,
        data.approval.record,
        data.certified_until,
    )


def _of_draft(draft: Draft, town: Town) -> Summary:
    lives = {
        versions.DRAFTED: Life.DRAFT,
        versions.APPROVED: Life.APPROVED,
        versions.WITHDRAWN: Life.RETIRED,
    }
    data = draft.data
    before = town.around.last_before(draft.carta, draft.version)
    named = data or before
    return Summary(
        draft.carta,
        draft.version,
        named.name if named else "",
        lives[draft.state],
        named.unit if named else None,
        data.valid_from if data else None,
        data.valid_to if data else None,
        data.approval.record if data else None,
        named.certified_until if named else None,
    )


def _read(draft: Draft, town: Town) -> DraftReading:
    return read_draft(draft.content.encode(), town.around, draft.version)
