"""Names that hold for ever: of what the evaluator says, of its consumer group, of its writers."""

from datetime import datetime

from shared.contracts.ids import derived_id

SOURCE = "/evaluator"
GROUP = "evaluator"

# Partial rows of counts: whoever owns a partition writes rows of its own (measurements by the
# partition's number).
COMPLAINTS_WRITER = 1000
SCAN_WRITER = 2000
REJUDGING_WRITER = 2001


def breach_id(
    municipality: str, compromiso: str, unit: str, window_id: str, start: datetime
) -> str:
    """Return the one id of the breach of a compromiso in a unit and window."""
    return derived_id(f"{municipality}/{compromiso}/{unit}/{window_id}", "breach", start)


def statement_id(breach: str, kind: str, time: datetime, detail: str = "") -> str:
    """Return the id of one statement about a breach; `detail` tells repeats of a kind apart."""
    return derived_id(f"{breach}/{kind}/{detail}", "breach.v1", time)


def result_id(key: str, sequence: int, time: datetime) -> str:
    """Return the id of one publication of a result."""
    return derived_id(key, "result.v1", time, ordinal=sequence)
