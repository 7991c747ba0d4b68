"""A citizen files: one folio for one request, however often it comes."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.buzon.domain.cases import Folio
from services.buzon.domain.folios import folio_number
from services.buzon.domain.secrets import Keys, citizen_secret, keyed_hash, secret_hash
from services.buzon.domain.terms import carta_in_force, term_of
from services.buzon.sealing import seal
from services.buzon.store import folios, progress, reference, requests
from services.buzon.store.folios import Writing
from services.buzon.use_cases.errors import (
    KeyReusedError,
    UnknownCartaError,
    UnknownMunicipalityError,
)
from services.buzon.use_cases.recording import record, with_answer_by
from shared.contracts.cartas import CartaData, MunicipalityData
from shared.contracts.complaints import ComplaintChange, ComplaintKind
from shared.database import Connection
from shared.messaging import Transaction


@dataclass(frozen=True, slots=True)
class Filing:
    """What a citizen wrote. `contact` is an electronic mail address."""

    municipality: str
    kind: ComplaintKind
    text: str
    carta: str | None = None
    place: str | None = None
    occurred_on: date | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the citizen keeps: folio and secret, and until when to wait."""

    folio: str
    secret: str
    answer_by: date | None


async def file(
    tx: Transaction, keys: Keys, filing: Filing, *, idempotency_key: str, repeat_for: timedelta
) -> Receipt:
    """File it, or answer as before. Raises NotTakenError."""
    connection = tx.connection
    now = await progress.stamp(connection, tx.now)
    key = keyed_hash(keys.request, filing.municipality, idempotency_key)
    content = _content(keys, filing)
    earlier = await requests.claim(connection, key, content, now=now, expires_at=now + repeat_for)
    if earlier is not None:
        if earlier.content != content:
            raise KeyReusedError
        secret = citizen_secret(keys.secret, earlier.folio, idempotency_key)
        return Receipt(earlier.folio, secret, earlier.answer_by)
    folio = await _new_folio(connection, filing, now)
    secret = citizen_secret(keys.secret, folio.folio, idempotency_key)
    await _store(tx, keys, filing, folio=folio, secret=secret)
    await requests.settle(connection, key, folio=folio.folio, answer_by=folio.answer_by)
    return Receipt(folio.folio, secret, folio.answer_by)


async def _new_folio(connection: Connection, filing: Filing, now: datetime) -> Folio:
    municipality = await reference.municipality(connection, filing.municipality)
    if municipality is None:
        raise UnknownMunicipalityError(filing.municipality)
    today = now.astimezone(ZoneInfo(municipality.zone)).date()
    carta = await _carta(connection, filing, today)
    number = await folios.next_number(connection, today.year)
    folio = _routed(folio_number(today.year, number), filing, carta, municipality, now)
    return await with_answer_by(connection, folio, municipality.zone)


async def _carta(connection: Connection, filing: Filing, today: date) -> CartaData | None:
    if filing.carta is None:
        return None
    versions = await reference.cartas(connection, filing.municipality, filing.carta)
    carta = carta_in_force(tuple(versions), today)
    if carta is None:
        raise UnknownCartaError(filing.carta)
    return carta


def _routed(
    number: str,
    filing: Filing,
    carta: CartaData | None,
    municipality: MunicipalityData,
    now: datetime,
) -> Folio:
    """A denuncia is about conduct: it is the Contraloria's from its first instant."""
    return Folio(
        folio=number,
        municipality=filing.municipality,
        revision=1,
        kind=filing.kind,
        filed_at=now,
        term=term_of(carta, filing.kind, municipality),
        carta=carta.carta if carta is not None else None,
        unit=carta.unit if carta is not None else None,
        referred_at=now if filing.kind is ComplaintKind.DENUNCIA else None,
    )


async def _store(tx: Transaction, keys: Keys, filing: Filing, *, folio: Folio, secret: str) -> None:
    connection, now = tx.connection, folio.filed_at
    hashed = secret_hash(keys.secret_hash, folio.folio, secret)
    await folios.insert(connection, folio, secret_hash=hashed, occurred_on=filing.occurred_on)
    await record(tx, folio, ComplaintChange.FILED, post=None, at=now, request=None)
    texts = [Writing("complaint", filing.text)]
    if filing.place is not None:
        texts.append(Writing("place", filing.place))
    await folios.add_writings(connection, folio, texts)
    if filing.contact is not None:
        sealed = seal(keys.contact, folio.folio, filing.contact)
        await folios.add_contact(connection, folio.folio, sealed)
    if folio.is_referred:
        referred = replace(folio, revision=folio.revision + 1)
        await folios.update(connection, referred)
        await record(tx, referred, ComplaintChange.REFERRED, post=None, at=now, request=None)


def _content(keys: Keys, filing: Filing) -> bytes:
    optional = (filing.carta, filing.place, filing.occurred_on, filing.contact)
    told = [f"={value}" if value is not None else "" for value in optional]
    return keyed_hash(keys.request, filing.kind.value, filing.text, *told)
