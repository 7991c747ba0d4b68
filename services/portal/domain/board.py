"""What the public pages show of a municipality: cartas, compromisos, results, actions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.portal.domain.disclosure import Disclosure, PublicResult, publish
from services.portal.domain.headings import AnyCarta, AnyCompromiso
from services.portal.domain.states import State, worst
from shared.contracts.cartas import CartaData, Compromiso, MunicipalityData, Scope, UnitData
from shared.contracts.corrective_actions import ActionData, ActionState
from shared.contracts.results import ResultData, ResultStatus
from shared.criteria import Criterion
from shared.explaining import Version

NO_CLOSED_WINDOW: Final = "sin_periodo_cerrado"


@dataclass(frozen=True, slots=True)
class Line:
    """A compromiso at one unit: closed windows, latest first, and the one that runs, if shown."""

    unit: str
    unit_name: str
    closed: tuple[PublicResult, ...]
    running: PublicResult | None

    @property
    def latest(self) -> PublicResult | None:
        return self.closed[0] if self.closed else None

    @property
    def state(self) -> State:
        return self.latest.state if self.latest else State.NO_DATA


@dataclass(frozen=True, slots=True)
class CompromisoView:
    """One promise with what became of it.

    `state` is of the latest closed windows: the worst of the units that were judged.
    """

    carta: AnyCarta
    compromiso: AnyCompromiso
    lines: tuple[Line, ...]
    actions: tuple[ActionData, ...]
    state: State

    @property
    def is_by_unit(self) -> bool:
        """Whether each office is judged apart."""
        return self.compromiso.scope is Scope.UNIT

    @property
    def reason(self) -> str | None:
        """Why there is no verdict at all, None where there is one."""
        if self.state is not State.NO_DATA:
            return None
        reasons = [line.latest.reason for line in self.lines if line.latest]
        return reasons[0] if reasons else NO_CLOSED_WINDOW

    @property
    def judged_by(self) -> Version | None:
        """The promise as it is judged, in words; None where only its carta's heading was read."""
        if isinstance(self.carta, CartaData) and isinstance(self.compromiso, Compromiso):
            return Version(self.carta, self.compromiso)
        return None

    @property
    def worst_line(self) -> Line | None:
        """The line that gives the state."""
        return next((line for line in self.lines if line.state is self.state), None)

    @property
    def open_actions(self) -> tuple[ActionData, ...]:
        return tuple(a for a in self.actions if a.state is not ActionState.CLOSED)


@dataclass(frozen=True, slots=True)
class CartaView:
    """One carta with its compromisos."""

    data: AnyCarta
    department_name: str
    unit_name: str
    in_force: bool
    compromisos: tuple[CompromisoView, ...]

    @property
    def counts(self) -> Mapping[State, int]:
        return Counter(view.state for view in self.compromisos)


@dataclass(frozen=True, slots=True)
class Board:
    """All that the public pages of a municipality show."""

    municipality: MunicipalityData
    cartas: tuple[CartaView, ...]

    @property
    def counted(self) -> tuple[CartaView, ...]:
        """Cartas the headline speaks of: those in force; where none is, all of them."""
        return tuple(carta for carta in self.cartas if carta.in_force) or self.cartas

    @property
    def compromisos(self) -> tuple[CompromisoView, ...]:
        return tuple(view for carta in self.counted for view in carta.compromisos)

    @property
    def counts(self) -> Mapping[State, int]:
        return Counter(view.state for view in self.compromisos)

    @property
    def judged(self) -> int:
        """The one denominator of the headline."""
        return len(self.compromisos) - self.counts[State.NO_DATA]

    @property
    def judged_results(self) -> tuple[PublicResult, ...]:
        """The results that the headline is made of: each line's latest, where it has a verdict."""
        latest = [line.latest for view in self.compromisos for line in view.lines]
        return tuple(each for each in latest if each and each.state is not State.NO_DATA)

    @property
    def departments(self) -> Mapping[str, tuple[CartaView, ...]]:
        """Cartas by the name of their dependencia, both in alphabetical order: no ranking."""
        names = sorted({carta.department_name for carta in self.cartas})
        return {n: tuple(c for c in self.cartas if c.department_name == n) for n in names}

    def of_state(self, state: State | None) -> tuple[CompromisoView, ...]:
        return tuple(v for v in self.compromisos if state is None or v.state is state)

    def matching(self, words: str) -> "Board":
        """The cartas whose name, dependencia or unit has all the words, however accented."""
        wanted = fold(words).split()
        found = tuple(
            carta
            for carta in self.cartas
            if all(word in fold(_searchable(carta)) for word in wanted)
        )
        return Board(self.municipality, found)


