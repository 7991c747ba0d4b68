"""What the public reads of a row says the same as what is judged."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from shared.criteria import Criterion, Window, formula_text, public_sentence
from tests.corpus.judging import Judge, judge_of
from tests.corpus.reading import Promise, corpus


def sentence(row: int) -> str:
    promise = next(promise for promise in corpus().promises if promise.row == row)
    judge = judge_of(promise)
    return said_of(judge)


def said_of(judge: Judge) -> str:
    promised = judge.compromiso
    return public_sentence(
        promised.criterion, promised.window, minimum_sample=promised.minimum_sample
    )


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (13, "El número de veces que contestamos su llamada, en proporción al número de veces"),
        (22, "En todos los días que cuentan en el calendario «HABIL»,"),
        (49, "En todos los días que cuentan en el calendario «NATURAL»,"),
        (10, "Se publica cada año."),
        (36, "Se publica cada trimestre."),
        (3, "será de menos de 2 meses; inaceptable: 90 % o menos. Se evalúa cada año."),
    ],
)
def test_a_sentence_says_what_is_judged(row: int, says: str) -> None:
    assert says in sentence(row)


def printed(criterion: Criterion, window: Window) -> str:
    formulas = [formula_text(part) for part in criterion.parts]
    return "\n".join([public_sentence(criterion, window), *formulas])


def test_two_rows_that_are_judged_differently_never_read_alike() -> None:
    said: dict[str, tuple[Criterion, Window]] = {}
    for promise in corpus().promises:
        judge = judge_of(promise)
        judged = judge.criterion, judge.compromiso.window
        assert said.setdefault(said_of(judge), judged) == judged, promise.name


def test_no_event_of_a_row_is_printed_by_its_code() -> None:
    for promise in corpus().promises:
        judge = judge_of(promise)
        text = printed(judge.criterion, judge.compromiso.window)
        assert re.findall(r"[a-z_]+\.[a-z_]+", text) == [], promise.name


CHANGES: dict[str, tuple[Any, ...]] = {
    "anchor": ("occurred", "closed", "opened", "due"),
    "op": ("<=", "<", ">=", ">"),
    "value": ("7", "0"),
    "unit": ("s", "h", "h_habil", "dia_habil", "dia_natural", "mes"),
    "event": ("ticket.issued", "x.y"),
    "exclude": (["duplicado"], []),
    "where": ({"canal": ["web"]}, {"encuesta": ["OTRA"]}, {}),
    "pauses": (["prevencion"], []),
    "start_rule": ("start_day",),
    "from_due": (True, False),
    "exact_day": (True, False),
    "seasons": ([{"first": "01-01", "last": "02-15", "value": "9"}],),
    "calendar": ("OTRO",),
    "p": ("80",),
    "reference": ("previous", "last_year"),
    "zero_reference": ("zero", "not_evaluated"),
    "day": (3,),
    "working_day": (4,),
    "time": ("09:30",),
    "unacceptable": ("0.5",),
}
"""Other values of each field, wherever a criterion has it."""
DAYS = {"dia_habil", "dia_natural"}


def _matters(key: str, holder: dict[str, Any]) -> bool:
    """Return whether the field decides anything where it stands; a noun or a default does not."""
    match key:
        case "event" | "anchor" if "kind" not in holder and holder.get("event") == "outage.started":
            return False
        case "unit":
            return "stop" in holder
        case "zero_reference":
            return holder["reference"] is not None
        case "calendar":
            return "every" in holder or holder["unit"] in DAYS | {"h_habil", "min_habil", "mes"}
        case "start_rule":
            return holder["unit"] in DAYS and not holder["from_due"]
        case _:
            return True


def _changed(node: Any) -> Iterator[Any]:
    """Yield the criterion with one field changed, for each field at any depth."""
    if isinstance(node, dict):
        for key, value in node.items():
            told = CHANGES.get(key, ()) if _matters(key, node) else ()
            others = (each for each in told if each != value)
            yield from ({**node, key: other} for other in others)
            if node.get("form") != "availability" or key != "value":
                yield from ({**node, key: inner} for inner in _changed(value))
    elif isinstance(node, list | tuple):
        for place, value in enumerate(node):
            for inner in _changed(value):
                yield [*node[:place], inner, *node[place + 1 :]]


@pytest.mark.parametrize("promise", corpus().promises, ids=lambda promise: promise.name)
def test_whatever_changes_the_judgement_changes_what_is_printed(promise: Promise) -> None:
    judge = judge_of(promise)
    window = judge.compromiso.window
    before = printed(judge.criterion, window)
    seen = 0
    for changed in _changed(judge.criterion.model_dump(mode="json")):
        try:
            other = Criterion.model_validate(changed)
        except ValueError:
            continue
        seen += 1
        assert printed(other, window) != before, changed
    assert seen
