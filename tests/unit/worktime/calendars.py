"""Calendars of the fictional municipality, and instants in its local time."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from shared.worktime import Calendar, DayException, PreparedCalendar, Segment, Weekday

MEXICO_CITY = ZoneInfo("America/Mexico_City")
OFFICE: tuple[Segment, ...] = (("09:00", "18:00"),)
ALL_DAY: tuple[Segment, ...] = (("00:00", "24:00"),)
MONDAY_TO_FRIDAY = tuple(Weekday)[:5]


def closed(first: str, last: str | None = None, **changes: object) -> DayException:
    """A published day, or range, on which nobody works and nothing counts."""
    fields = {"reason": "published", "opens": False, "counts": False} | changes
    return DayException.model_validate({"first": first, "last": last or first, **fields})


DAYS_2026 = (
    closed("2026-01-01"),
    closed("2026-02-02"),
    closed("2026-03-02", reason="Aniversario del Estado de México"),
    closed("2026-03-16"),
    closed("2026-03-30", "2026-04-03", reason="Primer periodo vacacional, primera etapa"),
    closed("2026-05-01"),
    closed("2026-05-05"),
    closed("2026-07-20", "2026-07-24", reason="Primer periodo vacacional, segunda etapa"),
    closed("2026-09-16"),
    closed("2026-11-02"),
    closed("2026-11-16"),
    closed("2026-11-20", reason="Desfile: se labora pero no corren plazos", opens=True),
    closed("2026-12-25", reason="Navidad"),
)


ZONE = MEXICO_CITY


def general(**changes: object) -> PreparedCalendar:
    """HAB-GRAL of the sample: Monday to Friday, 9 to 18."""
    fields: dict[str, object] = {
        "id": "HAB-GRAL",
        "version": 1,
        "kind": "working",
        "zone": "America/Mexico_City",
        "week": dict.fromkeys(MONDAY_TO_FRIDAY, OFFICE),
        "counting": MONDAY_TO_FRIDAY,
        "days": (*DAYS_2026, closed("2026-12-21", "2027-01-05", reason="Segundo periodo")),
    }
    return PreparedCalendar(Calendar.model_validate(fields | changes))


def registry() -> PreparedCalendar:
    """HAB-RC: also opens on Saturdays, which do not count, and keeps a guard over the holidays."""
    guard = closed("2026-12-21", "2027-01-05", opens=True)
    return general(
        id="HAB-RC",
        week=dict.fromkeys(MONDAY_TO_FRIDAY, OFFICE) | {Weekday.SATURDAY: (("09:00", "13:00"),)},
        days=(*DAYS_2026, guard),
    )


def natural(zone: str = "America/Mexico_City") -> PreparedCalendar:
    """NAT-24X7: always open, every day counts."""
    week = dict.fromkeys(Weekday, ALL_DAY)
    return general(
        id="NAT-24X7", kind="natural", zone=zone, week=week, counting=tuple(Weekday), days=()
    )


def local(text: str, zone: ZoneInfo = MEXICO_CITY) -> datetime:
    """Read a local time, such as 2026-07-03 18:00, as a UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()
