"""Cases with the verdicts on them, where each counts, and when open ones are to be looked at."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from services.evaluator.domain.judging import Judgement, VerdictKey
from services.evaluator.store.windows import WindowKey
from shared.contracts import hot
from shared.criteria import CaseStatus
from shared.database import Connection

CaseKey = tuple[str, str]
"""Municipality and case."""

Alarm = tuple[CaseKey, bool, datetime]
"""A case, whether it came through an import, and when it is to be looked at again."""

STATUS_CODES: Final = {
    CaseStatus.MET: "m",
    CaseStatus.FAILED: "f",
    CaseStatus.PENDING: "p",
    CaseStatus.EXCLUDED: "x",
}
"""As `case_in_window` has them."""

# In sorted order, so that two transactions with the same cases cannot lock each other. The keys
# come as lines: no name has a line's end in it, and an array costs the driver a call for each name.
# How many there are, $3, is for the planner: it takes lines for a thousand, and a thousand for
# enough to read a small table from end to end.
LOCK = """
SELECT c.municipality, c.case_id, c.revision, c.verdicts
FROM measured_case c
JOIN (
    SELECT * FROM ROWS FROM (string_to_table($1, E'\n'), string_to_table($2, E'\n'))
        AS named (municipality, case_id)
    LIMIT $3
) AS wanted USING (municipality, case_id)
ORDER BY c.municipality, c.case_id
FOR UPDATE OF c
"""
COLUMNS = (
    "municipality",
    "case_id",
    "revision",
    "service",
    "unit",
    "began_kind",
    "began_at",
    "data",
    "verdicts",
    "traceparent",
)
UPDATE = """
UPDATE measured_case c
SET revision = n.revision, service = n.service, unit = n.unit, began_kind = n.began_kind,
    began_at = n.began_at, data = n.data, verdicts = n.verdicts, traceparent = n.traceparent
FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[],
            $7::timestamptz[], $8::text[], $9::text[], $10::text[])
    AS n (municipality, case_id, revision, service, unit, began_kind, began_at, data, verdicts,
          traceparent)
WHERE c.municipality = n.municipality AND c.case_id = n.case_id AND c.revision < n.revision
"""
UPDATE_VERDICTS = """
UPDATE measured_case c
SET verdicts = n.verdicts
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (municipality, case_id, verdicts)
WHERE c.municipality = n.municipality AND c.case_id = n.case_id
"""
PLACE_COLUMNS = ("window_no", "status", "case_id", "part", "slice", "alarm_at")
# What an open case leaves behind when more is heard of it: places, an alarm; some have another one.
# The cases are locked, so nobody else is at these rows.
MOVE_ON = """
WITH left_behind AS (
    DELETE FROM case_in_window p
    USING unnest($1::int[], $2::text[]::"char"[], $3::text[], $4::smallint[], $5::smallint[])
        AS gone (window_no, status, case_id, part, slice)
    WHERE p.window_no = gone.window_no AND p.status = gone.status AND p.case_id = gone.case_id
        AND p.part = gone.part AND p.slice = gone.slice
), over AS (
    DELETE FROM alarm a
    USING unnest($6::text[], $7::text[]) AS gone (municipality, case_id)
    WHERE a.municipality = gone.municipality AND a.case_id = gone.case_id
)
INSERT INTO alarm AS a (municipality, case_id, historical, alarm_at)
SELECT * FROM unnest($8::text[], $9::text[], $10::bool[], $11::timestamptz[])
ON CONFLICT (municipality, case_id) DO UPDATE
SET historical = excluded.historical, alarm_at = excluded.alarm_at
"""
# Open cases of a municipality whose alarm lies within what is known; the caller judges them again.
ALARMED = """
SELECT case_id
FROM alarm
WHERE municipality = $1 AND historical = $2 AND alarm_at <= $3 AND case_id > $4
ORDER BY case_id
LIMIT $5
"""
# Whether one of a window's open cases has an alarm within what is known and was not judged since.
ALARM_IS_DUE = """
SELECT EXISTS (
    SELECT
    FROM judged_window w
    JOIN case_in_window p ON p.window_no = w.window_no AND p.status = 'p'
    JOIN alarm a ON a.municipality = w.municipality AND a.case_id = p.case_id
    WHERE w.municipality = $1 AND w.compromiso = $2 AND w.unit = $3 AND w.window_id = $4
        AND a.historical = $5 AND p.alarm_at <= $6
)
"""
DATA = """
SELECT c.municipality, c.case_id, c.data, c.verdicts, c.traceparent
FROM measured_case c
JOIN unnest($1::text[], $2::text[]) AS wanted (municipality, case_id)
    USING (municipality, case_id)
