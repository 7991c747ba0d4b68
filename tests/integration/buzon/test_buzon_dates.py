from datetime import date, datetime, timedelta

import pytest

from services.buzon.domain.cases import Folio, Step
from services.buzon.domain.secrets import Keys
from services.buzon.store import folios
from services.buzon.use_cases.filing import Filing, Receipt, file
from services.buzon.use_cases.steps import Request, take
from shared.contracts.complaints import ComplaintKind
from shared.messaging import transaction
from tests.integration.buzon.support import REGISTRO, TEXT, Buzon
from tests.unit.buzon import builders as b

KEYS = Keys.derive("k" * 32)


async def file_at(
    box: Buzon, now: datetime, *, kind: ComplaintKind = ComplaintKind.QUEJA, carta: str | None
) -> Receipt:
    async with transaction(box.pool, service="buzon") as tx:
        tx.now = now
        filing = Filing(b.TOWN, kind, TEXT, carta=carta)
        key = f"{kind}/{carta}/{now}"
        return await file(tx, KEYS, filing, idempotency_key=key, repeat_for=timedelta(hours=1))


async def step_at(box: Buzon, now: datetime, folio: str, request: Request) -> Folio:
    async with transaction(box.pool, service="buzon") as tx:
        tx.now = now
        return await take(tx, KEYS, folio, post_id=REGISTRO, request=request)


@pytest.mark.parametrize(
    ("kind", "carta", "expected"),
    [
        (ComplaintKind.QUEJA, "CC-RC-01", date(2026, 9, 21)),
        (ComplaintKind.RECONOCIMIENTO, "CC-RC-01", date(2026, 9, 28)),
        (ComplaintKind.QUEJA, "CC-AG-01", date(2026, 9, 28)),
        (ComplaintKind.SUGERENCIA, None, date(2026, 9, 28)),
    ],
)
async def test_the_date_is_that_of_the_carta_with_the_holiday_left_out(
    box: Buzon, kind: ComplaintKind, carta: str | None, expected: date
) -> None:
    receipt = await file_at(box, b.FRIDAY, kind=kind, carta=carta)
    assert receipt.answer_by == expected


async def test_a_clarification_moves_the_date_and_an_answer_keeps_it(box: Buzon) -> None:
    folio = (await file_at(box, b.FRIDAY, carta="CC-RC-01")).folio
    paused = await step_at(box, b.later(4), folio, Request(Step.PAUSE, text="¿Qué día fue?"))
    assert paused.answer_by is None
    resumed = await step_at(box, b.later(6), folio, Request(Step.RESUME))
    assert resumed.answer_by == date(2026, 9, 23)
    answered = await step_at(box, b.later(7), folio, Request(Step.ANSWER, text="Listo."))
    assert answered.answer_by == date(2026, 9, 23)
    async with box.pool.acquire() as connection:
        assert await folios.get(connection, folio) == answered  # type: ignore[arg-type]


async def test_a_folio_is_taken_before_its_calendar_has_come(box: Buzon) -> None:
    await box.pool.execute("DELETE FROM reference WHERE kind = 'calendar'")
    assert (await file_at(box, b.FRIDAY, carta="CC-RC-01")).answer_by is None


async def test_folios_are_numbered_by_the_year_of_the_municipality(box: Buzon) -> None:
    last_evening = datetime.fromisoformat("2026-12-31T23:30:00-06:00")
    numbers = [
        (await file_at(box, now, carta=None)).folio[:14]
        for now in (b.FRIDAY, last_evening, last_evening + timedelta(hours=1))
    ]
    assert numbers == ["BZ-2026-000001", "BZ-2026-000002", "BZ-2027-000001"]
