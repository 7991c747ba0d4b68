"""What a process remembers of windows between its transactions: they are few, and do not change."""

from collections.abc import Collection
from typing import Final
from weakref import WeakKeyDictionary

from services.evaluator.domain.catalogue import Catalogue, Promise, Town
from services.evaluator.domain.results import Subject, window_of_result
from services.evaluator.store import windows as window_store
from services.evaluator.store.windows import NewWindow, WindowKey
from shared.criteria import WindowBounds
from shared.messaging import Transaction

MOST: Final = 100_000
"""So many are remembered; then it begins anew."""


class KnownWindows:
    """Numbers of windows that exist, and what their statements say while a town is as it is."""

    def __init__(self) -> None:
        self._numbers: dict[WindowKey, int] = {}
        self._subjects: WeakKeyDictionary[Town, dict[WindowKey, Subject]] = WeakKeyDictionary()
        self._remembered = 0

    def subject(
        self, catalogue: Catalogue, key: WindowKey, promise: Promise, bounds: WindowBounds
    ) -> Subject:
        """Return a window under the version that it is held to: `promise` where none decides."""
        subjects = self._of_town(catalogue.towns[key[0]])
        subject = subjects.get(key)
        if subject is None:
            deciding = catalogue.deciding(*key[:3], bounds)
            subject = _subject(deciding or promise, key, bounds)
            if deciding is not None:
                subjects[key] = subject
                self._remembered += 1
        return subject

    def _of_town(self, town: Town) -> dict[WindowKey, Subject]:
        """Return what is remembered of a town; when it changes, and is forgotten, so is this."""
        if self._remembered >= MOST:
            self._subjects.clear()
            self._remembered = 0
        return self._subjects.setdefault(town, {})

    async def open(self, tx: Transaction, subjects: Collection[Subject]) -> dict[WindowKey, int]:
        """Make those windows that are not known to exist; return the numbers of new ones."""
        unknown = [_new_window(each) for each in subjects if each.key not in self._numbers]
        if not unknown:
            return {}
        opened = await window_store.open_windows(tx.connection, unknown, tx.now)
        tx.on_commit.append(lambda: self._remember(opened))
        return opened

    async def numbers(self, tx: Transaction, keys: Collection[WindowKey]) -> dict[WindowKey, int]:
        """Return the numbers of windows that exist."""
        known = {key: self._numbers[key] for key in keys if key in self._numbers}
        unknown = [key for key in keys if key not in known]
        if unknown:
            found = await window_store.numbers_of(tx.connection, unknown)
            tx.on_commit.append(lambda: self._remember(found))
            known |= found
        return known

    def _remember(self, found: dict[WindowKey, int]) -> None:
        if len(self._numbers) + len(found) > MOST:
            self._numbers = {}
        self._numbers |= found


def _subject(promise: Promise, key: WindowKey, bounds: WindowBounds) -> Subject:
    window = window_of_result(
        bounds.id,
        promise,
        start=bounds.start,
        end=bounds.end,
        closes_at=promise.closes_at(bounds),
    )
    return Subject(promise, key[2], window)


def _new_window(subject: Subject) -> NewWindow:
    promise, window = subject.promise, subject.window
    return NewWindow(
        key=subject.key,
        carta=promise.carta.carta,
        carta_version=promise.carta.version,
        starts_at=window.start,
        ends_at=window.end,
        closes_at=window.closes_at,
    )
