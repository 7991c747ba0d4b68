"""What the citizen, a unit, the coordination and the Contraloria may read."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from services.buzon.domain.access import may_take
from services.buzon.domain.cases import Folio, Step, allowed_steps
from services.buzon.domain.secrets import Keys, same_secret
from services.buzon.sealing import unseal
from services.buzon.store import folios, redatings, reference
from services.buzon.store.folios import Position, StepRow, Writing
from services.buzon.store.redatings import Redating
from services.buzon.use_cases.errors import NotYoursError, UnknownFolioError
from services.buzon.use_cases.steps import visible_to
from shared.contracts.cartas import Role
from shared.contracts.complaints import ComplaintChange
from shared.database import Connection
from shared.messaging import Transaction

TOLD_TO_CITIZENS: Final = frozenset(ComplaintChange) - {ComplaintChange.LINKED}
"""A link to a compromiso is the administration's own work on the folio."""


@dataclass(frozen=True, slots=True)
class CitizenView:
    """What folio and secret open. `question` while the citizen's clarification is awaited.

    `moves` are those of the date by the calendar, by the revision of the step that says so.
    """

    folio: Folio
    unit_name: str | None
    steps: tuple[StepRow, ...]
    moves: dict[int, Redating]
    answer: str | None
    question: str | None


@dataclass(frozen=True, slots=True)
class PostView:
    """What a post reads of one folio. `steps_now` are those it may take."""

    folio: Folio
    occurred_on: date | None
    has_contact: bool
    steps: tuple[StepRow, ...]
    moves: dict[int, Redating]
    writings: tuple[Writing, ...]
    steps_now: frozenset[Step]


@dataclass(frozen=True, slots=True)
class Page:
    """Folios in order of filing; `following` is the position behind which the next page begins."""

    folios: tuple[Folio, ...]
    following: Position | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which folios to list. `referred` for the Contraloria's, `unit` None for all of the post's."""

    municipality: str
    unit: str | None
    referred: bool
    waiting: bool
    after: Position
    limit: int


async def status(connection: Connection, keys: Keys, folio_id: str, *, secret: str) -> CitizenView:
    """Return what the citizen sees. Raises UnknownFolioError alike for folio and secret."""
    stored = await folios.secret_hash(connection, folio_id)
    if not same_secret(keys.secret_hash, folio_id, secret, stored=stored):
        raise UnknownFolioError
    folio = await folios.get(connection, folio_id)
    assert folio is not None
    steps = await folios.steps(connection, folio_id)
    texts = await folios.writings(connection, folio_id)
    return CitizenView(
        folio=folio,
        unit_name=await _unit_name(connection, folio),
        steps=tuple(step for step in steps if step.change in TOLD_TO_CITIZENS),
        moves=await redatings.of_folio(connection, folio_id),
        answer=_latest(texts, "answer"),
        question=_latest(texts, "question") if folio.is_paused else None,
    )


async def detail(connection: Connection, folio_id: str, *, post_id: str) -> PostView:
    """Return what the post reads. Raises UnknownFolioError for what it may not know of."""
    folio = await folios.get(connection, folio_id)
    post = await visible_to(connection, folio, post_id)
    if folio is None or post is None:
        raise UnknownFolioError(folio_id)
    possible = (step for step in allowed_steps(folio) if may_take(post, step))
    return PostView(
        folio=folio,
        occurred_on=await folios.occurred_on(connection, folio_id),
        has_contact=await folios.contact(connection, folio_id) is not None,
        steps=tuple(await folios.steps(connection, folio_id)),
        moves=await redatings.of_folio(connection, folio_id),
        writings=tuple(await folios.writings(connection, folio_id)),
        steps_now=frozenset(possible),
    )


async def listed(connection: Connection, wanted: Wanted, *, post_id: str) -> Page:
    """Return the folios that the post may know of. Raises NotYoursError for others' lists."""
    post = await reference.post(connection, wanted.municipality, post_id)
    if post is None or wanted.referred != (post.role is Role.CONTRALORIA):
        raise NotYoursError
    if post.role is Role.ADMINISTRATOR:
        raise NotYoursError
    units = post.units if post.role is Role.UNIT else None
    if wanted.unit is not None:
        if units is not None and wanted.unit not in units:
            raise NotYoursError
        units = frozenset({wanted.unit})
    found = await folios.listed(
        connection,
        wanted.municipality,
        units=units,
        referred=wanted.referred,
        waiting=wanted.waiting,
        after=wanted.after,
        limit=wanted.limit + 1,
    )
    page = tuple(found[: wanted.limit])
    last = page[-1] if len(found) > wanted.limit else None
    return Page(page, (last.filed_at, last.folio) if last is not None else None)


async def contact(tx: Transaction, keys: Keys, folio_id: str, *, post_id: str) -> str | None:
    """Return the citizen's address, and record who read it. Raises UnknownFolioError."""
    connection = tx.connection
    folio = await folios.get(connection, folio_id)
    if await visible_to(connection, folio, post_id) is None:
        raise UnknownFolioError(folio_id)
    sealed = await folios.contact(connection, folio_id)
    if sealed is None:
        return None
    await folios.note_reading(connection, folio_id, post_id, at=tx.now)
    return unseal(keys.contact, folio_id, sealed)


async def _unit_name(connection: Connection, folio: Folio) -> str | None:
    """Who answers, in words. Of a referred folio it is the Contraloria, whatever unit it names."""
    if folio.unit is None or folio.is_referred:
        return None
    unit = await reference.unit(connection, folio.municipality, folio.unit)
    return unit.name if unit is not None else None


def _latest(texts: list[Writing], part: str) -> str | None:
    return next((text.body for text in reversed(texts) if text.part == part), None)
