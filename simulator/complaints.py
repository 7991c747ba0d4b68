"""What the simulated citizens write to the buzon, and what a unit finds about the first of it."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Final

import httpx

from shared.http.credentials import service_credential
from simulator import MUNICIPALITY
from simulator.environment import service_secret

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


UNIT_POST: Final = "enlace-registro-civil"
FINDING: Final = (
    ("link", {"compromiso": "RC-01-02"}),
    (
        "answer",
        {
            "text": "Tiene usted razón: faltó personal en la ventanilla. Le ofrecemos disculpas.",
            "finding": "upheld",
        },
    ),
)
"""What the unit does with the first complaint, step by step: so that it opens an action."""


def drawn(rng: Random) -> Complaint:
    """Return a complaint of the live traffic."""
    return rng.choice(LATER)


async def file(http: httpx.AsyncClient, url: str, complaint: Complaint, *, key: str) -> str | None:
    """File it under an idempotency key; return its folio, None where it is not taken now."""
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
        return None
    return str(answer.json()["folio"]) if answer.is_success else None


async def file_first(http: httpx.AsyncClient, url: str) -> list[str]:
    """File the first complaints once the buzon knows the municipality; return their folios."""
    folios = []
    async with asyncio.timeout(KNOWN_WITHIN_SECONDS):
        for number, complaint in enumerate(FIRST, start=1):
            key = f"simulador-primeras-{number:04d}"
            while (folio := await file(http, url, complaint, key=key)) is None:
                await asyncio.sleep(POLL_SECONDS)
            folios.append(folio)
    return folios


async def uphold(http: httpx.AsyncClient, url: str, folio: str) -> None:
    """Link the folio to a promise, answer it and find it justified, as its unit would; once."""
    headers = {"Authorization": f"Bearer {service_credential(service_secret())}"}
    address = f"{url}/v1/folios/{folio}"
    own = f"{address}?post={UNIT_POST}"
    async with asyncio.timeout(KNOWN_WITHIN_SECONDS):
        # The post may reach the buzon after the carta.
        while (known := await http.get(own, headers=headers)).status_code == 404:
            await asyncio.sleep(POLL_SECONDS)
    if known.raise_for_status().json()["finding"] is not None:
        return
    for step, words in FINDING:
        body = {"post": UNIT_POST, **words}
        answer = await http.post(f"{address}/{step}", json=body, headers=headers)
        answer.raise_for_status()
