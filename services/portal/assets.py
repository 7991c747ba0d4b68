"""Third-party front-end files: taken from node_modules at set-up, reduced to what we may serve."""

import re
import shutil
from pathlib import Path
from typing import Final

from services.portal.settings import PROJECT
from shared.errors import ConfigurationError

NODE_MODULES: Final = PROJECT / "node_modules"
GOVUK: Final = Path("govuk-frontend", "dist", "govuk")
# The typeface is licensed for gov.uk only: its files are never served and never named.
FONT_FACE: Final = re.compile(r"(?:/\*![^*]*\*/)?@font-face\{[^}]*\}")
FONT_NAMES: Final = re.compile(r'"?GDS Transport"?\s*,\s*arial\s*,\s*sans-serif')
CREST: Final = re.compile(r"url\(/assets/images/govuk-crest\.svg\)")
SOURCE_MAP: Final = re.compile(r"(?:/\*|//)# sourceMappingURL=[^\s*]*(?:\s*\*/)?")
SYSTEM_FONTS: Final = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif'


def install(target: Path, node_modules: Path = NODE_MODULES) -> list[Path]:
    """Write what the pages link to into `target` and return it. Done again, it does no harm.

    Raises ConfigurationError where `npm ci` has not run.
    """
    if not (node_modules / GOVUK).is_dir():
        raise ConfigurationError(f"no govuk-frontend in {node_modules}: run `npm ci` first")
    target.mkdir(parents=True, exist_ok=True)
    css = (node_modules / GOVUK / "govuk-frontend.min.css").read_text(encoding="utf-8")
    script = (node_modules / GOVUK / "govuk-frontend.min.js").read_text(encoding="utf-8")
    written = [
        _write(target / "govuk-frontend.css", without_typeface(css)),
        _write(target / "govuk-frontend.js", SOURCE_MAP.sub("", script)),
    ]
    htmx = target / "htmx.js"
    shutil.copyfile(node_modules / "htmx.org" / "dist" / "htmx.min.js", htmx)
    return [*written, htmx]


def without_typeface(css: str) -> str:
    """Return the style sheet without gov.uk's typeface and crest; nothing is fetched from it."""
    reduced = FONT_NAMES.sub(SYSTEM_FONTS, FONT_FACE.sub("", css))
    reduced = SOURCE_MAP.sub("", CREST.sub("none", reduced))
    left = [name for name in ("GDS Transport", "url(", "@import") if name in reduced]
    if left:
        raise ConfigurationError(f"govuk-frontend has changed: {left} is left in its style sheet")
    return reduced


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
