"""Which data sets there are, the promises they are judged by, and where they come from."""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class DataSet:
    """One file of the shared data, its catalogue, and its source as the mapping names it."""

    name: str
    file: str
    mapping: str
    municipality: str
    source: str
    service: str
    catalogue: Path


NYC_DAY = DataSet(
    name="NYC 311, 2013-12-25",
    file="nyc311_2013-12-25_all_agencies.csv",
    mapping="nyc-311-day",
    municipality="nueva-york",
    source="https://data.cityofnewyork.us/erm2-nwe9",
    service="NYC-311",
    catalogue=HERE / "nueva_york.yaml",
)
WARSAW_TICKETS = DataSet(
    name="Warsaw tickets, 2019-12-30 to 2020-01-22",
    file="warsaw_tickets_derived.csv.gz",
    mapping="warsaw-tickets",
    municipality="warszawa",
    source="https://api.um.warszawa.pl/systemy-kolejkowe",
    service="WAW-TURNOS",
    catalogue=HERE / "warszawa.yaml",
)
DATA_SETS = (NYC_DAY, WARSAW_TICKETS)
