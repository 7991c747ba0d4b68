"""How long the portal keeps who signed in; results, actions and folios stay."""

from datetime import timedelta
from typing import Final

from services.portal.settings import Settings
from shared.contracts.topics import RETENTION_DAYS
from shared.retention import Term, refused

KEEP_ACCOUNTS: Final = timedelta(days=30)
_ACCOUNTS: Final = "links and sessions name a mailbox; a month suffices to see who was in"


def terms(settings: Settings) -> tuple[Term, ...]:
    """Return them."""
    return (
        refused(settings.refused_keep),
        Term("sign-in links", KEEP_ACCOUNTS, _ACCOUNTS, "sign_in", "expires_at < $1"),
        Term("sessions", KEEP_ACCOUNTS, _ACCOUNTS, "session", "expires_at < $1"),
        Term(
            "statements",
            timedelta(days=RETENTION_DAYS),
            "as long as their topic",
            "breach",
            "stated_at < $1",
        ),
    )
