"""What each mail says: one set of facts from which HTML and plain text are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.spanish import counts_in_words, figure_in_words
from shared.contracts.breaches import MAX_LISTED_CASES, BreachData
from shared.contracts.cartas import CartaData, Compromiso, MunicipalityData
from shared.spanish import counted, target, weekday, window


class MailKind(StrEnum):
    """Why a mail is sent."""

    BREACHED = "breached"
    COMPLAINT = "complaint"
    REPEATED = "repeated"
    NOT_ACKNOWLEDGED = "not_acknowledged"
    NO_PLAN = "no_plan"
    RECOVERED = "recovered"
    RETURNED = "returned"
    APPROVED = "approved"
    AT_RISK = "at_risk"
    DIGEST = "digest"
    SIGN_IN = "sign_in"
    CONTEST_FILED = "contest_filed"
    CONTEST_ACCEPTED = "contest_accepted"
    CONTEST_REJECTED = "contest_rejected"
    CONTEST_TAKEN_BACK = "contest_taken_back"


CONTESTS: Final = frozenset(
    {
        MailKind.CONTEST_FILED,
        MailKind.CONTEST_ACCEPTED,
        MailKind.CONTEST_REJECTED,
        MailKind.CONTEST_TAKEN_BACK,
    }
)
CAN_WAIT: Final = CONTESTS | {
    MailKind.RECOVERED,
    MailKind.RETURNED,
    MailKind.APPROVED,
    MailKind.AT_RISK,
    MailKind.DIGEST,
}
"""Mail that quiet hours hold back until the next working morning."""

BUTTON: Final = "Ver y registrar acción correctiva"
DIGEST_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One fact of the table; `strong` is what the reader looks for."""

    label: str
    value: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail before it is set: plain text in every field, nothing is markup."""

    subject: str
    header: str
    title: str
    preview: str
    paragraphs: tuple[str, ...]
    quote: str | None = None
    rows: tuple[Row, ...] = ()
    cases: tuple[str, ...] = ()
    more_cases: int = 0
    button: str = BUTTON
    link: str | None = None
    footer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Last local days to acknowledge and to file; None where none is set."""

    acknowledge_by: date | None
    plan_by: date | None


@dataclass(frozen=True, slots=True)
class Subject:
    """The action a letter is about, and the post that reads it."""

    action: str
    municipality: MunicipalityData
    carta: CartaData
    compromiso: Compromiso | None
    unit_name: str
    post_title: str
    link: str

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.municipality.zone)

    @property
    def indicator(self) -> str:
        return self.compromiso.indicator.name if self.compromiso else self.carta.name


TITLES: Final = {
    MailKind.BREACHED: "No se cumple: {indicator}",
    MailKind.COMPLAINT: "Queja procedente: {indicator}",
    MailKind.REPEATED: "Se repite el incumplimiento: {indicator}",
    MailKind.NOT_ACKNOWLEDGED: "Sin acuse de recibo: {indicator}",
    MailKind.NO_PLAN: "Sin acción correctiva: {indicator}",
    MailKind.RECOVERED: "Se recuperó: {indicator}",
    MailKind.RETURNED: "Acción correctiva devuelta: {indicator}",
    MailKind.APPROVED: "Acción correctiva aprobada: {indicator}",
}
OPENINGS: Final = {
    MailKind.BREACHED: (
        "Le informamos que el siguiente compromiso de la {noun} «{carta}» no se cumplió. "
        "Le pedimos acusar recibo y registrar la causa y la acción correctiva."
    ),
    MailKind.COMPLAINT: (
        "Le informamos que se declaró procedente una inconformidad ciudadana (folio {folio}) sobre "
        "el siguiente compromiso de la {noun} «{carta}». Le pedimos acusar recibo y registrar la "
        "causa y la acción correctiva."
    ),
    MailKind.REPEATED: (
        "El siguiente compromiso de la {noun} «{carta}» volvió a incumplirse mientras su acción "
        "correctiva sigue abierta. Se le informa porque el asunto subió de nivel."
    ),
    MailKind.NOT_ACKNOWLEDGED: (
        "Venció el plazo y nadie ha acusado recibo del aviso sobre el siguiente compromiso de la "
        "{noun} «{carta}». Se le informa porque le corresponde el siguiente nivel de atención."
    ),
    MailKind.NO_PLAN: (
        "Venció el plazo y no se ha registrado la acción correctiva del siguiente compromiso de la "
        "{noun} «{carta}». Se le informa porque le corresponde el siguiente nivel de atención."
    ),
    MailKind.RECOVERED: (
        "Con la información recibida después del aviso, el siguiente compromiso de la {noun} "
        "«{carta}» ya no se encuentra incumplido. Ya no corren los plazos de esta acción; puede "
        "consultarla en el enlace."
    ),
    MailKind.RETURNED: (
        "La coordinación revisó la acción correctiva del siguiente compromiso de la {noun} "
        "«{carta}» y la devolvió. Le pedimos atender el motivo y registrarla de nuevo."
    ),
    MailKind.APPROVED: (
        "La coordinación aprobó la acción correctiva del siguiente compromiso de la {noun} "
        "«{carta}». Gracias por registrarla."
    ),
}


