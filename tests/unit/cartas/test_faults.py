from typing import NamedTuple

import pytest

from services.cartas.domain import read_catalogue
from shared.authoring.marked_yaml import MAX_BYTES, MAX_DEPTH
from tests.unit.cartas.files import CATALOGUE, changed, line_of

CRITERION = "cartas[RC-01].compromisos[RC-01-02].criterio"


class Broken(NamedTuple):
    """One text replaced in a valid file, and the fault that it must give."""

    old: str
    new: str
    path: str
    says: str
    at: str | None = None
    """Text whose line is named; the replaced one where None."""


BROKEN = [
    Broken("cartas/1", "cartas/9", "esquema", "se esperaba uno de: cartas/1"),
    Broken("cartas/1", "carta/1", "esquema", "se guarda con: cartas draft"),
    Broken("nombre: Santa", "nombr: Santa", "municipio.nombr", "campo desconocido; ¿quiso decir"),
    Broken("clave: cobre", "clave: el cobre", "municipio.clave", "un código"),
    Broken("calendario: HAB\n  c", "calendario: NO\n  c", "municipio.calendario", "no existe"),
    Broken("10.º día hábil", "pronto", "municipio.cierre_de_datos", "N.º día hábil"),
    Broken("tipo: habil", "tipo: raro", "calendarios[HAB].tipo", "habil, natural"),
    Broken("['09:00', '15:00']", "['09:00']", "calendarios[HAB].jornada.lun_vie", "pares"),
    Broken(
        "['09:00', '15:00']", "['15:00', '09:00']", "calendarios[HAB].jornada.lun_vie", "posterior"
    ),
    Broken("['09:00', '15:00']", "['9 am', x]", "calendarios[HAB].jornada.lun_vie", "una hora"),
    Broken("lun_vie: [", "lunes: [", "calendarios[HAB].jornada.lunes", "lun, mar"),
    Broken("{lun_vie: ['09:00', '15:00']}", "{}", "calendarios[HAB].jornada", "no abre ningún día"),
    Broken("lun_vie: ['09:00'", "sab: ['09:00'", "calendarios[HAB].jornada", "ningún día cuenta"),
    Broken(
        "tipo: habil",
        "tipo: habil\n    cuentan: []",
        "calendarios[HAB].cuentan",
        "al menos uno de",
        "cuentan: []",
    ),
    Broken(
        "tipo: habil",
        "tipo: habil\n    hereda: OTRO",
        "calendarios[HAB].hereda",
        "no existe",
        "hereda: OTRO",
    ),
    Broken(
        "tipo: habil",
        "tipo: habil\n    hereda: HAB",
        "calendarios[HAB].hereda",
        "en círculo",
        "hereda: HAB",
    ),
    Broken(
        "2026-09-16",
        "2027-09-16",
        "calendarios[HAB].no_habiles_2026[Independencia].fecha",
        "una fecha de 2026",
    ),
    Broken(
        "2026-09-16",
        "16/09/2026",
        "calendarios[HAB].no_habiles_2026[Independencia].fecha",
        "una fecha como",
    ),
    Broken(
        "clase: inhabil", "clase: puente", "calendarios[HAB]", "«puente» no existe", "- id: HAB"
    ),
    Broken("a_las: inmediato", "a_las: [1]", "escalamiento[1].a_las", "un solo valor"),
    Broken("padre: RC}", "padre: X}", "unidades[RC-SUR].padre", "no existe"),
    Broken(
        "{clave: RC, nombre: Registro Civil}",
        "{clave: RC, nombre: Registro Civil, padre: RC-SUR}",
        "unidades[RC].padre",
        "círculo",
    ),
    Broken("rol: unidad", "rol: jefe", "puestos[enlace-rc].rol", "unidad, coordinacion"),
    Broken("unidad: RC, rol", "unidad: ZZ, rol", "puestos[enlace-rc].unidad", "no está en"),
    Broken("enlace@cobre.example", "yo@gmail.com", "puestos[enlace-rc].correo", "institucional"),
    Broken("enlace@cobre.example", "sin-arroba", "puestos[enlace-rc].correo", "institucional"),
    Broken(
        "unidad_responsable: RC",
        "unidad_responsable: Nadie",
        "cartas[RC-01].unidad_responsable",
        "no está en",
    ),
    Broken("    version: 1\n", "    version: 0\n", "cartas[RC-01].version", "un entero de 1"),
    Broken("hasta: 2026-12-31}", "hasta: 2025-12-31}", "cartas[RC-01].vigencia.hasta", "anterior"),
    Broken(
        "    aprobacion: {organo: Comité, acta: ACTA-1, fecha: 2025-12-10}\n",
        "",
        "cartas[RC-01].aprobacion",
        "falta este grupo",
        "codigo: RC-01",
    ),
    Broken(
        "    calendario: HAB\n    s",
        "    calendario: XYZ\n    s",
        "cartas[RC-01].calendario",
        "«XYZ» no existe; hay: HAB",
        "calendario: XYZ",
    ),
    Broken(
        "base: tiempo_espera",
        "base: prisa",
        "cartas[RC-01].compromisos[RC-01-02].base",
        "satisfaccion",
    ),
    Broken(
        "forma: share_within",
        "forma: promedio",
        f"{CRITERION}.forma",
        "share_within, mean, percentile",
    ),
    Broken("ancla: due", "ancla: ayer", f"{CRITERION}.poblacion.ancla", "due, occurred"),
    Broken(
        "evento: ticket.issued",
        "evento: Turno",
        f"{CRITERION}.poblacion.evento",
        "un tipo de evento",
    ),
    Broken("unidad: min}", "unidad: minutos}", f"{CRITERION}.reloj.unidad", "s, min, h"),
    Broken(
        "unidad: min}",
        "unidad: dia_habil, calendario: OTRO}",
        f"{CRITERION}.reloj.calendario",
        "no existe",
    ),
    Broken(
        "fin: ticket.called", "fin: ticket.issued", f"{CRITERION}.reloj.fin", "termina con lo mismo"
    ),
    Broken(
        "fin: ticket.called", "fin: 'max(ticket.called)'", f"{CRITERION}.reloj.fin", "de 2 a 10"
    ),
    Broken("{op: <=, valor: 15}", "{op: ==, valor: 15}", f"{CRITERION}.limite.op", "<=, <, >=, >"),
    Broken("{op: <=, valor: 15}", "{op: <=, valor: 1e9}", f"{CRITERION}.limite.valor", "un número"),
    Broken(
        "{op: <=, valor: 15}", "{op: <=, valor: 9999999}", f"{CRITERION}.limite.valor", "a 1000000"
    ),
    Broken(
        "{op: <=, valor: 15}", "{op: <=, valor: -1}", f"{CRITERION}.limite.valor", "un número de 0"
    ),
    Broken("{op: <=, valor: 15}", "{op: <, valor: 0}", f"{CRITERION}.limite.valor", "menos de 0"),
    Broken("{op: <=, valor: 15}", "{op: <=}", f"{CRITERION}.limite", "exactamente uno de: valor"),
    Broken(
        "{op: <=, valor: 15}", "{op: <=, valor: 15, campo: x}", f"{CRITERION}.limite", "exactamente"
    ),
    Broken(
        "objetivo: 90",
        "objetivo: 190",
        "cartas[RC-01].compromisos[RC-01-02].umbral.objetivo",
        "de 0 a 100",
    ),
    Broken(
        "unidad: '%'", "unidad: min", "cartas[RC-01].compromisos[RC-01-02].umbral.unidad", "«%»"
    ),
    Broken(
        "inaceptable: 80",
        "inaceptable: 95",
        "cartas[RC-01].compromisos[RC-01-02].umbral.inaceptable",
        "mejor que el objetivo",
    ),
    Broken(
        "ventana: quarter",
        "ventana: siempre",
        "cartas[RC-01].compromisos[RC-01-02].ventana",
        "quarter, month",
    ),
    Broken(
        "min_muestra: 30",
        "min_muestra: treinta",
        "cartas[RC-01].compromisos[RC-01-02].min_muestra",
        "un entero",
    ),
    Broken(
        "min_muestra: 30",
        "casos_esperados: 0",
        "cartas[RC-01].compromisos[RC-01-02].casos_esperados",
        "un entero de 1",
    ),
    Broken(
        "alcance: unidad",
        "alcanse: unidad",
        "cartas[RC-01].compromisos[RC-01-02].alcanse",
        "«alcance»",
    ),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda each: f"{each.path} {each.says}"[:60])
