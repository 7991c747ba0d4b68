"""The wall clock in: figures for operators are read."""

from typing import Final

from services.portal.domain import figures
from services.portal.metrics import Metrics
from services.portal.store import catalogue, results
from services.portal.use_cases import showing
from shared.clock import utc_now
from shared.database import Connection
from shared.service import Context, Periodic

FIGURES_SECONDS: Final = 30.0
# Reading all that a large municipality published takes seconds, and pages have to wait for it.
FIGURES_SHARE: Final = 0.02


async def read_figures(context: Context, metrics: Metrics) -> None:
    """Count the promises of every municipality as its public page does."""
    closed, open_now = {}, {}
    async with context.pool.acquire() as proxy:
        connection: Connection = proxy  # type: ignore[assignment]  # of the same interface
        for municipality in await catalogue.municipalities(connection):
            code = municipality.municipality
            place = await showing.place(connection, code)
            if place is None:
                continue
            board = await showing.overview(connection, place, utc_now())
            windows = await results.open_windows(connection, code)
            closed[code] = figures.closed(board)
            open_now[code] = figures.open_now(board, windows)
    metrics.tell_promises(closed, open_now)


def periodics(metrics: Metrics) -> tuple[Periodic, ...]:
    """Return the tasks."""

    async def tell_figures(context: Context) -> None:
        await read_figures(context, metrics)

    return (Periodic("read figures", FIGURES_SECONDS, tell_figures, share=FIGURES_SHARE),)
