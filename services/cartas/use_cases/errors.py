"""Why a step of a version is not taken; each says it in the words of whoever asked."""

from collections.abc import Sequence

from services.cartas.domain import Fault
from shared.errors import CartasError


class VersionError(CartasError):
    """Base: nothing was written."""


class UnknownVersionError(VersionError):
    """There is no such municipality, carta or version."""


class NotAllowedError(VersionError):
    """The post may not take this step."""


class WrongStateError(VersionError):
    """The version is not where this step begins."""


class FaultsError(VersionError):
    """What must be corrected first, each fault with its place in the draft."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"hay {len(faults)} por corregir")
        self.faults = tuple(faults)


class TermsError(VersionError):
    """The days or the acta cannot be as they were given."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


class UnacknowledgedError(VersionError):
    """Warnings that nobody took note of yet; `code` acknowledges exactly these."""

    def __init__(self, warnings: Sequence[str], code: str) -> None:
        super().__init__(f"hay {len(warnings)} avisos por reconocer; su código es {code}")
        self.warnings = tuple(warnings)
        self.code = code
