"""How long the notifier keeps mail; actions, their steps and the ledger stay for ever."""

from services.notifier.settings import Settings
from services.notifier.use_cases.digests import KEEP_NOTICES
from shared.retention import Term, refused


def terms(settings: Settings) -> tuple[Term, ...]:
    """Return them."""
    return (
        refused(settings.refused_keep),
        Term("notices", KEEP_NOTICES, "as long as their topic", "notice", "noted_at < $1"),
        Term(
            "texts of sent mail",
            settings.mail_keep,
            "a mail is proved by its line in the ledger; its words are needed while it is disputed",
            "mail",
            "state <> 'waiting' AND settled_at < $1 AND message IS NOT NULL",
            forget="message = NULL",
        ),
    )
