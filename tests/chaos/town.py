"""The simulator's municipality with windows that close within a run, and its traffic in chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from shared.contracts.service_events import SOURCE_HEARTBEAT
from simulator import CATALOGUE, MUNICIPALITY, ZONE
from simulator.scenarios import EMITTERS, Emitter
from simulator.traffic import Emission, Noise, generate

DRAWN_FROM: Final = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""The traffic is drawn as of a Monday, and moved by whole weeks to the past days of this run."""
WEEK: Final = timedelta(days=7)
BEGAN: Final = datetime.now(UTC)
"""Taken once: both runs have the same days."""
SPAN: Final = timedelta(days=4)
NOISE: Final = Noise(repeated=0.06, delayed=0, late=0, corrected=0.04)
"""Without delays: what is overtaken is late for a moment, in one run seen and in another not."""
LONG_ENOUGH: Final = timedelta(days=20)
CAMPAIGN_DAYS: Final = (1, 2, 3, 4)
MINIMUM_SAMPLE: Final = 2
CHANGING_UNIT: Final = "CAJA-MERCADO"


@dataclass(frozen=True, slots=True)
class Town:
    """A municipality in its own time zone, whose traffic fell in the weeks before `now`."""

    key: str = MUNICIPALITY
    zone: str = ZONE
    now: datetime = BEGAN

    @property
    def moved_by(self) -> timedelta:
        """By how much drawn traffic is moved: none is then older than a source's longest grace."""
        return (self.now - timedelta(days=23, hours=15) - DRAWN_FROM) // WEEK * WEEK

    @property
    def first_day(self) -> date:
        return (DRAWN_FROM + self.moved_by).date()

    @property
    def is_over(self) -> datetime:
        """Later than the end of every campaign: the time of the last heartbeats."""
        return DRAWN_FROM + self.moved_by + timedelta(days=22)

    @property
    def emitters(self) -> tuple[Emitter, ...]:
        return tuple(map(self.own, EMITTERS))

    def own(self, emitter: Emitter) -> Emitter:
        """The system of this municipality that does what `emitter` does in the simulator's."""
        return replace(emitter, uri=emitter.uri.replace(MUNICIPALITY, self.key))


JACARANDAS: Final = Town()


def catalogue(changes: int = 0, town: Town = JACARANDAS) -> dict[str, Any]:
    """The catalogue; judged promises have campaigns, each `changes` gives a unit another name."""
    text = CATALOGUE.read_text(encoding="utf-8")
    declared: dict[str, Any] = yaml.safe_load(text)
    declared["municipio"] |= {"clave": town.key, "zona_horaria": town.zone}
    declared["municipio"]["cierre_de_datos"] = "0.º día hábil posterior al trimestre"
    for unit in declared["unidades"]:
        if unit["clave"] == CHANGING_UNIT:
            unit["nombre"] = f"Cajas del mercado ({changes})"
    number = 0
    for carta in declared["cartas"]:
        for compromiso in carta["compromisos"]:
            if _gets_a_campaign(compromiso):
                compromiso["ventana"] = {"campaña": _campaign(compromiso, number, town.first_day)}
                number += 1
            if "min_muestra" in compromiso:
                compromiso["min_muestra"] = MINIMUM_SAMPLE
    return declared


def _gets_a_campaign(compromiso: dict[str, Any]) -> bool:
    judged = compromiso["criterio"]["forma"] in ("share_within", "mean", "all_of")
    return judged and compromiso["base"] != "tiempo_respuesta_buzon"


def _campaign(compromiso: dict[str, Any], number: int, first: date) -> dict[str, Any]:
    """Windows of some days, so that they close one after the other while traffic runs."""
    in_days = compromiso["criterio"]["reloj"]["unidad"].startswith("dia")
    short = first + timedelta(days=CAMPAIGN_DAYS[number % len(CAMPAIGN_DAYS)])
    return {
        "id": f"PASADO-{number:02d}",
        "desde": first,
        "hasta": first + LONG_ENOUGH if in_days else short,
    }


def write_catalogue(folder: Path, changes: int) -> Path:
    path = folder / f"catalogo-{changes}.yaml"
    path.write_bytes(catalogue_file(catalogue(changes)))
    return path


def catalogue_file(declared: dict[str, Any]) -> bytes:
    """Return it as YAML that the catalogue's reader takes."""
    return yaml.dump(declared, Dumper=_Plain, allow_unicode=True, sort_keys=False, encoding="utf-8")


class _Plain(yaml.SafeDumper):
    """Writes what stands twice twice: the catalogue's reader admits no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of traffic in which at most one kill falls; `number` counts from 0."""

    number: int
    emissions: Sequence[Emission]


def chunks(seed: int, number: int, *, cases: int, town: Town = JACARANDAS) -> list[Chunk]:
    """Return the traffic about so many cases for each of `number` chunks, in order of sending."""
    total = number * cases
    rate = total / SPAN.total_seconds()
    drawn = generate(seed, total, DRAWN_FROM, cases_per_second=rate, noise=NOISE)
    emissions = [_moved(emission, town) for emission in drawn]
    size = -(-len(emissions) // number)
    return [Chunk(place, emissions[place * size : (place + 1) * size]) for place in range(number)]


def _moved(emission: Emission, town: Town) -> Emission:
    time = datetime.fromisoformat(emission.event["time"]) + town.moved_by
    emitter = town.own(emission.emitter)
    said = {
        "source": emitter.uri,
        "time": time.isoformat(),
        "data": {**emission.event["data"], "municipality": town.key},
    }
    return replace(
        emission, at=emission.at + town.moved_by, emitter=emitter, event=emission.event | said
    )


def last_heartbeats(town: Town = JACARANDAS) -> Iterator[Emission]:
    """Yield what lets every window close: each system says that nothing older will come."""
    for place, emitter in enumerate(town.emitters):
        event = {
            "specversion": "1.0",
            "id": f"last-heartbeat-{place}",
            "source": emitter.uri,
            "type": SOURCE_HEARTBEAT,
            "time": town.is_over.isoformat(),
            "data": {},
        }
        yield Emission(town.is_over, place, emitter, event)
