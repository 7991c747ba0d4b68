"""The catalogue is kept as it comes; folios are routed and dated by it."""

from collections.abc import Sequence

from services.buzon.store import reference
from shared.contracts.cartas import CatalogueEvent
from shared.messaging import Transaction


async def take_catalogue(tx: Transaction, events: Sequence[CatalogueEvent]) -> None:
    """Store the states in the order in which they came."""
    await reference.upsert(tx.connection, events)
