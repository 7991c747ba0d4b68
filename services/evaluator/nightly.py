"""Each night some published figures are counted again from the stored facts."""

import logging
from collections.abc import Iterable
from datetime import date, datetime

from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store.windows import WindowKey
from services.evaluator.use_cases.sampling import compare, sample
from shared.clock import utc_now
from shared.database import Pool
from shared.service import Context

logger = logging.getLogger(__name__)


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
        windows = await sample(pool, seed=now.date().isoformat(), size=self._sample)
        self._doubtful = await self._different(pool, windows)
        self._metrics.recomputed.inc(len(windows))
        self._done = now.date()

    async def _different(self, pool: Pool, windows: Iterable[WindowKey]) -> set[WindowKey]:
        return {each.window for each in await compare(pool, windows) if not each.agrees}
