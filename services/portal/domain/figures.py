"""How many promises stand how, by dependencia: the figures of an operator's dashboard."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.portal.domain.board import Board
from services.portal.domain.states import State
from shared.contracts.results import Prospect, Verdict


class Standing(StrEnum):
    """How a promise stands in the windows that are not closed, the worst first."""

    LOST = "lost"
    AT_RISK = "at_risk"
    ON_TRACK = "on_track"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """What is known of a window that is not closed, at one unit."""

    compromiso: str
    verdict: Verdict
    prospect: Prospect | None
    at_risk: bool

    @property
    def standing(self) -> Standing:
        """A window that has ended and waits for its cut-off has no prospect any more."""
        if self.prospect is Prospect.LOST:
            return Standing.LOST
        if self.at_risk or (self.prospect is None and self.verdict is Verdict.NOT_MET):
            return Standing.AT_RISK
        return Standing.NO_DATA if self.verdict is Verdict.NOT_EVALUATED else Standing.ON_TRACK


_WORST_FIRST: Final = tuple(Standing)


def closed(board: Board) -> Counter[tuple[str, State]]:
    """Count promises by dependencia and state as the public page does."""
    return Counter(
        (carta.data.department, view.state) for carta in board.counted for view in carta.compromisos
    )


def open_now(board: Board, windows: Iterable[OpenWindow]) -> Counter[tuple[str, Standing]]:
    """Count promises by dependencia and the worst standing of their units; none without a window.

    Sensitive cartas are left out: a window that has just begun rests on a few persons' cases.
    """
    worst: dict[str, Standing] = {}
    for window in windows:
        known = worst.get(window.compromiso, window.standing)
        worst[window.compromiso] = min(known, window.standing, key=_WORST_FIRST.index)
    return Counter(
        (carta.data.department, worst[view.compromiso.id])
        for carta in board.counted
        if not carta.data.sensitive
        for view in carta.compromisos
        if view.compromiso.id in worst
    )