def test_a_fault_names_its_line_its_field_and_what_is_expected(broken: Broken) -> None:
    content = changed(broken.old, broken.new)
    reading = read_catalogue(content)
    line = line_of(broken.at, content.decode()) if broken.at else line_of(broken.old)
    assert reading.catalogue is None
    found = [(fault.line, fault.path) for fault in reading.faults if broken.says in fault.message]
    assert set(found) == {(line, broken.path)}


def test_all_faults_are_said_at_once_in_the_order_of_the_file() -> None:
    text = CATALOGUE.replace("tipo: habil", "tipo: x").replace("valor: 15", "valor: y")
    faults = read_catalogue(text.replace("rol: unidad", "rol: z").encode()).faults
    assert [fault.line for fault in faults] == sorted(
        line_of(part) for part in ("tipo: habil", "rol: unidad", "valor: 15")
    )


def test_a_fault_reads_as_editors_expect() -> None:
    (fault,) = read_catalogue(changed("ancla: due", "ancla: ayer")).faults
    line = line_of("ancla: due")
    assert fault.shown("c.yaml") == (
        f"c.yaml:{line}: {CRITERION}.poblacion.ancla: "
        "se esperaba uno de: due, occurred, closed, opened; no «ayer»"
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("objetivo: 90", "objetivo: 90 %", "no «90 %»; va con punto decimal y sin signos"),
        ("inaceptable: 80", "inaceptable: '80,5'", "«80,5»; va con punto decimal y sin signos"),
        ("forma: share_within", "forma: promedio", "no «promedio»"),
        (
            "valor: 15}",
            "valor: 15,5}",
            "campo desconocido; un número va con punto decimal y sin comas",
        ),
        ("limite: {", "min_muestra: 9\n          limite: {", "campo desconocido"),
        (
            "fin: ticket.called,",
            "fin: max(ticket.called, ticket.served),",
            "va entre comillas, como 'max(a, b)': la coma lo parte",
        ),
        ("limite: {", "exclui: [x]\n          limite: {", "campo desconocido"),
        ("limite: {", "pausas: {motivo: x}\n          limite: {", "campo desconocido"),
    ],
)
def test_one_mistake_is_one_fault(old: str, new: str, says: str) -> None:
    [fault] = read_catalogue(changed(old, new)).faults
    assert fault.message.endswith(says)


