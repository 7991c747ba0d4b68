"""The cases of one window by the version that judged them, and the figure they make together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.evaluator.domain.catalogue import Catalogue, Promise
from shared.contracts.results import Cohort, PartCounts
from shared.criteria import Cells, NotEvaluated, Tally, add_up, added, merged

CohortCells = Mapping[tuple[int, int], Cells]
"""The cells of one window by carta version and measure."""


@dataclass(frozen=True, slots=True)
class Cohorts:
    """What the versions counted. `deciding`: the promise whose target the whole is held to.

    `versions` are those with cases, ascending. `apart` are those of them whose counts are of
    another figure than the deciding one's: a mean of days and a share do not add up.
    """

    deciding: Promise
    cells: CohortCells
    apart: frozenset[int]

    @property
    def versions(self) -> list[int]:
        return sorted({version for version, _ in self.cells})

    @property
    def impediment(self) -> NotEvaluated | None:
        """Why there is no verdict on the window as a whole, whatever the counts."""
        return NotEvaluated.FORM_CHANGED if self.apart else None

    def together(self) -> Sequence[Cells]:
        """Return the cells of each measure of the deciding promise, of all that adds up with it."""
        measures = range(len(self.deciding.measures))
        return [self._measure(measure) for measure in measures]

    def _measure(self, measure: int) -> Cells:
        total: Cells = {}
        for (version, number), cells in sorted(self.cells.items()):
            if number == measure and version not in self.apart:
                total = added(total, cells)
        return total

    def listed(self) -> tuple[Cohort, ...]:
        """Return each version's own counts, where there are several."""
        versions = self.versions
        if len(versions) < 2 and not self.apart:
            return ()
        return tuple(Cohort(carta_version=v, parts=self._parts(v)) for v in versions)

    def _parts(self, version: int) -> tuple[PartCounts, ...]:
        """A part of two measures shows its denominator's, as the result does."""
        numbers = [number for cohort, number in self.cells if cohort == version]
        own = {number: merged(self.cells[version, number]) for number in numbers}
        if version in self.apart:
            return tuple(part_counts(own[number]) for number in sorted(own))
        last = {measure.part: n for n, measure in enumerate(self.deciding.measures)}
        return tuple(part_counts(own.get(last[part], Tally())) for part in sorted(last))


def part_counts(tally: Tally) -> PartCounts:
    """Return the counts as they travel."""
    return PartCounts(
        met=tally.met,
        failed=tally.failed,
        pending=tally.pending,
        excluded=dict(sorted(tally.excluded.items())),
        overdue_open=tally.overdue_open,
    )


def cohorts_of(catalogue: Catalogue, deciding: Promise, cells: CohortCells) -> Cohorts:
    """Tell the versions apart whose counts are not of the deciding promise's figures.

    The cases of a version that was withdrawn are about to be judged by another: they stay apart.
    """
    town, compromiso = deciding.municipality, deciding.compromiso
    apart = set()
    for version in {version for version, _ in cells} - {deciding.carta.version}:
        promise = catalogue.promise(town, deciding.id, version)
        if promise is None or not add_up(promise.compromiso.criterion, compromiso.criterion):
            apart.add(version)
    return Cohorts(deciding, cells, frozenset(apart))
