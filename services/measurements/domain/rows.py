"""A row of a file becomes events; the ledger of earlier runs says which of them are news."""

import re
from collections import abc
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

import msgspec

from services.measurements.domain.checks import Reason, Refusal, check_time, identifier
from services.measurements.domain.contents import hash_of
from services.measurements.domain.mapping import (
    ISO,
    AttributeColumn,
    CodeColumn,
    Condition,
    EventColumn,
    Mapping,
    TimeColumn,
    zone_of,
)
from shared.contracts import hot
from shared.contracts.ids import derived_id
from shared.contracts.service_events import CASE_EXCLUDED

_SPACES: Final = re.compile(r"\s+")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z")
_WHOLE: Final = re.compile(r"[0-9]{1,9}\Z")
CASE_SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class RowEvent:
    """One event that a row says happened. `label` tells it from the row's others."""

    label: str
    kind: str
    time: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read. `key` is the case, which is also the row's identity."""

    key: str
    service: str
    unit: str | None
    attributes: dict[str, str]
    due_at: datetime | None
    events: tuple[RowEvent, ...]

    @property
    def content(self) -> bytes:
        """Hash of all that the row says."""
        said = [(event.label, event.time, event.reason) for event in self.events]
        return hash_of(self.service, self.unit, self.attributes, self.due_at, said)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that the mapping leaves out, by the rule's name."""

    name: str


class UnreadableError(ValueError):
    """A cell cannot be read; carries the refusal to record."""

    def __init__(self, reason: Reason, column: str, detail: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, column, detail)


