"""What of a catalogue is new, what is the same, and what may not be changed any more.

A published carta version is immutable: only its last day may move, when a later version follows,
and the date of its certificate, which promises nothing. What was approved and published here stays
as it is whatever an older file says.
Everything else (municipality, units, posts, calendars) gets its next version when it changes.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Final, TypeAlias

from pydantic import JsonValue

from services.cartas.domain.cartas import DeclaredCarta, EarlierVersion, asks_less
from services.cartas.domain.catalogue import Catalogue, clash
from shared.authoring.faults import Fault, Report
from shared.contracts.cartas import (
    CalendarData,
    CartaData,
    MunicipalityData,
    PostData,
    Status,
    UnitData,
)
from shared.criteria import measures_of
from shared.worktime import Calendar

State: TypeAlias = MunicipalityData | UnitData | PostData | CalendarData | CartaData
MAX_DIFFERENCES: Final = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """One published version of one thing; `declared` is what the author of a carta wrote."""

    data: State
    declared: JsonValue = None

    @property
    def key(self) -> tuple[str, str]:
        """Kind and id: what stays the same from version to version."""
        return kind_of(self.data), id_of(self.data)


@dataclass(slots=True)
class Decision:
    """What a load would do. Nothing is published while there are faults."""

    publish: list[Stored] = field(default_factory=list)
    unchanged: int = 0
    report: Report = field(default_factory=Report)


def kind_of(data: State) -> str:
    """Return the kind as keys and tables name it."""
    match data:
        case MunicipalityData():
            return "municipality"
        case UnitData():
            return "unit"
        case PostData():
            return "post"
        case CalendarData():
            return "calendar"
        case CartaData():
            return "carta"


def id_of(data: State) -> str:
    """Return the code of the thing within its municipality."""
    match data:
        case MunicipalityData():
            return data.municipality
        case UnitData():
            return data.unit
        case PostData():
            return data.post
        case CalendarData():
            return data.calendar.id
        case CartaData():
            return data.carta


Drafted: TypeAlias = Mapping[tuple[str, int], bool]
"""The carta versions that were drafted here: whether each was published."""


def decide(
    catalogue: Catalogue,
    stored: Iterable[Stored],
    now: datetime,
    *,
    drafted: Drafted | None = None,
    decided: Collection[tuple[str, int]] = (),
) -> Decision:
    """Compare a catalogue with all that is stored of its municipality, `now` being UTC.

    `decided` are the carta versions that a post ended or certified here: a file leaves them alone.
    What must be known first comes first: municipality, units, posts, calendars, then cartas.
    """
    known = sorted(stored, key=lambda each: each.data.version)
    latest = {each.key: each.data for each in known if not isinstance(each.data, CartaData)}
    decision = Decision()
    wanted: list[State] = [
        catalogue.municipality,
        *catalogue.units,
        *catalogue.posts,
        *(_calendar(each, catalogue, now) for each in catalogue.calendars),
    ]
    for data in wanted:
        _compare(data, latest.get((kind_of(data), id_of(data))), decision)
    cartas = [each for each in known if isinstance(each.data, CartaData)]
    here = _Here(drafted or {}, decided)
    in_force = _compare_cartas(catalogue, cartas, here, decision=decision)
    _retire(latest, wanted, in_force=in_force, decision=decision)
    return decision


def _calendar(calendar: Calendar, catalogue: Catalogue, now: datetime) -> CalendarData:
    return CalendarData(
        municipality=catalogue.municipality.municipality,
        calendar=calendar,
        version=calendar.version,
        known_since=now,
    )


def _compare(data: State, before: State | None, decision: Decision) -> None:
    if before is None:
        decision.publish.append(Stored(data))
        return
    renumbered = _as_version(data, before.version)
    if _same(renumbered, before):
        decision.unchanged += 1
        return
    if before.status is Status.ACTIVE:
        decision.publish.append(Stored(_retired(before)))
    decision.publish.append(Stored(_as_version(data, before.version + 1)))


def _as_version(data: State, version: int) -> State:
    changes: dict[str, object] = {"version": version}
    if isinstance(data, CalendarData):
        changes["calendar"] = data.calendar.model_copy(update={"version": version})
    return data.model_copy(update=changes)


def _same(data: State, before: State) -> bool:
    """Compare what was declared; when we got to know a calendar is no part of it."""
    if isinstance(data, CalendarData) and isinstance(before, CalendarData):
        data = data.model_copy(update={"known_since": before.known_since})
    return data == before


def _retired(data: State) -> State:
    return data.model_copy(update={"status": Status.RETIRED})


def _retire(
    latest: Mapping[tuple[str, str], State],
    wanted: list[State],
    *,
    in_force: list[CartaData],
    decision: Decision,
) -> None:
    """Retire what the file no longer has, but nothing that a carta in force still refers to."""
    present = {(kind_of(data), id_of(data)) for data in wanted}
    cited = {("unit", each.unit) for each in in_force}
    cited |= {("unit", each.department) for each in in_force}
    cited |= {("calendar", name) for each in in_force for name in calendars_of(each)}
    for key, data in sorted(latest.items(), key=lambda item: item[0]):
        if key not in present and data.status is Status.ACTIVE and key not in cited:
            decision.publish.append(Stored(_retired(data)))


def calendars_of(carta: CartaData) -> set[str]:
    """Return the ids of the calendars that a carta is judged by."""
    named = [
        measure.calendar
        for compromiso in carta.compromisos
        for measure in measures_of(compromiso.criterion)
    ]
    return {carta.calendar, *(name for name in named if name is not None)}


def _compare_cartas(
    catalogue: Catalogue, stored: list[Stored], here: "_Here", *, decision: Decision
) -> list[CartaData]:
    """Decide on each carta version; return all versions that will not be retired."""
    versions = {_version_key(each.data): each for each in stored}
    outcome = {key: _unplaced(each) for key, each in versions.items()}
    for earlier in catalogue.earlier:
        if earlier.version > here.latest_published(earlier.carta):
            _close_earlier(earlier, versions, outcome=outcome, decision=decision)
    for carta in sorted(catalogue.cartas, key=lambda each: (each.data.carta, each.data.version)):
        key = _version_key(carta.data)
        before = versions.get(key)
        if here.drafted.get(key) is False:
            decision.report.faults.append(_on_its_way(carta))
        elif before is not None and here.prevails(key):
            _keep_as_published(carta, before, decision)
        else:
            _compare_carta(carta, before, decision)
            _warn_of_less(carta, outcome, decision)
            outcome[key] = carta
    _check_neighbours(outcome, decision)
    _warn_of_absent(catalogue, outcome, decision)
    kept = [each.data for each in outcome.values()]
    return [data for data in kept if data.status is Status.ACTIVE]


@dataclass(frozen=True, slots=True)
class _Here:
    """What was done here by posts, which an older file does not undo."""

    drafted: Drafted
    decided: Collection[tuple[str, int]]

    def latest_published(self, carta: str) -> int:
        """Return the newest version that was approved and published here, 0 for none."""
        own = (number for (code, number), done in self.drafted.items() if done and code == carta)
        return max(own, default=0)

    def prevails(self, key: tuple[str, int]) -> bool:
        """Whether what is published of a version stays, whatever a file says of its end."""
        return key in self.decided or key[1] <= self.latest_published(key[0])


def _on_its_way(carta: DeclaredCarta) -> Fault:
    message = (
        f"la versión {carta.data.version} ya se usó para un borrador (cartas versions "
        f"{carta.data.carta}); apruébelo y publíquelo, o use otro número de versión"
    )
    return Fault(carta.line, carta.path, message)


def _keep_as_published(carta: DeclaredCarta, before: Stored, decision: Decision) -> None:
    """An older file says less than what was approved since: the published one stays."""
    if _promise(carta.data) != _promise(before.data):
        decision.report.faults.append(_changed(carta, before))
        return
    decision.unchanged += 1
    old = before.data
    assert isinstance(old, CartaData)
    if _beside(carta.data) != _beside(old):
        until = f"hasta {old.valid_to}" if old.valid_to else "sin fin"
        message = f"la versión {old.version} sigue como se decidió aquí: vigente {until}"
        if old.certified_until is not None:
            message += f", certificada hasta {old.certified_until}"
        decision.report.warnings.append(Fault(carta.line, carta.path, message))


def _beside(carta: CartaData) -> tuple[object, ...]:
    """Return what may change of a published version."""
    return carta.valid_to, carta.status, carta.certified_until, carta.suspensions


def _promise(data: State) -> CartaData:
    """Return what may not change: without end, certificate, suspensions, who recorded the acta."""
    assert isinstance(data, CartaData)
    approval = data.approval.model_copy(update={"document": None, "post": None})
    open_ended = {
        "valid_to": None,
        "status": Status.ACTIVE,
        "certified_until": None,
        "suspensions": (),
    }
    return data.model_copy(update={**open_ended, "approval": approval})


def _version_key(data: State) -> tuple[str, int]:
    return id_of(data), data.version


def _unplaced(stored: Stored) -> DeclaredCarta:
    assert isinstance(stored.data, CartaData)
    return DeclaredCarta(stored.data, 0, "", {})


def _close_earlier(
    earlier: EarlierVersion,
    versions: dict[tuple[str, int], Stored],
    *,
    outcome: dict[tuple[str, int], DeclaredCarta],
    decision: Decision,
) -> None:
    """A version named without content: the published one ends where the file says."""
    key = (earlier.carta, earlier.version)
    if key not in versions:
        message = f"la versión {earlier.version} no trae sus compromisos: sus casos no se evalúan"
        decision.report.warnings.append(Fault(earlier.line, earlier.path, message))
        return
    before = outcome[key]
    closed = before.data.model_copy(update={"valid_to": earlier.valid_to})
    if closed == before.data:
        return
    outcome[key] = replace(before, data=closed)
    _warn_of_end(earlier.line, earlier.path, before.data, closed, decision)
    decision.publish.append(Stored(closed, versions[key].declared))


def _compare_carta(carta: DeclaredCarta, before: Stored | None, decision: Decision) -> None:
    if before is None:
        decision.publish.append(Stored(carta.data, carta.declared))
        return
    old, new = before.data, carta.data
    assert isinstance(old, CartaData)
    if new == old:
        decision.unchanged += 1
    elif _promise(new) != _promise(old):
        decision.report.faults.append(_changed(carta, before))
    elif old.status is Status.RETIRED and new.status is Status.ACTIVE:
        message = f"la versión {old.version} está retirada; publíquela con otro número de versión"
        decision.report.faults.append(Fault(carta.line, carta.path, message))
    else:
        if new.valid_to != old.valid_to:
            _warn_of_end(carta.line, carta.path, old, new, decision)
        if new.status is not old.status:
            _warn_of_retirement(carta, decision)
        decision.publish.append(Stored(new, carta.declared))


def _warn_of_less(
    carta: DeclaredCarta, outcome: dict[tuple[str, int], DeclaredCarta], decision: Decision
) -> None:
    """Name what a version asks less of than the one before it: legitimate, never silent."""
    before = outcome.get((carta.data.carta, carta.data.version - 1))
    if before is not None:
        decision.report.warnings.extend(asks_less(carta, before.data))


def _warn_of_end(line: int, path: str, old: CartaData, new: CartaData, decision: Decision) -> None:
    was, becomes = old.valid_to or "sin fin", new.valid_to or "sin fin"
    message = f"la versión {old.version} ya publicada cambia su último día: {was} → {becomes}"
    decision.report.warnings.append(Fault(line, path, message))


def _warn_of_retirement(carta: DeclaredCarta, decision: Decision) -> None:
    message = (
        f"la versión {carta.data.version} deja de evaluarse desde ahora, también para los casos "
        "que empezaron con ella; para que rija hasta un día use «vigencia.hasta»"
    )
    decision.report.warnings.append(Fault(carta.line, carta.path, message))


def _changed(carta: DeclaredCarta, before: Stored) -> Fault:
    found = list(differences(before.declared, carta.declared))
    shown = "; ".join(found[:MAX_DIFFERENCES]) or (
        "cambió lo que toma del resto del archivo (unidades o calendario por omisión)"
    )
    more = f"; y {len(found) - MAX_DIFFERENCES} más" if len(found) > MAX_DIFFERENCES else ""
    version = carta.data.version
    message = (
        f"la versión {version} ya está publicada y no se puede cambiar; "
        f"publíquela con otro número de versión. Cambió: {shown}{more}"
    )
    return Fault(carta.line, carta.path, message)


def differences(old: JsonValue, new: JsonValue, path: str = "") -> Iterable[str]:
    """Yield each field that differs, in the author's own words: `path: «old» → «new»`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{path}.{key}" if path else key
            yield from differences(old.get(key), new.get(key), inner)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True), start=1):
            yield from differences(one, other, f"{path}[{_name(other) or place}]")
    elif old != new:
        yield f"{path}: «{_shown(old)}» → «{_shown(new)}»"


