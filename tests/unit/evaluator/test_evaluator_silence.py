"""A source is silent where more opening time passes between two words than it was allowed."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.evaluator.domain.coverage import Cadence
from services.evaluator.domain.silence import Silence, silences, words
from tests.unit.worktime.calendars import general, local, natural

MONDAY = "2026-09-07"
SINCE = local("2026-09-01 00:00")
HALF_HOUR = Cadence(30, "HAB-GRAL", SINCE)


def spoke(*times: str) -> list[tuple[date, int]]:
    """The minutes of these local times, by UTC day."""
    found: dict[date, int] = {}
    for text in times:
        moment = local(text).astimezone(UTC)
        day = moment.date()
        found[day] = found.get(day, 0) | 1 << (60 * moment.hour + moment.minute)
    return sorted(found.items())


def found(heard: Iterable[tuple[date, int]], *, since: str, through: str) -> list[Silence]:
    return silences(
        list(words(heard)), HALF_HOUR, general(), since=local(since), through=local(through)
    )


def test_a_word_in_time_is_no_silence_and_equality_is_in_time() -> None:
    """The word of 9:00 lasts its minute: the next is due by 9:31."""
    heard = spoke(f"{MONDAY} 09:00", f"{MONDAY} 09:31")
    assert found(heard, since=f"{MONDAY} 09:00", through=f"{MONDAY} 09:40") == []


def test_a_minute_more_is_a_silence() -> None:
    heard = spoke(f"{MONDAY} 09:00", f"{MONDAY} 09:32")
    assert found(heard, since=f"{MONDAY} 09:00", through=f"{MONDAY} 09:40") == [
        Silence(local(f"{MONDAY} 09:01"), local(f"{MONDAY} 09:32"))
    ]


def test_nobody_is_expected_to_speak_at_night() -> None:
    closing, opening = f"{MONDAY} 17:59", "2026-09-08 09:05"
    assert found(spoke(closing, opening), since=closing, through="2026-09-08 09:10") == []


def test_a_silence_begins_and_ends_in_service_hours() -> None:
    """The last word is Friday's; the office opens on Monday and closes at 18:00."""
    heard = spoke("2026-09-04 17:59", "2026-09-08 08:00")
    assert found(heard, since="2026-09-04 17:59", through="2026-09-08 08:10") == [
        Silence(local(f"{MONDAY} 09:00"), local(f"{MONDAY} 18:00"))
    ]


def test_a_silence_goes_on_until_it_is_known_to_have_ended() -> None:
    heard = spoke(f"{MONDAY} 10:00")
    assert found(heard, since=f"{MONDAY} 10:00", through=f"{MONDAY} 11:00") == [
        Silence(local(f"{MONDAY} 10:01"), None)
    ]


def test_one_that_never_spoke_is_silent_from_the_first_opening() -> None:
    assert found([], since=f"{MONDAY} 00:00", through=f"{MONDAY} 12:00") == [
        Silence(local(f"{MONDAY} 09:00"), None)
    ]


def test_one_that_was_revoked_is_expected_to_say_no_more() -> None:
    over = Cadence(30, "HAB-GRAL", SINCE, until=local(f"{MONDAY} 12:00"))
    heard = list(words(spoke(f"{MONDAY} 10:00")))
    made = silences(
        heard, over, general(), since=local(f"{MONDAY} 10:00"), through=local(f"{MONDAY} 16:00")
    )
    assert made == [Silence(local(f"{MONDAY} 10:01"), local(f"{MONDAY} 12:00"))]


MINUTES = st.sets(st.integers(0, 3 * 1440 - 1), max_size=60)
MIDNIGHT = datetime(2026, 9, 7, tzinfo=UTC)


def heard_at(minutes: Iterable[int]) -> list[tuple[date, int]]:
    days: dict[date, int] = {}
    for minute in minutes:
        day = (MIDNIGHT + timedelta(minutes=minute)).date()
        days[day] = days.get(day, 0) | 1 << minute % 1440
    return sorted(days.items())


@given(minutes=MINUTES, every_minutes=st.integers(1, 600))
def test_without_closing_time_silences_are_the_long_gaps_and_nothing_else(
    minutes: set[int], every_minutes: int
) -> None:
    """Beside a naive look at each minute of three days."""
    expects = Cadence(every_minutes, "NAT", MIDNIGHT)
    end = 3 * 1440
    made = silences(
        list(words(heard_at(minutes))),
        expects,
        natural(),
        since=MIDNIGHT,
        through=MIDNIGHT + timedelta(minutes=end),
    )
    naive, quiet = [], 0
    for minute in range(end + 1):
        if minute == end or minute in minutes:
            if quiet > every_minutes:
                stop = None if minute == end else MIDNIGHT + timedelta(minutes=minute)
                naive.append(Silence(MIDNIGHT + timedelta(minutes=minute - quiet), stop))
            quiet = 0
        else:
            quiet += 1
    assert made == naive


@given(minutes=MINUTES, more=st.integers(0, 3 * 1440 - 1))
def test_one_more_word_never_makes_more_silence(minutes: set[int], more: int) -> None:
    expects = Cadence(45, "HAB-GRAL", MIDNIGHT)
    through = MIDNIGHT + timedelta(days=3)

    def length(spoken: set[int]) -> timedelta:
        made = silences(
            list(words(heard_at(spoken))), expects, general(), since=MIDNIGHT, through=through
        )
        return sum(((each.end or through) - each.start for each in made), timedelta())

    assert length(minutes | {more}) <= length(minutes)
