"""An emitter's own page: its last events, and each refusal with the reason."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools
from services.portal.peers import PeerAwayError, RefusedError
from services.portal.web.forms import Answers

MAX_TOKEN = 200
UNKNOWN = "No reconocemos esa credencial: está mal escrita o fue revocada."


def router(tools: Tools) -> APIRouter:
    """Return the routes. The token is posted, so that no address and no log holds it."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/emisor")
    async def ask(request: Request) -> Response:
        return tools.page(request, "emisor.html", answers=Answers({}), found=None)

    @routes.post("/emisor")
    async def show(request: Request) -> Response:
        answers = await tools.read(request)
        token = answers.required("credencial", "Pega tu credencial", limit=MAX_TOKEN)
        if not token.isascii() or len(token.split()) > 1:
            answers.errors.setdefault("credencial", UNKNOWN)
        if answers.errors:
            return _refused(tools, request, answers)
        try:
            headers = {"Authorization": f"Bearer {token}"}
            found = await tools.peers(request).get("measurements", "/v1/activity", headers=headers)
        except RefusedError:
            answers.errors["credencial"] = UNKNOWN
            return _refused(tools, request, answers)
        silences = await _silences(tools, request, found) if found["expects"] else []
        return tools.page(
            request, "emisor.html", answers=Answers({}), found=found, silences=silences
        )

    return routes


async def _silences(tools: Tools, request: Request, found: Any) -> Any:
    """Return when the source was silent; None where nobody answers."""
    params = {"source": found["source"], "municipality": found["municipality"]}
    try:
        answer = await tools.peers(request).get("evaluator", "/v1/silences", query=params)
    except (PeerAwayError, RefusedError):
        return None
    return answer["silences"]


def _refused(tools: Tools, request: Request, answers: Answers) -> Response:
    """The token is never shown again, not even to who typed it."""
    shown = Answers({}, answers.errors)
    return tools.page(request, "emisor.html", answers=shown, found=None, status=422)
