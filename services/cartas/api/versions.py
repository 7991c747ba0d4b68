"""HTTP in: the life of carta versions, for our own services, which say which post asks."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.cartas.domain.changes import Comparison
from services.cartas.domain.life import Acta
from services.cartas.use_cases import reading, versions
from services.cartas.use_cases.errors import (
    FaultsError,
    NotAllowedError,
    TermsError,
    UnacknowledgedError,
    UnknownVersionError,
    WrongStateError,
)
from services.cartas.use_cases.reading import Certificate, Detail, Summary
from services.cartas.use_cases.versions import Target, line_of
from shared.contracts.events import WITHOUT_NUL, Code
from shared.http import Problem, require_service
from shared.messaging import Transaction, transaction

MAX_VERSION = 1_000_000
MAX_DRAFT = 500_000
Number = Annotated[int, Path(ge=1, le=MAX_VERSION)]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=WITHOUT_NUL),
]
Note = Annotated[str, StringConstraints(max_length=20)]
JSON = dict[str, Any]

router = APIRouter(prefix="/v1", tags=["versions"], dependencies=[Depends(require_service)])


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StepBody(_Body):
    """Which post takes the step."""

    post: Code


class DraftBody(StepBody):
    """A draft file as its author wrote it (YAML)."""

    content: Annotated[str, StringConstraints(min_length=1, max_length=MAX_DRAFT)]


class ApproveBody(StepBody):
    """The acta; `acknowledge` is the code of the warnings that were taken note of."""

    body: Line = Field(description="Who approved, such as `Comité Interno`.")
    record: Line = Field(description="Number of the acta.")
    dated: date
    valid_from: date
    valid_to: date | None = None
    document: Line | None = Field(default=None, description="Where the acta can be read.")
    acknowledge: Note = ""


class RetireBody(StepBody):
    """`last` is the last day in force, today where it is left out; `acknowledge` as in approval."""

    reason: Line
    last: date | None = None
    acknowledge: Note = ""


class CertifyBody(StepBody):
    """`until` is the last day of the certificate; null: the carta is not certified any more."""

    until: date | None
    document: Line


@router.get("/versions")
async def list_versions(
    request: Request, municipality: Annotated[Code, Query()], carta: Code | None = None
) -> JSON:
    """Every version of every carta of a municipality, the newest first."""
    with _answered():
        async with _open(request) as tx:
            found = await reading.list_versions(tx, municipality, carta)
    return {"versions": [summary_view(each) for each in found]}


@router.get("/versions/{municipality}/{carta}/{version}")
async def show_version(request: Request, municipality: Code, carta: Code, version: Number) -> JSON:
    """One version: where it stands, what is wrong with it, what it changes, its steps."""
    return await _shown(request, Target(municipality, carta, version, ""))


@router.get("/versions/{municipality}/{carta}/{version}/file")
async def show_file(request: Request, municipality: Code, carta: Code, version: Number) -> Response:
    """The version as a draft file, to be changed and sent to `/v1/drafts`."""
    with _answered():
        async with _open(request) as tx:
            text = await reading.draft_file(tx, municipality, carta, version=version)
    return Response(text, media_type="application/yaml")


@router.get("/versions/{municipality}/{carta}/{version}/against/{old}")
async def show_changes(
    request: Request, municipality: Code, carta: Code, *, version: Number, old: Number
) -> JSON:
    """Any two versions side by side."""
    with _answered():
        async with _open(request) as tx:
            found = await reading.compare_versions(tx, municipality, carta, old=old, new=version)
    return comparison_view(found)


@router.post("/drafts")
async def draft(request: Request, body: DraftBody) -> JSON:
    """Keep a draft: the carta's next version, or another wording of its draft."""
    with _answered():
        async with _open(request) as tx:
            target = await versions.draft(tx, body.content.encode(), post=body.post)
    return await _shown(request, target)


@router.post("/versions/{municipality}/{carta}/{version}/approve")
async def approve(
    request: Request, municipality: Code, carta: Code, *, version: Number, body: ApproveBody
) -> JSON:
    """Approve a draft by an acta."""
    acta = Acta(body.body, body.record, body.dated, body.valid_from, body.valid_to, body.document)
    target = Target(municipality, carta, version, body.post)
    return await _take(
        request,
        target,
        lambda tx: versions.approve(tx, target, acta, acknowledged=body.acknowledge),
    )


