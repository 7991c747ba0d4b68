"""`cartas.v1`: the catalogue as state; each message is one whole thing, ended ones *retired*."""

from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contracts.events import Code, Event, EventKind, Instant, Part, Revision
from shared.criteria import Criterion, Window
from shared.worktime import Calendar

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
EventWords = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Mailbox = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]


class Status(StrEnum):
    """A retired thing stays readable; nothing is deleted from the topic."""

    ACTIVE = "active"
    RETIRED = "retired"


class Role(StrEnum):
    """What a post may do."""

    UNIT = "unit"
    COORDINATION = "coordination"
    CONTRALORIA = "contraloria"
    ADMINISTRATOR = "administrator"


class EscalationStep(Part):
    """Who is told next when nobody acknowledged for so many working days."""

    level: Annotated[int, Field(ge=1, le=9)]
    post_level: Code = Field(description="`level` of the posts that are told, e.g. enlace_carta.")
    after_working_days: Annotated[int, Field(ge=0, le=365)]


class QuietHours(Part):
    """Local hours in which mail that can wait is held back."""

    start: time
    end: time


class MunicipalityData(Part):
    """A municipality and its own rules."""

    municipality: Code
    version: Revision
    status: Status = Status.ACTIVE
    name: Text
    state: str
    zone: str = Field(description="IANA time zone of its windows and working days.")
    coordination: Text
    calendar: Code = Field(description="Calendar of the cut-off and of deadlines.")
    cutoff_working_days: Annotated[int, Field(ge=0, le=60)] = 10
    show_running: bool = Field(
        default=False, description="Publish windows that still run, labelled."
    )
    small_cell: Annotated[int, Field(ge=0)] = 5
    small_cell_sensitive: Annotated[int, Field(ge=0)] = 10
    escalation: tuple[EscalationStep, ...] = ()
    quiet_hours: QuietHours | None = None
    digest: bool = False
    charter_noun: str = "carta compromiso"
    charter_noun_plural: str = "cartas compromiso"


class UnitData(Part):
    """An organisational unit; `parent` is its dependencia."""

    municipality: Code
    unit: Code
    version: Revision
    status: Status = Status.ACTIVE
    name: Text
    parent: Code | None = None


class PostData(Part):
    """A post, not a person: it holds a role and an institutional mailbox, never a private one."""

    municipality: Code
    post: Code
    version: Revision
    status: Status = Status.ACTIVE
    title: Text
    unit: Code | None = None
    role: Role
    level: Code = Field(
        description="enlace_carta, titular_unidad, titular_dependencia, coordinacion…"
    )
    mailbox: Mailbox | None = None


class CalendarData(Part):
    """One version of a calendar, exceptions and inheritance already resolved."""

    municipality: Code
    calendar: Calendar
    version: Revision
    status: Status = Status.ACTIVE
    known_since: Instant


class Scope(StrEnum):
    """Whether a promise is judged as a whole, or apart for each unit that served the cases."""

    CARTA = "carta"
    UNIT = "unit"


class Indicator(Part):
    """The indicator's public sheet."""

    name: Text
    formula: Text
    source: str
    frequency: str


class Expectation(Part):
    """What the citizens were asked, and when, before it was promised."""

    study: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    date: date


MOST_EXPECTED = 100_000_000


class Compromiso(Part):
    """One promise with a number in it."""

    id: Code
    base: Code = Field(description="Which of the five base indicators it is, or `propio`.")
    text: Text = Field(description="The sentence as the carta prints it.")
    indicator: Indicator
    criterion: Criterion
    window: Window
    minimum_sample: Annotated[int, Field(ge=0)] = 0
    closing_delay_days: Annotated[int, Field(ge=0, le=366)] = Field(
        default=0, description="Natural days after the window in which its facts still come in."
    )
    expected_cases: Annotated[int, Field(ge=1, le=MOST_EXPECTED)] | None = Field(
        default=None,
        description="Cases expected in a window, for forecasts; else those of an earlier one.",
    )
    scope: Scope = Scope.CARTA
    remedy: str | None = Field(
        default=None, description="What the citizen is owed when it is broken."
    )
    expectation: Expectation | None = Field(
        default=None, description="The measured expectation that its level answers."
    )


class Approval(Part):
    """Who approved the version, by which act."""

    body: Text
    record: Text
    date: date
    document: str | None = Field(default=None, description="Where the act can be read.")
    post: Code | None = Field(default=None, description="The post that put the act on record.")


class Suspension(Part):
    """The carta promises nothing from the first to the last day, both local and included."""

    first: date
    last: date
    reason: Text
    act: Text = Field(description="Where it was decided and published.")


class CartaData(Part):
    """One version of a carta. A case is judged by the version in force when its clock started."""

    municipality: Code
    carta: Code
    version: Revision
    status: Status = Status.ACTIVE
    name: Text
    department: Code
    unit: Code = Field(description="The unit that answers for it.")
    calendar: Code
    services: tuple[Code, ...] = Field(description="Service codes that events carry.")
    sites: tuple[str, ...] = ()
    hours: str = ""
    valid_from: date
    valid_to: date | None = Field(default=None, description="Last day in force, local.")
    approval: Approval
    suspensions: tuple[Suspension, ...] = ()
    sensitive: bool = False
    consultation: Annotated[str, StringConstraints(max_length=300)] = Field(
        default="", description="How anybody can consult the indicators and their results."
    )
    event_words: dict[EventKind, EventWords] = Field(
        default={}, description="Words for events of its own; each reads after «desde que»."
    )
    certified_until: date | None = None
    compromisos: tuple[Compromiso, ...]


class CatalogueEvent(Event):
    """Base of the five kinds of state."""


class MunicipalityPublished(CatalogueEvent):
    """State of a municipality."""

    type: Literal["municipality.v1"] = "municipality.v1"
    data: MunicipalityData

    @property
    def key(self) -> str:
        """municipality/kind/id/version."""
        return f"{self.data.municipality}/municipality/{self.data.municipality}/{self.data.version}"


class UnitPublished(CatalogueEvent):
    """State of a unit."""

    type: Literal["unit.v1"] = "unit.v1"
    data: UnitData

    @property
    def key(self) -> str:
        """municipality/kind/id/version."""
        return f"{self.data.municipality}/unit/{self.data.unit}/{self.data.version}"


class PostPublished(CatalogueEvent):
    """State of a post."""

    type: Literal["post.v1"] = "post.v1"
    data: PostData

    @property
    def key(self) -> str:
        """municipality/kind/id/version."""
        return f"{self.data.municipality}/post/{self.data.post}/{self.data.version}"


class CalendarPublished(CatalogueEvent):
    """State of a calendar version."""

    type: Literal["calendar.v1"] = "calendar.v1"
    data: CalendarData

    @property
    def key(self) -> str:
        """municipality/kind/id/version."""
        return f"{self.data.municipality}/calendar/{self.data.calendar.id}/{self.data.version}"


class CartaPublished(CatalogueEvent):
    """State of a carta version."""

    type: Literal["carta.v1"] = "carta.v1"
    data: CartaData

    @property
    def key(self) -> str:
        """municipality/kind/id/version."""
        return f"{self.data.municipality}/carta/{self.data.carta}/{self.data.version}"


CartasEvent = Annotated[
    MunicipalityPublished | UnitPublished | PostPublished | CalendarPublished | CartaPublished,
    Field(discriminator="type"),
]

PERCENT = Decimal(100)
