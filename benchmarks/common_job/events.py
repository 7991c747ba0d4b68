"""The events of the common job, as peers take them and as measurements tells them to the evaluator.

Both come from one generator of the shared folder: the same cases, repeats and broken records in the
same order. Peers take CloudEvents; our evaluator takes what measurements makes of them. A repeat is
the same revision of the same case; a broken record is broken in the same way.
"""

import importlib.util
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from shared.contracts import hot

TOWN: Final = "trabajo-comun"
MINIMUM_SAMPLE: Final = 20
STARTED, COMPLETED = "service.started", "service.completed"
PEERS: Final = (
    Path(os.environ.get("CARTAS_SHARED_DIR", Path(__file__).parents[3] / "shared"))
    / "bench"
    / "peers"
)


@dataclass(frozen=True, slots=True)
class Expected:
    """The right answer, in plain Python. `counters` by compromiso and month: cases, those kept."""

    malformed: int
    repeats: int
    flips: int
    counters: dict[str, list[int]]

    @property
    def late(self) -> int:
        """Cases over their limit: each is a late case of ours."""
        return sum(cases - in_time for cases, in_time in self.counters.values())


def generator() -> ModuleType:
    """Return the peers' generator. Raises FileNotFoundError where the shared folder is absent."""
    path = PEERS / "gen.py"
    spec = importlib.util.spec_from_file_location("common_job_generator", path)
    if spec is None or spec.loader is None or not path.exists():
        raise FileNotFoundError(f"{path}: set CARTAS_SHARED_DIR to the shared folder")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expected(count: int) -> Expected:
    """Return what `count` records come to."""
    found = generator().reference(count)
    return Expected(found["bad"], found["dup"], found["flips"], found["counters"])


def for_peers(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) as peers take them."""
    for compromiso, value, _ in generator().events(count):
        yield compromiso.encode(), value


def for_evaluator(count: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield (key, value) as measurements.v1 holds them."""
    for compromiso, value, info in generator().events(count):
        if info is None:
            yield f"{TOWN}/{compromiso}".encode(), value
        else:
            event = _measured(json.loads(value))
            yield f"{TOWN}/{event.data.case}".encode(), hot.encode(event)


def _measured(told: dict[str, Any]) -> hot.CaseMeasured:
    data = told["data"]
    stopped = datetime.fromisoformat(data["ended_at"]).astimezone(UTC)
    return hot.CaseMeasured(
        id=told["id"],
        source="/measurements",
        time=stopped,
        data=hot.CaseData(
            municipality=TOWN,
            case=data["case"],
            revision=1,
            change="opened",
            service=data["compromiso"],
            unit=data["office"],
            instants={
                STARTED: datetime.fromisoformat(data["started_at"]).astimezone(UTC),
                COMPLETED: stopped,
            },
            sources=(told["source"],),
            received_at=stopped + timedelta(seconds=2),
        ),
    )


def catalogue() -> str:
    """Return the 500 promises of the job as a municipality's catalogue."""
    promises: dict[str, tuple[int, int]] = generator().targets()
    return "\n".join([_TOWN, *(_carta(name, *held) for name, held in promises.items())]) + "\n"


_TOWN = f"""esquema: cartas/1
aviso: Municipio ficticio, sólo para medir.
municipio:
  nombre: Trabajo común
  clave: {TOWN}
  entidad: Ninguna
  zona_horaria: Etc/GMT+6
  idioma: es-MX
  coordinacion: Coordinación de la medición
  calendario: TODOS
  cierre_de_datos: 10.º día hábil posterior al mes
calendarios:
  - id: TODOS
    tipo: natural
    jornada: {{todos: ['00:00', '24:00']}}
unidades:
  - {{clave: VENTANILLA, nombre: Ventanilla}}
puestos:
  - {{clave: coordinacion, cargo: Coordinación, rol: coordinacion, nivel: coordinacion}}
cartas:"""


def _carta(name: str, minutes: int, share: int) -> str:
    return f"""  - codigo: {name}
    nombre: Servicio {name}
    dependencia: VENTANILLA
    unidad_responsable: VENTANILLA
    version: 1
    vigencia: {{desde: 2020-01-01, hasta: 2099-12-31}}
    aprobacion: {{organo: Medición, acta: {name}, fecha: 2019-12-01}}
    calendario: TODOS
    servicios: [{name}]
    horario: siempre
    compromisos:
      - id: {name}
        base: tiempo_atencion
        texto: El {share} % de las personas es atendido en {minutes} minutos o menos.
        indicador: {{nombre: A tiempo, formula: a tiempo, fuente: medicion, medicion: continua}}
        criterio:
          forma: share_within
          poblacion: {{evento: {COMPLETED}, ancla: closed}}
          reloj: {{inicio: {STARTED}, fin: {COMPLETED}, unidad: min}}
          limite: {{op: <=, valor: {minutes}}}
        umbral: {{op: '>=', objetivo: {share}, unidad: '%'}}
        ventana: month
        min_muestra: {MINIMUM_SAMPLE}"""
