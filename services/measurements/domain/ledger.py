"""The ledger of earlier runs over a source's files says which events of a row are news."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from services.measurements.domain.contents import hash_of
from services.measurements.domain.rows import Row, RowEvent
from shared.contracts import hot
from shared.contracts.ids import derived_id


class Published(msgspec.Struct, frozen=True):
    """The last event published under a label: what a correction of it must name and match."""

    id: str
    content: str
    kind: str
    time: datetime
    service: str
    case: str
    reason: str | None = None
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
        no longer says, or says of another case, is voided.
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
            last = last if last is not None and last.case == row.case else None
            content = hash_of(event.kind, event.time, data).hex()
            if last is not None and last.content == content and not last.void:
                after[event.label] = last
                continue
            event_id = self._event_id(row.key, event.label, event.time, revision=revision)
            after[event.label] = _published(event_id, content, row, event)
            supersedes = None if last is None else last.id
            said = msgspec.structs.replace(data, supersedes=supersedes, import_id=self.import_id)
            events.append(self._event(after[event.label], said))
        gone = {
            label: last
            for label, last in before.items()
            if label not in after or last.case != row.case
        }
        voids, voided = self._void(row.key, gone, revision=revision)
        return Plan((*events, *voids), LedgerRow(row.content, revision, voided | after))

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
            event_id = self._event_id(key, f"{label}/void", last.time, revision=revision)
            after[label] = msgspec.structs.replace(last, id=event_id, void=True)
            data = hot.ServiceEventData(
                municipality=self.municipality,
                case=last.case,
                service=last.service,
                reason=last.reason,
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
            case=row.case,
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


def _published(event_id: str, content: str, row: Row, event: RowEvent) -> Published:
    return Published(
        id=event_id,
        content=content,
        kind=event.kind,
        time=event.time,
        service=row.service,
        case=row.case,
        reason=event.reason,
    )
