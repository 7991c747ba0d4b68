"""What anyone may ask: to file, to see one's own folio, to make clear what was meant."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request

from services.buzon.api.forms import (
    ClarificationForm,
    FilingForm,
    StatusForm,
    citizen_view,
)
from services.buzon.domain.folios import parse_folio
from services.buzon.domain.secrets import Keys
from services.buzon.metrics import Metrics
from services.buzon.settings import Settings
from services.buzon.use_cases import reading
from services.buzon.use_cases.errors import SuspectedSpamError
from services.buzon.use_cases.filing import Filing, file
from services.buzon.use_cases.limits import Action, Limit, count
from services.buzon.use_cases.steps import clarify
from shared.http import Problem, require_service
from shared.messaging import Transaction, transaction

SERVICE: Final = "buzon"
IdempotencyKey = Annotated[
    str,
    Header(
        min_length=16,
        max_length=128,
        pattern=r"^[!-~]+$",
        description="Chosen at random by the client, one for each filing.",
    ),
]


def router(settings: Settings, keys: Keys, metrics: Metrics) -> APIRouter:
    """Return the public routes."""
    routes = APIRouter(prefix="/v1/folios", tags=["citizens"])
    gate = _Gate(settings, keys)
    _add_filing(routes, gate, metrics)
    _add_looking(routes, gate)
    return routes


def _add_filing(routes: APIRouter, gate: "_Gate", metrics: Metrics) -> None:
    repeat_for = timedelta(hours=gate.settings.repeat_hours)

    @routes.post("", status_code=201)
    async def file_complaint(
        form: FilingForm, request: Request, idempotency_key: IdempotencyKey
    ) -> dict[str, Any]:
        """Give folio and secret; the same request again gets the same ones."""
        _check_human(form, gate.settings.minimum_fill_seconds)
        filing = _filing(form)
        async with transaction(request.app.state.context.pool, service=SERVICE) as tx:
            # In the same transaction: what is refused was no filing and uses nothing up.
            await gate.count(tx, request, Action.FILING)
            receipt = await file(
                tx, gate.keys, filing, idempotency_key=idempotency_key, repeat_for=repeat_for
            )
        metrics.filed.labels(form.kind.value).inc()
        return {"folio": receipt.folio, "secret": receipt.secret, "answer_by": receipt.answer_by}


def _add_looking(routes: APIRouter, gate: "_Gate") -> None:
    @routes.post("/status")
    async def see_status(form: StatusForm, request: Request) -> dict[str, Any]:
        """Show the folio to who holds its secret; anything else is one and the same 404."""
        await gate.pass_lookup(request)
        folio = parse_folio(form.folio)
        async with request.app.state.context.pool.acquire() as connection:
            view = await reading.status(connection, gate.keys, folio, secret=form.secret)
        return citizen_view(view)

    @routes.post("/clarification")
    async def make_clear(form: ClarificationForm, request: Request) -> dict[str, Any]:
        """Take the citizen's answer to the unit's question; the unit's clock goes on."""
        await gate.pass_lookup(request)
        folio, keys = parse_folio(form.folio), gate.keys
        async with transaction(request.app.state.context.pool, service=SERVICE) as tx:
            await clarify(tx, keys, folio, secret=form.secret, text=form.text)
            view = await reading.status(tx.connection, keys, folio, secret=form.secret)
        return citizen_view(view)


@dataclass(frozen=True, slots=True)
class _Gate:
    """Counts requests for their client and for all."""

    settings: Settings
    keys: Keys

    async def pass_lookup(self, request: Request) -> None:
        """Count in a transaction of its own: a wrong secret counts as well."""
        async with transaction(request.app.state.context.pool, service=SERVICE) as tx:
            await self.count(tx, request, Action.LOOKUP)

    async def count(self, tx: Transaction, request: Request, action: Action) -> None:
        settings = self.settings
        limit = {
            Action.FILING: Limit(settings.filings_per_client, settings.filings_in_all),
            Action.LOOKUP: Limit(settings.lookups_per_client, settings.lookups_in_all),
        }[action]
        client = await _client(request)
        window = settings.window_seconds
        await count(tx, self.keys, action, client=client, limit=limit, window_seconds=window)


async def _client(request: Request) -> str:
    """Return who asks: the peer's address, or what a service of ours says of its own visitor."""
    told = request.headers.get("x-client-key", "")
    if told:
        try:
            await require_service(request)
        except Problem:
            told = ""
    peer = request.client.host if request.client is not None else ""
    return f"told {told}" if told else f"peer {peer}"


def _check_human(form: FilingForm, minimum_seconds: int) -> None:
    too_fast = form.fill_seconds is not None and form.fill_seconds < minimum_seconds
    if form.website or too_fast:
        raise SuspectedSpamError


def _filing(form: FilingForm) -> Filing:
    return Filing(
        municipality=form.municipality,
        kind=form.kind,
        text=form.text,
        carta=form.carta,
        place=form.place,
        occurred_on=form.occurred_on,
        contact=form.contact_mail,
    )
