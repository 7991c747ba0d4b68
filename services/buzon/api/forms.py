"""What comes in and goes out over HTTP, checked and rendered."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from services.buzon.domain.cases import Folio
from services.buzon.domain.folios import MAX_LENGTH
from services.buzon.store.folios import StepRow
from services.buzon.store.redatings import Redating
from services.buzon.use_cases.reading import CitizenView, PostView
from shared.contracts.complaints import ComplaintKind, Finding
from shared.contracts.events import Code

MAX_TEXT: Final = 5000
_ALLOWED_CONTROLS: Final = frozenset("\n\r\t")


def _printable(text: str) -> str:
    """Control characters are nobody's words, and PostgreSQL takes no NUL."""
    if any(unicodedata.category(sign) == "Cc" and sign not in _ALLOWED_CONTROLS for sign in text):
        raise ValueError("control characters are not allowed")
    return text


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT),
    AfterValidator(_printable),
]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_printable),
]
FolioText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LENGTH)]
SecretText = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class FilingForm(_Form):
    """What a citizen writes.

    `website` is a trap: people do not see it. `fill_seconds` says how long the form was open.
    """

    municipality: Code
    kind: ComplaintKind
    text: Text
    carta: Code | None = None
    place: Line | None = None
    occurred_on: date | None = Field(default=None, ge=date(1900, 1, 1), le=date(2200, 1, 1))
    contact_mail: Annotated[EmailStr, StringConstraints(max_length=254)] | None = None
    website: Annotated[str, StringConstraints(max_length=200)] = ""
    fill_seconds: int | None = Field(default=None, ge=0, le=10**9)


class StatusForm(_Form):
    """Both together open a folio, and nothing says which of them was wrong."""

    folio: FolioText
    secret: SecretText


class ClarificationForm(StatusForm):
    """The citizen's answer to what the unit asked."""

    text: Text


class StepForm(_Form):
    """Which post does it: the record keeps posts, not persons."""

    post: Code


class TextForm(StepForm):
    """Words to the citizen: an answer, a question, or who is competent instead."""

    text: Text


class AnswerForm(TextForm):
    """The substantive answer; the finding may come with it or later."""

    finding: Finding | None = None


class FindingForm(StepForm):
    """Whether the complaint was justified."""

    finding: Finding


class ReferForm(StepForm):
    """To the Contraloria; `text` is a note that only it reads."""

    text: Text | None = None


class DuplicateForm(StepForm):
    """`of` is the folio that is dealt with instead."""

    of: FolioText


class LinkForm(StepForm):
    """The promise that it is about."""

    compromiso: Code


class AssignForm(StepForm):
    """The unit that is to answer."""

    unit: Code


def folio_view(folio: Folio) -> dict[str, Any]:
    """Return the state without any text, as lists show it."""
    return {
        "folio": folio.folio,
        "municipality": folio.municipality,
        "revision": folio.revision,
        "kind": folio.kind,
        "situation": folio.situation,
        "carta": folio.carta,
        "compromiso": folio.compromiso,
        "unit": folio.unit,
        "filed_at": folio.filed_at,
        "answer_by": folio.answer_by,
        "answered_at": folio.answered_at,
        "finding": folio.finding,
        "found_at": folio.found_at,
        "duplicate_of": folio.duplicate_of,
        "referred_at": folio.referred_at,
        "pauses": [pause.model_dump() for pause in folio.pauses],
        "exclusions": folio.exclusions,
    }


def post_view(view: PostView) -> dict[str, Any]:
    """Return everything that the post may read, apart from the contact itself."""
    return folio_view(view.folio) | {
        "occurred_on": view.occurred_on,
        "has_contact": view.has_contact,
        "writings": [{"part": text.part, "text": text.body} for text in view.writings],
        "timeline": [_step(step, view.moves) | {"post": step.post} for step in view.steps],
        "allowed": sorted(view.steps_now),
    }


def citizen_view(view: CitizenView) -> dict[str, Any]:
    """Return the citizen's own: where it stands, never who moved it nor what was written to us."""
    folio = view.folio
    return {
        "folio": folio.folio,
        "municipality": folio.municipality,
        "kind": folio.kind,
        "situation": folio.situation,
        "carta": folio.carta,
        "unit_name": view.unit_name,
        "referred": folio.is_referred,
        "filed_at": folio.filed_at,
        "answer_by": folio.answer_by,
        "answered_at": folio.answered_at,
        "finding": folio.finding,
        "duplicate_of": folio.duplicate_of,
        "answer": view.answer,
        "question": view.question,
        "timeline": [_step(step, view.moves) for step in view.steps],
    }


def _step(step: StepRow, moves: Mapping[int, Redating]) -> dict[str, Any]:
    told = {"change": step.change, "at": step.at}
    moved = moves.get(step.revision)
    return told if moved is None else told | {"before": moved.before, "after": moved.after}
