"""Spanish words for what criteria name: events, exclusions, units, numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from shared.criteria.vocabulary import Method, Period
from shared.worktime.model import Unit

EVENTS: Final = {
    "appointment.arrived": "llega usted a su cita",
    "appointment.cancelled": "cancelamos una cita",
    "appointment.ended": "termina su cita",
    "appointment.first_offered_slot": "es la primera cita que le ofrecemos",
    "appointment.first_started": "empieza su primera cita",
    "appointment.scheduled": "se agenda una cita",
    "appointment.scheduled_for": "es la hora de su cita",
    "appointment.started": "empieza su cita",
    "bulletin.published": "publicamos un boletín",
    "buzon.acknowledged": "le confirmamos que recibimos su mensaje",
    "buzon.answered": "le respondemos de fondo",
    "buzon.delay_notified": "le avisamos que la respuesta tardará más",
    "buzon.submitted": "deja su mensaje en el buzón",
    "buzon.upheld": "se declara procedente una queja",
    "call.abandoned": "cuelga antes de que contestemos",
    "call.answered": "contestamos su llamada",
    "call.closed": "termina su llamada",
    "call.dispatched": "canalizamos su llamada",
    "call.queued": "entra su llamada",
    "call.returned": "le devolvemos la llamada",
    "case.closed": "cerramos el caso",
    "case.opened": "abrimos el caso",
    "certificate.issued": "expedimos un acta",
    "certificate.reissued": "reexpedimos un acta",
    "chat.first_reply": "le responde una persona",
    "chat.opened": "nos escribe",
    "class.ended": "termina una clase",
    "class.first_session": "se da la primera sesión de un taller",
    "class.scheduled": "se programa una clase",
    "class.scheduled_start": "llega la hora anunciada de la clase",
    "class.started": "empieza la clase",
    "crew.on_site": "llega la cuadrilla",
    "document.published": "publicamos el documento",
    "enquiry.left_unanswered": "dejamos una consulta sin responder",
    "information.wrong": "damos información equivocada",
    "instrument.scored": "se califica una visita",
    "message.published": "publicamos un mensaje",
    "outage.ended": "vuelve el servicio",
    "outage.started": "se interrumpe el servicio",
    "page.reviewed": "revisamos la página",
    "page.updated": "actualizamos la página",
    "plan.announced": "anunciamos un cambio de plan",
    "plan.changed": "cambia un plan",
    "prevention.sent": "le pedimos completar lo que falta",
    "ranking.published": "se publica una clasificación",
    "referral.sent": "se canaliza el caso a la autoridad de protección",
    "report.accepted": "aceptamos su reporte",
    "report.assigned": "asignamos su reporte a una cuadrilla",
    "report.received": "recibimos su reporte",
    "report.recurrence": "reaparece una falla ya reparada",
    "report.repaired": "queda hecha la reparación",
    "request.complete": "está completa su solicitud",
    "request.confirmed": "confirmamos su solicitud",
    "request.declined": "le avisamos que no nos corresponde su solicitud",
    "request.delivered": "le entregamos lo que solicitó",
    "request.first_reply": "le damos una primera respuesta",
    "request.received": "recibimos su solicitud",
    "request.resolved": "resolvemos su solicitud",
    "request.routed": "turnamos su solicitud",
    "risk.flagged": "se detecta un riesgo",
    "service.started": "empezamos a atenderle",
    "survey.answered": "se contesta la encuesta",
    "ticket.called": "le llamamos a ventanilla",
    "ticket.issued": "toma su turno",
    "ticket.served": "terminamos de atenderle",
    "unit.changed": "cambia un dato de la unidad",
    "visit.done": "hacemos la visita",
    "visit.guided": "damos una visita guiada",
    "visit.requested": "nos piden una visita",
    "visit.scheduled": "se agenda la visita",
    "visit.scheduled_for": "llega la fecha acordada para la visita",
}
"""Each reads after "desde que" and "hasta que"."""

EventWords = Mapping[str, str]
"""A carta's words for its own events, each as in EVENTS; they hold over ours."""
NO_WORDS: Final[EventWords] = {}

EXCLUSIONS: Final = {
    "abandono_antes_del_limite": "abandonos antes del límite",
    "abandono_en_menos_de_5_s": "llamadas que cuelgan en menos de 5 segundos",
    "acta_inexistente_en_libro": "actas que no existen en el libro",
    "cancelada_con_aviso_24h": "clases canceladas con aviso de 24 horas",
    "cancelada_por_invitado": "visitas que canceló la persona invitada",
    "denuncia_turnada_contraloria": "denuncias turnadas a la Contraloría",
    "desechada_por_prevencion_no_atendida": "solicitudes desechadas por no completarse",
    "desistida": "solicitudes de las que la persona desistió",
    "duplicado": "duplicados",
    "fecha_posterior_pedida_por_usuaria": "fechas posteriores pedidas por la usuaria",
    "fin_anterior_al_inicio": "casos con un fin anterior a su inicio",
    "fuera_de_escala": "respuestas fuera de la escala",
    "fuerza_mayor_declarada": "casos de fuerza mayor declarada",
    "impugnado_fuerza_mayor": "casos impugnados por fuerza mayor",
    "impugnado_registro_equivocado": "casos impugnados por un registro equivocado",
    "impugnado_turno_de_otra_persona": "casos impugnados por usarse el turno de otra persona",
    "limite_desconocido": "casos sin límite conocido",
    "llamada_de_broma": "llamadas de broma",
    "llamada_muda": "llamadas en las que nadie habla",
    "mantenimiento_avisado": "mantenimientos avisados",
    "no_competencia_turnado": "asuntos turnados a otra autoridad",
    "orden_judicial": "casos con orden judicial",
    "red_ajena": "redes que no son del municipio",
    "reporte_improcedente": "reportes improcedentes",
    "reprogramada_por_usuario": "visitas reprogramadas por la persona",
    "sin_evento_inicial": "casos sin inicio registrado",
    "sin_fecha_prometida": "casos sin fecha prometida",
    "sin_respuesta": "encuestas sin respuesta a la pregunta",
    "solicitud_incorrecta": "solicitudes incorrectas",
    "termino_por_usuaria": "sesiones que la usuaria terminó antes",
    "transferido": "turnos transferidos",
    "turno_duplicado": "turnos duplicados",
    "usuaria_llego_tarde_mas_de_15_min": "llegadas con más de 15 minutos de retraso",
}

