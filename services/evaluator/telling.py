"""What the commands print: explanations and drafts that were tried, line by line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from services.evaluator.use_cases.explaining import Explained
from services.evaluator.use_cases.recompute import Comparison, Outcome
from services.evaluator.use_cases.trying import Tried
from shared import spanish
from shared.addenda import caused, moved_count
from shared.contracts.results import ResultData, Verdict
from shared.explaining import Explanation, PartSteps, exact_value, unit_word, written

_VERDICTS = {
    Verdict.MET: "se cumpliría",
    Verdict.NOT_MET: "no se cumpliría",
    Verdict.NOT_EVALUATED: "sin veredicto",
}


def explanation(explained: Explained) -> Iterator[str]:
    """Tell a result from its promise to its verdict."""
    made, zone = explained.explanation, explained.zone
    yield from _head(made, zone)
    for number, part in enumerate(made.parts, start=1):
        yield from _part(part, number, of=len(made.parts))
    yield f"Veredicto: {made.verdict}"
    if made.result.reason:
        yield f"Motivo: {made.result.reason}"
    for edition in explained.editions:
        yield _edition(edition, zone)
        yield from _why(edition)
    if explained.failing:
        yield f"Casos fuera de plazo: {', '.join(explained.failing)}"


def _head(made: Explanation, zone: ZoneInfo) -> Iterator[str]:
    result = made.result
    yield f"{result.municipality}/{result.compromiso}/{result.unit}/{result.window.id}"
    for version in made.versions:
        carta = version.carta
        yield (
            f"Carta {carta.carta}, versión {carta.version}, vigente desde el"
            f" {spanish.day(carta.valid_from)}"
            f" ({carta.approval.body}, {carta.approval.record}): {version.sentence}"
        )
    for calendar, number in sorted(result.calendar_versions.items()):
        yield f"Calendario {calendar}, versión {number}"
    first, last = map(spanish.day, spanish.days_of(result.window, zone))
    cut = spanish.instant(result.window.closes_at, zone)
    yield f"Periodo: del {first} al {last}; corte: {cut}"
    yield _complete(result, zone)


def _complete(result: ResultData, zone: ZoneInfo) -> str:
    return f"Los datos están completos hasta el {spanish.instant(result.as_of, zone)}"


def _part(part: PartSteps, number: int, *, of: int) -> Iterator[str]:
    if of > 1:
        yield f"Parte {number} de {of}"
    if part.formula:
        yield f"Fórmula: {part.formula}"
    yield from part.population
    yield from part.cohorts
    yield from part.figure
    yield from part.comparison
    yield from part.outlook


def _edition(result: ResultData, zone: ZoneInfo) -> str:
    name = f"Edición {result.edition}" if result.edition else "Provisional"
    return f"{name}, datos hasta el {spanish.instant(result.as_of, zone)}"


def _why(result: ResultData) -> Iterator[str]:
    """Tell what moved an addendum, with its cases, and every count that it changed."""
    for cause in result.causes:
        some = f": {', '.join(cause.cases)}" if cause.cases else ""
        more = "…" if len(cause.cases) < cause.total else ""
        yield f"  Se corrigió por {caused(cause.reason, cause.import_id, cause.total)}{some}{more}"
    for each in result.moved:
        yield f"  Parte {each.part}, {moved_count(each.count)}: de {each.before} a {each.after}"


def tried(attempt: Tried) -> Iterator[str]:
    """Tell what would have been said of a draft, and what with other targets."""
    made = attempt.explanation
    result = made.result
    yield f"{result.municipality}, {result.unit}, {result.window.id}"
    yield from (version.sentence for version in made.versions)
    yield _complete(result, attempt.zone)
    for number, part in enumerate(made.parts, start=1):
        yield from _part(part, number, of=len(made.parts))
    yield f"{_VERDICTS[result.verdict].capitalize()}{_reason(result)}"
    if attempt.failing:
        more = "…" if len(attempt.failing) < attempt.failing_total else ""
        named = ", ".join(attempt.failing)
        yield f"Quedarían fuera {attempt.failing_total}: {named}{more}"
    for variant, other in attempt.beside:
        judged = other.parts[variant.part]
        value = exact_value(judged)
        figure = "sin cifra" if value is None else f"{written(value)} {unit_word(judged)}"
        target = spanish.target(variant.target, judged.target_op, judged.unit)
        where = f" en la parte {variant.part + 1}" if len(other.parts) > 1 else ""
        yield f"Con meta de {target}{where} ({figure}): {_VERDICTS[other.verdict]}{_reason(other)}"


def _reason(result: ResultData) -> str:
    return f" ({result.reason})" if result.reason else ""


def recomputed(compared: Sequence[Comparison], *, with_bytes: bool) -> Iterator[str]:
    """Name every difference, then say how many results compare how."""
    for comparison in compared:
        place = "/".join(comparison.window)
        for difference in comparison.differences:
            yield f"{place}: {difference}"
        if with_bytes and comparison.recomputed is not None:
            yield comparison.recomputed.json
            yield f"sha256 {comparison.recomputed.digest.hex()}"
    counts = Counter(comparison.outcome for comparison in compared)
    named = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome)
    yield f"{len(compared)} results: {named}"
