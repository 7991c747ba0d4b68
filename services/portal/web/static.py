"""Style sheets and scripts: read once, named by their content, kept by browsers for good."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from shared.errors import ConfigurationError

OWN: Final = Path(__file__).resolve().parent.parent / "static"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
REQUIRED: Final = ("govuk-frontend.css", "govuk-frontend.js", "htmx.js", "portal.css", "portal.js")
FOR_GOOD: Final = "public, max-age=31536000, immutable"
BRIEFLY: Final = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file with its compressed form."""

    content_type: str
    body: bytes
    compressed: bytes
    version: str


class StaticFiles:
    """The files by name."""

    def __init__(self, built: Path) -> None:
        """Read all files. Raises ConfigurationError where `portal assets` has not run."""
        paths = [path for folder in (built, OWN) for path in sorted(folder.glob("*"))]
        self.files = {path.name: _read(path) for path in paths if path.suffix in TYPES}
        missing = [name for name in REQUIRED if name not in self.files]
        if missing:
            raise ConfigurationError(
                f"front-end files are missing in {built}: {', '.join(missing)};"
                " run `python -m services.portal assets`"
            )

    def url(self, name: str) -> str:
        """Return the address of a file; it changes with the content."""
        return f"/static/{name}?v={self.files[name].version}"

    def router(self) -> APIRouter:
        """Return the route that serves them."""
        routes = APIRouter(include_in_schema=False)

        @routes.get("/static/{name}")
        async def static(request: Request, name: str, v: str = "") -> Response:
            found = self.files.get(name)
            if found is None:
                return Response(status_code=404)
            zipped = "gzip" in request.headers.get("accept-encoding", "")
            headers = {
                "Cache-Control": FOR_GOOD if v == found.version else BRIEFLY,
                "Vary": "Accept-Encoding",
            }
            if zipped:
                headers["Content-Encoding"] = "gzip"
            body = found.compressed if zipped else found.body
            return Response(body, media_type=found.content_type, headers=headers)

        return routes


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    version = hashlib.sha256(body).hexdigest()[:12]
    return StaticFile(TYPES[path.suffix], body, gzip.compress(body, 9, mtime=0), version)
