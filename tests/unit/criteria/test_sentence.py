from typing import Any

import pytest

from shared.criteria import (
    Criterion,
    Part,
    Window,
    WindowKind,
    formula_text,
    public_sentence,
)
from tests.unit.criteria.builders import answer, counter, part, wait

QUARTER = Window(kind=WindowKind.QUARTER)


def said(*parts: Part, window: Window = QUARTER) -> str:
    return public_sentence(Criterion(parts=parts), window)


def test_a_share_says_how_many_how_long_and_when() -> None:
    assert said(wait()) == (
        "En al menos 90 % de los casos, el tiempo desde que toma su turno hasta que le llamamos a "
        "ventanilla será de 15 minutos o menos; inaceptable: 80 % o menos. No se cuentan abandonos "
        "antes del límite ni turnos duplicados. Se evalúa cada trimestre."
    )


def test_working_days_say_which_day_is_the_first() -> None:
    assert said(answer(limit={"op": "<=", "value": 1})) == (
        "En al menos 90 % de los casos, el tiempo desde que recibimos su solicitud hasta que "
        "resolvemos su solicitud será de 1 día hábil o menos; inaceptable: 75 % o menos. El "
        "tiempo se detiene mientras usted completa lo que le pedimos. El primer día que cuenta es "
        "el día hábil siguiente al inicio. Se evalúa cada trimestre."
    )


def test_every_case_is_said_without_a_percentage() -> None:
    assert said(wait(target={"op": ">=", "value": 100})).startswith("En todos los casos, ")


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"op": "<", "value": 8}, "será de menos de 8 minutos;"),
        ({"op": ">=", "value": "30.50"}, "será de 30.5 minutos o más;"),
        ({"op": ">", "value": 1500}, "será de más de 1,500 minutos;"),
        (
            {"op": "<=", "by": "prioridad", "values": {"alta": 2, "normal": 4}},
            "será de 2 minutos o menos (prioridad: alta) o 4 minutos o menos (prioridad: normal);",
        ),
        (
            {"op": "<=", "field": "plazo_legal", "factor": "0.8"},
            "será de 80 % de su plazo legal o menos;",
        ),
        (
            {"op": "<=", "own_due": True},
            "a más tardar en la fecha prometida a cada persona, le llamamos a ventanilla;",
        ),
    ],
)
def test_each_form_of_limit_has_its_words(limit: dict[str, Any], words: str) -> None:
    assert words in said(wait(limit=limit))


def test_a_changed_limit_changes_text_and_formula_together() -> None:
    # Madrid kept a text of 180 days after the limit had moved to 100 (domain 3.4).
    for days in (180, 100):
        part = answer(limit={"op": "<=", "value": days})
        assert f"{days} días hábiles" in said(part)
        assert f"≤ {days} días hábiles" in formula_text(part)


def test_a_mean_and_a_conjunction() -> None:
    assert said(counter(), wait()).startswith(
        "En promedio, el tiempo desde que empezamos a atenderle hasta que terminamos de atenderle "
        "será de 6 minutos o menos; inaceptable: 9 minutos o más. En al menos 90 % de los casos, "
    )


def test_the_population_is_said() -> None:
    population = {
        "event": "buzon.submitted",
        "anchor": "due",
        "where": {"carta": ["CC-RC-01"], "tipo": ["sugerencia", "reclamacion", "otro"]},
    }
    assert (
        "En al menos 90 % de los casos en que deja su mensaje en el buzón "
        "(tipo: sugerencia, reclamación u otro), "
    ) in said(wait(population=population))


def test_composite_and_unknown_events_are_said() -> None:
    clock = {
        "start": {"max_of": ["appointment.scheduled_for", "appointment.arrived"]},
        "stop": {"event": "permiso.sellado"},
        "unit": "min",
    }
    assert (
        "desde que ocurre lo último de esto: es la hora de su cita o llega usted a su cita hasta "
        "que ocurre «permiso.sellado»"
    ) in said(wait(clock=clock))


def test_a_campaign_says_its_dates() -> None:
    campaign = Window.model_validate(
        {"kind": "campaign", "id": "x", "first": "2026-01-01", "last": "2026-03-31"}
    )
    assert said(wait(), window=campaign).endswith(
        "Se evalúa una vez, del 1 de enero de 2026 al 31 de marzo de 2026."
    )


