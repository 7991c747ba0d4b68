"""What the mails about contested cases say: that one waits, and what was decided."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from services.notifier.letters import Letter, MailKind, Row
from shared.contracts.cartas import MunicipalityData
from shared.criteria import words
from shared.spanish import weekday

TITLES: Final = {
    MailKind.CONTEST_FILED: "Un caso impugnado espera decisión",
    MailKind.CONTEST_ACCEPTED: "Se aceptó la impugnación: el caso ya no cuenta",
    MailKind.CONTEST_REJECTED: "Se rechazó la impugnación: el caso sigue contando",
    MailKind.CONTEST_TAKEN_BACK: "Se revirtió la aceptación: el caso vuelve a contar",
}
OPENINGS: Final = {
    MailKind.CONTEST_FILED: (
        "{unit} impugnó un caso. Le pedimos aceptar o rechazar la impugnación antes del corte del "
        "periodo."
    ),
    MailKind.CONTEST_ACCEPTED: (
        "La coordinación aceptó la impugnación de {unit}. El caso deja de contar, y se publica "
        "cuántos salieron por ese motivo. Puede leer las razones en el enlace."
    ),
    MailKind.CONTEST_REJECTED: (
        "La coordinación rechazó la impugnación de {unit}. El caso sigue contando. Puede leer las "
        "razones en el enlace."
    ),
    MailKind.CONTEST_TAKEN_BACK: (
        "La coordinación revirtió la aceptación de la impugnación de {unit}. El caso vuelve a "
        "contar. Puede leer las razones en el enlace."
    ),
}


@dataclass(frozen=True, slots=True)
class ContestedCase:
    """What is told of a contest; its texts are not. `last_day` is local, the last in time."""

    contest: int
    case: str
    promise: str
    window: str
    reason: str
    last_day: date


def contest_letter(
    kind: MailKind,
    about: ContestedCase,
    municipality: MunicipalityData,
    *,
    unit_name: str,
    post_title: str,
    link: str,
) -> Letter:
    """Return the letter of one step; the page behind `link` asks who opens it to sign in."""
    opening = OPENINGS[kind].format(unit=unit_name)
    rows = [
        Row("Unidad", unit_name),
        Row("Caso", about.case, strong=True),
        Row("Periodo", about.window),
        Row("Motivo", words.exclusion(about.reason)),
    ]
    if kind is MailKind.CONTEST_FILED:
        day = weekday(about.last_day)
        rows.append(Row("Decidir", f"a más tardar el {day}", strong=True))
    return Letter(
        subject=f"Caso impugnado {about.contest}: {unit_name}",
        header=f"{municipality.name} · {municipality.charter_noun_plural.capitalize()}",
        title=TITLES[kind],
        preview=opening,
        paragraphs=(opening,),
        quote=about.promise,
        rows=tuple(rows),
        button="Ver la impugnación",
        link=link,
        footer=(
            f"Recibe este correo el puesto «{post_title}», que {municipality.coordination} "
            "designó como contacto.",
        ),
    )