class RowReader:
    """Reads the rows under one header. Instants come out in UTC."""

    def __init__(self, mapping: Mapping, header: Sequence[str]) -> None:
        self._mapping = mapping
        self._place = {column: place for place, column in enumerate(header)}
        self._width = len(header)
        self._zone = zone_of(mapping.zone)

    def read(self, cells: Sequence[str], now: datetime) -> Row | Skipped | Refusal:
        """Return what the row says; a future time is judged against `now`."""
        if len(cells) != self._width:
            detail = f"{len(cells)} columns, the header has {self._width}"
            return Refusal(Reason.WRONG_NUMBER_OF_COLUMNS, None, detail)
        try:
            for skip in self._mapping.skip:
                if self._holds(skip, cells):
                    return Skipped(skip.name)
            return self._row(cells, now)
        except UnreadableError as error:
            return error.refusal

    def _row(self, cells: Sequence[str], now: datetime) -> Row:
        mapping = self._mapping
        events = [event for column in mapping.events if (event := self._event(column, cells, now))]
        if not events:
            raise UnreadableError(Reason.MISSING_VALUE, mapping.events[0].column, "no event at all")
        events += [
            RowEvent(f"{CASE_EXCLUDED}:{rule.reason}", CASE_EXCLUDED, events[0].time, rule.reason)
            for rule in mapping.exclusions
            if self._holds(rule, cells)
        ]
        service, unit = mapping.service, mapping.unit
        return Row(
            key=self._key(cells),
            service=service if isinstance(service, str) else self._required(service, cells),
            unit=None if unit is None else self._code(unit, cells),
            attributes={
                name: code
                for name, column in mapping.attributes.items()
                if (code := self._attribute(column, cells)) is not None
            },
            due_at=None if mapping.due is None else self._instant(mapping.due, cells),
            events=tuple(events),
        )

    def _cell(self, column: str, cells: Sequence[str]) -> str:
        text = cells[self._place[column]].strip()
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise UnreadableError(
                Reason.UNREADABLE_VALUE, column, f"not {self._mapping.encoding} text"
            )
        return text

    def _holds(self, condition: Condition, cells: Sequence[str]) -> bool:
        text = cells[self._place[condition.column]].strip()
        if condition.values:
            return text in condition.values
        if condition.same_as is not None:
            return bool(text) and text == cells[self._place[condition.same_as]].strip()
        time = self._time(text, condition.column, condition.format) if text else None
        return time is not None and self._is_between(time, condition.since, condition.before)

    def _is_between(self, time: datetime, since: str | None, before: str | None) -> bool:
        return (since is None or time >= parse_instant(since, ISO, self._zone)) and (
            before is None or time < parse_instant(before, ISO, self._zone)
        )

    def _key(self, cells: Sequence[str]) -> str:
        parts = [self._cell(column, cells) for column in self._mapping.case]
        for column, part in zip(self._mapping.case, parts, strict=True):
            if not part:
                raise UnreadableError(Reason.MISSING_VALUE, column, "a case needs it")
        key = CASE_SEPARATOR.join(parts)
        if identifier(key) is None:
            detail = "a case has up to 128 characters, none of them a control character"
            raise UnreadableError(Reason.UNREADABLE_VALUE, self._mapping.case[-1], detail)
        return key

    def _event(self, column: EventColumn, cells: Sequence[str], now: datetime) -> RowEvent | None:
        time = self._instant(column, cells)
        if time is None:
            if column.optional:
                return None
            raise UnreadableError(Reason.MISSING_VALUE, column.column, f"{column.kind} needs it")
        refusal = check_time(time, now, column.column)
        if refusal is not None:
            raise UnreadableError(refusal.reason, column.column, refusal.detail)
        return RowEvent(column.kind, column.kind, time)

    def _instant(self, column: TimeColumn, cells: Sequence[str]) -> datetime | None:
        text = self._cell(column.column, cells)
        if not text or text in column.absent:
            return None
        if column.values is not None:
            text = _listed(text, column.column, column.values)
        return self._time(text, column.column, column.format)

    def _time(self, text: str, column: str, pattern: str) -> datetime:
        try:
            return parse_instant(text, pattern, self._zone)
        except (ValueError, OverflowError):
            expected = "an ISO 8601 time" if pattern == ISO else f"a time as {pattern}"
            detail = f"{expected} that exists in {self._mapping.zone} is expected"
            raise UnreadableError(Reason.UNREADABLE_VALUE, column, detail) from None

    def _attribute(self, column: AttributeColumn, cells: Sequence[str]) -> str | None:
        """An empty cell gives no attribute: the criterion excludes the case for it, by name."""
        text = self._cell(column.column, cells)
        if column.hour_of is not None and text:
            time = self._time(text, column.column, column.hour_of)
            return f"{time.astimezone(self._zone):%H}"
        if column.minus is not None and text:
            less = self._whole(column.minus, self._cell(column.minus, cells))
            return str(self._whole(column.column, text) - less)
        return self._code(column, cells)

    def _whole(self, column: str, text: str) -> int:
        if not _WHOLE.match(text):
            raise UnreadableError(Reason.UNREADABLE_VALUE, column, "not a whole number")
        return int(text)

    def _code(self, column: CodeColumn, cells: Sequence[str]) -> str | None:
        text = self._cell(column.column, cells)
        if column.values is not None:
            return _listed(text, column.column, column.values)
        if not text:
            return None
        code = _SPACES.sub("_", text)
        if not _CODE.match(code):
            raise UnreadableError(Reason.UNREADABLE_VALUE, column.column, "not a code")
        return code

    def _required(self, column: CodeColumn, cells: Sequence[str]) -> str:
        code = self._code(column, cells)
        if code is None:
            raise UnreadableError(Reason.MISSING_VALUE, column.column, "a service is needed")
        return code


def _listed(text: str, column: str, values: abc.Mapping[str, str]) -> str:
    if text not in values:
        raise UnreadableError(Reason.UNREADABLE_VALUE, column, "not among the mapping's values")
    return values[text]


def parse_instant(text: str, pattern: str, zone: tzinfo) -> datetime:
    """Return the instant in UTC. Raises ValueError, also for a local time that a clock skipped."""
    # The zone of a time without offset is given below.
    parsed = (
        datetime.fromisoformat(text) if pattern == ISO else datetime.strptime(text, pattern)  # noqa: DTZ007
    )
    if parsed.tzinfo is not None:
        return parsed.astimezone(UTC)
    instant = parsed.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != parsed:
        raise ValueError("the clock skipped this time")
    return instant


