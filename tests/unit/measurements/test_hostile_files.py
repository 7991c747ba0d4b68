"""Mappings and files that nobody means well with: each is refused with its place."""

import gzip
import itertools
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from services.measurements.commands import read_mapping
from services.measurements.domain.checks import Reason, Refusal
from services.measurements.domain.mapping_file import MappingError, MappingFile
from services.measurements.domain.rows import Row, RowReader
from services.measurements.use_cases.files import UnreadableFileError, open_csv
from tests.unit.measurements.builders import NOON

MAPPING = """\
mapping: measurements/1
source: https://turnos.example/csv
municipality: nogal
zone: America/Mexico_City
case: [turno]
row: [turno, vuelta]
service: RC-ACTAS
events:
  - {kind: ticket.issued, column: emitido}
due: {column: limite, end_of_day: true}
"""
HEADER = ["turno", "vuelta", "emitido", "limite"]
LAST_LINE = MAPPING.count("\n")
MEGABYTE = 1_000_000
PEAK_BYTES = 50 * MEGABYTE

ADDED = {
    "a time that is none": "x: !!timestamp ayer",
    "an empty number": 'x: !!int ""',
    "a tag of no kind": "x: !<tag:yaml.org,2002:bool> quizás",
    "a tag of Python": "x: !!python/object/apply:os.system [id]",
    "a day that does not exist": "x: 2026-02-31",
    "a number without digits": "x: 0b_",
    "a number of 5000 digits": "x: " + "9" * 5000,
    "a key twice": "zone: Europe/Madrid",
    "a key twice further in": "historical: {as_of: x, as_of: y}",
    "an alias": "x: *nadie",
    "an alias of itself": "x: &a [*a]",
    "a merge": "<<: {complete: true}",
    "a list as key": "? [a]\n: b",
    "nested without end": "x: " + "[" * 50_000,
    "a second document": "---\nmapping: measurements/1",
    "a NUL": "x: \x00",
    "a surrogate as key": '"\\ud800": 1',
    "an encoding that is none": "encoding: utf-99",
    "an encoding of host names": "encoding: idna",
    "an encoding of host names, too": "encoding: punycode",
    "a line break as delimiter": 'delimiter: "\\n"',
    "a NUL as delimiter": 'delimiter: "\\0"',
    "a line break as quote": 'quote: "\\r"',
}


@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
def test_a_bad_member_of_a_mapping_is_named_with_its_line(added: str) -> None:
    with pytest.raises(MappingError) as refused:
        MappingFile("m.yaml", MAPPING + added + "\n")
    place, _, rest = str(refused.value).partition(": ")
    assert place.startswith("m.yaml:")
    assert LAST_LINE < int(place.removeprefix("m.yaml:")) <= LAST_LINE + added.count("\n") + 2
    assert rest


def test_one_mark_for_two_things_is_refused() -> None:
    with pytest.raises(MappingError, match="delimiter and quote need different marks"):
        MappingFile("m.yaml", MAPPING + 'delimiter: ";"\nquote: ";"\n')


@pytest.mark.parametrize("pattern", ["%d%d", "%Q", "100 %", "%"])
def test_a_format_that_no_time_can_have_is_a_fault_of_the_mapping(pattern: str) -> None:
    mapping = MAPPING.replace("column: emitido", f'column: emitido, format: "{pattern}"')
    with pytest.raises(MappingError, match=r"^m\.yaml:9: events\.0\.format"):
        MappingFile("m.yaml", mapping)


