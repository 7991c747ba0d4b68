"""Each kind of fact over HTTP, straight to Kafka and from a file comes to the same results.

A score, a checklist, a shopper's visit with its own times, an outage, an occurrence that was owed,
a count, and counts that come summed: each figure with its method and margin, for everybody to read.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio
import yaml
from aiokafka import AIOKafkaProducer

from services.portal import assets
from shared.contracts import topics
from shared.contracts.service_events import SOURCE_HEARTBEAT
from tests.support.databases import Templates, own_databases
from tests.support.servers import Servers
from tests.support.systems import System, running_system
from tests.support.topics import own_topics
from tests.support.waiting import eventually

CATALOGUE: Final = Path(__file__).with_name("kinds.yaml")
SERVICES: Final = ("cartas", "measurements", "evaluator", "portal")
SERVICE, ZONE = "OFICINA", ZoneInfo("America/Mexico_City")
BATCHED: Final = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to a case, in local time."""

    case: str
    kind: str
    at: str
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def time(self) -> str:
        return datetime.fromisoformat(self.at).replace(tzinfo=ZONE).isoformat()


def asked(case: str, answer: str) -> Fact:
    return Fact(case, "survey.answered", "2026-03-10 10:00", {"encuesta": "ENC-1", "trato": answer})


def visited(case: str, fulfilled: str, applicable: str) -> Fact:
    attributes = {"instrumento": "VIS-1", "cumplidos": fulfilled, "aplicables": applicable}
    return Fact(case, "instrument.scored", "2026-03-11 10:00", attributes)


def shopped(case: str, score: str, called: str) -> Iterator[Fact]:
    """A shopper takes a number as anybody does, and says afterwards how it was."""
    attributes = {"instrumento": "CM-1", "puntaje": score}
    yield Fact(case, "ticket.issued", "2026-03-12 10:00", attributes)
    yield Fact(case, "ticket.called", f"2026-03-12 {called}", attributes)
    yield Fact(case, "instrument.scored", "2026-03-12 11:00", attributes)


FACTS: Final = (
    *(asked(f"E-{n}", answer) for n, answer in enumerate(("9", "8", "7", "10"))),
    *(visited("V-1", "9", "10"), visited("V-2", "8", "8")),
    *shopped("CM-1", "90", "10:40"),
    *shopped("CM-2", "81", "10:20"),
    *(Fact(f"T-{n}", "ticket.issued", "2026-03-12 10:00") for n in range(3)),
    *(Fact(f"T-{n}", "ticket.called", "2026-03-12 10:15") for n in range(3)),
    Fact("C-1", "outage.started", "2026-03-20 00:00:00"),
    Fact("C-1", "outage.ended", "2026-03-20 07:26:24"),
    Fact("D-1", "document.published", "2026-03-06 23:59", {"serie": "informe"}),
    *(Fact(f"R-{n}", "visit.guided", "2026-03-15 12:00") for n in range(2)),
    Fact("M-1", "counts.reported", "2026-03-01 00:00", {"a_tiempo": "57", "atendidos": "60"}),
    Fact("M-2", "counts.reported", "2026-03-01 00:00", {"a_tiempo": "38", "atendidos": "40"}),
)
ATTRIBUTES: Final = sorted({name for fact in FACTS for name in fact.attributes})

# Three answers of 4 are 8 or more; 17 of 18 items; (90 + 81) / 2; three in 15 minutes, no shopper
# among them; (40 + 20) / 2; 7 h 26 min 24 s are 1 % of 31 days; the fifth working day is Friday the
# 6th; two; 57 + 38 of 60 + 40. Margins: 100 / root of 4, 100 / root of 2.
EXPECTED: Final = {
    "CALIFICACION": ("75", "met", "encuesta", ["ENC-1"], "50.0000"),
    "LISTA": ("850/9", "met", "visita", ["VIS-1"], None),
    "COMPRADOR": ("171/2", "met", "cliente_misterioso", ["CM-1"], "70.7107"),
    "ESPERA": ("100", "met", "registros", [], None),
    "ESPERA-COMPRADOR": ("30", "not_met", "cliente_misterioso", ["CM-1"], None),
    "DISPONIBILIDAD": ("99", "met", "registros", [], None),
    "INFORME": ("100", "met", "registros", [], None),
    "RECORRIDOS": ("2", "met", "registros", [], None),
    "CONTEO": ("95", "met", "conteos", [], None),
}


@dataclass(slots=True)
class Place:
    """A running system and the ways into it."""

    system: System
    kafka: str
    prefix: str
    folder: Path

    def uri(self, town: str) -> str:
        return f"https://{town}.example/oficina"

    async def found(self, town: str) -> None:
        """Load the promises as those of a municipality."""
        declared = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
        declared["municipio"]["clave"] = town
        path = self.folder / f"{town}.yaml"
        text = yaml.dump(json.loads(json.dumps(declared, default=str)), allow_unicode=True)
        path.write_text(text, encoding="utf-8")
        await self.system.run("services.cartas", "load", str(path))

    async def register(self, town: str) -> str:
        printed = await self.system.run(
            *("services.measurements", "source", "add", "--municipality", town),
            *("--source", self.uri(town), "--services", SERVICE, "--reports", "*"),
            *("--attributes", ",".join(ATTRIBUTES)),
        )
        return printed.strip().splitlines()[-1]

    def events(self, town: str) -> list[dict[str, Any]]:
        """The facts as events, and a sign of life that nothing older will come."""
        beat = Fact("heartbeat", SOURCE_HEARTBEAT, "")
        now = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        return [
            {
                "specversion": "1.0",
                "id": f"{fact.case}/{fact.kind}",
                "source": self.uri(town),
                "type": fact.kind,
                "time": fact.time if fact.at else now,
                "data": {"case": fact.case, "service": SERVICE, "attributes": fact.attributes},
            }
            for fact in (*FACTS, beat)
        ]

    async def results(self, town: str) -> dict[str, dict[str, Any]]:
        """The results once all are final."""
        async with self.system.client("evaluator") as http:

            async def all_final() -> list[dict[str, Any]] | None:
                answer = await http.get("/v1/results", params={"municipality": town, "limit": 100})
                found = answer.raise_for_status().json()["results"]
                ended = [each for each in found if each["status"] == "final"]
                return ended if len(ended) == len(EXPECTED) else None

            ended = await eventually(all_final, 90, what=f"every result of {town} is final")
        assert ended is not None
        return {each["compromiso"]: each for each in ended}