INDICATOR = "indicador: {nombre: Espera, formula: a / b, fuente: turnos, medicion: continua}"
MISSING = "falta este grupo de campos"
UNIT = "  - {clave: RC-SUR, nombre: Oficina sur, padre: RC}\n"


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        ("continua", "''", "indicador.medicion", "se esperaba un texto de 1 a 200 caracteres"),
        ("continua", "'?'", "indicador.medicion", "quedó sin llenar: diga qué es, no la opción"),
        (
            INDICATOR,
            "",
            "indicador",
            f"{MISSING}: nombre, formula, fuente, medicion",
        ),
        (
            "limite: {op: <=, valor: 15}",
            "",
            "criterio.limite",
            f"{MISSING}: op, valor",
        ),
        ("{op: <=, valor: 15}", "{op: <=}", "criterio.limite", "exactamente uno de: valor, por"),
        (
            "reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}",
            "",
            "criterio.reloj",
            f"{MISSING}: unidad, inicio, fin",
        ),
    ],
)
def test_a_group_that_is_missing_or_left_empty_is_one_fault(
    old: str, new: str, path: str, says: str
) -> None:
    [fault] = read_catalogue(changed(old, new)).faults
    assert fault.path == f"cartas[RC-01].compromisos[RC-01-02].{path}"
    assert says in fault.message


def test_a_unit_declared_twice_is_one_fault_whoever_cites_the_one_it_hides() -> None:
    text = CATALOGUE.replace("unidad_responsable: RC", "unidad_responsable: RC-SUR")
    [fault] = read_catalogue(text.replace("clave: RC-SUR", "clave: RC").encode()).faults
    assert (fault.path, fault.message) == (
        "unidades[RC].clave",
        "la unidad «RC» ya está declarada (línea 19)",
    )


def test_a_carta_that_stands_twice_is_one_fault() -> None:
    [fault] = read_catalogue((CATALOGUE + SECOND).encode()).faults
    first, again = line_of("- codigo: RC-01"), CATALOGUE.count("\n") + 1
    assert (fault.line, fault.message) == (
        again,
        f"la versión 1 está declarada dos veces (línea {first})",
    )
    withdrawn = SECOND.replace("version: 1", "version: 1\n    estado: retirada")
    [fault] = read_catalogue((CATALOGUE + withdrawn).encode()).faults
    assert "está declarada dos veces" in fault.message


def test_of_many_units_the_nearest_three_are_named() -> None:
    more = "".join(f"  - {{clave: RC-{n:02}, nombre: Oficina {n}}}\n" for n in range(40))
    text = CATALOGUE.replace(UNIT, UNIT + more).replace("dependencia: RC\n", "dependencia: RC-3O\n")
    [fault] = read_catalogue(text.encode()).faults
    assert fault.message == (
        "la unidad «RC-3O» no está en «unidades» (hay 42); ¿quiso decir «RC-39», «RC-38» o «RC-37»?"
    )