def board(
    municipality: MunicipalityData,
    *,
    cartas: Sequence[AnyCarta],
    units: Mapping[str, UnitData],
    results: Iterable[ResultData],
    actions: Iterable[ActionData],
    today: date,
) -> Board:
    """Put together what is public. `cartas` holds all versions; the one in force is shown.

    Their headings are enough where no result is of a window that runs.
    """
    shown = [current_version(versions, today) for versions in _versions(cartas)]
    by_compromiso = _grouped(results)
    actions_of = _actions_by_compromiso(actions)
    views = [
        _carta_view(
            carta, municipality, units, results=by_compromiso, actions=actions_of, today=today
        )
        for carta in shown
    ]
    return Board(municipality, tuple(sorted(views, key=lambda view: fold(view.data.name))))


def current_version(versions: Sequence[AnyCarta], today: date) -> AnyCarta:
    """Return the version in force today, else the nearest to it; a later number wins a tie."""
    in_force = [carta for carta in versions if is_in_force(carta, today)]
    begun = [carta for carta in versions if carta.valid_from <= today]
    return max(in_force or begun or versions, key=lambda carta: carta.version)


def is_in_force(carta: AnyCarta, today: date) -> bool:
    """Both the first and the last day are in force."""
    return carta.valid_from <= today and (carta.valid_to is None or today <= carta.valid_to)


def rule_for(municipality: MunicipalityData, carta: AnyCarta) -> Disclosure:
    """Return which counts of the carta are too small to be published."""
    if carta.sensitive:
        limit = max(municipality.small_cell_sensitive, municipality.small_cell)
        return Disclosure(limit, strict=True)
    return Disclosure(municipality.small_cell, strict=False)


def public_results(
    municipality: MunicipalityData, cartas: Sequence[AnyCarta], results: Iterable[ResultData]
) -> list[PublicResult]:
    """Return every public result, as the open data have them.

    What was said of a window while it ran is not said any more once it is closed. A sensitive
    carta gives only the latest edition of a window: two editions of the same cells would tell of
    the few cases between them. A result without its carta waits for it.
    """
    rules = rules_for(municipality, cartas)
    found = [result for result in results if result.carta in rules]
    closed = {_window_key(r) for r in found if r.status is ResultStatus.FINAL}
    known = [r for r in found if r.status is ResultStatus.FINAL or _window_key(r) not in closed]
    latest = {key: max(r.edition for r in each) for key, each in _by_window(known).items()}
    return [
        publish(result, rules[result.carta])
        for result in sorted(known, key=_table_order)
        if not rules[result.carta].strict or result.edition == latest[_window_key(result)]
    ]


def rules_for(municipality: MunicipalityData, cartas: Sequence[AnyCarta]) -> dict[str, Disclosure]:
    """Return the rule of each carta for all its versions together."""
    return {v[-1].carta: rule_for(municipality, _strictest(v)) for v in _versions(cartas)}


def fold(text: str) -> str:
    """Lower case without accents, for searching and ordering."""
    return text.lower().translate(_WITHOUT_ACCENTS)


_WITHOUT_ACCENTS: Final = str.maketrans("áéíóúüñ", "aeiouun")


def _searchable(view: CartaView) -> str:
    return f"{view.data.name} {view.department_name} {view.unit_name} {view.data.carta}"


def _versions(cartas: Sequence[AnyCarta]) -> list[list[AnyCarta]]:
    found: dict[str, list[AnyCarta]] = {}
    for carta in sorted(cartas, key=lambda each: (each.carta, each.version)):
        found.setdefault(carta.carta, []).append(carta)
    return list(found.values())