def action_letter(
    kind: MailKind,
    about: Subject,
    breach: BreachData,
    deadlines: Deadlines,
    *,
    reason: str | None = None,
    is_reply: bool = False,
) -> Letter:
    """Return the letter of one step in the life of an action.

    The subject is the same for the whole life of the action, so that mail programs keep one
    thread, and it holds no figure, case or person.
    """
    words = {"noun": about.municipality.charter_noun, "carta": about.carta.name}
    opening = OPENINGS[kind].format(**words, folio=breach.folio or "")
    reply = "Re: " if is_reply else ""
    lists_cases = kind not in (MailKind.RECOVERED, MailKind.RETURNED, MailKind.APPROVED)
    return Letter(
        subject=f"{reply}[{about.action}] Acción correctiva solicitada: {about.carta.name}",
        header=f"{about.municipality.name} · {about.municipality.charter_noun_plural.capitalize()}",
        title=TITLES[kind].format(indicator=about.indicator),
        preview=opening,
        paragraphs=(opening,),
        quote=about.compromiso.text if about.compromiso else None,
        rows=_rows(kind, about, breach, deadlines, reason),
        cases=breach.failing_cases[:MAX_LISTED_CASES] if lists_cases else (),
        more_cases=_more_cases(breach) if lists_cases else 0,
        link=about.link,
        footer=_footer(about),
    )


def _more_cases(breach: BreachData) -> int:
    return max(0, breach.failing_total - len(breach.failing_cases[:MAX_LISTED_CASES]))


def _rows(
    kind: MailKind, about: Subject, breach: BreachData, deadlines: Deadlines, reason: str | None
) -> tuple[Row, ...]:
    rows = [Row("Unidad", about.unit_name)]
    rows.append(Row("Periodo", window(breach.window, about.zone)))
    for part in breach.parts:
        rows.append(Row("Resultado", figure_in_words(part), strong=True))
        if beside := counts_in_words(part):
            rows.append(Row("Casos", beside))
        rows.append(Row("Meta", target(part.target, part.target_op, part.unit)))
    if breach.folio is not None:
        rows.append(Row("Folio", breach.folio))
    if reason:
        rows.append(Row("Motivo", reason, strong=True))
    return (*rows, *_deadline_rows(kind, deadlines))


def _deadline_rows(kind: MailKind, deadlines: Deadlines) -> list[Row]:
    """A term that no longer runs is not shown."""
    if kind in (MailKind.RECOVERED, MailKind.APPROVED):
        return []
    rows = []
    if deadlines.acknowledge_by is not None and kind is not MailKind.RETURNED:
        day = weekday(deadlines.acknowledge_by)
        rows.append(Row("Acusar recibo", f"a más tardar el {day}", strong=True))
    if deadlines.plan_by is not None:
        day = weekday(deadlines.plan_by)
        rows.append(Row("Registrar acción", f"a más tardar el {day}", strong=True))
    return rows


def _footer(about: Subject) -> tuple[str, ...]:
    coordination = about.municipality.coordination
    return (
        f"Aviso {about.action}. Recibe este correo el puesto «{about.post_title}», que "
        f"{coordination} designó como contacto. Si el contacto no es correcto, avise a esa "
        "coordinación.",
        "El enlace es exclusivo de este puesto; no lo reenvíe.",
    )


@dataclass(frozen=True, slots=True)
class DigestLine:
    """Late cases or a risk of one compromiso, as counted for one unit and day.

    `outlook` says what can still become of it; empty where it is not at risk.
    """

    compromiso: str
    text: str
    late: int
    at_risk: bool
    outlook: str = ""


def digest_letter(
    municipality: MunicipalityData,
    post_title: str,
    unit_name: str,
    lines: Sequence[DigestLine],
    *,
    link: str,
) -> Letter:
    """Return the daily digest of what asks for no action yet."""
    late = sum(line.late for line in lines)
    risks = sum(line.at_risk for line in lines)
    said = [counted(late, "caso fuera de plazo", "casos fuera de plazo")] if late else []
    said += [counted(risks, "compromiso en riesgo", "compromisos en riesgo")] if risks else []
    opening = (
        f"Desde el último resumen se registraron {' y '.join(said)} en {unit_name}. "
        "Este aviso es informativo y no abre una acción correctiva."
    )
    rows = [Row(line.compromiso, _digest_words(line)) for line in lines[:DIGEST_ROWS]]
    return Letter(
        subject=f"Resumen diario: {unit_name}",
        header=f"{municipality.name} · {municipality.charter_noun_plural.capitalize()}",
        title="Resumen diario",
        preview=opening,
        paragraphs=(opening,),
        rows=tuple(rows),
        button="Abrir el panel de la unidad",
        link=link,
        footer=(
            f"Recibe este resumen el puesto «{post_title}», que {municipality.coordination} "
            "designó como contacto. La coordinación puede suspender los resúmenes.",
        ),
    )


def _digest_words(line: DigestLine) -> str:
    said = [counted(line.late, "caso fuera de plazo", "casos fuera de plazo")] if line.late else []
    said += ["en riesgo"] if line.at_risk else []
    return " ".join(filter(None, (f"{'; '.join(said)}.", line.outlook, line.text)))


def sign_in_letter(link: str, valid_minutes: int) -> Letter:
    """Return the mail with a one-time link; it says nothing of who asked."""
    minutes = counted(valid_minutes, "minuto", "minutos")
    return Letter(
        subject="Su enlace para entrar",
        header="Cartas compromiso",
        title="Su enlace para entrar",
        preview=f"El enlace sirve una sola vez y vence en {minutes}.",
        paragraphs=(
            f"Recibimos una solicitud para entrar con este correo. El enlace sirve una sola vez y "
            f"vence en {minutes}.",
        ),
        button="Continuar",
        link=link,
        footer=(
            "Si usted no lo solicitó, no necesita hacer nada: nadie puede entrar sin este enlace. "
            "No lo reenvíe.",
        ),
    )
