"""Results of closed months for every promise of a municipality, as the evaluator tells them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from services.cartas.domain.catalogue import Catalogue
from shared.contracts.cartas import CartaData, Compromiso
from shared.contracts.results import (
    Band,
    PartResult,
    ResultData,
    ResultPublished,
    ResultStatus,
    ResultWindow,
    Verdict,
)

SPEAKS: Final = "/evaluator"
MIDNIGHT: Final = time(6, tzinfo=UTC)
"""Local, in the zone of most municipalities."""


def closed_results(pattern: Catalogue, name: str, months: int) -> Iterator[ResultPublished]:
    """Yield the final results of so many months, the last one August of 2026."""
    for carta in pattern.cartas:
        for compromiso in carta.data.compromisos:
            for ago in range(months):
                data = _result(carta.data, compromiso, name, _month(ago))
                identity = f"{name}-{compromiso.id}-{data.window.id}"
                yield ResultPublished(
                    id=identity, source=SPEAKS, time=data.window.closes_at, data=data
                )


def _month(ago: int) -> ResultWindow:
    number = 2026 * 12 + 7 - ago
    first, following = (date(n // 12, n % 12 + 1, 1) for n in (number, number + 1))
    start, end = (datetime.combine(day, MIDNIGHT) for day in (first, following))
    closes = end + timedelta(days=14)
    return ResultWindow(id=f"{first:%Y-%m}", kind="month", start=start, end=end, closes_at=closes)


def _result(
    carta: CartaData, compromiso: Compromiso, name: str, window: ResultWindow
) -> ResultData:
    return ResultData(
        municipality=name,
        carta=carta.carta,
        carta_versions=(carta.version,),
        compromiso=compromiso.id,
        unit=carta.unit,
        window=window,
        edition=1,
        sequence=1,
        status=ResultStatus.FINAL,
        verdict=Verdict.MET,
        band=Band.GREEN,
        parts=tuple(_part(part.figure.form) for part in compromiso.criterion.parts),
        as_of=window.closes_at,
    )


def _part(form: str) -> PartResult:
    return PartResult(
        form=form,
        met=1811,
        failed=89,
        pending=0,
        excluded={"duplicado": 12},
        overdue_open=0,
        value=Decimal("95.3158"),
        exact="9055/95",
        numerator=1811,
        denominator=1900,
        items=1900,
        target=Decimal(90),
        target_op=">=",
        unit="%",
        verdict=Verdict.MET,
    )
