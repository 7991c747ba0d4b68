"""Pages from templates, with the headers that go with being public or private."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.portal.domain.states import State
from services.portal.spanish import BASES, deadline, moment, reason, sentence
from services.portal.web import charts
from services.portal.web.csrf import FIELD, Forms
from services.portal.web.static import StaticFiles
from shared import spanish
from shared.addenda import caused, moved_count
from shared.clock import utc_now
from shared.criteria import words

TEMPLATES: Final = Path(__file__).resolve().parent.parent / "templates"
UTC: Final = ZoneInfo("UTC")
PUBLIC: Final = "public, max-age=15"
PRIVATE: Final = "no-store"
FORM_COOKIE_SECONDS: Final = 12 * 3600


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "number": spanish.number,
    "quantity": spanish.quantity,
    "moved_count": moved_count,
    "reason": reason,
    "day": spanish.day,
    "deadline": deadline,
    "weekday": spanish.weekday,
    "sentence": sentence,
    "exclusion": words.exclusion,
    "instant": spanish.instant,
    "window": spanish.window,
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Makes pages. `secure`: cookies travel over TLS only."""

    environment: Environment
    forms: Forms
    secure: bool

    def public(
        self, request: Request, template: str, *, status: int = 200, **context: Any
    ) -> Response:
        """A page that is the same for everybody: it may be kept for a moment and compressed."""
        body = self._render(request, template, context).encode()
        headers = {"Cache-Control": PUBLIC, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            body = gzip.compress(body, 6, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return HTMLResponse(body, status_code=status, headers=headers)

    def private(
        self, request: Request, template: str, *, status: int = 200, **context: Any
    ) -> Response:
        """A page with a form or for one person: never kept, never indexed.

        It is not compressed: beside what a person typed, lengths would tell of its tokens.
        """
        context = {"csrf": self.forms.token(request), "csrf_field": FIELD, **context}
        body = self._render(request, template, context)
        response = HTMLResponse(body, status_code=status, headers=private_headers())
        self._keep_form_key(request, response)
        return response

    def _render(self, request: Request, template: str, context: Mapping[str, Any]) -> str:
        visitor = getattr(request.state, "visitor", None)
        base = {"path": request.url.path, "visitor": visitor, "municipality": None}
        return self.environment.get_template(template).render({**base, **context})

    def _keep_form_key(self, request: Request, response: Response) -> None:
        new = getattr(request.state, "new_form_key", None)
        if new is not None:
            set_cookie(
                response, self.forms.cookie, new, secure=self.secure, seconds=FORM_COOKIE_SECONDS
            )


def private_headers() -> dict[str, str]:
    return {"Cache-Control": PRIVATE, "X-Robots-Tag": "noindex, nofollow"}


def set_cookie(response: Response, name: str, value: str, *, secure: bool, seconds: int) -> None:
    """Scripts cannot read it, and other sites' forms do not send it."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def see_other(address: str) -> RedirectResponse:
    """Go there with a GET: reloading the page sends nothing again."""
    return RedirectResponse(address, status_code=303, headers=private_headers())


def environment(static: StaticFiles) -> Environment:
    """Return the templates. A name that is not there is an error, never an empty figure."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    made.globals.update(
        static=static.url,
        State=State,
        UTC=UTC,
        BASES=BASES,
        UNITS=spanish.UNITS,
        target=spanish.target,
        figure_of=spanish.figure,
        counted=spanish.counted,
        bar=charts.bar,
        strip=charts.strip,
        based_on=spanish.based_on,
        coverage_of=spanish.coverage,
        margin=spanish.margin,
        measured_with=words.measured_with,
        caused=caused,
        iso_instant=iso_instant,
        iso_moment=iso_moment,
        iso_day=iso_day,
        iso_deadline=iso_deadline,
        today_of=today_of,
        weekday_of=lambda text: spanish.weekday(date.fromisoformat(text)),
        zone_of=ZoneInfo,
    )
    return made


def iso_instant(text: str, zone: ZoneInfo) -> str:
    """Write an instant (RFC 3339) in local words."""
    return spanish.instant(datetime.fromisoformat(text), zone)


def iso_deadline(text: str, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """Write the end of a term (RFC 3339) in local words."""
    return deadline(datetime.fromisoformat(text), zone, seconds=seconds)


def iso_moment(text: str, zone: ZoneInfo) -> str:
    """Write an instant (RFC 3339) in local words, with its seconds."""
    return moment(datetime.fromisoformat(text), zone)


def iso_day(text: str) -> str:
    """Write a date (RFC 3339) in words."""
    return spanish.day(date.fromisoformat(text))


def today_of(zone: ZoneInfo) -> date:
    return utc_now().astimezone(zone).date()
