"""The four states of a compromiso, each told by word, shape and colour."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from shared.contracts.results import Band, Verdict


class State(StrEnum):
    """What a person sees first. The value stands in addresses and in CSS classes."""

    MET = "se-cumple"
    TOLERABLE = "tolerable"
    NOT_MET = "no-se-cumple"
    NO_DATA = "sin-dato"

    @property
    def word(self) -> str:
        """Words for a closed window."""
        return WORDS[self]

    @property
    def running_word(self) -> str:
        """Words for a window that still runs: between target and unacceptable is a warning."""
        return RUNNING_WORDS.get(self, WORDS[self])

    @property
    def shape(self) -> str:
        """The sign beside the word; it reads without colour."""
        return SHAPES[self]


WORDS: Final = {
    State.MET: "Se cumple",
    State.TOLERABLE: "No se cumple, dentro de lo tolerable",
    State.NOT_MET: "No se cumple",
    State.NO_DATA: "Sin dato",
}
RUNNING_WORDS: Final = {
    State.MET: "Va cumpliendo",
    State.TOLERABLE: "Cerca del límite",
    State.NOT_MET: "Va sin cumplir",
}
SHAPES: Final = {State.MET: "●", State.TOLERABLE: "▲", State.NOT_MET: "◆", State.NO_DATA: "○"}

_BAD_FIRST: Final = (State.NOT_MET, State.TOLERABLE, State.MET, State.NO_DATA)


def state_of(verdict: Verdict, band: Band) -> State:
    """Only what reached its target is met; amber counts as not met and says so."""
    if verdict is Verdict.MET:
        return State.MET
    if verdict is Verdict.NOT_EVALUATED:
        return State.NO_DATA
    return State.TOLERABLE if band is Band.AMBER else State.NOT_MET


def worst(states: Iterable[State]) -> State:
    """One state for several units: the worst that was judged; no data only where all lack it."""
    return min(states, key=_BAD_FIRST.index, default=State.NO_DATA)
