"""Cartas as the judge needs them, read from what is stored: much is alike, and little is needed."""

from datetime import date
from hashlib import blake2b
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from services.evaluator.domain.rules import CartaRules, CompromisoRules, Days
from shared.contracts.cartas import Scope, Status
from shared.criteria import Criterion, Window

_DIGEST_BYTES: Final = 16


class _Compromiso(msgspec.Struct):
    id: str
    criterion: msgspec.Raw
    window: msgspec.Raw
    minimum_sample: int = 0
    closing_delay_days: int = 0
    expected_cases: int | None = None
    scope: Scope = Scope.CARTA


class _Days(msgspec.Struct):
    first: date
    last: date


class _Carta(msgspec.Struct):
    """What is left out has the default of the published model; the rest of it is passed over."""

    carta: str
    version: int
    unit: str
    calendar: str
    services: tuple[str, ...]
    valid_from: date
    compromisos: tuple[_Compromiso, ...]
    status: Status = Status.ACTIVE
    valid_to: date | None = None
    suspensions: tuple[_Days, ...] = ()


_DECODER: Final = msgspec.json.Decoder(_Carta)
# PostgreSQL writes equal JSON with equal bytes. What no promise holds any more is forgotten.
_KNOWN: Final[WeakValueDictionary[bytes, CompromisoRules]] = WeakValueDictionary()


def read_carta(data: str) -> CartaRules:
    """Return the rules of a stored carta. What was stored was valid: it came through its model."""
    read = _DECODER.decode(data)
    return CartaRules(
        carta=read.carta,
        version=read.version,
        is_retired=read.status is Status.RETIRED,
        unit=read.unit,
        calendar=read.calendar,
        services=read.services,
        valid_from=read.valid_from,
        valid_to=read.valid_to,
        suspensions=tuple(Days(each.first, each.last) for each in read.suspensions),
        compromisos={each.id: _rules(each) for each in read.compromisos},
    )


def _rules(read: _Compromiso) -> CompromisoRules:
    """Return the rules that are known already where all of them are alike."""
    others = (read.minimum_sample, read.closing_delay_days, read.expected_cases, read.scope)
    text = b"\n".join((bytes(read.criterion), bytes(read.window), repr(others).encode()))
    digest = blake2b(text, digest_size=_DIGEST_BYTES).digest()
    rules = _KNOWN.get(digest)
    if rules is None:
        criterion = Criterion.model_validate_json(bytes(read.criterion))
        window = Window.model_validate_json(bytes(read.window))
        rules = _KNOWN[digest] = CompromisoRules(criterion, window, *others)
    return rules
