"""From the criterion as the author writes it to the algebra that is judged.

docs/criteria.md shows every form. Each is a figure of the algebra, some by another name.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import ValidationError

from shared.authoring import figures
from shared.authoring.fields import Section, suggested
from shared.authoring.figures import NO_FIGURE, Scope
from shared.authoring.limits import read_reference, read_seasons, read_target
from shared.authoring.marked_yaml import Items, Mapping, Node, Scalar
from shared.criteria import Criterion, Figure, Part, Severity, Target, lint
from shared.criteria.words import EventWords

T = TypeVar("T")

ALL_OF: Final = "all_of"
RELATIVE: Final = "relative"
ALL_FORMS: Final = (*figures.READERS, ALL_OF, RELATIVE)
_ALWAYS_OPEN: Final = "24x7"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a criterion takes from its carta: calendars, the default one, words for events."""

    calendars: Collection[str]
    calendar: str
    events: EventWords = field(default_factory=dict)


def read_criterion(compromiso: Section, around: Surroundings) -> Criterion:
    """Return the criterion of a compromiso, whose target (`umbral`) stands beside it."""
    section = compromiso.section("criterio")
    check_calendars(section, around)
    form = _form(section)
    reader = _Reader(compromiso, section, around)
    parts = reader.conjunction() if form == ALL_OF else (reader.part(section, form),)
    section.close()
    criterion = Criterion(parts=parts)
    if not compromiso.report.faults:
        _lint(criterion, section, around)
    return criterion


def _form(section: Section) -> str:
    return section.choice("forma", {form: form for form in ALL_FORMS}, otherwise="")


def _lint(criterion: Criterion, section: Section, around: Surroundings) -> None:
    """Tell the author what the shape of each field cannot tell."""
    for problem in lint(criterion, calendars=around.calendars, events=around.events):
        where = f"parte {int(problem.path[1]) + 1}: " if len(criterion.parts) > 1 else ""
        tell = section.fault if problem.severity is Severity.ERROR else section.warn
        tell(None, where + problem.message)


class _Reader:
    """Reads parts; what a part of a conjunction does not say, the conjunction says."""

    def __init__(self, compromiso: Section, criterion: Section, around: Surroundings) -> None:
        self._compromiso = compromiso
        self._criterion = criterion
        self._seasons = read_seasons(compromiso)
        self._calendar = around.calendar

    def conjunction(self) -> tuple[Part, ...]:
        sections = self._criterion.sections("partes")
        if not 1 <= len(sections) <= 20:
            self._criterion.fault("partes", "se esperaban de 1 a 20 partes")
        if self._seasons:
            self._compromiso.fault(
                "variantes_temporada", "un compromiso de varias partes no tiene temporadas"
            )
        if "informativo" in self._compromiso:
            self._compromiso.fault(
                "informativo",
                "un compromiso de varias partes lo dice en cada parte que no se juzga",
            )
        self._criterion.ignore("poblacion", "reloj", "limite", "umbral")
        self._compromiso.ignore("umbral", "informativo")
        parts = tuple(self.part(each, _form(each)) for each in sections[:20])
        for each in sections:
            each.close()
        return parts or (Part(figure=NO_FIGURE),)

    def part(self, section: Section, form: str) -> Part:
        """Return one part; what cannot be read is noted and something else stands in."""
        if form == ALL_OF and section is not self._criterion:
            section.fault("forma", "una conjunción no contiene otra")
        if form in ("", ALL_OF):
            section.ignore(*section.names())
            self._compromiso.ignore("umbral", "informativo")
            return Part(figure=NO_FIGURE)
        figure = self._figure(section, form)
        if figure is NO_FIGURE:
            section.ignore("umbral")
            self._compromiso.ignore("umbral", "informativo")
            return Part(figure=NO_FIGURE)
        target = self._target(section, form, figure)
        return _made(section, lambda: Part(figure=figure, target=target)) or Part(figure=NO_FIGURE)

    def _figure(self, section: Section, form: str) -> Figure:
        outer = (self._criterion,) if section is not self._criterion else ()
        scope = Scope((section, *outer), self._calendar, self._seasons)
        read = figures.relative_inner if form == RELATIVE else figures.READERS[form]
        before = len(section.report.faults)
        figure = _made(section, lambda: read(scope))
        return NO_FIGURE if figure is None or len(section.report.faults) > before else figure

    def _target(self, section: Section, form: str, figure: Figure) -> Target | None:
        owner = self._target_owner(section)
        if owner.boolean("informativo", default=False):
            owner.ignore("umbral")
            return None
        if form == RELATIVE:
            return read_reference(section, owner.section("umbral"), figure)
        return _made(section, lambda: read_target(owner.section("umbral"), figure))

    def _target_owner(self, part: Section) -> Section:
        if part is not self._criterion and "umbral" in part:
            return part
        if "umbral" in self._criterion:
            return self._criterion
        return self._compromiso if part is self._criterion else part


def _made(section: Section, make: Callable[[], T]) -> T | None:
    """Return what is made; what the algebra refuses is a fault of the section."""
    try:
        return make()
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            section.fault(None, _in_spanish(each["msg"]))
        return None


_SPANISH: Final = {
    "without a limit nothing is due": "sin límite no hay vencimiento: use otra «ancla» que due",
    "what is not timed is anchored": "lo que no tiene reloj se ancla en occurred o en due",
    "a scale rises": "la escala va de menor a mayor",
    "net promoters are asked": "el NPS se pregunta en una escala de 0 a 10",
    "give a day or a working day": "diga «dia» o «dia_habil», no los dos",
    "a day of the month belongs": "un día del mes es de cada month o de un periodo más largo",
    "what recurs each day": "lo de cada día no lleva «dia_habil»",
    "the month is counted within": "el «mes» se cuenta dentro de su periodo",
    "outages add up in": "los cortes se suman en s, min, h, min_habil o h_habil",
    "only a date set beforehand": "solo una fecha fijada antes puede cumplirse el día exacto",
    "only a time ends at": "solo un reloj termina en la fecha prometida al caso",
    "a group is held to": "a un grupo se le exige un «valor» fijo",
}
"""What the algebra refuses, by the beginning of its message, in the words of the author."""


def _in_spanish(message: str) -> str:
    bare = message.removeprefix("Value error, ")
    found = (spanish for start, spanish in _SPANISH.items() if bare.startswith(start))
    return next(found, f"el criterio no se admite ({bare})")


def check_calendars(section: Section, around: Surroundings) -> None:
    """Note every `calendario` inside the criterion, however deep, that does not exist."""
    for key in section.names():
        _check_calendar_node(section, key, section.peek(key), around)


def _check_calendar_node(owner: Section, key: str, node: Node | None, around: Surroundings) -> None:
    if isinstance(node, Items):
        for each in node.nodes:
            _check_calendar_node(owner, "", each, around)
    elif isinstance(node, Mapping):
        inner = Section(node, owner.path_of(key) if key else owner.path, owner.report)
        check_calendars(inner, around)
    elif (
        key in ("calendario", "horario")
        and isinstance(node, Scalar)
        and node.text not in (None, _ALWAYS_OPEN)
        and node.text not in around.calendars
    ):
        owner.fault(key, missing_calendar(node.text or "", around.calendars))


def missing_calendar(name: str, calendars: Collection[str]) -> str:
    """Return the message for a calendar that is cited and does not exist."""
    return f"el calendario «{name}» no existe{suggested(name, calendars)}"