PAUSES: Final = {
    "acceso_negado_al_inmueble": "no se nos permite entrar al inmueble",
    "aclaracion_solicitada": "usted responde una aclaración que le pedimos",
    "contingencia_declarada": "dura una contingencia declarada",
    "fuerza_mayor_declarada": "dura una causa de fuerza mayor declarada",
    "obra_de_tercero": "estorba la obra de un tercero",
    "opinion_de_otra_autoridad": "opina otra autoridad",
    "prevencion": "usted completa lo que le pedimos",
    "robo_de_cable_denunciado": "se atiende un robo de cable denunciado",
}
"""Each reads after "mientras"."""

VALUES: Final = {
    "aclaracion_adeudo": "aclaración de adeudo",
    "clave_y_valor": "clave y valor catastral",
    "linea": "en línea",
    "lic_construccion_menor": "licencia de construcción menor",
    "puntaje": "puntaje",
    "reclamacion": "reclamación",
    "recomendaria": "recomendaría el servicio",
    "satisfaccion_global": "satisfacción global",
    "tramite": "trámite",
}
"""Names and values of attributes whose words are more than the name without its underscores."""

_UNITS: Final = {
    Unit.SECOND: ("segundo", "segundos"),
    Unit.MINUTE: ("minuto", "minutos"),
    Unit.HOUR: ("hora", "horas"),
    Unit.OPEN_MINUTE: ("minuto hábil", "minutos hábiles"),
    Unit.OPEN_HOUR: ("hora hábil", "horas hábiles"),
    Unit.WORKING_DAY: ("día hábil", "días hábiles"),
    Unit.CALENDAR_DAY: ("día natural", "días naturales"),
    Unit.MONTH: ("mes", "meses"),
}
_MONTHS: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)


_METHODS: Final = {
    Method.RECORDS: "los registros de cada caso",
    Method.SURVEY: "encuesta",
    Method.SHOPPER: "cliente misterioso",
    Method.VISIT: "visitas de verificación",
    Method.INSTRUMENT: "un instrumento de verificación",
    Method.COUNTS: "conteos que la fuente ya trae sumados",
}


def measured_with(method: Method, instruments: Sequence[str]) -> str:
    """Write what follows "se mide con": `encuesta (ENC-RC)`."""
    named = f" ({', '.join(instruments)})" if instruments else ""
    return f"{_METHODS[method]}{named}"


def event(kind: str, own: EventWords = NO_WORDS) -> str:
    """Return the words for an event: the carta's `own`, or ours, or its code where neither has."""
    return own.get(kind) or EVENTS.get(kind) or f"ocurre «{kind}»"


def exclusion(name: str) -> str:
    """Return the words for an exclusion; a name we do not know is shown as it was declared."""
    return EXCLUSIONS.get(name, name.replace("_", " "))


def excluded(name: str) -> str:
    """Return the words for an exclusion as a plural: what is not counted."""
    return EXCLUSIONS.get(name, f"los casos marcados como «{name.replace('_', ' ')}»")


def pause(name: str) -> str:
    return PAUSES.get(name, f"dura la pausa «{name.replace('_', ' ')}»")


def value(name: str) -> str:
    """Return the words for an attribute or for one of its values."""
    return VALUES.get(name, name.replace("_", " "))


def number(amount: Decimal) -> str:
    """Write 1500.50 as 1,500.5, the Mexican way."""
    return f"{amount.normalize():,f}"


def duration(amount: Decimal, unit: Unit) -> str:
    singular, plural = _UNITS[unit]
    return f"{number(amount)} {singular if amount == 1 else plural}"


def plural_of(unit: Unit) -> str:
    return _UNITS[unit][1]


def neither(words: Sequence[str]) -> str:
    """Join as "a, b ni c"."""
    return f"{', '.join(words[:-1])} ni {words[-1]}" if len(words) > 1 else "".join(words)


_BEGINS_WITH_O: Final = re.compile(r"h?[oó]|8|11(?![0-9])", re.IGNORECASE)


def alternatives(words: Sequence[str]) -> str:
    """Join as "a, b o c"; "u" before what is read with an o in front: ocho, hora, 8, 80, 11."""
    if len(words) < 2:
        return "".join(words)
    joint = "u" if _BEGINS_WITH_O.match(words[-1]) else "o"
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


_PERIODS: Final = {
    Period.DAY: "los días",
    Period.WEEK: "las semanas",
    Period.MONTH: "los meses",
    Period.QUARTER: "los trimestres",
    Period.SEMESTER: "los semestres",
    Period.YEAR: "los años",
}


def periods(period: Period) -> str:
    return _PERIODS[period]


def everyone(whom: str) -> str:
    """Put "all" before a plural with its article."""
    return f"{'todas' if whom.startswith('las ') else 'todos'} {whom}"


def day_of_year(written: str) -> str:
    """Write 03-31 as "31 de marzo"."""
    month, day = written.split("-")
    return f"{int(day)} de {month_name(int(month))}"


def month_name(month: int) -> str:
    return _MONTHS[month - 1]
