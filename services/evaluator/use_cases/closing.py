"""When a window is closed, and when a closed one gets another edition."""

from datetime import datetime, timedelta

from services.evaluator.domain.catalogue import services_of
from services.evaluator.store import cases as case_store
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import changed_windows, moves
from services.evaluator.store import tallies as tally_store
from services.evaluator.store import windows as window_store
from services.evaluator.store.tallies import population_of
from services.evaluator.use_cases.looking import Look
from shared.messaging import Transaction

TRY_CLOSING_AGAIN = timedelta(seconds=5)
LOOK_AT_EMPTY_PAST = timedelta(days=1)


async def is_final(
    tx: Transaction, look: Look, *, closing: datetime | None, postponed: dict[int, datetime]
) -> bool | None:
    """Return whether the result is final; None where nothing is to be published for now.

    What is to be closed at another time is `postponed`, by its number.
    """
    con, state = tx.connection, look.state
    if look.awaits_import and state.is_past and not look.is_closed:
        # Its first result is that of the whole import: half of one says nothing.
        await window_store.not_stale(con, [state.number])
        postponed[state.number] = tx.now + TRY_CLOSING_AGAIN
        return None
    if look.is_closed:
        if await _is_settled(tx, look) and await _is_whole(tx, look):
            return True
        await window_store.look_again(con, look.key)
        return None
    if state.is_past:
        closing = tx.now  # a provisional result of the past would say nothing more
    if closing is None:
        return False
    if state.closes_at <= closing and _may_close(look) and await _is_settled(tx, look):
        return True
    postponed[state.number] = max(state.closes_at, tx.now + _pause(look))
    return False


async def _is_settled(tx: Transaction, look: Look) -> bool:
    """Return whether what we know already has been applied to the counts.

    Before that a frozen edition would be corrected at once by our own lag: cases wait for changed
    promises, an import is under way, an alarm within what is known has not been looked at, the
    source of a fact may not have been heard of.
    """
    services = services_of(look.promise)
    if await catalogue_store.is_rejudging(tx.connection, look.key[0], services):
        return False
    if look.awaits_import:
        return False
    newest = await tally_store.received_through(tx.connection, look.key)
    if newest is not None and not look.known.heard_past(newest):
        return False
    if await case_store.is_alarm_due(
        tx.connection, look.key, historical=look.historical, known=look.known.through
    ):
        return False
    # What was due may have been applied after the look at the counts: then they have changed.
    return not await changed_windows.has_changed(tx.connection, look.state.number)


async def _is_whole(tx: Transaction, look: Look) -> bool:
    """Return whether the causes that were read are those of the counts, and nothing came between.

    A batch that commits while we read may be in the counts and not in the causes.
    """
    return not await moves.has_more(tx.connection, look.key)


def _pause(look: Look) -> timedelta:
    """Return how long to wait before closing is tried again.

    An empty window of before our time waits for an import, whose facts have it looked at anyway;
    until then nothing about it changes that could be known.
    """
    known = look.known
    is_all_told = known.heard_past(look.state.closes_at) and (
        known.through is None or known.covers(look.promise.facts_until(look.state.ends_at))
    )
    return LOOK_AT_EMPTY_PAST if is_all_told and _is_empty_past(look) else TRY_CLOSING_AGAIN


def _is_empty_past(look: Look) -> bool:
    return look.state.is_past and not population_of(look.counts)


def _may_close(look: Look) -> bool:
    """Without any source there is nothing to wait for.

    That there is none is known only once its pipeline was heard past the cut-off: facts can be
    here before the progress that describes their source.

    A window of before our time is not frozen empty: its first edition is that of an import.
    """
    known = look.known
    if _is_empty_past(look):
        return False
    if known.lacks_source(look.state.closes_at):
        return True
    return known.covers(look.promise.facts_until(look.state.ends_at))
