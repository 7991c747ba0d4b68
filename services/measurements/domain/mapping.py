"""A mapping says how the rows of a file become events: its columns, zone, source and rules."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from shared.contracts.events import Code, EventKind, LongIdentifier
from shared.contracts.service_events import AttributeName
from shared.errors import CartasError

MAX_MAPPING_BYTES = 256 * 1024
LATEST_INSTANT = "latest instant in file"
ISO = "iso"

Column = Annotated[str, Field(min_length=1, max_length=200)]


class MappingError(CartasError):
    """The mapping, or the file's header beside it, is wrong; the message has one line a fault."""


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeColumn(_Declared):
    """An instant in a column. `format` is `iso` or a strptime pattern.

    A time without offset is local to the mapping's zone: an hour that comes twice is the first.
    `values` says what time a cell that is no time stands for (a quarter's name: its first day).
    `absent` are cells that say no time, as an empty one does (a system's 01/01/1900).
    """

    column: Column
    format: str = ISO
    values: dict[str, str] | None = None
    absent: tuple[str, ...] = ()


class EventColumn(TimeColumn):
    """The event that a filled cell says happened. An empty cell: not (yet), if `optional`."""

    kind: EventKind
    optional: bool = False


class Condition(_Declared):
    """Holds where the cell keeps the one test it has; cells are stripped.

    `in`: it is one of these; the empty string stands for no value. `same_as`: it says what that
    other column says, and says something. `since`, `before`: its time, in `format`, is in
    [since, before), both ISO 8601 and without an offset local; an empty cell is in no time.
    """

    column: Column
    values: tuple[str, ...] = Field(default=(), alias="in")
    same_as: Column | None = None
    since: str | None = None
    before: str | None = None
    format: str = ISO

    @field_validator("since", "before")
    @classmethod
    def _a_time(cls, text: str | None) -> str | None:
        if text is not None:
            datetime.fromisoformat(text)
        return text

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        in_time = self.since is not None or self.before is not None
        if sum((bool(self.values), self.same_as is not None, in_time)) != 1:
            raise ValueError("give exactly one of in, same_as, and since with before")
        return self


class Exclusion(Condition):
    """Rows where it holds say that the case is excluded for `reason`."""

    reason: Code


class Skip(Condition):
    """Rows where it holds are left out, and counted by `name`."""

    name: Code


class CodeColumn(_Declared):
    """A code in a column, as it stands (spaces become `_`) or through `values`."""

    column: Column
    values: dict[str, Code] | None = None


class AttributeColumn(CodeColumn):
    """A code, or what is made of a cell.

    `minus`: the whole number in the column less the one in that other column (attended less late
    is in time). `hour_of`: the local hour, `00` to `23`, of the time written in that format.
    """

    minus: Column | None = None
    hour_of: str | None = None

    @model_validator(mode="after")
    def _one_reading(self) -> Self:
        if sum(way is not None for way in (self.values, self.minus, self.hour_of)) > 1:
            raise ValueError("give at most one of values, minus, hour_of")
        return self


class Historical(_Declared):
    """The file is the past, whole: judged as of an instant, without mail or action."""

    as_of: AwareDatetime | Literal["latest instant in file"]


class Mapping(_Declared):
    """See docs/guides/emitters.md. `complete`: a row that is gone from the file never happened."""

    mapping: Literal["measurements/1"]
    source: LongIdentifier
    municipality: Code
    zone: str
    historical: Historical | None = None
    complete: bool = False
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    case: tuple[Column, ...] = Field(min_length=1, max_length=8)
    events: tuple[EventColumn, ...] = Field(min_length=1, max_length=20)
    service: Code | CodeColumn
    unit: CodeColumn | None = None
    attributes: dict[AttributeName, AttributeColumn] = Field(default_factory=dict, max_length=16)
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
            "".encode(encoding)
        except LookupError:
            raise ValueError("an encoding that Python knows is expected, as utf-8") from None
        return encoding

    @model_validator(mode="after")
    def _kinds_differ(self) -> Self:
        if len({event.kind for event in self.events}) != len(self.events):
            raise ValueError("each kind of event has one column")
        return self

    @property
    def services(self) -> tuple[str, ...]:
        """The services that its rows can name; `*` where they stand in a column as they are."""
        if isinstance(self.service, str):
            return (self.service,)
        return ("*",) if self.service.values is None else tuple(set(self.service.values.values()))

    def columns(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """Yield each column it needs, with the path in the mapping that names it."""
        for place, column in enumerate(self.case):
            yield column, ("case", place)
        if isinstance(self.service, CodeColumn):
            yield self.service.column, ("service", "column")
        if self.unit is not None:
            yield self.unit.column, ("unit", "column")
        if self.due is not None:
            yield self.due.column, ("due", "column")
        for name, attribute in self.attributes.items():
            yield attribute.column, ("attributes", name, "column")
            if attribute.minus is not None:
                yield attribute.minus, ("attributes", name, "minus")
        for field in ("events", "exclusions", "skip"):
            for place, item in enumerate(getattr(self, field)):
                yield item.column, (field, place, "column")
                if getattr(item, "same_as", None) is not None:
                    yield item.same_as, (field, place, "same_as")


def zone_of(zone: str) -> tzinfo:
    """Return an IANA zone or a fixed offset as `-05:00`. Raises ValueError."""
    if zone[:1] in "+-" and len(zone) == 6:
        offset = datetime.strptime(zone, "%z").utcoffset()
        return timezone(offset or timedelta())
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a zone as America/Mexico_City or -06:00 is expected") from None


class MappingFile:
    """A mapping with the place of each of its members, for errors that can be found."""

    def __init__(self, name: str, text: str) -> None:
        """Parse. Raises MappingError with every fault, each with its line."""
        self.name = name
        if len(text) > MAX_MAPPING_BYTES:
            raise MappingError(f"{name}: larger than {MAX_MAPPING_BYTES} bytes")
        try:
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            declared: Any = yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise MappingError(f"{name}: not YAML: {_where(error)}") from None
        try:
            self.mapping = Mapping.model_validate(declared)
        except ValidationError as error:
            raise MappingError(self._faults(error)) from None

    def check_header(self, file: str, header: Iterable[str]) -> None:
        """Raise MappingError unless the file has every column that the mapping names."""
        present = set(header)
        missing = [
            f'{file}: there is no column "{column}", named in {self.name}:{self.line(path)}'
            for column, path in self.mapping.columns()
            if column not in present
        ]
        if missing:
            columns = ", ".join(sorted(present))
            raise MappingError("\n".join([*missing, f"{file}: its columns are: {columns}"]))

    def line(self, path: Iterable[str | int]) -> int:
        """Return the line of a member, or of the nearest one around it that there is."""
        node = self._root
        for step in path:
            inner = _step(node, step)
            if inner is None:
                break
            node = inner
        return 1 if node is None else int(node.start_mark.line) + 1

    def _faults(self, error: ValidationError) -> str:
        return "\n".join(
            f"{self.name}:{self.line(fault['loc'])}: "
            f"{'.'.join(map(str, fault['loc'])) or 'mapping'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)
        )


def _step(node: "yaml.Node | None", step: str | int) -> "yaml.Node | None":
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item: yaml.Node = node.value[step]
        return item
    return None


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or type(error).__name__
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)
