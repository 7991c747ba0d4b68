"""The municipality before the demo begins: catalogue, sources, a past quarter, some complaints."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx

from shared.clock import utc_now
from shared.settings import env_file
from simulator import CATALOGUE, MUNICIPALITY, complaints
from simulator.environment import service_url
from simulator.history import write_archive
from simulator.scenarios import EMITTERS, Emitter

HTTP_SECONDS: Final = 10.0


def state_folder() -> Path:
    """Return the folder of this run's state: where the env file is."""
    folder = env_file().parent
    return folder if folder.is_dir() else Path(".run")


def tokens_file() -> Path:
    """Return the file with the simulated systems' tokens, for the owner's eyes only."""
    return state_folder() / "simulator-tokens.json"


def seed() -> None:
    """Do it all; run again it repeats nothing that is there already."""
    _service("cartas", "load", str(CATALOGUE))
    issue_tokens()
    archive = write_archive(state_folder() / "simulator", utc_now())
    _service("measurements", "import", str(archive.file), "--mapping", str(archive.mapping))
    asyncio.run(_complain())


def issue_tokens() -> dict[str, str]:
    """Register the live sources, give each a token and keep the tokens; known ones stay."""
    path = tokens_file()
    tokens: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    for emitter in EMITTERS:
        if emitter.uri not in tokens:
            tokens[emitter.uri] = _token_of(emitter)
            _write_private(path, json.dumps(tokens))
    return tokens


def _token_of(emitter: Emitter) -> str:
    added = _run(
        "measurements",
        *("source", "add", "--municipality", MUNICIPALITY, "--source", emitter.uri),
        *("--services", ",".join(emitter.services), "--reports", ",".join(emitter.reports)),
        *("--attributes", ",".join(emitter.attributes)),
        *("--grace-seconds", str(emitter.grace_seconds)),
    )
    if added.returncode == 0:
        return added.stdout.split()[-1]
    replaced = _run("measurements", "source", "token", emitter.uri, "--replace")
    if replaced.returncode != 0:
        raise SystemExit(f"{emitter.uri}: {added.stderr.strip()} {replaced.stderr.strip()}")
    return replaced.stdout.split()[-1]


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(opened, "w", encoding="utf-8") as out:
        out.write(text)


def _run(service: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"services.{service}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def _service(service: str, *arguments: str) -> None:
    done = _run(service, *arguments)
    print(done.stdout, end="", flush=True)
    print(done.stderr, end="", file=sys.stderr, flush=True)
    if done.returncode != 0:
        raise SystemExit(f"{service} {arguments[0]} failed")


async def _complain() -> None:
    async with httpx.AsyncClient(timeout=HTTP_SECONDS, trust_env=False) as http:
        folios = await complaints.file_first(http, service_url("buzon"))
        await complaints.uphold(http, service_url("buzon"), folios[0])
    print(f"{len(folios)} complaints filed, {folios[0]} found justified")
