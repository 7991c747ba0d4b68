"""`results.v1`: the latest result of a compromiso, unit and window."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.contracts.events import (
    Code,
    Event,
    Identifier,
    Instant,
    Part,
    Revision,
    Small,
    Token,
)
from shared.criteria import Method


class Verdict(StrEnum):
    """Three outcomes, never silence."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_EVALUATED = "not_evaluated"


class Band(StrEnum):
    """Green reached the target, amber is between target and unacceptable, grey has no verdict."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


class ResultStatus(StrEnum):
    """Provisional while the window runs or its source is not known complete; then frozen."""

    PROVISIONAL = "provisional"
    FINAL = "final"


Count = Annotated[int, Field(ge=0)]
Exact = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,60}(/[0-9]{1,60})?$")]


class Prospect(StrEnum):
    """Whether a running promise can still be kept, from the best to the worst.

    Secured and lost: whatever else happens in the window. Safe: whatever becomes of the open
    cases. Behind: the open cases alone cannot bring it to its target, those yet to come can.
    """

    SECURED = "secured"
    SAFE = "safe"
    OPEN = "open"
    BEHIND = "behind"
    LOST = "lost"


class Uncounted(StrEnum):
    """Why no number of cases tells how many may fail."""

    AMOUNTS = "depende_de_cantidades"
    TIME = "depende_del_tiempo"
    TWO_POPULATIONS = "dos_poblaciones"


class Outlook(Part):
    """What a part of a running window can still become; exact, of the cases that are known.

    It counts groups and occurrences where the figure is made of those.
    """

    due: Count
    open: Count
    failed: Count | None = Field(
        default=None, description="Of `due`, against the promise; absent where no case alone is."
    )
    may_fail: Count | None = Field(
        default=None, description="How many of `open` may fail while the promise can still be kept."
    )
    uncounted: Uncounted | None = Field(default=None, description="Why there is no such number.")
    needed: Exact | None = Field(default=None, description="What the open ones must average.")
    distance: Exact | None = Field(
        default=None,
        description="How much may be added, or is missing, until the target; negative beyond it.",
    )
    best: Exact | None = Field(
        default=None, description="The best that the figure can become with the open ones."
    )
    prospect: Prospect


class VolumeBasis(StrEnum):
    """Where an expected number comes from: the carta, the window a year before, or the last one."""

    DECLARED = "declared"
    LAST_YEAR = "last_year"
    PREVIOUS = "previous"


class Forecast(Outlook):
    """The outlook if as many cases come as are expected; those yet to come count as open."""

    expected: Count
    basis: VolumeBasis
    window: Code = Field(description="The closed window that had as many; if declared, this one.")


class PartCounts(Part):
    """Counts of a part, or of what makes it up: population = met + failed + pending + excluded."""

    met: Count
    failed: Count
    pending: Count
    excluded: dict[str, Count] = Field(default={})
    overdue_open: Count


class SilentSpan(Part):
    """[start, end) in service hours in which a source that should speak did not; or it goes on."""

    start: Instant
    end: Instant | None = None


class CaseCoverage(Part):
    """How many of the cases known to exist were measured, on the window's days that are over.

    A case is of the local day on which it began. `known` and `measured` are of the days that a
    source counted; `beyond` are cases that came in beyond its counts.
    """

    known: Count = 0
    measured: Count = 0
    beyond: Count = 0
    counted_days: Count = 0
    uncounted_days: Count = Field(default=0, description="Opening days without a count.")
    silences: tuple[SilentSpan, ...] = Field(
        default=(), description="The latest ones of the sources, oldest first."
    )
    silent_minutes: Count = Field(
        default=0, description="Opening minutes of silence on days without a count."
    )
    expected_minutes: Count = Field(
        default=0, description="Opening minutes of the window in which sources should have spoken."
    )


class PartResult(Part):
    """Counts of one part: population = met + failed + pending + sum(excluded).

    Where cases have no limit, `met` are the measured ones; in a percentile, `failed` are the
    overdue ones that have no value yet. Those of a ratio are its denominator's.
    """

    form: Code
    met: Count
    failed: Count
    pending: Count
    excluded: dict[str, Count] = Field(default={})
    overdue_open: Count = Field(description="Of `failed`: overdue and still open.")
    value: Decimal | None = Field(
        default=None,
        description="The figure in `unit`, rounded to 4 places, for display only.",
    )
    exact: Exact | None = Field(
        default=None, description="The figure as it decided: a whole number or a fraction n/d."
    )
    numerator_counts: PartCounts | None = Field(
        default=None, description="Of a ratio: what its numerator counts, and leaves out by name."
    )
    numerator: int | Decimal = Field(description="Met cases or groups, or what adds up, in `unit`.")
    denominator: int | Decimal
    items: Count = Field(description="What the figure rests on: cases, answers, groups.")
    method: Method = Field(
        default=Method.RECORDS, description="How the items were measured; of a ratio, the whole."
    )
    instruments: tuple[Token, ...] = Field(
        default=(), description="Codes of the surveys or instruments that were asked for, sorted."
    )
    margin: Decimal | None = Field(
        default=None,
        description="Of a sample with a scale: the most that sampling moves the figure by, either"
        " way, at 95.5 %, in `unit`; the figure's range over the root of the items, or of"
        " `effective_sample`.",
    )
    effective_sample: Decimal | None = Field(
        default=None,
        description="Of answers that have weights: (sum of weights)² ÷ sum of weights², to 4"
        " places. It knows nothing of how people were chosen: the margin is approximate.",
    )
    target: Decimal | None = Field(
        default=None,
        description="Absent where the figure only informs, or follows a window that is missing.",
    )
    target_op: str | None = None
    unacceptable: Decimal | None = None
    unit: str
    verdict: Verdict
    reason: str | None = None
    coverage: CaseCoverage | None = Field(
        default=None, description="Of the denominator's cases, where the part has two populations."
    )
    outlook: Outlook | None = Field(default=None, description="Only while the window runs.")
    forecast: Forecast | None = Field(default=None, description="Only while the window runs.")

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        """No data without a reason: a defect of real sheets that must not be possible here."""
        if self.verdict is Verdict.NOT_EVALUATED and not self.reason:
            raise ValueError("a verdict that is missing has its reason")
        return self


class Cohort(Part):
    """The cases whose clock started while one version of the carta was in force.

    The counts of all versions add up to those of the part.
    """

    carta_version: Revision
    parts: tuple[PartCounts, ...]


MAX_CAUSE_CASES: Final = 20


class AddendumReason(StrEnum):
    """Why a closed window has a later edition: a closed list."""

    LATE_FACTS = "late_facts"
    CORRECTION = "correction"
    IMPORT = "import"
    CONTEST_ACCEPTED = "contest_accepted"
    CONTEST_TAKEN_BACK = "contest_taken_back"
    CATALOGUE_CHANGED = "catalogue_changed"
    TERM_PASSED = "term_passed"
    REFERENCE_MOVED = "reference_moved"
    SOURCE_HEARD = "source_heard"


class Cause(Part):
    """One reason of an addendum, with the cases that it moved: how many, and some by their ids."""

    reason: AddendumReason
    import_id: Identifier | None = Field(default=None, description="Which, where it was an import.")
    cases: Annotated[tuple[Identifier, ...], Field(max_length=MAX_CAUSE_CASES)] = Field(
        default=(), description="The first in order of their ids."
    )
    total: Count = Field(description="Cases that changed; 0 where what is known of them changed.")


class Moved(Part):
    """A count that a later edition changed: `met`, `failed`, `excluded.` and a name, or another."""

    part: Annotated[int, Field(ge=1)]
    count: Annotated[str, Field(max_length=120)]
    before: Count
    after: Count


class ResultWindow(Part):
    """[start, end) as UTC instants of local calendar bounds."""

    id: Code
    kind: Code
    start: Instant
    end: Instant
    closes_at: Instant = Field(description="Data cut-off: provisional until then.")


class ResultData(Part):
    """One result with its evidence. Edition 0 is provisional; 1 and later are frozen."""

    municipality: Code
    carta: Code
    carta_versions: tuple[int, ...] = Field(
        description="The versions that judged a case, and the one whose target decides; ascending."
    )
    compromiso: Code
    unit: Code
    window: ResultWindow
    edition: Small
    sequence: Annotated[
        int, Field(ge=1, description="Rises with each publication of this key, by any steps.")
    ]
    status: ResultStatus
    verdict: Verdict
    reason: str | None = None
    band: Band
    parts: Annotated[tuple[PartResult, ...], Field(min_length=1)]
    prospect: Prospect | None = Field(
        default=None, description="That of the worst part; only while the window runs."
    )
    at_risk: bool = Field(
        default=False, description="It would end badly if it ended now, or by a forecast."
    )
    cohorts: tuple[Cohort, ...] = Field(
        default=(),
        description="Where several versions judged cases: the counts of each, ascending.",
    )
    as_of: Instant = Field(
        description="The facts are complete through this instant as far as known."
    )
    calendar_versions: dict[str, int] = Field(default={})
    historical: bool = Field(default=False, description="Judged first through a historical import.")
    causes: tuple[Cause, ...] = Field(
        default=(), description="Of an addendum: what moved it, the most cases first."
    )
    moved: tuple[Moved, ...] = Field(
        default=(),
        description="Of an addendum: the counts that differ from the edition before, by part.",
    )

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        """No data without a reason: a defect of real sheets that must not be possible here."""
        if self.verdict is Verdict.NOT_EVALUATED and not self.reason:
            raise ValueError("a verdict that is missing has its reason")
        return self


class ResultPublished(Event):
    """A result, or a newer state of it."""

    type: Literal["result.v1"] = "result.v1"
    data: ResultData

    @property
    def key(self) -> str:
        """municipality/compromiso/unit/window/edition."""
        data = self.data
        return f"{data.municipality}/{data.compromiso}/{data.unit}/{data.window.id}/{data.edition}"