def _strictest(versions: Sequence[AnyCarta]) -> AnyCarta:
    """A carta that is or was sensitive stays so for all its figures."""
    return next((carta for carta in versions if carta.sensitive), versions[-1])


def _carta_view(
    carta: AnyCarta,
    municipality: MunicipalityData,
    units: Mapping[str, UnitData],
    *,
    results: Mapping[str, Sequence[ResultData]],
    actions: Mapping[str, Sequence[ActionData]],
    today: date,
) -> CartaView:
    rule = rule_for(municipality, carta)
    return CartaView(
        data=carta,
        department_name=unit_name(units, carta.department),
        unit_name=unit_name(units, carta.unit),
        in_force=is_in_force(carta, today),
        compromisos=tuple(
            _compromiso_view(
                carta,
                compromiso,
                lines=_lines(compromiso, results.get(compromiso.id, ()), rule, units=units),
                actions=actions.get(compromiso.id, ()),
            )
            for compromiso in carta.compromisos
        ),
    )


def _compromiso_view(
    carta: AnyCarta,
    compromiso: AnyCompromiso,
    *,
    lines: tuple[Line, ...],
    actions: Sequence[ActionData],
) -> CompromisoView:
    state = worst(line.state for line in lines)
    return CompromisoView(carta, compromiso, lines, tuple(actions), state)


def unit_name(units: Mapping[str, UnitData], code: str) -> str:
    """Return the unit's name, its code where the catalogue has none."""
    known = units.get(code)
    return known.name if known else code


def _lines(
    compromiso: AnyCompromiso,
    results: Sequence[ResultData],
    rule: Disclosure,
    *,
    units: Mapping[str, UnitData],
) -> tuple[Line, ...]:
    codes = sorted({r.unit for r in results}, key=lambda code: fold(unit_name(units, code)))
    of_unit = {code: [r for r in results if r.unit == code] for code in codes}
    names = {code: unit_name(units, code) for code in codes}
    criterion = compromiso.criterion if isinstance(compromiso, Compromiso) else None
    return tuple(
        _line(code, names[code], own, rule=rule, criterion=criterion)
        for code, own in of_unit.items()
    )


def _line(
    code: str,
    name: str,
    own: Sequence[ResultData],
    *,
    rule: Disclosure,
    criterion: Criterion | None,
) -> Line:
    editions = _by_window([result for result in own if result.status is ResultStatus.FINAL])
    closed = [max(each, key=lambda r: r.edition) for each in editions.values()]
    closed.sort(key=lambda result: result.window.end, reverse=True)
    running = [result for result in own if _is_open(result, editions)]
    running.sort(key=lambda result: result.window.end)
    return Line(
        unit=code,
        unit_name=name,
        closed=tuple(publish(result, rule) for result in closed),
        running=publish(running[-1], rule, criterion) if running else None,
    )


def _is_open(result: ResultData, closed: Mapping[tuple[str, ...], object]) -> bool:
    return result.status is ResultStatus.PROVISIONAL and _window_key(result) not in closed


def _window_key(result: ResultData) -> tuple[str, ...]:
    return (result.compromiso, result.unit, result.window.id)


def _table_order(result: ResultData) -> tuple[object, ...]:
    window = result.window
    return (result.carta, result.compromiso, result.unit, window.start, window.id, result.edition)


def _by_window(results: Iterable[ResultData]) -> dict[tuple[str, ...], list[ResultData]]:
    found: dict[tuple[str, ...], list[ResultData]] = {}
    for result in results:
        found.setdefault(_window_key(result), []).append(result)
    return found


def _grouped(results: Iterable[ResultData]) -> dict[str, list[ResultData]]:
    found: dict[str, list[ResultData]] = {}
    for result in results:
        found.setdefault(result.compromiso, []).append(result)
    return found


def _actions_by_compromiso(actions: Iterable[ActionData]) -> dict[str, list[ActionData]]:
    found: dict[str, list[ActionData]] = {}
    for action in sorted(actions, key=lambda each: each.action, reverse=True):
        found.setdefault(action.compromiso, []).append(action)
    return found
