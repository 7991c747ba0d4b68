"""A Prometheus of its own (Debian's package) that scrapes the services of a run on this machine."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from tests.support.servers import free_port

SCRAPE_SECONDS: Final = 2
START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A client of it."""

    http: httpx.Client

    def ask(self, expr: str) -> list[dict[str, Any]]:
        """Return the series of an expression now. Raises AssertionError with what it complains."""
        return self._get("/api/v1/query", query=expr)["result"]  # type: ignore[no-any-return]

    def values_of(self, label: str, metric: str) -> list[str]:
        """Return the values of a label, as a dashboard's variable asks for them."""
        found = self._get(f"/api/v1/label/{label}/values", **{"match[]": metric})
        return list(found)

    def _get(self, path: str, **query: str) -> Any:
        answer = self.http.get(path, params=query).json()
        assert answer["status"] == "success", f"{query}: {answer}"
        return answer["data"]


@contextmanager
def scraping(services: Mapping[str, str]) -> Iterator[Prometheus]:
    """Scrape the services (addresses by name) every two seconds; it forgets all at the end."""
    program = shutil.which("prometheus")
    if program is None:
        sys.exit("prometheus is not installed (Debian package prometheus)")
    with TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "prometheus.yml").write_text(_configuration(services))
        command = [
            program,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        process = subprocess.Popen(command)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as http:
                _await_ready(http, process)
                yield Prometheus(http)
        finally:
            process.terminate()
            process.wait()


def _configuration(services: Mapping[str, str]) -> str:
    """Jobs as in deploy/prometheus/prometheus.yml; JSON is YAML."""
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [urlsplit(url).netloc]}]}
        for name, url in services.items()
    ]
    scrape = f"{SCRAPE_SECONDS}s"
    told = {"scrape_interval": scrape, "scrape_timeout": scrape}
    return json.dumps({"global": told, "scrape_configs": jobs})


def _await_ready(http: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if http.get("/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    sys.exit("Prometheus did not start")
