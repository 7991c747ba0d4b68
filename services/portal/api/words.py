"""Words for the codes that other services answer with."""

from typing import Final

ACTION_STATES: Final = {
    "requested": "Nueva",
    "acknowledged": "Enterada",
    "filed": "En revisión",
    "returned": "Devuelta",
    "approved": "Aprobada",
    "implemented": "En verificación",
    "closed": "Cerrada",
}
ACTION_STEPS: Final = {
    "requested": "Se pidió la acción correctiva",
    "merged": "Se sumó otro incumplimiento",
    "acknowledge": "La unidad acusó recibo",
    "file": "La unidad registró la acción",
    "return": "La coordinación la devolvió",
    "approve": "La coordinación la aprobó",
}
CAUSES: Final = {
    "personal": "Personal: faltó o no estaba capacitado",
    "proceso": "Proceso: el procedimiento no alcanza",
    "sistema": "Sistema: falla o límite informático",
    "insumo": "Insumo: faltó material o equipo",
    "demanda": "Demanda: llegaron más casos de los previstos",
    "tercero": "Tercero: dependía de alguien más",
    "normativa": "Normativa: una regla lo impide",
    "fuerza_mayor": "Fuerza mayor",
}
KINDS: Final = {
    "queja": "Queja",
    "reclamacion": "Reclamación",
    "sugerencia": "Sugerencia",
    "reconocimiento": "Reconocimiento",
    "denuncia": "Denuncia",
}
SITUATIONS: Final = {
    "open": "Por responder",
    "paused": "Espera aclaración",
    "answered": "Respondido",
    "duplicate": "Duplicado",
    "not_competent": "Turnado a otra autoridad",
}
FINDINGS: Final = {"upheld": "Sí, tiene razón", "rejected": "No se encontró incumplimiento"}
DELIVERIES: Final = {
    "accepted": "Entregado al servidor de correo",
    "deferred": "Aplazado por el servidor; se reintenta",
    "refused": "Rechazado por el servidor",
    "abandoned": "Abandonado después de cinco días",
    "no_address": "El puesto no tiene correo",
    "invalid_address": "El correo del puesto no es válido",
    "rejected_before": "El correo ya había sido rechazado",
    "nobody": "No hay a quién avisar",
}
MAIL_KINDS: Final = {
    "breached": "Incumplimiento",
    "complaint": "Queja con razón",
    "repeated": "Incumplimiento repetido",
    "not_acknowledged": "Falta el acuse",
    "no_plan": "Falta la acción",
    "recovered": "Recuperación",
    "returned": "Acción devuelta",
    "approved": "Acción aprobada",
    "digest": "Resumen diario",
    "sign_in": "Enlace de entrada",
    "contest_filed": "Caso impugnado",
    "contest_accepted": "Impugnación aceptada",
    "contest_rejected": "Impugnación rechazada",
    "contest_taken_back": "Aceptación revertida",
}
CONTEST_REASONS: Final = {
    "impugnado_registro_equivocado": "El registro está equivocado: la hora de inicio o de fin"
    " no es la verdadera",
    "impugnado_turno_de_otra_persona": "El turno o el expediente lo usó otra persona",
    "impugnado_fuerza_mayor": "Fuerza mayor: algo ajeno a la unidad impidió cumplir",
}
CONTEST_STATES: Final = {
    "waiting": "En espera",
    "withdrawn": "Retirada",
    "accepted": "Aceptada",
    "rejected": "Rechazada",
    "taken_back": "Aceptación revertida",
}
CONTEST_STEPS: Final = {
    "file": "La unidad impugnó el caso",
    "withdraw": "La unidad retiró la impugnación",
    "accept": "La coordinación la aceptó",
    "reject": "La coordinación la rechazó",
    "take_back": "La coordinación revirtió su aceptación",
}
CONTEST_HINDRANCES: Final = {
    "unknown": "Este caso no viene de un sistema de turnos o solicitudes: no se impugna aquí.",
    "past_cutoff": "Ya pasó el corte de su periodo: el caso ya no se puede sacar de la cuenta.",
    "already_excluded": "El caso ya no cuenta: no hace falta impugnarlo.",
    "already_contested": "El caso ya fue impugnado.",
    "imported": "El caso viene de un archivo: se corrige en el archivo, con quien lo envía.",
    "full_case": "El caso tiene demasiados eventos: revisa su numeración con quien lo envía.",
    "not_accepted": "La impugnación no está aceptada: no hay nada que revertir.",
    "already_decided": "La impugnación ya terminó. Revisa cómo quedó.",
}
CASE_STATUSES: Final = {
    "failed": "Fuera de plazo",
    "pending": "Pendiente",
    "met": "En plazo",
    "excluded": "No considerado",
}
