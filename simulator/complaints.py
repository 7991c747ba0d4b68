"""What the simulated citizens write to the buzon."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Final

import httpx

from simulator import MUNICIPALITY

KNOWN_WITHIN_SECONDS: Final = 60
POLL_SECONDS: Final = 1.0
FORM_SECONDS: Final = 40


@dataclass(frozen=True, slots=True)
class Complaint:
    """One message; `carta` None where the citizen chose none."""

    kind: str
    carta: str | None
    text: str


FIRST: Final = (
    Complaint("queja", "RC-01", "Tomé turno a las diez y me llamaron casi una hora después."),
    Complaint("sugerencia", "TE-01", "Pongan un letrero que diga qué caja es la preferente."),
    Complaint("reconocimiento", "AG-01", "La cuadrilla llegó pronto y dejó limpia la calle."),
    Complaint("reclamacion", "EM-01", "Llamé dos veces antes de que mandaran a alguien."),
    Complaint("denuncia", None, "En la ventanilla me pidieron dinero para apurar el trámite."),
)
LATER: Final = (
    Complaint("queja", "RC-01", "La fila avanzó muy despacio y solo había una ventanilla."),
    Complaint("queja", "TE-01", "El cajero tardó mucho y nadie explicó por qué."),
    Complaint("sugerencia", "DU-01", "Avisen por correo cuando la licencia esté lista."),
    Complaint("reclamacion", "AG-01", "La fuga volvió a aparecer a los tres días."),
    Complaint("reconocimiento", "IG-01", "Me escucharon con mucho respeto, gracias."),
)


def drawn(rng: Random) -> Complaint:
    """Return a complaint of the live traffic."""
    return rng.choice(LATER)


async def file(http: httpx.AsyncClient, url: str, complaint: Complaint, *, key: str) -> bool:
    """File it under an idempotency key; False where the buzon does not take it now."""
    body = {
        "municipality": MUNICIPALITY,
        "kind": complaint.kind,
        "text": complaint.text,
        "fill_seconds": FORM_SECONDS,
    }
    if complaint.carta is not None:
        body["carta"] = complaint.carta
    try:
        answer = await http.post(f"{url}/v1/folios", json=body, headers={"Idempotency-Key": key})
    except httpx.TransportError:
        return False
    return answer.is_success


async def file_first(http: httpx.AsyncClient, url: str) -> int:
    """File the first complaints once the buzon knows the municipality; return how many it took."""
    taken = 0
    async with asyncio.timeout(KNOWN_WITHIN_SECONDS):
        for number, complaint in enumerate(FIRST, start=1):
            key = f"simulador-primeras-{number:04d}"
            while not await file(http, url, complaint, key=key):
                await asyncio.sleep(POLL_SECONDS)
            taken += 1
    return taken
