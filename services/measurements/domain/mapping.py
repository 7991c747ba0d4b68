"""A mapping says how the rows of a file become events: docs/guides/files.md, key by key."""

import codecs
import re
from collections.abc import Iterator
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from services.measurements.domain.checks import EARLIEST, LATEST_PROMISE
from shared.contracts.events import Code, EventKind, LongIdentifier
from shared.contracts.service_events import CASE_EXCLUDED, CASE_PAUSED, AttributeName

LATEST_INSTANT = "latest instant in file"
ISO, UNIX, UNIX_MS, EXCEL = "iso", "unix", "unix_ms", "excel"
NAMED_FORMATS = frozenset({ISO, UNIX, UNIX_MS, EXCEL})
_PROBE = datetime(2024, 11, 30, 23, 45, 59, tzinfo=UTC)
LINE = "#"
"""Stands for the row's line in the file, where no column says what tells rows apart."""

Path = tuple[str | int, ...]
"""Where in the mapping a member is."""


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _shape(value: Any) -> str:
    return "<text>" if isinstance(value, str) else "<column>"


Column = Annotated[str, Field(min_length=1, max_length=200)]
Columns = Annotated[tuple[Column, ...], BeforeValidator(_listed), Field(max_length=50)]


def _a_format(pattern: str) -> str:
    if pattern not in NAMED_FORMATS:
        try:
            datetime.strptime(_PROBE.strftime(pattern), pattern)  # noqa: DTZ007 - only tried
        except (ValueError, re.error):
            raise ValueError(
                f"iso, unix, unix_ms, excel or a strptime pattern, not {pattern!r}"
            ) from None
    return pattern


Format = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_a_format)]
Formats = Annotated[
    tuple[Format, ...], BeforeValidator(_listed), Field(min_length=1, max_length=10)
]


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def columns(self) -> Iterator[tuple[str, Path]]:
        """Yield each column that it names, with the path inside it."""
        for name, value in self:
            if name in _COLUMN_MEMBERS and isinstance(value, str):
                yield value, (name,)
            elif name in _COLUMN_MEMBERS and value:
                yield from ((column, (name, place)) for place, column in enumerate(value))
            elif isinstance(value, _Declared):
                yield from _below((name,), value)
            elif isinstance(value, dict | tuple):
                items = value.items() if isinstance(value, dict) else enumerate(value)
                for step, item in items:
                    if isinstance(item, _Declared):
                        yield from _below((name, step), item)


_COLUMN_MEMBERS = frozenset({"column", "clock", "same_as", "plus", "minus", "case", "row"})


def _below(path: Path, declared: _Declared) -> Iterator[tuple[str, Path]]:
    return ((column, (*path, *inner)) for column, inner in declared.columns())


class Twice(StrEnum):
    """Which of the two instants a local time stands for that comes twice, as summer time ends."""

    FIRST = "first"
    SECOND = "second"
    REFUSE = "refuse"


class DurationUnit(StrEnum):
    """How a duration is written: a number of units (a day is 24 hours), or a clock's reading."""

    SECONDS = "s"
    MINUTES = "min"
    HOURS = "h"
    DAYS = "d"
    HOURS_MINUTES_SECONDS = "hh:mm:ss"
    HOURS_MINUTES = "hh:mm"
    MINUTES_SECONDS = "mm:ss"


class Condition(_Declared):
    """Holds where the cell keeps the one test it has; cells are stripped.

    `in`: it is one of these; the empty string stands for no value. `not_in`: it is none of these.
    `contains`: one of these stands in it. `same_as`: it says what that other column says, and says
    something. `since`, `before`: its time, in `format`, is in [since, before), both ISO 8601 and
    without an offset local; an empty cell is in no time.
    """

    column: Column
    values: tuple[str, ...] = Field(default=(), alias="in")
    not_in: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    same_as: Column | None = None
    since: str | None = None
    before: str | None = None
    format: Formats = (ISO,)

    @field_validator("since", "before")
    @classmethod
    def _a_time(cls, text: str | None) -> str | None:
        if text is not None and not MINYEAR < datetime.fromisoformat(text).year < MAXYEAR:
            raise ValueError("a year in which every zone has a clock is expected")
        return text

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        in_time = self.since is not None or self.before is not None
        listed = (bool(self.values), bool(self.not_in), bool(self.contains))
        if sum((*listed, self.same_as is not None, in_time)) != 1:
            raise ValueError(
                "give exactly one of in, not_in, contains, same_as, and since with before"
            )
        return self


class Exclusion(Condition):
    """Rows where it holds say that the case is excluded for `reason`."""

    reason: Code


class Skip(Condition):
    """Rows where it holds are left out, and counted by `name`."""

    name: Code


