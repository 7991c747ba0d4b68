"""The folio's number: `BZ-2026-000123-K`, public, said and written on paper, checked by itself."""

import re
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXY"
"""31 symbols, a prime: digits and A to Y without I, L, O, U, which are misread."""

MAX_LENGTH: Final = 40
_WRITTEN: Final = re.compile(r"BZ([0-9]{4})([0-9]{6,12})([0-9A-Y])")
_MISREAD: Final = str.maketrans("OIL", "011")
_SEPARATORS: Final = re.compile(r"[\s\-\u2010-\u2015]+")


class MalformedFolioError(ValueError):
    """The text cannot be a folio; says nothing of whether a folio exists."""


def folio_number(year: int, sequence: int) -> str:
    """Return the folio of the `sequence`-th writing of the local `year`; sequence starts at 1."""
    return f"BZ-{year:04d}-{sequence:06d}-{_check_character(f'{year:04d}{sequence:06d}')}"


def parse_folio(text: str) -> str:
    """Return the folio as we write it. Accepts lower case, missing hyphens, O for 0, I or L for 1.

    Raises MalformedFolioError: every single wrong character and every swap of two neighbours is
    caught.
    """
    if len(text) > MAX_LENGTH:
        raise MalformedFolioError
    written = _WRITTEN.fullmatch(plain(text))
    if written is None:
        raise MalformedFolioError
    year, sequence, check = written.groups()
    folio = folio_number(int(year), int(sequence))
    if not folio.endswith(f"-{sequence}-{check}"):
        raise MalformedFolioError
    return folio


def plain(text: str) -> str:
    """Return what a person typed in capitals, without separators, misread letters mended."""
    return _SEPARATORS.sub("", text).upper().translate(_MISREAD)


def _check_character(digits: str) -> str:
    """Weights 2, 3, 4… from the right; with a prime modulus no two faults of one kind cancel."""
    total = sum(weight * int(digit) for weight, digit in enumerate(reversed(digits), start=2))
    return ALPHABET[total % len(ALPHABET)]
