"""How long the buzon keeps what persons wrote; folios and their steps stay for ever."""

from services.buzon.settings import Settings
from shared.retention import Term, refused

# A denuncia belongs to the Contraloria's file. A folio is over when it was answered, or judged
# after that.
_OVER = """
folio IN (SELECT folio FROM folio
          WHERE referred_at IS NULL AND greatest(answered_at, found_at) < $1)
"""
_SERIES = (
    "LGPDPPSO: as long as its purpose; the catalogo de disposicion documental says for how long"
)


def terms(settings: Settings) -> tuple[Term, ...]:
    """Return them; contacts and texts have none until the municipality's archive says one."""
    return (
        refused(settings.refused_keep),
        Term("contacts of answered folios", settings.contact_keep, _SERIES, "contact", _OVER),
        Term("texts of answered folios", settings.text_keep, _SERIES, "writing", _OVER),
    )
