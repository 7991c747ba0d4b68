"""CSV files, plain or gzipped, read as a stream: memory does not grow with the file."""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self, cast

from services.measurements.domain.checks import Reason, Refusal
from services.measurements.domain.mapping import Mapping
from services.measurements.domain.mapping_file import MappingError

GZIP_MAGIC = b"\x1f\x8b"
CHUNK_ROWS = 1000
CHUNK_CHARACTERS = 1_000_000
MAX_ROW_CHARACTERS = 1_000_000
"""A row is held whole, however few bytes it takes in a gzip."""
MAX_COLUMNS = 2000


class UnreadableFileError(MappingError):
    """The file cannot be read to its end; nothing was changed by looking at it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row with the number of the line it ends on, or why it could not be split into cells."""

    number: int
    cells: list[str] | Refusal


class _Lines:
    """The lines of a text, counted; a row of the reader draws only so many characters of them."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.number = 0
        self.drawn = 0
        self._row_begins = 0

    def begin_row(self) -> None:
        self._row_begins = self.drawn

    def skip(self) -> None:
        """Draw a line, however long, and forget it."""
        self._rest_of(self._draw())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """Return the next line. Raises csv.Error where it makes the row too long."""
        line = self._draw()
        if not line:
            raise StopIteration
        if self.drawn - self._row_begins > MAX_ROW_CHARACTERS:
            self._rest_of(line)
            raise csv.Error("the row is too long")
        return line

    def _draw(self) -> str:
        line = self._text.readline(MAX_ROW_CHARACTERS + 1)
        self.number += bool(line)
        self.drawn += len(line)
        return line

    def _rest_of(self, line: str) -> None:
        while line and line[-1] not in "\r\n":
            line = self._text.readline(MAX_ROW_CHARACTERS)


class CsvFile:
    """An open file: its header, and its rows once."""

    def __init__(self, name: str, raw: BinaryIO, mapping: Mapping) -> None:
        """Read the header. Raises UnreadableFileError for a file without one."""
        self.name = name
        self._raw = raw
        plain = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if plain else raw
        # Bytes that are no text become surrogates: their cells are refused, not the whole file.
        text = io.TextIOWrapper(
            stream, encoding=mapping.encoding, errors="surrogateescape", newline=""
        )
        self._text = _Lines(text)
        with _explained(name):
            for _ in range(mapping.skip_lines):
                self._text.skip()
            self._reader = csv.reader(self._text, **_dialect(mapping))
            self.header = mapping.header or self._read_header()

    def _read_header(self) -> tuple[str, ...]:
        self._text.begin_row()
        try:
            names = next(self._reader, [])
        except csv.Error as error:
            raise UnreadableFileError(
                f"{self.name}: no header can be made of it: {error}"
            ) from None
        if not names:
            raise UnreadableFileError(f"{self.name}: the file is empty")
        if len(names) > MAX_COLUMNS:
            raise UnreadableFileError(f"{self.name}: more than {MAX_COLUMNS} columns")
        return _stripped(names)

    @property
    def position(self) -> int:
        """Bytes of the file, as it lies on disk, that are read."""
        return self._raw.tell()

    def chunks(self) -> Iterator[list[Line]]:
        """Yield the rows that are not blank, some at a time: by number and by size."""
        lines = self._lines()
        for first in lines:
            chunk, begun = [first], self._text.drawn
            while len(chunk) < CHUNK_ROWS and self._text.drawn - begun < CHUNK_CHARACTERS:
                line = next(lines, None)
                if line is None:
                    break
                chunk.append(line)
            yield chunk

    def _lines(self) -> Iterator[Line]:
        while True:
            cells: list[str] | Refusal | None
            self._text.begin_row()
            with _explained(self.name):
                try:
                    cells = next(self._reader, None)
                except csv.Error:
                    cells = Refusal(Reason.UNREADABLE_VALUE, None, "no CSV row can be made of it")
            if cells is None:
                return
            if cells:
                yield Line(self._text.number, cells)


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
    except (EOFError, OSError, zlib.error) as error:
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
