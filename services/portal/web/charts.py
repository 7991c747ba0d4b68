"""Small pictures as SVG: no script, no inline style, a text for who cannot see them."""

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup, escape

from services.portal.domain.disclosure import PublicResult
from services.portal.domain.states import State

ORDER: Final = (State.MET, State.TOLERABLE, State.NOT_MET, State.NO_DATA)
HEIGHTS: Final = {State.MET: 20, State.TOLERABLE: 13, State.NOT_MET: 7, State.NO_DATA: 2}
"""The height says again what the colour says."""
BAR_WIDTH: Final = 240
MARK: Final = 9
GAP: Final = 2


def bar(counts: Mapping[State, int]) -> Markup:
    """Return a bar in four parts, in proportion to how many compromisos are in each state."""
    total = sum(counts.values())
    said = ", ".join(f"{counts[s]} {s.word.lower()}" for s in ORDER if counts.get(s))
    parts, left = [], 0
    for state in ORDER:
        width = counts.get(state, 0) * BAR_WIDTH // total if total else 0
        if width:
            parts.append(_rect(state, x=left, y=0, width=max(width - GAP, 1), height=14))
            left += width
    return _svg("barra", said or "sin compromisos", width=BAR_WIDTH, height=14, parts=parts)


def strip(results: Sequence[PublicResult], limit: int = 12) -> Markup:
    """Return a mark for each of the last closed windows, the oldest first."""
    shown = list(reversed(results[:limit]))
    said = "; ".join(f"{result.window.id}: {result.word.lower()}" for result in shown)
    parts = [
        _rect(
            result.state,
            x=place * (MARK + GAP),
            y=20 - HEIGHTS[result.state],
            width=MARK,
            height=HEIGHTS[result.state],
        )
        for place, result in enumerate(shown)
    ]
    width = max(len(shown) * (MARK + GAP), MARK)
    return _svg("franja", f"Periodos anteriores: {said}", width=width, height=20, parts=parts)


def _rect(state: State, *, x: int, y: int, width: int, height: int) -> Markup:
    return Markup('<rect class="marca marca--{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        state.value, x, y, width, height
    )


def _svg(name: str, said: str, *, width: int, height: int, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg class="{}" role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
    ).format(name, escape(said), width, height, width, height)
    return head + Markup("").join(parts) + Markup("</svg>")
