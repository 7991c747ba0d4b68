"""A stored carta is read as its model reads it, and what is judged alike is one object."""

import gc
import json
from dataclasses import fields
from datetime import date
from typing import Any

import pytest

from services.cartas.domain import read_catalogue
from services.evaluator.domain.rules import CartaRules, CompromisoRules, Days
from services.evaluator.store.rules import _KNOWN, read_carta
from shared.contracts.cartas import CartaData, Compromiso, Scope, Status, Suspension
from shared.criteria import Window, WindowKind
from simulator.whole_town import whole_catalogue
from tests.unit.evaluator import builders as b


def cartas() -> list[CartaData]:
    """A carta with every form of criterion that there is, and one with all that may be left out."""
    read = read_catalogue(whole_catalogue(10, 10, 120).encode()).catalogue
    assert read is not None
    paused = Suspension(first=date(2026, 3, 1), last=date(2026, 3, 5), reason="Obras", act="Acta 2")
    unusual = b.carta(
        b.compromiso(minimum_sample=7, closing_delay_days=3, expected_cases=90, scope=Scope.UNIT),
        status=Status.RETIRED,
        valid_to=date(2026, 12, 31),
        suspensions=(paused,),
        services=(),
    )
    return [*(carta.data for carta in read.cartas), unusual]


def told(rules: CartaRules) -> dict[str, Any]:
    """Everything that it says, whether or not objects are the same."""
    said = {each.name: getattr(rules, each.name) for each in fields(rules)}
    return said | {"compromisos": {k: said_of(v) for k, v in rules.compromisos.items()}}


def said_of(rules: CompromisoRules) -> list[Any]:
    return [getattr(rules, each.name) for each in fields(rules)]


@pytest.mark.parametrize("data", cartas(), ids=lambda data: data.carta)
def test_a_stored_carta_is_read_as_its_model_reads_it(data: CartaData) -> None:
    assert told(read_carta(data.model_dump_json())) == told(CartaRules.of(data))


def test_what_is_left_out_has_its_default() -> None:
    data = b.carta()
    stored = json.loads(data.model_dump_json())
    for name in ("status", "valid_to", "suspensions"):
        del stored[name]
    for name in ("minimum_sample", "closing_delay_days", "expected_cases", "scope"):
        del stored["compromisos"][0][name]
    assert told(read_carta(json.dumps(stored))) == told(CartaRules.of(data))


def test_suspensions_keep_their_days_and_nothing_else() -> None:
    read = read_carta(cartas()[-1].model_dump_json())
    assert read.suspensions == (Days(date(2026, 3, 1), date(2026, 3, 5)),)


def rules_of(compromiso: Compromiso, **changes: Any) -> CompromisoRules:
    [rules] = read_carta(b.carta(compromiso, **changes).model_dump_json()).compromisos.values()
    return rules


def test_compromisos_that_are_judged_alike_share_their_rules() -> None:
    """Whatever is printed of them, and whoever promises it."""
    first = rules_of(b.compromiso())
    assert rules_of(b.compromiso(id="OT-01", text="Otro texto."), municipality="olmo") is first


@pytest.mark.parametrize(
    "changes",
    [
        {"minimum_sample": 1},
        {"closing_delay_days": 1},
        {"expected_cases": 1},
        {"scope": Scope.UNIT},
        {"window": Window(kind=WindowKind.QUARTER)},
    ],
)
def test_compromisos_that_differ_in_anything_judged_do_not_share(changes: dict[str, Any]) -> None:
    first, other = rules_of(b.compromiso()), rules_of(b.compromiso(**changes))
    assert other is not first
    assert said_of(other) == said_of(CompromisoRules.of(b.compromiso(**changes)))


def test_rules_that_no_promise_holds_are_forgotten() -> None:
    gc.collect()
    before = len(_KNOWN)
    held = rules_of(b.compromiso(minimum_sample=4321))
    assert len(_KNOWN) == before + 1
    del held
    gc.collect()
    assert len(_KNOWN) == before
