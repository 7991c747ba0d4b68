"""What lists show of a carta version: a page of a municipality reads no carta whole."""

from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.json import Decoder

from shared.contracts.cartas import CartaData, Compromiso, Scope, Status


class CompromisoHeading(Struct, frozen=True, gc=False):
    """A promise as printed."""

    id: str
    text: str
    scope: Scope


class CartaHeading(Struct, frozen=True):
    """The fields of `CartaData` that name it; those that are left out are for its own page."""

    carta: str
    version: int
    status: Status
    name: str
    department: str
    unit: str
    valid_from: date
    valid_to: date | None
    sensitive: bool
    event_words: dict[str, str]
    compromisos: tuple[CompromisoHeading, ...]


AnyCarta = CartaData | CartaHeading
AnyCompromiso = Compromiso | CompromisoHeading

_DECODER: Final = Decoder(CartaHeading)


def heading(carta: str) -> CartaHeading:
    """Read the heading of a carta version from the JSON of its `CartaData`, which was validated."""
    return _DECODER.decode(carta)
