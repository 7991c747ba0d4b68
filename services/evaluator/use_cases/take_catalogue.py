"""Take in the published catalogue; what changed promises have touched is judged again."""

from collections.abc import Sequence

from services.evaluator.domain.coverage import BUZON_SERVICE
from services.evaluator.store import catalogue as store
from services.evaluator.store import windows as window_store
from shared.contracts.cartas import (
    CalendarPublished,
    CartaPublished,
    CartasEvent,
    MunicipalityPublished,
)
from shared.messaging import Received, Transaction


async def take_catalogue(tx: Transaction, batch: Sequence[Received]) -> None:
    """Store states; a state that was known already changes nothing."""
    touched: dict[str, set[str]] = {}
    for received in batch:
        for municipality, services in await _save(tx, received.event):
            touched.setdefault(municipality, set()).update(services)
    if touched:
        await store.changed(tx.connection, touched.items())
    # After the catalogue is held: whoever publishes a window holds it first as well.
    # A calendar moves the cut-offs of open windows, a version of a carta what decides them.
    for municipality in sorted(touched):
        await window_store.look_at_open(tx.connection, municipality)


async def _save(tx: Transaction, event: CartasEvent) -> list[tuple[str, set[str]]]:
    """Store one state; return the services whose promises it may have changed."""
    if isinstance(event, CartaPublished):
        changed = await store.save(tx.connection, "carta", event.data.carta, event.data)
        return [(event.data.municipality, {*event.data.services, BUZON_SERVICE})] if changed else []
    if isinstance(event, CalendarPublished):
        changed = await store.save(tx.connection, "calendar", event.data.calendar.id, event.data)
    elif isinstance(event, MunicipalityPublished):
        name = event.data.municipality
        changed = await store.save(tx.connection, "municipality", name, event.data)
    else:
        return []
    if not changed:
        return []
    municipality = event.data.municipality
    return [(municipality, {*await store.services(tx.connection, municipality), BUZON_SERVICE})]
