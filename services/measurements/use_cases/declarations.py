"""The messages that a historical import has begun and that it is complete."""

from datetime import datetime

from services.measurements.use_cases.telling import PUBLISHER
from shared.contracts.ids import derived_id
from shared.contracts.measurements import ImportData, ImportDeclared, ImportPhase

IMPORT_DECLARED = "measurement.import.v1"


def declaration(
    import_id: str,
    source: str,
    *,
    municipality: str,
    phase: ImportPhase,
    expected: int,
    as_of: datetime,
    now: datetime,
) -> ImportDeclared:
    """Return the message that a historical import has begun or is complete."""
    return ImportDeclared(
        id=derived_id(f"{import_id}\x00{phase}", IMPORT_DECLARED, as_of),
        source=PUBLISHER,
        time=now,
        data=ImportData(
            municipality=municipality,
            source=source,
            import_id=import_id,
            phase=phase,
            expected_events=expected,
            as_of=as_of,
        ),
    )
