"""A window as it is judged: everything that its result is made of, and nothing else.

The publisher looks with the counts as they were added up, a recomputation with counts made afresh;
what they say of the window then is the same function of what they saw.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from services.evaluator.domain.accounts import Records, accounts_of, is_never_open
from services.evaluator.domain.catalogue import Catalogue, Promise
from services.evaluator.domain.cohorts import Cohorts, cohorts_of
from services.evaluator.domain.coverage import Coverage
from services.evaluator.domain.outlook import Volume, volumes_of, with_outlook
from services.evaluator.domain.results import (
    Addendum,
    Counted,
    Known,
    Subject,
    judged,
    result_data,
    window_of_result,
)
from services.evaluator.store import editions
from services.evaluator.store import tallies as tally_store
from services.evaluator.store import windows as window_store
from services.evaluator.store.tallies import CohortCounts, cells_of, is_historical
from services.evaluator.store.windows import WindowKey, WindowState
from services.evaluator.use_cases.accounting import Recorded, records_of
from services.evaluator.use_cases.knowledge import of_window
from shared.contracts.results import ResultData
from shared.criteria import Measure, NotEvaluated, WindowBounds
from shared.criteria.vocabulary import Reference
from shared.database import Connection

CountsOf = Callable[
    [Mapping[WindowKey, Sequence[Measure]]], Awaitable[Mapping[WindowKey, CohortCounts]]
]
"""Where the counts of windows come from; the measures tell whether amounts are wanted too."""

Held = Mapping[WindowKey, tuple[Promise, WindowState]]
"""Windows, each with the promise that decides it and what was last published of it."""


@dataclass(frozen=True, slots=True)
class Publication:
    """What a publication brings to its result: its numbers, and the edition that it follows.

    `edition` 0 is provisional.
    """

    edition: int
    sequence: int
    addendum: Addendum | None = None


@dataclass(frozen=True)
class Look:
    """A window as one transaction sees it: its counts, and what was known before they were read.

    `awaits_import`: some of its cases came through an import that is still under way.
    `records`: what sources say of their own cases, and when they were silent.
    `volumes`: as many cases as are expected in each part while the window runs.
    """

    key: WindowKey
    promise: Promise
    state: WindowState
    counts: CohortCounts
    cohorts: Cohorts
    known: Known
    awaits_import: bool
    earlier: Mapping[Reference, Counted]
    volumes: Sequence[Volume | None]
    records: Records
    catalogue: Catalogue

    @cached_property
    def counted(self) -> Counted:
        """The counts as they are judged."""
        counted = Counted.of(self.subject.bounds, self.cohorts, self.earlier)
        return replace(counted, impediment=counted.impediment or self._idle())

    def _idle(self) -> NotEvaluated | None:
        """Return why nothing can be asked of the whole window, where that is so."""
        if self.promise.is_suspended(self.subject.bounds):
            return NotEvaluated.CARTA_SUSPENDED
        is_empty = not tally_store.population_of(self.counts)
        if is_empty and is_never_open(self.records.opening, self.subject.bounds):
            return NotEvaluated.SERVICE_NOT_PROVIDED
        return None

    @cached_property
    def historical(self) -> bool:
        """Whether all cases came through an import."""
        return is_historical(self.counts.values())

    @property
    def is_closed(self) -> bool:
        """Whether an edition of it is frozen."""
        return self.state.edition > 0

    @cached_property
    def subject(self) -> Subject:
        """What statements about it name."""
        state = self.state
        window = window_of_result(
            self.key[3],
            self.promise,
            start=state.starts_at,
            end=state.ends_at,
            closes_at=state.closes_at,
        )
        return Subject(self.promise, self.key[2], window)

    @property
    def calendar_versions(self) -> Mapping[str, int]:
        """The calendars of its versions; a closed window keeps those that it closed with."""
        if self.is_closed:
            return {**self.promise.calendar_versions, **self.records.calendar_versions}
        town, compromiso = self.key[:2]
        found = [self.catalogue.promise(town, compromiso, v) for v in self.cohorts.versions]
        promises = [*(each for each in found if each is not None), self.promise]
        used = {name: v for each in promises for name, v in each.calendar_versions.items()}
        return used | self.records.calendar_versions

    def result(self, publication: Publication) -> ResultData:
        """Return the result, with all of its evidence."""
        final = publication.edition > 0
        counted = self.counted
        accounts = accounts_of(self.promise, counted, self.records, self.known)
        result = judged(
            self.promise,
            counted,
            known=self.known,
            final=final,
            evidence=[each.evidence for each in accounts],
        )
        data = result_data(
            self.promise,
            result,
            cohorts=self.cohorts,
            calendar_versions=self.calendar_versions,
            unit=self.key[2],
            window=self.subject.window,
            known=self.known,
            edition=publication.edition,
            sequence=publication.sequence,
            historical=self.historical,
            addendum=publication.addendum,
            coverages=[each.coverage for each in accounts],
        )
        if final:
            return data
        return with_outlook(
            data,
            self.promise,
            counted,
            result=result,
            known=self.known,
            volumes=self.volumes,
        )


def deciding(catalogue: Catalogue, key: WindowKey, state: WindowState) -> Promise | None:
    """A closed window keeps the version that decided it; an open one has that of its end.

    None where its municipality withdrew it.
    """
    bounds = WindowBounds(key[3], state.starts_at, state.ends_at)
    found = None if state.edition > 0 else catalogue.deciding(*key[:3], bounds)
    return found or catalogue.promise(key[0], key[1], state.carta_version)


def as_dated(promise: Promise, state: WindowState) -> tuple[Promise, WindowState]:
    """A closed window keeps the calendars that it closed with; the cut-off of an open one moves."""
    if state.edition > 0 and state.result is not None:
        versions = json.loads(state.result)["calendar_versions"]
        return promise.with_versions(versions), state
    closes_at = promise.closes_at(WindowBounds("", state.starts_at, state.ends_at))
    return promise, replace(state, closes_at=closes_at)


async def look_at(
    connection: Connection,
    catalogue: Catalogue,
    coverage: Coverage,
    windows: Held,
    *,
    counts_of: CountsOf,
) -> list[Look]:
    """Read what the results of locked windows are made of; the coverage was asked before."""
    counts = await counts_of({key: promise.measures for key, (promise, _) in windows.items()})
    earlier = await _earlier(connection, catalogue, windows, counts_of)
    volumes = await _volumes(connection, windows)
    records = await records_of(
        connection, catalogue, coverage, [_recorded(key, *held) for key, held in windows.items()]
    )
    return [
        Look(
            key,
            promise,
            state,
            counts.get(key, {}),
            cohorts_of(catalogue, promise, cells_of(counts.get(key, {}))),
            *_known(coverage, promise, state, counts.get(key, {})),
            earlier=earlier[key],
            volumes=volumes[key],
            records=kept,
            catalogue=catalogue,
        )
        for (key, (promise, state)), kept in zip(windows.items(), records, strict=True)
    ]


def _bounds(key: WindowKey, state: WindowState) -> WindowBounds:
    return WindowBounds(key[3], state.starts_at, state.ends_at)


def _recorded(key: WindowKey, promise: Promise, state: WindowState) -> Recorded:
    """A closed window keeps the calendars that it closed with."""
    versions = promise.calendar_versions if state.edition > 0 else {}
    return Recorded(promise, key[2], _bounds(key, state), versions)


def _known(
    coverage: Coverage, promise: Promise, state: WindowState, counts: CohortCounts
) -> tuple[Known, bool]:
    """Return how far its facts are known, and whether an import of some is still under way."""
    imported = of_window(coverage, promise, historical=True)
    known = imported if is_historical(counts.values()) else of_window(coverage, promise)
    awaits = imported.through is None and any(count.historical for count in counts.values())
    return _as_closed(known, promise, state), awaits


def _as_closed(known: Known, promise: Promise, state: WindowState) -> Known:
    """A closed window that nothing reported on stays so: a source of today says nothing of then."""
    if state.edition == 0 or state.result is None:
        return known
    parts = json.loads(state.result)["parts"]
    silent = {n for n, part in enumerate(parts) if part["reason"] == NotEvaluated.NO_SOURCE}
    events = zip(promise.measures, promise.events, strict=True)
    return replace(
        known, unreported=frozenset(event for each, event in events if each.part in silent)
    )


async def _volumes(
    connection: Connection, windows: Held
) -> dict[WindowKey, Sequence[Volume | None]]:
    """Return what closed windows let expect; nothing is expected of a closed one."""
    before = {
        key: {(*key[:3], each.id) for each in promise.volumes_from(_bounds(key, state)).values()}
        for key, (promise, state) in windows.items()
        if state.edition == 0
    }
    closed = await editions.latest_parts(
        connection, sorted(set[WindowKey]().union(*before.values()))
    )
    return {
        key: volumes_of(
            promise,
            _bounds(key, state),
            {earlier[3]: closed[earlier] for earlier in before[key] if earlier in closed},
        )
        if key in before
        else ()
        for key, (promise, state) in windows.items()
    }


async def _earlier(
    connection: Connection, catalogue: Catalogue, windows: Held, counts_of: CountsOf
) -> dict[WindowKey, dict[Reference, Counted]]:
    """Return the counts of the windows that targets follow, where something was promised in them.

    Where an earlier version counted something of another kind there, there is nothing to follow.
    """
    found: dict[WindowKey, dict[Reference, Counted]] = {key: {} for key in windows}
    followed = [
        ((*key[:3], bounds.id), bounds, key, kind)
        for key, (promise, state) in windows.items()
        for kind, bounds in promise.earlier(_bounds(key, state)).items()
    ]
    if not followed:
        return found
    opened = await window_store.numbers_of(connection, {earlier for earlier, *_ in followed})
    there = [each for each in followed if each[0] in opened]
    counts = await counts_of({earlier: windows[key][0].measures for earlier, _, key, _ in there})
    for earlier, bounds, key, kind in there:
        cohorts = cohorts_of(catalogue, windows[key][0], cells_of(counts.get(earlier, {})))
        if not cohorts.apart:
            found[key][kind] = Counted.of(bounds, cohorts)
    return found
