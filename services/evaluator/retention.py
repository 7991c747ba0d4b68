"""How long evaluator keeps what no figure is made of."""

from services.evaluator.settings import Settings
from shared.retention import Term, refused


def terms(settings: Settings) -> tuple[Term, ...]:
    """Return them: only what was refused; all else is the record."""
    return (refused(settings.refused_keep),)
