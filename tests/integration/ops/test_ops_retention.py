"""Retention: only what is over its term goes, it is logged, and no figure loses what it needs."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import asyncpg
import pytest

from deploy.local.environment import SERVICE_PORTS
from ops.retaining import Answer, Kept, lines
from shared.clock import utc_now
from shared.database import open_pool
from shared.retention import Term, due, purge, refused, retention_router
from tests.support.databases import FreshDatabase
from tests.support.exported import _settings

NOW = utc_now()
OLD = NOW - timedelta(days=500)
RECORDS = frozenset(
    {
        *("fact", "case_head", "balance", "source", "contest", "contest_step", "import_row"),
        *("measured_case", "tally", "judged_window", "edition", "case_in_window", "known_count"),
        *("folio", "step", "pause", "folio_redating", "contact_reading"),
        *("action", "action_trigger", "action_step", "deadline", "delivery", "alert"),
        *("state", "draft", "result", "complaint", "catalogue", "catalogue_entry", "purge"),
    }
)
"""What figures, folios and actions are made of."""


def settings_of(service: str, **changes: Any) -> Any:
    with _settings():
        return import_module(f"services.{service}.settings").Settings(**changes)


def terms_of(service: str, **changes: Any) -> tuple[Term, ...]:
    found: tuple[Term, ...] = import_module(f"services.{service}.retention").terms(
        settings_of(service, **changes)
    )
    return found


@pytest.mark.parametrize("service", SERVICE_PORTS)
async def test_terms_are_counted_on_the_schema_and_touch_no_record(
    database: FreshDatabase, service: str
) -> None:
    terms = terms_of(service)
    assert all(term.reason for term in terms)
    assert not {term.table for term in terms} & RECORDS
    connection = await asyncpg.connect(await database(service))
    try:
        counted = await due(connection, terms, NOW)
        for term in terms:
            await connection.execute(term.deleting, OLD)
    finally:
        await connection.close()
    assert [each.rows for each in counted] == [0] * len(terms)


REFUSAL = (
    "INSERT INTO refusal (id, topic, reason, refused_at, keep_until) VALUES ($1, 't', 'r', $2, $3)"
)


async def test_to_count_deletes_nothing_and_each_purge_is_logged(database: FreshDatabase) -> None:
    terms = (refused(timedelta(days=90)), Term("never", None, "none", "inbox", "seen_at < $1"))
    later = NOW + timedelta(days=90)
    async with await open_pool(await database("cartas"), name="test", size=3) as pool:
        await pool.executemany(
            REFUSAL, [("old", OLD, later), ("over", NOW, OLD), ("kept", NOW, later)]
        )
        await pool.execute("INSERT INTO inbox VALUES ('s', 'e', $1)", OLD)
        async with pool.acquire() as connection:
            counted = await due(connection, terms, NOW)  # type: ignore[arg-type]
        assert [(each.rows, each.through) for each in counted] == [
            (2, NOW - timedelta(days=90)),
            (0, None),
        ]
        assert await pool.fetchval("SELECT count(*) FROM refusal") == 3
        assert [each.rows for each in await purge(pool, terms, NOW)] == [2]
        assert await purge(pool, terms, NOW) == []
        assert await pool.fetchval("SELECT array_agg(id) FROM refusal") == ["kept"]
        assert await pool.fetchval("SELECT count(*) FROM inbox") == 1
        log = await pool.fetch("SELECT what, through, rows, purged_at FROM purge")
    assert [tuple(row) for row in log] == [
        ("refused payloads", NOW - timedelta(days=90), 2, NOW),
    ]


FOLIO = """
INSERT INTO folio (folio, municipality, revision, kind, filed_at, secret_hash, term_limit,
                   term_unit, term_pauses, answered_at, finding, found_at, referred_at)
VALUES ($1, 'm', 1, $2, $3::timestamptz - interval '1 day', decode(repeat('00', 32), 'hex'), 10,
        'd', '{}', $4, $5, $6, $7)
"""


async def file(connection: asyncpg.Connection, folio: str, **told: datetime | None) -> None:
    """A folio with a contact and a text."""
    finding = "rejected" if told.get("found") else None
    kind = "denuncia" if told.get("referred") else "queja"
    values = (told.get("answered"), finding, told.get("found"), told.get("referred"))
    await connection.execute(FOLIO, folio, kind, OLD, *values)
    await connection.execute("INSERT INTO contact VALUES ($1, 'x')", folio)
    await connection.execute("INSERT INTO writing VALUES ($1, 1, 'complaint', 'words')", folio)


async def test_personal_data_of_a_folio_goes_after_its_term_and_the_folio_stays(
    database: FreshDatabase,
) -> None:
    async with await open_pool(await database("buzon"), name="test", size=3) as pool:
        async with pool.acquire() as proxy:
            connection: Any = proxy
            await file(connection, "answered long ago", answered=OLD)
            await file(connection, "judged lately", answered=OLD, found=NOW)
            await file(connection, "open")
            await file(connection, "denuncia", answered=OLD, referred=OLD)
        assert await purge(pool, terms_of("buzon"), NOW) == []
        asked = terms_of("buzon", contact_keep_days=365, text_keep_days=365)
        assert [each.rows for each in await purge(pool, asked, NOW)] == [1, 1]
        for table in ("contact", "writing"):
            left = await pool.fetch(f"SELECT folio FROM {table} ORDER BY folio")
            assert [row["folio"] for row in left] == ["denuncia", "judged lately", "open"]
        assert await pool.fetchval("SELECT count(*) FROM folio") == 4


MAIL = """
INSERT INTO mail (mail, kind, mailbox, message_id, message, state, created_at, next_attempt_at,
                  give_up_at, settled_at)
VALUES ($1, 'k', 'a@b', $1, 'bytes', $2, $3, $3, $3, $4)
"""


async def test_the_words_of_sent_mail_go_and_its_line_stays(database: FreshDatabase) -> None:
    async with await open_pool(await database("notifier"), name="test", size=3) as pool:
        await pool.execute(MAIL, "old", "accepted", OLD, OLD)
        await pool.execute(MAIL, "new", "accepted", NOW, NOW)
        await pool.execute(MAIL, "waits", "waiting", OLD, None)
        (done,) = await purge(pool, terms_of("notifier"), NOW)
        assert (done.term.what, done.rows) == ("texts of sent mail", 1)
        left = await pool.fetch("SELECT mail FROM mail WHERE message IS NOT NULL ORDER BY mail")
        assert [row["mail"] for row in left] == ["new", "waits"]
        assert await pool.fetchval("SELECT count(*) FROM mail") == 3


def test_a_service_that_is_away_is_told_and_the_newest_purge_comes_first() -> None:
    told = {"what": "refused payloads", "through": OLD, "rows": 1}
    kept = Kept.model_validate(
        {
            "terms": [{"what": "contacts", "keep_days": None, "reason": "why", "due": 0}],
            "purged": [{**told, "purged_at": OLD}, {**told, "purged_at": NOW}],
        }
    )
    shown = list(lines([Answer("buzon", kept), Answer("cartas", None, "nothing listens")]))
    assert shown[0].split() == ["buzon", "contacts", "no", "term", "is", "set", "0", "due", "(why)"]
    assert shown[1] == "cartas: nothing listens"
    assert shown[2].startswith(f"purged {NOW:%Y-%m-%d}")
    assert retention_router(()).prefix == "/v1/retention"
