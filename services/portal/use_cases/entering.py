"""Sign-in by one-time link: who may have one, what it opens, how long it lives."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.portal.domain.visitors import Visitor, visitor_of
from services.portal.store import accounts, catalogue
from shared.contracts.cartas import PostData, Role
from shared.database import Connection

LINKS_PER_MAILBOX: Final = 5
LINKS_WINDOW: Final = timedelta(minutes=15)
MAX_TOKEN_LENGTH: Final = 100
ADMINISTRATION: Final = "instalacion"
ADMINISTRATOR_TITLE: Final = "Administración de la instalación"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in mailbox; `visitor` is None until it has chosen one of its posts."""

    mailbox: str
    visitor: Visitor | None


async def new_link(
    connection: Connection, mailbox: str, *, now: datetime, valid_for: timedelta
) -> str | None:
    """Return the token of a new link for `mailbox`; None for one that may not sign in.

    A mailbox that asked LINKS_PER_MAILBOX times within LINKS_WINDOW waits.
    """
    mailbox = mailbox.strip().lower()
    if not await may_enter(connection, mailbox):
        return None
    await accounts.lock_mailbox(connection, mailbox)
    if await accounts.recent_links(connection, mailbox, now - LINKS_WINDOW) >= LINKS_PER_MAILBOX:
        return None
    token = secrets.token_urlsafe(32)
    await accounts.add_sign_in(connection, hash_of(token), mailbox, now=now, until=now + valid_for)
    return token


async def may_enter(connection: Connection, mailbox: str) -> bool:
    """Whether the mailbox holds a post or administers the installation."""
    if await accounts.is_administrator(connection, mailbox):
        return True
    return bool(await catalogue.posts_of_mailbox(connection, mailbox))


async def is_usable(connection: Connection, token: str, now: datetime) -> bool:
    """Whether the link would open; asking does not use it up, as mail scanners ask."""
    if len(token) > MAX_TOKEN_LENGTH:
        return False
    return await accounts.is_usable(connection, hash_of(token), now)


async def enter(
    connection: Connection, token: str, *, now: datetime, session_for: timedelta
) -> str | None:
    """Use the link up and return the token of a new session; None where it does not open."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    mailbox = await accounts.consume(connection, hash_of(token), now)
    if mailbox is None:
        return None
    session = secrets.token_urlsafe(32)
    session_hash = hash_of(session)
    await accounts.add_session(connection, session_hash, mailbox, now=now, until=now + session_for)
    choices = await choices_of(connection, mailbox)
    if len(choices) == 1:
        await choose(connection, session, mailbox, choice=next(iter(choices)))
    return session


async def choices_of(connection: Connection, mailbox: str) -> dict[str, PostData | None]:
    """Return what the mailbox may act as, by choice; None stands for the administrator."""
    posts = await catalogue.posts_of_mailbox(connection, mailbox)
    found: dict[str, PostData | None] = {f"{p.municipality}/{p.post}": p for p in posts}
    if await accounts.is_administrator(connection, mailbox):
        found[ADMINISTRATION] = None
    return found


async def session_of(connection: Connection, token: str, now: datetime) -> Session | None:
    """Return the session; a post that was taken from the mailbox since is not in it any more."""
    if not token or len(token) > MAX_TOKEN_LENGTH:
        return None
    row = await accounts.session(connection, hash_of(token), now)
    if row is None:
        return None
    mailbox = row["mailbox"]
    choices = await choices_of(connection, mailbox)
    if row["administers"]:
        return Session(mailbox, _administrator(mailbox)) if ADMINISTRATION in choices else None
    if row["post"] is None:
        return Session(mailbox, None)
    post = choices.get(f"{row['municipality']}/{row['post']}")
    if post is None:
        return None
    units = await catalogue.units(connection, post.municipality)
    return Session(mailbox, visitor_of(post, units))


async def choose(connection: Connection, token: str, mailbox: str, *, choice: str) -> bool:
    """Act from now on as `choice`; False for one that the mailbox does not have."""
    choices = await choices_of(connection, mailbox)
    if choice not in choices:
        return False
    post = choices[choice]
    if post is None:
        await accounts.choose_administration(connection, hash_of(token))
    else:
        await accounts.choose_post(connection, hash_of(token), post.municipality, post=post.post)
    return True


async def leave(connection: Connection, token: str) -> None:
    """End the session for good."""
    await accounts.end_session(connection, hash_of(token))


def hash_of(token: str) -> bytes:
    """Return what is kept of a token: 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).digest()


def _administrator(mailbox: str) -> Visitor:
    return Visitor(mailbox, Role.ADMINISTRATOR, ADMINISTRATOR_TITLE)