class CodeColumn(_Declared):
    """A code in a column, as it stands (spaces become `_`) or through `values`.

    `other`: the code of every text that `values` does not list; without it such a row is refused.
    `absent`: texts that say nothing, as an empty cell does. `as_code`: make a code of any text:
    accents fall away and whatever a code cannot hold becomes `_`; two texts of one file that come
    to the same code are refused, not merged.
    """

    column: Column
    values: dict[str, Code] | None = None
    other: Code | None = None
    absent: tuple[str, ...] = ()
    as_code: bool = False

    @model_validator(mode="after")
    def _other_than_what(self) -> Self:
        if self.other is not None and self.values is None:
            raise ValueError("other goes with values")
        if self.as_code and self.values is not None:
            raise ValueError("give values or as_code, not both")
        return self


Coded = Annotated[
    Annotated[Code, Tag("<text>")] | Annotated[CodeColumn, Tag("<column>")], Discriminator(_shape)
]
"""A code as it is written in the mapping, or the column that holds it."""


class KindColumn(_Declared):
    """The kind of event stands in a column: one row an event. A text not listed is refused."""

    column: Column
    values: dict[str, EventKind] = Field(min_length=1, max_length=200)


class TimeColumn(_Declared):
    """An instant in a column: written out, named, or so long after or before an event of the row.

    `format` is `iso`, `unix` or `unix_ms` (since 1970), `excel` (days, with a fraction, since
    1899-12-30, local), a strptime pattern, or several of them, of which the first that fits counts.
    `clock` is the column of the time of day where it stands apart; a space joins the two. `replace`
    puts one text for another first (`ene` for `Jan`). A time without offset is local to the
    mapping's zone. `values` says what time a cell that is no time stands for (a quarter's name: its
    first day). `absent` are cells that say no time, as an empty one does (a system's 01/01/1900).
    `end_of_day`: what happened, or is due, by the end of the date that is written. With `after` or
    `before`, an event declared above, the cell is a duration in `unit`.
    """

    column: Column
    clock: Column | None = None
    format: Formats = (ISO,)
    replace: dict[str, str] = Field(default_factory=dict, max_length=50)
    values: dict[str, str] | None = None
    absent: tuple[str, ...] = ()
    end_of_day: bool = False
    after: EventKind | None = None
    before: EventKind | None = None
    unit: DurationUnit | None = None
    decimal: Literal[".", ","] = "."

    @property
    def counted_from(self) -> str | None:
        """The event that a duration begins or ends with; None where the cell is a time."""
        return self.after or self.before

    @model_validator(mode="after")
    def _time_or_duration(self) -> Self:
        if self.after is not None and self.before is not None:
            raise ValueError("give after or before, not both")
        if (self.counted_from is None) != (self.unit is None):
            raise ValueError("a duration has unit, and after or before")
        if self.unit is not None and (self.clock or self.values or self.end_of_day):
            raise ValueError("clock, values and end_of_day are of a time, not of a duration")
        return self


