"""A municipality for tests of versions: dates run from today, so that no test grows old."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.unit.cartas.files import CATALOGUE

POST = "coordinacion"
DAY = timedelta(days=1)


def today() -> date:
    return datetime.now(UTC).astimezone(ZoneInfo("America/Mexico_City")).date()


def catalogue() -> str:
    """Return a catalogue with a coordination and a carta that holds without end."""
    text = CATALOGUE.replace(
        "cartas:\n",
        f"  - {{clave: {POST}, cargo: Coordinación, rol: coordinacion, correo: c@cobre.example}}\n"
        "cartas:\n",
    )
    return text.replace("{desde: 2026-01-01, hasta: 2026-12-31}", "{desde: 2026-01-01}")


def draft(limit: int = 10, *, extra: str = "") -> str:
    """Return a draft of the carta that promises `limit` minutes."""
    carta = CATALOGUE[CATALOGUE.index("    nombre: Copias") :].replace("    version: 1\n", "")
    kept = [line for line in carta.splitlines() if "vigencia:" not in line]
    body = "\n".join(line[2:] for line in kept if "aprobacion:" not in line)
    body = body.replace("valor: 15", f"valor: {limit}").replace("15 minutos", f"{limit} minutos")
    head = "esquema: carta/1\nmunicipio: cobre\ncarta:\n  codigo: RC-01\n"
    return f"{head}{body}\n{extra}"
