"""Registered sources and their tokens."""

import hashlib
from collections.abc import Collection
from datetime import datetime

import asyncpg

from services.measurements.domain.checks import Cadence, Source, SourceState
from services.measurements.domain.registration import Declaration, Registration
from shared.database import Connection
from shared.errors import CartasError

COLUMNS = (
    "source_id, uri, municipality, historical, services, reports, attributes, grace_seconds, state,"
    " decides, every_minutes, calendar, expected_since"
)

SOURCES_BY_URI = f"SELECT {COLUMNS} FROM source WHERE uri = ANY($1::text[])"
ALL_SOURCES = f"SELECT {COLUMNS} FROM source WHERE NOT decides ORDER BY municipality, uri"
SPEAKERS = f"""
SELECT hash, {COLUMNS} FROM source_token JOIN source USING (source_id)
WHERE hash = ANY($1::bytea[]) AND revoked_at IS NULL
"""
ADD_SOURCE = """
INSERT INTO source (uri, municipality, historical, services, attributes, grace_seconds, reports,
                    every_minutes, calendar, expected_since)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $8::int IS NULL THEN NULL ELSE now() END)
RETURNING source_id
"""
# An expectation that stays the same keeps its beginning.
DECLARE = """
UPDATE source
SET reports = $2, every_minutes = $3, calendar = $4,
    expected_since = CASE
        WHEN $3::int IS NULL THEN NULL
        WHEN every_minutes = $3 AND calendar = $4 THEN expected_since
        ELSE now() END
WHERE uri = $1 AND state <> 'revoked' AND NOT decides
RETURNING source_id
"""
LET_SPEAK = "INSERT INTO source_token (hash, source_id) VALUES ($1, $2)"
REVOKE_TOKENS = """
UPDATE source_token SET revoked_at = now() WHERE source_id = $1 AND revoked_at IS NULL
"""
# Revoked is final: a suspension must not bring a source back.
SET_STATE = """
UPDATE source SET state = $2, state_reason = $3, state_since = now()
WHERE uri = $1 AND state <> 'revoked' AND state <> $2
RETURNING source_id
"""
# What was refused before is settled: it must not suspend the source again.
FORGET_TRAFFIC = "DELETE FROM traffic WHERE source_id = $1"
STATE_OF = """
SELECT state, state_since, state_reason FROM source WHERE source_id = $1
"""


class UnknownSourceError(CartasError):
    """No source is registered under this URI, or it cannot take this state any more."""


class DuplicateSourceError(CartasError):
    """The URI is registered already; a source belongs to one municipality for good."""


def token_hash(token: str) -> bytes:
    """Tokens are 256 random bits: a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(token.encode()).digest()


async def sources_by_uri(con: Connection, uris: Collection[str]) -> dict[str, Source]:
    """Return the registered ones of `uris`."""
    return {row["uri"]: _source(row) for row in await con.fetch(SOURCES_BY_URI, list(uris))}


async def all_sources(con: Connection) -> list[Source]:
    """Return every emitter, by municipality and URI."""
    return [_source(row) for row in await con.fetch(ALL_SOURCES)]


async def sources_by_token(con: Connection, tokens: Collection[str]) -> dict[str, Source]:
    """Return whose tokens they are, without those that never were or are revoked.

    The lookup compares hashes: its time says nothing of how close a guess came.
    """
    hashes = {token_hash(token): token for token in tokens}
    return {hashes[row["hash"]]: _source(row) for row in await con.fetch(SPEAKERS, list(hashes))}


async def add_source(con: Connection, new: Registration) -> int:
    """Register a source. Raises DuplicateSourceError."""
    try:
        source_id: int = await con.fetchval(
            ADD_SOURCE,
            new.uri,
            new.municipality,
            new.historical,
            sorted(new.services),
            sorted(new.attributes),
            new.grace_seconds,
            sorted(new.reports),
            new.every_minutes,
            new.calendar,
        )
    except asyncpg.UniqueViolationError:
        raise DuplicateSourceError(new.uri) from None
    return source_id


async def declare(con: Connection, uri: str, new: Declaration) -> None:
    """Replace what a source declares of itself. Raises UnknownSourceError."""
    found = await con.fetchval(DECLARE, uri, sorted(new.reports), new.every_minutes, new.calendar)
    if found is None:
        raise UnknownSourceError(uri)


async def add_token(con: Connection, source_id: int, token: str) -> None:
    """Let `token` speak for the source."""
    await con.execute(LET_SPEAK, token_hash(token), source_id)


async def set_state(con: Connection, uri: str, *, state: SourceState, reason: str) -> None:
    """Suspend, resume or revoke; revoking ends the tokens as well. Raises UnknownSourceError."""
    source_id = await con.fetchval(SET_STATE, uri, state.value, reason)
    if source_id is None:
        raise UnknownSourceError(uri)
    if state is SourceState.REVOKED:
        await revoke_tokens(con, source_id)
    if state is SourceState.ACTIVE:
        await con.execute(FORGET_TRAFFIC, source_id)


async def revoke_tokens(con: Connection, source_id: int) -> None:
    """End every token of a source."""
    await con.execute(REVOKE_TOKENS, source_id)


async def state_of(con: Connection, source_id: int) -> tuple[SourceState, datetime, str]:
    """Return the state of a known source, since when, and why."""
    row = await con.fetchrow(STATE_OF, source_id)
    if row is None:
        raise UnknownSourceError(source_id)
    return SourceState(row["state"]), row["state_since"], row["state_reason"]


def _source(row: "asyncpg.Record") -> Source:
    return Source(
        source_id=row["source_id"],
        uri=row["uri"],
        municipality=row["municipality"],
        historical=row["historical"],
        services=frozenset(row["services"]),
        reports=frozenset(row["reports"]),
        attributes=frozenset(row["attributes"]),
        grace_seconds=row["grace_seconds"],
        state=SourceState(row["state"]),
        decides=row["decides"],
        expects=cadence_of(row),
    )


def cadence_of(row: "asyncpg.Record") -> Cadence | None:
    """Return how often a source is expected to speak, None where it is not."""
    if row["every_minutes"] is None:
        return None
    return Cadence(row["every_minutes"], row["calendar"], row["expected_since"])