class EventColumn(TimeColumn):
    """The event that a filled cell says happened. An empty cell: not (yet), if `optional`.

    `kind` may stand in a column. `when`: it happened only where all of these hold (the request's
    status is closed). `reason` is that of a pause, its end or an exclusion; others have none.
    """

    kind: Annotated[
        Annotated[EventKind, Tag("<text>")] | Annotated[KindColumn, Tag("<column>")],
        Discriminator(_shape),
    ]
    optional: bool = False
    when: tuple[Condition, ...] = Field(default=(), max_length=10)
    reason: Coded | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds that it can say."""
        kind = self.kind
        return frozenset([kind] if isinstance(kind, str) else kind.values.values())

    @model_validator(mode="after")
    def _a_pause_has_a_reason(self) -> Self:
        if self.reason is None:
            for kind in sorted(self.kinds & {CASE_PAUSED, CASE_EXCLUDED}):
                raise ValueError(f"{kind} needs a reason")
        return self


class AttributeColumn(CodeColumn):
    """A code, or what is made of a cell.

    `decimal`, `thousands`, `plus`, `minus`, `round`: the cell is a number; the numbers in the
    columns of `plus` are added and those of `minus` taken off (attended less late is in time), and
    the outcome is rounded to so many places, halves to even. `hour_of`, `weekday_of`, `date_of`:
    the local hour (`00` to `23`), weekday (`1` Monday to `7`) or date of the time in that format.
    """

    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'"] | None = None
    plus: Columns = ()
    minus: Columns = ()
    round: Annotated[int, Field(ge=0, le=4)] | None = None
    hour_of: Formats | None = None
    weekday_of: Formats | None = None
    date_of: Formats | None = None

    @property
    def is_number(self) -> bool:
        """Whether the cell is to be read as one."""
        said = (self.decimal, self.thousands, self.plus or None, self.minus or None, self.round)
        return any(each is not None for each in said)

    @model_validator(mode="after")
    def _one_reading(self) -> Self:
        parts_of_time = (self.hour_of, self.weekday_of, self.date_of)
        ways = sum(way is not None for way in (self.values, *parts_of_time))
        if ways + self.is_number + self.as_code > 1:
            raise ValueError(
                "give at most one of values, as_code, a number's keys, hour_of, weekday_of, date_of"
            )
        if self.thousands is not None and self.thousands == (self.decimal or "."):
            raise ValueError("thousands and decimals need different marks")
        return self


class Historical(_Declared):
    """The file is the past, whole: judged as of an instant, without mail or action."""

    as_of: AwareDatetime | Literal["latest instant in file"]

    @field_validator("as_of")
    @classmethod
    def _an_instant_of_ours(cls, as_of: datetime | str) -> datetime | str:
        if isinstance(as_of, datetime) and not EARLIEST <= as_of < LATEST_PROMISE:
            raise ValueError("a year from 2000 to 2299 is expected")
        return as_of


class Mapping(_Declared):
    """See docs/guides/files.md. `complete`: a row that is gone from the file never happened.

    `row` is what tells rows apart where a case has several; else the case does.
    """

    mapping: Literal["measurements/1"]
    source: LongIdentifier
    municipality: Code
    zone: str
    twice: Twice = Twice.FIRST
    historical: Historical | None = None
    complete: bool = False
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    skip_lines: int = Field(default=0, ge=0, le=1000)
    header: tuple[Column, ...] = Field(default=(), max_length=2000)
    case: tuple[Column, ...] = Field(min_length=1, max_length=8)
    row: tuple[Column, ...] = Field(default=(), max_length=8)
    events: tuple[EventColumn, ...] = Field(min_length=1, max_length=20)
    service: Coded
    unit: Coded | None = None
    attributes: dict[
        AttributeName,
        Annotated[
            Annotated[Code, Tag("<text>")] | Annotated[AttributeColumn, Tag("<column>")],
            Discriminator(_shape),
        ],
    ] = Field(default_factory=dict, max_length=16)
    due: TimeColumn | None = None
    exclusions: tuple[Exclusion, ...] = Field(default=(), max_length=50)
    skip: tuple[Skip, ...] = Field(default=(), max_length=50)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        zone_of(zone)
        return zone

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            # One of host names or of bytes is none of files: it cannot tell a bad byte from others.
            codecs.getincrementaldecoder(encoding)("surrogateescape").decode(b"ab")
            "".encode(encoding)
        except (LookupError, ValueError):
            raise ValueError("an encoding that Python knows is expected, as utf-8") from None
        return encoding

    @field_validator("delimiter", "quote")
    @classmethod
    def _a_mark(cls, mark: str) -> str:
        if mark and mark in "\r\n\0":
            raise ValueError("a line break or a NUL marks no cell")
        return mark

    @model_validator(mode="after")
    def _two_marks(self) -> Self:
        if self.delimiter == self.quote:
            raise ValueError("delimiter and quote need different marks")
        return self

    @field_validator("events")
    @classmethod
    def _kinds_differ(cls, events: tuple[EventColumn, ...]) -> tuple[EventColumn, ...]:
        plain = [
            event.kind for event in events if not event.when and not isinstance(event.reason, str)
        ]
        if len({kind for kind in plain if isinstance(kind, str)}) < sum(
            isinstance(kind, str) for kind in plain
        ):
            raise ValueError("each kind of event has one column; others of it say when")
        return events

    @model_validator(mode="after")
    def _durations_follow_their_event(self) -> Self:
        declared: set[str] = set()
        for event in self.events:
            if event.counted_from is not None and event.counted_from not in declared:
                raise ValueError(f"no event {event.counted_from} is declared above {event.column}")
            declared |= event.kinds
        if self.due is not None and self.due.counted_from not in {None, *declared}:
            raise ValueError(f"due is counted from {self.due.counted_from}, which is no event")
        return self

    @property
    def services(self) -> tuple[str, ...]:
        """The services that its rows can name; `*` where they stand in a column as they are."""
        if isinstance(self.service, str):
            return (self.service,)
        if self.service.values is None:
            return ("*",)
        return tuple({*self.service.values.values(), *filter(None, [self.service.other])})

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of events that its rows can say."""
        return frozenset().union(*(event.kinds for event in self.events))

    def columns(self) -> Iterator[tuple[str, Path]]:
        """Yield each column it needs of the file, with the path in the mapping that names it."""
        return (found for found in super().columns() if found[0] != LINE)


def zone_of(zone: str) -> tzinfo:
    """Return an IANA zone or a fixed offset as `-05:00`. Raises ValueError."""
    if zone[:1] in "+-" and len(zone) == 6:
        offset = datetime.strptime(zone, "%z").utcoffset()
        return timezone(offset or timedelta())
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a zone as America/Mexico_City or -06:00 is expected") from None
