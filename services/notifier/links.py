"""Signed links to one action's form: they open it for one post until the action closes."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from shared.http import derived_key

PURPOSE: Final = "notifier links"
SALT: Final = "corrective-action.v1"
MAX_TOKEN_LENGTH: Final = 1000


class Claim(BaseModel):
    """What a link says; short names keep the address short."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    action: str = Field(alias="a")
    post: str = Field(alias="p")
    version: int = Field(alias="v")


@dataclass(frozen=True, slots=True)
class Links:
    """Signs and reads links with a key that is derived from the services' secret."""

    serializer: URLSafeTimedSerializer

    @classmethod
    def of(cls, secret: SecretStr) -> "Links":
        key = derived_key(secret, PURPOSE)
        options: dict[str, Any] = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return cls(URLSafeTimedSerializer(key, salt=SALT, signer_kwargs=options))

    def sign(self, action: str, post: str, version: int) -> str:
        """Return the token; `version` is the action's, and a later one revokes it."""
        return str(self.serializer.dumps({"a": action, "p": post, "v": version}))

    def read(self, token: str) -> Claim | None:
        """Return what the token says, None where we never signed it."""
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        try:
            return Claim.model_validate(self.serializer.loads(token))
        except (BadData, ValidationError):
            return None
