"""Which data sets there are, the promises they are judged by, and where they come from."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class DataSet:
    """One file of the shared data, its catalogue, and its source as the mapping names it.

    `notes` say where it comes from and how its faults were met; `attributes` are what its source
    sends. The page only sums up the figures of `summed_up`, which are too many to list. `part` is
    what the tests judge of a file that takes minutes: rows whose column begins so; `make real-data`
    judges all of it. They leave no month empty: a month of the past without a case is never final.
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
    summed_up: tuple[str, ...] = ()
    part: tuple[str, tuple[str, ...]] | None = None


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
        "five minutes apart. Months are those in which the 15 minutes ended, hours (`HORA`) "
        "those of issue, by the office's own clock. A ticket that was never called is a "
        "failed one; it has no part in the mean wait (`MEDIA`) and is longer than any other "
        "in the wait that nine of ten do not exceed (`P90`), both in "
        "minutes. The readings themselves (`warsaw_queue_snapshots.csv.gz`), of which the "
        "tickets are made, are not judged a second time."
    ),
    attributes=("hora",),
    part=("office", ("UD_Ursus", "UD_Wlochy", "USC_")),
)
NHS_COUNTS = DataSet(
    name="NHS England, April 2016 to March 2019",
    file="nhs_england_ae_4h_2016_2019.csv",
    mapping="nhs-4h",
    municipality="nhs-england",
    source="https://www.england.nhs.uk/statistics/ae-waiting-times-and-activity",
    service="NHS-URGENCIAS",
    catalogue=HERE / "nhs_england.yaml",
    notes=(
        "Contains public sector information licensed under the Open Government Licence v3.0. "
        "Counts come summed, by month, provider and department type; a share of several of "
        "them is made of their sums, not of their shares. The 95 % is the standard's own. "
        "`TIPO1` are major departments only. By organisation, the three years together are "
        "listed, and month by month summed up."
    ),
    attributes=("tipo", "atendidos", "a_tiempo"),
    summed_up=("NHS-01-ORG-MES",),
    part=("org_code", ("NR", "RP", "RQ")),
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
NYC_ANIMALS = DataSet(
    name="NYC animal complaints, January 2010 to February 2025",
    file="nyc311_dohmh_animal_complaints_2010_2025.csv",
    mapping="nyc-311-animals",
    municipality="nueva-york-animales",
    source="https://data.cityofnewyork.us/erm2-nwe9/dohmh-animals",
    service="NYC-ANIMALES",
    catalogue=HERE / "nueva_york_animales.yaml",
    notes=(
        "NYC Open Data erm2-nwe9, export of about 7 February 2025, by month of the complaint. "
        "The city changed what it records: from July 2013 to 2019 no complaint has a closing "
        "date, and from 2020 every closing date is the second of the complaint. Face value "
        "reads the first as never closed and the second as closed at once; `DEPURADO` leaves "
        "both out by name, and repeats of an earlier complaint. Complaints of June 2013 were "
        "received before the change, but most had no time left to be closed in: their low "
        "share is the change's, too. `MOVIMIENTO` takes the last update for the answer, the "
        "only sign of one from 2014 to 2019. Two closing dates of the year 1900 are left out "
        "by name everywhere. `PLAZO` is the city's own due date: 30 days, until June 2019."
    ),
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
        "`BASURA` and `BACHES` name these as a problem. The margin (±, in points, the "
        "worst case at 95.5 %) is approximate: made of the effective sample size, it knows nothing "
        "of how dwellings were drawn. Quarters share dwellings: a change between them means less "
        "than it seems."
    ),
    attributes=("encuesta", "eficacia", "peso", "agua", "alumbrado", "basura", "baches"),
)
DATA_SETS = (
    BOSTON_SAMPLE,
    NYC_DAY,
    NYC_ANIMALS,
    INEGI_SURVEY,
    NHS_COUNTS,
    WARSAW_TICKETS,
)
