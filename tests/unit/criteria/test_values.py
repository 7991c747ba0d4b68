"""What may be declared of an item, and how it is read."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from shared.criteria import Limit
from shared.criteria.values import Clock, Instant, Number, Outage, Population, Season

NAMES: dict[str, Any] = {"event": "a", "first_of": ["a", "b"], "max_of": ["c", "d"]}


def test_an_instant_is_said_in_exactly_one_way() -> None:
    kinds = {name: Instant.model_validate({name: told}).kinds for name, told in NAMES.items()}
    assert kinds == {"event": ("a",), "first_of": ("a", "b"), "max_of": ("c", "d")}
    for several in ([], ["event", "first_of"], ["event", "max_of"], ["first_of", "max_of"]):
        with pytest.raises(ValidationError, match="give exactly one of event, first_of, max_of"):
            Instant.model_validate({name: NAMES[name] for name in several})


def clock(**fields: Any) -> Clock:
    told = {"start": {"event": "a"}, "stop": {"event": "b"}, "unit": "min"}
    return Clock.model_validate(told | fields)


def test_days_months_and_open_hours_need_a_calendar() -> None:
    for unit in ("s", "min", "h"):
        assert clock(unit=unit).calendar is None
    for unit in ("min_habil", "h_habil", "dia_habil", "dia_natural", "mes"):
        assert clock(unit=unit, calendar="HAB").calendar == "HAB"
        with pytest.raises(ValidationError, match=f"the unit {unit} needs a calendar"):
            clock(unit=unit)


def test_a_term_to_pause_is_of_one_of_the_pauses() -> None:
    assert clock(pauses=["x", "y"], pause_terms={"x": 1})
    for pauses in ([], ["y"]):
        with pytest.raises(ValidationError, match="belongs to a pause of the clock"):
            clock(pauses=pauses, pause_terms={"x": 1})


def test_a_very_day_is_that_of_a_date_set_beforehand() -> None:
    assert clock(exact_day=True, from_due=True)
    assert clock(from_due=True)
    with pytest.raises(ValidationError, match="only a date set beforehand"):
        clock(exact_day=True)


def outage(**fields: Any) -> Outage:
    return Outage.model_validate({"stop": "b", "unit": "min"} | fields)


def test_outages_last_seconds_minutes_or_hours() -> None:
    for unit in ("s", "min", "h"):
        assert outage(unit=unit)
    for unit in ("min_habil", "h_habil"):
        assert outage(unit=unit, calendar="HAB")
        with pytest.raises(ValidationError, match=f"the unit {unit} needs a calendar"):
            outage(unit=unit)
    for unit in ("dia_habil", "dia_natural", "mes"):
        with pytest.raises(ValidationError, match=f"minutes or hours, not {unit}"):
            outage(unit=unit, calendar="HAB")


def number(lowest: int | None = None, highest: int | None = None) -> Number:
    return Number(
        field="nota",
        lowest=None if lowest is None else Decimal(lowest),
        highest=None if highest is None else Decimal(highest),
    )


def test_a_scale_rises_from_one_end_to_the_other() -> None:
    assert number(-5, -4)
    for lowest, highest in ((0, None), (None, 10)):
        with pytest.raises(ValidationError, match="a scale has both ends"):
            number(lowest, highest)
    for lowest in (10, 11):
        with pytest.raises(ValidationError, match="a scale rises"):
            number(lowest, 10)


def test_a_number_is_read_in_ten_thousandths_or_not_at_all() -> None:
    """Without a scale what is below 0 is none; with one, what lies outside."""
    for written, plain, scaled in (
        ("0", 0, 0),
        ("7", 70_000, 70_000),
        ("7.1234", 71_234, 71_234),
        ("10", 100_000, 100_000),
        ("10.0001", 100_001, None),
        ("-5", None, -50_000),
        ("-5.0001", None, None),
        ("123456789", 1_234_567_890_000, None),
        # Too long, or no plain number.
        *((written, None, None) for written in ("1234567890", "7.12345", "7,5", "1e2", " 7", "")),
    ):
        told = {"nota": written, "otra": "9"}
        found = number().read(told), number(-5, 10).read(told)
        assert found == (plain, scaled), written
    assert number().read({"otra": "9"}) is None


def test_a_population_of_instruments_says_so_by_its_event_or_by_its_condition() -> None:
    def population(event: str, **where: Any) -> Population:
        told = {"event": event, "anchor": "occurred", "where": where}
        return Population.model_validate(told)

    assert population("instrument.scored").is_of_instruments
    assert population("visit.done", instrumento=["V1"]).is_of_instruments
    assert not population("visit.done", fila=["a"]).is_of_instruments
    assert not population("an.instrument.scored").is_of_instruments


def test_a_season_holds_from_its_first_to_its_last_day() -> None:
    for first, last, inside, outside in (
        ("03-15", "06-20", ["03-15", "04-30", "06-20"], ["03-14", "06-21", "12-31"]),
        ("12-15", "01-10", ["12-15", "12-31", "01-01", "01-10"], ["12-14", "01-11", "06-01"]),
        ("05-05", "05-05", ["05-05"], ["05-04", "05-06"]),
    ):
        season = Season(first=first, last=last, value=Decimal(1))
        assert all(season.holds(date.fromisoformat(f"2026-{day}")) for day in inside)
        assert not any(season.holds(date.fromisoformat(f"2026-{day}")) for day in outside)


def test_the_first_season_that_holds_a_day_has_its_limit() -> None:
    seasons = [
        {"first": "06-01", "last": "08-31", "value": 5},
        {"first": "08-01", "last": "09-30", "value": 9},
    ]
    held = Limit.model_validate({"op": "<=", "value": 15, "seasons": seasons})
    days = ("2026-05-31", "2026-08-31", "2026-09-01", "2026-10-01")
    limits = [held.value_on(date.fromisoformat(day)) for day in days]
    assert limits == [15, 5, 9, 15]


FORMS: dict[str, dict[str, Any]] = {
    "value": {"value": 1},
    "by": {"by": "tipo", "values": {"a": 1}},
    "field": {"field": "plazo", "factor": 1},
    "own_due": {"own_due": True},
}
SEASON = {"first": "01-01", "last": "01-31", "value": 1}


def test_a_limit_has_one_form() -> None:
    for one, form in FORMS.items():
        assert Limit.model_validate({"op": "<=", **form})
        for other, more in FORMS.items():
            if other != one:
                with pytest.raises(ValidationError, match="give exactly one of value, by, field"):
                    Limit.model_validate({"op": "<=", **form, **more})


def test_only_less_than_nothing_is_impossible() -> None:
    for op in ("<=", ">=", ">"):
        assert Limit.model_validate({"op": op, "value": 0, "seasons": [SEASON | {"value": 0}]})
    assert Limit.model_validate({"op": "<", "value": 1, "seasons": [SEASON]})
