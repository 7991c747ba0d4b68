"""Tokens that tie a form to the browser that opened it."""

import hashlib
import hmac
import secrets
from typing import Final

from fastapi import Request

COOKIE: Final = "formulario"
FIELD: Final = "_formulario"
MAX_LENGTH: Final = 100


class ForgedFormError(Exception):
    """The form was not opened in this browser, or its cookie is gone."""


class Forms:
    """Hands out and checks the tokens; a session's forms are bound to that session as well."""

    def __init__(self, key: bytes, *, cookie: str, session_cookie: str) -> None:
        self._key = key
        self.cookie = cookie
        self._session_cookie = session_cookie

    def token(self, request: Request) -> str:
        """Return the token for this browser; `state.new_form_key` is to become its cookie."""
        known = request.cookies.get(self.cookie, "")
        if not 20 <= len(known) <= MAX_LENGTH:
            known = getattr(request.state, "new_form_key", "") or secrets.token_urlsafe(24)
            request.state.new_form_key = known
        return self._signed(known, request)

    def check(self, request: Request, given: str) -> None:
        """Raises ForgedFormError unless the token is this browser's; takes constant time."""
        known = request.cookies.get(self.cookie, "")
        if request.headers.get("sec-fetch-site") == "cross-site":
            raise ForgedFormError
        expected = self._signed(known, request)
        if not known or not hmac.compare_digest(expected.encode(), given.encode()):
            raise ForgedFormError

    def _signed(self, form_key: str, request: Request) -> str:
        session = request.cookies.get(self._session_cookie, "")
        message = f"{form_key}\x00{session}".encode()
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()
