"""What of an explanation everybody may see: no sum that a small cell could be read from."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.portal.domain.board import public_results, rules_for
from services.portal.domain.disclosure import Disclosure, PublicPart, PublicResult
from shared.contracts.cartas import CartaData, MunicipalityData
from shared.contracts.results import PartResult, ResultData, ResultStatus
from shared.explaining import PartSteps, Version, explain


@dataclass(frozen=True, slots=True)
class PublicSteps:
    """One part with as much of its arithmetic as is public; steps that are not are empty."""

    part: PublicPart
    formula: str
    population: tuple[str, ...]
    cohorts: tuple[str, ...]
    figure: tuple[str, ...]
    comparison: tuple[str, ...]
    outlook: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublicExplanation:
    """A result explained. `editions` are those that are public, oldest first, this one included."""

    result: PublicResult
    source: ResultData
    versions: tuple[Version, ...]
    parts: tuple[PublicSteps, ...]
    verdict: str
    editions: tuple[PublicResult, ...]


def public_explanation(
    municipality: MunicipalityData,
    cartas: Sequence[CartaData],
    states: Sequence[ResultData],
    *,
    edition: int | None,
) -> PublicExplanation | None:
    """Explain one edition of a window, the latest where none is named; None where none is public.

    `states` are all that is kept of the window.
    """
    kept = [s for s in states if municipality.show_running or s.status is ResultStatus.FINAL]
    editions = public_results(municipality, cartas, kept)
    chosen = [each for each in editions if edition in (None, each.edition)]
    if not chosen:
        return None
    shown = chosen[-1]
    [source] = [state for state in kept if state.edition == shown.edition]
    rule = rules_for(municipality, cartas)[source.carta]
    made = explain(source, cartas)
    return PublicExplanation(
        result=shown,
        source=source,
        versions=made.versions,
        parts=tuple(
            _public(steps, part, public, rule)
            for steps, part, public in zip(made.parts, source.parts, shown.parts, strict=True)
        ),
        verdict=made.verdict,
        editions=tuple(editions),
    )


def _public(
    steps: PartSteps, part: PartResult, public: PublicPart, rule: Disclosure
) -> PublicSteps:
    hidden, counts_hidden = rule.hides_figure(part), rule.hides_counts(part)
    return PublicSteps(
        part=public,
        formula=steps.formula,
        population=() if counts_hidden else steps.population,
        cohorts=() if counts_hidden or rule.strict else steps.cohorts,
        figure=() if hidden else steps.figure,
        comparison=() if hidden else steps.comparison,
        outlook=() if rule.hides_outlook(part) else steps.outlook,
    )
