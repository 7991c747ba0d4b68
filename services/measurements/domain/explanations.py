"""Why something was refused, as an emitter's people read it (Spanish of Mexico)."""

from services.measurements.domain.checks import Reason

EXPLANATIONS: dict[str, str] = {
    Reason.NOT_JSON: "El contenido no es JSON válido.",
    Reason.NOT_AN_EVENT: "No es un CloudEvent: falta un objeto en «data».",
    Reason.SCHEMA: "Un campo falta o no tiene la forma esperada.",
    Reason.NAIVE_TIME: "La hora no dice su zona: agregue el desfase, por ejemplo «-06:00».",
    Reason.TOO_EARLY: "La fecha es anterior al año 2000: revise el reloj del sistema.",
    Reason.IN_FUTURE: "La hora está más de 15 minutos en el futuro: revise el reloj del sistema.",
    Reason.UNKNOWN_SOURCE: "La fuente no está registrada.",
    Reason.OTHER_SOURCE: "El «source» del evento no es el de la credencial.",
    Reason.SOURCE_SUSPENDED: "La fuente está suspendida: hable con quien opera el sistema.",
    Reason.SOURCE_REVOKED: "La fuente fue dada de baja.",
    Reason.OTHER_MUNICIPALITY: "El evento nombra otro municipio.",
    Reason.UNKNOWN_SERVICE: "El servicio no está registrado para esta fuente.",
    Reason.UNDECLARED_KIND: "La fuente no declaró que informa de ese tipo de evento.",
    Reason.UNREGISTERED_ATTRIBUTE: "Un atributo no está registrado para esta fuente.",
    Reason.WRONG_KEY: "La clave del mensaje debe ser municipio/caso.",
    Reason.REASON_MISSING: "Falta el motivo de la pausa o de la exclusión.",
    Reason.VOID_WITHOUT_SUPERSEDES: "Para anular, diga qué evento se anula en «supersedes».",
    Reason.SUPERSEDES_ITSELF: "Un evento no puede corregirse a sí mismo.",
    Reason.CORRECTS_ANOTHER_CASE: "El evento que se corrige es de otro caso.",
    Reason.IDENTITY_CONFLICT: "Ya se recibió otro contenido con el mismo «id»: use uno nuevo.",
    Reason.TOO_MANY_EVENTS: "El caso ya tiene demasiados eventos: revise la numeración.",
    Reason.RESERVED_EXCLUSION: "Esa exclusión solo la decide la coordinación: impugne el caso.",
    Reason.NOT_DECIDED: "Ninguna decisión de la coordinación dice eso.",
    Reason.MISSING_VALUE: "Falta un dato obligatorio en el renglón.",
    Reason.UNREADABLE_VALUE: "Un dato del renglón no se puede leer.",
    Reason.WRONG_NUMBER_OF_COLUMNS: "El renglón no tiene las columnas del encabezado.",
    Reason.DUPLICATE_ROW: "Otro renglón del archivo dice algo distinto del mismo caso.",
}
"""By code. Each `Reason` has one."""

OTHERWISE = "El sistema no pudo procesar el evento; quien lo opera ya lo ve en su lista."


def explain(reason: str) -> str:
    """Return the sentence for a reason's code, ours or the frame's."""
    return EXPLANATIONS.get(reason, OTHERWISE)
