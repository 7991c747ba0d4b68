"""The wall clock in: overdue cases, results, cut-offs, judging again, balances."""

from datetime import datetime

from services.evaluator.domain.coverage import BUZON_SERVICE
from services.evaluator.domain.identity import GROUP, REJUDGING_WRITER, SCAN_WRITER
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.nightly import Nightly
from services.evaluator.settings import Settings
from services.evaluator.store import accounts, balance
from services.evaluator.store import cases as case_store
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import coverage as coverage_store
from services.evaluator.use_cases.accounting import Accounting
from services.evaluator.use_cases.judge_cases import JudgeCases
from services.evaluator.use_cases.knowledge import Knowledge
from services.evaluator.use_cases.publish_results import PublishResults
from services.evaluator.use_cases.take_complaints import TakeComplaints
from services.evaluator.use_cases.windows import open_windows
from shared.clock import utc_now
from shared.contracts.results import AddendumReason
from shared.database import Pool
from shared.messaging import Transaction, transaction
from shared.service import Context, Periodic

CASES_AT_A_TIME = 1000
OPEN_WINDOWS_SECONDS = 15.0
SILENCE_SECONDS = 15.0
RECOMPUTE_SECONDS = 60.0


class Deadlines:
    """Tasks of the wall clock; each catches up after a stop, and each may run in every process."""

    def __init__(
        self,
        settings: Settings,
        *,
        knowledge: Knowledge,
        judge: JudgeCases,
        complaints: TakeComplaints,
        publish: PublishResults,
        metrics: EvaluatorMetrics,
    ) -> None:
        self._accounting = Accounting(knowledge)
        self._settings = settings
        self._knowledge = knowledge
        self._judge = judge
        self._complaints = complaints
        self._publish = publish
        self._metrics = metrics
        self._nightly = Nightly(
            metrics, sample=settings.recompute_sample, hour=settings.recompute_hour
        )

    def periodics(self) -> tuple[Periodic, ...]:
        """Return the tasks with their beats."""
        settings = self._settings
        return (
            Periodic("progress and overdue cases", settings.scan_seconds, self.scan),
            Periodic("judge again", settings.scan_seconds, self.judge_again, is_open_ended=True),
            Periodic("open windows", OPEN_WINDOWS_SECONDS, self.open_windows),
            Periodic("publish results", settings.publish_seconds, self.publish, share=0.1),
            Periodic("look at windows", settings.publish_seconds, self.look_at_windows),
            Periodic("silences", SILENCE_SECONDS, self.silences),
            Periodic("balance", settings.balance_seconds, self.balance, share=0.05),
            Periodic("recompute a sample", RECOMPUTE_SECONDS, self._nightly.beat),
        )

    async def scan(self, context: Context) -> None:
        """Take in progress; judge open cases whose alarm lies within what is known."""
        prefix = self._settings.topic_prefix
        async with transaction(context.pool) as tx:
            await coverage_store.apply_reached(tx.connection, group=GROUP, topic_prefix=prefix)
        async with transaction(context.pool) as tx:
            coverage = await self._knowledge.coverage(tx.connection)
        now = utc_now()
        for pipeline, through in coverage.pipelines.items():
            self._metrics.coverage_age.labels(pipeline).set((now - through).total_seconds())
        for horizon in coverage.horizons():
            await self._judge_alarmed(context.pool, horizon)

    async def _judge_alarmed(self, pool: Pool, horizon: tuple[str, bool, datetime]) -> None:
        after = ""
        while True:
            async with transaction(pool, service="evaluator") as tx:
                keys = await case_store.alarmed(
                    tx.connection, horizon, after=after, limit=CASES_AT_A_TIME
                )
                if not keys:
                    return
                await self._judge.again(
                    tx, keys, writer=SCAN_WRITER, why=AddendumReason.TERM_PASSED
                )
                after = keys[-1][1]

    async def judge_again(self, context: Context) -> None:
        """Judge stored cases whose promises changed, a thousand a transaction."""
        while await self._judge_some_again(context.pool):
            pass

    async def _judge_some_again(self, pool: Pool) -> bool:
        async with transaction(pool, service="evaluator") as tx:
            # Before the row of `rejudging`: a changing catalogue takes both in this order.
            await catalogue_store.hold_version(tx.connection)
            row = await tx.connection.fetchrow(catalogue_store.NEXT_REJUDGING)
            if row is None:
                self._metrics.rejudging.set(0)
                return False
            town, service = row["municipality"], row["service"]
            after = (row["after_began"], row["after_case"])
            cases = await case_store.of_service(
                tx.connection, town, service, after=after, limit=CASES_AT_A_TIME
            )
            if cases:
                keys = [(town, case) for _, case in cases]
                await self._judge.again(
                    tx, keys, writer=REJUDGING_WRITER, why=AddendumReason.CATALOGUE_CHANGED
                )
                await tx.connection.execute(
                    catalogue_store.MOVE_REJUDGING, town, service, *cases[-1]
                )
            else:
                await self._end_rejudging(tx, town, service)
            left = await tx.connection.fetchval(catalogue_store.REJUDGING_LEFT)
            self._metrics.rejudging.set(left)
        return True

    async def _end_rejudging(self, tx: Transaction, town: str, service: str) -> None:
        if service == BUZON_SERVICE:
            await self._complaints.promises_changed(tx, town)
        await tx.connection.execute(catalogue_store.END_REJUDGING, town, service)

    async def open_windows(self, context: Context) -> None:
        """Give every promise its windows."""
        past = self._settings.past_windows
        await open_windows(context.pool, self._knowledge, utc_now(), past_windows=past)

    async def publish(self, context: Context) -> None:
        """Publish what changed; it does not wait for windows in which nothing happened."""
        await self._publish.changed(context.pool)

    async def look_at_windows(self, context: Context) -> None:
        """Publish what is new or to be looked at again, and close what is due."""
        await self._publish.stale(context.pool)
        await self._publish.close(context.pool, utc_now())

    async def silences(self, context: Context) -> None:
        """Find where sources that should speak did not, and tell operators of those of now."""
        await self._accounting.find_silences(context.pool)
        async with context.pool.acquire() as connection:
            silent = await accounts.silent_now(connection)  # type: ignore[arg-type]
        self._metrics.tell_silent(silent, utc_now())

    async def balance(self, context: Context) -> None:
        """Compare the counts with the verdicts they were made of."""
        self._metrics.balance.set(await balance.difference(context.pool))
