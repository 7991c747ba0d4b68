import csv
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from services.cartas.domain import Catalogue, read_catalogue
from services.measurements.domain.mapping_file import MappingFile
from shared.contracts.service_events import SOURCE_HEARTBEAT
from shared.contracts.topics import SERVICE_EVENTS
from shared.criteria import measures_of
from simulator import CATALOGUE, MUNICIPALITY
from simulator.history import KINDS, quarter_before, write_archive
from simulator.scenarios import EMITTERS, PHONES
from simulator.traffic import QUIET, Emission, endless, generate, until

START = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def traffic() -> list[Emission]:
    return generate(7, 1500, START)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    reading = read_catalogue(CATALOGUE.read_bytes())
    doubtful = [w for w in reading.warnings if "nunca cuentan" not in w.message]
    doubtful = [w for w in doubtful if "casos concluidos" not in w.message]
    assert (reading.faults, doubtful) == ((), [])
    assert reading.catalogue is not None
    return reading.catalogue


OTHERS = {"survey.answered", "certificate.issued", "certificate.reissued", "outage.started"}
"""What no emitter of the simulator tells: surveys, the civil register's files, a monitor."""


def kinds_of(catalogue: Catalogue) -> set[str]:
    """Events that judged compromisos wait for, apart from the buzon's own."""
    measures = [
        measure
        for carta in catalogue.cartas
        for compromiso in carta.data.compromisos
        for measure in measures_of(compromiso.criterion)
    ]
    clocks = [measure.clock for measure in measures if measure.clock is not None]
    kinds = {kind for clock in clocks for kind in (*clock.start.kinds, *clock.stop.kinds)}
    kinds |= {measure.figure.population.event for measure in measures}
    return {kind for kind in kinds - OTHERS if not kind.startswith("buzon.")}


def test_the_same_seed_and_start_give_the_same_traffic(traffic: list[Emission]) -> None:
    assert generate(7, 1500, START) == traffic
    assert [each.event for each in generate(8, 1500, START)] != [each.event for each in traffic]


def test_runs_never_share_an_id(traffic: list[Emission]) -> None:
    other = generate(7, 1500, START + timedelta(seconds=1))
    assert not {each.event["id"] for each in other} & {each.event["id"] for each in traffic}


def test_every_event_keeps_the_contract_and_its_emitters_registration(
    traffic: list[Emission],
) -> None:
    for emission in traffic:
        SERVICE_EVENTS.adapter.validate_json(json.dumps(emission.event))
        data = emission.event["data"]
        assert data["municipality"] == MUNICIPALITY
        assert emission.event["source"] == emission.emitter.uri
        assert data["service"] in emission.emitter.services
        assert set(data.get("attributes", {})) <= set(emission.emitter.attributes)


def test_the_traffic_has_as_many_cases_as_asked_for(traffic: list[Emission]) -> None:
    assert len({each.event["data"]["case"] for each in traffic}) == 1500


def test_the_traffic_has_all_that_real_feeds_have(traffic: list[Emission]) -> None:
    events = [each.event for each in traffic]
    repeats = Counter(event["id"] for event in events)
    times = [event["time"] for event in events]
    assert max(repeats.values()) == 2
    assert times != sorted(times)
    assert any("supersedes" in event["data"] for event in events)
    kinds = {event["type"] for event in events}
    assert {"case.paused", "case.resumed", "case.excluded", "case.abandoned"} <= kinds


def test_a_correction_names_an_event_that_was_sent_before(traffic: list[Emission]) -> None:
    sent: set[str] = set()
    for emission in traffic:
        corrected = emission.event["data"].get("supersedes")
        assert corrected is None or corrected in sent
        sent.add(emission.event["id"])


def test_a_repeat_says_the_same(traffic: list[Emission]) -> None:
    said: dict[str, object] = {}
    for emission in traffic:
        assert said.setdefault(emission.event["id"], emission.event) == emission.event


def test_without_noise_each_emitter_tells_its_events_in_order() -> None:
    quiet = generate(3, 300, START, noise=QUIET, late_call=False)
    times = [datetime.fromisoformat(each.event["time"]) for each in quiet]
    assert times == sorted(times)


