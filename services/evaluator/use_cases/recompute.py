"""Every figure can be recomputed: from the stored facts to the same canonical bytes.

The facts are judged and added up afresh by the code of the live judge; from these counts the whole
result is made as the publisher makes it, as of what was known then, and compared with the stored
one byte by byte. What a publication merely brings along is taken from the record: its edition, its
number, the instant through which facts were known, why an addendum was made.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec
from asyncpg import Record as Row

from services.evaluator.domain.addenda import moved
from services.evaluator.domain.catalogue import Catalogue, Promise, services_of
from services.evaluator.domain.coverage import Coverage
from services.evaluator.domain.records import (
    ABSENT,
    RESULT_SCHEMA,
    Difference,
    Record,
    compare,
    differences,
    record_of,
)
from services.evaluator.domain.results import Addendum, Known
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from services.evaluator.store import editions as edition_store
from services.evaluator.store import sums
from services.evaluator.store.tallies import CohortCounts
from services.evaluator.store.windows import WindowKey, WindowState
from services.evaluator.use_cases.looking import Look, Publication, as_dated, deciding, look_at
from services.evaluator.use_cases.recounting import Fresh, Shard, count, count_beside, shards
from shared.contracts.results import Cause, ResultData
from shared.criteria import Measure
from shared.database import Connection, Pool

# `waits`: the figures shown are those of a moment ago, and another publication is under way.
WINDOWS = """
SELECT w.window_no AS number, w.compromiso, w.unit, w.window_id, w.carta, w.carta_version,
       w.starts_at, w.ends_at, w.closes_at, w.closes_at <= w.opened_at AS is_past, w.edition,
       w.sequence, w.risk, w.result, w.digest, w.result_schema, w.known,
       w.stale OR w.result IS NULL OR EXISTS (
           SELECT FROM changed_window c WHERE c.window_no = w.window_no
       ) AS waits
FROM judged_window w
WHERE w.municipality = $1 AND ($2::text[] IS NULL OR w.compromiso = ANY ($2))
ORDER BY w.compromiso, w.unit, w.starts_at
"""
REJUDGING = "SELECT service FROM rejudging WHERE municipality = $1"


class Outcome(StrEnum):
    """How the latest result of a window compares.

    WAITING: a newer one is being made, and only what was made of it already is compared.
    OTHER_SCHEMA: it was written by another schema, and the members that both have are the same.
    WITHDRAWN: its promise is in force no more, and there is nothing to judge by.
    """

    SAME = "same"
    OTHER_SCHEMA = "same under another schema"
    WAITING = "waiting"
    WITHDRAWN = "withdrawn"
    DIFFERENT = "different"


_LOST = Difference("window", ABSENT, "has cases")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A window as it is stored and as it was recomputed."""

    window: WindowKey
    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    recomputed: Record | None = None

    @property
    def agrees(self) -> bool:
        """Whether nothing differs in what could be compared."""
        return not self.differences


async def recompute(
    pool: Pool,
    municipality: str,
    *,
    only: Collection[WindowKey] | None = None,
    database_url: str = "",
    processes: int = 1,
) -> list[Comparison]:
    """Judge every stored case from scratch and compare every result, window by window.

    With `only`, those windows alone, and the cases of their services. All is seen at one moment,
    while the service goes on. Several `processes` need the address of the database.
    """
    async with (
        pool.acquire() as plain,
        plain.transaction(isolation="repeatable_read", readonly=True),
    ):
        connection: Connection = plain  # type: ignore[assignment]
        catalogue = await catalogue_store.only(connection, municipality)
        services = _services(catalogue, only)
        work = await shards(connection, municipality, services, most=processes)
        if len(work) > 1:
            fresh = await count_beside(connection, work, database_url=database_url)
        else:
            own = tuple(name for shard in work for name in shard.services)
            fresh = await count(connection, catalogue, Shard(municipality, own))
        return await _compare(
            connection, catalogue, municipality=municipality, only=only, fresh=fresh
        )


async def _compare(
    connection: Connection,
    catalogue: Catalogue,
    *,
    municipality: str,
    only: Collection[WindowKey] | None,
    fresh: Fresh,
) -> list[Comparison]:
    """Compare what is stored with what was counted; last the windows that are not stored at all."""
    compromisos = None if only is None else sorted({window[1] for window in only})
    table = await _table(
        connection, catalogue, municipality=municipality, compromisos=compromisos, fresh=fresh
    )
    windows = await connection.fetch(WINDOWS, municipality, compromisos)
    rows = {_key(municipality, row): row for row in windows}
    wanted = [key for key in rows if only is None or key in only]
    compared = [await table.compare(key, rows[key]) for key in wanted]
    lost = sorted(key for key in fresh.keys() - rows.keys() if only is None or key in only)
    return compared + [Comparison(key, Outcome.DIFFERENT, (_LOST,)) for key in lost]


def _key(municipality: str, row: Row) -> WindowKey:
    return (municipality, row["compromiso"], row["unit"], row["window_id"])


