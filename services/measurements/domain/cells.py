"""Cells become instants, durations, numbers and codes; what cannot be read is named by column."""

import re
import unicodedata
from collections import abc
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from services.measurements.domain.checks import Reason, Refusal
from services.measurements.domain.contents import hash_of
from services.measurements.domain.mapping import (
    EXCEL,
    ISO,
    UNIX,
    UNIX_MS,
    AttributeColumn,
    CodeColumn,
    Condition,
    DurationUnit,
    Mapping,
    TimeColumn,
    Twice,
    zone_of,
)

_SPACES: Final = re.compile(r"\s+")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}\Z")
_TOKEN: Final = re.compile(r"[^\s\x00-\x1f\x7f-\x9f]{1,64}\Z")
_NOT_OF_A_CODE: Final = re.compile(r"[^A-Za-z0-9.:-]+")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?\Z")
_LONGEST_CODE, _LONGEST_STEM = 64, 55
_SINCE_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXCEL_ZERO: Final = datetime(1899, 12, 30)  # noqa: DTZ001 - local, as the sheet's days are
# The day of an instant is told in the mapping's zone: at either end of all time there is none.
_FIRST: Final = datetime(1, 1, 3, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)
_END_OF_DAY: Final = time(23, 59, 59, 999999)
_LONGEST_DURATION: Final = timedelta(days=36_500)
_SECONDS: Final = {
    DurationUnit.SECONDS: 1,
    DurationUnit.MINUTES: 60,
    DurationUnit.HOURS: 3600,
    DurationUnit.DAYS: 86_400,
}
_CLOCKS: Final = {
    DurationUnit.HOURS_MINUTES_SECONDS: (3600, 60, 1),
    DurationUnit.HOURS_MINUTES: (3600, 60),
    DurationUnit.MINUTES_SECONDS: (60, 1),
}


class UnreadableError(ValueError):
    """A cell cannot be read; carries the refusal to record."""

    def __init__(self, reason: Reason, column: str, detail: str) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, column, detail)


