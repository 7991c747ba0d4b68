"""A small valid catalogue as text; tests change one line of it."""

CATALOGUE = """\
esquema: cartas/1
municipio:
  nombre: Santa Clara del Cobre Viejo
  clave: cobre
  entidad: Estado de México
  coordinacion: Coordinación de Mejora
  calendario: HAB
  cierre_de_datos: 10.º día hábil posterior al trimestre
calendarios:
  - id: HAB
    tipo: habil
    jornada: {lun_vie: ['09:00', '15:00']}
    no_habiles_2026:
      - {fecha: 2026-09-16, motivo: Independencia, clase: inhabil}
escalamiento:
  - {nivel: 1, a: enlace_carta, a_las: inmediato}
  - {nivel: 2, a: titular_unidad, a_las: 2 días hábiles sin acuse}
unidades:
  - {clave: RC, nombre: Registro Civil}
  - {clave: RC-SUR, nombre: Oficina sur, padre: RC}
puestos:
  - {clave: enlace-rc, cargo: Enlace, unidad: RC, rol: unidad, correo: enlace@cobre.example}
cartas:
  - codigo: RC-01
    nombre: Copias de actas
    dependencia: RC
    unidad_responsable: RC
    version: 1
    vigencia: {desde: 2026-01-01, hasta: 2026-12-31}
    aprobacion: {organo: Comité, acta: ACTA-1, fecha: 2025-12-10}
    calendario: HAB
    servicios: [RC-COPIAS]
    compromisos:
      - id: RC-01-02
        base: tiempo_espera
        texto: Le llamaremos en 15 minutos o menos en 90 % de los casos.
        indicador: {nombre: Espera, formula: a / b, fuente: turnos, medicion: continua}
        criterio:
          forma: share_within
          poblacion: {evento: ticket.issued, ancla: due, excluir: [turno_duplicado]}
          reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}
          limite: {op: <=, valor: 15}
        umbral: {op: '>=', objetivo: 90, unidad: '%', inaceptable: 80}
        ventana: quarter
        min_muestra: 30
        alcance: unidad
"""


def changed(old: str, new: str) -> bytes:
    """Return the catalogue with one text replaced; it must be there exactly once."""
    assert CATALOGUE.count(old) == 1, old
    return CATALOGUE.replace(old, new).encode()


def line_of(text: str, within: str = CATALOGUE) -> int:
    """Return the number of the line that holds `text`."""
    return within[: within.index(text)].count("\n") + 1
