"""`python -m deploy.grafana` writes every dashboard anew."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana import flow, promises, services, sources, units

FOLDER: Final = Path(__file__).parent / "dashboards"


def dashboards() -> Iterator[tuple[Path, str]]:
    """Yield where each dashboard stands and what it says."""
    for module in (flow, promises, units, sources, services):
        built = module.build()
        yield FOLDER / f"{module.__name__.rpartition('.')[2]}.json", as_json(built)


def as_json(built: Dashboard) -> str:
    """Return the text of the file; the same dashboard always gives the same."""
    return json.dumps(built, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write them all."""
    for path, text in dashboards():
        path.write_text(text)


if __name__ == "__main__":
    main()