@pytest_asyncio.fixture(scope="module")
async def place(
    servers: Servers, database_templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("kinds")
    assets.install(folder / "static")
    extra = {"CARTAS_PORTAL_STATIC_DIR": str(folder / "static")}
    async with (
        own_topics(servers) as prefix,
        own_databases(database_templates) as database,
        running_system(
            *(servers, database, prefix), log_dir=folder, services=SERVICES, extra=extra
        ) as system,
    ):
        yield Place(system, servers.kafka, prefix, folder)


async def over_http(place: Place, town: str) -> None:
    token = await place.register(town)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCHED}
    url = f"{place.system.url('measurements')}/v1/events"
    async with httpx.AsyncClient(timeout=30) as http:
        content = json.dumps(place.events(town)).encode()
        answer = await http.post(url, content=content, headers=headers)
    assert answer.json() == {"accepted": len(FACTS) + 1, "refused": []}


async def straight_to_kafka(place: Place, town: str) -> None:
    await place.register(town)
    topic = f"{place.prefix}{topics.SERVICE_EVENTS.name}"
    async with AIOKafkaProducer(bootstrap_servers=place.kafka, acks="all") as producer:
        for event in place.events(town):
            event["data"]["municipality"] = town
            key = f"{town}/{event['data']['case']}".encode()
            await producer.send_and_wait(topic, json.dumps(event).encode(), key=key)


async def from_a_file(place: Place, town: str) -> None:
    rows, mapping = place.folder / "hechos.csv", place.folder / "hechos.yaml"
    with rows.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["caso", "hecho", "momento", *ATTRIBUTES])
        for fact in FACTS:
            values = [fact.attributes.get(name, "") for name in ATTRIBUTES]
            writer.writerow([fact.case, fact.kind, fact.at, *values])
    kinds = sorted({fact.kind for fact in FACTS})
    declared = {
        "mapping": "measurements/1",
        "source": place.uri(town),
        "municipality": town,
        "zone": str(ZONE),
        "historical": {"as_of": "2026-05-01T00:00:00-06:00"},
        "case": ["caso"],
        "row": ["caso", "hecho"],
        "service": SERVICE,
        "attributes": {name: {"column": name} for name in ATTRIBUTES},
        "events": [
            {"kind": {"column": "hecho", "values": {k: k for k in kinds}}, "column": "momento"}
        ],
    }
    mapping.write_text(yaml.dump(declared), encoding="utf-8")
    await place.system.run(
        *("services.measurements", "import", str(rows), "--mapping", str(mapping), "--wait")
    )
    assert "wrong_key" not in await place.system.run("services.measurements", "dlt", "list")


Way = Callable[[Place, str], Awaitable[None]]


@pytest.mark.parametrize("way", [over_http, straight_to_kafka, from_a_file])
async def test_every_kind_of_fact_comes_to_its_result(place: Place, way: Way) -> None:
    town = way.__name__.replace("_", "-")
    await place.found(town)
    await way(place, town)
    results = await place.results(town)
    found = {}
    for name, result in results.items():
        (part,) = result["parts"]
        found[name] = (
            *(part["exact"], result["verdict"], part["method"], part.get("instruments", [])),
            part.get("margin"),
        )
    assert found == EXPECTED
    await _everybody_reads_it(place, town)


async def _everybody_reads_it(place: Place, town: str) -> None:
    async with httpx.AsyncClient(base_url=place.system.url("portal"), timeout=30) as http:

        async def published() -> list[dict[str, str]] | None:
            text = (await http.get(f"/{town}/resultados.csv")).text.removeprefix("\ufeff")
            rows = [r for r in csv.DictReader(io.StringIO(text)) if r.get("estado") == "final"]
            return rows if len(rows) == len(EXPECTED) else None

        rows = await eventually(published, 60, what=f"the open data of {town}")
        page = (await http.get(f"/{town}/c/OFI-01")).text
    assert rows is not None
    shown = {
        row["compromiso"]: (row["metodo"], row["margen"].rstrip("0").rstrip(".")) for row in rows
    }
    assert shown["CALIFICACION"] == ("encuesta", "50")
    assert shown["COMPRADOR"] == ("cliente_misterioso", "70.7107")
    assert shown["CONTEO"] == ("conteos", "")
    said = " ".join(page.split())  # also where a space does not break
    assert "Se mide con encuesta (ENC-1)" in said
    assert "±50 puntos porcentuales" in said
    assert "Se mide con visitas de verificación (VIS-1)" in said
