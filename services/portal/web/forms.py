"""Reading forms: sizes first, then one error a field, in the words of who fills it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from fastapi import Request
from starlette.datastructures import UploadFile

from services.portal.web.csrf import FIELD, Forms

MAX_FIELDS: Final = 40
MAX_TEXT: Final = 4000
MAX_LINE: Final = 200


@dataclass(slots=True)
class Answers:
    """What was filled in, and what is wrong with it. Errors name the field they stand at."""

    values: Mapping[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str:
        """Return the trimmed answer, "" where there is none."""
        return self.values.get(name, "").strip()

    def required(self, name: str, complaint: str, *, limit: int = MAX_TEXT) -> str:
        """Return the answer; note `complaint` where it is empty."""
        value = self.optional(name, limit=limit)
        if not value:
            self.errors.setdefault(name, complaint)
        return value

    def optional(self, name: str, *, limit: int = MAX_LINE) -> str:
        """Return the answer; note it where it is too long or holds what cannot be written."""
        value = self.get(name)
        if len(value) > limit:
            self.errors.setdefault(name, f"Usa {limit:,} caracteres o menos")
        if any(not sign.isprintable() and sign not in "\r\n\t" for sign in value):
            self.errors.setdefault(name, "Quita los caracteres que no son texto")
        return value

    def choice(self, name: str, allowed: Mapping[str, str], complaint: str) -> str:
        """Return one of `allowed`; note `complaint` for anything else."""
        value = self.get(name)
        if value not in allowed:
            self.errors.setdefault(name, complaint)
        return value

    def day(self, name: str, complaint: str) -> date | None:
        """Return the date of the three fields name-day, name-month, name-year."""
        parts = [self.get(f"{name}-{part}") for part in ("day", "month", "year")]
        try:
            return date(int(parts[2]), int(parts[1]), int(parts[0]))
        except (ValueError, OverflowError):
            self.errors.setdefault(name, complaint)
            return None


async def read_form(request: Request, forms: Forms) -> Answers:
    """Return the answers of a form that this browser opened.

    Raises ForgedFormError; files and repeated fields are not taken.
    """
    async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
        values = {k: v for k, v in form.items() if not isinstance(v, UploadFile)}
    forms.check(request, values.get(FIELD, ""))
    return Answers({name: value for name, value in values.items() if name != FIELD})