def test_a_score_that_passes_must_be_on_its_scale() -> None:
    start, end = CATALOGUE.index("          poblacion:"), CATALOGUE.index("        umbral:")
    score = (
        "          encuesta: ENC-RC\n"
        "          pregunta: satisfaccion_global\n"
        "          escala: [1, 5]\n"
        "          aprobatorio: {op: '>=', valor: 6}\n"
    )
    text = (CATALOGUE[:start] + score + CATALOGUE[end:]).replace("share_within", "score_share")
    [fault] = read_catalogue(text.encode()).faults
    assert fault.message == "6 queda fuera de la escala, de 1 a 5"


def test_an_approval_after_the_first_day_in_force_is_doubtful() -> None:
    found = read_catalogue(changed("fecha: 2025-12-10", "fecha: 2026-01-02")).warnings
    assert [each.message for each in found if each.path == "cartas[RC-01].aprobacion"] == [
        "su acta es del 2026-01-02, después de su primer día en vigor, 2026-01-01; "
        "revise las fechas"
    ]


SECOND = CATALOGUE[CATALOGUE.index("  - codigo: RC-01") :]


def test_two_versions_of_a_carta_may_not_be_in_force_on_one_day() -> None:
    second = SECOND.replace("version: 1", "version: 2").replace("2026-01-01", "2026-07-01")
    (fault,) = read_catalogue((CATALOGUE + second).encode()).faults
    assert "la versión 2 (desde 2026-07-01) se encima con la 1" in fault.message
    assert fault.line == CATALOGUE.count("\n") + 1


def test_versions_that_follow_each_other_are_fine() -> None:
    second = SECOND.replace("version: 1", "version: 2").replace("2026-12-31", "2027-12-31")
    second = second.replace("2026-01-01", "2027-01-01")
    reading = read_catalogue((CATALOGUE + second).encode())
    assert reading.faults == ()


def test_the_same_compromiso_in_two_cartas_is_a_fault() -> None:
    second = SECOND.replace("codigo: RC-01", "codigo: RC-02")
    (fault,) = read_catalogue((CATALOGUE + second).encode()).faults
    assert "«RC-01-02» ya es de la carta «RC-01»" in fault.message


def test_a_repeated_key_is_a_fault_with_both_lines() -> None:
    (fault,) = read_catalogue(changed("tipo: habil", "tipo: habil\n    tipo: natural")).faults
    first = line_of("tipo: habil")
    assert fault.line == first + 1
    assert f"(ya está en la línea {first})" in fault.message


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029"])
def test_a_sign_that_only_yaml_takes_for_the_end_of_a_line_is_refused(sign: str) -> None:
    [fault] = read_catalogue(changed("Registro Civil", f"Registro{sign}Civil")).faults
    assert fault.line == line_of("Registro Civil")
    assert f"no admitido (U+{ord(sign):04X})" in fault.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "vac"),
        (b"- 1\n", "un grupo de campos"),
        (b"a: &x 1\nb: *x\n", "anclas"),
        (b"a: *x\n", "alias"),
        (b"a: !!python/object/apply:os.system [ls]\n", "etiquetas"),
        (b"a: 1\n---\nb: 2\n", "un solo documento"),
        (b"a: \xff\n", "UTF-8"),
        (b"a: \x07\n", "U+0007"),
        (b"a: [1, 2\n", "no es YAML"),
        (b"a: b: c\n", "entre comillas"),
        (b"a: {op: >=, unidad: x}\n", "sin comillas"),
        (b"a: {unidad: %}\n", "sin comillas"),
        (b"a:\n\tb: 1\n", "tabulador"),
        (b"? [1]\n: 2\n", "debe ser un texto"),
        (b"a: " + b"[" * (MAX_DEPTH + 1), "niveles"),
        (b"a: " + b"[" * 100_000, "niveles"),
        (b"#" * (MAX_BYTES + 1), "2 MiB"),
        (b"[" + b"1," * 300_000 + b"1]", "elementos"),
    ],
)
def test_what_is_no_catalogue_at_all_is_refused_with_a_reason(content: bytes, says: str) -> None:
    reading = read_catalogue(content)
    assert reading.catalogue is None
    assert any(says in fault.message for fault in reading.faults)
    assert all(fault.line >= 1 for fault in reading.faults)
