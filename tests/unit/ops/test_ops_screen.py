"""One screen: every figure on it, never wider than a terminal, no meaning in colour alone."""

import re

import pytest

from ops.looking import Answer
from ops.needs import needs
from ops.report import Disk, report
from ops.screen import WIDTH, duration, number, screen, size
from tests.unit.ops.answers import away, looked, told

COLOUR = re.compile(r"\033\[\d+m")
LINES = 24
LONG = "https://una-fuente-de-nombre-muy-largo.tramites.municipio.example/ventanilla"


def drawn(*instead: Answer, colour: bool = False) -> str:
    found = report(looked(*instead, seconds=1), looked(), [Disk("postgresql", 10**12, 4 * 10**11)])
    return screen(found, needs(found), colour=colour)


WELL = """\
cartas compromiso  2026-11-23 15:30:01 UTC                                  well

service      state          up memory schema     outbox  oldest       refused 1h
cartas       ready        2d02  85 MB   0014          0      0s           0 of 0
measurements ready        2d02  85 MB   0014          0      0s           0 of 0
evaluator    ready        2d02  85 MB   0014          0      0s           0 of 0
buzon        ready        2d02  85 MB   0014          0      0s           0 of 0
notifier     ready        2d02  85 MB   0014          0      0s           0 of 0
portal       ready        2d02  85 MB   0014          0      0s           0 of 0

records behind (applied a second)
cartas       corrective-actions 0
measurements cartas 0, service-events 0
evaluator    cartas 0, complaints 0, measurements 0
buzon        cartas 0
notifier     breaches 0, cartas 0, complaints 0, results 0
portal       breaches 0, cartas 0, complaints 0, corrective-actions 0, results 0
known until  measurements 2s, buzon 31s ago
balances     events - outcomes 0, verdicts - counts 0, 0 of 20 recomputed differ
sources      silent: none; suspended: none
mail         3 wait, 0 stuck (oldest 0s), 0 unaddressed, 0 boxes refuse
disk         databases 72 MB; free: kafka 1 210 GB of 500 GB, postgresql 400 GB
             of 1.0 TB
"""


def test_a_well_system_on_one_screen() -> None:
    assert drawn() == WELL
    assert len(WELL.splitlines()) < LINES


def test_what_needs_a_hand_comes_first() -> None:
    lines = drawn(away("portal")).splitlines()
    assert lines[0].endswith("1 need a hand")
    assert lines[1].startswith("! portal: no answer: nothing listens at")
    [row] = [line for line in lines if line.startswith("portal")]
    assert row.split() == ["portal", "no", "answer", *"------"]


def test_no_line_is_wider_than_the_screen() -> None:
    silent = {
        f'cartas_source_silent_seconds{{source="{LONG}/{n}",municipality="m"}}': 900
        for n in range(9)
    }
    busy = {
        "cartas_outbox_rows": 12_345_678,
        "cartas_outbox_oldest_seconds": 400_000,
        'cartas_dead_letters{which="last_hour"}': 10_000,
        'cartas_dead_letters{which="waiting"}': 10_000,
        "process_resident_memory_bytes": 123_456_789_012,
        'cartas_consumer_lag_records{topic="measurements.v1",partition="0"}': 5_000_000,
        'cartas_messages_handled_total{topic="measurements.v1"}': 31_000,
    }
    shown = drawn(told("evaluator", silent | busy))
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert "and 3 more" in " ".join(shown.split())
    assert "measurements 5,000,000 (30,000/s)" in shown


def test_lost_partitions_stand_with_the_lag() -> None:
    shown = drawn(told("buzon", {'cartas_partitions_fenced_total{topic="cartas.v1"}': 2}))
    assert "buzon        cartas 0, fenced 2 times\n" in shown


def test_colour_only_repeats_words() -> None:
    coloured = drawn(away("portal"), colour=True)
    assert COLOUR.search(coloured)
    assert COLOUR.sub("", coloured) == drawn(away("portal"))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        *((None, "-"), (0, "0s"), (59, "59s"), (60, "1m00"), (3599, "59m59"), (3600, "1h00")),
        *((86_399, "23h59"), (86_400, "1d00"), (180_000, "2d02")),
    ],
)
def test_durations(seconds: int | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *((None, "-"), (0, "0 kB"), (999_999, "999 kB"), (1_000_000, "1.0 MB")),
        *((85_300_000, "85 MB"), (1_490_000_000, "1.4 GB"), (2 * 10**12, "2.0 TB")),
    ],
)
def test_sizes(value: int | None, shown: str) -> None:
    assert size(value) == shown


def test_numbers() -> None:
    assert (number(None), number(0), number(1234567)) == ("-", "0", "1,234,567")