ORDER BY c.municipality, c.case_id
FOR UPDATE OF c
"""
OF_SERVICE = """
SELECT case_id, began_at
FROM measured_case
WHERE municipality = $1 AND service = $2 AND (began_at, case_id) > ($3, $4)
ORDER BY began_at, case_id
LIMIT $5
"""
FAILING = """
SELECT w.municipality, w.compromiso, w.unit, w.window_id, failing.case_id
FROM judged_window w
JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (municipality, compromiso, unit, window_id)
    USING (municipality, compromiso, unit, window_id)
CROSS JOIN LATERAL (
    SELECT DISTINCT p.case_id
    FROM case_in_window p
    WHERE p.window_no = w.window_no AND p.status = 'f'
    ORDER BY p.case_id
    LIMIT $5
) AS failing
ORDER BY failing.case_id
"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Judgement]).decode
_NULL: Final = "\\N"

Verdicts = dict[VerdictKey, Judgement]


class StoredCase(NamedTuple):
    """What is known of a case, the verdicts on it, and the trace of the event that made it so."""

    data: hot.CaseData
    traceparent: str | None
    verdicts: Verdicts


@dataclass(frozen=True, slots=True)
class LockedCase:
    """What a case was before a batch: its revision and its verdicts."""

    revision: int
    verdicts: Verdicts


class Place(NamedTuple):
    """Where a verdict counts: in which window, by its number, and as what.

    `alarm_at`: when it is to be looked at again, while it is open.
    """

    window: int
    status: str
    case: str
    part: int
    slice: int
    alarm_at: datetime | None


def _keys(keys: Iterable[CaseKey]) -> tuple[list[str], list[str]]:
    ordered = sorted(keys)
    return [key[0] for key in ordered], [key[1] for key in ordered]


def _verdicts(stored: str) -> Verdicts:
    return {judgement.key: judgement for judgement in _decode(stored)}


async def lock_cases(
    connection: Connection, keys: Collection[CaseKey]
) -> dict[CaseKey, LockedCase]:
    """Lock the cases that exist, and return what they were."""
    return {
        (row["municipality"], row["case_id"]): LockedCase(
            row["revision"], _verdicts(row["verdicts"])
        )
        for row in await connection.fetch(LOCK, *map("\n".join, zip(*keys, strict=True)), len(keys))
    }


async def load_cases(connection: Connection, keys: Iterable[CaseKey]) -> dict[CaseKey, StoredCase]:
    """Lock and return the cases."""
    return {
        (row["municipality"], row["case_id"]): StoredCase(
            hot.decode_case(row["data"]), row["traceparent"], _verdicts(row["verdicts"])
        )
        for row in await connection.fetch(DATA, *_keys(keys))
    }


async def add_cases(connection: Connection, cases: Iterable[StoredCase]) -> None:
    """Store cases that are new: only the owner of their partition writes them."""
    await _copy(connection, "measured_case", COLUMNS, map(_line, cases))


async def update_cases(connection: Connection, cases: Iterable[StoredCase]) -> None:
    """Store later revisions of cases, in sorted order."""
    rows = sorted(map(_row, cases), key=lambda row: row[:2])
    await connection.execute(UPDATE, *(list(column) for column in zip(*rows, strict=True)))


async def update_verdicts(
    connection: Connection, verdicts: Sequence[tuple[CaseKey, Verdicts]]
) -> None:
    """Store other verdicts on the same facts, in sorted order."""
    ordered = sorted(verdicts, key=lambda each: each[0])
    await connection.execute(
        UPDATE_VERDICTS,
        [key[0] for key, _ in ordered],
        [key[1] for key, _ in ordered],
        [_encode(list(each.values())).decode() for _, each in ordered],
    )