class Cells:
    """Reads the cells of rows under one header. Instants come out in UTC."""

    def __init__(self, mapping: Mapping, header: Sequence[str]) -> None:
        self._place = {column: place for place, column in enumerate(header)}
        self._encoding = mapping.encoding
        self._zone_name = mapping.zone
        self._zone = zone_of(mapping.zone)
        self._twice = mapping.twice
        self._made: dict[tuple[str, str], str] = {}

    def has(self, column: str) -> bool:
        """Return whether the file has the column."""
        return column in self._place

    def text(self, column: str, row: Sequence[str]) -> str:
        """Return the stripped cell. Raises UnreadableError for bytes that were no text."""
        text = row[self._place[column]].strip()
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            raise _unreadable(column, f"not {self._encoding} text")
        return text

    def holds(self, condition: Condition, row: Sequence[str]) -> bool:
        """Return whether the condition's one test is kept."""
        text = row[self._place[condition.column]].strip()
        if condition.values:
            return text in condition.values
        if condition.not_in:
            return text not in condition.not_in
        if condition.contains:
            return any(part in text for part in condition.contains)
        if condition.same_as is not None:
            return bool(text) and text == row[self._place[condition.same_as]].strip()
        instant = self._time(text, condition.column, condition.format) if text else None
        return instant is not None and self._is_between(instant, condition.since, condition.before)

    def _is_between(self, instant: datetime, since: str | None, before: str | None) -> bool:
        return (since is None or instant >= self._bound(since)) and (
            before is None or instant < self._bound(before)
        )

    def _bound(self, text: str) -> datetime:
        """A bound may stand in the hour that a clock skipped: no case lies there."""
        parsed = datetime.fromisoformat(text)
        return (parsed.replace(tzinfo=self._zone) if parsed.tzinfo is None else parsed).astimezone(
            UTC
        )

    def instant(self, column: TimeColumn, row: Sequence[str]) -> datetime | None:
        """Return the instant that is written, or None where the cell says none."""
        text = self.text(column.column, row)
        if not text or text in column.absent:
            return None
        if column.values is not None:
            text = _among(text, column.column, column.values)
        if column.clock is not None:
            text = f"{text} {self.text(column.clock, row)}".strip()
        for old, new in column.replace.items():
            text = text.replace(old, new)
        instant = self._time(text, column.column, column.format)
        return self._end_of_day(instant) if column.end_of_day else instant

    def _end_of_day(self, instant: datetime) -> datetime:
        day = instant.astimezone(self._zone).date()
        return datetime.combine(day, _END_OF_DAY, self._zone).replace(fold=1).astimezone(UTC)

    def duration(self, column: TimeColumn, row: Sequence[str]) -> timedelta | None:
        """Return the time that the cell says passed, to the microsecond; None for an empty one."""
        text = self.text(column.column, row)
        if not text or text in column.absent:
            return None
        unit = column.unit or DurationUnit.SECONDS
        if unit in _CLOCKS:
            seconds = _clock_seconds(text, unit, column.column)
        else:
            seconds = _number(text, column.column, decimal=column.decimal) * _SECONDS[unit]
        if not 0 <= seconds <= int(_LONGEST_DURATION.total_seconds()):
            raise _unreadable(column.column, "a duration from 0 to 36500 days is expected")
        return timedelta(microseconds=int((seconds * 1_000_000).to_integral_value(ROUND_HALF_EVEN)))

    def _time(self, text: str, column: str, formats: Sequence[str]) -> datetime:
        for pattern in formats:
            try:
                instant = parse_instant(text, pattern, self._zone, twice=self._twice)
            except (ValueError, ArithmeticError):
                continue
            if _FIRST <= instant < _LAST:
                return instant
        expected = " or ".join(
            "an ISO 8601 time" if f == ISO else f"a time as {f}" for f in formats
        )
        detail = f"{expected} that exists in {self._zone_name} is expected"
        if self._twice is Twice.REFUSE:
            detail += ", and but once"
        raise _unreadable(column, detail)

    def attribute(self, column: AttributeColumn, row: Sequence[str]) -> str | None:
        """An empty cell gives no attribute: the criterion excludes the case for it, by name."""
        text = self.text(column.column, row)
        if text in column.absent or (not text and column.values is None):
            return None
        if column.is_number:
            return self._sum(column, row)
        for formats, pattern in (
            (column.hour_of, "%H"),
            (column.weekday_of, "%u"),
            (column.date_of, "%Y-%m-%d"),
        ):
            if formats is not None:
                local = self._time(text, column.column, formats).astimezone(self._zone)
                return local.strftime(pattern)
        return self._code(column, text, shape=_TOKEN)

    def _sum(self, column: AttributeColumn, row: Sequence[str]) -> str:
        total = Decimal(0)
        signed = [(column.column, 1), *((name, 1) for name in column.plus)]
        for name, sign in (*signed, *((name, -1) for name in column.minus)):
            total += sign * _number(
                self.text(name, row),
                name,
                decimal=column.decimal or ".",
                thousands=column.thousands,
            )
        if column.round is not None:
            total = total.quantize(Decimal(1).scaleb(-column.round), ROUND_HALF_EVEN)
        return f"{total:f}"

    def code(self, column: CodeColumn, row: Sequence[str]) -> str | None:
        """Return the code of a service, a unit or a reason; None for an empty cell."""
        return self._code(column, self.text(column.column, row), shape=_CODE)

    def required(self, column: CodeColumn, row: Sequence[str], what: str) -> str:
        """Return the code. Raises UnreadableError where there is none."""
        code = self.code(column, row)
        if code is None:
            raise UnreadableError(Reason.MISSING_VALUE, column.column, f"{what} is needed")
        return code

    def _code(self, column: CodeColumn, text: str, *, shape: re.Pattern[str]) -> str | None:
        if text in column.absent:
            return None
        if column.values is not None:
            return _among(text, column.column, column.values, other=column.other)
        if not text:
            return None
        if column.as_code:
            return self._made_code(column.column, text)
        code = _SPACES.sub("_", text)
        if not shape.match(code):
            raise _unreadable(column.column, "not a code")
        return code

    def _made_code(self, column: str, text: str) -> str:
        code = code_of(text)
        if not code:
            raise _unreadable(column, "no code can be made of it")
        if self._made.setdefault((column, code), text) != text:
            raise _unreadable(column, "another text of the file has the same code: use values")
        return code

    def named(self, text: str, column: str, values: abc.Mapping[str, str]) -> str:
        """Return what `values` says the text stands for. Raises UnreadableError."""
        return _among(text, column, values)


