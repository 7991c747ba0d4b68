"""What the cases of one transaction are judged by, and where the changes are gathered."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from services.evaluator.domain.catalogue import Catalogue, Promise
from services.evaluator.domain.coverage import Coverage
from services.evaluator.domain.judging import Closed, Judgement
from services.evaluator.domain.results import Subject
from services.evaluator.store.cases import CaseKey, Verdicts
from services.evaluator.store.windows import WindowKey
from services.evaluator.use_cases.changes import Cell, Changes
from services.evaluator.use_cases.known_windows import KnownWindows
from shared.contracts import hot
from shared.contracts.results import AddendumReason
from shared.criteria import WindowBounds
from shared.messaging import Transaction

_UNASKED: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the cases of one transaction are judged by, and where the changes are gathered.

    `before`: the verdicts that stand in the database. `again`: why cases are judged again, where no
    new fact of theirs has arrived. `through`: what `known` has answered. `numbers`: of windows, as
    far as they were asked for.
    """

    tx: Transaction
    catalogue: Catalogue
    coverage: Coverage
    before: Mapping[CaseKey, Verdicts]
    verdicts: dict[CaseKey, Verdicts]
    closed: Mapping[str, Closed]
    changes: Changes
    windows: KnownWindows
    again: AddendumReason | None = None
    through: dict[object, datetime | None] = field(default_factory=dict)
    numbers: dict[WindowKey, int] = field(default_factory=dict)

    def cell(self, town: str, judgement: Judgement, promise: Promise, bounds: WindowBounds) -> Cell:
        """Return where a verdict counts; its window will exist from then on."""
        cells = self.changes.cells
        key = (id(promise), judgement.part, judgement.unit, bounds.id, judgement.cell)
        cell = cells.get(key)
        if cell is None:
            window = (town, judgement.compromiso, judgement.unit, bounds.id)
            subject = self.subject(window, promise, bounds)
            cell = cells[key] = self.changes.open_cell(window, judgement, promise, subject)
        return cell

    def subject(self, key: WindowKey, promise: Promise, bounds: WindowBounds) -> Subject:
        """Return the window under the version that it is held to; it will exist from then on."""
        subject = self.changes.subjects.get(key)
        if subject is None:
            subject = self.windows.subject(self.catalogue, key, promise, bounds)
            self.changes.subjects[key] = subject
        return subject

    async def open_windows(self) -> None:
        """Make the windows exist in which something counts."""
        self.numbers.update(await self.windows.open(self.tx, self.changes.subjects.values()))

    async def numbers_of(self, keys: Collection[WindowKey]) -> list[int]:
        """Return the numbers of windows that exist, in no order."""
        asked = [key for key in keys if key not in self.numbers]
        if asked:
            self.numbers.update(await self.windows.numbers(self.tx, asked))
        return [self.numbers[key] for key in keys]

    def known(self, data: hot.CaseData) -> datetime | None:
        """Return through when all about a case is known; asked once for all that are alike."""
        kind = (data.municipality, data.service, data.historical, data.sources)
        known = self.through.get(kind, _UNASKED)
        if known is _UNASKED:
            known = self.through[kind] = self.coverage.complete_through(
                data.municipality,
                data.service,
                case_sources=data.sources,
                historical=data.historical,
            )
        return known
