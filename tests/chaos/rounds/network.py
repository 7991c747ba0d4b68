"""The ways between processes, each through a door of toxiproxy that can be made bad."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.local.paths import CACHE
from tests.support.servers import free_port
from tests.support.waiting import eventually

HOST: Final = "127.0.0.1"
OWN: Final = CACHE / "toxiproxy" / "server"
BOTH: Final = ("upstream", "downstream")


def program() -> Path | None:
    """Return toxiproxy's server: as the setup made it, or as the system has it."""
    found = shutil.which("toxiproxy-server")
    return OWN if OWN.exists() else Path(found) if found else None


@dataclass(slots=True)
class Network:
    """A running toxiproxy; `doors` are the ports that lead to something, by name."""

    http: httpx.AsyncClient
    doors: dict[str, int] = field(default_factory=dict)

    async def door(self, name: str, port: int) -> int:
        """Let a door lead to a port of this machine; return the port it listens at."""
        is_new = name not in self.doors
        listen = self.doors.setdefault(name, free_port())
        door = {"listen": f"{HOST}:{listen}", "upstream": f"{HOST}:{port}", "enabled": True}
        await self._post("/proxies" if is_new else f"/proxies/{name}", {"name": name} | door)
        return listen

    async def shut(self, name: str) -> None:
        """Cut: all connections end, new ones are refused."""
        await self._post(f"/proxies/{name}", {"enabled": False})

    async def spoil(
        self, name: str, kind: str, attributes: Mapping[str, int], *, ways: tuple[str, ...] = BOTH
    ) -> None:
        """Add a toxic (toxiproxy's name for it) to what goes in these ways."""
        for way in ways:
            toxic = {"name": f"{kind}-{way}", "type": kind, "stream": way, "toxicity": 1.0}
            await self._post(f"/proxies/{name}/toxics", {**toxic, "attributes": dict(attributes)})

    async def mend(self, name: str) -> None:
        """Open a door and let everything through again."""
        for toxic in (await self.http.get(f"/proxies/{name}/toxics")).raise_for_status().json():
            gone = await self.http.delete(f"/proxies/{name}/toxics/{toxic['name']}")
            gone.raise_for_status()
        await self._post(f"/proxies/{name}", {"enabled": True})

    async def _post(self, path: str, body: Mapping[str, Any]) -> None:
        (await self.http.post(path, json=dict(body))).raise_for_status()


@asynccontextmanager
async def network(log: Path) -> AsyncIterator[Network]:
    """Run toxiproxy."""
    found = program()
    assert found is not None, "toxiproxy is not installed"
    port = free_port()
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(str(found), "-host", HOST, "-port", str(port)), stdout=output, stderr=output
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=10) as http:
            await eventually(lambda: _answers(http), what="toxiproxy answers")
            yield Network(http)
    finally:
        process.terminate()
        await process.wait()


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/version")).is_success
    except httpx.TransportError:
        return False
