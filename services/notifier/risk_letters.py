"""What the mail about a promise at risk says: by how much it is, and that nothing is asked."""

from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.letters import Letter, Row
from services.notifier.spanish import figure_in_words, outlook_words
from shared.contracts.breaches import BreachData
from shared.contracts.cartas import CartaData, MunicipalityData
from shared.outlooks import declared_for, forecast_sentence
from shared.spanish import target, window

OPENING: Final = (
    "Con lo que se sabe hoy, el siguiente compromiso de la {noun} «{carta}» está en riesgo de no "
    "cumplirse en el periodo. Este aviso es informativo, no abre una acción correctiva y se envía "
    "una sola vez por periodo; el panel muestra cómo sigue."
)


def risk_letter(
    breach: BreachData,
    municipality: MunicipalityData,
    carta: CartaData,
    *,
    unit_name: str,
    post_title: str,
    link: str,
) -> Letter:
    """Return the letter; `unit_name` is that of the unit at risk. No figure is in its subject."""
    promise = next((each for each in carta.compromisos if each.id == breach.compromiso), None)
    opening = OPENING.format(noun=municipality.charter_noun, carta=carta.name)
    declared = declared_for(breach.parts, None if promise is None else promise.criterion)
    forecasts = map(forecast_sentence, breach.parts, declared)
    rows = [
        Row("Unidad", unit_name),
        Row("Periodo", window(breach.window, ZoneInfo(municipality.zone))),
        *_figures(breach),
        *(Row("Lo que falta", said, strong=True) for said in outlook_words(breach.parts, promise)),
        *(Row("Pronóstico", said) for said in forecasts if said),
    ]
    return Letter(
        subject=f"Compromiso en riesgo: {carta.name}",
        header=f"{municipality.name} · {municipality.charter_noun_plural.capitalize()}",
        title=f"En riesgo: {promise.indicator.name if promise else carta.name}",
        preview=opening,
        paragraphs=(opening,),
        quote=promise.text if promise else None,
        rows=tuple(rows),
        button="Abrir el panel de la unidad",
        link=link,
        footer=(
            f"Recibe este correo el puesto «{post_title}», que {municipality.coordination} "
            "designó como contacto.",
        ),
    )


def _figures(breach: BreachData) -> Iterator[Row]:
    for part in breach.parts:
        yield Row("Hasta hoy", figure_in_words(part))
        yield Row("Meta", target(part.target, part.target_op, part.unit))
