"""Prometheus and Alertmanager as processes, and the webhook that is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGHUP
from time import time
from typing import Any, Final

import httpx
import yaml

from tests.alerts.rewriting import quick_alertmanager, quick_prometheus, targets
from tests.support.servers import free_port
from tests.support.tools import tool
from tests.support.waiting import eventually

READY_SECONDS: Final = 60.0
MOST_BYTES: Final = 1_000_000
LONGEST_FAULT: Final = "30m"


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert as the webhook was told of it; `at` in seconds of the epoch."""

    receiver: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    at: float = field(default_factory=time)

    @property
    def alert(self) -> str:
        return self.labels["alertname"]

    @property
    def kind(self) -> tuple[str, str, str]:
        return self.alert, self.labels["severity"], self.status


@dataclass(slots=True)
class Webhook:
    """Takes what Alertmanager posts; `refuses` answers 500 and forgets it."""

    port: int = field(default_factory=free_port)
    notices: list[Notice] = field(default_factory=list)
    refuses: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        async with server:
            yield

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError:  # Alertmanager ended and had nothing to say
            writer.close()
            return
        sizes = [line for line in head.splitlines() if line.lower().startswith("content-length:")]
        body = await reader.readexactly(min(int(sizes[0].split(":")[1]), MOST_BYTES))
        if not self.refuses:
            self._note(head.split()[1].strip("/"), json.loads(body))
        status = "500 No" if self.refuses else "200 OK"
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    def _note(self, receiver: str, told: dict[str, Any]) -> None:
        for alert in told["alerts"]:
            self.notices.append(
                Notice(receiver, alert["status"], alert["labels"], alert["annotations"])
            )

    async def told(
        self, alert: str, severity: str, status: str, *, since: float, seconds: float
    ) -> Notice:
        """Wait until it was told of the alert; return the notice."""
        wanted = (alert, severity, status)

        def found() -> Notice | None:
            notices = self.since(since)
            return next((each for each in notices if each.kind == wanted), None)

        return await eventually(found, seconds, what=f"{alert} {status}")

    def since(self, at: float) -> list[Notice]:
        return [each for each in self.notices if each.at >= at]


@dataclass(slots=True)
class Watch:
    """The two servers that watch, in `folder`, and the webhook."""

    folder: Path
    webhook: Webhook
    prometheus_port: int = field(default_factory=free_port)
    alertmanager_port: int = field(default_factory=free_port)
    jobs: int = 0
    process: asyncio.subprocess.Process | None = None

    @property
    def prometheus(self) -> str:
        return f"http://127.0.0.1:{self.prometheus_port}"

    @property
    def alertmanager(self) -> str:
        return f"http://127.0.0.1:{self.alertmanager_port}"

    def look_at(self, job: str, addresses: Iterable[str]) -> None:
        """Have Prometheus look at these addresses of a job, and no others."""
        folder = self.folder / "targets"
        folder.mkdir(exist_ok=True)
        partial = folder / f"{job}.part"
        partial.write_text(json.dumps(targets(addresses)))
        partial.replace(folder / f"{job}.json")

    async def add_rules(self, name: str, rules: Sequence[dict[str, Any]]) -> None:
        """Add a group of rules, or take it away again where there are none."""
        groups = [{"name": name, "rules": list(rules)}] if rules else []
        (self.folder / "rules" / f"{name}.yml").write_text(yaml.safe_dump({"groups": groups}))
        assert self.process is not None
        self.process.send_signal(SIGHUP)

    async def query(self, expr: str) -> list[dict[str, Any]]:
        """Return what Prometheus answers now."""
        async with httpx.AsyncClient(timeout=10) as http:
            response = await http.get(f"{self.prometheus}/api/v1/query", params={"query": expr})
        response.raise_for_status()
        found: list[dict[str, Any]] = response.json()["data"]["result"]
        return found

    async def first(self, alert: str, severity: str, state: str, since: float) -> float | None:
        """Return when it was first in that state (`pending`, `firing`), in seconds of the epoch."""
        series = f'alertname="{alert}",severity="{severity}",alertstate="{state}"'
        found = await self.query(f"ALERTS{{{series}}}[{LONGEST_FAULT}]")
        instants = [float(at) for each in found for at, _ in each["values"]]
        return min((at for at in instants if at >= since), default=None)

    async def firing(self) -> set[str]:
        """Return the names of all alerts that fire, told or not, but for the Watchdog."""
        found = await self.query('ALERTS{alertstate="firing",alertname!="Watchdog"}')
        return {each["metric"]["alertname"] for each in found}

    async def all_up(self) -> bool:
        """Return whether every target of the beginning is looked at and answers, and no other."""
        return [each["value"][1] for each in await self.query("up")] == ["1"] * self.jobs

    async def held_back(self) -> set[str]:
        """Return the alerts that fire and are not told, as they follow from another."""
        async with httpx.AsyncClient(timeout=10) as http:
            response = await http.get(f"{self.alertmanager}/api/v2/alerts")
        response.raise_for_status()
        return {
            alert["labels"]["alertname"]
            for alert in response.json()
            if alert["status"]["inhibitedBy"]
        }

    async def raise_alerts(
        self, alerts: Iterable[dict[str, str]], annotations: Mapping[str, str] | None = None
    ) -> None:
        """Tell Alertmanager of alerts with these labels, as Prometheus would."""
        body = [{"labels": labels, "annotations": annotations or {}} for labels in alerts]
        async with httpx.AsyncClient(timeout=10) as http:
            response = await http.post(f"{self.alertmanager}/api/v2/alerts", json=body)
        response.raise_for_status()


