"""What the judge takes and gives: cases, their verdicts, counts, results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, TypeVar

_Key = TypeVar("_Key", str, tuple[int, int])


class CaseStatus(StrEnum):
    """What a case is in the counts; in a mean, `met` reads "measured"."""

    MET = "met"
    FAILED = "failed"
    PENDING = "pending"
    EXCLUDED = "excluded"


# An enum's members are looked up slowly, and every case asks for them.
_MET, _FAILED, _PENDING = CaseStatus.MET, CaseStatus.FAILED, CaseStatus.PENDING


class CaseReason(StrEnum):
    """Reasons that the judge itself gives; other reasons are exclusions named by emitters."""

    OVERDUE_OPEN = "overdue_open"
    OPEN = "open"
    PAUSED = "paused"
    WAITING_FOR_START = "waiting_for_start"
    STOP_BEFORE_START = "fin_anterior_al_inicio"
    UNKNOWN_LIMIT = "limite_desconocido"
    NO_START = "sin_evento_inicial"
    LEFT_BEFORE_DUE = "abandono_antes_del_limite"
    NO_ANSWER = "sin_respuesta"
    OFF_THE_SCALE = "fuera_de_escala"
    NO_DUE = "sin_fecha_prometida"


class CasePause(NamedTuple):
    """One pause of a case with the reason its emitter gave; `end` None while it is open."""

    reason: str
    start: datetime
    end: datetime | None


_NO_CODES: Final[Mapping[str, str]] = MappingProxyType({})


class Case(NamedTuple):
    """All that is known of a case: the latest revision of each event, as aware instants.

    `exclusions` are those the emitter named, of which a criterion admits only the ones it lists,
    and accepted contests, which it need not list.
    `own_due` is an instant promised to this very case. `abandoned_at` is when the person left.
    `place` holds what every case has beside its own attributes, its service and unit: codes that
    conditions and groups may name, and from which no number is read.
    """

    events: Mapping[str, datetime]
    pauses: tuple[CasePause, ...] = ()
    exclusions: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = _NO_CODES
    own_due: datetime | None = None
    abandoned_at: datetime | None = None
    place: Mapping[str, str] = _NO_CODES

    def code(self, name: str) -> str | None:
        """Return the attribute, or else what the case has of that name by its place."""
        own = self.attributes.get(name)
        return self.place.get(name) if own is None else own


BEYOND: Final = 2**63 - 1
"""An amount beyond every other (an open case past its limit), an outage that has not ended."""

PLANNED: Final = "planned"
"""The cell of planned interruptions, which leave the service time."""

Span = tuple[int, int]
"""What a spread counts: an amount twice, or the microseconds at which an outage began and ended."""


class CaseVerdict(NamedTuple):
    """The verdict on one case under one measure. It depends on written instants alone.

    `reason` is a `CaseReason` or the name of the exclusion; None for a plain met or failed.
    `anchor_instant` places the case in a window; None while that is unknown (an open pause, or
    anchor `closed` without a stop): the case is then in no window yet.
    `due` is when the term is used up (UTC): inclusive for s, min, h and their habil forms with
    `<=`, the end (exclusive) of the last day for dates. It is the instant to show.
    `overdue_from` is the instant at which an open case becomes overdue, once its source is known
    complete through it: set the alarm here. It is `due`, except where office hours or a pause
    begin to stand still exactly at `due`: nothing is late before the clock moves again. Under a
    lower limit it is the instant from which the case is kept, whenever it ends.
    `amount` is what a sum adds up: microseconds, whole days or months where the unit counts those,
    ten-thousandths of a number; of net promoters 1, 0 or -1 in ten-thousandths.
    `cell` is the group it counts in, empty where there are none. `span` is what its figure needs
    beside counts and sums: the amount of a percentile, the bounds of an outage.
    """

    status: CaseStatus
    reason: str | None
    anchor_instant: datetime | None
    due: datetime | None = None
    overdue_from: datetime | None = None
    amount: int | None = None
    overdue_open: bool = False
    cell: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one measure, unit, window and cell; they add and subtract.

    Population = met + failed + pending + the sum of `excluded`. Where items have no limit, `met`
    counts the measured ones and `failed` stays 0. `overdue_open` is part of `failed` in a share
    and of `pending` in a mean. `amount_sum` over `amount_count` decided items is as in
    CaseVerdict.amount. `spread` says how often each span occurred: the exact state of percentiles
    and outages, which no sum can hold.
    A difference of two tallies may be negative: it is a change, not a count.
    """

    met: int = 0
    failed: int = 0
    pending: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    overdue_open: int = 0
    amount_sum: int = 0
    amount_count: int = 0
    spread: Mapping[Span, int] = field(default_factory=dict)

    @classmethod
    def of(cls, verdict: Counted) -> Tally:
        """Return the tally of one case."""
        running = RunningTally()
        running.add(verdict)
        return running.tally()

    @property
    def decided(self) -> int:
        """The denominator: the cases whose status the limit and their instants have settled."""
        return self.met + self.failed

    @property
    def population(self) -> int:
        return self.decided + self.pending + sum(self.excluded.values())

    def __add__(self, other: Tally) -> Tally:
        return _combined(self, other, sign=1)

    def __sub__(self, other: Tally) -> Tally:
        return _combined(self, other, sign=-1)


class Counted(Protocol):
    """What of a verdict is counted."""

    @property
    def status(self) -> CaseStatus: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def amount(self) -> int | None: ...
    @property
    def overdue_open(self) -> bool: ...
    @property
    def span(self) -> Span | None: ...