def code_of(text: str) -> str:
    """Return a code of any text, of a long one with a hash; empty where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", text)
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    code = _NOT_OF_A_CODE.sub("_", letters).strip("_.:-")
    if len(code) <= _LONGEST_CODE:
        return code
    return f"{code[:_LONGEST_STEM]}-{hash_of(text).hex()[:8]}"


def parse_instant(text: str, pattern: str, zone: tzinfo, *, twice: Twice = Twice.FIRST) -> datetime:
    """Return the instant in UTC.

    Raises ValueError, also for a local time that a clock skipped; but a day whose midnight was
    skipped begins where the clock went on.
    """
    if pattern in (UNIX, UNIX_MS):
        unit = 1_000_000 if pattern == UNIX else 1000
        microseconds = (_plain(text) * unit).to_integral_value(ROUND_HALF_EVEN)
        return _SINCE_1970 + timedelta(microseconds=int(microseconds))
    parsed = _written(text, pattern)
    if parsed.tzinfo is not None:
        return parsed.astimezone(UTC)
    instant = parsed.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != parsed and parsed.time() != time():
        raise ValueError("the clock skipped this time")
    second = parsed.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if second > instant and twice is not Twice.FIRST:
        if twice is Twice.REFUSE:
            raise ValueError("this time came twice")
        return second
    return instant


def _written(text: str, pattern: str) -> datetime:
    if pattern == ISO:
        return datetime.fromisoformat(text)
    if pattern == EXCEL:
        # A sheet keeps a day's fraction in floats: the second is what it meant.
        seconds = (_plain(text) * 86_400).to_integral_value(ROUND_HALF_EVEN)
        return _EXCEL_ZERO + timedelta(seconds=int(seconds))
    return datetime.strptime(text, pattern)  # noqa: DTZ007 - its zone is the mapping's


def _plain(text: str) -> Decimal:
    if not _NUMBER.match(text):
        raise ValueError("not a number")
    return Decimal(text)


def _number(text: str, column: str, *, decimal: str = ".", thousands: str | None = None) -> Decimal:
    if thousands is not None:
        # Whatever space the file groups by: plain, no-break or narrow.
        text = _SPACES.sub("", text) if thousands == " " else text.replace(thousands, "")
    written = text if decimal == "." else _with_point(text)
    if not _NUMBER.match(written):
        raise _unreadable(column, f"not a number with a decimal {decimal}")
    return Decimal(written)


def _with_point(text: str) -> str:
    """A point is no mark where the comma is: what has one is no number."""
    return text.replace(".", "?").replace(",", ".")


def _clock_seconds(text: str, unit: DurationUnit, column: str) -> Decimal:
    parts, worth = text.split(":"), _CLOCKS[unit]
    if len(parts) != len(worth):
        raise _unreadable(column, f"a duration as {unit.value} is expected")
    numbers = [_number(part, column) for part in parts]
    if any(number < 0 for number in numbers) or any(number >= 60 for number in numbers[1:]):
        raise _unreadable(column, f"a duration as {unit.value} is expected")
    return sum((n * each for n, each in zip(numbers, worth, strict=True)), Decimal(0))


def _among(
    text: str, column: str, values: abc.Mapping[str, str], *, other: str | None = None
) -> str:
    found = values.get(text, other)
    if found is None:
        raise _unreadable(column, "not among the mapping's values")
    return found


def _unreadable(column: str, detail: str) -> UnreadableError:
    return UnreadableError(Reason.UNREADABLE_VALUE, column, detail)
