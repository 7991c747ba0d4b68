from dataclasses import replace
from datetime import date

import pytest

from services.portal.domain.board import Board, board, current_version, public_results
from services.portal.domain.states import State
from shared.contracts.cartas import CartaData
from shared.contracts.results import Band, ResultData, ResultStatus, Verdict
from tests.unit.portal import builders as b

TODAY = date(2026, 11, 1)


def made(results: list[ResultData], cartas: tuple[CartaData, ...] = b.CARTAS) -> Board:
    units = {unit.unit: unit for unit in b.UNITS}
    return board(
        b.municipality(), cartas=cartas, units=units, results=results, actions=[], today=TODAY
    )


def test_the_headline_has_one_denominator() -> None:
    """Judged are those with a verdict: met, tolerable and not met; never those without data."""
    shown = made(b.results())
    assert shown.counts == {State.NOT_MET: 2, State.TOLERABLE: 2, State.MET: 1, State.NO_DATA: 1}
    assert shown.judged == 5


def test_a_compromiso_by_unit_is_as_good_as_its_worst_office() -> None:
    views = {view.compromiso.id: view for view in made(b.results()).compromisos}
    assert views["CC-RC-01-01"].state is State.TOLERABLE
    assert views["CC-RC-01-01"].worst_line is not None
    assert views["CC-RC-01-01"].worst_line.unit == "RC-SUR"


def test_every_compromiso_without_a_verdict_says_why() -> None:
    views = {view.compromiso.id: view for view in made([]).compromisos}
    assert views["CC-RC-01-03"].reason == "sin_periodo_cerrado"
    assert views["CC-EM-01-01"].reason == "sin_periodo_cerrado"


def test_a_reason_of_the_evaluator_is_kept() -> None:
    part = b.part(0, 0)
    silent = b.result("CC-EM-01", "01", "MANDO", parts=(part,), reason="fuente_sin_datos")
    [view] = [v for v in made([silent]).compromisos if v.compromiso.id == "CC-EM-01-01"]
    assert (view.state, view.reason) == (State.NO_DATA, "fuente_sin_datos")


def test_the_latest_closed_window_comes_first_in_its_last_edition() -> None:
    first = b.result("CC-EM-01", "01", "MANDO", window=b.quarter(2))
    old = b.result("CC-EM-01", "01", "MANDO")
    corrected = b.result("CC-EM-01", "01", "MANDO", edition=2)
    [view] = [v for v in made([first, corrected, old]).compromisos if v.lines]
    assert [(r.window.id, r.edition) for r in view.lines[0].closed] == [
        ("2026-Q3", 2),
        ("2026-Q2", 1),
    ]


def test_a_window_that_was_closed_is_not_shown_as_running() -> None:
    closed = b.result("CC-EM-01", "01", "MANDO")
    before = closed.model_copy(update={"status": ResultStatus.PROVISIONAL, "edition": 0})
    [view] = [v for v in made([before, closed]).compromisos if v.lines]
    assert view.lines[0].running is None


def test_amber_is_not_met_in_a_closed_window_and_a_warning_in_a_running_one() -> None:
    closed = b.result("CC-EM-01", "01", "MANDO", band=Band.AMBER)
    running = closed.model_copy(
        update={"status": ResultStatus.PROVISIONAL, "edition": 0, "window": b.quarter(4)}
    )
    [view] = [v for v in made([closed, running]).compromisos if v.lines]
    [line] = view.lines
    assert line.latest is not None
    assert line.running is not None
    assert line.latest.word == "No se cumple, dentro de lo tolerable"
    assert line.running.word == "Cerca del límite"
    assert line.latest.verdict is Verdict.NOT_MET


@pytest.mark.parametrize(
    ("today", "version"),
    [
        (date(2025, 6, 1), 2),
        (date(2026, 6, 30), 1),
        (date(2026, 7, 1), 2),
        (date(2028, 1, 1), 2),
    ],
)
def test_the_version_in_force_is_shown(today: date, version: int) -> None:
    """Both the first and the last day are in force; outside of all, the newest stands for it."""
    old = b.EMERGENCIAS.model_copy(update={"valid_to": date(2026, 6, 30)})
    new = b.EMERGENCIAS.model_copy(
        update={"version": 2, "valid_from": date(2026, 7, 1), "valid_to": date(2027, 12, 31)}
    )
    assert current_version([old, new], today).version == version


def test_departments_are_in_alphabetical_order_and_never_ranked() -> None:
    names = list(made(b.results()).departments)
    assert names == sorted(names)


def test_searching_minds_neither_accents_nor_capitals() -> None:
    shown = made(b.results())
    assert [c.data.carta for c in shown.matching("JURIDICA mujeres").cartas] == ["CC-IG-01"]
    assert shown.matching("no existe").cartas == ()


def test_where_no_carta_is_in_force_the_headline_speaks_of_the_past_ones() -> None:
    past = tuple(c.model_copy(update={"valid_to": date(2026, 10, 1)}) for c in b.CARTAS)
    assert made(b.results(), past).judged == 5


def test_a_sensitive_carta_gives_only_the_last_edition_as_open_data() -> None:
    def editions(code: str, number: str, unit: str) -> list[int]:
        both = [b.result(code, number, unit, edition=n, parts=(b.part(40 + n, 0),)) for n in (1, 2)]
        return [r.edition for r in public_results(b.municipality(), b.CARTAS, both)]

    assert editions("CC-IG-01", "01", "IGUALDAD") == [2]
    assert editions("CC-EM-01", "01", "MANDO") == [1, 2]


def test_a_closed_window_is_not_in_the_open_data_as_running_too() -> None:
    closed = b.result("CC-EM-01", "01", "MANDO")
    before = closed.model_copy(update={"status": ResultStatus.PROVISIONAL, "edition": 0})
    running = before.model_copy(update={"window": b.quarter(4)})
    found = public_results(b.municipality(), b.CARTAS, [before, closed, running])
    assert [(r.window.id, r.edition) for r in found] == [("2026-Q3", 1), ("2026-Q4", 0)]


def test_a_carta_that_was_sensitive_stays_so() -> None:
    later = b.IGUALDAD.model_copy(update={"version": 2, "sensitive": False})
    few = b.result("CC-IG-01", "01", "IGUALDAD", parts=(b.part(98, 2),))
    [public] = public_results(b.municipality(), [b.IGUALDAD, later], [few])
    assert public.parts[0].is_withheld


def test_a_result_without_its_carta_is_not_published() -> None:
    """Whether it may be published is not known yet."""
    assert public_results(b.municipality(), [], b.results()) == []


def test_states_order_does_not_depend_on_lines_order() -> None:
    shown = made(list(reversed(b.results())))
    assert [v.state for v in shown.compromisos] == [v.state for v in made(b.results()).compromisos]
    assert replace(shown, cartas=()).counted == ()
