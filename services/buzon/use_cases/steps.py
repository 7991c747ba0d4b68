"""A post moves a folio, or the citizen makes clear what was meant; each step once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.buzon.domain import cases
from services.buzon.domain.access import Post, may_see, may_take
from services.buzon.domain.cases import Folio, Step, StepRefusedError
from services.buzon.domain.secrets import Keys, keyed_hash, same_secret
from services.buzon.store import folios, progress, reference
from services.buzon.store.folios import StepRow, Writing
from services.buzon.use_cases.errors import (
    NotYoursError,
    UnknownCompromisoError,
    UnknownFolioError,
    UnknownMunicipalityError,
    UnknownOriginalError,
    UnknownUnitError,
)
from services.buzon.use_cases.recording import record, with_answer_by
from shared.contracts.cartas import CartaData
from shared.contracts.complaints import ComplaintChange, Finding
from shared.database import Connection
from shared.messaging import Transaction


@dataclass(frozen=True, slots=True)
class Request:
    """One step with what it needs: a text, a finding, the code of a unit or compromiso, a folio."""

    step: Step
    text: str | None = None
    finding: Finding | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class _Change:
    """One revision that a step makes."""

    folio: Folio
    change: ComplaintChange
    writings: tuple[Writing, ...] = ()


async def take(
    tx: Transaction, keys: Keys, folio_id: str, *, post_id: str, request: Request
) -> Folio:
    """Do the step and return the new state; asked again, return the state as it stands.

    Raises NotTakenError, and StepRefusedError with the steps that are possible instead.
    """
    connection = tx.connection
    stamped = await progress.stamp(connection, tx.now)
    folio = await folios.lock(connection, folio_id)
    post = await visible_to(connection, folio, post_id)
    if folio is None or post is None:
        raise UnknownFolioError(folio_id)
    if not may_take(post, request.step):
        raise NotYoursError(request.step)
    done = await folios.steps(connection, folio_id)
    asked = _fingerprint(keys, request)
    if _last_request(done) == asked:
        return folio
    now = max(stamped, done[-1].at)
    try:
        changes = await _changes(connection, folio, post=post, request=request, now=now)
    except StepRefusedError:
        if any(row.request == asked for row in done):
            return folio
        raise
    return await _apply(tx, changes, post=post_id, at=now, request=asked)


async def visible_to(connection: Connection, folio: Folio | None, post_id: str) -> Post | None:
    """Return the post if it is in office and may know of the folio."""
    if folio is None:
        return None
    post = await reference.post(connection, folio.municipality, post_id)
    return post if post is not None and may_see(post, folio) else None


async def clarify(tx: Transaction, keys: Keys, folio_id: str, *, secret: str, text: str) -> Folio:
    """Take the clarification that was asked for; the clock goes on. Raises as `take`."""
    connection = tx.connection
    stamped = await progress.stamp(connection, tx.now)
    folio = await folios.lock(connection, folio_id)
    stored = await folios.secret_hash(connection, folio_id)
    known = same_secret(keys.secret_hash, folio_id, secret, stored=stored)
    if folio is None or not known:
        raise UnknownFolioError
    done = await folios.steps(connection, folio_id)
    asked = keyed_hash(keys.request, "clarification", text)
    if _last_request(done) == asked:
        return folio
    now = max(stamped, done[-1].at)
    words = (Writing("clarification", text),)
    change = _Change(cases.resume(folio, now), ComplaintChange.RESUMED, words)
    return await _apply(tx, [change], post=None, at=now, request=asked)


async def _changes(
    connection: Connection, folio: Folio, *, post: Post, request: Request, now: datetime
) -> list[_Change]:
    target = request.target or ""
    match request.step:
        case Step.ASSIGN:
            return [await _assigned(connection, folio, target)]
        case Step.LINK:
            return [await _linked(connection, folio, target)]
        case Step.DUPLICATE:
            original = await _original(connection, post, target)
            return [_Change(cases.mark_duplicate(folio, original, now), ComplaintChange.DUPLICATE)]
        case _:
            return _RULES[request.step](folio, request, now)


async def _assigned(connection: Connection, folio: Folio, unit: str) -> _Change:
    moved = cases.assign(folio, unit)
    if await reference.unit(connection, folio.municipality, unit) is None:
        raise UnknownUnitError(unit)
    return _Change(moved, ComplaintChange.ASSIGNED)


async def _linked(connection: Connection, folio: Folio, compromiso: str) -> _Change:
    cartas = await reference.all_cartas(connection, folio.municipality)
    carta = next((carta for carta in cartas if _promises(carta, compromiso)), None)
    if carta is None or folio.carta not in (None, carta.carta):
        raise UnknownCompromisoError(compromiso)
    linked = cases.link(folio, carta=carta.carta, compromiso=compromiso, unit=carta.unit)
    return _Change(linked, ComplaintChange.LINKED)


def _promises(carta: CartaData, compromiso: str) -> bool:
    return any(promise.id == compromiso for promise in carta.compromisos)


async def _original(connection: Connection, post: Post, folio_id: str) -> Folio:
    original = await folios.get(connection, folio_id)
    if original is None or not may_see(post, original):
        raise UnknownOriginalError(folio_id)
    return original


def _paused(folio: Folio, request: Request, now: datetime) -> list[_Change]:
    words = (Writing("question", request.text or ""),)
    return [_Change(cases.pause(folio, now), ComplaintChange.PAUSED, words)]


def _resumed(folio: Folio, request: Request, now: datetime) -> list[_Change]:
    return [_Change(cases.resume(folio, now), ComplaintChange.RESUMED)]


def _answered(folio: Folio, request: Request, now: datetime) -> list[_Change]:
    words = (Writing("answer", request.text or ""),)
    answered = _Change(cases.answer(folio, now), ComplaintChange.ANSWERED, words)
    if request.finding is None:
        return [answered]
    return [answered, *_found(answered.folio, request, now)]


def _found(folio: Folio, request: Request, now: datetime) -> list[_Change]:
    if request.finding is None:
        raise ValueError("a finding is upheld or rejected")
    found = cases.find(folio, request.finding, now)
    return [_Change(found, ComplaintChange(request.finding.value))]


def _turned_over(folio: Folio, request: Request, now: datetime) -> list[_Change]:
    words = (Writing("answer", request.text or ""),)
    return [_Change(cases.turn_over(folio, now), ComplaintChange.ANSWERED, words)]


def _referred(folio: Folio, request: Request, now: datetime) -> list[_Change]:
    notes = (Writing("note", request.text),) if request.text else ()
    return [_Change(cases.refer(folio, now), ComplaintChange.REFERRED, notes)]


_RULES: Final[dict[Step, Callable[[Folio, Request, datetime], list[_Change]]]] = {
    Step.PAUSE: _paused,
    Step.RESUME: _resumed,
    Step.ANSWER: _answered,
    Step.FINDING: _found,
    Step.NOT_COMPETENT: _turned_over,
    Step.REFER: _referred,
}
"""Steps that need nothing but the folio and the request."""


async def _apply(
    tx: Transaction,
    changes: Sequence[_Change],
    *,
    post: str | None,
    at: datetime,
    request: bytes,
) -> Folio:
    connection = tx.connection
    municipality = await reference.municipality(connection, changes[-1].folio.municipality)
    if municipality is None:
        raise UnknownMunicipalityError
    for made in changes:
        folio = await _with_date(connection, made.folio, made.change, zone=municipality.zone)
        await folios.update(connection, folio)
        await folios.add_writings(connection, folio, made.writings)
        await record(tx, folio, made.change, post=post, at=at, request=request)
    stored = await folios.get(connection, changes[-1].folio.folio)
    assert stored is not None
    return stored


async def _with_date(
    connection: Connection, folio: Folio, change: ComplaintChange, *, zone: str
) -> Folio:
    """The date was promised: only a pause moves it, or its calendar that has come at last."""
    moves = change in (ComplaintChange.PAUSED, ComplaintChange.RESUMED) or folio.answer_by is None
    return await with_answer_by(connection, folio, zone) if moves else folio


def _fingerprint(keys: Keys, request: Request) -> bytes:
    finding = request.finding.value if request.finding is not None else ""
    return keyed_hash(
        keys.request, request.step.value, request.text or "", finding, request.target or ""
    )


def _last_request(done: Sequence[StepRow]) -> bytes | None:
    return next((row.request for row in reversed(done) if row.request is not None), None)
