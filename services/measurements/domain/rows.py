"""A row of a file becomes events, or is left out or refused by name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.measurements.domain.cells import Cells, UnreadableError
from services.measurements.domain.checks import Reason, Refusal, check_due, check_time, identifier
from services.measurements.domain.contents import hash_of
from services.measurements.domain.mapping import LINE, EventColumn, Mapping, TimeColumn
from shared.contracts.service_events import CASE_EXCLUDED, CASE_PAUSED, CASE_RESUMED

SEPARATOR = "/"
MAX_KEY_BYTES = 1024
"""An index of PostgreSQL holds entries of up to 2,704 bytes."""
WITH_A_REASON = frozenset({CASE_PAUSED, CASE_RESUMED, CASE_EXCLUDED})


@dataclass(frozen=True, slots=True)
class RowEvent:
    """One event that a row says happened. `label` tells it from the row's others."""

    label: str
    kind: str
    time: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that could be read. `key` is its identity: the case, unless a case has several rows."""

    key: str
    case: str
    service: str
    unit: str | None
    attributes: dict[str, str]
    due_at: datetime | None
    events: tuple[RowEvent, ...]

    @property
    def content(self) -> bytes:
        """Hash of all that the row says."""
        said = [(event.label, event.time, event.reason) for event in self.events]
        return hash_of(self.case, self.service, self.unit, self.attributes, self.due_at, said)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that the mapping leaves out, by the rule's name."""

    name: str


class RowReader:
    """Reads the rows under one header. Instants come out in UTC."""

    def __init__(self, mapping: Mapping, header: Sequence[str]) -> None:
        self._mapping = mapping
        self._width = len(header)
        self._cells = Cells(mapping, header)

    def read(
        self, cells: Sequence[str], now: datetime, *, line: int = 0
    ) -> Row | Skipped | Refusal:
        """Return what the row says; a future time is judged against `now`.

        Empty cells beyond the header's are a separator too many at the end of the line.
        """
        if len(cells) < self._width or any(cells[self._width :]):
            detail = f"{len(cells)} columns, the header has {self._width}"
            return Refusal(Reason.WRONG_NUMBER_OF_COLUMNS, None, detail)
        try:
            for skip in self._mapping.skip:
                if self._cells.holds(skip, cells):
                    return Skipped(skip.name)
            return self._row(cells, now, line=line)
        except UnreadableError as error:
            return error.refusal

    def _row(self, cells: Sequence[str], now: datetime, *, line: int) -> Row:
        mapping = self._mapping
        events = list(self._events(cells, now))
        if not events:
            raise UnreadableError(Reason.MISSING_VALUE, mapping.events[0].column, "no event at all")
        case = self._key(mapping.case, cells, line=line)
        if identifier(case) is None:
            detail = "a case has up to 128 characters, none of them a control character"
            raise UnreadableError(Reason.UNREADABLE_VALUE, mapping.case[-1], detail)
        service = mapping.service
        return Row(
            key=self._key(mapping.row, cells, line=line) if mapping.row else case,
            case=case,
            service=service
            if isinstance(service, str)
            else self._cells.required(service, cells, "a service"),
            unit=self._unit(cells),
            attributes=dict(self._attributes(cells)),
            due_at=None if mapping.due is None else self._due(mapping.due, cells, events),
            events=(*events, *self._excluded(cells, events[0].time)),
        )

    def _key(self, columns: Sequence[str], cells: Sequence[str], *, line: int) -> str:
        parts = [
            str(line)
            if column == LINE and not self._cells.has(LINE)
            else self._cells.text(column, cells)
            for column in columns
        ]
        for column, part in zip(columns, parts, strict=True):
            if not part:
                raise UnreadableError(Reason.MISSING_VALUE, column, "a row and its case need it")
        key = SEPARATOR.join(parts)
        if len(key.encode()) > MAX_KEY_BYTES or "\0" in key:
            detail = f"what tells a row has up to {MAX_KEY_BYTES} bytes and no NUL"
            raise UnreadableError(Reason.UNREADABLE_VALUE, columns[-1], detail)
        return key

    def _unit(self, cells: Sequence[str]) -> str | None:
        unit = self._mapping.unit
        return unit if unit is None or isinstance(unit, str) else self._cells.code(unit, cells)

    def _attributes(self, cells: Sequence[str]) -> Iterator[tuple[str, str]]:
        for name, column in self._mapping.attributes.items():
            value = column if isinstance(column, str) else self._cells.attribute(column, cells)
            if value is not None:
                yield name, value

    def _excluded(self, cells: Sequence[str], time: datetime) -> Iterator[RowEvent]:
        for rule in self._mapping.exclusions:
            if self._cells.holds(rule, cells):
                yield RowEvent(f"{CASE_EXCLUDED}:{rule.reason}", CASE_EXCLUDED, time, rule.reason)

    def _events(self, cells: Sequence[str], now: datetime) -> Iterator[RowEvent]:
        """Of several of a kind and reason, each but the first has its number in its label."""
        told: dict[str, datetime] = {}
        labels: dict[str, int] = {}
        for column in self._mapping.events:
            time = self._time(column, cells, told)
            if time is None:
                continue
            refusal = check_time(time, now, column.column)
            if refusal is not None:
                raise UnreadableError(refusal.reason, column.column, refusal.detail)
            kind = self._kind(column, cells)
            reason = self._reason(column, cells) if kind in WITH_A_REASON else None
            told[kind] = min(time, told.get(kind, time))
            label = kind if reason is None else f"{kind}:{reason}"
            labels[label] = number = labels.get(label, 0) + 1
            yield RowEvent(label if number == 1 else f"{label}#{number}", kind, time, reason)

    def _time(
        self, column: EventColumn, cells: Sequence[str], told: dict[str, datetime]
    ) -> datetime | None:
        """Return when it happened; None where it has not, which only some events may."""
        if not all(self._cells.holds(condition, cells) for condition in column.when):
            return None
        time = self._instant(column, cells, told)
        if time is None and not column.optional:
            raise UnreadableError(Reason.MISSING_VALUE, column.column, "this event needs its time")
        return time

    def _instant(
        self, column: TimeColumn, cells: Sequence[str], told: dict[str, datetime]
    ) -> datetime | None:
        """Return the instant; none where it is counted from an event that has not happened."""
        counted_from = column.counted_from
        if counted_from is None:
            return self._cells.instant(column, cells)
        duration = self._cells.duration(column, cells)
        if duration is None or counted_from not in told:
            return None
        return told[counted_from] + (duration if column.after else -duration)

    def _kind(self, column: EventColumn, cells: Sequence[str]) -> str:
        kind = column.kind
        if isinstance(kind, str):
            return kind
        text = self._cells.text(kind.column, cells)
        return self._cells.named(text, kind.column, kind.values)

    def _reason(self, column: EventColumn, cells: Sequence[str]) -> str | None:
        reason = column.reason
        if reason is None or isinstance(reason, str):
            return reason
        return self._cells.required(reason, cells, "a reason")

    def _due(
        self, column: TimeColumn, cells: Sequence[str], events: Sequence[RowEvent]
    ) -> datetime | None:
        told: dict[str, datetime] = {}
        for event in events:
            told[event.kind] = min(event.time, told.get(event.kind, event.time))
        due = self._instant(column, cells, told)
        refusal = None if due is None else check_due(due, column.column)
        if refusal is not None:
            raise UnreadableError(refusal.reason, column.column, refusal.detail)
        return due
