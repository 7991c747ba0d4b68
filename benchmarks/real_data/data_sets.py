"""Which data sets there are, the promises they are judged by, and where they come from."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class DataSet:
    """One file of the shared data, its catalogue, and its source as the mapping names it.

    `notes` say where it comes from and how its faults were met; `attributes` are what its source
    sends.
    """

    name: str
    file: str
    mapping: str
    municipality: str
    source: str
    service: str
    catalogue: Path
    notes: str
    attributes: tuple[str, ...] = ()


NYC_DAY = DataSet(
    name="NYC 311, 2013-12-25",
    file="nyc311_2013-12-25_all_agencies.csv",
    mapping="nyc-311-day",
    municipality="nueva-york",
    source="https://data.cityofnewyork.us/erm2-nwe9",
    service="NYC-311",
    catalogue=HERE / "nueva_york.yaml",
    notes=(
        "NYC Open Data erm2-nwe9, export of spring 2014. `PLAZO` holds the city to its own "
        "due dates, `5D` to five days. Most cases have no due date and are left out by that "
        "name; one was closed before it was created."
    ),
)
WARSAW_TICKETS = DataSet(
    name="Warsaw tickets, 2019-12-30 to 2020-01-22",
    file="warsaw_tickets_derived.csv.gz",
    mapping="warsaw-tickets",
    municipality="warszawa",
    source="https://api.um.warszawa.pl/systemy-kolejkowe",
    service="WAW-TURNOS",
    catalogue=HERE / "warszawa.yaml",
    notes=(
        "Miasto Stołeczne Warszawa, api.um.warszawa.pl, made and obtained 2019-12-30 to "
        "2020-01-22, processed into tickets. Both instants of a ticket are readings about "
        "five minutes apart. Months are those in which the 15 minutes ended, by the office's "
        "own clock. A ticket that was never called is a failed one. The readings themselves "
        "(`warsaw_queue_snapshots.csv.gz`), of which the "
        "tickets are made, are not judged a second time."
    ),
)
BOSTON_SAMPLE = DataSet(
    name="Boston 311, January 2022",
    file="boston311_2022-01_sample100.csv",
    mapping="boston-311",
    municipality="boston",
    source="https://data.boston.gov/dataset/311-service-requests",
    service="BOS-311",
    catalogue=HERE / "boston.yaml",
    notes=(
        "City of Boston, 311 Service Requests. `PLAZO` holds the city to its own target "
        "dates, as of 2022-05-31; `MARCA` is the share that the city itself marks as on time."
    ),
    attributes=("marca",),
)
INEGI_SURVEY = DataSet(
    name="INEGI ENSU 2025, Cuernavaca",
    file="inegi_ensu_2025_cuernavaca.csv",
    mapping="inegi-ensu",
    municipality="cuernavaca-zona",
    source="https://www.inegi.org.mx/programas/ensu",
    service="ENSU",
    catalogue=HERE / "cuernavaca.yaml",
    notes=(
        "INEGI, ENSU 2025. Share of people who find their city's government very or somewhat "
        "effective, each answer with the weight of the people it stands for, and without "
        "weights (`SIN-PESO`). Who did not answer or does not know is left out by name. A "
        "quarter with fewer than 30 answers has a figure and no verdict. `AGUA`, `ALUMBRADO`, "
        "`BASURA` and `BACHES` name these as a problem. No margin of error is given; quarters "
        "share dwellings, so a change between them means less than it seems."
    ),
    attributes=("encuesta", "eficacia", "peso", "agua", "alumbrado", "basura", "baches"),
)
DATA_SETS = (
    BOSTON_SAMPLE,
    NYC_DAY,
    INEGI_SURVEY,
    WARSAW_TICKETS,
)
