"""What one transaction brought about, told in one line of the log, each outcome with its trace."""

import logging
from collections import Counter

import msgspec

from shared.contracts import hot

logger = logging.getLogger(__name__)

MAX_TOLD = 50
"""Outcomes of one transaction that are told one by one; beyond them only the counts."""


class Outcomes:
    """Ids of notable outcomes (refused, late, broken, mailed): bounded, and never a value."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._told: list[dict[str, str]] = []

    def add(self, outcome: str, traceparent: str | None, ids: dict[str, str | None]) -> None:
        """Note one; its ids are kept while there is room."""
        self._counts[outcome] += 1
        if len(self._told) < MAX_TOLD:
            named = {"outcome": outcome, "traceparent": traceparent, **ids}
            self._told.append({name: value for name, value in named.items() if value is not None})

    def log(self) -> None:
        """Write the line, unless nothing notable has come about."""
        if self._counts:
            logger.info("outcomes", extra={"counts": dict(self._counts), "told": self._told})


class _Traced(msgspec.Struct):
    traceparent: object = None


_decode = msgspec.json.Decoder(_Traced).decode


def trace_in(payload: bytes) -> str | None:
    """Return the trace that a payload names, whatever else is wrong with it; never raises."""
    try:
        return msgspec.convert(_decode(payload).traceparent, hot.Traceparent | None)
    except Exception:  # noqa: BLE001 - whatever a refused payload provokes, it is being refused
        return None
