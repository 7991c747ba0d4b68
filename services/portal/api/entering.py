"""Sign-in by one-time link, choosing a post, leaving."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import quote

from fastapi import APIRouter, BackgroundTasks, Request
from fastapi.responses import Response

from services.portal.api.tools import Tools, reading, writing
from services.portal.peers import PeerAwayError, Peers, RefusedError
from services.portal.store import catalogue
from services.portal.use_cases import entering
from services.portal.web.forms import Answers
from services.portal.web.pages import see_other, set_cookie
from services.portal.web.sessions import SignInNeededError
from shared.clock import utc_now
from shared.contracts.cartas import PostData
from shared.contracts.events import Identifier

MAX_MAIL = 254


def router(tools: Tools) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(include_in_schema=False)
    _add_asking(routes, tools)
    _add_link(routes, tools)
    _add_post(routes, tools)
    return routes


def _add_asking(routes: APIRouter, tools: Tools) -> None:
    @routes.get("/entrar")
    async def ask(request: Request) -> Response:
        found = await tools.sessions.session(request)
        if found is not None:
            return see_other(found.visitor.home if found.visitor else "/puesto")
        return tools.page(request, "entrar.html", answers=Answers({}))

    @routes.post("/entrar")
    async def send(request: Request, later: BackgroundTasks) -> Response:
        """Answer the same, as fast, whether or not the mailbox is known."""
        answers = await tools.read(request)
        mailbox = answers.required("correo", "Escribe tu correo institucional", limit=MAX_MAIL)
        if not answers.errors and "@" not in mailbox:
            answers.errors["correo"] = "Escribe un correo como nombre@municipio.gob.mx"
        if answers.errors:
            return tools.page(request, "entrar.html", answers=answers, status=422)
        peers = tools.peers(request)
        if not await peers.is_well("notifier"):
            raise PeerAwayError("notifier")
        tools.metrics.sign_ins.labels("asked").inc()
        later.add_task(_mail_link, tools, request, mailbox, peers=peers)
        response = tools.page(
            request, "entrar_enviado.html", minutes=tools.settings.sign_in_minutes
        )
        response.background = later
        return response


async def _mail_link(tools: Tools, request: Request, mailbox: str, *, peers: Peers) -> None:
    """Have the notifier mail a link, if the mailbox may have one."""
    minutes = tools.settings.sign_in_minutes
    async with writing(request) as tx:
        token = await entering.new_link(
            tx.connection, mailbox, now=tx.now, valid_for=timedelta(minutes=minutes)
        )
    if token is None:
        return
    link = f"{tools.settings.public_url}/entrar/{token}"
    body = {"mailbox": mailbox.strip().lower(), "link": link, "valid_minutes": minutes}
    try:
        await peers.post("notifier", "/v1/mails/sign-in", body=body)
    except (PeerAwayError, RefusedError):
        # Nobody waits for this answer: peers has logged it, and the page says to ask again.
        return


def _add_link(routes: APIRouter, tools: Tools) -> None:
    @routes.get("/entrar/{token}")
    async def show(request: Request, token: str, accion: Identifier | None = None) -> Response:
        """Show a button: programs that open links in mail to look at them use nothing up."""
        async with reading(request) as connection:
            usable = await entering.is_usable(connection, token, utc_now())
        if not usable:
            return tools.page(request, "entrar_vencido.html", status=410)
        return tools.page(request, "entrar_enlace.html", token=token, action=accion)

    @routes.post("/entrar/{token}")
    async def enter(request: Request, token: str) -> Response:
        answers = await tools.read(request)
        async with writing(request) as tx:
            session = await entering.enter(
                tx.connection, token, now=tx.now, session_for=tools.session_for
            )
        tools.metrics.sign_ins.labels("entered" if session else "refused").inc()
        if session is None:
            return tools.page(request, "entrar_vencido.html", status=410)
        response = see_other(_after_entering(answers.get("accion")))
        set_cookie(
            response,
            tools.sessions.cookie,
            session,
            secure=tools.pages.secure,
            seconds=int(tools.session_for.total_seconds()),
        )
        return response

    @routes.post("/salir")
    async def leave(request: Request) -> Response:
        await tools.read(request)
        async with writing(request) as tx:
            await entering.leave(tx.connection, tools.sessions.token(request))
        response = see_other("/entrar")
        response.delete_cookie(
            tools.sessions.cookie, path="/", secure=tools.pages.secure, httponly=True
        )
        return response


def _after_entering(action: str) -> str:
    """Return the page of the unit's action that the link named, else the way to the first page."""
    return f"/panel/acciones/{quote(action, safe='')}" if action else "/entrar"


def _add_post(routes: APIRouter, tools: Tools) -> None:
    @routes.get("/puesto")
    async def choices(request: Request) -> Response:
        """The posts that the mailbox holds."""
        return await _choices(tools, request, Answers({}))

    @routes.post("/puesto")
    async def choose(request: Request) -> Response:
        answers = await tools.read(request)
        found = await tools.sessions.session(request)
        if found is None:
            raise SignInNeededError(signed_in=False)
        async with writing(request) as tx:
            held = await entering.choose(
                tx.connection,
                tools.sessions.token(request),
                found.mailbox,
                choice=answers.get("puesto"),
            )
        if held:
            return see_other("/entrar")
        answers.errors["puesto"] = "Elige con qué puesto quieres trabajar"
        return await _choices(tools, request, answers)


async def _choices(tools: Tools, request: Request, answers: Answers) -> Response:
    found = await tools.sessions.session(request)
    if found is None:
        raise SignInNeededError(signed_in=False)
    async with reading(request) as connection:
        choices = await entering.choices_of(connection, found.mailbox)
        names = {m.municipality: m.name for m in await catalogue.municipalities(connection)}
    options = {choice: _said(post, names) for choice, post in choices.items()}
    status = 422 if answers.errors else 200
    return tools.page(request, "puesto.html", options=options, answers=answers, status=status)


def _said(post: PostData | None, names: Mapping[str, str]) -> str:
    if post is None:
        return entering.ADMINISTRATOR_TITLE
    return f"{post.title}, {names.get(post.municipality, post.municipality)}"
