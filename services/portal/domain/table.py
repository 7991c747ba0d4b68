"""`resultados.csv`: the figures of the pages, one row a part, for spreadsheets and programs."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from services.portal.domain.disclosure import PublicPart, PublicResult
from shared.contracts.results import AddendumReason, CaseCoverage, Verdict

COLUMNS: Final = {
    "municipio": "Clave del municipio",
    "carta": "Clave de la carta",
    "compromiso": "Clave del compromiso",
    "unidad": "Clave de la unidad u oficina que se mide",
    "periodo": "Clave del periodo: 2026-07 (mes), 2026-Q3 (trimestre), 2026-S2 (semestre), 2026",
    "edicion": "0 provisional; 1 definitiva; 2 o más, corregida después",
    "motivo_de_edicion": "Por qué se corrigió, cuando la edición es 2 o más: motivo=casos, con el"
    " nombre de la importación entre paréntesis; separados por punto y coma",
    "cambios": "Qué cambió con la edición: parte.conteo=antes>después, separados por punto y coma",
    "versiones": "Versiones de la carta con que se juzgó; la meta es la de la última",
    "estado": "final o provisional",
    "veredicto": "se_cumple, no_se_cumple o no_evaluado, del compromiso completo",
    "motivo": "Por qué no se evaluó",
    "parte": "Número de la parte, cuando el compromiso tiene varias",
    "forma": "share_within (porcentaje de casos en plazo) o mean (promedio)",
    "veredicto_parte": "Veredicto de esta parte",
    "numerador": "Casos en plazo; en un promedio, la suma exacta de los tiempos",
    "denominador": "Casos ya decididos",
    "metodo": "Cómo se midió: registros (de cada caso), encuesta, cliente_misterioso, visita,"
    " instrumento o conteos (ya sumados por su fuente)",
    "instrumentos": "Claves de la encuesta o del instrumento, separadas por espacios",
    "margen": "En encuestas y visitas: lo más que el azar de la muestra mueve el resultado, hacia"
    " arriba o hacia abajo, con 95.5 % de confianza",
    "muestra_efectiva": "De respuestas con peso: cuántas sin peso valdrían lo mismo; de ella sale"
    " el margen, que entonces es aproximado",
    "pendientes": "Casos aún sin decidir",
    "excluidos": "Casos no considerados, por motivo: motivo=número, separados por punto y coma",
    "vencidos_abiertos": "Casos fuera de plazo que siguen abiertos",
    "resultado": "Porcentaje o promedio, con cuatro decimales como máximo",
    "operador": "Cómo se compara el resultado con la meta",
    "meta": "Meta",
    "inaceptable": "A partir de aquí no se tolera",
    "unidad_de_medida": "% o unidad de tiempo",
    "casos_conocidos": "Casos que hubo, según el conteo del propio sistema, en los días con conteo",
    "casos_medidos": "De esos casos, los que llegaron a medirse",
    "dias_con_conteo": "Días del periodo en que el sistema contó sus casos",
    "dias_sin_conteo": "Días de servicio sin ese conteo: ahí no se sabe si falta algún caso",
    "minutos_de_silencio": "Minutos de servicio sin conteo en que calló el sistema que mide",
    "corte": "Instante hasta el que los datos están completos",
}
"""Name -> what it means; the page shows this as the dictionary of the data."""

VERDICTS: Final = {
    Verdict.MET: "se_cumple",
    Verdict.NOT_MET: "no_se_cumple",
    Verdict.NOT_EVALUATED: "no_evaluado",
}
REASONS_OF_EDITION: Final = {
    AddendumReason.LATE_FACTS: "hechos_tardios",
    AddendumReason.CORRECTION: "correccion",
    AddendumReason.IMPORT: "importacion",
    AddendumReason.CONTEST_ACCEPTED: "impugnacion_aceptada",
    AddendumReason.CONTEST_TAKEN_BACK: "impugnacion_revertida",
    AddendumReason.CATALOGUE_CHANGED: "cambio_de_carta_o_calendario",
    AddendumReason.TERM_PASSED: "plazo_vencido",
    AddendumReason.REFERENCE_MOVED: "cambio_del_periodo_de_referencia",
    AddendumReason.SOURCE_HEARD: "fuente_completada",
}
BYTE_ORDER_MARK: Final = "\ufeff"
WITHHELD: Final = "suprimido"
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


def as_csv(results: Iterable[PublicResult]) -> str:
    """Return the table with byte order mark and CRLF, as spreadsheets expect it."""
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for result in results:
        for row in rows_of(result):
            writer.writerow([neutral(cell) for cell in row])
    return out.getvalue()


def rows_of(result: PublicResult) -> Iterator[tuple[object, ...]]:
    """Return one row a part."""
    head = (
        *(result.municipality, result.carta, result.compromiso, result.unit, result.window.id),
        *(result.edition, _causes(result), _changes(result)),
        " ".join(map(str, result.carta_versions)),
        *(result.status.value, VERDICTS[result.verdict], result.reason or ""),
    )
    for place, part in enumerate(result.parts, start=1):
        yield (*head, place, *_cells(part), result.as_of_text)


def _causes(result: PublicResult) -> str:
    return "; ".join(
        REASONS_OF_EDITION[each.reason]
        + (f"({each.import_id})" if each.import_id else "")
        + (f"={each.total}" if each.total else "")
        for each in result.causes
    )


def _changes(result: PublicResult) -> str:
    return "; ".join(f"{m.part}.{m.count}={m.before}>{m.after}" for m in result.moved)


def _cells(part: PublicPart) -> tuple[object, ...]:
    return (
        part.form,
        VERDICTS[part.verdict],
        WITHHELD if part.is_withheld else part.numerator,
        part.denominator,
        part.method.value,
        " ".join(part.instruments),
        _plain(part.margin),
        _plain(part.effective_sample),
        part.pending,
        "; ".join(f"{name}={count}" for name, count in part.excluded),
        part.overdue_open,
        WITHHELD if part.is_withheld else _plain(part.value),
        part.target_op,
        _plain(part.target),
        _plain(part.unacceptable),
        part.unit,
        *_coverage(part.coverage),
    )


def _coverage(found: CaseCoverage | None) -> tuple[object, ...]:
    if found is None:
        return ("", "", "", "", "")
    numbers = (found.known, found.measured) if found.known else ("", "")
    return (*numbers, found.counted_days, found.uncounted_days, found.silent_minutes)


def neutral(cell: object) -> str:
    """Write a cell so that no spreadsheet takes it for a formula; numbers stay numbers."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) and not _is_number(text) else text


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value:f}"


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdecimal()
