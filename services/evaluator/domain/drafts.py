"""A promise that nobody has made yet, ready to be judged on what has happened already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from services.evaluator.domain.catalogue import Catalogue, Promise
from services.evaluator.domain.preparing import build_town
from services.evaluator.domain.rules import CartaRules
from shared.authoring.promises import Judged
from shared.contracts.cartas import (
    Approval,
    CalendarData,
    CartaData,
    Compromiso,
    Indicator,
    MunicipalityData,
)
from shared.criteria import (
    Criterion,
    Part,
    Severity,
    Target,
    Window,
    WindowBounds,
    WindowKind,
    lint,
)
from shared.criteria.windows import windows_between

DRAFT: Final = "borrador"
_SHARES_BESIDE: Final = tuple(map(Decimal, (-20, -10, -5, -2, -1, 1, 2, 5, 10, 20)))
"""In percentage points."""
_OTHERS_BESIDE: Final = tuple(
    map(Decimal, ("0.5", "0.8", "0.9", "0.95", "1.05", "1.1", "1.2", "1.5"))
)
"""As factors of the target."""
_YEARS: Final = range(1970, 2200)


class DraftError(Exception):
    """The draft cannot be tried; the message says why."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be tried: how it would be judged, and the words for its own events."""

    judged: Judged
    event_words: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, compromiso: Compromiso, event_words: Mapping[str, str]) -> "Draft":
        """Return the draft that a compromiso of a carta not in force yet makes."""
        judged = Judged(
            criterion=compromiso.criterion,
            window=compromiso.window,
            minimum_sample=compromiso.minimum_sample,
            closing_delay_days=compromiso.closing_delay_days,
            scope=compromiso.scope,
        )
        return cls(judged, event_words)


@dataclass(frozen=True, slots=True)
class Variant:
    """The draft with one target changed. `name` tells its compromiso from the others."""

    name: str
    part: int
    target: Decimal
    draft: Draft


def variants_of(draft: Draft) -> Iterator[Variant]:
    """Yield the draft with each fixed target a little lower and higher, from low to high."""
    for number, part in enumerate(draft.judged.criterion.parts):
        if part.target is None or part.target.reference is not None:
            continue
        for place, value in enumerate(_beside(part.target)):
            changed = _with_target(part, value)
            if changed is not None:
                name = f"{DRAFT}-{number}-{place}"
                yield Variant(name, number, value, _with_part(draft, number, changed))


def _beside(target: Target) -> list[Decimal]:
    if target.unit == "%":
        return [target.value + points for points in _SHARES_BESIDE]
    return [round(target.value * factor, 4).normalize() for factor in _OTHERS_BESIDE]


def _with_target(part: Part, value: Decimal) -> Part | None:
    """Return the part with another target; None where its figure can have none such."""
    declared = part.model_dump(mode="json")
    declared["target"] |= {"value": f"{value:f}", "unacceptable": None}
    try:
        return Part.model_validate(declared)
    except ValidationError:
        return None


def _with_part(draft: Draft, number: int, part: Part) -> Draft:
    parts = list(draft.judged.criterion.parts)
    parts[number] = part
    judged = replace(draft.judged, criterion=Criterion(parts=tuple(parts)))
    return replace(draft, judged=judged)


def prepared(
    drafts: Sequence[tuple[str, Draft]],
    town: MunicipalityData,
    calendars: Sequence[CalendarData],
    *,
    services: Sequence[str],
    unit: str,
) -> tuple[Catalogue, list[Promise], CartaData]:
    """Prepare drafts as if they, and nothing else, had been in force always, in one carta.

    Raises DraftError.
    """
    names = {each.calendar.id for each in calendars}
    for _, draft in drafts[:1]:
        found = lint(draft.judged.criterion, calendars=names)
        faults = [each.message for each in found if each.severity is Severity.ERROR]
        if faults:
            raise DraftError("; ".join(faults))
    carta = _carta(drafts, town, services=services, unit=unit)
    name = town.municipality
    made_town = build_town(name, [town], calendars, [CartaRules.of(carta)])
    catalogue = Catalogue({name: made_town})
    made = [catalogue.versions(name, draft) for draft, _ in drafts]
    if not all(made):
        there_are = ", ".join(sorted(names)) or "ninguno"
        raise DraftError(f"falta un calendario; hay: {there_are}")
    return catalogue, [promises[0] for promises in made], carta


def _carta(
    drafts: Sequence[tuple[str, Draft]],
    town: MunicipalityData,
    *,
    services: Sequence[str],
    unit: str,
) -> CartaData:
    return CartaData(
        municipality=town.municipality,
        carta=DRAFT,
        version=1,
        name=DRAFT,
        department=unit,
        unit=unit,
        calendar=town.calendar,
        services=tuple(services),
        valid_from=date.min,
        approval=Approval(body=DRAFT, record=DRAFT, date=date.min),
        event_words=dict(drafts[0][1].event_words),
        compromisos=tuple(_compromiso(name, draft) for name, draft in drafts),
    )


def _compromiso(name: str, draft: Draft) -> Compromiso:
    indicator = Indicator(name=DRAFT, formula=DRAFT, source="", frequency="")
    return Compromiso(
        id=name,
        base="propio",
        text=DRAFT,
        indicator=indicator,
        criterion=draft.judged.criterion,
        window=draft.judged.window,
        minimum_sample=draft.judged.minimum_sample,
        closing_delay_days=draft.judged.closing_delay_days,
        scope=draft.judged.scope,
    )


def window_named(promise: Promise, name: str) -> WindowBounds:
    """Return the window with this id. Raises DraftError."""
    window = promise.compromiso.window
    if window.first is not None:
        year = window.first.year
    else:
        year = int(name[:4]) if name[:4].isdecimal() else 0
    if year in _YEARS:
        first = datetime(year, 1, 2, tzinfo=UTC)
        last = first + timedelta(days=362)
        for found in windows_between(window, first, last, promise.zone):
            if found.id == name:
                return found
    raise DraftError(f"«{name}» no es {_expected(window)}")


_WINDOWS: Final = {
    WindowKind.MONTH: "un mes; se escribe como 2026-09",
    WindowKind.QUARTER: "un trimestre; se escribe como 2026-Q3",
    WindowKind.SEMESTER: "un semestre; se escribe como 2026-S2",
    WindowKind.YEAR: "un año; se escribe como 2026",
}


def _expected(window: Window) -> str:
    return _WINDOWS.get(window.kind, f"la campaña de la «ventana»; se escribe {window.id}")
