"""The simulator's municipality with windows that close within a run, and its traffic in chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from shared.contracts.service_events import SOURCE_HEARTBEAT
from simulator import CATALOGUE
from simulator.scenarios import EMITTERS
from simulator.traffic import Emission, Noise, generate

DRAWN_FROM: Final = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""The traffic is drawn as of a Monday, and moved by whole weeks to the past days of this run."""
WEEK: Final = timedelta(days=7)
WEEKS: Final = (datetime.now(UTC) - timedelta(days=23, hours=15) - DRAWN_FROM) // WEEK
"""Taken once: both runs have the same days, and none is older than a source's longest grace."""
FIRST_DAY: Final = (DRAWN_FROM + WEEKS * WEEK).date()
SPAN: Final = timedelta(days=4)
LONG_ENOUGH: Final = FIRST_DAY + timedelta(days=20)
EVERYTHING_IS_OVER: Final = DRAWN_FROM + WEEKS * WEEK + timedelta(days=22)
"""Later than the end of every campaign: the time of the last heartbeats."""
NOISE: Final = Noise(repeated=0.06, delayed=0, late=0, corrected=0.04)
"""Without delays: what is overtaken is late for a moment, in one run seen and in another not."""
CAMPAIGN_DAYS: Final = (1, 2, 3, 4)
MINIMUM_SAMPLE: Final = 2
CHANGING_UNIT: Final = "CAJA-MERCADO"


def catalogue(changes: int = 0) -> dict[str, Any]:
    """The catalogue; judged promises have campaigns, each `changes` gives a unit another name."""
    text = CATALOGUE.read_text(encoding="utf-8")
    declared: dict[str, Any] = yaml.safe_load(text)
    declared["municipio"]["cierre_de_datos"] = "0.º día hábil posterior al trimestre"
    for unit in declared["unidades"]:
        if unit["clave"] == CHANGING_UNIT:
            unit["nombre"] = f"Cajas del mercado ({changes})"
    number = 0
    for carta in declared["cartas"]:
        for compromiso in carta["compromisos"]:
            if _gets_a_campaign(compromiso):
                compromiso["ventana"] = {"campaña": _campaign(compromiso, number)}
                number += 1
            if "min_muestra" in compromiso:
                compromiso["min_muestra"] = MINIMUM_SAMPLE
    return declared


def _gets_a_campaign(compromiso: dict[str, Any]) -> bool:
    judged = compromiso["criterio"]["forma"] in ("share_within", "mean", "all_of")
    return judged and compromiso["base"] != "tiempo_respuesta_buzon"


def _campaign(compromiso: dict[str, Any], number: int) -> dict[str, Any]:
    """Windows of some days, so that they close one after the other while traffic runs."""
    in_days = compromiso["criterio"]["reloj"]["unidad"].startswith("dia")
    short = FIRST_DAY + timedelta(days=CAMPAIGN_DAYS[number % len(CAMPAIGN_DAYS)])
    return {
        "id": f"PASADO-{number:02d}",
        "desde": FIRST_DAY,
        "hasta": LONG_ENOUGH if in_days else short,
    }


def write_catalogue(folder: Path, changes: int) -> Path:
    path = folder / f"catalogo-{changes}.yaml"
    text = yaml.dump(catalogue(changes), Dumper=_Plain, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    return path


class _Plain(yaml.SafeDumper):
    """Writes what stands twice twice: the catalogue's reader admits no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of traffic in which at most one kill falls; `number` counts from 0."""

    number: int
    emissions: Sequence[Emission]


def chunks(seed: int, number: int, *, cases: int) -> list[Chunk]:
    """Return the traffic about so many cases for each of `number` chunks, in order of sending."""
    total = number * cases
    rate = total / SPAN.total_seconds()
    drawn = generate(seed, total, DRAWN_FROM, cases_per_second=rate, noise=NOISE)
    emissions = [_moved(emission) for emission in drawn]
    size = -(-len(emissions) // number)
    return [Chunk(place, emissions[place * size : (place + 1) * size]) for place in range(number)]


def _moved(emission: Emission) -> Emission:
    time = datetime.fromisoformat(emission.event["time"]) + WEEKS * WEEK
    return replace(
        emission,
        at=emission.at + WEEKS * WEEK,
        event={**emission.event, "time": time.isoformat()},
    )


def last_heartbeats() -> Iterator[Emission]:
    """Yield what lets every window close: each system says that nothing older will come."""
    for place, emitter in enumerate(EMITTERS):
        event = {
            "specversion": "1.0",
            "id": f"last-heartbeat-{place}",
            "source": emitter.uri,
            "type": SOURCE_HEARTBEAT,
            "time": EVERYTHING_IS_OVER.isoformat(),
            "data": {},
        }
        yield Emission(EVERYTHING_IS_OVER, place, emitter, event)
