"""The public file holds the same figures as the evaluator."""

import asyncio
import csv
import io
import time
from decimal import Decimal
from typing import Any

import httpx

from benchmarks.real_data.table import excluded_text

ARRIVES_WITHIN_SECONDS = 60.0
ANSWER_WITHIN_SECONDS = 60.0
VERDICTS = {"met": "se_cumple", "not_met": "no_se_cumple", "not_evaluated": "no_evaluado"}

Figure = tuple[str, str, str, int, int, int, str, Decimal | None, str]


async def missing_from_public_file(
    portal: httpx.AsyncClient, municipality: str, results: list[dict[str, Any]]
) -> list[Figure]:
    """Return the figures that are not in `resultados.csv`, once it had time to take them in."""
    wanted = figures_of_results(results)
    give_up = time.monotonic() + ARRIVES_WITHIN_SECONDS
    while True:
        answer = await portal.get(f"/{municipality}/resultados.csv", timeout=ANSWER_WITHIN_SECONDS)
        missing = sorted(wanted - figures_of_file(answer.text) if answer.is_success else wanted)
        if not missing or time.monotonic() > give_up:
            return missing
        await asyncio.sleep(0.5)


def figures_of_results(results: list[dict[str, Any]]) -> set[Figure]:
    """Return the figures as the evaluator gives them."""
    return {
        (
            result["compromiso"],
            result["unit"],
            result["window"]["id"],
            part["numerator"],
            part["denominator"],
            part["pending"],
            excluded_text(part["excluded"]),
            None if part["value"] is None else Decimal(part["value"]),
            VERDICTS[result["verdict"]],
        )
        for result in results
        for part in result["parts"]
    }


def figures_of_file(text: str) -> set[Figure]:
    """Return the figures of the public file."""
    return {
        (
            row["compromiso"],
            row["unidad"],
            row["periodo"],
            int(row["numerador"]),
            int(row["denominador"]),
            int(row["pendientes"]),
            row["excluidos"].replace(";", ""),
            Decimal(row["resultado"]) if row["resultado"] else None,
            row["veredicto"],
        )
        for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
        if row["numerador"].isdecimal()
    }