async def _copy(
    connection: Connection, table: str, columns: Sequence[str], lines: Iterable[str]
) -> None:
    """Copy lines into a table: text, which costs the driver a fifth of what values cost."""

    async def whole() -> AsyncIterator[bytes]:
        yield "".join(lines).encode()

    await connection.copy_to_table(table, source=whole(), columns=columns)


def _line(stored: StoredCase) -> str:
    """Return a row as COPY takes it: what may hold a backslash has it doubled, nothing a tab."""
    data, trace = stored.data, stored.traceparent
    kind, at = began(data)
    case, facts = data.case, hot.encode(data).decode()
    verdicts = _encode(list(stored.verdicts.values())).decode()
    if "\\" in case or "\\" in facts or "\\" in verdicts:
        case, facts, verdicts = map(_escaped, (case, facts, verdicts))
    return (
        f"{data.municipality}\t{case}\t{data.revision}\t{data.service}\t{data.unit or _NULL}\t"
        f"{kind or _NULL}\t{at or data.received_at}\t{facts}\t{verdicts}\t{trace or _NULL}\n"
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


def _row(stored: StoredCase) -> tuple[object, ...]:
    data = stored.data
    kind, at = began(data)
    return (
        data.municipality,
        data.case,
        data.revision,
        data.service,
        data.unit,
        kind,
        data.received_at if at is None else at,
        hot.encode(data).decode(),
        _encode(list(stored.verdicts.values())).decode(),
        stored.traceparent,
    )


def began(case: hot.CaseData) -> tuple[str | None, datetime | None]:
    """Return with which event a case began, and when; (None, None) where it has none any more."""
    if not case.instants:
        return None, None
    at = min(case.instants.values())
    return min(kind for kind, each in case.instants.items() if each == at), at


async def enter_windows(connection: Connection, places: Iterable[Place]) -> None:
    """Note where cases count from now on."""
    await _copy(
        connection,
        "case_in_window",
        PLACE_COLUMNS,
        (
            f"{window}\t{status}\t{_escaped(case)}\t{part}\t{place}\t{alarm_at or _NULL}\n"
            for window, status, case, part, place, alarm_at in places
        ),
    )


async def move_on(
    connection: Connection,
    left: Collection[Place],
    *,
    alarms: Collection[Alarm],
    over: Collection[CaseKey],
) -> None:
    """Note where locked cases count no more, when some are looked at again, and which no more.

    Before `enter_windows`: what is open under another alarm stays at the same place.
    """
    await connection.execute(
        MOVE_ON,
        *([place[number] for place in left] for number in range(5)),
        *_keys(over),
        *_keys(key for key, _, _ in alarms),
        [historical for _, historical, _ in sorted(alarms)],
        [at for _, _, at in sorted(alarms)],
    )


async def alarmed(
    connection: Connection, horizon: tuple[str, bool, datetime], *, after: str, limit: int
) -> list[CaseKey]:
    """Return cases, in order after `after`, with an alarm up to (municipality, historical, at)."""
    rows = await connection.fetch(ALARMED, *horizon, after, limit)
    return [(horizon[0], row["case_id"]) for row in rows]


async def is_alarm_due(
    connection: Connection,
    window: WindowKey,
    *,
    historical: bool,
    known: datetime | None,
) -> bool:
    """Return whether what is known has not been applied to all open cases of a window yet."""
    if known is None:
        return False
    return bool(await connection.fetchval(ALARM_IS_DUE, *window, historical, known))


async def of_service(
    connection: Connection,
    municipality: str,
    service: str,
    *,
    after: tuple[datetime, str],
    limit: int,
) -> list[tuple[datetime, str]]:
    """Return the next cases of a service: when each began, and its id."""
    rows = await connection.fetch(OF_SERVICE, municipality, service, *after, limit)
    return [(row["began_at"], row["case_id"]) for row in rows]


async def failing_cases(
    connection: Connection, windows: Collection[WindowKey], *, limit: int
) -> dict[WindowKey, list[str]]:
    """Return the ids of at most so many failed cases behind each window, in order."""
    found: dict[WindowKey, list[str]] = {window: [] for window in windows}
    for *window, case in await connection.fetch(FAILING, *zip(*windows, strict=True), limit):
        found[tuple(window)].append(case)
    return found
