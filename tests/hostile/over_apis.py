"""Schemathesis on an HTTP API, by the API's own description; and calls that no database takes."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from deploy.local.environment import SERVICE_PORTS
from shared.credentials import service_credential
from simulator import MUNICIPALITY
from simulator.scenarios import TURNS
from tests.e2e.town import Town
from tests.hostile.over_http import Counts
from tests.support.processes import SERVICE_SECRET

DESCRIBED = [service for service in SERVICE_PORTS if service != "portal"]
"""The portal serves pages, which are forms for people."""
NOBODY = "nobody"
Statuses = Counter[int]


def callers(town: Town, service: str) -> dict[str, str]:
    """Return who calls a service, each with what it says it is; nobody says nothing."""
    found = {NOBODY: "", "a service": service_credential(SecretStr(SERVICE_SECRET))}
    return found | ({"an emitter": town.tokens[TURNS.uri]} if service == "measurements" else {})


@dataclass(frozen=True, slots=True)
class Pace:
    """How thoroughly each operation is tried: `examples` are generated at random."""

    seed: int
    phases: str
    examples: int


async def ask(town: Town, service: str, token: str, *, pace: Pace, folder: Path) -> Statuses:
    """Return how the calls were answered. Raises AssertionError where one was a fault of ours."""
    folder.mkdir()
    report = folder / "report.ndjson"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "schemathesis.cli", "run", f"{town.system.url(service)}/openapi.json"),
        *("--checks", "not_a_server_error", "--exclude-path-regex", "^/(health|metrics)"),
        *("--max-examples", str(pace.examples), "--seed", str(pace.seed)),
        *("--phases", pace.phases, "--generation-deterministic", "--no-shrink"),
        *("--request-timeout", "30", "--no-color"),
        *("--report", "ndjson", "--report-ndjson-path", str(report)),
        *(("--header", f"Authorization: Bearer {token}") if token else ()),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-6000:]
    return _statuses(report)


def _statuses(report: Path) -> Statuses:
    found: Statuses = Counter()
    for line in report.read_text(encoding="utf-8").splitlines():
        scenario = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for call in scenario.get("interactions", {}).values():
            found[call["response"]["status_code"]] += 1
    return found


def outcomes(service: str, caller: str, statuses: Statuses) -> Counts:
    intake = f"HTTP API of {service} by its description, {caller}"
    return Counter(
        {(intake, f"{code} {HTTPStatus(code).phrase}"): n for code, n in statuses.items()}
    )


BEYOND = "0001-01-01T00:00:00%2B14:00"
"""An instant of which UTC has no date."""
HUGE = "9" * 30
CONTEST = {
    "municipality": MUNICIPALITY,
    "post": "a",
    "cutoff": "9999-12-31T23:59:59-14:00",
    "excluded": False,
    "case": "x",
    "compromiso": "RC-01-02",
    "unit": "RC",
    "window": "2026-T2",
    "reason": "dato_erroneo",
    "explanation": "x",
    "evidence": "x",
}
LETTER = {
    "municipality": MUNICIPALITY,
    "unit": "RC",
    "post": "a",
    "step": "file",
    "at": "0001-01-01T00:00:00+14:00",
    "contest": 10**30,
    "case": "x",
    "promise": "a\x00b",
    "window": "2026-T2",
    "reason": "x",
    "cutoff": "9999-12-31T23:59:59-14:00",
}
RESULT = "/v1/explanations/results?municipality=a&compromiso=b&unit=c&window=d"
FOLIOS = f"/v1/folios?municipality={MUNICIPALITY}&post=coordinacion"


@dataclass(frozen=True, slots=True)
class Call:
    """A GET, or a POST of a body; `path` is written as it goes over the wire."""

    service: str
    path: str
    body: Mapping[str, Any] | None = None


UNSTORABLE = {
    "a NUL in a query": Call("evaluator", "/v1/standing?municipality=a&case=%00"),
    "a NUL in a path": Call("notifier", "/v1/actions/%00"),
    "an edition beyond all": Call("evaluator", f"{RESULT}&edition={HUGE}"),
    "a page beyond all": Call("evaluator", f"/v1/redatings?municipality=a&after={HUGE}"),
    "a position beyond all": Call("buzon", f"{FOLIOS}&after={BEYOND}~x"),
    "a cut-off beyond all": Call("measurements", "/v1/contests", CONTEST),
    "a letter beyond all": Call("notifier", "/v1/mails/contest", LETTER),
    "a name that is half a character": Call("buzon", "/v1/folios", {"\ud800": 1}),
}


async def answer_to(town: Town, call: Call) -> httpx.Response:
    """Return how a service answers one of ours."""
    url = httpx.URL(town.system.url(call.service)).copy_with(raw_path=call.path.encode())
    headers = {"Content-Type": "application/json", "Idempotency-Key": "x" * 20}
    async with town.system.client(call.service) as http:
        if call.body is None:
            return await http.get(url)
        return await http.post(url, content=json.dumps(call.body).encode(), headers=headers)