@dataclass(slots=True)
class RunningTally:
    """A tally in the making: many verdicts are added to it, or taken away, in place."""

    met: int = 0
    failed: int = 0
    pending: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    overdue_open: int = 0
    amount_sum: int = 0
    amount_count: int = 0
    spread: dict[Span, int] = field(default_factory=dict)

    def add(self, verdict: Counted, *, sign: int = 1) -> None:
        """Add a verdict; with `sign` -1 take it away."""
        status = verdict.status
        if status is _MET:
            self.met += sign
            self._measure(verdict.amount, sign)
        elif status is _FAILED:
            self.failed += sign
            self._measure(verdict.amount, sign)
        elif status is _PENDING:
            self.pending += sign
        else:
            name = str(verdict.reason)
            self.excluded[name] = self.excluded.get(name, 0) + sign
        if verdict.overdue_open:
            self.overdue_open += sign
        if verdict.span is not None:
            self.spread[verdict.span] = self.spread.get(verdict.span, 0) + sign

    def _measure(self, amount: int | None, sign: int) -> None:
        if amount is not None:
            self.amount_sum += sign * amount
            self.amount_count += sign

    def tally(self) -> Tally:
        """Return what it has come to, without what has come to nothing."""
        return Tally(
            met=self.met,
            failed=self.failed,
            pending=self.pending,
            excluded=_some(self.excluded),
            overdue_open=self.overdue_open,
            amount_sum=self.amount_sum,
            amount_count=self.amount_count,
            spread=_some(self.spread),
        )


def _some(counts: Mapping[_Key, int]) -> dict[_Key, int]:
    return {key: count for key, count in counts.items() if count}


def _combined(left: Tally, right: Tally, *, sign: int) -> Tally:
    return Tally(
        met=left.met + sign * right.met,
        failed=left.failed + sign * right.failed,
        pending=left.pending + sign * right.pending,
        excluded=_added(left.excluded, right.excluded, sign=sign),
        overdue_open=left.overdue_open + sign * right.overdue_open,
        amount_sum=left.amount_sum + sign * right.amount_sum,
        amount_count=left.amount_count + sign * right.amount_count,
        spread=_added(left.spread, right.spread, sign=sign),
    )


def _added(left: Mapping[_Key, int], right: Mapping[_Key, int], *, sign: int) -> dict[_Key, int]:
    added = dict(left)
    for key, count in right.items():
        added[key] = added.get(key, 0) + sign * count
    return _some(added)


Cells = Mapping[str, Tally]
"""The counts of one measure in one window, by the group they are in; one cell "" without groups."""


def merged(cells: Cells) -> Tally:
    """Return the counts of all cells together."""
    return sum(cells.values(), Tally())


def added(left: Cells, right: Cells) -> dict[str, Tally]:
    """Return the sum cell by cell, without the cells that come to nothing."""
    names = left.keys() | right.keys()
    total = {name: left.get(name, Tally()) + right.get(name, Tally()) for name in names}
    return {name: tally for name, tally in total.items() if tally != Tally()}


class Verdict(StrEnum):
    """The three states of a result; "not evaluated" always carries its reason."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_EVALUATED = "not_evaluated"


class NotEvaluated(StrEnum):
    """Why there is no verdict; the public words are Spanish and so are these names."""

    NO_DEMAND = "sin_demanda"
    SMALL_SAMPLE = "muestra_insuficiente"
    SILENT_SOURCE = "fuente_sin_datos"
    NO_SOURCE = "sin_fuente"
    PENDING_CASES = "casos_pendientes"
    MEASUREMENT_INCIDENT = "incidencia_de_medicion"
    SERVICE_NOT_PROVIDED = "servicio_no_prestado"
    CARTA_SUSPENDED = "carta_suspendida"
    INFORMATIVE = "solo_informativo"
    NO_REFERENCE = "sin_periodo_de_referencia"
    ZERO_REFERENCE = "referencia_en_cero"
    FORM_CHANGED = "cambio_de_forma"


class Band(StrEnum):
    """Traffic light: met; between target and unacceptable; at unacceptable or worse; no verdict."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class PartResult:
    """One part judged. `value` is exact, in the figure's unit: percent for shares and ratios.

    `value` is there whenever it can be computed, also when the sample is too small to judge.
    `items` counts what the figure rests on: cases, answers, groups. `bound` and `unacceptable` are
    what it was compared with; those of a target that follows an earlier window are known only with
    it. `tally` has all counts of the part; of a ratio, those of its denominator, and `above` those
    of its numerator. `effective` is the sample that the weights of its answers leave, where a
    margin is asked for.
    """

    verdict: Verdict
    reason: NotEvaluated | None
    value: Fraction | None
    band: Band
    numerator: Fraction
    denominator: Fraction
    items: int
    tally: Tally
    bound: Fraction | None
    unacceptable: Fraction | None
    above: Tally | None = None
    effective: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A criterion judged. `value` is that of its only part; a conjunction shows its parts."""

    verdict: Verdict
    reason: NotEvaluated | None
    value: Fraction | None
    band: Band
    parts: tuple[PartResult, ...]


@dataclass(frozen=True, slots=True)
class WindowBounds:
    """One window: `start` (inclusive) and `end` (exclusive) are UTC instants of local midnights."""

    id: str
    start: datetime
    end: datetime
