"""What a unit sees of its promises while their windows run: how they stand, and what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.portal.domain.states import State, state_of
from shared.contracts.cartas import CartaData, Compromiso
from shared.contracts.results import PartResult, Prospect, ResultData
from shared.outlooks import declared_for, sentences

_URGENT_FIRST: Final = tuple(reversed(Prospect))


@dataclass(frozen=True, slots=True)
class RunningLine:
    """A running window of one compromiso and unit, with the sentences of each part."""

    result: ResultData
    parts: tuple[tuple[PartResult, tuple[str, ...]], ...]

    @property
    def state(self) -> State:
        """How it would end if it ended now."""
        return state_of(self.result.verdict, self.result.band)

    @property
    def word(self) -> str:
        """Words for the state; a risk is called one."""
        if self.result.prospect is Prospect.LOST:
            return "Ya no puede cumplirse"
        return "En riesgo" if self.result.at_risk else self.state.running_word


def running_lines(cartas: Iterable[CartaData], results: Iterable[ResultData]) -> list[RunningLine]:
    """Return a line for each result, the most urgent first. `cartas`: versions ascending."""
    by_carta = {carta.carta: carta for carta in cartas}
    return sorted((_line(each, by_carta.get(each.carta)) for each in results), key=_urgency)


def _line(result: ResultData, carta: CartaData | None) -> RunningLine:
    promises: Sequence[Compromiso] = () if carta is None else carta.compromisos
    promise = next((each for each in promises if each.id == result.compromiso), None)
    declared = declared_for(result.parts, None if promise is None else promise.criterion)
    told = (
        (part, sentences(part, each)) for part, each in zip(result.parts, declared, strict=True)
    )
    return RunningLine(result, tuple(told))


def _urgency(line: RunningLine) -> tuple[object, ...]:
    """What is at risk can still be helped: it comes before what is lost."""
    result = line.result
    prospect = result.prospect or Prospect.SECURED
    key = (result.window.end, result.carta, result.compromiso, result.unit)
    return (not result.at_risk, _URGENT_FIRST.index(prospect), *key)