def _services(catalogue: Catalogue, only: Collection[WindowKey] | None) -> list[str] | None:
    if only is None:
        return None
    compromisos = {window[:2] for window in only}
    promises = [p for key in compromisos for p in catalogue.versions(*key)]
    return sorted({service for promise in promises for service in services_of(promise)})


@dataclass(frozen=True, slots=True)
class _Table:
    """What is stored and what was counted afresh, side by side."""

    connection: Connection
    catalogue: Catalogue
    coverage: Coverage
    added: Fresh
    fresh: Fresh
    editions: Mapping[WindowKey, Sequence[Record]]
    rejudging: frozenset[str]

    async def compare(self, key: WindowKey, row: Row) -> Comparison:
        """Compare the counts, the editions of before, and the latest result."""
        state = WindowState.of(row)
        promise = deciding(self.catalogue, key, state)
        editions = self.editions.get(key, ())
        unsound = list(_unsound(editions))
        if promise is None:
            return _judged(key, Outcome.WITHDRAWN, unsound)
        if self.rejudging.intersection(services_of(promise)):
            return _judged(key, Outcome.WAITING, unsound)
        unsound += self._miscounted(key)
        if row["waits"]:
            return _judged(key, Outcome.WAITING, unsound)
        found = await self._result(key, promise, state=state, row=row, editions=editions)
        schema = row["result_schema"]
        unsound += compare(row["result"], row["digest"], schema, found)
        same = Outcome.SAME if schema == RESULT_SCHEMA else Outcome.OTHER_SCHEMA
        return _judged(key, same, unsound, record_of(found))

    def _miscounted(self, key: WindowKey) -> list[Difference]:
        """Return where the counts that were added up differ from those that were made afresh."""
        added, fresh = self.added.get(key, {}), self.fresh.get(key, {})
        return [] if added == fresh else list(differences(_plain(added), _plain(fresh), "counts"))

    async def _counts(self, windows: Mapping[WindowKey, Sequence[Measure]]) -> Fresh:
        return self.fresh

    async def _result(
        self,
        key: WindowKey,
        promise: Promise,
        *,
        state: WindowState,
        row: Row,
        editions: Sequence[Record],
    ) -> ResultData:
        """Make the result as of what was known when it was published."""
        dated, state = as_dated(promise, state)
        [look] = await look_at(
            self.connection,
            self.catalogue,
            self.coverage,
            {key: (dated, state)},
            counts_of=self._counts,
        )
        addendum = None
        if state.edition > 1:
            before = json.loads(editions[state.edition - 2].json)
            addendum = Addendum(before["parts"], _causes(row["result"]))
        publication = Publication(
            edition=state.edition,
            sequence=state.sequence,
            addendum=addendum,
        )
        return replace(look, known=_known(row, look)).result(publication)


def _known(row: Row, look: Look) -> Known:
    """Return what was known then of the sources; whether all came through imports, facts tell."""
    if row["known"] is None:
        return look.known
    then = msgspec.json.decode(row["known"], type=Known)
    return replace(then, historical=look.known.historical)


async def _table(
    connection: Connection,
    catalogue: Catalogue,
    *,
    municipality: str,
    compromisos: Sequence[str] | None,
    fresh: Fresh,
) -> _Table:
    rejudging = await connection.fetch(REJUDGING, municipality)
    return _Table(
        connection,
        catalogue,
        await coverage_store.load(connection),
        await sums.counts_of_town(connection, municipality, compromisos),
        fresh,
        await edition_store.of_town(connection, municipality, compromisos),
        frozenset(row["service"] for row in rejudging),
    )


def _judged(
    key: WindowKey, outcome: Outcome, found: Sequence[Difference], record: Record | None = None
) -> Comparison:
    return Comparison(key, Outcome.DIFFERENT if found else outcome, tuple(found), record)


def _unsound(editions: Sequence[Record]) -> Iterator[Difference]:
    """Yield where a frozen edition is not what its sum says, or its story not what it changed."""
    before: ResultData | None = None
    for number, record in enumerate(editions, start=1):
        if record.schema != RESULT_SCHEMA:
            before = None
            continue
        data = ResultData.model_validate_json(record.json)
        now = record_of(data)
        if now.digest != record.digest:
            yield Difference(f"edition {number}", record.digest.hex(), now.digest.hex())
        if before is not None:
            told = moved([part.model_dump() for part in before.parts], data.parts)
            if told != data.moved:
                yield Difference(f"edition {number}.moved", data.moved, told)
        before = data


def _causes(result: str) -> tuple[Cause, ...]:
    """Return the causes as they were published: what moved a window was known while it did."""
    published = json.loads(result).get("causes", ())
    return tuple(Cause.model_validate_json(json.dumps(each)) for each in published)


def _plain(counts: CohortCounts) -> dict[str, Any]:
    """Return the counts by names, for a list of differences."""
    return {
        f"version {version}, measure {measure}": {
            "imported": each.historical,
            **{f"cell {cell!r}": asdict(tally) for cell, tally in each.cells.items()},
        }
        for (version, measure), each in counts.items()
    }
