"""Late cases as msgspec structs: most of what is said on breaches.v1, said from the hot path.

What is left out has its default there; a test holds both forms equal.
"""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct


class LateCaseData(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """See `breaches.BreachData`. `window` is the JSON of a `results.ResultWindow`."""

    municipality: str
    carta: str
    carta_version: int
    compromiso: str
    unit: str
    responsible_unit: str
    window: msgspec.Raw
    kind: Literal["late_case"]
    breach: str
    case: str
    due_at: datetime | None = None
    received_at: datetime | None = None


class LateCase(Struct, frozen=True, kw_only=True, gc=False):
    """See `breaches.BreachEvent`."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: Literal["breach.v1"]
    time: datetime
    subject: str
    traceparent: str
    data: LateCaseData

    @property
    def key(self) -> str:
        """municipality/compromiso."""
        return f"{self.data.municipality}/{self.data.compromiso}"