def test_a_mapping_that_is_no_text_is_not_called_missing(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_bytes(MAPPING.encode() + b"unit: \xff\n")
    with pytest.raises(MappingError, match=rf"m\.yaml:{LAST_LINE + 1}: not UTF-8"):
        read_mapping(str(path))


def test_a_mapping_is_not_read_beyond_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    with path.open("wb") as file:
        file.truncate(10_000 * MEGABYTE)
    with pytest.raises(MappingError, match="larger than"):
        read_mapping(str(path))


def read(**changes: str) -> Row | Refusal:
    reader = RowReader(MappingFile("m.yaml", MAPPING).mapping, HEADER)
    cells = {"turno": "A1", "vuelta": "1", "emitido": "2026-03-02 06:00", "limite": ""} | changes
    found = reader.read([cells[name] for name in HEADER], NOON + timedelta(days=1))
    assert isinstance(found, Row | Refusal)
    return found


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"vuelta": "a\x00b"}, "vuelta"),
        ({"vuelta": "x" * 100_000}, "vuelta"),
        ({"limite": "9999-12-31"}, "limite"),
        ({"limite": "0001-01-01T00:00:00+14:00"}, "limite"),
        ({"limite": "2300-01-02"}, "limite"),
        ({"limite": "1999-12-01"}, "limite"),
        ({"emitido": "0001-01-01T00:00:00+14:00"}, "emitido"),
        ({"emitido": "9999-12-31T23:59:59-14:00"}, "emitido"),
    ],
)
def test_a_cell_that_cannot_be_kept_is_refused_by_its_column(
    changes: dict[str, str], column: str
) -> None:
    refusal = read(**changes)
    assert isinstance(refusal, Refusal)
    assert refusal.field == column


def numbered(path: Path, mapping: str = MAPPING) -> Iterator[tuple[int, list[str] | Refusal]]:
    with open_csv(path, MappingFile("m.yaml", mapping).mapping) as file:
        for chunk in file.chunks():
            yield from ((line.number, line.cells) for line in chunk)


GOOD = b"A1,1,2026-03-02 06:00,\n"


def bomb(path: Path, *parts: tuple[bytes, int]) -> Path:
    """Write a gzip of the header, the parts so often each, and one good row."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(",".join(HEADER).encode() + b"\n")
        for part, times in parts:
            for _ in itertools.repeat(None, times):
                file.write(part)
        file.write(GOOD)
    return path


BOMBS = {
    "one line without end": [(b"x" * MEGABYTE, 200), (b"\n", 1)],
    "one row of many lines": [((b'"' + b"x" * 1000 + b'\n",') * 100, 600), (b'"\n', 1)],
    "many rows of many cells": [((b"," * 100_000 + b"\n") * 10, 30)],
}


@pytest.mark.parametrize("parts", BOMBS.values(), ids=BOMBS)
def test_a_zip_bomb_costs_no_memory_and_no_good_row(
    tmp_path: Path, parts: list[tuple[bytes, int]]
) -> None:
    path = bomb(tmp_path / "bomba.csv.gz", *parts)
    last: list[str] | Refusal = []
    tracemalloc.start()
    try:
        for _, cells in numbered(path):
            last = cells
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert last == GOOD.decode().strip().split(",")
    assert peak < PEAK_BYTES


def test_a_line_beyond_the_limit_is_refused_by_its_number(tmp_path: Path) -> None:
    path = bomb(tmp_path / "turnos.csv.gz", (b"x" * MEGABYTE, 3), (b"\n", 1), (GOOD, 1))
    (long_line, refusal), *good = numbered(path)
    assert (long_line, [number for number, _ in good]) == (2, [3, 4])
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.UNREADABLE_VALUE


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_a_broken_gzip_is_told_and_is_no_traceback(tmp_path: Path, place: float) -> None:
    path = bomb(
        tmp_path / "turnos.csv.gz", *[(GOOD.replace(b"A1", b"%d" % n), 1) for n in range(5000)]
    )
    content = bytearray(path.read_bytes())
    start = int(len(content) * place)
    content[start : start + 40] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"^turnos\.csv\.gz: cannot be read"):
        list(numbered(path))


def test_a_header_of_a_million_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "turnos.csv"
    path.write_text("," * 900_000 + "\n")
    with pytest.raises(UnreadableFileError, match="columns"):
        list(numbered(path))
