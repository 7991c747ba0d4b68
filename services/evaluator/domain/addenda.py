"""What a later edition of a closed window changed in its counts, name by name, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from services.evaluator.domain.judging import Judgement
from shared.contracts import hot
from shared.contracts.measurements import CaseChange
from shared.contracts.results import AddendumReason, Cause, Moved, PartResult
from shared.criteria import ContestReason, Tally

_COUNTS = ("met", "failed", "pending", "overdue_open")
_CONTESTED: Final = frozenset(reason.value for reason in ContestReason)
_CORRECTED: Final = frozenset({CaseChange.CORRECTED.value, CaseChange.VOIDED.value})


@dataclass(frozen=True, slots=True)
class Move:
    """A case that changed what a closed window (municipality, compromiso, unit, id) counts."""

    window: tuple[str, str, str, str]
    case: str
    reason: AddendumReason
    import_id: str | None = None


class Replaced(NamedTuple):
    """A verdict that another took the place of; None where there was none, or is none any more.

    `again` says why it was judged again where no new fact arrived.
    """

    data: hot.CaseData
    old: Judgement | None
    new: Judgement | None
    again: AddendumReason | None = None

    def moves(self) -> list[Move]:
        """Return what it moved, in one window or from one to another."""
        if self.old and self.new and _counts_alike(self.old, self.new):
            return []
        reason = self._reason()
        brought = self.data.import_id if reason is AddendumReason.IMPORT else None
        windows = dict.fromkeys(
            (self.data.municipality, each.compromiso, each.unit, each.window_id)
            for each in (self.old, self.new)
            if each is not None and each.window_id is not None
        )
        return [Move(window, self.data.case, reason, brought) for window in windows]

    def _reason(self) -> AddendumReason:
        was, now = _is_contested(self.old), _is_contested(self.new)
        if was != now:
            taken_out = AddendumReason.CONTEST_ACCEPTED
            return taken_out if now else AddendumReason.CONTEST_TAKEN_BACK
        if self.again is not None:
            return self.again
        if self.data.import_id is not None:
            return AddendumReason.IMPORT
        if self.data.change in _CORRECTED:
            return AddendumReason.CORRECTION
        return AddendumReason.LATE_FACTS


def _counts_alike(old: Judgement, new: Judgement) -> bool:
    places = [(each.window_id, each.unit, each.carta_version) for each in (old, new)]
    return places[0] == places[1] and Tally.of(old) == Tally.of(new)


def _is_contested(judgement: Judgement | None) -> bool:
    return judgement is not None and judgement.reason in _CONTESTED


def causes_of(taken: Sequence[Cause], told: Sequence[Moved], *, follows: bool) -> tuple[Cause, ...]:
    """Return why there is an addendum; where no case is on record, what else it can be.

    `follows`: a target of it follows an earlier window, which can move it without any case here.
    """
    if taken:
        return tuple(taken)
    if told:
        reason = AddendumReason.LATE_FACTS
    else:
        reason = AddendumReason.REFERENCE_MOVED if follows else AddendumReason.SOURCE_HEARD
    return (Cause(reason=reason, total=0),)


def moved(before: Sequence[Mapping[str, Any]], after: Sequence[PartResult]) -> tuple[Moved, ...]:
    """Return every count that differs, part by part; `before` are the parts as they were published.

    A part that was not there before had nothing in it.
    """
    found: list[Moved] = []
    for number, part in enumerate(after):
        was = _named(before[number]) if number < len(before) else {}
        now = _named(part.model_dump())
        found += (
            Moved(part=number + 1, count=name, before=was.get(name, 0), after=now.get(name, 0))
            for name in sorted(was.keys() | now.keys())
            if was.get(name, 0) != now.get(name, 0)
        )
    return tuple(found)


def _named(part: Mapping[str, Any]) -> dict[str, int]:
    """Return the counts of one part by name; those of an exclusion by `excluded.` and its name.

    Those of a ratio's numerator have `numerator.` before it.
    """
    excluded = {f"excluded.{name}": number for name, number in part["excluded"].items()}
    above = part.get("numerator_counts")
    named = {} if above is None else {f"numerator.{k}": n for k, n in _named(above).items()}
    return {name: part[name] for name in _COUNTS} | excluded | named
