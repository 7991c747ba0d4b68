"""Spoiled requests against every way in over HTTP; no answer may be a fault of the server's."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote, quote_from_bytes
from uuid import UUID

import httpx

from shared.credentials import service_credential
from simulator import MUNICIPALITY
from simulator.scenarios import TURNS
from tests.e2e.town import BATCHED, STRUCTURED, Town, event
from tests.hostile.spoiling import CELLS, SCRAPS, Document, spoil, spoil_text

Counts = Counter[tuple[str, str]]
"""How often an intake gave an outcome."""

SENDERS = 4
CONTENT_TYPES = (
    *("", "text/plain", "application/xml", "multipart/form-data; boundary=x", "application/json"),
    *("application/cloudevents+json; charset=utf-16", "APPLICATION/CLOUDEVENTS+JSON", "x" * 500),
    *("application/cloudevents+xml", "application/x-www-form-urlencoded", "*/*", ";;;"),
)
WAYS = (
    *("/", "/{town}", "/{town}/compromisos", "/{town}/c/RC-01", "/{town}/datos", "/folio"),
    *("/{town}/resultados.csv", "/{town}/plazo", "/{town}/resultado", "/casos", "/casos/cuenta"),
    *("/entrar/{word}", "/a/{word}", "/{word}", "/{word}/c/{word}", "/panel/acciones/{word}"),
    *("/coordinacion/impugnaciones/{word}", "/panel/folios/{word}", "/cartas/RC-01/{word}"),
)
QUERIES = (
    *("compromiso", "unidad", "ventana", "caso", "edicion", "inicio", "termino", "desde", "estado"),
    *("pagina", "q", "carta", "municipio", "calendario", "plazo", "pausa"),
)
FORMS = (
    *("/{town}/buzon", "/folio", "/folio/aclaracion", "/entrar", "/entrar/{word}", "/emisor"),
    *("/salir", "/puesto", "/a/{word}", "/casos/impugnar", "/coordinacion/acciones/{word}"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is written as it goes over the wire."""

    method: str
    path: str
    content: bytes = b""
    headers: Mapping[str, str] | None = None


Make = Callable[[Random], Request]


async def send_all(
    town: Town, intake: str, service: str, *, make: Make, rng: Random, number: int
) -> Counts:
    """Send so many requests; return their outcomes. Raises AssertionError for a fault of ours."""
    counts: Counts = Counter()
    base = httpx.URL(town.system.url(service))
    requests = (make(rng) for _ in range(number))

    async def send_what_is_left() -> None:
        for request in requests:
            answer = await http.request(
                request.method,
                base.copy_with(raw_path=request.path.encode()),
                content=request.content,
                headers=request.headers,
            )
            counts[intake, outcome(answer, request)] += 1

    async with httpx.AsyncClient(timeout=30) as http:
        await asyncio.gather(*(send_what_is_left() for _ in range(SENDERS)))
    return counts


def outcome(answer: httpx.Response, request: Request) -> str:
    """Name what became of a request; a refusal says what, where it can where, and why."""
    about = f"{request.method} {request.path[:200]} {request.content[:300]!r}: {answer.text[:500]}"
    assert answer.status_code < 500, about
    if answer.status_code < 400:
        return "sent elsewhere" if answer.is_redirect else "taken"
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        assert "<main" in answer.text, about
        return f"{answer.status_code} a page that says why"
    told = answer.json()
    assert told["title"], about
    for each in told.get("refused", ()):
        assert each["reason"], about
        assert each["explanation"], about
    for each in told.get("errors", ()):
        assert each["field"], about
        assert each["message"], about
    first = (told.get("refused") or [told])[0]
    return f"{answer.status_code} {first.get('reason') or told['title']}"


def events(town: Town, documents: Sequence[Document], *, others: Sequence[Any]) -> Make:
    """Requests to the emitters' intake; `others` are what other systems send."""
    authorization = f"Bearer {town.tokens[TURNS.uri]}"

    def make(rng: Random) -> Request:
        whole = event("ticket.issued", case=f"H-{rng.getrandbits(48)}")
        document = rng.choice([whole, whole, *documents])
        _, body = spoil(rng, document)
        content_type, extra = STRUCTURED, {}
        form = rng.choice(("structured", "structured", "batched", "binary", "other", "type"))
        if form == "batched":
            good = json.dumps(event("ticket.issued", case=f"H-{rng.getrandbits(48)}")).encode()
            content_type, body = BATCHED, b"[" + good + b"," + body + b"]"
        elif form == "binary":
            content_type, extra = "application/json", _attributes(rng, document)
            body = json.dumps(document.get("data")).encode() if rng.random() < 0.5 else body
        elif form == "other":
            body = json.dumps(rng.choice(others)).encode()
            content_type = rng.choice((STRUCTURED, BATCHED, "application/json"))
        elif form == "type":
            content_type = rng.choice(CONTENT_TYPES)
        headers = {"Authorization": authorization, "Content-Type": content_type, **extra}
        return Request("POST", "/v1/events", body, headers)

    return make


def _attributes(rng: Random, document: Document) -> dict[str, str]:
    """CloudEvents' binary mode, with one attribute spoiled and perhaps one that is none."""
    told = {f"ce-{name}": quote(str(v)) for name, v in document.items() if name != "data"}
    name = rng.choice(list(told))
    spoiled = rng.choice(
        ("", "%", "%00", "%ff%fe", "%ED%A0%80", "x" * 9000, "%0d%0aX: y", "1.0,1.0")
    )
    more = rng.choice(({}, {"ce-data": "x"}, {"ce-": "x"}, {"ce-datacontenttype": "a/b"}))
    return told | {name: spoiled} | more


def as_json(path: str, document: Document, headers: Mapping[str, str]) -> Make:
    """Requests with a spoiled JSON document."""

    def make(rng: Random) -> Request:
        _, body = spoil(rng, document)
        content_type = "application/json" if rng.random() < 0.95 else rng.choice(CONTENT_TYPES)
        sent = {"Content-Type": content_type, **headers}
        if "Idempotency-Key" in headers:
            sent["Idempotency-Key"] = str(UUID(int=rng.getrandbits(128)))
        return Request("POST", path, body, sent)

    return make


def as_yaml(
    path: str, member: str, text: str, document: Document, headers: Mapping[str, str]
) -> Make:
    """Requests with a JSON document of which one member is spoiled YAML."""

    def make(rng: Random) -> Request:
        written = spoil_text(rng, text)[1].decode("utf-8", "replace")
        sent = {"Content-Type": "application/json", **headers}
        return Request("POST", path, json.dumps(document | {member: written}).encode(), sent)

    return make


def pages(rng: Random) -> Request:
    """A page that nobody asks for, or a form that nobody fills in so."""
    word = quote_from_bytes(_word(rng), safe="")
    is_form = rng.random() < 0.4
    path = rng.choice(FORMS if is_form else WAYS).format(town=MUNICIPALITY, word=word or "x")
    said = "&".join(
        f"{rng.choice(QUERIES)}={quote_from_bytes(_word(rng), safe='')}"
        for _ in range(rng.randint(0, 4))
    )
    if not is_form:
        return Request("GET", f"{path}?{said}")
    kind = rng.choice(("application/x-www-form-urlencoded", *CONTENT_TYPES))
    return Request("POST", path, said.encode(), {"Content-Type": kind})


def _word(rng: Random) -> bytes:
    word = rng.choice((*CELLS, *SCRAPS, "9" * 25, "-1", "..", "%", "RC-01", "\udcff"))
    return word.encode("utf-8", "surrogateescape")[:3000]


def service_headers(secret: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {service_credential(secret)}"}
