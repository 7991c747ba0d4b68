"""The mutator itself: what it changes, and that a change takes effect wherever a function is."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import ValidationError

from shared.criteria import ContestReason, Number
from shared.criteria.contests import contested
from shared.worktime import Unit, due_instants
from tests.mutation.mutants import Mutant, modules, mutants_of
from tests.mutation.swap import functions, put_in
from tests.unit.worktime.calendars import general, local

CONTESTS, VALUES = "shared/criteria/contests.py", "shared/criteria/values.py"


def mutant(module: str, function: str, change: str) -> Mutant:
    (found,) = (
        each for each in mutants_of(module) if (each.function, each.change) == (function, change)
    )
    return found


@contextmanager
def put(changed: Mutant) -> Iterator[None]:
    known = functions()
    place = (changed.function, changed.first_line)
    originals = [
        (each, each.__code__, each.__defaults__, each.__kwdefaults__)
        for (_, *where), found in known.items()
        if tuple(where) == place
        for each in found
    ]
    assert originals
    try:
        put_in(changed, known)
        yield
    finally:
        for each, code, defaults, keywords in originals:
            each.__code__, each.__defaults__, each.__kwdefaults__ = code, defaults, keywords


def test_each_mutant_is_named_once_and_changes_one_thing() -> None:
    assert {CONTESTS, VALUES} <= set(modules())
    for module in (CONTESTS, VALUES):
        found = mutants_of(module)
        assert len({each.key for each in found}) == len(found), module
    changes = {each.change for each in mutants_of(CONTESTS)}
    assert "in → not in" in changes
    assert all(each.function == "contested" for each in mutants_of(CONTESTS))


def test_a_function_is_changed_for_those_who_have_imported_it() -> None:
    named = frozenset({ContestReason.FORCE_MAJEURE.value})
    with put(mutant(CONTESTS, "contested", "in → not in")):
        assert contested(named) == ContestReason.WRONG_RECORD
    assert contested(named) == ContestReason.FORCE_MAJEURE


def test_a_function_is_found_in_a_process_that_has_frozen_its_objects() -> None:
    gc.freeze()  # as a service does when it starts
    with put(mutant(CONTESTS, "contested", "in → not in")):
        named = frozenset({ContestReason.FORCE_MAJEURE.value})
        assert contested(named) == ContestReason.WRONG_RECORD


def test_a_validator_is_changed_in_its_model() -> None:
    scale = {"field": "nota", "lowest": 0, "highest": 0}
    with put(mutant(VALUES, "Number._whole_scale", ">= self.highest → > self.highest")):
        assert Number.model_validate(scale)
    with pytest.raises(ValidationError, match="a scale rises"):
        Number.model_validate(scale)


def test_a_changed_line_keeps_its_place_in_the_source() -> None:
    for each in mutants_of(CONTESTS):
        before, after = each.tree.code.splitlines(), each.source().splitlines()
        assert before != after
        assert before[: each.first_line] == after[: each.first_line]


def test_terms_at_once_are_changed_too() -> None:
    starts = [local("2026-07-06 09:00")]
    changes = [
        each
        for each in mutants_of("shared/worktime/batch.py")
        if each.change == "not starts → starts"
    ]
    (changed,) = changes
    with put(changed):
        assert due_instants(starts, 1, Unit.WORKING_DAY, general()) == []
    assert due_instants(starts, 1, Unit.WORKING_DAY, general()) == [local("2026-07-08")]
