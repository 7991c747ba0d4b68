"""What the commands on carta versions print, in Spanish."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from textwrap import wrap
from typing import Final
from zoneinfo import ZoneInfo

from services.cartas.domain.changes import NONE, Change, Comparison, Row
from services.cartas.domain.life import Life, Step
from services.cartas.store.versions import Taken
from services.cartas.use_cases.reading import Certificate, Detail, Summary

NAME_WIDTH: Final = 18
TEXT_WIDTH: Final = 44
STEPS: Final = {
    Step.LOADED: "cargada de un archivo",
    Step.DRAFTED: "borrador guardado",
    Step.APPROVED: "aprobada",
    Step.PUBLISHED: "publicada",
    Step.ENDED: "terminada",
    Step.RETIRED: "retirada",
    Step.RESTORED: "repuesta",
    Step.CERTIFIED: "certificado anotado",
}
NEXT: Final = {
    Life.DRAFT: "Falta aprobarla: cartas approve",
    Life.APPROVED: "Falta publicarla: cartas publish",
}


def changes(found: Detail) -> str:
    """Return what a draft changes, or that its faults hide it."""
    if found.comparison is None:
        return "No se puede mostrar lo que cambia: el borrador tiene errores."
    return table(found.comparison)


def table(compared: Comparison, *, everything: bool = False) -> str:
    """Return two versions side by side: one block for the carta, one for each compromiso."""
    old = compared.old_version
    before = "no hay versión anterior" if old is None else f"versión {old}"
    if compared.is_same and not everything:
        return f"La versión {compared.new_version} dice lo mismo que la {old}."
    lines = [_columns("", before, f"versión {compared.new_version}")]
    shown = [row for row in compared.carta if everything or row.differs]
    if shown:
        lines += ["", "La carta", *_block(shown)]
    for each in compared.compromisos:
        if everything or each.change is not Change.SAME:
            rows = [row for row in each.rows if everything or row.differs]
            lines += ["", f"{each.compromiso}: {each.change.value}", *_block(rows)]
    same = sum(1 for each in compared.compromisos if each.change is Change.SAME)
    if same and not everything:
        lines += ["", f"Sin cambio: {same} compromisos."]
    return "\n".join(lines)


def _block(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        yield _columns(row.name, row.old, row.new)


def _columns(name: str, old: str, new: str) -> str:
    left, right = _lines(old), _lines(new)
    height = max(len(left), len(right))
    left += [""] * (height - len(left))
    right += [""] * (height - len(right))
    lines = [
        f"  {name if place == 0 else '':{NAME_WIDTH}}  {one:{TEXT_WIDTH}}  {other}".rstrip()
        for place, (one, other) in enumerate(zip(left, right, strict=True))
    ]
    return "\n".join(lines)


def _lines(text: str) -> list[str]:
    """Break a text between words only: half a code is none."""
    return wrap(text, TEXT_WIDTH, break_long_words=False, break_on_hyphens=False) or [""]


def listed(found: Sequence[Summary]) -> str:
    """Return one line for each version."""
    if not found:
        return "No hay ninguna versión."
    return "\n".join(_summary(each) for each in found)


def _summary(found: Summary) -> str:
    days = _days(found.valid_from, found.valid_to)
    acta = f"  acta {found.record}" if found.record else ""
    return f"{found.carta:16} v{found.version:<3} {found.life.value:10} {days:28}{acta}".rstrip()


def _days(first: date | None, last: date | None) -> str:
    if first is None:
        return NONE
    return f"desde {first}" + (f" hasta {last}" if last else "")


def line(found: Detail) -> str:
    """Return where a version stands after a step, and what comes next."""
    following = NEXT.get(found.summary.life, "")
    return _summary(found.summary) + _certified(found) + (f"\n{following}" if following else "")


def _certified(found: Detail) -> str:
    until = found.summary.certified_until
    return f"  certificada hasta {until}" if until else ""


def one(found: Detail) -> str:
    """Return one version with what is wrong with it and all its steps."""
    lines = [_summary(found.summary) + _certified(found), found.summary.name]
    lines += [f"  {each} [error]" for each in found.faults]
    lines += [f"  {each} [aviso]" for each in found.warnings]
    lines += [_step(each, found.zone) for each in found.steps]
    return "\n".join(lines)


def _step(taken: Taken, zone: ZoneInfo) -> str:
    parts = [f"{taken.taken_at.astimezone(zone):%Y-%m-%d %H:%M}", STEPS[taken.step]]
    if taken.post:
        parts.append(f"por {taken.post}")
    if taken.record:
        parts.append(f"acta {taken.record} del {taken.dated}, {taken.body}")
    if taken.valid_from:
        parts.append(_days(taken.valid_from, taken.valid_to))
    parts += [text for text in (taken.document, taken.reason) if text]
    parts += [f"aviso reconocido: {each}" for each in taken.warnings]
    return "  " + "; ".join(parts)


def certificates(found: Sequence[Certificate]) -> str:
    """Return one line for each certified carta."""
    if not found:
        return "Ninguna carta vigente con certificado en ese plazo."
    return "\n".join(
        f"{each.until}  {_left(each.days_left):20} {each.carta:16} {each.name}" for each in found
    )


def _left(days: int) -> str:
    return f"venció hace {-days} días" if days < 0 else f"faltan {days} días"
