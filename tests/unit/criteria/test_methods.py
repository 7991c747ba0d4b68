"""Method and margin of a figure, and shoppers who are not among the people served."""

from decimal import Decimal
from typing import Any

import pytest

from shared.criteria import (
    CaseStatus,
    Method,
    Part,
    instruments_of,
    judge_case,
    margin_of,
    method_of,
)
from tests.unit.criteria.builders import case, judged, measure, part, wait
from tests.unit.worktime.calendars import ZONE

NOTA = {"kind": "number", "field": "nota", "lowest": 0, "highest": 10}


def population(event: str = "survey.answered", **changes: Any) -> dict[str, Any]:
    return {"event": event, "anchor": "occurred", **changes}


def scores(form: str = "share_within", **changes: Any) -> Part:
    fields: dict[str, Any] = {"population": population(), "value": NOTA}
    if form == "share_within":
        fields["limit"] = {"op": ">=", "value": 8}
    return part(form, **(fields | changes))


def summed(event: str) -> dict[str, Any]:
    return {
        "form": "sum",
        "population": population(event),
        "value": {"kind": "number", "field": "atendidos"},
    }


@pytest.mark.parametrize(
    ("of", "method", "instruments"),
    [
        (wait(), Method.RECORDS, ()),
        (
            scores(population=population(where={"encuesta": ["E-2", "E-1"]})),
            "encuesta",
            ("E-1", "E-2"),
        ),
        (
            wait(population=population("ticket.issued", where={"instrumento": ["CM-1"]})),
            Method.INSTRUMENT,
            ("CM-1",),
        ),
        (scores(population=population("instrument.scored")), Method.INSTRUMENT, ()),
        (
            scores(population=population("instrument.scored", method="visita")),
            Method.VISIT,
            (),
        ),
        (
            part(
                "ratio", numerator=summed("counts.reported"), denominator=summed("counts.reported")
            ),
            Method.COUNTS,
            (),
        ),
        (
            part(
                "nested_share",
                by="month",
                inner={"form": "mean", "population": population(), "value": NOTA},
                limit={"op": ">=", "value": 8},
            ),
            Method.SURVEY,
            (),
        ),
    ],
)
def test_the_population_tells_the_method(
    of: Part, method: Method, instruments: tuple[str, ...]
) -> None:
    assert method_of(of) == method
    assert instruments_of(of) == instruments


@pytest.mark.parametrize(
    ("items", "margin"),
    [(920, "3.2969"), (600, "4.0825"), (260, "6.2017"), (220, "6.7420"), (1, "100")],
)
def test_the_margin_of_a_share_is_that_of_the_offices_of_madrid(items: int, margin: str) -> None:
    """Published with one decimal as 3.3, 4.1, 6.2 and 6.7: 100 over the root of the answers."""
    assert margin_of(scores(), items) == Decimal(margin)


def test_a_margin_is_a_part_of_the_range_of_its_figure() -> None:
    """Scores from 0 to 10 lie within 10 points, net promoters within 200."""
    assert margin_of(scores("mean"), 100) == Decimal(1)
    assert margin_of(scores("nps"), 100) == Decimal(20)


@pytest.mark.parametrize(
    "without",
    [
        wait(),
        scores("mean", value={"kind": "number", "field": "asistentes"}),
        scores("sum"),
        scores("count", limit={"op": ">=", "value": 8}),
    ],
)
def test_what_is_no_sample_or_has_no_range_has_no_margin(without: Part) -> None:
    assert margin_of(without, 100) is None


def test_nothing_has_no_margin() -> None:
    assert margin_of(scores(), 0) is None


def test_a_shopper_is_not_among_the_people_served() -> None:
    """One shopper's wait of 40 minutes would move a share of 95 %."""
    served = case(ticket_issued="2026-09-07 10:00", ticket_called="2026-09-07 10:10")
    shopper = case(
        ticket_issued="2026-09-07 10:00",
        ticket_called="2026-09-07 10:40",
        attributes={"instrumento": "CM-1"},
    )
    everybody = wait()
    assert judged(everybody, served).status is CaseStatus.MET
    assert judge_case(measure(everybody), shopper, None, zone=ZONE, complete_through=None) is None
    shoppers = wait(population=population("ticket.issued", where={"instrumento": ["CM-1"]}))
    assert judged(shoppers, shopper).status is CaseStatus.FAILED
    assert judge_case(measure(shoppers), served, None, zone=ZONE, complete_through=None) is None