@asynccontextmanager
async def alerting(folder: Path, *, group_wait: str = "1s") -> AsyncIterator[Watch]:
    """Start Alertmanager and the webhook alone."""
    watch = Watch(folder, Webhook())
    config = quick_alertmanager(folder, watch.webhook.url, group_wait=group_wait)
    async with watch.webhook.serving(), running_alertmanager(watch, config):
        yield watch


@asynccontextmanager
async def watching(
    folder: Path, addresses: dict[str, str], *, group_wait: str = "6s"
) -> AsyncIterator[Watch]:
    """Start all; `addresses` is of each service. All targets are up when this begins."""
    async with alerting(folder, group_wait=group_wait) as watch:
        _look_at_all(watch, addresses)
        config = quick_prometheus(folder, watch.alertmanager.removeprefix("http://"))
        async with _prometheus(watch, config) as watch.process:
            watch.jobs = len(addresses) + 2
            await eventually(watch.all_up, READY_SECONDS, what="targets are up")
            yield watch


def _look_at_all(watch: Watch, addresses: dict[str, str]) -> None:
    jobs = {
        **addresses,
        "prometheus": watch.prometheus.removeprefix("http://"),
        "alertmanager": watch.alertmanager.removeprefix("http://"),
    }
    for job, address in jobs.items():
        watch.look_at(job, [address])


@asynccontextmanager
async def running_alertmanager(watch: Watch, config: Path) -> AsyncIterator[None]:
    """Start it with this configuration; it is ready when this begins."""
    address = watch.alertmanager.removeprefix("http://")
    arguments = (
        *(f"--config.file={config}", f"--web.listen-address={address}"),
        *(f"--storage.path={watch.folder / 'alertmanager'}", "--cluster.listen-address="),
    )
    async with _running(tool("prometheus-alertmanager"), arguments, watch.folder):
        await eventually(lambda: _answers(f"{watch.alertmanager}/-/ready"), READY_SECONDS)
        yield


@asynccontextmanager
async def _prometheus(watch: Watch, config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    arguments = (
        *(f"--config.file={config}", f"--storage.tsdb.path={watch.folder / 'prometheus'}"),
        f"--web.listen-address={watch.prometheus.removeprefix('http://')}",
        "--rules.alert.resend-delay=2s",
    )
    async with _running(tool("prometheus"), arguments, watch.folder) as process:
        await eventually(lambda: _answers(f"{watch.prometheus}/-/ready"), READY_SECONDS)
        yield process


@asynccontextmanager
async def _running(
    program: str, arguments: Sequence[str], folder: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    with (folder / f"{Path(program).name}.log").open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(timeout=2) as http:
        try:
            return (await http.get(url)).is_success
        except httpx.HTTPError:
            return False