@router.post("/versions/{municipality}/{carta}/{version}/publish")
async def publish(
    request: Request, municipality: Code, carta: Code, *, version: Number, body: StepBody
) -> JSON:
    """Publish an approved version; the one before ends on the eve of its first day."""
    target = Target(municipality, carta, version, body.post)
    return await _take(request, target, lambda tx: versions.publish(tx, target))


@router.post("/versions/{municipality}/{carta}/{version}/retire")
async def retire(
    request: Request, municipality: Code, carta: Code, *, version: Number, body: RetireBody
) -> JSON:
    """End a version in force, or withdraw one that never held."""
    target = Target(municipality, carta, version, body.post)
    return await _take(
        request,
        target,
        lambda tx: versions.retire(
            tx, target, last=body.last, reason=body.reason, acknowledged=body.acknowledge
        ),
    )


@router.post("/versions/{municipality}/{carta}/{version}/certify")
async def certify(
    request: Request, municipality: Code, carta: Code, *, version: Number, body: CertifyBody
) -> JSON:
    """Keep the date of the carta's certificate (UNE 93200)."""
    target = Target(municipality, carta, version, body.post)
    return await _take(
        request,
        target,
        lambda tx: versions.certify(tx, target, until=body.until, document=body.document),
    )


@router.get("/certificates")
async def list_certificates(
    request: Request,
    municipality: Annotated[Code, Query()],
    within_days: Annotated[int | None, Query(ge=0, le=3660)] = None,
) -> JSON:
    """Certified cartas in force, those that expire soonest first; expired ones too."""
    with _answered():
        async with _open(request) as tx:
            found = await reading.certificates(tx, municipality, within_days=within_days)
    return {"certificates": [certificate_view(each) for each in found]}


def _open(request: Request) -> AbstractAsyncContextManager[Transaction]:
    return transaction(request.app.state.context.pool, service="cartas")


async def _take(
    request: Request, target: Target, step: Callable[[Transaction], Awaitable[None]]
) -> JSON:
    with _answered():
        async with _open(request) as tx:
            await step(tx)
    return await _shown(request, target)


async def _shown(request: Request, target: Target) -> JSON:
    with _answered():
        async with _open(request) as tx:
            found = await reading.show_version(
                tx, target.municipality, target.carta, version=target.version
            )
    return detail_view(target.municipality, found)


@contextmanager
def _answered() -> Iterator[None]:
    """Answer every refusal as a problem, whose `reason` is a code of a closed list."""
    try:
        yield
    except UnknownVersionError as error:
        raise Problem(404, "there is no such version", str(error), reason="unknown") from error
    except NotAllowedError as error:
        raise Problem(403, "the post may not do this", str(error), reason="post") from error
    except WrongStateError as error:
        raise Problem(409, "not from this state", str(error), reason="state") from error
    except FaultsError as error:
        faults = [line_of(each) for each in error.faults]
        raise Problem(422, "the draft has faults", reason="faults", faults=faults) from error
    except TermsError as error:
        raise Problem(
            422, "the acta or its days cannot be so", reason="terms", faults=list(error.reasons)
        ) from error
    except UnacknowledgedError as error:
        raise Problem(
            409,
            "there are warnings to take note of",
            f"send acknowledge: {error.code}",
            reason="warnings",
            warnings=list(error.warnings),
            acknowledge=error.code,
        ) from error


def summary_view(summary: Summary) -> JSON:
    return {name: _plain(value) for name, value in asdict(summary).items()}


def certificate_view(certificate: Certificate) -> JSON:
    return {name: _plain(value) for name, value in asdict(certificate).items()}


def detail_view(municipality: str, detail: Detail) -> JSON:
    """Return a version as JSON; `comparison` has the version before on the old side."""
    data, compared = detail.data, detail.comparison
    return {
        "municipality": municipality,
        **summary_view(detail.summary),
        "faults": list(detail.faults),
        "warnings": list(detail.warnings),
        "acknowledge": detail.code,
        "allowed": list(detail.allowed),
        "data": None if data is None else data.model_dump(mode="json"),
        "comparison": None if compared is None else comparison_view(compared),
        "steps": [
            {name: _plain(value) for name, value in asdict(each).items()} for each in detail.steps
        ],
    }


def comparison_view(compared: Comparison) -> JSON:
    return {**asdict(compared), "is_same": compared.is_same}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