def test_the_formula_says_its_denominator_and_what_is_left_out() -> None:
    assert formula_text(wait()) == (
        "casos con tiempo ≤ 15 minutos ÷ casos cuyo plazo venció en el periodo × 100; "
        "sin contar abandonos antes del límite, turnos duplicados; inaceptable ≤ 80 %"
    )
    assert formula_text(counter()) == (
        "suma de los tiempos ÷ casos medidos, en minutos (casos iniciados en el periodo); "
        "inaceptable ≥ 9 minutos"
    )


def test_what_stops_the_clock_is_printed_with_its_term() -> None:
    clock = {
        "start": {"event": "request.received"},
        "stop": {"event": "request.resolved"},
        "unit": "dia_habil",
        "calendar": "HAB-GRAL",
        "pauses": ["prevencion", "obra_propia"],
        "pause_terms": {"prevencion": 5},
    }
    held = answer(clock=clock)
    words = (
        "el tiempo se detiene mientras usted completa lo que le pedimos (solo si empieza a más "
        "tardar 5 días hábiles después del inicio) o dura la pausa «obra propia»"
    )
    assert words in formula_text(held)
    assert words.removeprefix("el") in said(held)


def test_what_only_one_part_leaves_out_is_said_with_that_part() -> None:
    free = wait(population={"event": "ticket.issued", "anchor": "due", "exclude": ["rara_vez"]})
    assert said(wait(), free).count("inaceptable: 80 % o menos; no se cuentan ") == 2
    assert "; no se cuentan los casos marcados como «rara vez»." in said(wait(), free)
    assert said(wait(), wait()).count("o se cuentan") == 1


def test_nothing_is_no_more_than_nothing() -> None:
    population = {"event": "information.wrong", "anchor": "occurred"}
    target = {"op": "<=", "value": 0, "unit": "casos"}
    assert said(part("count", population=population, target=target)).startswith(
        "En ningún caso damos información equivocada. "
    )
    assert "será de 0 minutos; " in said(wait(limit={"op": "<=", "value": 0}))


def held(**target: Any) -> Part:
    return wait(target=target)


@pytest.mark.parametrize(
    ("part", "sentence", "formula"),
    [
        (held(op=">=", value=90, unacceptable="82.50"), "82.5 % o menos", "≤ 82.5 %"),
        (held(op=">", value=90, unacceptable=90), "90 % o menos", "≤ 90 %"),
        (held(op=">=", value=90, unacceptable=90), "menos de 90 %", "< 90 %"),
        (held(op="<=", value=5, unacceptable=5), "más de 5 %", "> 5 %"),
        (
            held(op="<=", value=1, unacceptable="1.2", reference="previous"),
            "120 % de la cifra del periodo anterior o más",
            "≥ 120 % de la cifra del periodo anterior",
        ),
        (
            part(
                "count",
                population={"event": "information.wrong", "anchor": "occurred"},
                target={"op": "<=", "value": 0, "unacceptable": 3, "unit": "errores"},
            ),
            "3 errores o más",
            "≥ 3 errores",
        ),
        (
            part(
                "availability",
                population={"event": "outage.started", "anchor": "occurred"},
                value={"kind": "outage", "stop": "outage.ended", "unit": "min"},
                target={"op": ">=", "value": 99, "unacceptable": 95},
            ),
            "95 % del tiempo de servicio o menos",
            "≤ 95 %",
        ),
    ],
)
def test_what_is_unacceptable_is_said(part: Part, sentence: str, formula: str) -> None:
    assert f"; inaceptable: {sentence}" in said(part)
    assert formula_text(part).endswith(f"; inaceptable {formula}")


def test_what_has_no_unacceptable_edge_says_none() -> None:
    for target in (None, {"op": ">=", "value": 90}):
        assert "inaceptable" not in said(wait(target=target)) + formula_text(wait(target=target))


SCORE = {"kind": "number", "field": "global", "lowest": 0, "highest": 10}
ANSWERS = {"event": "survey.answered", "anchor": "occurred"}
TICKETS = {"event": "ticket.issued", "anchor": "due"}
REQUESTS = {"form": "count", "population": {"event": "visit.requested", "anchor": "occurred"}}


def grouped(**by: str) -> Part:
    inner = {"form": "count", "population": {"event": "visit.done", "anchor": "occurred"}}
    target = {"op": ">=", "value": 90}
    return part("nested_share", inner=inner, limit={"op": ">=", "value": 1}, target=target, **by)


