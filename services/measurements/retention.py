"""How long measurements keeps what no figure is made of; facts stay for ever."""

from services.measurements.settings import Settings
from shared.retention import Term, refused


def terms(settings: Settings) -> tuple[Term, ...]:
    """Return them."""
    return (
        refused(settings.refused_keep),
        Term(
            "refusals on emitters' pages",
            settings.refused_keep,
            "as long as what was refused; they name fields, no values",
            "edge_refusal",
            "refused_at < $1",
        ),
    )
