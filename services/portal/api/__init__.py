"""HTTP in: pages. Each module holds the pages of one kind of visitor."""

from fastapi import APIRouter

from services.portal.api import (
    actions,
    administration,
    buzon,
    cartas,
    cases,
    contests,
    coordination,
    emitters,
    entering,
    explanations,
    folios,
    panel,
    public,
    terms,
    texts,
    trials,
)
from services.portal.api.tools import Tools


def routers(tools: Tools) -> tuple[APIRouter, ...]:
    """Return the routes. The public ones come last: `/{municipality}` would take any word."""
    return (
        tools.static.router(),
        texts.router(tools),
        entering.router(tools),
        panel.router(tools),
        folios.router(tools),
        cases.router(tools),
        contests.router(tools),
        actions.router(tools),
        coordination.router(tools),
        trials.router(tools),
        cartas.router(tools),
        administration.router(tools),
        emitters.router(tools),
        buzon.router(tools),
        terms.router(tools),
        explanations.router(tools),
        public.router(tools),
    )