@pytest.mark.parametrize(
    ("part", "noun"),
    [
        (wait(), "casos"),
        (
            part(
                "mean",
                population=ANSWERS,
                value=SCORE,
                target={"op": ">=", "value": 8, "unit": "x"},
            ),
            "respuestas",
        ),
        (
            part(
                "mean",
                population=TICKETS,
                value=SCORE,
                target={"op": ">=", "value": 8, "unit": "x"},
            ),
            "casos",
        ),
        (
            part(
                "ratio", numerator=REQUESTS, denominator=REQUESTS, target={"op": "<=", "value": 5}
            ),
            "casos",
        ),
        (grouped(by="day"), "días con servicio"),
        (grouped(attribute="sede"), "grupos con servicio"),
        (
            part(
                "deadline",
                population={"event": "document.published", "anchor": "occurred"},
                recurrence={"every": "month", "calendar": "HAB-GRAL"},
                target={"op": ">=", "value": 100},
            ),
            "fechas esperadas",
        ),
    ],
)
def test_the_minimum_sample_is_said_with_what_it_counts(part: Part, noun: str) -> None:
    sentence = public_sentence(Criterion(parts=(part,)), QUARTER, minimum_sample=30)
    assert sentence.endswith(f" Se evalúa cada trimestre, si hay al menos 30 {noun}.")
    assert formula_text(part, minimum_sample=30).endswith(f"; muestra mínima: 30 {noun}")


def test_a_minimum_sample_is_said_only_where_it_decides() -> None:
    visits = part(
        "count", population=TICKETS | {"anchor": "occurred"}, target={"op": ">=", "value": 9}
    )
    informative = wait(target=None)
    for each in (visits, informative):
        sentence = public_sentence(Criterion(parts=(each,)), QUARTER, minimum_sample=30)
        assert "al menos 30" not in sentence + formula_text(each, minimum_sample=30)
    both = public_sentence(Criterion(parts=(wait(), visits)), QUARTER, minimum_sample=1)
    assert both.endswith(" Se evalúa cada trimestre; cada parte, si hay al menos 1 caso.")


def test_a_carta_has_its_own_words_for_its_events() -> None:
    clock = {
        "start": {"first_of": ["permiso.pedido", "ticket.issued"]},
        "stop": {"event": "permiso.sellado"},
        "unit": "min",
    }
    own = {
        "permiso.pedido": "pide su permiso",
        "permiso.sellado": "sellamos su permiso",
        "ticket.issued": "toma su ficha",
    }
    timed = wait(clock=clock)
    sentence = public_sentence(Criterion(parts=(timed,)), QUARTER, events=own)
    assert "de esto: pide su permiso o toma su ficha hasta que sellamos su permiso" in sentence
    counted = {"form": "count", "population": {"event": "permiso.pedido", "anchor": "occurred"}}
    ratio = part("ratio", numerator=counted, denominator=counted, target={"op": "<=", "value": 5})
    assert formula_text(ratio, events=own) == (
        "veces que pide su permiso ÷ veces que pide su permiso × 100"
    )


def test_a_ratio_says_which_side_leaves_what_out() -> None:
    above = {"form": "count", "population": {"event": "visit.done", "anchor": "occurred"}}
    asked = {"event": "visit.requested", "anchor": "occurred", "exclude": ["desistida"]}
    ratio = part(
        "ratio",
        numerator=above,
        denominator={"form": "count", "population": asked},
        target={"op": ">=", "value": 100},
    )
    assert formula_text(ratio) == (
        "veces que hacemos la visita ÷ (veces que nos piden una visita, "
        "sin contar solicitudes de las que la persona desistió) × 100"
    )
    assert "piden una visita (sin contar solicitudes de las que la persona desistió), será" in (
        said(ratio)
    )


def test_a_date_set_beforehand_is_kept_late_or_not_early() -> None:
    clock = {
        "start": {"event": "visit.scheduled_for"},
        "stop": {"event": "visit.done"},
        "unit": "dia_natural",
        "calendar": "HAB-GRAL",
        "from_due": True,
        "exact_day": True,
    }
    late = wait(clock=clock, limit={"op": "<=", "value": 2})
    assert (
        "hacemos la visita a más tardar 2 días naturales después de que llega la fecha acordada "
        "para la visita, y no antes de ese día; "
    ) in said(late)
    assert formula_text(late).startswith("casos con retraso ≤ 2 días naturales y sin adelanto")
    least = wait(clock=clock, limit={"op": ">=", "value": 2})
    assert "el retraso desde que llega la fecha" in said(least)
