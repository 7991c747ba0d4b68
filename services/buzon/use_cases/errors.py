"""Why an input is not taken, by name; the names are the `reason` of answers and of metrics."""

from shared.errors import CartasError


class NotTakenError(CartasError):
    """Base: `reason` is a code of a closed list, `status` the HTTP answer to it."""

    reason = "not_taken"
    status = 422


class UnknownMunicipalityError(NotTakenError):
    """No active municipality of that code."""

    reason = "unknown_municipality"


class UnknownCartaError(NotTakenError):
    """No version of that carta is in force today."""

    reason = "unknown_carta"


class UnknownCompromisoError(NotTakenError):
    """No such compromiso, or not of the folio's carta."""

    reason = "unknown_compromiso"


class UnknownUnitError(NotTakenError):
    """No active unit of that code in the municipality."""

    reason = "unknown_unit"


class UnknownOriginalError(NotTakenError):
    """The folio of which this one should be a duplicate is not there to be seen."""

    reason = "unknown_original"


class SuspectedSpamError(NotTakenError):
    """The trap of the form was filled in, or the form faster than a person can."""

    reason = "suspected_spam"


class KeyReusedError(NotTakenError):
    """The same idempotency key came with other content."""

    reason = "idempotency_key_reused"
    status = 409


class TooManyRequestsError(NotTakenError):
    """A limit is used up until `retry_after_seconds` from now."""

    reason = "too_many_requests"
    status = 429

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds


class UnknownFolioError(NotTakenError):
    """No such folio, a wrong secret, or one that this post may not know of: all alike."""

    reason = "unknown_folio"
    status = 404


class NotYoursError(NotTakenError):
    """The post may see the folio, but this step is not its own."""

    reason = "not_this_post"
    status = 403


ALL = (
    UnknownMunicipalityError,
    UnknownCartaError,
    UnknownCompromisoError,
    UnknownUnitError,
    UnknownOriginalError,
    SuspectedSpamError,
    KeyReusedError,
    TooManyRequestsError,
    UnknownFolioError,
    NotYoursError,
)
