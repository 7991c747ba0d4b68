from datetime import date, datetime, timedelta

import pytest

from services.buzon.deadlines import redate_outdated
from services.buzon.domain.cases import Folio, Step
from services.buzon.domain.secrets import Keys
from services.buzon.store import folios, redatings
from services.buzon.store.redatings import Redating
from services.buzon.use_cases.catalogue import take_catalogue
from services.buzon.use_cases.filing import Filing, Receipt, file
from services.buzon.use_cases.steps import Request, take
from shared.contracts.cartas import CalendarData, CalendarPublished
from shared.contracts.complaints import ComplaintKind
from shared.messaging import transaction
from shared.worktime import DayException
from tests.integration.buzon.support import REGISTRO, TEXT, Buzon, learn
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
    receipt = await file_at(box, b.FRIDAY, carta="CC-RC-01")
    assert receipt.answer_by is None
    await learn(box.pool)
    await redate_outdated(box.pool)
    assert await date_of(box, receipt.folio) == date(2026, 9, 21)
    [moved] = await moves_of(box, receipt.folio)
    assert (moved.before, moved.after) == (None, date(2026, 9, 21))


async def date_of(box: Buzon, folio: str) -> date | None:
    async with transaction(box.pool, service="buzon") as tx:
        found = await folios.get(tx.connection, folio)
    assert found is not None
    return found.answer_by


async def moves_of(box: Buzon, folio: str) -> list[Redating]:
    async with transaction(box.pool, service="buzon") as tx:
        return list((await redatings.of_folio(tx.connection, folio)).values())


async def suspend(box: Buzon, day: date, *, version: int) -> None:
    """A later version of the calendar, in which another day does not count."""
    known = b.calendar()
    off = DayException(first=day, last=day, reason="Inundación", opens=None, counts=False)
    calendar = known.model_copy(update={"version": version, "days": (*known.days, off)})
    data = CalendarData(
        municipality=b.TOWN, calendar=calendar, version=version, known_since=b.KNOWN
    )
    event = CalendarPublished(id=f"c{version}", source="/cartas", time=b.KNOWN, data=data)
    async with transaction(box.pool, service="buzon") as tx:
        await take_catalogue(tx, [event])
    await redate_outdated(box.pool)


async def test_a_calendar_decreed_later_moves_the_date_and_the_folio_says_so(box: Buzon) -> None:
    receipt = await file_at(box, b.FRIDAY, carta="CC-RC-01")
    await suspend(box, date(2026, 9, 17), version=2)
    assert await date_of(box, receipt.folio) == date(2026, 9, 22)
    assert await moves_of(box, receipt.folio) == [Redating(date(2026, 9, 21), date(2026, 9, 22))]
    *_, said = await box.published()
    assert (said["data"]["change"], said["data"]["answer_by"]) == ("redated", "2026-09-22")
    assert said["data"]["revision"] == 2
    told = (await box.read(receipt.folio)).json()
    assert told["answer_by"] == "2026-09-22"
    assert told["timeline"][-1]["change"] == "redated"
    assert (told["timeline"][-1]["before"], told["timeline"][-1]["after"]) == (
        "2026-09-21",
        "2026-09-22",
    )
    await redate_outdated(box.pool)
    assert len(await box.published()) == 2


async def test_other_days_move_nothing_and_a_later_version_may_take_the_move_back(
    box: Buzon,
) -> None:
    folio = (await file_at(box, b.FRIDAY, carta="CC-RC-01")).folio
    await suspend(box, date(2026, 12, 1), version=2)
    assert await moves_of(box, folio) == []
    await suspend(box, date(2026, 9, 17), version=3)
    await suspend(box, date(2026, 12, 1), version=4)
    assert [moved.after for moved in await moves_of(box, folio)] == [
        date(2026, 9, 22),
        date(2026, 9, 21),
    ]


async def test_what_is_answered_keeps_its_date_and_a_pause_waits_for_its_end(box: Buzon) -> None:
    answered = (await file_at(box, b.FRIDAY, carta="CC-RC-01")).folio
    await step_at(box, b.later(1), answered, Request(Step.ANSWER, text="Listo."))
    paused = (await file_at(box, b.later(1), carta="CC-RC-01")).folio
    await step_at(box, b.later(2), paused, Request(Step.PAUSE, text="¿Qué día fue?"))
    await suspend(box, date(2026, 9, 17), version=2)
    assert await date_of(box, answered) == date(2026, 9, 21)
    assert await date_of(box, paused) is None
    assert await moves_of(box, paused) == []


async def test_folios_are_numbered_by_the_year_of_the_municipality(box: Buzon) -> None:
    last_evening = datetime.fromisoformat("2026-12-31T23:30:00-06:00")
    numbers = [
        (await file_at(box, now, carta=None)).folio[:14]
        for now in (b.FRIDAY, last_evening, last_evening + timedelta(hours=1))
    ]
    assert numbers == ["BZ-2026-000001", "BZ-2026-000002", "BZ-2027-000001"]
