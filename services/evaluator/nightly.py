"""Each night some published figures are counted again from the stored facts."""

import logging
from collections.abc import Iterable
from datetime import date, datetime

from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store.tallies import WindowKey
from services.evaluator.use_cases.recompute import recompute
from shared.clock import utc_now
from shared.database import Pool
from shared.service import Context

logger = logging.getLogger(__name__)

# The same on every process and in every repetition; another day, others.
SAMPLE = """
SELECT municipality, compromiso, unit, window_id
FROM judged_window
WHERE result IS NOT NULL AND NOT stale
ORDER BY md5(concat_ws('/', $1::text, municipality, compromiso, unit, window_id))
LIMIT $2
"""


class Nightly:
    """Recomputes a sample once a day, from `hour` (UTC) on; after a stop it catches up.

    What differs is looked at again at the next beat, and only what differs still is an error: by
    then whatever was just being judged or published has been.
    """

    def __init__(self, metrics: EvaluatorMetrics, *, sample: int, hour: int) -> None:
        self._metrics = metrics
        self._sample = sample
        self._hour = hour
        self._done: date | None = None
        self._doubtful: set[WindowKey] = set()

    async def beat(self, context: Context) -> None:
        """Do what is due now."""
        await self.run(context.pool, utc_now())

    async def run(self, pool: Pool, now: datetime) -> None:
        """Look again at what differed; then, once a day, at that day's sample."""
        for window in sorted(await self._different(pool, self._doubtful)):
            self._metrics.recompute_differences.inc()
            logger.error("result_differs_when_recomputed", extra={"result": "/".join(window)})
        self._doubtful = set()
        if now.hour < self._hour or self._done == now.date() or not self._sample:
            return
        rows = await pool.fetch(SAMPLE, now.date().isoformat(), self._sample)
        windows = {tuple(row.values()) for row in rows}
        self._doubtful = await self._different(pool, windows)
        self._metrics.recomputed.inc(len(windows))
        self._done = now.date()

    async def _different(self, pool: Pool, windows: Iterable[WindowKey]) -> set[WindowKey]:
        of_town: dict[str, set[WindowKey]] = {}
        for window in windows:
            of_town.setdefault(window[0], set()).add(window)
        found: set[WindowKey] = set()
        for town, wanted in sorted(of_town.items()):
            compared = await recompute(pool, town, only=wanted)
            found |= {each.window for each in compared if not each.agrees}
        return found
