"""What the judge takes and gives: cases, their verdicts, counts, results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction


class CaseStatus(StrEnum):
    """What a case is in the counts; in a mean, `met` reads "measured"."""

    MET = "met"
    FAILED = "failed"
    PENDING = "pending"
    EXCLUDED = "excluded"


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


@dataclass(frozen=True, slots=True)
class CasePause:
    """One pause of a case with the reason its emitter gave; `end` None while it is open."""

    reason: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of a case: the latest revision of each event, as aware instants.

    `exclusions` are those the emitter named, of which a criterion admits only the ones it lists,
    and accepted contests, which it need not list.
    `own_due` is an instant promised to this very case. `abandoned_at` is when the person left.
    """

    events: Mapping[str, datetime]
    pauses: tuple[CasePause, ...] = ()
    exclusions: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict)
    own_due: datetime | None = None
    abandoned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """The verdict on one case under one part. It depends on written instants alone.

    `reason` is a `CaseReason` or the name of the exclusion; None for a plain met or failed.
    `anchor_instant` places the case in a window; None while that is unknown (an open pause, or
    anchor `closed` without a stop): the case is then in no window yet.
    `due` is when the term is used up (UTC): inclusive for s, min, h and their habil forms with
    `<=`, the end (exclusive) of the last day for dates. It is the instant to show.
    `overdue_from` is the instant at which an open case becomes overdue, once its source is known
    complete through it: set the alarm here. It is `due`, except where office hours or a pause
    begin to stand still exactly at `due`: nothing is late before the clock moves again.
    `elapsed` is in microseconds, or whole days or months where the unit counts those.
    """

    status: CaseStatus
    reason: str | None
    anchor_instant: datetime | None
    due: datetime | None
    overdue_from: datetime | None
    elapsed: int | None
    overdue_open: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one part, unit and window; they add and subtract.

    Population = met + failed + pending + the sum of `excluded`. In a mean, `met` counts the
    measured cases and `failed` stays 0. `overdue_open` is part of `failed` in a share and of
    `pending` in a mean. `elapsed_sum` over `elapsed_count` cases with a stop (met or failed) is in
    microseconds, or whole days or months where the unit counts those.
    A difference of two tallies may be negative: it is a change, not a count.
    """

    met: int = 0
    failed: int = 0
    pending: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    overdue_open: int = 0
    elapsed_sum: int = 0
    elapsed_count: int = 0

    @classmethod
    def of(cls, verdict: CaseVerdict) -> Tally:
        """Return the tally of one case."""
        status = verdict.status
        elapsed = verdict.elapsed if status in (CaseStatus.MET, CaseStatus.FAILED) else None
        return cls(
            met=int(status is CaseStatus.MET),
            failed=int(status is CaseStatus.FAILED),
            pending=int(status is CaseStatus.PENDING),
            excluded={str(verdict.reason): 1} if status is CaseStatus.EXCLUDED else {},
            overdue_open=int(verdict.overdue_open),
            elapsed_sum=elapsed or 0,
            elapsed_count=int(elapsed is not None),
        )

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


def _combined(left: Tally, right: Tally, *, sign: int) -> Tally:
    names = sorted(left.excluded.keys() | right.excluded.keys())
    excluded = {n: left.excluded.get(n, 0) + sign * right.excluded.get(n, 0) for n in names}
    return Tally(
        met=left.met + sign * right.met,
        failed=left.failed + sign * right.failed,
        pending=left.pending + sign * right.pending,
        excluded={name: count for name, count in excluded.items() if count},
        overdue_open=left.overdue_open + sign * right.overdue_open,
        elapsed_sum=left.elapsed_sum + sign * right.elapsed_sum,
        elapsed_count=left.elapsed_count + sign * right.elapsed_count,
    )


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
    PENDING_CASES = "casos_pendientes"
    UNSUPPORTED_FORM = "forma_no_soportada"
    MEASUREMENT_INCIDENT = "incidencia_de_medicion"
    SERVICE_NOT_PROVIDED = "servicio_no_prestado"
    CARTA_SUSPENDED = "carta_suspendida"


class Band(StrEnum):
    """Traffic light: met; between target and unacceptable; at unacceptable or worse; no verdict."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class PartResult:
    """One part judged. `value` is exact: percent for a share, the clock's unit for a mean.

    `value` is there whenever a case was decided, also when the sample is too small to judge.
    """

    verdict: Verdict
    reason: NotEvaluated | None
    value: Fraction | None
    band: Band
    numerator: int
    denominator: int
    tally: Tally


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
