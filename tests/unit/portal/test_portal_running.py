from typing import Any

from services.portal.domain.explaining import public_explanation
from services.portal.domain.running import running_lines
from services.portal.domain.states import State
from shared.contracts.results import Outlook, PartResult, Prospect, ResultData, ResultStatus
from tests.unit.portal import builders as b

RUNNING: dict[str, Any] = {"status": ResultStatus.PROVISIONAL, "edition": 0, "window": b.quarter(4)}


def running(prospect: Prospect, *, met: int = 80, failed: int = 20, **changes: Any) -> ResultData:
    outlook = Outlook(due=met + failed, failed=failed, open=12, may_fail=2, prospect=prospect)
    parts: tuple[PartResult, ...] = (b.part(met, failed, pending=12, outlook=outlook),)
    fields = {"unit_code": "RC-SUR", "parts": parts, "prospect": prospect} | RUNNING | changes
    return b.result("CC-RC-01", "01", **fields)


def test_what_can_still_be_helped_stands_before_what_is_lost_and_what_goes_well() -> None:
    well = running(Prospect.SAFE, met=95, failed=5, unit_code="RC-NORTE")
    lost = running(Prospect.LOST, unit_code="RC-CENTRO")
    behind = running(Prospect.BEHIND, at_risk=True)
    still = running(Prospect.OPEN, at_risk=True, unit_code="RC-OESTE")
    lines = running_lines(b.CARTAS, [well, lost, still, behind])
    assert [line.result for line in lines] == [behind, still, lost, well]
    assert [line.word for line in lines] == [
        "En riesgo",
        "En riesgo",
        "Ya no puede cumplirse",
        "Va cumpliendo",
    ]
    assert [line.state for line in lines] == [State.NOT_MET] * 3 + [State.MET]


def test_each_part_tells_what_is_missing_in_the_words_of_its_carta() -> None:
    [line] = running_lines(b.CARTAS, [running(Prospect.OPEN, at_risk=True)])
    [(part, told)] = line.parts
    assert part.pending == 12
    assert told == (
        "Ya cuentan 100 casos, 20 en contra.",
        "Quedan 12 casos abiertos; si 3 más pasan de 15 minutos, no se cumple, "
        "salvo que casos nuevos lo compensen.",
    )


def test_a_result_whose_carta_is_not_known_is_told_all_the_same() -> None:
    [line] = running_lines([], [running(Prospect.OPEN)])
    assert "si 3 más no cumplen" in line.parts[0][1][1]


def test_everybody_sees_what_is_missing_only_where_running_results_are_public() -> None:
    result = running(Prospect.OPEN)
    hidden, shown = b.municipality(show_running=False), b.municipality(show_running=True)
    assert public_explanation(hidden, b.CARTAS, [result], edition=None) is None
    found = public_explanation(shown, b.CARTAS, [result], edition=None)
    assert found is not None
    assert found.parts[0].outlook[1].startswith("Quedan 12 casos abiertos")
    assert found.result.parts[0].outlook.startswith("Quedan 12 casos abiertos")


def test_a_sensitive_carta_does_not_tell_what_a_few_cases_can_become() -> None:
    few = Outlook(due=60, failed=20, open=4, may_fail=2, prospect=Prospect.OPEN)
    many = few.model_copy(update={"open": 40})
    shown = b.municipality(show_running=True)
    told = []
    for outlook in (few, many):
        parts = (b.part(40, 20, pending=outlook.open, outlook=outlook),)
        result = b.result("CC-IG-01", "01", "IGUALDAD", parts=parts, **RUNNING)
        found = public_explanation(shown, b.CARTAS, [result], edition=None)
        assert found is not None
        told.append((bool(found.parts[0].outlook), bool(found.result.parts[0].outlook)))
    assert told == [(False, False), (True, True)]