def _name(value: JsonValue) -> str | None:
    name = value.get("id") if isinstance(value, dict) else None
    return name if isinstance(name, str) else None


def _shown(value: JsonValue) -> str:
    text = "nada" if value is None else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _check_neighbours(outcome: dict[tuple[str, int], DeclaredCarta], decision: Decision) -> None:
    """No two versions of a carta in force on the same day, published ones included."""
    ordered = [outcome[key] for key in sorted(outcome) if outcome[key].data.status is Status.ACTIVE]
    for earlier, later in pairwise(ordered):
        if earlier.data.carta != later.data.carta:
            continue
        placed = later if later.line else earlier
        message = clash(earlier, later)
        if message is not None and placed.line:
            hint = " (declare su fin en «versiones_anteriores»)" if not earlier.line else ""
            decision.report.faults.append(Fault(placed.line, placed.path, message + hint))


def _warn_of_absent(
    catalogue: Catalogue, outcome: dict[tuple[str, int], DeclaredCarta], decision: Decision
) -> None:
    present = {each.data.carta for each in catalogue.cartas}
    absent = {each.data.carta for each in outcome.values() if each.data.status is Status.ACTIVE}
    for code in sorted(absent - present):
        message = f"la carta «{code}» no está en el archivo y sigue publicada (estado: retirada)"
        decision.report.warnings.append(Fault(1, "cartas", message))