def test_only_the_opening_call_is_late_and_it_is_so_within_twenty_seconds() -> None:
    calls: dict[str, dict[str, datetime]] = {}
    for emission in until(endless(1, START, cases_per_second=2), START + timedelta(minutes=10)):
        event = emission.event
        if event["data"]["service"] == "EM-LLAMADAS":
            instants = calls.setdefault(event["data"]["case"], {})
            instants[event["type"]] = datetime.fromisoformat(event["time"])
    limit = timedelta(seconds=60)
    late = [
        instants["call.queued"] + limit
        for instants in calls.values()
        if "call.dispatched" in instants
        and instants["call.dispatched"] - instants["call.queued"] > limit
    ]
    (due,) = late
    assert START < due < START + timedelta(seconds=20)


def test_prompt_emitters_speak_in_order_so_that_heartbeats_hold() -> None:
    stream = until(endless(2, START, cases_per_second=3), START + timedelta(minutes=5))
    prompt = [each for each in stream if each.emitter is PHONES]
    assert any(each.event["type"] == SOURCE_HEARTBEAT for each in prompt)
    live = [each for each in prompt if each.at > START]
    times = [datetime.fromisoformat(each.event["time"]) for each in live]
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_the_catalogue_promises_what_the_emitters_report(catalogue: Catalogue) -> None:
    promised = {service for carta in catalogue.cartas for service in carta.data.services}
    reported = {service for emitter in EMITTERS for service in emitter.services}
    assert promised == reported
    assert kinds_of(catalogue) <= set(KINDS)


def test_every_event_that_a_promise_waits_for_happens(
    catalogue: Catalogue, traffic: list[Emission]
) -> None:
    assert kinds_of(catalogue) <= {each.event["type"] for each in traffic}


@pytest.mark.parametrize(
    ("day", "name"),
    [("2026-11-22", "2026-Q3"), ("2027-01-01", "2026-Q4"), ("2026-03-31", "2025-Q4")],
)
def test_the_past_quarter_is_the_last_whole_one(day: str, name: str) -> None:
    quarter = quarter_before(datetime.fromisoformat(day).date())
    assert quarter.name == name


def test_the_same_quarter_gives_the_same_file_and_a_valid_mapping(tmp_path: Path) -> None:
    first = write_archive(tmp_path / "a", datetime(2026, 11, 22, 12, tzinfo=UTC))
    second = write_archive(tmp_path / "b", datetime(2026, 12, 30, 12, tzinfo=UTC))
    assert first.file.read_bytes() == second.file.read_bytes()
    assert first.mapping.read_bytes() == second.mapping.read_bytes()
    mapping = MappingFile("m", first.mapping.read_text())
    header = first.file.read_text().splitlines()[0].split(",")
    mapping.check_header("f", header)


def test_in_the_past_quarter_some_promises_were_kept_and_some_not(tmp_path: Path) -> None:
    archive = write_archive(tmp_path, datetime(2026, 11, 22, 12, tzinfo=UTC))
    rows = list(csv.DictReader(archive.file.read_text().splitlines()))

    def share(unit: str, start: str, stop: str, *, seconds: int) -> float:
        taken = [
            datetime.fromisoformat(row[stop]) - datetime.fromisoformat(row[start])
            for row in rows
            if row["unidad"] == unit and row[start] and row[stop]
        ]
        return sum(each <= timedelta(seconds=seconds) for each in taken) / len(taken)

    wait = ("ticket.issued", "ticket.called")
    assert share("CENTRO-MANDO", "call.queued", "call.dispatched", seconds=60) == 1
    assert share("RC-CENTRO", *wait, seconds=900) > 0.92
    assert 0.75 < share("RC-NORTE", *wait, seconds=900) < 0.89


def test_an_archive_drawn_up_early_says_nothing_of_the_future(tmp_path: Path) -> None:
    early = datetime(2026, 10, 2, 12, tzinfo=UTC)
    archive = write_archive(tmp_path, early)
    rows = csv.DictReader(archive.file.read_text().splitlines())
    latest = max(row[kind] for row in rows for kind in KINDS)
    assert latest <= "2026-10-02T06:00:00"
