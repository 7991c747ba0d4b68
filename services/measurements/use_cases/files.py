"""CSV files, plain or gzipped, read as a stream: memory does not grow with the file."""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from services.measurements.domain.checks import Reason, Refusal
from services.measurements.domain.mapping import Mapping
from services.measurements.domain.mapping_file import MappingError

GZIP_MAGIC = b"\x1f\x8b"
CHUNK_ROWS = 1000
MAX_LINE_CHARACTERS = 1_000_000


class UnreadableFileError(MappingError):
    """The file cannot be read to its end; nothing was changed by looking at it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row with the number of the line it ends on, or why it could not be split into cells."""

    number: int
    cells: list[str] | Refusal


class CsvFile:
    """An open file: its header, and its rows once."""

    def __init__(self, name: str, raw: BinaryIO, mapping: Mapping) -> None:
        """Read the header. Raises UnreadableFileError for a file without one."""
        self.name = name
        self._raw = raw
        self._skipped = mapping.skip_lines
        plain = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if plain else raw
        # Bytes that are no text become surrogates: their cells are refused, not the whole file.
        text = io.TextIOWrapper(
            stream, encoding=mapping.encoding, errors="surrogateescape", newline=""
        )
        with _explained(name):
            for _ in range(mapping.skip_lines):
                text.readline(MAX_LINE_CHARACTERS)
            self._reader = csv.reader(text, **_dialect(mapping))
            self.header = mapping.header or _stripped(next(self._reader, []))
        if not self.header:
            raise UnreadableFileError(f"{name}: the file is empty")

    @property
    def position(self) -> int:
        """Bytes of the file, as it lies on disk, that are read."""
        return self._raw.tell()

    def chunks(self) -> Iterator[list[Line]]:
        """Yield the rows that are not blank, some at a time."""
        lines = self._lines()
        while chunk := list(islice(lines, CHUNK_ROWS)):
            yield chunk

    def _lines(self) -> Iterator[Line]:
        while True:
            cells: list[str] | Refusal | None
            with _explained(self.name):
                try:
                    cells = next(self._reader, None)
                except csv.Error:
                    cells = Refusal(Reason.UNREADABLE_VALUE, None, "no CSV row can be made of it")
            if cells is None:
                return
            if cells:
                yield Line(self._skipped + self._reader.line_num, cells)


def _dialect(mapping: Mapping) -> dict[str, Any]:
    if not mapping.quote:
        return {"delimiter": mapping.delimiter, "quoting": csv.QUOTE_NONE}
    return {"delimiter": mapping.delimiter, "quotechar": mapping.quote}


def _stripped(header: Sequence[str]) -> tuple[str, ...]:
    """A mark of byte order is no part of the first name, whatever encoding was declared."""
    return tuple(name.strip("\ufeff \t") for name in header)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise UnreadableFileError(f"{name}: cannot be read to its end: {error}") from None
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"{name}: not {error.encoding}: {error.reason}") from None


@contextmanager
def open_csv(path: Path, mapping: Mapping) -> Iterator[CsvFile]:
    """Open a CSV file; gzip is told by its first bytes, whatever its name."""
    with path.open("rb") as raw:
        yield CsvFile(path.name, raw, mapping)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the file as it lies on disk."""
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
