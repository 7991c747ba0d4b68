"""A result explained from what is stored: its editions, the cartas, the failed cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from services.evaluator.store import cases as case_store
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import editions
from services.evaluator.store.windows import WindowKey
from shared.contracts.cartas import MunicipalityData
from shared.contracts.results import ResultData
from shared.database import Pool
from shared.explaining import Explanation, explain

MOST_CASES = 100


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation with every edition there is, and the first failed cases of today.

    `failing` are of the latest edition alone: a verdict keeps no memory of what it was. `zone` is
    the municipality's.
    """

    explanation: Explanation
    zone: ZoneInfo
    editions: tuple[ResultData, ...]
    failing: tuple[str, ...]


async def explain_result(pool: Pool, key: WindowKey, edition: int | None) -> Explained | None:
    """Explain an edition of a window, the latest where none is named; None where there is none."""
    async with (
        pool.acquire() as plain,
        plain.transaction(isolation="repeatable_read", readonly=True),
    ):
        found = await editions.of_window(plain, key)  # type: ignore[arg-type]
        chosen = [each for each in found if edition in (None, each.edition)]
        if not chosen:
            return None
        result = chosen[-1]
        cartas = await catalogue_store.cartas_of(plain, key[0])  # type: ignore[arg-type]
        towns, _ = await catalogue_store.references(plain, key[0])  # type: ignore[arg-type]
        failing: dict[WindowKey, list[str]] = {}
        if result is found[-1]:
            failing = await case_store.failing_cases(plain, [key], limit=MOST_CASES)  # type: ignore[arg-type]
    zone = zone_of(towns)
    return Explained(explain(result, cartas), zone, tuple(found), tuple(failing.get(key, ())))


def zone_of(towns: Sequence[MunicipalityData]) -> ZoneInfo:
    """Return the time zone of a municipality's newest version; UTC where none is known."""
    newest = max(towns, key=lambda each: each.version, default=None)
    return ZoneInfo("UTC" if newest is None else newest.zone)


def as_json(explained: Explained) -> dict[str, Any]:
    """Return it as it travels."""
    return {
        **explanation_json(explained.explanation),
        "editions": [
            {
                "edition": each.edition,
                "as_of": each.as_of.isoformat(),
                "verdict": each.verdict.value,
                "values": [None if p.value is None else str(p.value) for p in each.parts],
                "causes": [cause.model_dump(mode="json") for cause in each.causes],
                "moved": [moved.model_dump() for moved in each.moved],
            }
            for each in explained.editions
        ],
        "failing_cases": list(explained.failing),
    }


def explanation_json(made: Explanation) -> dict[str, Any]:
    """Return an explanation as it travels."""
    return {
        "result": made.result.model_dump(mode="json"),
        "versions": [
            {
                "carta_version": version.carta.version,
                "valid_from": version.carta.valid_from.isoformat(),
                "approved": version.carta.approval.record,
                "sentence": version.sentence,
            }
            for version in made.versions
        ],
        "parts": [
            {
                "formula": part.formula,
                "population": list(part.population),
                "cohorts": list(part.cohorts),
                "figure": list(part.figure),
                "comparison": list(part.comparison),
                "outlook": list(part.outlook),
            }
            for part in made.parts
        ],
        "verdict": made.verdict,
    }