class Published(msgspec.Struct, frozen=True):
    """The last event published under a label: what a correction of it must name and match."""

    id: str
    content: str
    kind: str
    time: datetime
    service: str
    void: bool = False


class LedgerRow(msgspec.Struct, frozen=True):
    """What was published for one row, by label. `revision` counts the row's changes."""

    content: bytes
    revision: int
    events: dict[str, Published]
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be published for a row, and the ledger's row after that."""

    events: tuple[hot.ServiceEvent, ...]
    ledger: LedgerRow


@dataclass(frozen=True, slots=True)
class Publisher:
    """On whose behalf rows are published, and in which import."""

    source: str
    municipality: str
    import_id: str

    def plan(self, row: Row, known: LedgerRow | None) -> Plan | None:
        """Return the differences between what a row says and what was published; None for none.

        An event that says something else supersedes the last one of its label; one that the row
        no longer says is voided.
        """
        if known is not None and known.content == row.content and not known.removed:
            return None
        revision = 1 if known is None else known.revision + 1
        before = {} if known is None else known.events
        events: list[hot.ServiceEvent] = []
        after: dict[str, Published] = {}
        for place, event in enumerate(row.events):
            data = self._data(row, event, opens=place == 0)
            last = before.get(event.label)
            content = hash_of(event.kind, event.time, data).hex()
            if last is not None and last.content == content and not last.void:
                after[event.label] = last
                continue
            event_id = self._event_id(row.key, event.label, event.time, revision=revision)
            after[event.label] = Published(event_id, content, event.kind, event.time, row.service)
            supersedes = None if last is None else last.id
            said = msgspec.structs.replace(data, supersedes=supersedes, import_id=self.import_id)
            events.append(self._event(after[event.label], said))
        gone = {label: last for label, last in before.items() if label not in after}
        voids, voided = self._void(row.key, gone, revision=revision)
        return Plan((*events, *voids), LedgerRow(row.content, revision, after | voided))

    def remove(self, key: str, known: LedgerRow) -> Plan:
        """Return what says that nothing of a row ever happened."""
        revision = known.revision + 1
        voids, voided = self._void(key, known.events, revision=revision)
        return Plan(voids, LedgerRow(known.content, revision, voided, removed=True))

    def _void(
        self, key: str, gone: dict[str, Published], *, revision: int
    ) -> tuple[tuple[hot.ServiceEvent, ...], dict[str, Published]]:
        events: list[hot.ServiceEvent] = []
        after: dict[str, Published] = {}
        for label, last in gone.items():
            if last.void:
                after[label] = last
                continue
            event_id = self._event_id(key, label, last.time, revision=revision)
            after[label] = msgspec.structs.replace(last, id=event_id, void=True)
            reason = label.partition(":")[2] or None
            data = hot.ServiceEventData(
                municipality=self.municipality,
                case=key,
                service=last.service,
                reason=reason,
                supersedes=last.id,
                void=True,
                import_id=self.import_id,
            )
            events.append(self._event(after[label], data))
        return tuple(events), after

    def _data(self, row: Row, event: RowEvent, *, opens: bool) -> hot.ServiceEventData:
        """Attributes and the promised instant travel once, with the event that opens the row."""
        return hot.ServiceEventData(
            municipality=self.municipality,
            case=row.key,
            service=row.service,
            unit=row.unit,
            attributes=row.attributes if opens else {},
            due_at=row.due_at if opens else None,
            reason=event.reason,
        )

    def _event(self, published: Published, data: hot.ServiceEventData) -> hot.ServiceEvent:
        return hot.ServiceEvent(
            id=published.id,
            source=self.source,
            type=published.kind,
            time=published.time,
            data=data,
        )

    def _event_id(self, key: str, label: str, time: datetime, *, revision: int) -> str:
        return derived_id(f"{self.source}\x00{key}", label, time, ordinal=revision)
