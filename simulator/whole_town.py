"""The catalogue of a whole municipality, of any size: for load, and to learn the steps on.

As large as a real one by default: 54 cartas for 173 procedures of 21 dependencias. Every carta has
the five compromisos that a carta must have; the others take the forms of criteria in turn.
"""

from collections.abc import Iterator
from typing import Final

from simulator import CATALOGUE
from simulator.whole_forms import form_lines

CARTAS: Final = 54
PROCEDURES: Final = 173
COMPROMISOS: Final = 300
DEPARTMENTS: Final = 21
BASES_PER_CARTA: Final = 5
MOST_PER_CARTA: Final = 50
HEAD_ENDS: Final = "unidades:\n"
WAITS: Final = (10, 15, 20, 30)
ANSWERS: Final = (3, 5, 10, 15)


def whole_catalogue(cartas: int, procedures: int, compromisos: int) -> str:
    """Return the catalogue file; the same numbers give the same file.

    Raises ValueError where a carta would have no procedure, or too few or too many compromisos.
    """
    if not 1 <= cartas <= min(procedures, 999):
        raise ValueError("from 1 to 999 cartas, and at least one procedure for each")
    if not cartas * BASES_PER_CARTA <= compromisos <= cartas * MOST_PER_CARTA:
        raise ValueError(f"from {BASES_PER_CARTA} to {MOST_PER_CARTA} compromisos for each carta")
    lines = [_head(), "unidades:", *_units(), "puestos:", *_posts(), "cartas:"]
    begun = 0
    for place in range(cartas):
        own = range(place, procedures, cartas)
        more = compromisos // cartas + (place < compromisos % cartas) - BASES_PER_CARTA
        forms = range(begun, begun + more)
        lines += _carta(place, own, forms, certified=place < cartas * 38 // 54)
        begun += more
    return "\n".join(lines) + "\n"


def _head() -> str:
    """Take municipality, calendars and escalation from the demo's catalogue, under other names.

    Units have one post here: no step of the escalation goes to one above it.
    """
    text = CATALOGUE.read_text(encoding="utf-8")
    lines = text[: text.index(HEAD_ENDS)].rstrip().splitlines()
    head = "\n".join(line for line in lines if "a: titular_" not in line)
    return head.replace("Jacarandas del Valle", "Llanos de Encino").replace(
        "clave: jacarandas", "clave: llanos"
    )


def _units() -> Iterator[str]:
    for number in range(1, DEPARTMENTS + 1):
        yield f"  - {{clave: D{number:02}, nombre: Dependencia ficticia {number}}}"
        yield f"  - {{clave: U{number:02}, nombre: Unidad ficticia {number}, padre: D{number:02}}}"


def _posts() -> Iterator[str]:
    yield (
        "  - {clave: coordinacion, cargo: Coordinación de Mejora Regulatoria, rol: coordinacion, "
        "correo: coordinacion@llanos.example}"
    )
    for number in range(1, DEPARTMENTS + 1):
        yield (
            f"  - {{clave: enlace-{number:02}, cargo: Enlace de la unidad {number}, "
            f"unidad: U{number:02}, rol: unidad, nivel: enlace_carta, "
            f"correo: enlace-{number:02}@llanos.example}}"
        )


def _carta(place: int, procedures: range, forms: range, *, certified: bool) -> Iterator[str]:
    code, department = f"LL-{place + 1:03}", place % DEPARTMENTS + 1
    services = ", ".join(map(service_of, procedures))
    yield f"  - codigo: {code}"
    yield f"    nombre: Servicios de la carta {place + 1}"
    yield f"    dependencia: D{department:02}"
    yield f"    unidad_responsable: U{department:02}"
    yield "    version: 1"
    yield "    vigencia: {desde: 2026-01-01}"
    yield "    aprobacion: {organo: Comité Interno, acta: CI-01-2025, fecha: 2025-12-10}"
    if certified:
        month = place % 12 + 1
        yield f"    certificacion: {{certificada: true, vence: 2027-{month:02}-15}}"
    yield f"    servicios: [{services}]"
    yield "    consulta: En la página de esta carta y en los módulos."
    yield "    compromisos:"
    yield from _satisfaction(code)
    yield from _wait(code, "02", "tiempo_espera", WAITS[place % 4])
    yield from _duration(code)
    yield from _term(code, "04", "tiempo_respuesta_solicitud", ANSWERS[place % 4])
    yield from _buzon(code, ANSWERS[place % 4])
    for number, form in enumerate(forms, start=BASES_PER_CARTA + 1):
        yield from _begin(code, f"{number:02}", "propio")
        yield from form_lines(form, code, service_of(procedures[0]))


def service_of(procedure: int) -> str:
    """Return the code of the procedure with a number, from 0 on."""
    return f"TR-{procedure + 1:03}"


def _satisfaction(code: str) -> Iterator[str]:
    yield from _begin(code, "01", "satisfaccion")
    yield "        texto: Al menos 85 % de las personas calificará el servicio con 8 o más."
    yield (
        f"        criterio: {{forma: score_share, encuesta: ENC-{code}, pregunta: global, "
        "escala: [0, 10], aprobatorio: {op: '>=', valor: 8}}"
    )
    yield from _end(85, 70)


def _wait(code: str, number: str, base: str, minutes: int) -> Iterator[str]:
    yield from _begin(code, number, base)
    yield f"        texto: Le llamamos en {minutes} minutos o menos en al menos 90 % de los casos."
    yield "        criterio:"
    yield "          forma: share_within"
    yield "          poblacion: {evento: ticket.issued, ancla: due, excluir: [turno_duplicado]}"
    yield "          reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}"
    yield f"          limite: {{op: <=, valor: {minutes}}}"
    yield from _end(90, 80)


def _duration(code: str) -> Iterator[str]:
    yield from _begin(code, "03", "tiempo_atencion")
    yield "        texto: Le atendemos en 20 minutos o menos en al menos 90 % de los casos."
    yield "        criterio:"
    yield "          forma: share_within"
    yield "          poblacion: {evento: service.started, ancla: due, excluir: [transferido]}"
    yield "          reloj: {inicio: service.started, fin: ticket.served, unidad: min}"
    yield "          limite: {op: <=, valor: 20}"
    yield from _end(90, 80)


def _term(code: str, number: str, base: str, days: int) -> Iterator[str]:
    words = f"{days} día hábil" if days == 1 else f"{days} días hábiles"
    yield from _begin(code, number, base)
    yield f"        texto: Resolvemos en {words} o menos en al menos 95 % de los casos."
    yield "        criterio:"
    yield "          forma: share_within"
    yield "          poblacion: {evento: request.received, ancla: due}"
    yield (
        "          reloj: {inicio: request.received, fin: request.resolved, unidad: dia_habil, "
        "pausas: [prevencion]}"
    )
    yield f"          limite: {{op: <=, valor: {days}}}"
    yield from _end(95, 85)


def _buzon(code: str, days: int) -> Iterator[str]:
    yield from _begin(code, "05", "tiempo_respuesta_buzon")
    yield f"        texto: Respondemos lo que deje en el buzón en {days} días hábiles o menos."
    yield "        criterio:"
    yield "          forma: share_within"
    yield (
        f"          poblacion: {{evento: buzon.submitted, ancla: due, donde: {{carta: {code}}}, "
        "excluir: [duplicado]}"
    )
    yield "          reloj: {inicio: buzon.submitted, fin: buzon.answered, unidad: dia_habil}"
    yield f"          limite: {{op: <=, valor: {days}}}"
    yield from _end(100, 90)


def _begin(code: str, number: str, base: str) -> Iterator[str]:
    yield f"      - id: {code}-{number}"
    yield f"        base: {base}"
    yield (
        "        indicador: {nombre: Casos a tiempo, formula: a tiempo ÷ medidos × 100, "
        "fuente: expediente, medicion: continua}"
    )
    yield "        expectativa: {estudio: Encuesta de expectativas 2025, fecha: 2025-09-22}"


def _end(target: int, unacceptable: int) -> Iterator[str]:
    yield (
        f"        umbral: {{op: '>=', objetivo: {target}, unidad: '%', "
        f"inaceptable: {unacceptable}}}"
    )
    yield "        ventana: quarter"
    yield "        min_muestra: 5"
